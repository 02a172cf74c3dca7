//! A message is judged, and alike however its body is cut.
#![no_main]

use mailproof_dkim::{Outcome, Verifier};
use mailproof_dns::{Data, Question, Response, resolve_blocking};
use mailproof_message::split;

/// Every selector has a key; the first letter of the name says of which kind.
fn lookup(question: &Question) -> Response {
    let first = question.name.labels().next().and_then(|label| label.first().copied());
    match first {
        Some(b'a'..=b'c') => Response::NxDomain,
        Some(b'd'..=b'm') => Response::records([Data::txt(
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        )]),
        _ => Response::records([Data::txt(concat!(
            "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id",
            "Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lx",
            "j+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
        ))]),
    }
}

fn judge(octets: &[u8], chunk: usize) -> Outcome {
    let (header, body) = split(octets);
    let mut verifier = Verifier::new(&header, 1_700_000_100);
    body.chunks(chunk).for_each(|chunk| verifier.body(chunk));
    let verification = verifier.finish();
    resolve_blocking(lookup, |answers| verification.verify(answers))
}

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let causes = |outcome: Outcome| -> Vec<_> {
        outcome.signatures.into_iter().map(|signature| signature.cause).collect()
    };
    assert_eq!(causes(judge(octets, 3)), causes(judge(octets, 4096)));
});
