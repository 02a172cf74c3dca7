//! What a user of `check-headers` meets, beyond the corpus and the transcripts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use mailproof_dns::Zone;
use mailproof_testkit::Server;
use serde_json::Value;

const MESSAGE: &str = "../../testdata/readme/message.eml";
const ZONE: &str = "../../testdata/readme/example.com.zone";
const NOW: &str = "2018-06-11T00:00:00Z";

fn tool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    command.stdin(Stdio::null()).args(["--zone", ZONE, "--now", NOW]);
    command
}

/// The exit code, standard output and standard error for a message from a file.
fn check(octets: &[u8], arguments: &[&str]) -> (i32, String, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, octets).unwrap();
    texts(tool().args(arguments).arg(file.path()).output().unwrap())
}

fn texts(output: Output) -> (i32, String, String) {
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn message() -> Vec<u8> {
    fs::read(MESSAGE).unwrap()
}

#[test]
fn one_octet_of_the_body_changed() {
    let mut octets = message();
    let at = octets.windows(6).position(|window| window == b"hungry").unwrap();
    octets[at] = b'H';
    let (code, out, err) = check(&octets, &[]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.contains("body hash mismatch"), "{out}");
    assert!(out.contains("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="), "{out}");
    assert!(out.contains("header  as signed"), "{out}");
}

#[test]
fn what_a_mailing_list_did_is_found() {
    let text = String::from_utf8(message()).unwrap();
    let text = text.replace("Subject: Is", "Subject: [dinner] Is") + "-- \r\nThe dinner list\r\n";
    let (code, out, _) = check(text.as_bytes(), &[]);
    assert_eq!(code, 1);
    assert!(out.contains("\"[dinner]\" was added to the subject"), "{out}");
    assert!(out.contains("a footer was added to the body"), "{out}");
    let (_, out, _) = check(text.as_bytes(), &["--format", "json"]);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema::breaches("check-headers", &document), [""; 0]);
    let changes = &document["messages"][0]["dkim"][1]["why"]["changes"];
    assert_eq!(changes[0]["kind"], "subject-tag-added");
    assert_eq!(changes[1]["kind"], "footer-added");
}

#[test]
fn a_unix_file_is_read_as_crlf() {
    let octets: Vec<u8> = message().into_iter().filter(|&octet| octet != b'\r').collect();
    assert_eq!(check(&octets, &[]).0, 0);
}

#[test]
fn the_key_server_fails() {
    let home = tempfile::tempdir().unwrap();
    let zone = home.path().join("zone");
    fs::write(
        &zone,
        "brisbane._domainkey.football.example.com. TXT SERVFAIL\n\
         test._domainkey.football.example.com. TIMEOUT\n",
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    let output = command.args(["--now", NOW, "--zone"]).arg(&zone).arg(MESSAGE).output().unwrap();
    let (code, out, _) = texts(output);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("server failure") && out.contains("timeout"), "{out}");
}

#[test]
fn what_is_no_message_is_said() {
    for (octets, said) in [
        (&b""[..], "empty: there is no message in it"),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\n\xff\xfe\0",
            "not a mail message: it has no header field of mail",
        ),
        (b"\x89PNG\r\nk: v\0\xff\r\n\r\n", "not a mail message: it has no header field of mail"),
        (b"\r\nFrom: a@b.example\r\n\r\n", "not a mail message: it begins with an empty line"),
        (b"\n\nFrom: a@b.example\n\n", "not a mail message: it begins with an empty line"),
        (b"\xff\xfeF\0r\0o\0m\0:\0", "not a mail message: it is text in UTF-16"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "not a mail message: it is a file of Outlook"),
    ] {
        let (code, out, err) = check(octets, &[]);
        assert_eq!(code, 2, "{out}{err}");
        assert!(err.contains(said) && err.lines().count() == 1, "{err}");
    }
}

#[test]
fn a_line_of_100_mb() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, vec![b'x'; 100 << 20]).unwrap();
    let (code, _, err) = texts(tool().arg(file.path()).output().unwrap());
    assert_eq!(code, 2);
    assert!(err.ends_with("the header section is larger than 256 KiB\n"), "{err}");
}

