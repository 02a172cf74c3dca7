//! What the signer writes: to the octet, verifiable, and not at all where it must not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_canonicalization::Canonicalization;
use mailproof_dkim::{
    DkimResult, EightBit, FieldSelection, Identity, Outcome, PrivateKey, Refusal, Signer, Template,
    Verifier,
};
use mailproof_dns::Zone;
use mailproof_message::split;

const NOW: u64 = 1_700_000_000;
const MESSAGE: &[u8] = b"From: Joe <joe@example.com>\r\nTo: Suzie <suzie@example.net>\r\n\
    Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
    Message-ID: <20030712040037.46341@example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.\r\n";

fn key(file: &str) -> PrivateKey {
    let path = mailproof_testkit::testdata("keys").join(file);
    PrivateKey::parse(&std::fs::read(path).unwrap()).unwrap()
}

/// The key records of RFC 8463 A.2, whose private keys sign here.
fn zone() -> Zone {
    let text = include_str!("rfc8463.zone");
    Zone::parse(text).unwrap()
}

fn template<'k>(key: &'k PrivateKey, selector: &str) -> Template<'k> {
    Template::new(key, "football.example.com".parse().unwrap(), selector.parse().unwrap(), NOW)
}

fn sign(message: &[u8], templates: Vec<Template<'_>>) -> Result<Vec<u8>, Refusal> {
    let (header, body) = split(message);
    let mut signer = Signer::new(&header, templates, EightBit::Refuse)?;
    body.chunks(5).try_for_each(|chunk| signer.body(chunk))?;
    Ok(signer.finish()?.concat())
}

fn verify(message: &[u8]) -> Outcome {
    let (header, body) = split(message);
    let mut verifier = Verifier::new(&header, NOW + 60);
    verifier.body(body);
    let verification = verifier.finish();
    zone().resolve(|answers| verification.verify(answers))
}

#[test]
fn to_the_octet() {
    let key = key("rfc8463.seed");
    let mut template = template(&key, "brisbane");
    template.identity =
        Some(Identity { local_part: b"joe;=".to_vec(), domain: template.domain.clone() });
    template.valid_for = Some(604_800);
    // Both algorithms are deterministic (RFC 8032 5.1.6, RFC 8017 8.2), so the octets are fixed.
    let expected = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n\
        \td=football.example.com; s=brisbane; t=1700000000; x=1700604800;\r\n\
        \ti=joe=3B=3D@football.example.com; h=from:from:sender:reply-to:to:to:\r\n\
        \tcc:subject:subject:date:date:message-id:message-id:in-reply-to:\r\n\
        \treferences:mime-version:content-type:content-transfer-encoding;\r\n\
        \tbh=sTT02lKuPAH1nGYBiIjR27DGuCuXdYrdO56uQNzQX+8=; b=";
    let written = String::from_utf8(sign(MESSAGE, vec![template]).unwrap()).unwrap();
    assert!(written.starts_with(expected), "{written}");
    assert!(written.ends_with("==\r\n"), "{written}");
    for line in written.split("\r\n") {
        let columns: usize = line.chars().map(|char| if char == '\t' { 8 } else { 1 }).sum();
        assert!(columns <= 78, "{columns} columns: {line}");
    }
}

#[test]
fn two_algorithms_every_canonicalization_one_pass() {
    let (ed25519, rsa) = (key("rfc8463.seed"), key("rfc8463-rsa.pem"));
    let forms = [Canonicalization::Simple, Canonicalization::Relaxed];
    let mut templates = Vec::new();
    for header in forms {
        for body in forms {
            for (key, selector) in [(&ed25519, "brisbane"), (&rsa, "test")] {
                let mut template = template(key, selector);
                template.header_canonicalization = header;
                template.body_canonicalization = body;
                templates.push(template);
            }
        }
    }
    let signed = [sign(MESSAGE, templates).unwrap(), MESSAGE.to_vec()].concat();
    let outcome = verify(&signed);
    let results: Vec<DkimResult> = outcome.signatures.iter().map(|one| one.result()).collect();
    assert_eq!(results, [DkimResult::Pass; 8]);
    // A relay that re-folds and appends white space: relaxed stays, simple breaks.
    let relayed = String::from_utf8(signed).unwrap().replace("Subject: Is", "Subject:  Is");
    let passing = verify(relayed.as_bytes()).passing_domains().count();
    assert_eq!(passing, 4);
}

