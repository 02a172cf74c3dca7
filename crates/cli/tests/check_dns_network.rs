//! `check-dns --network` against servers on this host: HTTPS, SMTP with STARTTLS, and the DNS that
//! leads to them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_dns::Zone;
use mailproof_testkit::{Behaviour, Server};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

const POLICY: &str =
    "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.com\r\nmax_age: 2419200\r\n";
const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.2\" \
                    baseProfile=\"tiny-ps\"><title>Example</title></svg>";
const ZONE: &str = "example.com. TXT \"v=spf1 mx -all\"\n\
     example.com. MX 10 mx1.example.com.\n\
     mx1.example.com. A 127.0.0.1\n\
     _dmarc.example.com. TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n\
     _mta-sts.example.com. TXT \"v=STSv1; id=1;\"\n\
     mta-sts.example.com. A 127.0.0.1\n\
     _smtp._tls.example.com. TXT \"v=TLSRPTv1; rua=mailto:t@example.net\"\n";

/// An authority, whose certificates are trusted.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    fn sign(&self, params: &CertificateParams) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().der().clone(), key)
    }

    /// TLS with a certificate for these names.
    fn tls(&self, names: &[&str]) -> Arc<ServerConfig> {
        let (config, _) = self.tls_with_key(names);
        config
    }

    fn tls_with_key(&self, names: &[&str]) -> (Arc<ServerConfig>, Vec<u8>) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(2031, 1, 1);
        let (certificate, key) = self.sign(&params);
        let public = webpki::EndEntityCert::try_from(&certificate).unwrap();
        let public = public.subject_public_key_info().to_vec();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], private)
            .unwrap();
        (Arc::new(config), public)
    }
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

/// Calls `serve` for each connection; gives the port.
fn listen(serve: impl Fn(TcpStream) -> Option<()> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            serve(stream);
        }
    });
    port
}

type Pages = BTreeMap<&'static str, (u16, &'static str, Vec<u8>)>;

/// A web server with these pages.
fn web(tls: Arc<ServerConfig>, pages: Pages) -> u16 {
    listen(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&tls)).unwrap();
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        let mut first = String::new();
        stream.read_line(&mut first).ok()?;
        let mut line = String::new();
        while stream.read_line(&mut line).ok()? > 2 {
            line.clear();
        }
        let path = first.split(' ').nth(1)?.to_owned();
        let missing = (404, "text/html", b"<html>".to_vec());
        let (status, media_type, body) = pages.get(path.as_str()).unwrap_or(&missing);
        let head = format!(
            "HTTP/1.1 {status} x\r\nContent-Type: {media_type}\r\nLocation: https://example.net/\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let stream = stream.get_mut();
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body).ok()?;
        stream.conn.send_close_notify();
        stream.flush().ok()
    })
}

fn policy_pages(policy: &str) -> Pages {
    let page = (200, "text/plain; charset=utf-8", policy.as_bytes().to_vec());
    [("/.well-known/mta-sts.txt", page)].into()
}

/// A mail exchange; `after` is what it says behind its reply to STARTTLS.
fn mail(tls: Option<Arc<ServerConfig>>, after: &'static str) -> u16 {
    listen(move |stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        stream.write_all(b"220-mx1.example.com\r\n220 here\r\n").ok()?;
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 0 {
            let reply = match (line.get(..4)?, &tls) {
                ("EHLO", Some(_)) => "250-mx1.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n",
                ("EHLO", None) => "250-mx1.example.com\r\n250 SIZE 1000\r\n",
                ("STAR", _) => "220 go on\r\n",
                _ => "221 bye\r\n",
            };
            stream.write_all(reply.as_bytes()).ok()?;
            if let ("STAR", Some(tls)) = (line.get(..4)?, &tls) {
                stream.write_all(after.as_bytes()).ok()?;
                let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                let _ = stream.read(&mut [0; 64]);
                return None;
            }
            line.clear();
        }
        None
    })
}

/// Everything around a run.
struct Site {
    authority: Authority,
    home: TempDir,
    web: u16,
    mail: u16,
    zone: String,
}