#[test]
fn a_body_line_of_100_mb() {
    let mut octets = message();
    octets.resize(octets.len() + (100 << 20), b'x');
    let (code, out, _) = check(&octets, &[]);
    assert_eq!(code, 1);
    assert!(out.contains("body hash mismatch"), "{out}");
}

#[test]
fn no_empty_line() {
    let octets = message();
    let end = octets.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (code, out, _) = check(&octets[..end + 2], &[]);
    assert_eq!(code, 1);
    assert!(out.contains("no empty line ends the header section"), "{out}");
}

#[test]
fn nothing_reaches_the_terminal_unescaped() {
    let hostile = "From: a@b.example\r\nDKIM-Signature: v=1; a=\x1b[31m\u{202e}; b=\x07\r\n\r\n";
    let (code, out, _) = check(hostile.as_bytes(), &[]);
    assert_eq!(code, 1);
    assert!(!out.contains(['\x1b', '\x07', '\u{202e}']), "{out}");
}

#[test]
fn colour_is_for_terminals() {
    let mut command = tool();
    let (_, out, _) = texts(command.arg(MESSAGE).output().unwrap());
    assert!(!out.contains('\x1b'), "{out:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = tool()
        .args(std::iter::repeat_n(MESSAGE, 2000))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn standard_input_is_read() {
    for arguments in [&[][..], &["-"]] {
        let mut child =
            tool().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&message()).unwrap();
        let (code, out, _) = texts(child.wait_with_output().unwrap());
        assert_eq!(code, 0, "{out}");
        assert!(out.starts_with("-: DMARC pass, DKIM pass\n"), "{out}");
    }
}

#[test]
fn the_worst_input_decides() {
    let home = tempfile::tempdir().unwrap();
    let unsigned = home.path().join("unsigned");
    fs::write(&unsigned, "From: a@b.example\r\n\r\n").unwrap();
    let missing = home.path().join("missing");
    let code = |files: &[&Path]| tool().args(files).output().unwrap().status.code().unwrap();
    let good = Path::new(MESSAGE);
    assert_eq!(code(&[good, good]), 0);
    assert_eq!(code(&[&unsigned, good]), 1);
    assert_eq!(code(&[&unsigned, &missing, good]), 2);
}

#[test]
fn a_recording_answers_as_the_zone_did() {
    let home = tempfile::tempdir().unwrap();
    let recording = home.path().join("answers");
    let recorded = tool().arg("--record").arg(&recording).arg(MESSAGE).output().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    let replayed = command.args(["--now", NOW, "--replay"]).arg(&recording).arg(MESSAGE);
    assert_eq!(texts(replayed.output().unwrap()), texts(recorded));
}

#[test]
fn the_canonical_form_is_that_of_rfc_8463() {
    use base64::Engine as _;
    let (code, out, _) = check(&message(), &["--show", "canonical", "--format", "json"]);
    assert_eq!(code, 0);
    let document: Value = serde_json::from_str(&out).unwrap();
    let canonical = &document["messages"][0]["dkim"][0]["why"]["canonical"];
    let decode = |name: &str| {
        let text = canonical[name].as_str().unwrap();
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
    };
    assert!(decode("header").starts_with("from:Joe SixPack <joe@football.example.com>\r\nto:"));
    assert!(decode("header").ends_with("bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b="));
    assert_eq!(decode("body"), "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n");
}

#[test]
fn json_has_one_shape_for_all_inputs() {
    let missing = "no such file";
    let arguments = ["--format", "json", "--show", "canonical", MESSAGE, missing];
    let (code, out, err) = texts(tool().args(arguments).output().unwrap());
    assert_eq!((code, err.as_str()), (2, "error: no such file: no such file\n"));
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema::breaches("check-headers", &document), [""; 0]);
    let (code, out, _) = check(b"From: a@b.example\r\n\r\n", &["--format", "json"]);
    assert_eq!(code, 1);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema::breaches("check-headers", &document), [""; 0]);
}

