//! What a user of `sign-message` meets, beyond the transcripts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use mailproof_dkim::{DkimResult, Verifier};
use mailproof_dns::Zone;
use serde_json::Value;

const ZONE: &str = "../../testdata/readme/example.com.zone";
const RSA: &str = "../../testdata/keys/rfc8463-rsa.pem";
const ED25519: &str = "../../testdata/keys/rfc8463.seed";
const NOW: &str = "1700000000";
const MESSAGE: &str =
    "From: Joe <joe@football.example.com>\r\nSubject: lunch\r\n\r\nAt noon?\r\n\r\n\r\n";
const BOTH: [&str; 8] = ["--key", ED25519, "-s", "brisbane", "--key", RSA, "-s", "test"];

fn run(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A tool that refuses early does not read to the end.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}

/// The exit code, standard output and the errors among the remarks.
fn sign(arguments: &[&str], message: impl AsRef<[u8]>) -> (i32, Vec<u8>, String) {
    let arguments = [&["--now", NOW], arguments].concat();
    let output = run(env!("CARGO_BIN_EXE_sign-message"), &arguments, message.as_ref());
    let remarks = String::from_utf8(output.stderr).unwrap();
    // The mode of test keys is that of the checkout.
    let errors = remarks.split_inclusive('\n').filter(|line| !line.starts_with("warning:"));
    (output.status.code().unwrap(), output.stdout, errors.collect())
}

fn signed(arguments: &[&str], message: impl AsRef<[u8]>) -> Vec<u8> {
    let (code, out, errors) = sign(&[&BOTH[..], arguments].concat(), message);
    assert_eq!((code, errors.as_str()), (0, ""));
    out
}

/// The results of the library, from the top down.
fn verify(message: &[u8]) -> Vec<DkimResult> {
    let zone = Zone::parse(&fs::read_to_string(ZONE).unwrap()).unwrap();
    let (header, body) = mailproof_message::split(message);
    let mut verifier = Verifier::new(&header, 1_700_000_001);
    verifier.body(body);
    let verification = verifier.finish();
    let outcome = zone.resolve(|answers| verification.verify(answers));
    outcome.signatures.iter().map(mailproof_dkim::SignatureOutcome::result).collect()
}

#[test]
fn two_keys_sign_and_both_signatures_pass() {
    for canonicalization in ["simple", "relaxed", "simple/relaxed", "relaxed/relaxed"] {
        for message in [
            MESSAGE,
            "From: joe@football.example.com\r\n\r\n",
            "From: joe@football.example.com\r\n",
            "From: joe@football.example.com",
            "A: 1\r\nfrom :  joe@football.example.com \r\n \t(folded)\r\nB:\r\n\r\n a  b \r\nno end",
        ] {
            let signed = signed(&["-c", canonicalization, "--expire", "7d"], message);
            assert!(signed.ends_with(message.as_bytes()));
            assert_eq!(verify(&signed), [DkimResult::Pass; 2], "{canonicalization} {message:?}");
        }
    }
}

#[test]
fn check_headers_accepts_it() {
    let signed = signed(&["--identity", "joe@football.example.com"], MESSAGE);
    let arguments = ["--only", "dkim", "--zone", ZONE, "--now", NOW];
    let output = run(env!("CARGO_BIN_EXE_check-headers"), &arguments, &signed);
    assert_eq!(output.status.code(), Some(0));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.starts_with("-: DKIM pass, 2 of 2 signatures pass\n"), "{out}");
}

#[test]
fn a_unix_file_stays_one_and_is_signed_as_crlf() {
    let unix = MESSAGE.replace("\r\n", "\n");
    let signed = signed(&[], &unix);
    assert!(!signed.contains(&b'\r') && signed.ends_with(unix.as_bytes()));
    let crlf = String::from_utf8(signed).unwrap().replace('\n', "\r\n");
    assert_eq!(verify(crlf.as_bytes()), [DkimResult::Pass; 2]);
}

#[test]
fn a_message_longer_than_memory_holds() {
    let line = [b"0123456789abcdef".repeat(4).as_slice(), b"\r\n"].concat();
    let message = [MESSAGE.as_bytes(), &line.repeat(150_000)].concat();
    let signed = signed(&[], &message);
    assert!(signed.ends_with(&message));
    assert_eq!(verify(&signed), [DkimResult::Pass; 2]);
}

#[test]
fn what_is_oversigned_cannot_be_added() {
    let add = |signed: Vec<u8>| [b"Subject: dinner\r\n".to_vec(), signed].concat();
    assert_eq!(verify(&add(signed(&[], MESSAGE))), [DkimResult::Fail; 2]);
    let named = ["--headers", "From,Subject"];
    // Signed, but not oversigned: it is for the verifier to see that there are two of them.
    assert_eq!(verify(&add(signed(&named, MESSAGE))), [DkimResult::Policy; 2]);
    let named = ["--headers", "From:Subject", "--oversign", "subject"];
    assert_eq!(verify(&add(signed(&named, MESSAGE))), [DkimResult::Fail; 2]);
}

