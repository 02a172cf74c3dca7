//! What verifying found: a result of RFC 8601, and its cause.

use std::fmt;
use std::sync::Arc;

use mailproof_dns::{Failure, Name};

use crate::parse::{SignatureError, SignatureErrorKind};
use crate::record::{KeyError, KeyErrorKind, KeyType};
use crate::signature::{Algorithm, Signature};

/// A DKIM result (RFC 8601 2.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DkimResult {
    /// The message is not signed.
    None,
    /// The signature verifies and is acceptable.
    Pass,
    /// The signature does not verify: the message is not the one that was signed.
    Fail,
    /// The signature may verify, but local policy does not accept it.
    Policy,
    /// The signature could not be processed: syntax errors, unknown methods.
    Neutral,
    /// A temporary trouble; a later attempt may succeed.
    Temperror,
    /// An unrecoverable error; a later attempt is unlikely to succeed.
    Permerror,
}

impl DkimResult {
    /// The keyword of RFC 8601 2.7.1.
    pub fn keyword(self) -> &'static str {
        match self {
            DkimResult::None => "none",
            DkimResult::Pass => "pass",
            DkimResult::Fail => "fail",
            DkimResult::Policy => "policy",
            DkimResult::Neutral => "neutral",
            DkimResult::Temperror => "temperror",
            DkimResult::Permerror => "permerror",
        }
    }

    /// Which of several results answers for the message: the most hopeful one, so that temporary
    /// trouble is not hidden behind a broken signature (RFC 6376 6.1: one good signature is enough).
    fn rank(self) -> u8 {
        match self {
            DkimResult::Pass => 6,
            DkimResult::Temperror => 5,
            DkimResult::Fail => 4,
            DkimResult::Policy => 3,
            DkimResult::Neutral => 2,
            DkimResult::Permerror => 1,
            DkimResult::None => 0,
        }
    }
}

impl fmt::Display for DkimResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// What verifying the signatures of a message found (RFC 6376 6).
#[derive(Debug, Clone)]
pub struct Outcome {
    /// One for each DKIM-Signature field, top to bottom.
    pub signatures: Vec<SignatureOutcome>,
}

impl Outcome {
    /// The signature that answers for the message, if it has any: the first of the best result, by
    /// the order pass, temperror, fail, policy, neutral, permerror.
    pub fn best(&self) -> Option<&SignatureOutcome> {
        self.signatures.iter().rev().max_by_key(|signature| signature.result().rank())
    }

    /// The result for the message.
    pub fn result(&self) -> DkimResult {
        self.best().map_or(DkimResult::None, SignatureOutcome::result)
    }

    /// The cause of [`Outcome::result`]; `None` where the message is not signed.
    pub fn cause(&self) -> Option<&Cause> {
        self.best().map(|signature| &signature.cause)
    }

    /// The SDIDs whose signatures pass: the domains that answer for the message (RFC 6376 6.1).
    pub fn passing_domains(&self) -> impl Iterator<Item = &Name> {
        self.signatures
            .iter()
            .filter(|signature| signature.result() == DkimResult::Pass)
            .filter_map(|signature| signature.domain.as_ref())
    }
}

/// What verifying one DKIM-Signature field found.
#[derive(Debug, Clone)]
pub struct SignatureOutcome {
    /// Why the result is what it is.
    pub cause: Cause,
    /// Which header field it is, counted from the top of the message, from 0.
    pub field: usize,
    /// The SDID that the field claims, where it is legible.
    pub domain: Option<Name>,
    /// The selector that the field claims, where it is legible.
    pub selector: Option<Name>,
    /// The signature, where the field is well-formed.
    pub signature: Option<Arc<Signature>>,
    /// The key that decided, where one was found.
    pub key: Option<KeyFacts>,
    /// What was computed, where it came to cryptography.
    pub checks: Option<Checks>,
}

impl SignatureOutcome {
    /// The result.
    pub fn result(&self) -> DkimResult {
        self.cause.result()
    }

    /// Whether the domain says that it is only testing DKIM (RFC 6376 3.6.1, t=y): "Verifiers MUST
    /// NOT treat messages from Signers in testing mode differently from unsigned email".
    pub fn testing(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.testing)
    }
}

