//! The sealing cases: the three fields, and that the sealed message validates.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_arc::{
    ChainStatus, Outcome, Payload, SealRefusal, SealTemplate, SealedSet, Sealer, Validator,
};
use mailproof_authres::AuthservId;
use mailproof_dkim::{EightBit, FieldSelection, PrivateKey};
use mailproof_testkit::{Answer, Case, run, testdata};
use serde::Deserialize;

#[derive(Deserialize)]
struct Seal {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
struct Input {
    domain: String,
    selector: String,
    fields: Vec<String>,
    authserv_id: String,
}

/// The values of the fields; empty where no set may be made.
#[derive(Deserialize)]
struct Expect {
    authentication_results: String,
    message_signature: String,
    seal: String,
}

#[test]
fn corpus() {
    run("arc/seal", |case: &Case<Seal>| {
        let message = case.message.as_deref().unwrap();
        let before = validate(case, message);
        let sealed = match seal(case, message, before.result()) {
            Ok(sealed) => sealed,
            Err(refusal) => {
                assert_eq!(refusal, SealRefusal::FailedBefore);
                let expected = case.own.expect.seal.clone();
                return Answer { expected, got: String::new() };
            }
        };
        let after = validate(case, &[sealed.concat(), message.to_vec()].concat());
        // A set that says fail makes a chain fail for that and for nothing else.
        let (result, cause) = match before.result() {
            ChainStatus::Fail => (ChainStatus::Fail, "failed-before"),
            ChainStatus::None | ChainStatus::Pass => (ChainStatus::Pass, "valid"),
        };
        assert_eq!((after.result(), after.cause.keyword()), (result, cause));
        let Expect { authentication_results, message_signature, seal } = &case.own.expect;
        Answer {
            expected: [authentication_results, message_signature, seal]
                .map(|value| tags(value).join("; "))
                .join("\n"),
            got: [&sealed.authentication_results, &sealed.message_signature, &sealed.seal]
                .map(|field| tags(value(field)).join("; "))
                .join("\n"),
        }
    });
}

/// The suite's own sets, put on its messages, validate: what we validate and what others seal is
/// the same.
#[test]
fn expected_sets_validate() {
    run("arc/seal", |case: &Case<Seal>| {
        let message = case.message.as_deref().unwrap();
        let Expect { authentication_results, message_signature, seal } = &case.own.expect;
        let before = validate(case, message).result();
        if seal.is_empty() || before == ChainStatus::Fail {
            return Answer { expected: String::new(), got: String::new() };
        }
        // The suite's sealer writes b= without folds and one space after each semicolon.
        let field = |name: &str, value: &str| {
            let tag = |tag: &str| {
                let space = if tag.trim_start().starts_with("b=") { "" } else { " " };
                tag.split_ascii_whitespace().collect::<Vec<_>>().join(space)
            };
            let value = value.split(';').map(tag).collect::<Vec<_>>().join("; ");
            format!("{name}: {value}\r\n").into_bytes()
        };
        let set = SealedSet {
            seal: field("ARC-Seal", seal),
            message_signature: field("ARC-Message-Signature", message_signature),
            authentication_results: field("ARC-Authentication-Results", authentication_results),
        };
        let outcome = validate(case, &[set.concat(), message.to_vec()].concat());
        Answer { expected: "pass".to_owned(), got: outcome.result().to_string() }
    });
}

fn validate(case: &Case<Seal>, message: &[u8]) -> Outcome {
    let (header, body) = mailproof_message::split(message);
    let mut validator = Validator::new(&header, case.now.unwrap());
    validator.body(body);
    let validation = validator.finish();
    case.zone.resolve(|answers| validation.validate(answers))
}

fn seal(case: &Case<Seal>, message: &[u8], status: ChainStatus) -> Result<SealedSet, SealRefusal> {
    let Input { domain, selector, fields, authserv_id } = &case.own.input;
    let key = std::fs::read(testdata("keys/arc-suite.pem")).unwrap();
    let key = PrivateKey::parse(&key).unwrap();
    let (header, body) = mailproof_message::split(message);
    let results = Payload::combined(&header, &AuthservId::new(authserv_id)).unwrap();
    let template = SealTemplate {
        fields: FieldSelection { sign: fields.clone(), oversign: vec![] },
        ..SealTemplate::new(
            &key,
            domain.parse().unwrap(),
            selector.parse().unwrap(),
            case.now.unwrap(),
        )
    };
    let mut sealer = Sealer::new(&header, template, EightBit::Refuse)?;
    body.chunks(5).try_for_each(|chunk| sealer.body(chunk))?;
    sealer.finish(&results, status)
}

fn value(field: &[u8]) -> &str {
    std::str::from_utf8(field).unwrap().split_once(':').unwrap().1
}

/// The tags in order of their names, without white space, and without b=, which depends on the
/// order and the folds that a sealer writes.
fn tags(value: &str) -> Vec<String> {
    let compact: String = value.split_ascii_whitespace().collect();
    let mut tags: Vec<String> = compact.split(';').map(str::to_owned).collect();
    tags.retain(|tag| !tag.starts_with("b="));
    tags.sort();
    tags
}
