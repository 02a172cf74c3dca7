//! What `mailproofd run` logs, and where.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, reason = "tests")]

mod daemon;
#[path = "../../cli/tests/schema/mod.rs"]
mod schema;

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use daemon::{Daemon, PLAIN, SIGN};
use mailproof_milter::Reply;

/// A signed message of example.com: its fields.
fn signed(daemon: &Daemon) -> Vec<(&'static str, String)> {
    let (done, _) = daemon.client("127.0.0.1").message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]);
    let signature = done[0].strip_prefix("insert 0 DKIM-Signature:").unwrap().to_owned();
    let plain = PLAIN.into_iter().map(|(name, value)| (name, value.to_owned()));
    std::iter::once(("DKIM-Signature", signature)).chain(plain).collect()
}

/// The daemon receives that message from here, with this body.
fn receive(daemon: &Daemon, fields: &[(&'static str, String)], body: &[u8]) {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut mta = daemon.client("198.51.100.1");
    assert_eq!(mta.message("<joe@example.com>", &fields, &[body]).1, Reply::Accept);
}

/// The lines about the message.
fn lines(daemon: &Daemon) -> Vec<String> {
    let log = daemon.log();
    let lines = log.lines().filter_map(|line| line.strip_prefix("mailproofd: 4QID: "));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_words_of_the_older_daemons() {
    let daemon = Daemon::start(SIGN);
    let mut fields = signed(&daemon);
    receive(&daemon, &fields, b"Bye\r\n");
    fields[3].1.push('!');
    receive(&daemon, &fields, b"Hi\r\n");
    fields[0].1 = fields[0].1.replace("s=brisbane", "s=sydney");
    receive(&daemon, &fields, b"Hi\r\n");
    let (sd, sda) = ("s=brisbane, d=example.com", "s=brisbane d=example.com a=ed25519-sha256");
    // That of SPF has the words too.
    daemon.wait_log("example.com fail", 6);
    let expected = [
        &format!("DKIM-Signature field added ({sd})"),
        &format!("{sda} fail: body hash mismatch: the body was changed after signing"),
        "bad signature data",
        "SPF(mailfrom): example.com fail",
        "example.com fail",
        &format!(
            "{sda} SSL error:bad signature (signature mismatch: a signed header field was changed, \
             or it is another key)"
        ),
        "bad signature data",
        "SPF(mailfrom): example.com fail",
        "example.com fail",
        "key retrieval failed (s=sydney, d=example.com): 'sydney._domainkey.example.com' record \
         not found",
        "SPF(mailfrom): example.com fail",
        "example.com fail",
    ];
    assert_eq!(lines(&daemon), expected);
}

#[test]
fn how_much_is_told_is_a_setting() {
    let daemon = Daemon::start(&format!("{SIGN}[log]\nto = \"stderr\"\nsuccess = false\n"));
    let fields = signed(&daemon);
    receive(&daemon, &fields, b"Hi\r\n");
    daemon.wait_log("4QID: example.com pass", 1);
    let log = daemon.log();
    assert!(!log.contains("field added") && !log.contains("successful"), "{log}");
    let more = format!("{SIGN}[log]\nto = \"stderr\"\nresults = true\nwhy = true\n");
    let daemon = Daemon::start(&more);
    receive(&daemon, &fields, b"Hi\r\n");
    daemon.wait_log("4QID: example.com pass", 1);
    let log = daemon.log();
    for words in [
        "4QID: unknown [198.51.100.1] not internal: ",
        "4QID: not authenticated",
        "4QID: DKIM verification successful",
        " domain=example.com selector=brisbane result=\"body and signed header fields are as signed\"",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    let start = log.split("signature=").nth(1).unwrap();
    assert!(fields[0].1.replace([' ', '\t', '\n'], "").contains(&format!("b={}", &start[..8])));
}

#[test]
fn an_object_on_each_line() {
    let daemon = Daemon::start("[log]\nto = \"stderr\"\nformat = \"json\"\n");
    let fields = PLAIN.map(|(name, value)| (name, value.to_owned()));
    receive(&daemon, &fields, b"Hi\r\n");
    daemon.wait_log("\"message\":\"example.com fail\"", 1);
    let log = daemon.log();
    let objects: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for object in &objects {
        let breaches = schema::breaches("mailproofd-log", object);
        assert!(breaches.is_empty(), "{breaches:?}");
    }
    let dmarc = objects.iter().find(|object| object["event"] == "dmarc").unwrap();
    for (name, value) in [
        ("queue_id", "4QID"),
        ("message", "example.com fail"),
        ("result", "fail"),
        ("cause", "no-identifier"),
        ("domain", "example.com"),
        ("policy", "reject"),
        ("disposition", "reject"),
        ("client", "198.51.100.1"),
        ("sender", "joe@example.com"),
    ] {
        assert_eq!(dmarc[name], value, "{name}");
    }
}

#[test]
fn syslog_and_the_journal() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let until = |words: &str| {
        let mut octets = [0; 4096];
        loop {
            let length = socket.recv(&mut octets).unwrap();
            let text = String::from_utf8(octets[..length].to_vec()).unwrap();
            if text.contains(words) {
                return text;
            }
        }
    };
    let place = path.display();
    let fields = PLAIN.map(|(name, value)| (name, value.to_owned()));
    let more = format!("[log]\nto = \"syslog\"\nsocket = \"{place}\"\nfacility = \"local3\"\n");
    let daemon = Daemon::start(&more);
    let process = daemon.child.id();
    assert_eq!(until("started"), format!("<158>mailproofd[{process}]: started"));
    receive(&daemon, &fields, b"Hi\r\n");
    let line = until("example.com fail");
    assert_eq!(line, format!("<158>mailproofd[{process}]: 4QID: SPF(mailfrom): example.com fail"));
    drop(daemon);
    let more = format!("[log]\nto = \"journal\"\nsocket = \"{place}\"\nname = \"postbox\"\n");
    let daemon = Daemon::start(&more);
    receive(&daemon, &fields, b"Hi\r\n");
    let entry = until("MESSAGE=4QID: example.com fail\n");
    for line in [
        "PRIORITY=6",
        "SYSLOG_IDENTIFIER=postbox",
        "SYSLOG_FACILITY=2",
        "MAILPROOF_EVENT=dmarc",
        "MAILPROOF_QUEUE_ID=4QID",
        "MAILPROOF_DOMAIN=example.com",
        "MAILPROOF_RESULT=fail",
    ] {
        assert!(entry.lines().any(|it| it == line), "{line}: {entry}");
    }
}
