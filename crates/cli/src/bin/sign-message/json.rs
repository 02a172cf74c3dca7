//! What was signed, as JSON; the schema is `docs/schema/sign-message.schema.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_dkim::{Limits, Signature};
use serde::Serialize;

/// A signed message.
#[derive(Serialize)]
pub(crate) struct Message {
    input: String,
    signatures: Vec<Signed>,
}

/// One signature.
#[derive(Serialize)]
struct Signed {
    domain: String,
    selector: String,
    key_name: String,
    algorithm: String,
    canonicalization: String,
    identity: Option<String>,
    timestamp: Option<u64>,
    expiration: Option<u64>,
    signed_fields: Vec<String>,
    body_hash: String,
    /// The whole header field with its line ends.
    field: String,
}

impl Message {
    /// Of the message of this name and its new fields.
    pub(crate) fn new(name: &str, fields: &[Vec<u8>]) -> Message {
        Message {
            input: name.to_owned(),
            signatures: fields.iter().filter_map(|field| Signed::new(field)).collect(),
        }
    }
}

impl Signed {
    /// Of a field that was just made, which is read as a verifier would.
    fn new(field: &[u8]) -> Option<Signed> {
        let value = field.strip_prefix(b"DKIM-Signature:")?.strip_suffix(b"\r\n")?;
        let signature = Signature::parse(value, &Limits::default()).ok()?;
        let names = signature.signed_fields.iter();
        Some(Signed {
            domain: signature.domain.to_string(),
            selector: signature.selector.to_string(),
            key_name: signature.key_name.to_string(),
            algorithm: signature.algorithm.to_string(),
            canonicalization: format!(
                "{}/{}",
                signature.header_canonicalization, signature.body_canonicalization
            ),
            identity: signature.identity.as_ref().map(ToString::to_string),
            timestamp: signature.timestamp,
            expiration: signature.expiration,
            signed_fields: names.map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
            body_hash: STANDARD.encode(&signature.body_hash),
            field: String::from_utf8_lossy(field).into_owned(),
        })
    }
}