impl Site {
    /// A site where all is well.
    fn sound() -> Site {
        let authority = Authority::new("Somebody");
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("ca.pem"), pem(authority.certificate.der())).unwrap();
        let web = web(authority.tls(&["mta-sts.example.com"]), policy_pages(POLICY));
        let mail = mail(Some(authority.tls(&["mx1.example.com"])), "");
        Site { authority, home, web, mail, zone: ZONE.to_owned() }
    }

    fn with_pages(self, pages: Pages) -> Site {
        let names = ["mta-sts.example.com", "www.example.com"];
        let web = web(self.authority.tls(&names), pages);
        Site { web, ..self }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let server = Server::start(Zone::parse(&self.zone).unwrap()).unwrap();
        Command::new(env!("CARGO_BIN_EXE_check-dns"))
            .stdin(Stdio::null())
            .env_remove("GITHUB_ACTIONS")
            .current_dir(self.home.path())
            .args(["example.com", "--format", "json", "--select", "STS,NET,DANE006,BIMI,DNS020"])
            .args(["--nameserver", &server.address().to_string(), "--network-ca", "ca.pem"])
            .args(["--network-port", &format!("https={}", self.web)])
            .args(["--network-port", &format!("smtp={}", self.mail)])
            .args(["--now", "2026-11-25T00:00:00Z"])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The exit code, the ids found and their messages.
    fn found(&self, arguments: &[&str]) -> (i32, Vec<String>, String) {
        let parts = if arguments.iter().any(|one| one.starts_with("--network=")) {
            Vec::new()
        } else {
            vec!["--network=https,smtp", "--network-private"]
        };
        let output = self.run(&[&parts, arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let document: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{errors}"));
        let findings = document["findings"].as_array().unwrap();
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let ids = findings.iter().map(|finding| word(finding, "rule")).collect();
        let messages: Vec<String> =
            findings.iter().map(|finding| word(finding, "message")).collect();
        (output.status.code().unwrap(), ids, messages.join("; "))
    }
}

#[track_caller]
fn assert_found(site: &Site, code: i32, ids: &[&str], part: &str) {
    let found = site.found(&[]);
    assert_eq!((found.0, found.1.as_slice()), (code, &ids.map_owned()[..]), "{}", found.2);
    assert!(found.2.contains(part), "{}", found.2);
}

trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn a_sound_site() {
    assert_found(&Site::sound(), 0, &[], "");
}

#[test]
fn policies_that_are_none() {
    let site = |pages| Site::sound().with_pages(pages);
    let page = |status, media_type, body: &str| -> Pages {
        [("/.well-known/mta-sts.txt", (status, media_type, body.as_bytes().to_vec()))].into()
    };
    let redirect = site(page(301, "text/plain", ""));
    assert_found(&redirect, 1, &["STS003"], "status 301, and redirects are not followed");
    let missing = site(Pages::new());
    assert_found(&missing, 1, &["STS010"], "has no policy");
    let html = site(page(200, "text/html", POLICY));
    assert_found(&html, 0, &["STS004"], "text/html");
    let large = site(page(200, "text/plain", &"x: y\n".repeat(20_000)));
    assert_found(&large, 1, &["STS003"], "more than 65536 octets");
    let busy = site(page(503, "text/plain", ""));
    assert_found(&busy, 3, &["NET001"], "status 503");
    let other = site(policy_pages(&POLICY.replace("mx1", "mx2")));
    assert_found(&other, 1, &["STS006"], "no mx of the policy is mx1.example.com");
    let broken = site(policy_pages(&POLICY.replace("mode: ", "mode ")));
    assert_found(&broken, 1, &["STS005", "STS005"], "no colon");
}

#[test]
fn certificates_of_the_policy_host() {
    let site = Site::sound();
    let other_name = web(site.authority.tls(&["www.example.com"]), policy_pages(POLICY));
    let site = Site { web: other_name, ..site };
    assert_found(&site, 1, &["STS003"], "it is for another name");
    let stranger =
        web(Authority::new("Nobody").tls(&["mta-sts.example.com"]), policy_pages(POLICY));
    let site = Site { web: stranger, ..site };
    assert_found(&site, 1, &["STS003"], "it leads to no authority that is trusted");
}

#[test]
fn mail_exchanges() {
    let site = Site::sound();
    let plain = Site { mail: mail(None, ""), ..site };
    assert_found(&plain, 1, &["STS013"], "does not offer STARTTLS");
    let other = mail(Some(plain.authority.tls(&["www.example.com", "*.example.net"])), "");
    let site = Site { mail: other, ..plain };
    assert_found(&site, 1, &["STS013"], "a certificate for www.example.com, *.example.net");
    let stranger = mail(Some(Authority::new("Nobody").tls(&["mx1.example.com"])), "");
    let site = Site { mail: stranger, ..site };
    assert_found(&site, 1, &["STS013"], "it leads to no authority that is trusted");
    let early = mail(Some(site.authority.tls(&["mx1.example.com"])), "250 more\r\n");
    let site = Site { mail: early, ..site };
    assert_found(&site, 1, &["STS013"], "");
    let (tls, key) = site.authority.tls_with_key(&["mx1.example.com"]);
    let digest: String =
        mailproof_dkim_sha256(&key).iter().map(|octet| format!("{octet:02x}")).collect();
    let zone = format!("{ZONE}_25._tcp.mx1.example.com. TLSA 3 1 1 {digest}\n");
    let fits = Site { mail: mail(Some(tls), ""), zone, ..site };
    assert_found(&fits, 0, &[], "");
    let zone = fits.zone.replace(&digest, &"00".repeat(32));
    assert_found(&Site { zone, ..fits }, 1, &["DANE006"], "nothing that fits");
}

fn mailproof_dkim_sha256(octets: &[u8]) -> [u8; 32] {
    let mut sha256 = mailproof_dkim::Sha256::default();
    sha256.update(octets);
    sha256.finish()
}

#[test]
fn nobody_is_there() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let site = Site { web: port, mail: port, ..Site::sound() };
    assert_found(&site, 3, &["NET001", "NET001"], "connection refused");
    // Somebody who says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let site = Site { web: port, mail: port, ..site };
    let begun = Instant::now();
    let (code, ids, messages) = site.found(&["--network-timeout", "1"]);
    assert_eq!((code, ids.len()), (3, 2), "{messages}");
    assert!(begun.elapsed() < Duration::from_secs(5) && messages.contains("timeout"), "{messages}");
}

#[test]
fn what_is_not_public_is_left_alone() {
    let (code, ids, messages) = Site::sound().found(&["--network=https"]);
    assert_eq!((code, ids), (3, vec!["NET001".to_owned()]), "{messages}");
    assert!(messages.contains("127.0.0.1 is not public"), "{messages}");
}

#[test]
fn name_servers() {
    let zone = format!(
        "{ZONE}example.com. NS ns1.example.com.\nexample.com. NS ns2.example.com.\n\
         ns1.example.com. A 127.0.0.1\nns2.example.com. A 127.0.0.1\n"
    );
    let authority = Server::start(Zone::parse(&zone).unwrap()).unwrap();
    let port = format!("ns={}", authority.address().port());
    let site = Site { zone, ..Site::sound() };
    let arguments =
        ["--network=ns", "--network-private", "--network-port", &port, "--select", "DNS010,MX012"];
    assert_eq!(site.found(&arguments).1, [""; 0]);
    // TXT and MX of the domain, TXT of _dmarc, by each name.
    assert_eq!(authority.queries(), 6);
    assert_eq!(site.found(&["--network=ns", "--network-port", &port]).1, [""; 0]);
    assert_eq!(authority.queries(), 6);
}

#[test]
fn name_servers_that_differ() {
    let zone = format!(
        "{ZONE}example.com. NS ns1.example.com.\nexample.com. NS ns2.example.com.\n\
         ns1.example.com. A 127.0.0.1\nns2.example.com. A 127.0.0.2\n"
    );
    let first = Server::start(Zone::parse(&zone).unwrap()).unwrap();
    let port = first.address().port();
    // The second one was forgotten when the mail exchange and the policy changed.
    let old = zone.replace("MX 10 mx1", "MX 20 mx1").replace("p=reject", "p=none");
    assert!(old.contains("MX 20") && old.contains("p=none"), "{old}");
    let second = (Ipv4Addr::new(127, 0, 0, 2), port).into();
    let second = Server::start_at(second, Zone::parse(&old).unwrap(), Behaviour::default());
    // Where loopback is one address only, there is no second server.
    let Ok(second) = second else { return };
    let port = format!("ns={port}");
    let arguments =
        ["--network=ns", "--network-private", "--network-port", &port, "--select", "DNS010,MX012"];
    let (code, ids, messages) = Site { zone, ..Site::sound() }.found(&arguments);
    assert_eq!((code, ids), (0, ["DNS010", "MX012"].map_owned()), "{messages}");
    assert!(messages.contains("127.0.0.2"), "{messages}");
    assert_eq!((first.queries(), second.queries()), (3, 3));
}

#[test]
fn options_that_exclude_each_other() {
    for (arguments, part) in [
        (["--network", "--offline"], "cannot be used with"),
        (["--network=htps", "-v"], "invalid value 'htps'"),
        (["--network-port=https", "--network"], "write PART=PORT"),
        (["--network-timeout=0", "--network"], "not a number of seconds"),
    ] {
        let output = Site::sound().run(&arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(part), "{errors}");
    }
    let site = Site::sound();
    fs::write(site.path("ca.pem"), "no certificate").unwrap();
    let output = site.run(&["--network"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("ca.pem: no certificate in PEM"));
}

#[test]
fn a_policy_that_changed_without_its_id() {
    let site = Site::sound();
    assert_eq!(site.found(&["--lock", "lock.json"]).1, [""; 0]);
    let changed = POLICY.replace("2419200", "3628800");
    let site = site.with_pages(policy_pages(&changed));
    assert_eq!(site.found(&["--lock", "lock.json"]).1, ["STS011"]);
    let zone = site.zone.replace("id=1", "id=2");
    let site = Site { zone, ..site };
    // The id is another: that is drift, and right.
    let arguments = ["--lock", "lock.json", "--update-lock"];
    assert_eq!(site.found(&arguments).1, [""; 0]);
    assert_eq!(site.found(&["--lock", "lock.json"]).1, [""; 0]);
}

/// A logo, and its certificate with this logo in it.
fn brand(authority: &Authority, logo: &str, inside: &str) -> Pages {
    let mut params = CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2031, 1, 1);
    let purpose = vec![1, 3, 6, 1, 5, 5, 7, 3, 31];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(purpose)];
    let uri = format!("data:image/svg+xml;base64,{}", STANDARD.encode(inside));
    // An IA5String, its length in two octets.
    let length = u16::try_from(uri.len()).unwrap().to_be_bytes();
    let content = [&[0x16, 0x82], &length[..], uri.as_bytes()].concat();
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 12], content);
    params.custom_extensions = vec![extension];
    let (certificate, _) = authority.sign(&params);
    let chain = pem(&certificate) + &pem(authority.certificate.der());
    let mut pages = policy_pages(POLICY);
    pages.insert("/logo.svg", (200, "image/svg+xml", logo.as_bytes().to_vec()));
    pages.insert("/logo.pem", (200, "application/x-pem-file", chain.into_bytes()));
    pages
}

