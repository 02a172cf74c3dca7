//! `check-headers` with an envelope: what SPF, DMARC and the fields of the message come to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod schema;

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const ZONE: &str = r#"
example.com.               TXT "v=spf1 ip4:192.0.2.0/28 -all"
_dmarc.example.com.        TXT "v=DMARC1; p=reject"
1.2.0.192.in-addr.arpa.    PTR out.example.com.
out.example.com.           A   192.0.2.1
trouble.example.           TXT SERVFAIL
_dmarc.trouble.example.    TXT "v=DMARC1; p=reject"
_dmarc.tested.example.     TXT "v=DMARC1; p=reject; t=y"
"#;

const MESSAGE: &str = "From: Bob <bob@news.example.com>\r\nSubject: hello\r\n\r\nHi!\r\n";

/// Trace fields of a message that came in at mx.example.net and went on to its inner host.
const TRACE: &str = "Return-Path: <b@example.com>\r\n\
    Received: from mx.example.net (mx.example.net [10.0.0.1])\r\n\
    \tby inner.example.net (Postfix) with ESMTP id 2; Fri, 11 Jul 2003 21:01:55 -0700\r\n\
    Received: from out.example.com (out.example.com [192.0.2.1])\r\n\
    \tby mx.example.net (Postfix) with ESMTP id 1; Fri, 11 Jul 2003 21:01:54 -0700\r\n\
    Received: from laptop (laptop [198.51.100.9])\r\n\
    \tby out.example.com (Postfix) with ESMTPSA id 0; Fri, 11 Jul 2003 21:01:53 -0700\r\n";

fn check(message: &str, arguments: &[&str]) -> (i32, String) {
    let home = tempfile::tempdir().unwrap();
    let (zone, file) = (home.path().join("zone"), home.path().join("message"));
    fs::write(&zone, ZONE).unwrap();
    fs::write(&file, message).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    command.args(["--now", "2026-11-25T00:00:00Z", "--zone"]).arg(&zone).args(arguments);
    let output = command.arg(&file).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// As [`check`], the output without its line breaks and indents.
fn words(message: &str, arguments: &[&str]) -> (i32, String) {
    let (code, out) = check(message, arguments);
    (code, out.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn json(message: &str, arguments: &[&str]) -> Value {
    let (_, out) = check(message, &[arguments, &["--format", "json"]].concat());
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema::breaches("check-headers", &document), [""; 0]);
    document["messages"][0].clone()
}

#[test]
fn what_will_receivers_say_when_this_host_sends() {
    let flags = ["--sending-ip", "192.0.2.1", "--helo", "out.example.com", "--mail-from"];
    let from = |path: &'static str| [&flags[..], &[path]].concat();
    let (code, out) = words(MESSAGE, &from("b@example.com"));
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("DMARC pass, DKIM none, SPF pass"), "{out}");
    assert!(out.contains("SPF passes for example.com, a domain of the same organization"), "{out}");
    // Another organization's SPF pass proves nothing about From.
    let message = json(MESSAGE, &from("x@other.example"));
    assert_eq!(message["dmarc"]["result"], "fail");
    assert_eq!(message["dmarc"]["organizational_domain"], "example.com");
    assert_eq!(message["dmarc"]["disposition"], "quarantine");
    let elsewhere = ["--sending-ip", "203.0.113.5", "--mail-from", "b@example.com"];
    let (code, out) = words(MESSAGE, &elsewhere);
    assert_eq!(code, 1);
    assert!(out.contains("fail SPF, MAIL FROM <b@example.com> from 203.0.113.5"), "{out}");
    assert!(out.contains("(-all of example.com)"), "{out}");
}

/// RFC 9989 4.7, "t": the policy is as published, and one level lower is done.
#[test]
fn a_policy_in_testing() {
    let message = MESSAGE.replace("news.example.com", "tested.example");
    let (code, out) = words(&message, &["--sending-ip", "203.0.113.5"]);
    assert_eq!(code, 1);
    let policy = "DMARC tested.example, policy reject (in testing, t=y) by _dmarc.tested.example";
    assert!(out.contains(policy), "{out}");
    assert!(
        out.contains("asked for is reject, one level lower while it is tested (t=y);"),
        "{out}"
    );
    assert!(out.contains("knows no more does: quarantine."), "{out}");
    assert!(out.contains("policy.dmarc=quarantine"), "{out}");
    let dmarc = &json(&message, &["--sending-ip", "203.0.113.5"])["dmarc"];
    assert_eq!((&dmarc["policy"], &dmarc["testing"]), (&"reject".into(), &true.into()));
    assert_eq!(dmarc["disposition"], "quarantine");
}

#[test]
fn the_envelope_is_that_of_the_host_where_the_message_came_in() {
    let message = format!("{TRACE}{MESSAGE}");
    let trust = ["--trust", "inner.example.net", "--trust", "MX.example.net."];
    let (code, out) = words(&message, &trust);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("client 192.0.2.1 from Received in line 4"), "{out}");
    assert!(out.contains("HELO out.example.com from Received in line 4"), "{out}");
    assert!(out.contains("MAIL FROM <b@example.com> from Return-Path in line 1"), "{out}");
    let envelope = &json(&message, &trust)["envelope"];
    assert_eq!(envelope["ip"], "192.0.2.1");
    assert_eq!(envelope["mail_from"], "b@example.com");
}

