//! A message is judged, and alike however its body is cut.
#![no_main]

use mailproof_dkim::{Outcome, Verifier};
use mailproof_dns::resolve_blocking;
use mailproof_fuzz::key;
use mailproof_message::split;

fn judge(octets: &[u8], chunk: usize) -> Outcome {
    let (header, body) = split(octets);
    let mut verifier = Verifier::new(&header, 1_700_000_100);
    body.chunks(chunk).for_each(|chunk| verifier.body(chunk));
    let verification = verifier.finish();
    resolve_blocking(key, |answers| verification.verify(answers))
}

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let causes = |outcome: Outcome| -> Vec<_> {
        outcome.signatures.into_iter().map(|signature| signature.cause).collect()
    };
    assert_eq!(causes(judge(octets, 3)), causes(judge(octets, 4096)));
});
