//! What a user of `spfquery` meets, beyond the corpus and the transcripts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use mailproof_dns::Zone;
use mailproof_testkit::{Behaviour, Server};

fn spfquery(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spfquery"));
    command.stdin(Stdio::null()).args(arguments).output().unwrap()
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

#[test]
fn a_dead_name_server_is_temporary() {
    let begin = Instant::now();
    let output = spfquery(&[
        "--nameserver",
        "127.0.0.1:1",
        "--timeout",
        "1",
        "--query-timeout",
        "0.3",
        "--ip",
        "192.0.2.1",
        "--mail-from",
        "a@example.com",
    ]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).starts_with("temperror\n"), "{}", text(&output.stdout));
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn many_queries_are_under_way_at_a_time() {
    let zone = Zone::parse("*.example.com TXT \"v=spf1 -all\"").unwrap();
    let behaviour = Behaviour { delay: Duration::from_millis(50), ..Behaviour::default() };
    let server = Server::start_with(zone, behaviour).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_spfquery"))
        .args(["--nameserver", &server.address().to_string(), "--file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    let mut stdin = child.stdin.take().unwrap();
    for number in 0..200 {
        writeln!(stdin, "192.0.2.1 a@n{number}.example.com").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    // One after the other they would take 10 seconds.
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 200);
    for (number, line) in lines.iter().enumerate() {
        assert!(
            line.starts_with(&format!("fail      mailfrom <a@n{number}.example.com>")),
            "{line}"
        );
    }
    assert_eq!(text(&output.stderr), "note: 200 queries: 200 fail\n");
}

#[test]
fn a_pipe_that_stays_open_is_answered() {
    use std::io::{BufRead as _, BufReader};
    let mut child = Command::new(env!("CARGO_BIN_EXE_spfquery"))
        .args(["--zone", "tests/cmd/spfquery.zone", "--file", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        writeln!(stdin, "192.0.2.1 a@example.com").unwrap();
        assert!(lines.next().unwrap().unwrap().starts_with("pass"));
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn nothing_reaches_the_terminal_unescaped() {
    let zone = tempfile::NamedTempFile::new().unwrap();
    let text_of_zone = "example.com. TXT \"v=spf1 -all exp=e.example.com\"\n\
                        e.example.com. TXT \"\\027[31m %{l}\"\n\
                        b.example.com. TXT \"v=spf1 \\027[31m -all\"\n";
    std::fs::write(&zone, text_of_zone).unwrap();
    let zone = zone.path().to_str().unwrap();
    for sender in ["\"\x1b[31m\u{202e}\"@example.com", "\x1b[31m@b.example.com", "x@\x1b[31m.a"] {
        let output =
            spfquery(&["--zone", zone, "--ip", "192.0.2.1", "--mail-from", sender, "--trace"]);
        let printed = text(&output.stdout);
        assert!(!printed.contains(['\x1b', '\u{202e}']), "{printed}");
    }
}