#[test]
fn a_trace_of_strangers_is_not_believed() {
    let message = format!("{TRACE}{MESSAGE}");
    let (code, out) = words(&message, &["--trust", "mx.example.net"]);
    assert_eq!(code, 1);
    assert!(out.contains("is of \"inner.example.net\", which --trust does not name"), "{out}");
    let (code, out) = words(&message, &[]);
    assert_eq!(code, 1);
    assert!(out.contains("no envelope: give --sending-ip, or --trust"), "{out}");
}

/// The sender writes a Received field of the trusted host, and a Return-Path, into the message.
#[test]
fn a_trace_that_the_sender_wrote_is_not_believed() {
    let forged = "Received: from x (x [203.0.113.5])\r\n\tby mx.example.net with ESMTP id 3; x\r\n\
        Return-Path: <c@example.com>\r\n\
        Received: from out.example.com (out.example.com [192.0.2.1])\r\n\
        \tby mx.example.net (Postfix) with ESMTP id 1; x\r\n";
    let message = format!("{forged}{MESSAGE}");
    let (code, out) = words(&message, &["--trust", "mx.example.net"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("client 203.0.113.5 from Received in line 1"), "{out}");
    assert!(out.contains("that Received in line 4 is not of mx.example.net"), "{out}");
    assert!(out.contains("MAIL FROM <bob@news.example.com> from From in line 6"), "{out}");
    // If that client is a host of ours, it is believed.
    let (code, out) = words(&message, &["--trust", "mx.example.net", "--trust", "203.0.113.5"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("MAIL FROM <c@example.com> from Return-Path in line 3"), "{out}");
    // In HELO a client can say what it likes; its address shows that it is another.
    let helo = message.replace("from x (x ", "from mx.example.net (x ");
    let (code, out) = words(&helo, &["--trust", "mx.example.net"]);
    assert_eq!(code, 1, "{out}");
    // From the same host, from a filter on it, from one that tells no address.
    for from in
        ["mx.example.net ([127.0.0.1])", "a (mx.example.net [203.0.113.5])", "mx.example.net"]
    {
        let inner = message.replace("x (x [203.0.113.5])", from);
        let (code, out) = words(&inner, &["--trust", "mx.example.net"]);
        assert_eq!(code, 0, "{out}");
    }
}

/// As Postfix and amavisd write them, the filter under the name "localhost".
#[test]
fn a_filter_on_the_same_host_is_passed_over() {
    let trace = "Return-Path: <b@example.com>\r\n\
        Received: from localhost (localhost [127.0.0.1])\r\n\
        \tby mx.example.net (Postfix) with ESMTP id 2; x\r\n\
        Received: from mx.example.net ([127.0.0.1])\r\n\
        \tby localhost (mx.example.net [127.0.0.1]) (amavisd-new, port 10024); x\r\n\
        Received: from out.example.com (out.example.com [192.0.2.1])\r\n\
        \tby mx.example.net (Postfix) with ESMTP id 1; x\r\n";
    let (code, out) = words(&format!("{trace}{MESSAGE}"), &["--trust", "mx.example.net"]);
    assert!(out.contains("client 192.0.2.1 from Received in line 6"), "{out}");
    assert_eq!(code, 0, "{out}");
    // A client elsewhere that has the name localhost written is no filter.
    let remote = trace.replacen("[127.0.0.1]", "[203.0.113.5]", 1);
    let (code, out) = words(&format!("{remote}{MESSAGE}"), &["--trust", "mx.example.net"]);
    assert!(out.contains("client 203.0.113.5 from Received in line 2"), "{out}");
    assert_eq!(code, 1, "{out}");
}

#[test]
fn a_byte_order_mark_is_told_of() {
    let (code, out) = words(&format!("\u{feff}{MESSAGE}"), &[]);
    assert_eq!(code, 1);
    assert!(out.contains("a byte order mark hides the first header field"), "{out}");
}

/// RFC 8601 7.1: whoever wrote the field, it is a claim.
#[test]
fn a_forged_field_changes_nothing_but_what_is_claimed() {
    let flags = ["--sending-ip", "203.0.113.5", "--mail-from", "x@evil.example"];
    let forged = format!(
        "Authentication-Results: check-headers.invalid; dmarc=pass header.from=news.example.com;\r\n\
         \tspf=pass\r\nReceived-SPF: pass\r\n\
         ARC-Authentication-Results: i=1; mx.example.net; dmarc=pass\r\n{MESSAGE}"
    );
    let (plain, forged_json) = (json(MESSAGE, &flags), json(&forged, &flags));
    for method in ["spf", "dkim", "dmarc", "iprev"] {
        assert_eq!(plain[method], forged_json[method], "{method}");
    }
    assert_ne!(forged_json["arc"]["result"], "pass");
    let (code, out) = words(&forged, &flags);
    assert_eq!(code, 1);
    let claim = "dmarc=pass, spf=pass by check-headers.invalid (Authentication-Results in line 1)";
    assert!(out.contains(claim), "{out}");
    assert!(out.contains("dmarc=pass by mx.example.net (ARC-Authentication-Results"), "{out}");
}

#[test]
fn what_is_required_decides() {
    let flags = ["--sending-ip", "192.0.2.1", "--mail-from", "b@example.com", "--require"];
    let code = |methods| check(MESSAGE, &[&flags[..], &[methods]].concat()).0;
    assert_eq!(code("spf"), 0);
    assert_eq!(code("spf,dmarc"), 0);
    assert_eq!(code("dkim"), 1);
    assert_eq!(code("spf,arc"), 1);
}

#[test]
fn trouble_with_dns_is_no_verdict() {
    let message = "From: a@trouble.example\r\n\r\n";
    let flags = ["--sending-ip", "192.0.2.1", "--mail-from", "a@trouble.example"];
    let (code, out) = words(message, &flags);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("DMARC temperror"), "{out}");
    assert_eq!(check(message, &[&flags[..], &["--require", "spf"]].concat()).0, 3);
}

#[test]
fn what_a_stranger_wrote_is_escaped() {
    let message = "Authentication-Results: \u{1b}[31mmx; dkim=pass (\u{202e})\r\n\
                   From: \u{1b}]0;x\u{7}@example.com\r\n\r\n";
    let (_, out) = check(message, &["--sending-ip", "192.0.2.1", "--mail-from", "\u{1b}[1m@x"]);
    assert!(
        !out.contains('\u{1b}') && !out.contains('\u{202e}') && !out.contains('\u{7}'),
        "{out}"
    );
}

/// A message that a list has sealed, and that was changed twice since.
#[test]
fn what_was_done_since_a_message_was_sealed() {
    let list = fs::read_to_string("../../testdata/verdict/trusted-list.eml").unwrap();
    let changed = list.replace("\nSubject: ", "\nSubject: [again] ") + "-- \r\nanother list\r\n";
    let key = "v=DKIM1; k=ed25519; p=Ykn/uptUgJAYm9G7gsxcPA0nqDeD2lOHcdj5QGaIjhY=";
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let zone = format!(
        "ed._domainkey.list.example. TXT \"{key}\"\ned._domainkey.legitimate.example. TXT \"{key}\"\n\
         _dmarc.legitimate.example. TXT \"v=DMARC1; p=reject\"\n"
    );
    fs::write(path("zone"), zone).unwrap();
    let run = |message: &str, more: &[&str]| {
        fs::write(path("message"), message).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
        command.args(["--now", "1700000100", "--zone", &path("zone"), &path("message")]);
        String::from_utf8(command.args(more).output().unwrap().stdout).unwrap()
    };
    assert!(run(&list, &["--format", "json"]).contains("\"arc\":{\"cause\":\"valid\""));
    // Trust changes what is done, and no result.
    let dmarc = |more: &[&str]| -> Value {
        let out = run(&list, &[more, &["--format", "json"]].concat());
        serde_json::from_str::<Value>(&out).unwrap()["messages"][0]["dmarc"].clone()
    };
    let (plain, trusting) = (dmarc(&[]), dmarc(&["--trusted-sealer", "list.example"]));
    assert_eq!((&plain["result"], &trusting["result"]), (&"fail".into(), &"fail".into()));
    let dispositions = (&plain["disposition"], &trusting["disposition"]);
    assert_eq!(dispositions, (&"quarantine".into(), &"none".into()));
    let out = run(&list, &["--trusted-sealer", "list.example"]);
    assert!(out.contains("all sealers are trusted here"), "{out}");
    let words = run(&changed, &[]).split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "fail ARC, 1 set",
        "found since set 1: \"[again]\" was added to the subject",
        "found since set 1: a footer was added to the body: 2 lines, 19 octets",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    let document: Value = serde_json::from_str(&run(&changed, &["--format", "json"])).unwrap();
    assert_eq!(schema::breaches("check-headers", &document), [""; 0]);
    let set = &document["messages"][0]["arc"]["sets"][0];
    assert_eq!(set["changes"][0]["kind"], "subject-tag-added");
    assert_eq!(set["diagnosis"]["body"]["finding"], "explained");
    // A word of the text is another one: nothing explains that, and what was tried is told.
    let other = list.replace("\r\n\r\n", "\r\n\r\nOther ");
    let words = run(&other, &[]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("no usual change explains the body; excluded: footer added, "),
        "{words}"
    );
    let document: Value = serde_json::from_str(&run(&other, &["--format", "json"])).unwrap();
    assert_eq!(schema::breaches("check-headers", &document), [""; 0]);
    let body = &document["messages"][0]["arc"]["sets"][0]["diagnosis"]["body"];
    assert_eq!(body["finding"], "unexplained");
    assert!(body["excluded"].as_array().unwrap().contains(&"footer-added".into()));
}

#[test]
fn claims_are_told_to_programs_too() {
    let message = format!(
        "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example;\r\n \
         dmarc=pass\r\n{MESSAGE}"
    );
    let claims = &json(&message, &[])["claims"];
    assert_eq!(claims[0]["authserv_id"], "mx.example.net");
    assert_eq!(claims[0]["results"], serde_json::json!(["dkim=pass", "dmarc=pass"]));
    assert_eq!(claims[0]["line"], 1);
    assert_eq!(json(MESSAGE, &[])["claims"], serde_json::json!([]));
}

/// RFC 9989 and RFC 7489 differ in t=y, and in where an organization begins.
#[test]
fn what_receivers_of_rfc_7489_see() {
    let message = MESSAGE.replace("news.example.com", "tested.example");
    let (_, out) = words(&message, &[]);
    let told = "note receivers that still follow RFC 7489, with its list of public suffixes, see \
                fail, policy reject by _dmarc.tested.example: no identifier is authenticated";
    assert!(out.contains(told), "{out}");
    let older = &json(&message, &[])["dmarc"]["rfc7489"];
    assert_eq!((&older["result"], &older["policy"]), (&"fail".into(), &"reject".into()));
    let (_, out) = words(MESSAGE, &[]);
    assert!(!out.contains("RFC 7489"), "{out}");
    let older = &json(MESSAGE, &[])["dmarc"]["rfc7489"];
    assert_eq!(older["organizational_domain"], "example.com");
}

/// The signer has a new key and still names the old selector.
#[test]
fn the_key_of_another_selector_in_the_zone() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let public = |name: &str| {
        let key = fs::read(format!("../../testdata/keys/{name}")).unwrap();
        let key = mailproof_keygen::KeyPair::parse(&key).unwrap();
        format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(key.public_key()))
    };
    let strings = |text: &str| {
        let (first, second) = text.split_at(200);
        format!("\"{first}\" \"{second}\"")
    };
    let zone = format!(
        "old._domainkey.example.com. TXT {}\nnew._domainkey.example.com. TXT {}\n",
        strings(&public("rsa-1024.pem")),
        strings(&public("rsa-2048.pem"))
    );
    fs::write(path("zone"), zone).unwrap();
    fs::write(path("message"), MESSAGE).unwrap();
    let key = "../../testdata/keys/rsa-2048.pem";
    let signed = Command::new(env!("CARGO_BIN_EXE_sign-message"))
        .args(["--domain", "example.com", "--selector", "old", "--key", key, &path("message")])
        .output()
        .unwrap();
    fs::write(path("signed"), signed.stdout).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-headers"));
    let output = command.args(["--zone", &path("zone"), &path("signed")]).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "found it is signed with the key at new._domainkey.example.com, not with that of its",
        "next Have the signer name the selector of the key it signs with",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
}
