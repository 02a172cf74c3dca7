//! What `mailproofd run` does with messages: sealing, the DNS while the body streams, large bodies,
//! what is kept of them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod daemon;

use std::fs;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use daemon::{Daemon, PLAIN, REJECT, SIGN, results};
use mailproof_milter::Reply;

/// `[seal]` with the key of the tests.
const SEAL: &str = "[seal]\ndomain = \"example.com\"\nselector = \"brisbane\"\n";

/// The fields that were inserted, the uppermost first.
fn inserted(done: &[String]) -> Vec<(String, String)> {
    let fields = done.iter().rev().filter_map(|it| it.strip_prefix("insert 0 "));
    let each = fields.map(|field| field.split_once(':').unwrap());
    each.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn owned(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn what_is_forwarded_is_sealed_and_a_trusted_seal_counts() {
    let daemon = Daemon::start(SEAL);
    let mut message = owned(&PLAIN);
    let mut mta = daemon.client("192.0.2.1");
    for instance in 1..=3 {
        let fields = borrowed(&message);
        let (done, reply) = mta.message("<joe@example.com>", &fields, &[b"Hi", b"!\r\n"]);
        assert_eq!(reply, Reply::Accept);
        let new = inserted(&done);
        let names: Vec<&str> = new.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "Authentication-Results",
            "ARC-Seal",
            "ARC-Message-Signature",
            "ARC-Authentication-Results",
        ];
        assert_eq!(names, expected);
        let status = if instance == 1 { "none" } else { "pass" };
        assert!(new[1].1.contains(&format!("i={instance}; a=ed25519-sha256; cv={status};")));
        assert!(new[3].1.contains(&format!("i={instance}; mx.example.net;")), "{new:?}");
        assert!(new[3].1.contains("spf=pass") && new[3].1.contains("dmarc=pass"), "{new:?}");
        daemon.wait_log(&format!("ARC-Seal field added (i={instance}, cv={status})"), 1);
        // The next host sees the set, and a verdict that is not its own.
        message.splice(0..0, new.into_iter().skip(1));
    }
    // Another host, where SPF fails, and who trusts the sealer or does not.
    let fields = borrowed(&message);
    let receive = |more: &str| {
        let daemon = Daemon::start(&format!("{REJECT}{more}"));
        daemon.client("198.51.100.1").message("<joe@example.com>", &fields, &[b"Hi!\r\n"])
    };
    let (done, reply) = receive("[verify]\ntrusted-sealers = [\"example.com\"]\n");
    assert_eq!(reply, Reply::Accept);
    let text = results(&done);
    assert!(text.contains("arc=pass") && text.contains("dmarc=fail"), "{text}");
    let (_, reply) = receive("[verify]\ntrusted-sealers = [\"example.org\"]\n");
    assert!(matches!(reply, Reply::Smtp(_)), "{reply:?}");
}

#[test]
fn a_chain_that_fails_is_sealed_once_and_one_that_cannot_be_told_is_not() {
    let daemon = Daemon::start(SEAL);
    let seal = |message: &[(String, String)], body: &[u8]| {
        let fields = borrowed(message);
        let done = daemon.client("192.0.2.1").message("<joe@example.com>", &fields, &[body]).0;
        inserted(&done).into_iter().skip(1).collect::<Vec<_>>()
    };
    let mut message = owned(&PLAIN);
    message.splice(0..0, seal(&message, b"Hi\r\n"));
    let failed = seal(&message, b"Bye\r\n");
    assert!(failed[0].1.contains("i=2; a=ed25519-sha256; cv=fail;"), "{failed:?}");
    let mut again = message.clone();
    again.splice(0..0, failed);
    assert_eq!(seal(&again, b"Bye\r\n"), []);
    daemon.wait_log("not sealed: the chain has failed before", 1);
    for (_, value) in &mut message {
        *value = value.replace("s=brisbane", "s=down");
    }
    assert_eq!(seal(&message, b"Hi\r\n"), []);
    daemon.wait_log("not sealed: the chain cannot be told for now", 1);
}

/// The peak of memory of a daemon in kB.
fn peak(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_large_body_takes_no_memory() {
    const CHUNK: &[u8] = &[b'x'; 65_535];
    let line: Vec<u8> =
        CHUNK.chunks(98).flat_map(|line| [line, b"\r\n"].concat()).take(65_534).collect();
    let large: Vec<&[u8]> = vec![&line; 800];
    let daemon = Daemon::start(&format!("{SIGN}{SEAL}"));
    let send =
        |ip: &str, body: &[&[u8]]| daemon.client(ip).message("<joe@example.com>", &PLAIN, body);
    for ip in ["127.0.0.1", "192.0.2.1"] {
        send(ip, &[&line]);
        let before = peak(&daemon);
        let (done, reply) = send(ip, &large);
        assert_eq!(reply, Reply::Accept);
        assert!(!done.is_empty());
        let after = peak(&daemon);
        assert!(after < before + 2048, "{ip}: {before} kB before 50 MB, {after} kB after");
    }
}

#[test]
fn what_can_never_be_signed_is_not_put_off_for_ever() {
    let (long, bare) = ([b"x".repeat(999), b"\r\n".to_vec()].concat(), b"a\nb\r\n");
    let twice = [PLAIN.as_slice(), &[("From", " b@example.com")]].concat();
    let field = ("X-Long", format!(" {}", "x".repeat(999)));
    let wide = [PLAIN.as_slice(), &[(field.0, field.1.as_str())]].concat();
    for (on_error, code) in
        [("", None), ("tempfail", None), ("accept", None), ("reject", Some(550))]
    {
        let set = if on_error.is_empty() { "" } else { "[sign]\non-error = " };
        let value = if on_error.is_empty() { String::new() } else { format!("{on_error:?}\n") };
        let daemon = Daemon::start(&format!("{set}{value}{SIGN}"));
        let mut mta = daemon.client("127.0.0.1");
        for (fields, body) in [
            (PLAIN.as_slice(), long.as_slice()),
            (&PLAIN, bare.as_slice()),
            (&twice, b"Hi\r\n"),
            (&wide, b"Hi\r\n"),
        ] {
            let (done, reply) = mta.message("<joe@example.com>", fields, &[body]);
            assert!(done.is_empty(), "{on_error}: {done:?}");
            let refused = match &reply {
                Reply::Smtp(reply) => Some(reply.to_string()),
                Reply::Accept => None,
                other => panic!("{other:?}"),
            };
            let expected = code.map(|code| format!("{code} 5.7.0 the message cannot be signed"));
            assert_eq!(refused, expected, "{on_error}");
        }
        daemon.wait_log("cannot be signed: a line is longer than 998 octets", 2);
        daemon.wait_log("cannot be signed: the message has 2 From fields", 1);
        let (done, _) = mta.message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]);
        assert_eq!(done.len(), 1);
    }
}

