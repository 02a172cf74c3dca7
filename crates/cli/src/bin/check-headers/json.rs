//! The verdicts as JSON; the schema is `docs/schema/check-headers.schema.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_cli::key_record::Excerpt;
use mailproof_dkim::{Diagnosis, SignatureOutcome, header_hash_input};
use mailproof_dns::Zone;
use serde::Serialize;

use crate::advice::advice;
use crate::check::Checked;
use crate::signed_fields::SignedFields;

/// The verdict on one message.
#[derive(Serialize)]
pub(crate) struct Message {
    input: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dkim: Option<Vec<Signature>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<Envelope>,
    /// The other methods, in the form of the façade.
    #[serde(flatten)]
    verdict: serde_json::Map<String, serde_json::Value>,
}

/// The envelope that SPF was checked with.
#[derive(Serialize)]
struct Envelope {
    ip: String,
    helo: String,
    mail_from: String,
    derived: Vec<String>,
}

#[derive(Serialize)]
struct Signature {
    result: &'static str,
    cause: &'static str,
    domain: Option<String>,
    selector: Option<String>,
    algorithm: Option<String>,
    key_bits: Option<usize>,
    testing: bool,
    why: Why,
}

#[derive(Serialize)]
struct Why {
    explanation: String,
    advice: Option<String>,
    changes: Vec<Change>,
    body: Option<Body>,
    header: Option<Header>,
    key_record: Option<Excerpt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical: Option<Canonical>,
}

/// What was done to the message on its way.
#[derive(Serialize)]
struct Change {
    kind: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Body {
    canonicalization: &'static str,
    octets: Option<u64>,
    unsigned_octets: Option<u64>,
    expected: String,
    computed: Option<String>,
    matches: Option<bool>,
}

#[derive(Serialize)]
struct Header {
    canonicalization: &'static str,
    present: Vec<String>,
    missing: Vec<String>,
    matches: Option<bool>,
}

#[derive(Serialize)]
struct Canonical {
    header: String,
    body: String,
    body_cut_off: bool,
}

impl Message {
    /// The verdict on the message of this name, or what is wrong with it.
    pub(crate) fn new(
        name: &str,
        checked: &Result<Checked, String>,
        zone: Option<&Zone>,
    ) -> Message {
        let input = name.to_owned();
        match checked {
            Err(reason) => Message {
                input,
                error: Some(reason.clone()),
                dkim: None,
                envelope: None,
                verdict: serde_json::Map::new(),
            },
            Ok(checked) => {
                let signatures = checked.dkim.signatures.iter();
                let dkim = signatures.map(|judged| Signature::new(checked, judged, zone));
                let envelope = checked.envelope.as_ref().ok().map(|envelope| Envelope {
                    ip: envelope.ip.to_string(),
                    helo: envelope.helo.clone(),
                    mail_from: envelope.mail_from.clone(),
                    derived: envelope.derived.clone(),
                });
                Message {
                    input,
                    error: None,
                    dkim: Some(dkim.collect()),
                    envelope: envelope.filter(|_| checked.verdict.is_some()),
                    verdict: others(checked),
                }
            }
        }
    }
}

/// What the façade says of every method but DKIM, of which this tool says more.
fn others(checked: &Checked) -> serde_json::Map<String, serde_json::Value> {
    let verdict = checked.verdict.as_ref().and_then(|verdict| serde_json::to_value(verdict).ok());
    let Some(serde_json::Value::Object(mut members)) = verdict else {
        return serde_json::Map::new();
    };
    members.remove("schema_version");
    members.remove("dkim");
    members
}

impl Signature {
    fn new(checked: &Checked, judged: &SignatureOutcome, zone: Option<&Zone>) -> Signature {
        let signature = judged.signature.as_ref();
        Signature {
            result: judged.result().keyword(),
            cause: judged.cause.keyword(),
            domain: judged.domain.as_ref().map(ToString::to_string),
            selector: judged.selector.as_ref().map(ToString::to_string),
            algorithm: signature.map(|signature| signature.algorithm.to_string()),
            key_bits: judged.key.as_ref().map(|key| key.bits),
            testing: judged.testing(),
            why: Why::new(checked, judged, zone),
        }
    }
}

impl Why {
    fn new(checked: &Checked, judged: &SignatureOutcome, zone: Option<&Zone>) -> Why {
        let signature = judged.signature.as_deref();
        let checks = judged.checks.as_ref();
        let diagnosis = checked.diagnosis(judged);
        let changes = diagnosis.iter().flat_map(Diagnosis::changes);
        Why {
            explanation: judged.cause.to_string(),
            advice: advice(judged, diagnosis.as_ref()),
            changes: changes
                .map(|change| Change { kind: change.keyword(), text: change.to_string() })
                .collect(),
            body: signature.map(|signature| Body {
                canonicalization: signature.body_canonicalization.keyword(),
                octets: checks.map(|checks| checks.body_octets),
                unsigned_octets: checks.map(|checks| checks.unsigned_octets),
                expected: STANDARD.encode(&signature.body_hash),
                computed: checks.map(|checks| STANDARD.encode(checks.body_hash)),
                matches: checks.map(|checks| checks.body_matches),
            }),
            header: signature.map(|signature| {
                let SignedFields { present, missing } =
                    SignedFields::of(&checked.header, judged.field, signature);
                Header {
                    canonicalization: signature.header_canonicalization.keyword(),
                    present,
                    missing,
                    matches: checks.map(|checks| checks.header_matches),
                }
            }),
            key_record: Excerpt::of(judged, &checked.answers, zone),
            canonical: signature.zip(checked.bodies.as_ref()).map(|(signature, bodies)| {
                let body = bodies.of(signature);
                let header = header_hash_input(&checked.header, judged.field, signature);
                Canonical {
                    header: STANDARD.encode(header),
                    body: STANDARD.encode(body.octets),
                    body_cut_off: body.cut_off,
                }
            }),
        }
    }
}
