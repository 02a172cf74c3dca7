//! The corpus of failure diagnosis, and its properties.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write;

use mailproof_dkim::{
    Change, Diagnosis, DiagnosisLimits, Finding, Repair, Sha256, SignatureOutcome, Verifier,
    diagnose,
};
use mailproof_dns::{Answers, Zone};
use mailproof_testkit::{Answer, Case, run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Diagnosed {
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    header: String,
    body: String,
    #[serde(default)]
    changes: Vec<Told>,
}

/// A change: its keyword, and what its sentence contains.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    keyword: String,
    detail: String,
}

#[test]
fn corpus() {
    run("diagnosis", |case: &Case<Diagnosed>| {
        let message = case.message.as_deref().unwrap_or_default();
        let (outcome, answers) = verified(message, &case.zone, case.now.unwrap_or_default());
        let (header, body) = mailproof_message::split(message);
        let diagnosis = diagnose(&header, body, &outcome, &answers, &DiagnosisLimits::default());
        proved(&diagnosis, &outcome);
        let Expect { header, body, changes } = &case.own.expect;
        let mut expected = format!("header {header}, body {body}");
        for Told { keyword, detail } in changes {
            let _ = write!(expected, "; {keyword} {detail}");
        }
        Answer { expected, got: got(&diagnosis, changes) }
    });
}

fn got(diagnosis: &Diagnosis, told: &[Told]) -> String {
    let mut text = format!("header {}, body {}", word(&diagnosis.header), word(&diagnosis.body));
    for (index, change) in diagnosis.changes().enumerate() {
        let sentence = change.to_string();
        let detail = told.get(index).map(|told| told.detail.clone());
        let detail = detail.filter(|detail| sentence.contains(detail)).unwrap_or(sentence);
        let _ = write!(text, "; {} {detail}", change.keyword());
    }
    text
}

fn word(finding: &Finding) -> &'static str {
    match finding {
        Finding::Intact => "intact",
        Finding::Explained(_) => "explained",
        Finding::Unexplained(_) => "unexplained",
        Finding::Truncated { .. } => "truncated",
        Finding::NotExamined => "not-examined",
    }
}

/// The first signature of a message, and the answers that verifying it took.
fn verified(message: &[u8], zone: &Zone, now: u64) -> (SignatureOutcome, Answers) {
    let (header, body) = mailproof_message::split(message);
    let mut verifier = Verifier::new(&header, now);
    verifier.body(body);
    let verification = verifier.finish();
    zone.resolve(|answers| {
        let outcome = verification.verify(answers)?;
        Ok((outcome.signatures.into_iter().next().unwrap(), answers.clone()))
    })
}

/// What is claimed is true.
fn proved(diagnosis: &Diagnosis, outcome: &SignatureOutcome) {
    let signature = outcome.signature.as_ref().unwrap();
    if let Finding::Explained(Repair { hash_input, changes, .. }) = &diagnosis.body {
        let mut hash = Sha256::default();
        hash.update(hash_input);
        assert_eq!(hash.finish()[..], signature.body_hash, "{changes:?}");
    }
    let _: Option<&Change> = diagnosis.changes().next();
}
