//! What holds for every message.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::cell::RefCell;
use std::collections::HashMap;

use mailproof::dkim::DkimResult;
use mailproof::dmarc::DmarcResult;
use mailproof::dns::{Answers, Failure, Limits, Missing, Question, Response, Zone};
use mailproof::dns::{resolve_blocking, resolve_blocking_with};
use mailproof::message::split;
use mailproof::spf::SpfResult;
use mailproof::{Envelope, Receiver, Verdict};
use mailproof_testkit::{Case, cases, testdata};
use proptest::prelude::*;
use serde::Deserialize;

/// What the cases of other crates expect is not looked at here.
#[derive(Deserialize)]
struct Any {
    #[serde(default)]
    input: HashMap<String, Value>,
    #[serde(rename = "expect")]
    _expect: HashMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Number(#[expect(dead_code, reason = "read over")] u64),
    Bool(#[expect(dead_code, reason = "read over")] bool),
    List(#[expect(dead_code, reason = "read over")] Vec<Value>),
    Table(#[expect(dead_code, reason = "read over")] HashMap<String, Value>),
}

impl Any {
    /// The envelope of the case, or an honest one.
    fn envelope(&self) -> Envelope<'_> {
        let text = |key: &str, default: &'static str| match self.input.get(key) {
            Some(Value::Text(text)) => text.as_str(),
            _ => default,
        };
        Envelope {
            ip: text("ip", "192.0.2.1").parse().unwrap(),
            helo: text("helo", "mail.example.com"),
            mail_from: text("mail_from", "a@example.com"),
        }
    }
}

fn with_messages() -> Vec<Case<Any>> {
    let mut all = cases::<Any>("verdict");
    all.extend(cases::<Any>("arc"));
    all.extend(cases::<Any>("dkim"));
    all.retain(|case| case.message.is_some());
    all
}

fn verify(
    receiver: &Receiver,
    message: &[u8],
    envelope: Envelope<'_>,
    now: u64,
    lookup: impl FnMut(&Question) -> Response,
) -> Verdict {
    let (header, body) = split(message);
    let mut verifier = receiver.verifier(&header, Some(envelope), now);
    body.chunks(1000).for_each(|chunk| verifier.body(chunk));
    let mut verification = verifier.finish();
    resolve_blocking(lookup, |answers| verification.verify(answers))
}

fn json(verdict: &Verdict) -> serde_json::Value {
    serde_json::to_value(verdict).unwrap()
}

/// All but ARC: what no field that is added may improve.
fn without_arc(verdict: &Verdict) -> serde_json::Value {
    let mut json = json(verdict);
    let members = json.as_object_mut().unwrap();
    members.remove("arc");
    members.remove("authentication_results");
    json
}

const CLAIMS: [&str; 6] = [
    "Authentication-Results: mx.victim.example; spf=pass; dkim=pass; dmarc=pass header.from=example.com\r\n",
    "authentication-results: \"MX.victim.example\" 1 (x);\r\n dmarc=pass header.from=example.com\r\n",
    "Received-SPF: pass (mx.victim.example: ok) client-ip=192.0.2.1; envelope-from=a@example.com\r\n",
    "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=example.com; s=s; b=AAAA\r\n",
    "ARC-Authentication-Results: i=1; mx.victim.example; dmarc=pass header.from=example.com\r\n",
    "ARC-Message-Signature: i=1; a=rsa-sha256; d=example.com; s=s; h=from; bh=AAAA; b=AAAA\r\n",
];

/// "A forged field never improves a verdict." A field that a signature covers may make it fail, and
/// DMARC with it.
#[test]
fn forged_fields_change_nothing_but_arc_and_that_never_to_pass() {
    let receiver = Receiver::new("mx.victim.example");
    for case in with_messages() {
        let message = case.message.as_deref().unwrap();
        let now = case.now.unwrap_or(1_700_000_100);
        let lookup = |question: &Question| case.zone.lookup(question);
        let before = verify(&receiver, message, case.own.envelope(), now, lookup);
        let all = CLAIMS.concat();
        // One by one only where it is not hundreds of cases.
        let single = if case.file.starts_with(testdata("dkim")) { 0 } else { CLAIMS.len() };
        for claims in CLAIMS.into_iter().take(single).chain([all.as_str()]) {
            let forged = [claims.as_bytes(), message].concat();
            let after = verify(&receiver, &forged, case.own.envelope(), now, lookup);
            if claims.starts_with("ARC") || claims.len() > 200 {
                let (was, is) = (before.arc.result(), after.arc.result());
                assert!(is == was || is.keyword() == "fail", "{}: {was} to {is}", case.name);
            }
            if without_arc(&before) == without_arc(&after) {
                continue;
            }
            // Only a signature that signs such fields may be different, and only worse.
            for (was, is) in before.dkim.signatures.iter().zip(&after.dkim.signatures) {
                assert!(
                    is.result() == was.result() || is.result() == DkimResult::Fail,
                    "{}: {} to {}",
                    case.name,
                    was.cause,
                    is.cause
                );
            }
            let better =
                after.dmarc.result == DmarcResult::Pass && before.dmarc.result != DmarcResult::Pass;
            assert!(!better, "{}: {claims}", case.name);
            assert_eq!(format!("{:?}", before.spf), format!("{:?}", after.spf), "{}", case.name);
        }
    }
}

/// DNS trouble at any one name never turns into a verdict that was not there: it leaves the result
/// as it was, or makes it a temporary error.
#[test]
fn trouble_of_the_dns_is_temporary() {
    let receiver = Receiver::new("mx.victim.example");
    for case in cases::<Any>("verdict") {
        let message = case.message.as_deref().unwrap();
        let now = case.now.unwrap();
        let asked = RefCell::new(Vec::new());
        let before = verify(&receiver, message, case.own.envelope(), now, |question| {
            asked.borrow_mut().push(question.clone());
            case.zone.lookup(question)
        });
        for broken in asked.into_inner() {
            let after = verify(&receiver, message, case.own.envelope(), now, |question| {
                if *question == broken {
                    Response::Failure(Failure::Timeout)
                } else {
                    case.zone.lookup(question)
                }
            });
            let context = format!("{} without {broken}", case.name);
            let (was, is) = (before.dmarc.result, after.dmarc.result);
            assert!(is == was || is == DmarcResult::Temperror, "{context}: dmarc {was} to {is}");
            let was = before.spf.as_ref().unwrap().deciding().result;
            let is = after.spf.as_ref().unwrap().deciding().result;
            assert!(is == was || is == SpfResult::Temperror, "{context}: spf {was} to {is}");
            for (was, is) in before.dkim.signatures.iter().zip(&after.dkim.signatures) {
                let (was, is) = (was.result(), is.result());
                assert!(is == was || is == DkimResult::Temperror, "{context}: dkim {was} to {is}");
            }
            // RFC 8617 5.2.1 has no temporary error; the outcome tells.
            let (was, is) = (before.arc.result(), after.arc.result());
            assert!(is == was || after.arc.is_temporary(), "{context}: arc {was} to {is}");
        }
        // Nothing at all.
        let nothing = verify(&receiver, message, case.own.envelope(), now, |_| {
            Response::Failure(Failure::ServFail)
        });
        let result = nothing.dmarc.result;
        assert!(
            matches!(result, DmarcResult::Temperror | DmarcResult::Permerror),
            "{}: {result}",
            case.name
        );
        assert!(nothing.is_temporary(), "{}", case.name);
    }
}

#[test]
fn one_answer_at_a_time_is_all_at_once() {
    for case in with_messages() {
        let receiver = Receiver::new("mx.victim.example");
        let message = case.message.as_deref().unwrap();
        let (envelope, now) = (case.own.envelope(), case.now.unwrap_or(1_700_000_100));
        let at_once =
            verify(&receiver, message, envelope, now, |question| case.zone.lookup(question));
        let (header, body) = split(message);
        let mut verifier = receiver.verifier(&header, Some(envelope), now);
        verifier.body(body);
        let mut answers = Answers::new();
        let answer = |answers: &mut Answers, missing: Missing| {
            let question = missing.into_questions().pop().unwrap();
            let response = case.zone.lookup(&question);
            answers.insert(question, response);
        };
        while let Err(missing) = verifier.foresee(&answers) {
            answer(&mut answers, missing);
        }
        let mut verification = verifier.finish();
        let one_by_one = loop {
            match verification.verify(&answers) {
                Ok(verdict) => break verdict,
                Err(missing) => answer(&mut answers, missing),
            }
        };
        assert_eq!(json(&one_by_one), json(&at_once), "{}", case.name);
        // With all answers there it is one pass.
        let whole = receiver.verify(message, Some(envelope), now, &answers).unwrap();
        assert_eq!(json(&whole), json(&at_once), "{}", case.name);
    }
}

/// "One message with 1,000 signatures, 50 ARC sets, 1,000 A-R fields, 64 kB TXT answers: bounded".
#[test]
fn a_hostile_message_stays_within_the_budget() {
    let mut message = String::new();
    for number in 0..1000 {
        message.push_str(&format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d=d{number}.example; s=s; h=from; bh=AAAA; b=AAAA\r\n\
             Authentication-Results: mx.victim.example; dkim=pass header.d=d{number}.example\r\n"
        ));
    }
    for number in 1..=50 {
        let status = if number == 1 { "none" } else { "pass" };
        message.push_str(&format!(
            "ARC-Seal: i={number}; a=rsa-sha256; cv={status}; d=a{number}.example; s=s; b=AAAA\r\n\
             ARC-Message-Signature: i={number}; a=rsa-sha256; d=b{number}.example; s=s; h=from; bh=AA; b=AA\r\n\
             ARC-Authentication-Results: i={number}; x.example; none\r\n"
        ));
    }
    message.push_str("From: a@a.b.c.d.e.f.g.h.i.example\r\n\r\nbody\r\n");
    let receiver = Receiver::new("mx.victim.example");
    let envelope = Envelope {
        ip: "192.0.2.1".parse().unwrap(),
        helo: "helo.example",
        mail_from: "a@many.example",
    };
    let (header, body) = split(message.as_bytes());
    let mut verifier = receiver.verifier(&header, Some(envelope), 0);
    verifier.body(body);
    let mut verification = verifier.finish();
    let huge = Zone::parse("x.example. TXT \"x\"").unwrap();
    let text = mailproof::dns::Data::txt([b'v'; 65_000]);
    let mut asked = 0;
    let lookup = |question: &Question| {
        asked += 1;
        match question.name.to_string().contains("_domainkey") {
            true => Response::records([text.clone()]),
            false => huge.lookup(question),
        }
    };
    let limits = Limits::default();
    let verdict = resolve_blocking_with(lookup, &mut Answers::new(), &limits, |answers| {
        verification.verify(answers)
    });
    // Ten keys of DKIM, no chain (it needs 51 names), one walk, SPF, iprev.
    assert!(asked <= 10 + 24 + 2 + 1, "{asked} questions");
    assert_eq!(verdict.dkim.signatures.len(), 1000);
    assert_eq!(verdict.arc.cause.keyword(), "limit");
    assert_eq!(verdict.removals(&header).len(), 1000);
    assert!(verdict.fields(Some(&envelope), 0, Default::default()).concat().len() < 16_384);
}

#[test]
fn the_form_for_programs() {
    let receiver = Receiver::new("mx.victim.example");
    let case = cases::<Any>("verdict").into_iter().find(|case| case.name == "trusted-list");
    let case = case.unwrap();
    let verdict = verify(
        &receiver,
        case.message.as_deref().unwrap(),
        case.own.envelope(),
        case.now.unwrap(),
        |question| case.zone.lookup(question),
    );
    let json = json(&verdict);
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["spf"]["result"], "pass");
    assert_eq!(json["spf"]["mail_from"]["domain"], "attack.example");
    assert_eq!(json["dkim"]["signatures"], serde_json::json!([]));
    assert_eq!(json["arc"]["result"], "pass");
    assert_eq!(json["arc"]["oldest_pass"], 0);
    assert_eq!(json["arc"]["sets"][0]["domain"], "list.example");
    assert_eq!(json["arc"]["override"], serde_json::Value::Null);
    assert_eq!(json["dmarc"]["author_domain"], "legitimate.example");
    assert_eq!(json["dmarc"]["disposition"], "quarantine");
    assert_eq!(json["iprev"]["name"], "helo.attack.example");
}

proptest! {
    #[test]
    fn octets_of_any_kind_do_no_harm(
        message in proptest::collection::vec(any::<u8>(), 0..400),
        helo in "\\PC{0,20}",
        mail_from in "\\PC{0,40}",
    ) {
        let receiver = Receiver::new("mx.victim.example");
        let envelope = Envelope { ip: [192, 0, 2, 1].into(), helo: &helo, mail_from: &mail_from };
        let verdict = verify(&receiver, &message, envelope, 0, |_| Response::NxDomain);
        for field in verdict.fields(Some(&envelope), 0, Default::default()) {
            prop_assert!(field.is_ascii() && field.ends_with("\r\n"));
            let lines: Vec<&str> = field.trim_end().split("\r\n").collect();
            prop_assert!(lines.iter().skip(1).all(|line| line.starts_with([' ', '\t'])));
            prop_assert!(lines.iter().all(|line| !line.contains(['\r', '\n']) && line.len() <= 998));
        }
    }
}
