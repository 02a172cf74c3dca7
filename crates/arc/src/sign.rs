//! Sealing a message (RFC 8617 5.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_canonicalization::{Canonicalization, header_field};
use mailproof_dkim::{
    EightBit, FieldSelection, Folder, PrivateKey, Refusal, Sha256, Signer, Template,
};
use mailproof_dns::Name;
use mailproof_message::Header;

use crate::chain::{Chain, highest};
use crate::limits::Limits;
use crate::outcome::Cause;
use crate::payload::Payload;
use crate::set::{ArcField, ChainStatus};
use crate::verify::add_field;

/// What an ARC Set is to say (RFC 8617 5.1 step 4).
#[derive(Debug, Clone)]
pub struct SealTemplate<'k> {
    /// The key; it decides a= of both signatures.
    pub key: &'k PrivateKey,
    /// Tag d= of both: the domain of the sealer.
    pub domain: Name,
    /// Tag s= of both.
    pub selector: Name,
    /// Tag t= of both: the time of sealing in seconds since 1970-01-01 UTC.
    pub timestamp: u64,
    /// Tag h= of the ARC-Message-Signature.
    pub fields: FieldSelection,
}

/// The fields that no ARC-Message-Signature may sign (RFC 8617 4.1.2).
const UNSIGNABLE: [&str; 4] =
    ["Authentication-Results", "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"];

impl<'k> SealTemplate<'k> {
    /// An ARC Set with the default selection of fields: what a DKIM signature covers by default,
    /// and the DKIM-Signature fields, for RFC 8617 4.1.2 says that the signature "SHOULD include any
    /// DKIM-Signature header fields already present in the message".
    pub fn new(key: &'k PrivateKey, domain: Name, selector: Name, now: u64) -> SealTemplate<'k> {
        let mut fields = FieldSelection::default();
        fields.sign.push("DKIM-Signature".to_owned());
        SealTemplate { key, domain, selector, timestamp: now, fields }
    }
}

/// Why a message is not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealRefusal {
    /// RFC 8617 5.1 step 2: "If the message already contains an Authenticated Received Chain with
    /// the most recent AS reporting "cv=fail", there is no need to proceed".
    #[error("the chain has failed before, and its newest seal says so")]
    FailedBefore,
    /// RFC 8617 4.2.1: "Instance tag values can range from 1-50".
    #[error("the chain has {0} ARC Sets already")]
    TooManySets(u8),
    /// The status is not one that this message can have: "none" with a chain, or "pass" or "fail"
    /// without one (RFC 8617 4.4).
    #[error("the chain validation status {0} does not fit the message")]
    StatusMismatch(ChainStatus),
    /// The status is "pass", but the structure of the chain is not valid.
    #[error("the chain cannot have passed: {0}")]
    Structure(Cause),
    /// RFC 8617 4.1.2: a field that "MUST NOT be included in AMS signatures".
    #[error("an ARC-Message-Signature must not sign {0}")]
    UnsignableField(&'static str),
    /// What keeps a message from being signed with DKIM keeps it from being sealed.
    #[error(transparent)]
    Signature(#[from] Refusal),
}

/// The ARC Set that a Sealer makes: three header fields, complete with names and final CRLF.
///
/// They go before all other fields of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSet {
    /// The ARC-Seal.
    pub seal: Vec<u8>,
    /// The ARC-Message-Signature.
    pub message_signature: Vec<u8>,
    /// The ARC-Authentication-Results.
    pub authentication_results: Vec<u8>,
}

impl SealedSet {
    /// The three fields in the order they go into the message, top to bottom.
    pub fn concat(&self) -> Vec<u8> {
        [&self.seal[..], &self.message_signature, &self.authentication_results].concat()
    }
}

/// A Sealer (RFC 8617 3.6) that has read the header section and takes the body in chunks.
///
/// RFC 8617 5.1 step 1: "All message modifications (including adding a DKIM-Signature header
/// field(s)) MUST be performed before sealing."
pub struct Sealer<'h, 'k> {
    header: &'h Header,
    instance: u8,
    template: SealTemplate<'k>,
    signer: Signer<'h, 'k>,
}

impl<'h, 'k> Sealer<'h, 'k> {
    /// Begins to seal a message.
    ///
    /// # Errors
    /// Why the message must not be sealed, or not like this.
    pub fn new(
        header: &'h Header,
        template: SealTemplate<'k>,
        eight_bit: EightBit,
    ) -> Result<Sealer<'h, 'k>, SealRefusal> {
        let names = || template.fields.sign.iter().chain(&template.fields.oversign);
        let unsignable =
            |name: &&&str| names().any(|signed: &String| signed.eq_ignore_ascii_case(name));
        if let Some(name) = UNSIGNABLE.iter().find(unsignable) {
            return Err(SealRefusal::UnsignableField(name));
        }
        let instance = next_instance(header, &Limits::default())?;
        let message_signature = Template {
            fields: template.fields.clone(),
            ..Template::new(
                template.key,
                template.domain.clone(),
                template.selector.clone(),
                template.timestamp,
            )
        };
        let signer = Signer::arc(header, message_signature, instance, eight_bit)?;
        Ok(Sealer { header, instance, template, signer })
    }

