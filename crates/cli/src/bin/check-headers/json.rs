//! The verdicts as JSON; the schema is `docs/schema/check-headers.schema.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_cli::key_record::Excerpt;
use mailproof_dkim::{Diagnosis, Finding, SignatureOutcome, header_hash_input};
use mailproof_dns::Zone;
use serde::Serialize;

use crate::advice::advice;
use crate::check::Checked;
use crate::claims::{Claim, claims};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<Vec<Claim>>,
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
    diagnosis: Option<Halves>,
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

/// What DMARC says by RFC 7489.
#[derive(Serialize)]
struct Older {
    result: &'static str,
    cause: &'static str,
    organizational_domain: Option<String>,
    policy_domain: Option<String>,
    policy: Option<&'static str>,
}

impl Older {
    fn of(outcome: &mailproof::dmarc::Outcome) -> Older {
        Older {
            result: outcome.result.keyword(),
            cause: outcome.cause.keyword(),
            organizational_domain: outcome.organizational_domain.as_ref().map(ToString::to_string),
            policy_domain: outcome.policy_record.as_ref().map(|found| found.domain.to_string()),
            policy: outcome.policy.map(mailproof::dmarc::Policy::keyword),
        }
    }
}

/// How far a search for what was done to the message has come, in each half.
#[derive(Serialize)]
struct Halves {
    header: Half,
    body: Half,
}

#[derive(Serialize)]
struct Half {
    finding: &'static str,
    excluded: Vec<&'static str>,
    limit: Option<&'static str>,
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
                claims: None,
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
                    claims: checked.verdict.as_ref().map(|_| claims(&checked.header)),
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
    let dmarc = members.get_mut("dmarc").and_then(serde_json::Value::as_object_mut);
    if let (Some(dmarc), Some(older)) = (dmarc, &checked.older) {
        let older = serde_json::to_value(Older::of(older)).unwrap_or_default();
        dmarc.insert("rfc7489".into(), older);
    }
    let sets = members.get_mut("arc").and_then(|arc| arc.get_mut("sets")?.as_array_mut());
    let judged = checked.verdict.iter().flat_map(|verdict| &verdict.arc.sets);
    for (set, judged) in sets.into_iter().flatten().zip(judged) {
        let diagnosis = checked.set_diagnosis(judged);
        if let (Some(set), Some(diagnosis)) = (set.as_object_mut(), diagnosis) {
            let halves = serde_json::to_value(Halves::of(&diagnosis)).unwrap_or_default();
            set.insert("diagnosis".into(), halves);
            let changes = serde_json::to_value(changes(&diagnosis)).unwrap_or_default();
            set.insert("changes".into(), changes);
        }
    }
    members
}

fn changes(diagnosis: &Diagnosis) -> Vec<Change> {
    let change = |change: &mailproof_dkim::Change| Change {
        kind: change.keyword(),
        text: change.to_string(),
    };
    diagnosis.changes().map(change).collect()
}

impl Halves {
    fn of(diagnosis: &Diagnosis) -> Halves {
        Halves { header: Half::of(&diagnosis.header), body: Half::of(&diagnosis.body) }
    }
}

impl Half {
    fn of(finding: &Finding) -> Half {
        let excluded = match finding {
            Finding::Unexplained(excluded) => Some(excluded),
            _ => None,
        };
        let tried = excluded.iter().flat_map(|excluded| &excluded.tried);
        Half {
            finding: finding.keyword(),
            excluded: tried.map(|kind| kind.keyword()).collect(),
            limit: excluded.and_then(|excluded| Some(excluded.exhausted?.keyword())),
        }
    }
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
        Why {
            explanation: judged.cause.to_string(),
            advice: advice(judged, diagnosis.as_ref()),
            changes: diagnosis.as_ref().map(changes).unwrap_or_default(),
            diagnosis: diagnosis.as_ref().map(Halves::of),
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
