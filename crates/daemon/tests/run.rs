//! `mailproofd run` as an MTA sees it: messages over a socket, the DNS from a zone file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod daemon;

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mailproof_milter::{Protocol, Reply};

use daemon::{Daemon, PLAIN, REJECT, SIGN, configure, results};

/// The value of the signature that the daemon makes.
fn signature(daemon: &Daemon, body: &[&[u8]]) -> String {
    let (done, reply) = daemon.client("127.0.0.1").message("<joe@example.com>", &PLAIN, body);
    assert_eq!(reply, Reply::Accept);
    let [signature] = done.as_slice() else { panic!("{done:?} {}", daemon.log()) };
    signature.strip_prefix("insert 0 DKIM-Signature:").unwrap().to_owned()
}

#[test]
fn what_it_signs_verifies_and_what_is_forged_goes() {
    let daemon = Daemon::start(SIGN);
    let signature = signature(&daemon, &[b"Hi", b"!\r", b"\nBye.\r\n"]);
    daemon.wait_log("4QID: DKIM-Signature field added (s=brisbane, d=example.com)", 1);
    let signed: Vec<_> =
        [("DKIM-Signature", signature.as_str())].into_iter().chain(PLAIN).collect();
    let forged = [
        ("Authentication-Results", " mx.example.net; dmarc=pass header.from=bank.example"),
        ("Authentication-Results", " other.example; spf=pass"),
        ("Authentication-Results", " MX.example.NET; dkim=pass"),
    ];
    let fields: Vec<_> = forged.into_iter().chain(signed).collect();

    let mut mta = daemon.client("198.51.100.1");
    let (done, reply) = mta.message("<joe@list.example>", &fields, &[b"Hi!\r\nBye.\r\n"]);
    assert_eq!(reply, Reply::Accept);
    let removed: Vec<_> = done.iter().filter(|it| it.starts_with("delete")).collect();
    assert_eq!(removed, ["delete 3 Authentication-Results", "delete 1 Authentication-Results"]);
    let good = results(&done);
    assert!(good.contains("dkim=pass") && good.contains("dmarc=pass"), "{good}");
    assert_eq!(done.len(), 3);

    // On the same connection: the body is changed, and the next message is whole again.
    for _ in 0..20 {
        let (done, reply) = mta.message("<joe@list.example>", &fields, &[b"Hi!\r\nBuy.\r\n"]);
        let bad = results(&done);
        assert!(bad.contains("dkim=fail") && bad.contains("dmarc=fail"), "{bad}");
        assert_eq!(reply, Reply::Accept, "annotate only by default");
        let (done, _) = mta.message("<joe@list.example>", &fields, &[b"Hi!\r\n", b"Bye.\r\n"]);
        assert!(results(&done).contains("dkim=pass"));
    }
}

#[test]
fn a_policy_refuses_only_what_is_asked_for() {
    let daemon = Daemon::start(REJECT);
    let refused = |ip: &str| daemon.client(ip).message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]);
    let (done, reply) = refused("198.51.100.1");
    let Reply::Smtp(reply) = reply else { panic!("{reply:?}") };
    assert_eq!(reply.to_string(), "550 5.7.26 rejected by DMARC policy for example.com");
    assert!(done.is_empty());
    let (done, reply) = refused("192.0.2.1");
    assert_eq!(reply, Reply::Accept);
    assert!(results(&done).contains("spf=pass") && results(&done).contains("dmarc=pass"));
}

#[test]
fn quarantine_received_spf_and_dry_run() {
    let hold = "[policy.dmarc]\nreject = \"quarantine\"\n[verify]\nreceived-spf = true\n";
    let daemon = Daemon::start(hold);
    let ask = |daemon: &Daemon| {
        daemon.client("198.51.100.1").message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"])
    };
    let (done, reply) = ask(&daemon);
    assert_eq!(reply, Reply::Accept);
    // The last that is inserted is the uppermost.
    assert!(done[0].starts_with("insert 0 Received-SPF: fail"), "{done:?}");
    assert!(done[1].starts_with("insert 0 Authentication-Results: "), "{done:?}");
    assert_eq!(done[2], "quarantine rejected by DMARC policy for example.com");
    let daemon = Daemon::start(&format!("dry-run = true\n{hold}"));
    assert_eq!(ask(&daemon), (vec![], Reply::Accept));
    daemon.wait_log("4QID: would be: quarantined", 1);
}