    /// Takes the next octets of the body.
    ///
    /// # Errors
    /// Why the body must not be signed; the sealer is of no further use then.
    pub fn body(&mut self, chunk: &[u8]) -> Result<(), SealRefusal> {
        Ok(self.signer.body(chunk)?)
    }

    /// Ends the body and seals: `results` is what authentication found on arrival (RFC 8617 4.1.1),
    /// one payload with all of it, and `status`, for tag cv=, what validating the chain found. Both
    /// may be known no sooner than now, where the message is verified as it streams.
    ///
    /// # Errors
    /// The status is not one that the message can have, the body ends in a way that must not be
    /// signed, or the cryptographic library failed.
    pub fn finish(self, results: &Payload, status: ChainStatus) -> Result<SealedSet, SealRefusal> {
        let Sealer { header, instance, template, signer } = self;
        let signed = signed(header, status)?;
        let message_signature = signer.finish()?.concat();
        let authentication_results = results.to_field(instance);
        let mut hash = Sha256::default();
        for field in signed.iter().filter_map(|&place| header.field(place)) {
            add_field(&mut hash, field.without_line_end());
        }
        for field in [&authentication_results, &message_signature] {
            add_field(&mut hash, field.strip_suffix(b"\r\n").unwrap_or(field));
        }
        let mut folder = Folder::new("ARC-Seal:");
        folder.word(&format!("i={instance};"));
        folder.word(&format!("a={};", template.key.algorithm()));
        folder.word(&format!("cv={status};"));
        folder.word(&format!("d={};", template.domain));
        folder.word(&format!("s={};", template.selector));
        folder.word(&format!("t={};", template.timestamp));
        folder.word("b=");
        header_field(Canonicalization::Relaxed, folder.octets(), &mut hash);
        let signature = template.key.sign(&hash.finish()).map_err(Refusal::from)?;
        folder.text(&STANDARD.encode(signature));
        Ok(SealedSet { seal: folder.finish(), message_signature, authentication_results })
    }
}

/// The places of the fields that a seal of this status signs, in its order.
fn signed(header: &Header, status: ChainStatus) -> Result<Vec<usize>, SealRefusal> {
    let has_fields =
        ArcField::ALL.into_iter().any(|kind| header.named(kind.name()).next().is_some());
    if has_fields != (status != ChainStatus::None) {
        return Err(SealRefusal::StatusMismatch(status));
    }
    match status {
        ChainStatus::Pass => Ok(Chain::read(header, &Limits::default())
            .map_err(SealRefusal::Structure)?
            .sets
            .iter()
            .flat_map(|set| set.places)
            .collect()),
        // RFC 8617 5.1.2: "the header fields included in the signature scope of the AS header
        // field b= value MUST only include the ARC Set header fields created by the MTA that
        // detected the malformed chain, as if this newest ARC Set was the only set present."
        ChainStatus::None | ChainStatus::Fail => Ok(Vec::new()),
    }
}

/// RFC 8617 5.1 steps 2 and 3: "the instance value is 1 more than the highest instance number found
/// in the Authenticated Received Chain. If no Authenticated Received Chain exists, the instance
/// value is 1."
fn next_instance(header: &Header, limits: &Limits) -> Result<u8, SealRefusal> {
    match highest(header, limits) {
        Ok(Some((_, true))) => Err(SealRefusal::FailedBefore),
        Ok(Some((newest, false))) if newest >= limits.sets => Err(SealRefusal::TooManySets(newest)),
        Ok(Some((newest, false))) => Ok(newest + 1),
        Ok(None) => Ok(1),
        Err(_) => Err(SealRefusal::TooManySets(limits.sets)),
    }
}
