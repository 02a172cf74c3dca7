//! Properties: nothing panics, cutting does not matter, what is signed verifies.
#![allow(clippy::unwrap_used, reason = "tests")]

use mailproof_canonicalization::Canonicalization;
use mailproof_dkim::{
    Cause, DkimResult, EightBit, KeyRecord, Limits, Outcome, PrivateKey, Signature, Signer,
    Template, Verifier,
};
use mailproof_dns::{Answers, Data, Missing, Question, Response, resolve_blocking};
use mailproof_message::split;
use proptest::prelude::*;

const SEED: &[u8] = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const NOW: u64 = 1_700_000_000;

fn key_exists(_: &Question) -> Response {
    Response::records([Data::txt(RECORD)])
}

fn verify(message: &[u8], chunk: usize, lookup: fn(&Question) -> Response) -> Outcome {
    let (header, body) = split(message);
    let mut verifier = Verifier::new(&header, NOW);
    body.chunks(chunk).for_each(|chunk| verifier.body(chunk));
    let verification = verifier.finish();
    resolve_blocking(lookup, |answers| verification.verify(answers))
}

fn causes(outcome: &Outcome) -> Vec<Cause> {
    outcome.signatures.iter().map(|signature| signature.cause.clone()).collect()
}

fn canonicalization() -> impl Strategy<Value = Canonicalization> {
    prop_oneof![Just(Canonicalization::Simple), Just(Canonicalization::Relaxed)]
}

/// A DKIM-Signature field that is close to a good one.
fn near_signature() -> impl Strategy<Value = Vec<u8>> {
    let tag = prop_oneof![
        Just("v=1".to_owned()),
        Just("a=ed25519-sha256".to_owned()),
        Just("d=example.com".to_owned()),
        Just("s=sel".to_owned()),
        Just("h=from : to".to_owned()),
        Just("bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned()),
        Just("b=AAAA".to_owned()),
        "c=(relaxed|simple)(/relaxed)?",
        "l=[0-9]{1,80}",
        "[tx]=[0-9]{1,13}",
        "i=[a-z=@.;]{0,12}",
        "[a-z]{1,2}[ \r\n\t]{0,3}=[ -~]{0,9}",
    ];
    prop::collection::vec(tag, 0..12).prop_map(|tags| tags.join("; ").into_bytes())
}

proptest! {
    #[test]
    fn any_octets_are_judged(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Signature::parse(&octets, &Limits::default());
        let _ = KeyRecord::parse(&octets);
        let _ = PrivateKey::parse(&octets);
        verify(&octets, 64, key_exists);
    }

    #[test]
    fn a_refusal_points_into_the_value(value in near_signature()) {
        if let Err(error) = Signature::parse(&value, &Limits::default()) {
            prop_assert!(value.get(error.span).is_some());
        }
    }

    #[test]
    fn cutting_does_not_matter(
        field in near_signature(),
        body in "[ \t\r\na-c]{0,60}",
        chunk in 1_usize..20,
    ) {
        let message = [b"DKIM-Signature: ", &field[..], b"\r\nFrom: a@b.c\r\n\r\n", body.as_bytes()];
        let message = message.concat();
        let whole = verify(&message, usize::MAX, key_exists);
        prop_assert_eq!(causes(&whole), causes(&verify(&message, chunk, key_exists)));
    }

    #[test]
    fn what_is_signed_verifies(
        fields in prop::collection::vec("(To|Subject|X-A|Date): [ -~]{0,40}(\r\n [!-~]{1,30}){0,2}", 0..6),
        body in "([ -~\t]{0,30}\r\n){0,6}[ -~]{0,10}",
        header_form in canonicalization(),
        body_form in canonicalization(),
    ) {
        let mut message = b"From: joe@example.com\r\n".to_vec();
        for field in &fields {
            message.extend_from_slice(field.as_bytes());
            message.extend_from_slice(b"\r\n");
        }
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(body.as_bytes());
        let (header, body) = split(&message);
        let key = PrivateKey::parse(SEED).unwrap();
        let domain = "example.com".parse().unwrap();
        let mut template = Template::new(&key, domain, "sel".parse().unwrap(), NOW);
        template.header_canonicalization = header_form;
        template.body_canonicalization = body_form;
        let mut signer = Signer::new(&header, vec![template], EightBit::Refuse).unwrap();
        signer.body(body).unwrap();
        let signed = [signer.finish().unwrap().concat(), message.clone()].concat();
        prop_assert_eq!(verify(&signed, 9, key_exists).result(), DkimResult::Pass);
    }

    #[test]
    fn trouble_with_dns_is_never_a_verdict(field in near_signature()) {
        let message = [b"DKIM-Signature: ", &field[..], b"\r\nFrom: a@b.c\r\n\r\n"].concat();
        let failing = |_: &Question| Response::Failure(mailproof_dns::Failure::Timeout);
        for signature in verify(&message, 64, failing).signatures {
            let settled_without_key = matches!(
                signature.cause,
                Cause::Signature(_) | Cause::Expired { .. } | Cause::TimestampInFuture { .. }
            );
            prop_assert!(settled_without_key || signature.result() == DkimResult::Temperror);
        }
    }
}

#[test]
fn all_keys_are_asked_in_one_round_and_each_once() {
    let field = |selector: &str| {
        format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s={selector}; h=from; \
             bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
        )
    };
    let message = [field("a"), field("b"), field("a"), "From: a@b.c\r\n\r\n".into()].concat();
    let (header, _) = split(message.as_bytes());
    let verifier = Verifier::new(&header, NOW);
    let missing: Missing = verifier.keys(&Answers::new()).unwrap_err();
    let names: Vec<String> =
        missing.questions().iter().map(|question| question.name.to_string()).collect();
    assert_eq!(names, ["a._domainkey.example.com", "b._domainkey.example.com"]);
}

/// A thousand signatures cost ten verifications; those of the Author Domain come first.
#[test]
fn work_is_bounded_and_the_author_domain_first() {
    let field = |domain: &str| {
        format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; d={domain}; s=s; h=from; \
             bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
        )
    };
    let mut message: String = (0..40).map(|at| field(&format!("d{at}.example"))).collect();
    message.push_str(&field("mail.author.example"));
    message.extend((0..959).map(|at| field(&format!("e{at}.example"))));
    message.push_str("From: a@author.example\r\n\r\n");
    let outcome = verify(message.as_bytes(), 64, key_exists);
    assert_eq!(outcome.signatures.len(), 1000);
    let verified: Vec<usize> = outcome
        .signatures
        .iter()
        .enumerate()
        .filter(|(_, signature)| !matches!(signature.cause, Cause::Limit { .. }))
        .map(|(at, _)| at)
        .collect();
    assert_eq!(verified, [0, 1, 2, 3, 4, 5, 6, 7, 8, 40]);
}