#[test]
fn a_key_that_is_missing_puts_a_message_off() {
    let home = tempfile::tempdir().unwrap();
    let keys = format!("csl:all=%:s:{}/%.key", home.path().display());
    let table = format!("[sign.table]\nkeys = {keys:?}\nauthors = \"csl:*=all\"\n");
    let daemon = Daemon::start(&table);
    let mut mta = daemon.client("127.0.0.1");
    let (_, reply) = mta.message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]);
    let Reply::Smtp(reply) = reply else { panic!("{reply:?}") };
    assert_eq!(reply.to_string(), "451 4.7.0 the message cannot be signed");
}

#[test]
fn a_dead_resolver_costs_a_message_no_more_than_is_set_and_others_nothing() {
    // It takes questions and never answers.
    let dead = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = dead.local_addr().unwrap().port();
    let more = format!(
        "{SIGN}[dns]\nname-servers = [\"127.0.0.1:{port}\"]\ntimeout = 5\nmessage-timeout = 1\n\
         [policy.dmarc]\nreject = \"reject\"\ntemporary = \"tempfail\"\n"
    );
    let daemon = Daemon::start_with(&more, &[]);
    let mut waiting = daemon.client("198.51.100.1");
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| waiting.message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]).1);
        for _ in 0..3 {
            let signed =
                daemon.client("127.0.0.1").message("<a@example.com>", &PLAIN, &[b"Hi\r\n"]);
            assert_eq!(signed.1, Reply::Accept);
        }
        assert!(begin.elapsed() < Duration::from_millis(900), "{:?}", begin.elapsed());
        let reply = waiting.join().unwrap();
        let Reply::Smtp(reply) = reply else { panic!("{reply:?}") };
        assert_eq!(reply.to_string(), "451 4.4.3 the DNS of example.com does not answer for now");
    });
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