#[test]
fn trouble_of_the_dns_is_never_a_refusal_for_good() {
    let all = "[policy.spf]\nfail = \"reject\"\n[policy.dkim]\nno-signature = \"accept\"\n";
    let fields = [("From", " a@down.example"), ("Date", " Thu, 1 Jan 2026 00:00:00 +0000")];
    let ask = |policy: &str| {
        let daemon = Daemon::start(policy);
        daemon.client("198.51.100.1").message("<a@down.example>", &fields, &[b"Hi\r\n"])
    };
    let (done, reply) = ask(&format!("{REJECT}{all}"));
    assert_eq!(reply, Reply::Accept);
    let text = results(&done);
    assert!(text.contains("spf=temperror") && text.contains("dmarc=temperror"), "{text}");
    let (_, reply) = ask("[policy.dmarc]\nreject = \"reject\"\ntemporary = \"tempfail\"\n");
    let Reply::Smtp(reply) = reply else { panic!("{reply:?}") };
    assert_eq!(reply.to_string(), "451 4.4.3 the DNS of down.example does not answer for now");
}

#[test]
fn no_reply_is_awaited_before_the_end() {
    let daemon = Daemon::start("");
    let mta = daemon.client("192.0.2.1");
    assert!(mta.client.agreed().unwrap().protocol.contains(Protocol::NO_REPLIES));
}

#[test]
fn garbage_harms_nobody_else() {
    let daemon = Daemon::start("[limits]\nheader-fields = 100\n");
    let mut other = daemon.client("192.0.2.1");
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\0\0\0", b"\0\0\0\x01B", &[0xff; 5000]] {
        let mut stream = UnixStream::connect(daemon.socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(garbage).unwrap();
        // Closed, with or without a reset for what was not read.
        assert!(!matches!(stream.read(&mut [0; 64]), Ok(1..)));
    }
    daemon.wait_log("connection closed: ", 4);
    let many: Vec<_> = PLAIN.into_iter().chain(std::iter::repeat_n(("X", " y"), 10_000)).collect();
    let (_, reply) = other.message("<joe@example.com>", &many, &[b"Hi\r\n"]);
    let Reply::Smtp(reply) = reply else { panic!("{reply:?}") };
    assert_eq!(reply.to_string(), "550 5.3.4 the header is too large");
    let (done, reply) = other.message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]);
    assert_eq!((done.len(), reply), (1, Reply::Accept));
}

#[test]
fn signals_reload_and_stop() {
    let mut daemon = Daemon::start("");
    let mut mta = daemon.client("198.51.100.1");
    let mut ask = || mta.message("<joe@example.com>", &PLAIN, &[b"Hi\r\n"]).1;
    assert_eq!(ask(), Reply::Accept);
    fs::write(daemon.home.path().join("mailproofd.toml"), "nonsense = 1\n").unwrap();
    daemon.signal("-HUP");
    daemon.wait_for("refused", || daemon.log().contains("the old configuration stays: "));
    assert_eq!(ask(), Reply::Accept);
    configure(&daemon.home, REJECT);
    daemon.signal("-HUP");
    daemon.wait_for("reloaded", || daemon.log().contains("configuration reloaded"));
    assert!(matches!(ask(), Reply::Smtp(_)));
    // The connection is open and idle: it does not keep the daemon.
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success(), "{}", daemon.log());
    assert!(!daemon.socket().exists());
    assert!(daemon.log().ends_with("mailproofd: stopped\n"), "{}", daemon.log());
}