/// What is worth knowing about the key that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// Tag k=.
    pub key_type: KeyType,
    /// The size in bits; 0 for a revoked key.
    pub bits: usize,
    /// Flag y of t=.
    pub testing: bool,
}

/// The two halves of a verification, judged each on its own (RFC 6376 6.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checks {
    /// The hash of the canonical body, up to l=.
    pub body_hash: [u8; 32],
    /// Whether it is the one in bh=.
    pub body_matches: bool,
    /// Whether the signature over the header fields verifies with the key.
    pub header_matches: bool,
    /// How many octets the canonical body has.
    pub body_octets: u64,
    /// How many of them l= leaves unsigned.
    pub unsigned_octets: u64,
}

/// Why a signature has its result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Body hash and signature verify (RFC 6376 6.1.3).
    Verified,
    /// The field is not well-formed or not for this verifier (RFC 6376 6.1.1).
    Signature(SignatureError),
    /// The message has more signatures than are verified (RFC 6376 6.1).
    Limit {
        /// How many are.
        most: usize,
    },
    /// The signature has expired (RFC 6376 3.5 x=).
    Expired {
        /// Tag x=.
        expiration: u64,
        /// The time of verification.
        now: u64,
    },
    /// The signature is from the future (RFC 6376 3.5 t=).
    TimestampInFuture {
        /// Tag t=.
        timestamp: u64,
        /// The time of verification.
        now: u64,
    },
    /// The DNS gave no usable answer about the key (RFC 6376 6.1.2 step 2).
    KeyUnavailable(Failure),
    /// There is no key record (RFC 6376 6.1.2 step 3).
    NoKey {
        /// Whether the name exists, with other records.
        name_exists: bool,
    },
    /// The key record cannot be used as it stands (RFC 6376 6.1.2 step 4).
    Key {
        /// The record.
        record: Vec<u8>,
        /// What is wrong with it.
        error: KeyError,
    },
    /// The key record is longer than is read.
    KeyRecordTooLong {
        /// How long it is, in octets.
        octets: usize,
        /// How long it may be.
        most: usize,
    },
    /// The key has been revoked (RFC 6376 6.1.2 step 7).
    KeyRevoked,
    /// The type of the key does not fit the algorithm (RFC 6376 6.1.2 step 8).
    KeyTypeMismatch {
        /// Tag k= of the key.
        key: KeyType,
        /// Tag a= of the signature.
        algorithm: Algorithm,
    },
    /// The key does not allow the hash SHA-256 (RFC 6376 6.1.2 step 6).
    KeyHashNotAllowed,
    /// The key does not serve electronic mail (RFC 6376 3.6.1 s=).
    KeyNotForEmail,
    /// The key is too small (RFC 8301 3.2).
    KeyTooSmall {
        /// Its size in bits.
        bits: usize,
        /// The least size accepted.
        least: usize,
    },
    /// The key is larger than this verifier works with (RFC 8301 3.2).
    KeyTooLarge {
        /// Its size in bits.
        bits: usize,
        /// The largest size accepted.
        most: usize,
    },
    /// The key wants the AUID in the SDID itself, and it is not (RFC 6376 3.6.1 t=s).
    StrictDomainMismatch {
        /// The domain of the AUID.
        identity: Name,
        /// The SDID.
        domain: Name,
    },
    /// The body is shorter than l= says (RFC 6376 3.5 l=).
    BodyTooShort {
        /// Tag l=.
        signed: u64,
        /// The length of the canonical body, in octets.
        body: u64,
    },
    /// The body is not the one that was signed (RFC 6376 6.1.3 step 2).
    BodyHashMismatch {
        /// What bh= holds.
        expected: Vec<u8>,
        /// The hash of the body as it is.
        computed: [u8; 32],
    },
    /// The signed header fields are not what was signed, or not with this key (RFC 6376 6.1.3
    /// step 4).
    SignatureMismatch,
    /// The signature verifies, but l= leaves part of the body unsigned (RFC 6376 8.2).
    UnsignedContent {
        /// How many octets of the canonical body are not signed.
        octets: u64,
    },
    /// The signature verifies, but a field that may stand once, and is signed, stands again
    /// unsigned (RFC 6376 8.15).
    UnsignedDuplicate {
        /// The name of the field, in lower case.
        field: &'static str,
    },
}