#[test]
fn nothing_can_be_added() {
    let key = key("rfc8463.seed");
    let signed = [sign(MESSAGE, vec![template(&key, "brisbane")]).unwrap(), MESSAGE.to_vec()];
    let signed = signed.concat();
    assert_eq!(verify(&signed).result(), DkimResult::Pass);
    for field in ["From: eve@example.org", "Subject: x", "Reply-To: eve@example.org", "Cc: eve@a"] {
        let forged = [field.as_bytes(), b"\r\n", &signed].concat();
        assert_eq!(verify(&forged).result(), DkimResult::Fail, "{field}");
    }
    let forged = [b"X-Other: x\r\n", &signed[..]].concat();
    assert_eq!(verify(&forged).result(), DkimResult::Pass);
}

#[test]
fn what_must_not_be_signed() {
    let key = key("rfc8463.seed");
    let refused = |message: &[u8]| sign(message, vec![template(&key, "s")]).unwrap_err();
    assert_eq!(refused(b"Subject: x\r\n\r\n"), Refusal::FromCount(0));
    assert_eq!(refused(b"From: a@b.c\r\nFrom: a@b.c\r\n\r\n"), Refusal::FromCount(2));
    assert_eq!(refused(b"From: a@b.c\r\nno colon\r\n\r\n"), Refusal::MalformedField(2));
    assert_eq!(refused(b"From: a@b.c\r\nSubject: a\nb\r\n\r\n"), Refusal::BareLineEnd);
    assert_eq!(refused(b"From: a@b.c\r\n\r\na\rb\r\n"), Refusal::BareLineEnd);
    assert_eq!(refused(b"From: a@b.c\r\n\r\na\r"), Refusal::BareLineEnd);
    assert_eq!(refused("From: a@b.c\r\n\r\ncafé\r\n".as_bytes()), Refusal::EightBit);
    assert_eq!(refused("From: é@b.c\r\n\r\n".as_bytes()), Refusal::EightBit);
    let long = [b"From: a@b.c\r\n\r\n".to_vec(), vec![b'x'; 999]].concat();
    assert_eq!(refused(&long), Refusal::LineTooLong);
}

#[test]
fn what_no_signature_can_say() {
    let key = key("rfc8463.seed");
    let refused = |change: fn(&mut Template<'_>)| {
        let mut template = template(&key, "s");
        change(&mut template);
        sign(MESSAGE, vec![template]).unwrap_err()
    };
    let none = FieldSelection { sign: vec!["To".into()], oversign: Vec::new() };
    let mut template = template(&key, "s");
    template.fields = none;
    assert_eq!(sign(MESSAGE, vec![template]).unwrap_err(), Refusal::FromNotSigned);
    assert_eq!(
        refused(|template| template.fields.sign.push("a:b".into())),
        Refusal::FieldName("a:b".into())
    );
    assert_eq!(
        refused(|template| template.domain = "localhost".parse().unwrap()),
        Refusal::SingleLabelDomain("localhost".parse().unwrap())
    );
    assert_eq!(refused(|template| template.valid_for = Some(0)), Refusal::NoValidity);
    assert!(matches!(
        refused(|template| template.identity =
            Some(Identity { local_part: Vec::new(), domain: "example.org".parse().unwrap() })),
        Refusal::DomainMismatch { .. }
    ));
    let label = "a".repeat(63);
    let long = format!("{label}.{label}.{label}");
    let mut template = self::template(&key, &long);
    template.domain = format!("{label}.example").parse().unwrap();
    assert_eq!(sign(MESSAGE, vec![template]).unwrap_err(), Refusal::KeyNameTooLong);
}
