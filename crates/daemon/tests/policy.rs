//! The policy service as Postfix sees it: over a socket, and on standard input by spawn(8).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, reason = "tests")]

mod door;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use door::{Daemon, ask, command, configure, is_closed, reply, request};

const POLICY: &str = "[[listener]]\nsocket = \"local:@/policy.sock\"\nroles = [\"policy\"]\n";

const FIELD: &str = "PREPEND Received-SPF: pass (example.net: domain of a@pass.example designates \
    192.0.2.1 as permitted sender) receiver=example.net; identity=mailfrom; client-ip=192.0.2.1; \
    helo=out.example; envelope-from=\"a@pass.example\"; mechanism=\"ip4:192.0.2.1\"";
const REFUSED: &str = "550 5.7.23 Message rejected due to: SPF fail - not authorized";

#[test]
fn one_field_for_a_message_and_the_same_refusal_for_each_recipient() {
    let daemon = Daemon::start(POLICY);
    let mut stream = daemon.connect("policy.sock");
    let mut asked = |ip: &str, sender: &str, instance: &str| {
        ask(&mut stream, &request(ip, "out.example", sender, instance))
    };
    assert_eq!(asked("192.0.2.1", "a@pass.example", "1"), FIELD);
    assert_eq!(asked("192.0.2.1", "a@pass.example", "1"), "DUNNO");
    assert_eq!(asked("192.0.2.1", "a@pass.example", "2"), FIELD);
    assert_eq!(asked("192.0.2.1", "a@fail.example", "3"), REFUSED);
    assert_eq!(asked("192.0.2.1", "a@fail.example", "3"), REFUSED);
    // The instance alone is not believed.
    assert_eq!(asked("192.0.2.1", "a@pass.example", "3"), FIELD);
    assert!(
        asked("192.0.2.1", "a@down.example", "4").starts_with("PREPEND Received-SPF: temperror")
    );
    assert!(asked("192.0.2.1", "", "5").starts_with("PREPEND Received-SPF: none"));
    assert_eq!(
        asked("127.0.0.1", "a@fail.example", "6"),
        "PREPEND X-Comment: SPF check N/A for local connections - client-ip=127.0.0.1; \
         helo=out.example; envelope-from=a@fail.example; receiver=example.net"
    );
    assert_eq!(asked("unknown", "a@fail.example", "7"), "DUNNO");
    daemon.told(&format!("{REFUSED}\n"), 1);
    daemon.told(&format!("{FIELD}\n"), 3);
    // Who has proved who it is may send from anywhere.
    let known = request("192.0.2.1", "h", "a@fail.example", "8");
    let known = known.replace("sasl_method=", "sasl_method=PLAIN");
    assert_eq!(ask(&mut stream, &known), "DUNNO");
}

#[test]
fn several_requests_at_once_and_one_in_pieces() {
    let daemon = Daemon::start(POLICY);
    let mut stream = daemon.connect("policy.sock");
    let two = request("192.0.2.1", "h", "a@fail.example", "1").repeat(2);
    stream.write_all(two.as_bytes()).unwrap();
    let one = request("192.0.2.1", "h", "a@soft.example", "2");
    for piece in one.as_bytes().chunks(7) {
        stream.write_all(piece).unwrap();
    }
    assert_eq!((reply(&mut stream).as_str(), reply(&mut stream).as_str()), (REFUSED, REFUSED));
    assert!(reply(&mut stream).starts_with("PREPEND Received-SPF: softfail "));
    // What is sent before the stream ends is answered.
    stream.write_all(one.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(reply(&mut stream), "DUNNO");
    assert!(is_closed(&mut stream));
}

#[test]
fn settings_of_policyd_spf_beside_a_milter() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "authserv-id = \"mx.example.net\"\n{POLICY}\
         [[listener]]\nsocket = \"inet:{port}@127.0.0.1\"\nroles = [\"policy\"]\n\
         [[listener]]\nsocket = \"local:@/milter.sock\"\nroles = [\"verify\"]\n\
         [spf-service]\nheader = \"authentication-results\"\ndefer-temperror = true\n\
         reject-permerror = true\nmail-from = \"softfail\"\nallow-addresses = [\"192.0.2.7\"]\n"
    );
    let daemon = Daemon::start(&config);
    let _milter = daemon.connect("milter.sock");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut asked = |ip: &str, sender: &str| ask(&mut stream, &request(ip, "h", sender, sender));
    assert_eq!(
        asked("192.0.2.1", "a@pass.example"),
        "PREPEND Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=pass.example"
    );
    assert_eq!(
        asked("192.0.2.7", "a@fail.example"),
        "PREPEND Authentication-Results: mx.example.net; none"
    );
    assert!(asked("192.0.2.1", "a@soft.example").starts_with("550 5.7.23 "));
    assert_eq!(
        asked("192.0.2.1", "a@down.example"),
        "DEFER_IF_PERMIT 4.7.24 Message deferred due to: SPF Temporary Error: \
         down.example TXT: server failure"
    );
    let text = asked("192.0.2.1", "a@broken.example");
    assert!(
        text.starts_with("550 5.7.24 Message rejected due to: SPF Permanent Error: "),
        "{text}"
    );
}