#[test]
fn logos_and_their_certificates() {
    let site = Site::sound();
    let zone = format!(
        "{ZONE}www.example.com. A 127.0.0.1\n\
         default._bimi.example.com. TXT \"v=BIMI1; l=https://www.example.com/logo.svg; \
         a=https://www.example.com/logo.pem\"\n"
    );
    let pages = brand(&site.authority, LOGO, LOGO);
    let site = Site { zone, ..site }.with_pages(pages);
    assert_found(&site, 0, &[], "");
    let script = LOGO.replace("</title>", "</title><script/>");
    let pages = brand(&site.authority, &script, LOGO);
    let site = site.with_pages(pages);
    assert_found(&site, 1, &["BIMI003", "BIMI004"], "the logo in the certificate is another one");
    let site = site.with_pages(policy_pages(POLICY));
    assert_found(&site, 1, &["BIMI003", "BIMI004"], "status 404");
}

#[test]
fn registrations() {
    let site = Site::sound();
    let list = br#"{"services":[[["com"],["https://www.example.com/rdap/"]]]}"#.to_vec();
    let answer = |end: &str| {
        format!(r#"{{"events":[{{"eventAction":"expiration","eventDate":"{end}"}}]}}"#).into_bytes()
    };
    let pages = |end: &str| -> Pages {
        [
            ("/list.json", (200, "application/json", list.clone())),
            ("/rdap/domain/example.com", (200, "application/rdap+json", answer(end))),
        ]
        .into()
    };
    let zone = format!("{ZONE}www.example.com. A 127.0.0.1\n");
    let site = Site { zone, ..site }.with_pages(pages("2026-12-01T00:00:00Z"));
    let arguments = [
        "--network=rdap",
        "--network-private",
        "--network-rdap",
        "https://www.example.com/list.json",
    ];
    let (code, ids, messages) = site.found(&arguments);
    assert_eq!((code, ids), (0, vec!["DNS020".to_owned()]), "{messages}");
    assert!(messages.contains("ends in 6 days"), "{messages}");
    let site = site.with_pages(pages("2028-12-01T00:00:00Z"));
    assert_eq!(site.found(&arguments).1, [""; 0]);
    let mut none = pages("");
    none.remove("/rdap/domain/example.com");
    let (code, ids, messages) = site.with_pages(none).found(&arguments);
    assert_eq!((code, ids), (1, vec!["DNS020".to_owned()]), "{messages}");
}