impl Cause {
    /// The result of RFC 8601 2.7.1 that the cause leads to.
    pub fn result(&self) -> DkimResult {
        match self {
            // RFC 8601 2.7.1 pass: "the signature or signatures passed verification tests".
            Cause::Verified => DkimResult::Pass,
            Cause::Signature(error) => signature_result(&error.kind),
            // policy: "some aspect of the signature or signatures was not acceptable to the ADMD".
            Cause::Limit { .. }
            | Cause::Expired { .. }
            | Cause::TimestampInFuture { .. }
            | Cause::KeyRecordTooLong { .. }
            | Cause::KeyTooLarge { .. }
            | Cause::UnsignedContent { .. }
            | Cause::UnsignedDuplicate { .. } => DkimResult::Policy,
            // temperror: "likely transient in nature, such as a temporary inability to retrieve a
            // public key".
            Cause::KeyUnavailable(_) => DkimResult::Temperror,
            // permerror: "unrecoverable"; RFC 6376 6.1.2: PERMFAIL.
            Cause::NoKey { .. }
            | Cause::Key { .. }
            | Cause::KeyRevoked
            | Cause::KeyTypeMismatch { .. }
            | Cause::KeyHashNotAllowed
            | Cause::KeyNotForEmail
            | Cause::KeyTooSmall { .. }
            | Cause::StrictDomainMismatch { .. }
            | Cause::BodyTooShort { .. } => DkimResult::Permerror,
            // fail: "did not pass the verification test(s)".
            Cause::BodyHashMismatch { .. } | Cause::SignatureMismatch => DkimResult::Fail,
        }
    }

    /// The name of the cause in the corpus and in JSON.
    pub fn keyword(&self) -> &'static str {
        match self {
            Cause::Verified => "verified",
            Cause::Signature(error) => signature_keyword(&error.kind),
            Cause::Limit { .. } => "limit",
            Cause::Expired { .. } => "expired",
            Cause::TimestampInFuture { .. } => "timestamp-in-future",
            Cause::KeyUnavailable(_) => "key-unavailable",
            Cause::NoKey { .. } => "no-key",
            Cause::Key { error, .. } => key_keyword(&error.kind),
            Cause::KeyRecordTooLong { .. } => "key-record-too-long",
            Cause::KeyRevoked => "key-revoked",
            Cause::KeyTypeMismatch { .. } => "key-type-mismatch",
            Cause::KeyHashNotAllowed => "key-hash-not-allowed",
            Cause::KeyNotForEmail => "key-not-for-email",
            Cause::KeyTooSmall { .. } => "key-too-small",
            Cause::KeyTooLarge { .. } => "key-too-large",
            Cause::StrictDomainMismatch { .. } => "strict-domain-mismatch",
            Cause::BodyTooShort { .. } => "body-too-short",
            Cause::BodyHashMismatch { .. } => "body-hash-mismatch",
            Cause::SignatureMismatch => "signature-mismatch",
            Cause::UnsignedContent { .. } => "unsigned-content",
            Cause::UnsignedDuplicate { .. } => "unsigned-duplicate",
        }
    }
}

fn signature_result(kind: &SignatureErrorKind) -> DkimResult {
    match kind {
        // neutral: "contained syntax errors or were not otherwise able to be processed".
        SignatureErrorKind::TagList(_)
        | SignatureErrorKind::MissingTag(_)
        | SignatureErrorKind::BadTagValue { .. }
        | SignatureErrorKind::IncompatibleVersion(_)
        | SignatureErrorKind::UnknownAlgorithm(_)
        | SignatureErrorKind::UnknownCanonicalization(_)
        | SignatureErrorKind::UnknownQueryMethod(_) => DkimResult::Neutral,
        // permerror: "such as a required header field being absent"; RFC 6376 6.1.1 and RFC 8301
        // 3.1: PERMFAIL.
        SignatureErrorKind::RsaSha1
        | SignatureErrorKind::FromNotSigned
        | SignatureErrorKind::DomainMismatch { .. }
        | SignatureErrorKind::ExpirationBeforeTimestamp { .. } => DkimResult::Permerror,
    }
}

