//! A chain is judged alike however the body is cut, and a set that nobody signed never passes.
#![no_main]

use mailproof_arc::{ChainStatus, Limits, Outcome, Validator};
use mailproof_dns::resolve_blocking;
use mailproof_fuzz::key;
use mailproof_message::split;

fn judge(octets: &[u8], chunk: usize) -> Outcome {
    let (header, body) = split(octets);
    let mut validator = Validator::new(&header, 1_700_000_100);
    body.chunks(chunk).for_each(|chunk| validator.body(chunk));
    let validation = validator.finish();
    let mut asked = 0;
    let outcome = resolve_blocking(
        |question| {
            asked += 1;
            key(question)
        },
        |answers| validation.validate(answers),
    );
    assert_eq!(asked > 0, !outcome.sets.is_empty());
    let limits = Limits::default();
    assert!(asked <= limits.key_names + limits.older_signatures);
    outcome
}

fn fields(instance: usize) -> String {
    let tags = format!("i={instance}; a=rsa-sha256; d=a.example; s=r; b=AAAA");
    format!(
        "ARC-Seal: {tags}; cv=pass\r\nARC-Message-Signature: {tags}; h=from; bh=AAAA\r\n\
         ARC-Authentication-Results: i={instance}; mx.a.example; dmarc=pass\r\n"
    )
}

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let outcome = judge(octets, 3);
    assert_eq!(outcome.cause, judge(octets, 4096).cause);
    assert!(outcome.oldest_pass.is_none() || outcome.result() == ChainStatus::Pass);
    assert!(outcome.sets.iter().map(|set| usize::from(set.instance())).eq(1..=outcome.sets.len()));
    let forged = [fields(outcome.sets.len() + 1).as_bytes(), octets].concat();
    assert_ne!(judge(&forged, 4096).result(), ChainStatus::Pass);
});