#[test]
fn a_real_name_server_answers() {
    let zone = Zone::parse(&fs::read_to_string(ZONE).unwrap()).unwrap();
    let server = Server::start(zone).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    command.args(["--now", NOW, "--nameserver", &server.address().to_string(), MESSAGE]);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    // Two keys, and the DMARC record of the Author Domain: nothing else is needed for a pass.
    assert_eq!(server.queries(), 3);
    command.args(["--only", "dkim"]);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    assert_eq!(server.queries(), 5);
}

/// The signer has the key published under another selector than it names: the zone files tell which,
/// and name servers are asked for usual ones.
#[test]
fn the_key_of_another_selector() {
    let text = fs::read_to_string(ZONE).unwrap();
    let renamed = text.replace("test._domainkey", "s1._domainkey");
    assert_ne!(text, renamed);
    let server = Server::start(Zone::parse(&renamed).unwrap()).unwrap();
    let server = server.address().to_string();
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("zone");
    fs::write(&file, renamed).unwrap();
    for source in [["--nameserver", &server], ["--zone", file.to_str().unwrap()]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
        command.args(["--now", NOW]).args(source).arg(MESSAGE);
        let (_, out, err) = texts(command.output().unwrap());
        let words: Vec<&str> = out.split_whitespace().collect();
        let out = words.join(" ");
        assert!(
            out.contains("why no key: the name of the key record does not exist"),
            "{out}{err}"
        );
        let found = "found it is signed with the key at s1._domainkey.football.example.com, not \
                     with that of its selector (s=)";
        assert!(out.contains(found), "{out}");
        assert!(out.contains("next Have the signer name the selector of the key it"), "{out}");
    }
}

/// The time for a message is that for looking for other keys, too; what was found by then stays.
#[test]
fn looking_for_other_keys_ends_in_time() {
    let text = fs::read_to_string(ZONE).unwrap().replace("test._domainkey", "s1._domainkey");
    let zone = format!("{text}s2._domainkey.football TIMEOUT\n");
    let server = Server::start(Zone::parse(&zone).unwrap()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    command.args(["--now", NOW, "--nameserver", &server.address().to_string()]);
    command.args(["--timeout", "2", "--query-timeout", "60", MESSAGE]);
    let begin = Instant::now();
    let (code, out, err) = texts(command.output().unwrap());
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("signed with the key at s1._domainkey.football.example.com"), "{out}");
}

#[test]
fn a_dead_name_server_is_temporary() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    command.args(["--nameserver", "127.0.0.1:1", "--query-timeout", "0.2", "--timeout", "1"]);
    let output = command.args(["--now", NOW, MESSAGE]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn no_question_no_name_server() {
    let home = tempfile::tempdir().unwrap();
    let unsigned = home.path().join("unsigned");
    fs::write(&unsigned, "From: a@b.example\r\n\r\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    let output = command
        .args(["--nameserver", "192.0.2.1", "--only", "dkim"])
        .arg(&unsigned)
        .output()
        .unwrap();
    let (code, out, err) = texts(output);
    assert_eq!((code, err.as_str()), (1, ""));
    assert!(out.ends_with(": DKIM none, the message is not signed\n"), "{out}");
}

#[test]
fn the_readme_shows_real_output() {
    let readme = fs::read_to_string("../../README.md").unwrap();
    let root = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
        command.current_dir("../..").args(["--zone", "testdata/readme/example.com.zone"]);
        command.args(arguments);
        command
    };
    let (_, out, _) = texts(root(&["testdata/readme/message.eml"]).output().unwrap());
    assert!(readme.contains(&out), "{out}");
    let changed = String::from_utf8(message()).unwrap().replace("We lost", "We won");
    let mut child = root(&[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(changed.as_bytes()).unwrap();
    let (_, out, _) = texts(child.wait_with_output().unwrap());
    let lines = || out.split_inclusive('\n');
    let verdict: String = lines().take(1).chain(["  …\n"]).collect();
    let signature: String = lines().skip(5).take(3).collect();
    assert!(readme.contains(&(verdict + &signature)), "{out}");
}
