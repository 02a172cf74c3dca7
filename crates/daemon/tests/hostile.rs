//! Configuration files and tables of any text are read or refused with a finding, decide about mail,
//! and say the same when they are written as TOML and read again. `fuzz/` asks the same of more.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use mailproof_daemon::directive::Format;
use mailproof_daemon::settings::Role;
use mailproof_daemon::{Client, Config, Draft, Files, HostList, Origin, Steps, to_toml, toml_file};
use mailproof_keygen::{DataSetKind, KeyTable, SigningTable};
use mailproof_testkit::testdata;
use proptest::prelude::*;

const ADDRESSES: [&str; 4] = ["joe@example.com", "a@b.c.d.example", "", "@"];

fn configuration(name: &str, text: &str) {
    // No other file is there.
    let files = Files::below("/nonexistent".into());
    let Ok(draft) = Draft::of(vec![(name.to_owned(), text.to_owned())], &files) else { return };
    let mut findings = draft.findings;
    let (config, found) = Config::resolve(draft.settings, &draft.origins, &files);
    findings.extend(found);
    let client = Client { ip: Some([192, 0, 2, 1].into()), ..Client::default() };
    for author in ADDRESSES {
        let roles = [Role::Sign, Role::Verify];
        let _ = config.decide(&roles, &client, Some(author), &[author], &mut Steps::kept());
    }
    let written = to_toml(&config.settings, &findings).unwrap();
    let (again, _) =
        toml_file::parse("f", &written).unwrap_or_else(|it| panic!("{it:?} {written}"));
    assert_eq!(again, config.settings, "{written}");
}

fn tables(kind: DataSetKind, text: &str) {
    let keys = KeyTable::parse(kind, text);
    if let Ok(authors) = SigningTable::parse(kind, text) {
        for address in ADDRESSES {
            for matched in authors.matches(address) {
                let key = keys.as_ref().ok().and_then(|keys| keys.key(&matched.key_name));
                let _ = key.map(|key| key.path(&"example.com".parse().unwrap()));
            }
        }
    }
    let mut hosts = HostList::default();
    for entry in kind.entries(text) {
        let is_refile = kind == DataSetKind::Refile;
        let origin = Origin { file: "f".into(), line: entry.line, is_refile };
        let _ = hosts.push(entry.key, origin);
    }
    let _ = hosts.contains(Some("mail.example.com"), Some([192, 0, 2, 1].into()));
}

/// A value as people write it, or would rather not.
fn value() -> impl Strategy<Value = String> {
    const WORDS: [&str; 32] = [
        "yes",
        "no",
        "0",
        "-1",
        "18446744073709551616",
        "0777",
        "sv",
        "relaxed/simple",
        "csl:a,b",
        "refile:/etc/x",
        "file:/etc/x",
        "/etc/x",
        "inet:8891@localhost",
        "local:/run/x",
        "*",
        "%",
        "192.0.2.0/24",
        "!.example.com",
        "[::1]",
        "mail",
        "a:b:c",
        "*,-From",
        "+To",
        "reject",
        "SPF_Not_Pass",
        "Null",
        "\"",
        "\\",
        "'",
        "\u{0}",
        "é\u{202e}",
        "example.com",
    ];
    let one = prop_oneof![
        4 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        1 => ".{0,12}",
    ];
    prop::collection::vec(one, 0..3).prop_map(|words| words.join(","))
}

fn directives(format: Format) -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = format.directives().map(|known| known.name).collect();
    let separator = if format == Format::PolicydSpf { " = " } else { " " };
    let line = (prop::sample::select(names), value())
        .prop_map(move |(name, value)| format!("{name}{separator}{value}\n"));
    prop::collection::vec(line, 0..20).prop_map(|lines| lines.concat())
}

/// The sample with lines switched on, and some of them with another value.
fn toml() -> impl Strategy<Value = String> {
    let sample = std::fs::read_to_string(testdata("../packaging/mailproofd.toml")).unwrap();
    let lines: Vec<String> = sample
        .lines()
        .map(|line| line.strip_prefix('#').filter(|it| !it.starts_with(' ')).unwrap_or(line))
        .filter(|line| line.starts_with('[') || line.contains(" = "))
        .map(str::to_owned)
        .collect();
    let count = lines.len();
    let change = (any::<prop::sample::Index>(), prop::option::of(value()));
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        let mut lines = lines.clone();
        for (index, value) in changes {
            let Some(line) = lines.get_mut(index.index(count)) else { continue };
            let name = line.split(" = ").next().unwrap_or_default().to_owned();
            *line = value.map_or_else(String::new, |value| format!("{name} = {value:?}"));
        }
        lines.join("\n")
    })
}

proptest! {
    #[test]
    fn opendkim(text in directives(Format::Opendkim)) {
        configuration("opendkim.conf", &text);
    }

    #[test]
    fn opendmarc(text in directives(Format::Opendmarc)) {
        configuration("opendmarc.conf", &text);
    }

    #[test]
    fn policyd_spf(text in directives(Format::PolicydSpf)) {
        configuration("policyd-spf.conf", &text);
    }

    #[test]
    fn our_own(text in toml()) {
        configuration("mailproofd.toml", &text);
    }

    #[test]
    fn anything(text in "\\PC{0,40}([\n\r\t =#\\[\\]\"]\\PC{0,20}){0,8}", kind in 0..4_usize) {
        let names = ["opendkim.conf", "opendmarc.conf", "policyd-spf.conf", "mailproofd.toml"];
        configuration(names[kind], &text);
    }

    #[test]
    fn any_table(text in "([-a-z0-9@.*%:/#!?(\\[{|+^$\\\\, \t]{0,30}\n){0,8}") {
        for kind in [DataSetKind::List, DataSetKind::File, DataSetKind::Refile] {
            tables(kind, &text);
        }
    }
}
