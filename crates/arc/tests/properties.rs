//! What holds for every message.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::HashMap;

use mailproof_arc::{
    ArcAuthenticationResults, ArcField, ArcMessageSignature, ArcSeal, ChainStatus, Outcome,
    Payload, SealRefusal, SealTemplate, Sealer, TrustedSealers, Validator,
};
use mailproof_authres::{AuthenticationResults, Charset, Method, MethodResult, Ptype, ResultCode};
use mailproof_dkim::{EightBit, PrivateKey};
use mailproof_dns::{Answers, Question, Response, Zone};
use mailproof_testkit::{Case, cases};
use proptest::prelude::*;
use serde::Deserialize;

const NOW: u64 = 1_700_000_100;
const ZONE: &str = "s._domainkey.one.example. TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n\
     s._domainkey.two.example. TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"";
const MESSAGE: &[u8] = b"From: joe@author.example\r\nSubject: lunch\r\n\r\nAt noon?\r\n";

/// What the cases expect is the business of the corpus test.
#[derive(Deserialize)]
struct Any {
    #[serde(rename = "expect")]
    _expect: HashMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(#[expect(dead_code, reason = "read over")] String),
    Number(#[expect(dead_code, reason = "read over")] u64),
    Bool(#[expect(dead_code, reason = "read over")] bool),
    List(#[expect(dead_code, reason = "read over")] Vec<String>),
}

fn validate(message: &[u8], chunk: usize, answer: impl Fn(&Question) -> Response) -> Outcome {
    let (header, body) = mailproof_message::split(message);
    let mut validator = Validator::new(&header, NOW);
    body.chunks(chunk).for_each(|chunk| validator.body(chunk));
    let validation = validator.finish();
    mailproof_dns::resolve_blocking(answer, |answers| validation.validate(answers))
}

fn seal(message: &[u8], domain: &str, results: &AuthenticationResults) -> Vec<u8> {
    let zone = Zone::parse(ZONE).unwrap();
    let status = validate(message, 10, |question| zone.lookup(question)).result();
    try_seal(message, domain, results, status).unwrap()
}

fn try_seal(
    message: &[u8],
    domain: &str,
    results: &AuthenticationResults,
    status: ChainStatus,
) -> Result<Vec<u8>, SealRefusal> {
    // RFC 8463 A.2.
    let key = PrivateKey::parse(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
    let (header, body) = mailproof_message::split(message);
    let (domain, selector) = (domain.parse().unwrap(), "s".parse().unwrap());
    let template = SealTemplate::new(&key, domain, selector, NOW);
    let mut sealer = Sealer::new(&header, template, EightBit::Sign)?;
    sealer.body(body)?;
    let set = sealer.finish(&Payload::of(results, Charset::Ascii), status)?;
    Ok([set.concat(), message.to_vec()].concat())
}

fn dmarc(result: ResultCode, domain: &str) -> AuthenticationResults {
    let result = MethodResult::new(Method::Dmarc, result).with(Ptype::Header, "from", domain);
    AuthenticationResults::new("mx.one.example").with(result)
}

fn text(outcome: &Outcome) -> String {
    format!("{outcome:?}")
}

#[test]
fn one_answer_at_a_time_is_all_at_once() {
    for case in cases::<Any>("arc") {
        let Case { zone, message, now, .. } = &case;
        let (header, body) = mailproof_message::split(message.as_deref().unwrap());
        let mut validator = Validator::new(&header, now.unwrap());
        validator.body(body);
        let validation = validator.finish();
        let mut answers = Answers::new();
        let mut rounds = 0;
        let outcome = loop {
            match validation.validate(&answers) {
                Ok(outcome) => break outcome,
                Err(missing) => {
                    // All keys are named in the first round; the later ones name what is left.
                    let mut questions = missing.into_questions();
                    assert!(rounds == 0 || questions.len() < 20, "{}", case.name);
                    assert!(questions.len() <= 20, "{}", case.name);
                    let question = questions.pop().unwrap();
                    let response = zone.lookup(&question);
                    answers.insert(question, response);
                    rounds += 1;
                }
            }
        };
        let at_once = zone.resolve(|answers| validation.validate(answers));
        assert_eq!(text(&outcome), text(&at_once), "{}", case.name);
    }
}

#[test]
fn what_is_not_in_order_asks_nothing() {
    for case in cases::<Any>("arc") {
        let message = case.message.as_deref().unwrap();
        let asked = std::cell::Cell::new(0);
        let outcome = validate(message, 1000, |question| {
            asked.set(asked.get() + 1);
            case.zone.lookup(question)
        });
        assert_eq!(asked.get() > 0, !outcome.sets.is_empty(), "{}", case.name);
    }
}

#[test]
fn a_changed_octet_never_makes_a_chain_pass_that_did_not() {
    let sealed = seal(MESSAGE, "one.example", &dmarc(ResultCode::Pass, "author.example"));
    let zone = Zone::parse(ZONE).unwrap();
    let header_end = sealed.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let mut passes = 0;
    for at in (0..header_end).step_by(3) {
        let mut changed = sealed.clone();
        changed[at] ^= 2;
        let outcome = validate(&changed, 1000, |question| zone.lookup(question));
        // Names of fields are caseless and base64 may have stray bits; all else counts.
        passes += usize::from(outcome.result() == ChainStatus::Pass);
    }
    assert_eq!(passes, 0);
}

#[test]
fn sealing_goes_on_until_fifty() {
    let results = dmarc(ResultCode::Pass, "author.example");
    let mut message = MESSAGE.to_vec();
    for _ in 0..50 {
        message = seal(&message, "one.example", &results);
    }
    let refusal = try_seal(&message, "one.example", &results, ChainStatus::Pass);
    assert_eq!(refusal, Err(SealRefusal::TooManySets(50)));
}

#[test]
fn what_is_not_sealed() {
    let results = dmarc(ResultCode::Pass, "author.example");
    let refusal = |message: &[u8], status| {
        try_seal(message, "one.example", &results, status).map(|_| ()).unwrap_err()
    };
    let once = seal(MESSAGE, "one.example", &results);
    for (message, status) in
        [(MESSAGE, ChainStatus::Pass), (MESSAGE, ChainStatus::Fail), (&once, ChainStatus::None)]
    {
        assert_eq!(refusal(message, status), SealRefusal::StatusMismatch(status));
    }
    let failed = try_seal(&once, "two.example", &results, ChainStatus::Fail).unwrap();
    assert_eq!(refusal(&failed, ChainStatus::Fail), SealRefusal::FailedBefore);
    let broken = [b"ARC-Seal: i=7; cv=pass\r\n", &once[..]].concat();
    assert!(matches!(refusal(&broken, ChainStatus::Pass), SealRefusal::Structure(_)));
    // A set on top of a broken chain gets the next number, and says fail.
    let marked = try_seal(&broken, "two.example", &results, ChainStatus::Fail).unwrap();
    assert!(marked.starts_with(b"ARC-Seal: i=8; a=ed25519-sha256; cv=fail;"));
}

/// Local policy (RFC 8617 7.2.1): what it takes for a chain to speak for a message.
#[test]
fn an_override_needs_every_sealer_trusted() {
    let zone = Zone::parse(ZONE).unwrap();
    let trust = |domains: &[&str]| {
        TrustedSealers::new(domains.iter().map(|domain| domain.parse().unwrap()))
    };
    let found = |message: &[u8], trusted: &TrustedSealers, author: &str| {
        let outcome = validate(message, 1000, |question| zone.lookup(question));
        let (header, _) = mailproof_message::split(message);
        trusted.dmarc_override(&outcome, &header, &author.parse().unwrap())
    };
    let passed = dmarc(ResultCode::Pass, "author.example").with(
        MethodResult::new(Method::Arc, ResultCode::None).with(
            Ptype::Smtp,
            "remote-ip",
            "2001:db8::1a",
        ),
    );
    let once = seal(MESSAGE, "one.example", &passed);
    let twice = seal(&once, "two.example", &dmarc(ResultCode::Fail, "author.example"));
    let both = trust(&["one.example", "two.example"]);
    let chain = found(&twice, &both, "author.example").unwrap();
    assert_eq!(
        chain.comment,
        "arc=pass as[2].d=two.example as[2].s=s as[1].d=one.example as[1].s=s \
         remote-ip[1]=2001:db8::1a"
    );
    assert_eq!(chain.first_sealer.to_string(), "one.example");
    assert_eq!(found(&twice, &trust(&["two.example"]), "author.example"), None);
    assert_eq!(found(&twice, &trust(&["one.example"]), "author.example"), None);
    assert_eq!(found(&twice, &TrustedSealers::default(), "author.example"), None);
    assert_eq!(found(&twice, &both, "other.example"), None);
    let changed = [&twice[..], b"PS\r\n"].concat();
    assert_eq!(found(&changed, &both, "author.example"), None);
    let second_from = [b"From: eve@author.example\r\n", &twice[..]].concat();
    assert_eq!(found(&second_from, &both, "author.example"), None);
    let failed = seal(MESSAGE, "one.example", &dmarc(ResultCode::Fail, "author.example"));
    assert_eq!(found(&failed, &both, "author.example"), None);
}

/// A sealer that does not oversign From leaves room for a second one above, and the chain passes.
#[test]
fn a_second_author_is_nobodys_word() {
    let case = cases::<Any>("arc").into_iter().find(|case| case.name == "instance-first").unwrap();
    let trusted = TrustedSealers::new(["one.example".parse().unwrap()]);
    let found = |message: &[u8]| {
        let outcome = validate(message, 1000, |question| case.zone.lookup(question));
        assert_eq!(outcome.result(), ChainStatus::Pass);
        let (header, _) = mailproof_message::split(message);
        trusted.dmarc_override(&outcome, &header, &"example.com".parse().unwrap())
    };
    let message = case.message.clone().unwrap();
    assert!(found(&message).is_some());
    assert_eq!(found(&[b"From: eve@example.com\r\n", &message[..]].concat()), None);
}

#[test]
fn results_that_others_wrote_stay_out_of_ours() {
    let header = mailproof_message::Header::parse(
        &b"Authentication-Results: mx.one.example; spf=pass (by \"us\") smtp.mailfrom=a.example\r\n\
           Authentication-Results: evil.example; dmarc=pass\r\n\
           Authentication-Results: MX.one.example 2; dmarc=pass\r\n\
           Authentication-Results: (;) \"mx.one.example\" 1 ; dkim=fail\r\n\
           Authentication-Results: mx.one.example; none\r\n\
           Authentication-Results: mx.one.example; arc=none; <script>\r\n"[..],
    );
    let payload = Payload::combined(&header, &mailproof_authres::AuthservId::new("mx.one.example"));
    let sealed = format!("{payload:?}");
    assert!(!sealed.contains("evil") && !sealed.contains("script"), "{sealed}");
}

proptest! {
    #[test]
    fn octets_of_any_kind_do_no_harm(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = ArcAuthenticationResults::parse(&octets);
        let _ = ArcSeal::parse(&octets);
        let _ = ArcMessageSignature::parse(&octets, &mailproof_dkim::Limits::default());
        validate(&octets, 7, |_| Response::NxDomain);
    }

    #[test]
    fn fields_of_any_kind_do_no_harm(
        fields in proptest::collection::vec(
            (0_usize..3, "([a-z]{1,2}=[a-z0-9 ]{0,9};? ?|i=[0-9]{1,2}; |cv=(none|pass|fail); |\\(|\r\n ){0,6}"),
            0..12,
        ),
    ) {
        let mut message = String::new();
        for (kind, value) in fields {
            message.push_str(&format!("{}: {value}\r\n", ArcField::ALL[kind]));
        }
        let outcome = validate(message.as_bytes(), 7, |_| Response::NxDomain);
        prop_assert_ne!(outcome.result(), ChainStatus::Pass);
    }

    #[test]
    fn how_the_body_is_cut_does_not_matter(
        body in "([a-z ]{0,3}|\r\n|\r|\n|\t){0,20}",
        chunk in 1_usize..9,
    ) {
        let message = [b"From: joe@author.example\r\n\r\n", body.as_bytes()].concat();
        let results = dmarc(ResultCode::Pass, "author.example");
        // A body with a bare CR or LF is not sealed.
        if let Ok(sealed) = try_seal(&message, "one.example", &results, ChainStatus::None) {
            let zone = Zone::parse(ZONE).unwrap();
            let outcome = validate(&sealed, chunk, |question| zone.lookup(question));
            prop_assert_eq!(outcome.result(), ChainStatus::Pass);
        }
    }
}
