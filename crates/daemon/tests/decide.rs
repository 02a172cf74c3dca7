//! What a configuration decides about messages, step by step.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::Path;

use mailproof_daemon::settings::Role;
use mailproof_daemon::{Client, Config, Decision, Draft, Files, Reason, Steps, toml_file};
use mailproof_testkit::testdata;

const TEXT: &str = r#"
peers = ["192.0.2.9"]
exempt-domains = ["lists.example"]
[[listener]]
socket = "inet:8891@localhost"
[sign]
mta-names = ["ORIGINATING"]
macros = ["auth_type=LOGIN|PLAIN"]
authenticated = false
not-to = ["robot@example.net", "example.org"]
[[sign.key]]
domains = ["example.com"]
subdomains = true
selector = "rsa"
file = "/rsa-2048.pem"
[[sign.key]]
domains = ["example.com"]
selector = "ed"
file = "/ed25519.seed"
[verify]
ignore-hosts = ["198.51.100.0/24"]
ignore-domains = ["trusted.example"]
"#;

const BOTH: &[Role] = &[Role::Sign, Role::Verify];

fn config() -> Config {
    let (settings, origins) = toml_file::parse("f", TEXT).unwrap();
    let (config, findings) = Config::resolve(settings, &origins, &Files::below(testdata("keys")));
    assert!(findings.is_empty(), "{findings:?}");
    config
}

fn decide(roles: &[Role], client: &Client<'_>, author: &str, to: &[&str]) -> String {
    let mut steps = Steps::kept();
    let decision = config().decide(roles, client, Some(author), to, &mut steps);
    match decision {
        Decision::Sign(keys) => {
            let print =
                |key: &mailproof_daemon::SigningKey| format!("{} {}", key.domain, key.selector);
            keys.iter().map(print).collect::<Vec<_>>().join(", ")
        }
        Decision::CannotSign(reason) => reason,
        Decision::Verify => "verify".into(),
        Decision::Pass(reason) => format!("{reason:?}"),
    }
}

fn from(ip: &str) -> Client<'static> {
    Client { ip: Some(ip.parse().unwrap()), ..Client::default() }
}

#[test]
fn both_keys_sign() {
    let local = Client::default();
    assert_eq!(decide(BOTH, &local, "a@example.com", &[]), "example.com rsa, example.com ed");
    assert_eq!(decide(BOTH, &local, "a@Mail.Example.com", &[]), "example.com rsa");
    assert_eq!(decide(BOTH, &local, "a@example.net", &[]), "verify");
    assert_eq!(decide(&[Role::Verify], &local, "a@example.com", &[]), "verify");
    assert_eq!(decide(&[Role::Sign], &local, "a@example.net", &[]), "NotToVerify");
    assert_eq!(decide(&[Role::Idle], &local, "a@example.com", &[]), "Idle");
}

#[test]
fn who_is_ours() {
    let outside = from("203.0.113.1");
    let signed = "example.com rsa, example.com ed";
    assert_eq!(decide(BOTH, &outside, "a@example.com", &[]), "verify");
    let client = Client { mta_name: Some("ORIGINATING"), ..outside };
    assert_eq!(decide(BOTH, &client, "a@example.com", &[]), signed);
    for (value, expected) in [("PLAIN", signed), ("GSSAPI", "verify")] {
        let client = Client { macros: &[("auth_type", value)], ..outside };
        assert_eq!(decide(BOTH, &client, "a@example.com", &[]), expected);
    }
    let client = Client { authenticated: true, ..outside };
    assert_eq!(decide(BOTH, &client, "a@example.com", &[]), "Authenticated");
}

#[test]
fn what_is_left_as_it_is() {
    assert_eq!(decide(BOTH, &from("192.0.2.9"), "a@example.com", &[]), "Peer");
    assert_eq!(decide(BOTH, &Client::default(), "a@lists.example", &[]), "ExemptDomain");
    assert_eq!(decide(BOTH, &from("198.51.100.7"), "a@example.net", &[]), "IgnoredHost");
    assert_eq!(decide(BOTH, &from("203.0.113.1"), "a@trusted.example", &[]), "IgnoredDomain");
    for to in ["robot@example.net", "b@example.org"] {
        assert_eq!(
            decide(BOTH, &Client::default(), "a@example.com", &["x@y.example", to]),
            "verify"
        );
    }
    let mut steps = Steps::kept();
    let decision = config().decide(BOTH, &Client::default(), None, &[], &mut steps);
    assert!(matches!(decision, Decision::Verify));
    assert!(steps.list().iter().any(|step| step == "From names no author: there is no key for it"));
    assert_eq!(Reason::Peer.to_string(), "the client is in peers");
}

#[test]
fn a_file_that_includes_itself_ends() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("opendkim.conf"), "Include /opendkim.conf\nMode v\n").unwrap();
    let files = Files::below(directory.path().to_owned());
    let draft = Draft::load(&[Path::new("/opendkim.conf")], &files).unwrap();
    let deep: Vec<_> = draft.findings.iter().filter(|found| found.rule == "include").collect();
    assert_eq!(deep.len(), 1);
    assert_eq!(deep[0].sentence, "files are included more than 5 deep");
}