#[test]
fn json_says_what_was_signed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, MESSAGE).unwrap();
    let path = file.path().to_str().unwrap();
    let out = signed(&["--format", "json", "--expire", "1h", path], "");
    let document: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(schema::breaches("sign-message", &document), [""; 0]);
    let signature = &document["messages"][0]["signatures"][1];
    assert_eq!(signature["algorithm"], "rsa-sha256");
    assert_eq!(signature["key_name"], "test._domainkey.football.example.com");
    assert_eq!(signature["expiration"], 1_700_003_600);
    let field = signature["field"].as_str().unwrap();
    assert_eq!(verify((field.to_owned() + MESSAGE).as_bytes()), [DkimResult::Pass]);
}

#[test]
fn what_would_not_arrive_as_it_is_is_refused() {
    let long = format!("{MESSAGE}{}\r\n", "x".repeat(999));
    let second = format!("From: mallory@example.net\r\n{MESSAGE}");
    for (message, said) in [
        (&b"From: a@b.example\r\n\r\nbare\rCR\r\n"[..], "a bare CR or LF"),
        (b"From: a@b.example\r\n\r\nbare\nLF\r\n", "a bare CR or LF"),
        (b"From: a@b.example\nSubject: \r!\n\nbody\n", "a bare CR or LF"),
        (b"From: a@b.example\r\n\r\ncaf\xc3\xa9\r\n", "--allow-8bit"),
        (long.as_bytes(), "longer than 998 octets"),
        (second.as_bytes(), "2 From fields"),
        (b"Subject: none\r\n\r\n", "0 From fields"),
        (b"From joe Wed Nov 25\r\nFrom: a@b.example\r\n\r\n", "field 1 is malformed"),
        (b"", "empty"),
    ] {
        let (code, out, errors) = sign(&["-k", RSA, "-s", "test", "-d", "b.example"], message);
        assert_eq!((code, out.len()), (2, 0), "{errors}");
        assert!(errors.contains(said) && errors.lines().count() == 1, "{errors}");
    }
    let (code, ..) =
        sign(&[&BOTH[..], &["--allow-8bit"]].concat(), "From: a@b.example\n\ncaf\u{e9}");
    assert_eq!(code, 0);
}

#[test]
fn keys_that_are_none() {
    for (arguments, said) in [
        (&["-k", "missing.pem", "-s", "s"][..], "missing.pem: no such file"),
        (&["-k", ZONE, "-s", "s"], "example.com.zone: no private key"),
        (&["-k", "../../testdata/keys/rsa-512.pem", "-s", "s"], "512 bits"),
        (&["-k", RSA, "-s", "a", "-s", "b"], "1 of --key, but 2 of --selector"),
        (
            &["-k", RSA, "-s", "s", "-d", "a.example", "-d", "b.example"],
            "1 of --key, but 2 of --dom",
        ),
        (&["-k", "-", "-s", "s"], "standard input is either the message or one key"),
        (&["-k", RSA, "-s", "s", "-d", "example"], "single label"),
        (&["-k", RSA, "-s", "s", "--identity", "@example.org"], "is not football.example.com or"),
        (&["-k", RSA, "-s", "s", "--headers", "Subject"], "does not have From"),
        (&["-k", RSA, "-s", "s", "--headers", "From, a b"], "\"a b\" is no header field name"),
    ] {
        let (code, out, errors) = sign(arguments, MESSAGE);
        assert_eq!((code, out.len()), (2, 0), "{errors}");
        assert!(errors.contains(said) && errors.lines().count() == 1, "{errors}");
    }
}

#[test]
fn the_tables_of_opendkim() {
    let home = tempfile::tempdir().unwrap();
    let table = |name: &str, text: &str| {
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let keys = table(
        "KeyTable",
        &format!("rsa football.example.com:test:{RSA}\nany %:brisbane:./{ED25519}\n"),
    );
    let signing = table(
        "SigningTable",
        "joe@*.example.com rsa:joe@%\n*@football.example.com any\n*@example.org gone\n",
    );
    let signing = format!("refile:{signing}");
    let tables = ["--key-table", &keys, "--signing-table", &signing];
    let (code, out, errors) = sign(&tables, MESSAGE);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(verify(&out), [DkimResult::Pass]);
    let text = String::from_utf8(out).unwrap().replace("\r\n\t", "");
    assert!(text.contains("s=test;") && text.contains("i=joe@football.example.com;"), "{text}");
    let (code, out, _) = sign(&[&tables[..], &["--multiple-signatures"]].concat(), MESSAGE);
    assert_eq!((code, verify(&out)), (0, vec![DkimResult::Pass; 2]));
    for (author, said) in [
        ("ann@example.net", "no line of the SigningTable is for \"ann@example.net\""),
        ("ann@example.org", "line 3 of the SigningTable names \"gone\""),
    ] {
        let (code, out, errors) = sign(&tables, format!("From: {author}\r\n\r\n"));
        assert_eq!((code, out.len()), (2, 0));
        assert!(errors.contains(said), "{errors}");
    }
}
