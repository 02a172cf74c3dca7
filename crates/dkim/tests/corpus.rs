//! The DKIM corpus: result and cause of every signature, and of the message.

use std::fmt::Write;

use mailproof_dkim::{Cause, DkimResult, Outcome, Verifier};
use mailproof_testkit::{Answer, Case, run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Dkim {
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    result: String,
    cause: String,
    #[serde(default)]
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    result: String,
    cause: String,
    domain: Option<String>,
    selector: Option<String>,
    algorithm: Option<String>,
    key_bits: Option<usize>,
    testing: Option<bool>,
}

#[test]
fn corpus() {
    run("dkim", |case: &Case<Dkim>| {
        let (header, body) = mailproof_message::split(case.message.as_deref().unwrap_or_default());
        let mut verifier = Verifier::new(&header, case.now.unwrap_or(1_700_000_100));
        // Odd chunks, so that every case also shows that cutting does not matter.
        body.chunks(7).for_each(|chunk| verifier.body(chunk));
        let verification = verifier.finish();
        let outcome = case.zone.resolve(|answers| verification.verify(answers));
        Answer { expected: expected(&case.own.expect), got: got(&outcome, &case.own.expect) }
    });
}

fn expected(expect: &Expect) -> String {
    let mut text = format!("{} {}", expect.result, expect.cause);
    for signature in &expect.signatures {
        let Signature { result, cause, domain, selector, algorithm, key_bits, testing } = signature;
        let _ = write!(
            text,
            "; {result} {cause} {domain:?} {selector:?} {algorithm:?} {key_bits:?} {testing:?}"
        );
    }
    text
}

/// What came out, with the details that the case says something of.
fn got(outcome: &Outcome, expect: &Expect) -> String {
    let cause = outcome.cause().map_or("unsigned", Cause::keyword);
    let mut text = format!("{} {cause}", outcome.result());
    if !expect.signatures.is_empty() {
        for (index, judged) in outcome.signatures.iter().enumerate() {
            let wanted = expect.signatures.get(index);
            let domain = judged.domain.as_ref().map(ToString::to_string);
            let selector = judged.selector.as_ref().map(ToString::to_string);
            let algorithm = judged.signature.as_ref().map(|found| found.algorithm.to_string());
            let key_bits = judged.key.as_ref().map(|key| key.bits);
            let _ = write!(
                text,
                "; {} {} {:?} {:?} {:?} {:?} {:?}",
                judged.result(),
                judged.cause.keyword(),
                domain.filter(|_| wanted.is_some_and(|wanted| wanted.domain.is_some())),
                selector.filter(|_| wanted.is_some_and(|wanted| wanted.selector.is_some())),
                algorithm.filter(|_| wanted.is_some_and(|wanted| wanted.algorithm.is_some())),
                key_bits.filter(|_| wanted.is_some_and(|wanted| wanted.key_bits.is_some())),
                Some(judged.testing())
                    .filter(|_| wanted.is_some_and(|wanted| wanted.testing.is_some())),
            );
        }
    }
    debug_assert!(outcome.result() != DkimResult::None || outcome.signatures.is_empty());
    text
}