/// The configuration of older files, and the rules of its findings.
fn older(files: &[(&str, &str)]) -> (Config, Vec<&'static str>) {
    let directory = tempfile::tempdir().unwrap();
    fs::copy(testdata("keys/ed25519.seed"), directory.path().join("key")).unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let paths: Vec<String> = files.iter().map(|(name, _)| format!("/{name}")).collect();
    let paths: Vec<&Path> =
        paths.iter().filter(|path| path.ends_with(".conf")).map(Path::new).collect();
    let files = Files::below(directory.path().to_owned());
    let draft = Draft::load(&paths, &files).unwrap();
    let (config, findings) = Config::resolve(draft.settings, &draft.origins, &files);
    (config, findings.iter().map(|finding| finding.rule).collect())
}

/// Whom a message of a client and an author is signed by, or what else is done.
fn done(config: &Config, ip: &str, author: &str, to: &str) -> String {
    let client = Client { ip: Some(ip.parse().unwrap()), ..Client::default() };
    match config.decide(BOTH, &client, Some(author), &[to], &mut Steps::default()) {
        Decision::Sign(keys) => keys[0].domain.to_string(),
        Decision::CannotSign(reason) => reason,
        Decision::Verify => "verify".into(),
        Decision::Pass(reason) => format!("{reason:?}"),
    }
}

#[test]
fn a_star_alone_is_all_domains_where_the_older_daemons_have_it_so() {
    let opendkim = "Socket inet:1@localhost\nDomain *\nSelector s\nKeyFile /key\n";
    let lists = "ExemptDomains *\nDontSignMailTo file:/to\n";
    let opendmarc = "Socket inet:2@localhost\nIgnoreMailFrom *,a.example\n";
    let of = |lists: &str| {
        older(&[
            ("opendkim.conf", &format!("{opendkim}{lists}")),
            ("opendmarc.conf", opendmarc),
            ("to", "*\n*.example\n"),
        ])
    };
    let (config, rules) = of(lists);
    assert_eq!(rules.iter().filter(|rule| **rule == "pattern").count(), 4);
    assert_eq!(done(&config, "127.0.0.1", "joe@b.example", "x@c.example"), "b.example");
    assert_eq!(done(&config, "192.0.2.1", "joe@b.example", "x@c.example"), "verify");
    assert_eq!(done(&config, "192.0.2.1", "joe@a.example", "x@c.example"), "IgnoredDomain");
    let (config, rules) = of("ExemptDomains refile:/to\n");
    assert_eq!(rules.iter().filter(|rule| **rule == "pattern").count(), 1);
    assert_eq!(done(&config, "192.0.2.1", "joe@b.example", "x@c.example"), "ExemptDomain");
}

#[test]
fn masks_of_networks_count_for_opendmarc_alone() {
    let opendkim = "Socket inet:1@localhost\nDomain a.example\nSelector s\nKeyFile /key\n\
                    InternalHosts file:/hosts\n";
    let opendmarc = "Socket inet:2@localhost\nIgnoreHosts /hosts\n";
    let hosts = "192.0.2.0/255.255.255.0\n!192.0.2.8/255.255.255.248\n\
                 198.51.100.7/255.255.255.0\n203.0.113.0/255.0.255.0\n";
    let files = [("opendkim.conf", opendkim), ("opendmarc.conf", opendmarc), ("hosts", hosts)];
    let (config, rules) = older(&files);
    // Two of them are no networks for OpenDMARC either.
    assert_eq!(rules.iter().filter(|rule| **rule == "network-mask").count(), 6);
    let what = |ip| done(&config, ip, "joe@a.example", "x@c.example");
    assert_eq!((what("192.0.2.1"), what("192.0.2.9")), ("IgnoredHost".into(), "verify".into()));
    assert_eq!((what("198.51.100.7"), what("203.0.113.1")), ("verify".into(), "verify".into()));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let key = directory.path().join("key");
    fs::copy(testdata("keys/ed25519.seed"), &key).unwrap();
    let rules = |mode, safe| {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let text = format!(
            "[[listener]]\nsocket = \"inet:1@localhost\"\n[sign]\nrequire-safe-keys = {safe}\n\
             [[sign.key]]\ndomains = [\"a.example\"]\nselector = \"s\"\nfile = {:?}\n",
            key.display().to_string()
        );
        let (settings, origins) = toml_file::parse("f", &text).unwrap();
        let (_, findings) = Config::resolve(settings, &origins, &Files::new());
        findings
            .iter()
            .map(|found| format!("{} {}", found.severity, found.rule))
            .collect::<Vec<_>>()
    };
    assert!(rules(0o600, true).is_empty());
    assert_eq!(rules(0o640, true), ["error key-unsafe"]);
    assert_eq!(rules(0o640, false), ["warning key-unsafe"]);
}
