//! The corpus of failure diagnosis, and its properties.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write;

use mailproof_dkim::{
    Canonicalization, Cause, Change, Diagnosis, DiagnosisLimits, EightBit, Exhausted, Finding,
    Limits, NoCache, PrivateKey, Repair, SealSignature, Sha256, Signature, SignatureOutcome,
    Signer, Template, Verifier, diagnose,
};
use mailproof_dns::{Answers, Question, Zone};
use mailproof_testkit::{Answer, Case, run};
use proptest::prelude::*;
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
        proved(&diagnosis, &outcome, &answers);
        let Expect { header, body, changes } = &case.own.expect;
        let mut expected = format!("header {header}, body {body}");
        for Told { keyword, detail } in changes {
            let _ = write!(expected, "; {keyword} {detail}");
        }
        Answer { expected, got: got(&diagnosis, changes) }
    });
}

fn got(diagnosis: &Diagnosis, told: &[Told]) -> String {
    let mut text =
        format!("header {}, body {}", diagnosis.header.keyword(), diagnosis.body.keyword());
    for (index, change) in diagnosis.changes().enumerate() {
        let sentence = change.to_string();
        let detail = told.get(index).map(|told| told.detail.clone());
        let detail = detail.filter(|detail| sentence.contains(detail)).unwrap_or(sentence);
        let _ = write!(text, "; {} {detail}", change.keyword());
    }
    text
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

/// What is claimed is true: the octets given as proof have the hash, or the signature is one over
/// them.
fn proved(diagnosis: &Diagnosis, outcome: &SignatureOutcome, answers: &Answers) {
    let Some(signature) = &outcome.signature else { return };
    let digest = |octets: &[u8]| {
        let mut hash = Sha256::default();
        hash.update(octets);
        hash.finish()
    };
    if let Finding::Explained(Repair { hash_input, changes, .. }) = &diagnosis.body {
        assert_eq!(digest(hash_input)[..], signature.body_hash, "{changes:?}");
        assert!(!changes.is_empty());
    }
    if let Finding::Explained(Repair { hash_input, changes, .. }) = &diagnosis.header {
        let seal = SealSignature {
            algorithm: signature.algorithm,
            signature: signature.signature.clone(),
            domain: signature.domain.clone(),
            selector: signature.selector.clone(),
            timestamp: signature.timestamp,
            key_name: signature.key_name.clone(),
            signature_span: signature.signature_span.clone(),
        };
        let key_name = changes.iter().find_map(|change| match change {
            Change::OtherSelector { key_name } => Some(key_name.parse().unwrap()),
            _ => None,
        });
        let key_name = key_name.unwrap_or_else(|| signature.key_name.clone());
        let key = answers.require(&Question::txt(key_name)).unwrap();
        let (cause, _) = seal.verify(&digest(hash_input), key, &Limits::default(), &NoCache);
        assert_eq!(cause, Cause::Verified, "{changes:?}");
        assert!(!changes.is_empty());
    }
}

const NOW: u64 = 1_700_000_000;
const SEED: &[u8] = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const ZONE: &str = "sel._domainkey.example.com. TXT \
                    \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"";
const HEADER: &str = "From: Alice <alice@example.com>\r\nTo: bob@example.net\r\n\
                      Subject: Lunch on Friday\r\n";

fn signature(header: &str, body: &[u8], form: Canonicalization, arc: bool) -> Vec<u8> {
    signature_as("sel", header, body, form, arc)
}

fn signature_as(
    selector: &str,
    header: &str,
    body: &[u8],
    form: Canonicalization,
    arc: bool,
) -> Vec<u8> {
    let parsed = mailproof_message::Header::parse(header);
    let key = PrivateKey::parse(SEED).unwrap();
    let domain = "example.com".parse().unwrap();
    let mut template = Template::new(&key, domain, selector.parse().unwrap(), NOW);
    template.header_canonicalization = form;
    template.body_canonicalization = form;
    let mut signer = match arc {
        true => Signer::arc(&parsed, template, 1, EightBit::Sign).unwrap(),
        false => Signer::new(&parsed, vec![template], EightBit::Sign).unwrap(),
    };
    signer.body(body).unwrap();
    signer.finish().unwrap().concat()
}

/// Signs, lets the header and the body be changed, and diagnoses.
fn changed(
    (header, body): (&str, &str),
    (now_header, now_body): (&str, &[u8]),
    form: Canonicalization,
    limits: &DiagnosisLimits,
) -> Diagnosis {
    let signature = signature(header, body.as_bytes(), form, false);
    let message = [&signature[..], now_header.as_bytes(), b"\r\n", now_body].concat();
    let (outcome, answers) = verified(&message, &Zone::parse(ZONE).unwrap(), NOW);
    let (header, body) = mailproof_message::split(&message);
    let diagnosis = diagnose(&header, body, &outcome, &answers, limits);
    proved(&diagnosis, &outcome, &answers);
    diagnosis
}

fn exhausted(finding: &Finding) -> Option<Exhausted> {
    match finding {
        Finding::Unexplained(excluded) => excluded.exhausted,
        _ => None,
    }
}

#[test]
fn every_budget_is_reached() {
    let tagged = HEADER.replace("Lunch", "Launch");
    let now = (&tagged[..], &b"Hallo\r\n"[..]);
    let with = |limits: DiagnosisLimits| {
        changed((HEADER, "Hello\r\n"), now, Canonicalization::Simple, &limits)
    };
    let all = DiagnosisLimits::default;
    let Diagnosis { header, body } = with(all());
    assert_eq!((exhausted(&header), exhausted(&body)), (None, None));
    let Diagnosis { header, body } = with(DiagnosisLimits { octets: 500, ..all() });
    assert_eq!(exhausted(&header), Some(Exhausted::Octets));
    assert_eq!(exhausted(&body), Some(Exhausted::Octets));
    let Diagnosis { header, body } = with(DiagnosisLimits { variants: 3, ..all() });
    assert_eq!(exhausted(&header), Some(Exhausted::Variants));
    assert_eq!(exhausted(&body), Some(Exhausted::Variants));
    let Finding::Unexplained(excluded) = header else { panic!() };
    assert_eq!(excluded.work.variants, 3);
    let Diagnosis { header, .. } = with(DiagnosisLimits { signatures: 7, ..all() });
    let Finding::Unexplained(excluded) = header else { panic!() };
    assert_eq!((excluded.exhausted, excluded.work.signatures), (Some(Exhausted::Signatures), 7));
}

#[test]
fn every_count_is_reached() {
    let all = DiagnosisLimits { signatures: 100, ..DiagnosisLimits::default() };
    let found = |header: &str, body: &str, limits: DiagnosisLimits| {
        let now = (header, body.as_bytes());
        changed((HEADER, "Hello\r\n"), now, Canonicalization::Relaxed, &limits).is_explained()
    };
    let footer = "Hello\r\nlist\r\nlist\r\nlist\r\n";
    assert!(found(HEADER, footer, DiagnosisLimits { footer_lines: 3, ..all.clone() }));
    assert!(!found(HEADER, footer, DiagnosisLimits { footer_lines: 2, ..all.clone() }));
    let banner = "CAUTION\r\nexternal\r\nHello\r\n";
    assert!(found(HEADER, banner, DiagnosisLimits { banner_lines: 2, ..all.clone() }));
    assert!(!found(HEADER, banner, DiagnosisLimits { banner_lines: 1, ..all.clone() }));
    let cc = format!("Cc: a@example.org\r\n{HEADER}");
    assert!(found(&cc, "Hello\r\n", DiagnosisLimits { fields: 1, ..all.clone() }));
    assert!(!found(&cc, "Hello\r\n", DiagnosisLimits { fields: 0, ..all.clone() }));
    assert!(found(&cc, "Hello\r\n", DiagnosisLimits { field_octets: 19, ..all.clone() }));
    assert!(!found(&cc, "Hello\r\n", DiagnosisLimits { field_octets: 18, ..all.clone() }));

    let header = format!("{HEADER}Content-Type: multipart/mixed; boundary=b\r\n");
    let part = "--b\r\n\r\ntext\r\n";
    let body = format!("{part}--b--\r\n");
    let now = body.replace("--b--", "--b\r\n\r\nlist\r\n--b--");
    for (parts, explained) in [(2, true), (1, false)] {
        let limits = DiagnosisLimits { parts, ..all.clone() };
        let now = (&header[..], now.as_bytes());
        let diagnosis = changed((&header, &body), now, Canonicalization::Relaxed, &limits);
        assert_eq!(diagnosis.is_explained(), explained);
    }
}

#[test]
fn what_was_excluded_is_told() {
    let now = (&HEADER.replace("Lunch", "Launch")[..], &b"Hallo\r\n"[..]);
    let limits = DiagnosisLimits { variants: 200, ..DiagnosisLimits::default() };
    let diagnosis = changed((HEADER, "Hello\r\n"), now, Canonicalization::Simple, &limits);
    let text = diagnosis.to_string();
    for told in ["subject-tag-added, ", "field-added, ", "footer-added, ", "line-ends, "] {
        assert!(text.contains(told), "{text}");
    }
    assert!(text.contains("the limit of variants"), "{text}");
    let Finding::Unexplained(excluded) = diagnosis.body else { panic!() };
    assert_eq!(excluded.exhausted, None);
}

/// Of two signatures the first names the selector of another key, which the second has had looked
/// up.
#[test]
fn the_key_of_another_selector() {
    const OTHER: &str = "new._domainkey.example.com. TXT \
                         \"v=DKIM1; k=ed25519; p=Ykn/uptUgJAYm9G7gsxcPA0nqDeD2lOHcdj5QGaIjhY=\"";
    let right = signature(HEADER, b"Hello\r\n", Canonicalization::Relaxed, false);
    let text = String::from_utf8(right.clone()).unwrap();
    let wrong = text.replace("s=sel;", "s=new;");
    assert_ne!(text, wrong);
    let zone = Zone::parse(&format!("{ZONE}\n{OTHER}")).unwrap();
    // The name of the selector is signed, so that this signature is of neither key.
    let message = [wrong.as_bytes(), &right, HEADER.as_bytes(), b"\r\nHello\r\n"].concat();
    let (outcome, answers) = verified(&message, &zone, NOW);
    let (header, body) = mailproof_message::split(&message);
    let diagnosis = diagnose(&header, body, &outcome, &answers, &DiagnosisLimits::default());
    assert!(matches!(diagnosis.header, Finding::Unexplained(_)), "{diagnosis}");
    // This one is signed as "new" with the key that is published as "sel".
    let wrong = signature_as("new", HEADER, b"Hello\r\n", Canonicalization::Relaxed, false);
    let message = [&wrong[..], &right, HEADER.as_bytes(), b"\r\nHello\r\n"].concat();
    let (outcome, answers) = verified(&message, &zone, NOW);
    let (header, body) = mailproof_message::split(&message);
    let diagnosis = diagnose(&header, body, &outcome, &answers, &DiagnosisLimits::default());
    proved(&diagnosis, &outcome, &answers);
    let changes: Vec<String> = diagnosis.changes().map(ToString::to_string).collect();
    let expected = "it is signed with the key at sel._domainkey.example.com, not with that of its \
                    selector (s=)";
    assert_eq!(changes, [expected]);
    // The same where nothing is published as "new", or the key was revoked.
    let revoked = "new._domainkey.example.com. TXT \"v=DKIM1; k=ed25519; p=\"";
    for zone in [ZONE.to_owned(), format!("{ZONE}\n{revoked}")] {
        let zone = Zone::parse(&zone).unwrap();
        let (outcome, answers) = verified(&message, &zone, NOW);
        assert_eq!(outcome.checks, None);
        let diagnosis = diagnose(&header, body, &outcome, &answers, &DiagnosisLimits::default());
        proved(&diagnosis, &outcome, &answers);
        let changes: Vec<String> = diagnosis.changes().map(ToString::to_string).collect();
        assert_eq!(changes, [expected]);
        // Of no key that is known there is nothing to tell.
        let changed = String::from_utf8(message.clone()).unwrap().replace("Lunch", "Launch");
        let (outcome, answers) = verified(changed.as_bytes(), &zone, NOW);
        let (header, body) = mailproof_message::split(changed.as_bytes());
        let diagnosis = diagnose(&header, body, &outcome, &answers, &DiagnosisLimits::default());
        assert_eq!(diagnosis.header, Finding::NotExamined);
        assert_eq!(diagnosis.body, Finding::NotExamined);
    }
}

#[test]
fn an_arc_message_signature_is_diagnosed() {
    let mut octets = signature(HEADER, b"Hello\r\n", Canonicalization::Simple, true);
    octets.extend_from_slice(HEADER.replace("Lunch", "[lunch] Lunch").as_bytes());
    octets.extend_from_slice(b"\r\nHello\r\nfooter\r\n");
    let (header, body) = mailproof_message::split(&octets);
    let value = header.fields().next().unwrap().value();
    let arc = Signature::parse_arc(value, &Limits::default()).unwrap();
    let signatures = [(0, arc)];
    let policy = mailproof_dkim::Policy::default();
    let mut verifier = Verifier::of_signatures(&header, signatures, NOW, policy, Limits::default());
    verifier.body(body);
    let verification = verifier.finish();
    Zone::parse(ZONE).unwrap().resolve(|answers| {
        let outcome = &verification.verify(answers)?.signatures[0];
        let limits = DiagnosisLimits::default();
        let diagnosis = diagnose(&header, body, outcome, answers, &limits);
        proved(&diagnosis, outcome, answers);
        let keywords: Vec<_> = diagnosis.changes().map(|change| change.keyword()).collect();
        assert_eq!(keywords, ["subject-tag-added", "footer-added"]);
        Ok(())
    });
}

fn form() -> impl Strategy<Value = Canonicalization> {
    prop_oneof![Just(Canonicalization::Simple), Just(Canonicalization::Relaxed)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_message_is_diagnosed(
        header in "((From|To|Subject|Cc|Content-Type|Reply-To|MIME-Version|Sender)?:?[ -~\t\r\n=?\"\\[<>]{0,40}\r\n){0,6}",
        body in prop::collection::vec(any::<u8>(), 0..300),
        z in "(\\|?[A-Za-z-]{0,8}:?[ -:<>-~=0-9A-F]{0,20}){0,3}",
        form in form(),
    ) {
        let mut own = signature(HEADER, b"Hello\r\n", form, false);
        let at = own.windows(2).position(|two| two == b"t=").unwrap();
        own.splice(at..at, format!("z={z}; ").into_bytes());
        let message = [&own[..], header.as_bytes(), b"\r\n", &body].concat();
        let (outcome, answers) = verified(&message, &Zone::parse(ZONE).unwrap(), NOW);
        let (header, body) = mailproof_message::split(&message);
        let limits = DiagnosisLimits { signatures: 50, ..DiagnosisLimits::default() };
        let diagnosis = diagnose(&header, body, &outcome, &answers, &limits);
        proved(&diagnosis, &outcome, &answers);
    }

    #[test]
    fn what_verifies_has_no_changes(
        body in "([ -~\t]{0,30}\r\n){0,6}[ -~]{0,10}",
        form in form(),
    ) {
        let now = (HEADER, body.as_bytes());
        let diagnosis = changed((HEADER, &body), now, form, &DiagnosisLimits::default());
        prop_assert_eq!(diagnosis, Diagnosis { body: Finding::Intact, header: Finding::Intact });
    }

    #[test]
    fn mime_of_any_shape_is_diagnosed(
        lines in prop::collection::vec(prop_oneof![
            Just("--b"), Just("--b--"), Just("--c"), Just("--c--"), Just(""), Just("text"),
            Just("Content-Type: multipart/x; boundary=c"), Just("Content-Type: text/plain"),
            Just("Content-Transfer-Encoding: base64"), Just("Zm9v"), Just("=C3=BC="),
            Just("Content-Transfer-Encoding: quoted-printable"), Just(".."), Just(">From "),
        ], 0..20),
        end in prop_oneof![Just("\r\n"), Just("\n"), Just("\r\r\n")],
        encoding in prop_oneof![Just("base64"), Just("quoted-printable"), Just("8bit")],
    ) {
        let header = format!(
            "{HEADER}Content-Type: multipart/mixed; boundary=\"b\"\r\n\
             Content-Transfer-Encoding: {encoding}\r\n"
        );
        let limits = DiagnosisLimits { signatures: 20, ..DiagnosisLimits::default() };
        let body = lines.join(end);
        let now = (&header[..], body.as_bytes());
        changed((HEADER, "Hello\r\n"), now, Canonicalization::Relaxed, &limits);
    }

    #[test]
    fn a_footer_is_found(
        body in "([!-~]{1,30}\r\n){1,6}",
        footer in "([!-~]{1,30}\r\n){1,6}",
        form in form(),
    ) {
        let now = (HEADER, &[body.as_bytes(), footer.as_bytes()].concat()[..]);
        let diagnosis = changed((HEADER, &body), now, form, &DiagnosisLimits::default());
        let keywords: Vec<_> = diagnosis.changes().map(|change| change.keyword()).collect();
        prop_assert_eq!(keywords, ["footer-added"]);
    }
}