#[test]
fn the_dns_is_asked_before_the_message_is_there() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let port = server.local_addr().unwrap().port();
    let more = format!("[dns]\nname-servers = [\"127.0.0.1:{port}\"]\nmessage-timeout = 1\n");
    let daemon = Daemon::start_with(&more, &[]);
    let asked = |name: &[u8]| {
        let mut octets = [0; 512];
        loop {
            let length = server.recv(&mut octets).unwrap();
            if octets[..length].to_ascii_lowercase().windows(name.len()).any(|part| part == name) {
                return;
            }
        }
    };
    let mut mta = daemon.client("198.51.100.1");
    mta.mail("<joe@sender.example>");
    // SPF, when the sender is known.
    asked(b"\x06sender\x07example\x00");
    mta.header(&[("From", " joe@author.example"), ("DKIM-Signature", SIGNATURE)]);
    // DKIM and DMARC, when the header is.
    asked(b"\x03key\x0a_domainkey\x06signer\x07example\x00");
    asked(b"\x06_dmarc\x06author\x07example\x00");
    let (done, reply) = mta.end(&[b"Hi\r\n"]);
    assert_eq!(reply, Reply::Accept);
    assert!(results(&done).contains("dkim=temperror"), "{done:?}");
}

const SIGNATURE: &str = " v=1; a=rsa-sha256; d=signer.example; s=key; h=from; b=AAAA; \
                         bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

#[test]
fn the_history_is_as_opendmarc_keeps_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("history");
    let more = format!("{REJECT}[history]\nfile = {path:?}\nnot-to = [\"reports@example.net\"]\n");
    let daemon = Daemon::start(&more);
    let mut mta = daemon.client("198.51.100.1");
    assert!(matches!(mta.message("<joe@x.example>", &PLAIN, &[b"Hi\r\n"]).1, Reply::Smtp(_)));
    // There is no record for this author.
    let other = [("From", " a@none.example"), ("Date", " Thu, 1 Jan 2026 00:00:00 +0000")];
    assert_eq!(mta.message("<>", &other, &[b"Hi\r\n"]).1, Reply::Accept);
    daemon.wait_for("kept", || fs::read_to_string(&path).is_ok_and(|text| text.contains("action")));
    let text = fs::read_to_string(&path).unwrap();
    let received = text.lines().find(|line| line.starts_with("received ")).unwrap();
    let expected = format!(
        "job 4QID\nreporter mx.example.net\n{received}\nipaddr 198.51.100.1\nfrom example.com\n\
         mfrom x.example\nspf 6\npdomain example.com\npolicy 16\nrua -\npct 100\nadkim 114\n\
         aspf 114\np 114\nsp 0\nalign_dkim 5\nalign_spf 5\narc 7\narc_policy 2 json:[]\naction 0\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn a_history_that_cannot_be_written_fails_no_mail() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("missing/history");
    let daemon = Daemon::start(&format!("[history]\nfile = {path:?}\n"));
    let mut mta = daemon.client("192.0.2.1");
    for _ in 0..10 {
        let (done, reply) = mta.message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]);
        assert_eq!((done.len(), reply), (1, Reply::Accept));
    }
}

#[test]
fn a_dry_run_says_what_it_does_not_do() {
    let more = "dry-run = true\n[verify]\nreceived-spf = true\n";
    let daemon = Daemon::start(more);
    let forged = [
        ("Authentication-Results", " mx.example.net; dmarc=pass"),
        ("Received-SPF", " pass (believe me)"),
    ];
    let fields: Vec<_> = forged.into_iter().chain(PLAIN).collect();
    let (done, reply) = daemon.client("192.0.2.1").message("<joe@example.com>", &fields, &[]);
    assert_eq!((done, reply), (vec![], Reply::Accept));
    for words in [
        "would remove field 1 of the name Authentication-Results",
        "would remove field 1 of the name Received-SPF",
        "would add Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.com",
        "would add Received-SPF: pass",
    ] {
        daemon.wait_log(words, 1);
    }
}