#[test]
fn garbage_is_closed_without_a_word_and_harms_nobody() {
    let daemon = Daemon::start(&format!("{POLICY}[limits]\nidle = 1\n"));
    let other = daemon.connect("policy.sock");
    for garbage in ["GET / HTTP/1.1\r\n\r\n", "request=junk\n\n", "\n", &"x".repeat(9000)] {
        let mut stream = daemon.connect("policy.sock");
        stream.write_all(garbage.as_bytes()).unwrap();
        assert!(is_closed(&mut stream));
    }
    // One stops amid a request, one goes on for ever, one takes no reply and asks all the same.
    let mut half = daemon.connect("policy.sock");
    half.write_all(b"request=smtpd_access_policy\n").unwrap();
    assert!(is_closed(&mut half));
    let mut endless = daemon.connect("policy.sock");
    while endless.write_all(b"attribute=value\n").is_ok() {}
    let mut deaf = daemon.connect("policy.sock");
    let one = request("192.0.2.1", "h", "a@fail.example", "1");
    while deaf.write_all(one.as_bytes()).is_ok() {}
    daemon.told("the client takes no reply", 1);
    daemon.told("policy connection closed: ", 7);
    // An idle connection ends without a line in the log; a new one is served.
    let mut other = other;
    assert!(is_closed(&mut other));
    assert_eq!(ask(&mut daemon.connect("policy.sock"), &one), REFUSED);
}

#[test]
fn reload_stop_and_dry_run() {
    let mut daemon = Daemon::start(POLICY);
    let mut stream = daemon.connect("policy.sock");
    let one = |instance| request("192.0.2.1", "h", "a@fail.example", instance);
    assert_eq!(ask(&mut stream, &one("1")), REFUSED);
    configure(&daemon.home, &format!("dry-run = true\n{POLICY}"));
    daemon.signal("-HUP");
    daemon.told("configuration reloaded", 1);
    assert_eq!(ask(&mut stream, &one("2")), "DUNNO");
    daemon.told(&format!("would be: {REFUSED}"), 1);
    daemon.signal("-TERM");
    assert!(daemon.child.wait().unwrap().success());
    assert!(is_closed(&mut stream));
}

/// As master.cf has it: `spawn user=policyd-spf argv=/usr/sbin/mailproofd policy --config …`.
#[test]
fn on_standard_input_with_the_file_of_policyd_spf() {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(&home, "policy", "");
    let config = home.path().join("policyd-spf.conf");
    fs::write(
        &config,
        "debugLevel = 1\nMail_From_reject = Softfail\nHELO_reject = False\nTempError_Defer = True\n\
         skip_addresses = 127.0.0.0/8,::1\nReason_Message = {spf}, {rejectdefer}\n",
    )
    .unwrap();
    command.args(["--config", config.to_str().unwrap()]);
    // The configuration of the run before is the first one.
    let mut args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    args.drain(1..3);
    let mut child = Command::new(env!("CARGO_BIN_EXE_mailproofd"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to, mut from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for (sender, start) in [
        ("a@pass.example", "PREPEND Received-SPF: pass "),
        ("a@soft.example", "550 5.7.23 SPF softfail - a mechanism with \"~\" matches, rejected"),
        ("a@down.example", "DEFER_IF_PERMIT 4.7.24 SPF Temporary Error: "),
    ] {
        to.write_all(request("192.0.2.1", "h", sender, sender).as_bytes()).unwrap();
        let text = reply(&mut from);
        assert!(text.starts_with(start), "{text}");
    }
    drop(to);
    assert!(child.wait().unwrap().success());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "", "standard error is the client too");
}