fn signature_keyword(kind: &SignatureErrorKind) -> &'static str {
    match kind {
        SignatureErrorKind::TagList(_) => "tag-list",
        SignatureErrorKind::MissingTag(_) => "missing-tag",
        SignatureErrorKind::BadTagValue { .. } => "bad-tag-value",
        SignatureErrorKind::IncompatibleVersion(_) => "incompatible-version",
        SignatureErrorKind::UnknownAlgorithm(_) => "unknown-algorithm",
        SignatureErrorKind::RsaSha1 => "rsa-sha1",
        SignatureErrorKind::UnknownCanonicalization(_) => "unknown-canonicalization",
        SignatureErrorKind::UnknownQueryMethod(_) => "unknown-query-method",
        SignatureErrorKind::FromNotSigned => "from-not-signed",
        SignatureErrorKind::DomainMismatch { .. } => "domain-mismatch",
        SignatureErrorKind::ExpirationBeforeTimestamp { .. } => "expiration-before-timestamp",
    }
}

fn key_keyword(kind: &KeyErrorKind) -> &'static str {
    match kind {
        // RFC 6376 3.6.1: records of another version "MUST be discarded".
        KeyErrorKind::IncompatibleVersion(_) => "no-key",
        // RFC 6376 3.6.1: "Unrecognized key types MUST be ignored."
        KeyErrorKind::UnknownKeyType(_) => "key-type-mismatch",
        KeyErrorKind::KeyForm { .. } => "key-unusable",
        KeyErrorKind::TagList(_)
        | KeyErrorKind::VersionNotFirst
        | KeyErrorKind::MissingKey
        | KeyErrorKind::KeyNotBase64 => "key-syntax",
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Verified => f.write_str("body and signed header fields are as signed"),
            Cause::Signature(error) => write!(f, "{error}"),
            Cause::Limit { most } => write!(f, "not verified: only {most} signatures are"),
            Cause::Expired { expiration, now } => {
                write!(f, "expired {} seconds ago", now.saturating_sub(*expiration))
            }
            Cause::TimestampInFuture { timestamp, now } => {
                write!(f, "made {} seconds in the future", timestamp.saturating_sub(*now))
            }
            Cause::KeyUnavailable(failure) => {
                write!(f, "the key could not be looked up: {failure}")
            }
            Cause::NoKey { name_exists: false } => {
                f.write_str("no key: the name of the key record does not exist")
            }
            Cause::NoKey { name_exists: true } => {
                f.write_str("no key: the name of the key record has no text record")
            }
            Cause::Key { error, .. } => write!(f, "key record: {error}"),
            Cause::KeyRecordTooLong { octets, most } => {
                write!(f, "the key record has {octets} octets; at most {most} are read")
            }
            Cause::KeyRevoked => f.write_str("the key has been revoked (p= is empty)"),
            Cause::KeyTypeMismatch { key, algorithm } => {
                write!(f, "the key is of type {key}, the signature of algorithm {algorithm}")
            }
            Cause::KeyHashNotAllowed => f.write_str("the key record (h=) does not allow sha256"),
            Cause::KeyNotForEmail => f.write_str("the key record (s=) is not for email"),
            Cause::KeyTooSmall { bits, least } => {
                write!(f, "the key has {bits} bits; at least {least} are required (RFC 8301)")
            }
            Cause::KeyTooLarge { bits, most } => {
                write!(f, "the key has {bits} bits; at most {most} are verified with")
            }
            Cause::StrictDomainMismatch { identity, domain } => write!(
                f,
                "the key record (t=s) wants i= in {domain} itself, and it is in {identity}"
            ),
            Cause::BodyTooShort { signed, body } => {
                write!(f, "l={signed} octets are signed, the body has only {body}")
            }
            Cause::BodyHashMismatch { .. } => {
                f.write_str("body hash mismatch: the body was changed after signing")
            }
            Cause::SignatureMismatch => f.write_str(
                "signature mismatch: a signed header field was changed, or it is another key",
            ),
            Cause::UnsignedContent { octets } => {
                write!(f, "verifies, but l= leaves the last {octets} octets of the body unsigned")
            }
            Cause::UnsignedDuplicate { field } => {
                write!(f, "verifies, but there is another {field} field that it does not sign")
            }
        }
    }
}
