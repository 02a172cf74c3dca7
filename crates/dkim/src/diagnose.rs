//! Why a signature fails: what was changed on the way of the message.
//!
//! The body hash and the signature over the header fields are independent (RFC 6376 3.7), so each
//! half is searched on its own, and a change that is told is proved: with it undone the hash in bh=,
//! or the signature in b=, is right. Where nothing is found, what was excluded is told.

use mailproof_dns::{Answers, Name, Question, RecordType, Response};
use mailproof_message::Header;

use crate::crypto::VerifyingKey;
use crate::header_hash::header_hash_input;
use crate::keys::NoCache;
use crate::limits::Limits;
use crate::outcome::{Cause, SignatureOutcome};
use crate::signature::{Algorithm, Signature};
use crate::trial::Trial;

mod body;
mod change;
mod date;
mod display;
mod fields;
mod folding;
mod forms;
mod header;
mod html;
mod in_parts;
mod limits;
mod mime;
mod running;
mod spaces;
mod subject;
mod values;

pub use change::{Added, Change, ChangeKind, LineEnds, Source, Space};
pub use limits::{DiagnosisLimits, Exhausted, Work};

/// What was done to a message between signing and verifying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// What was done to the body.
    pub body: Finding,
    /// What was done to the signed header fields.
    pub header: Finding,
}

/// What was done to one half of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Nothing: this half is as signed.
    Intact,
    /// This, with proof.
    Explained(Repair),
    /// Something that was not found.
    Unexplained(Excluded),
    /// Octets at the end of the body are gone (RFC 6376 3.5 l=), and nothing that was tried explains
    /// it; nothing can bring them back.
    Truncated {
        /// How many octets of the canonical body are signed.
        signed: u64,
        /// How many there are.
        present: u64,
    },
    /// The signature was made with another key than the one that is published: the key was replaced,
    /// or the value of b= was damaged. Whether a header field was changed cannot be told.
    OtherKey,
    /// The signature, or its key, cannot be used: there is nothing to compare with.
    NotExamined,
}

impl Finding {
    /// The name of the finding in the corpus and in JSON.
    pub fn keyword(&self) -> &'static str {
        match self {
            Finding::Intact => "intact",
            Finding::Explained(_) => "explained",
            Finding::Unexplained(_) => "unexplained",
            Finding::Truncated { .. } => "truncated",
            Finding::OtherKey => "other-key",
            Finding::NotExamined => "not-examined",
        }
    }
}

/// Changes that explain a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What was done to the message that was signed.
    pub changes: Vec<Change>,
    /// The proof: the octets that were hashed when the message was signed (RFC 6376 3.7).
    pub hash_input: Vec<u8>,
    /// The body, or the header section, with the changes undone.
    pub restored: Vec<u8>,
    /// What the search has cost.
    pub work: Work,
}

/// What does not explain a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// What was tried, each alone and some in pairs.
    pub tried: Vec<ChangeKind>,
    /// The limit that ended the search before everything was tried.
    pub exhausted: Option<Exhausted>,
    /// What the search has cost.
    pub work: Work,
}

impl Diagnosis {
    /// The changes found in both halves.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        [&self.header, &self.body].into_iter().flat_map(|finding| match finding {
            Finding::Explained(repair) => repair.changes.as_slice(),
            _ => &[],
        })
    }

    /// Whether every half that is not as signed is explained.
    pub fn is_explained(&self) -> bool {
        let halves = [&self.header, &self.body];
        halves.iter().any(|half| matches!(half, Finding::Explained(_)))
            && halves.iter().all(|half| matches!(half, Finding::Explained(_) | Finding::Intact))
    }
}

/// Finds what was done to a message whose signature fails.
///
/// `outcome` is what verifying this message found for one signature, a DKIM-Signature or an
/// ARC-Message-Signature; `answers` has its key. This is for people who look for the reason: it
/// hashes many variants of the message, within `limits`, and must not decide about mail: whoever
/// replays a signed message can add what a list would add.
///
/// ```
/// use mailproof_dkim::{DiagnosisLimits, Verifier, diagnose};
/// use mailproof_dns::Zone;
///
/// let zone = Zone::parse(
///     "brisbane._domainkey.example.com. TXT \
///      \"k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"",
/// )?;
/// // A list has put a line below the text.
/// let message = b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com;\r\n \
///     s=brisbane; h=from; bh=4daN71HNdn/d5SSJNrmA4GnDoSU3uSw9/N1YsKJOhFc=;\r\n \
///     b=EQLiAzC0mcK5RGBwcN6l6xjLV1v+FFoHVuh99jQjGZ08\
///     C9dAloU5aOV0vIPOUTmIcrcOib28CVc7Ef4hwPydAg==\r\n\
///     From: joe@example.com\r\n\r\nAt noon?\r\n-- the lunch list\r\n";
/// let (header, body) = mailproof_message::split(message);
/// let mut verifier = Verifier::new(&header, 1_700_000_000);
/// verifier.body(body);
/// let verification = verifier.finish();
/// let diagnosis = zone.resolve(|answers| {
///     let outcome = verification.verify(answers)?;
///     let failed = outcome.signatures.first();
///     let limits = DiagnosisLimits::default();
///     Ok(failed.map(|failed| diagnose(&header, body, failed, answers, &limits)))
/// });
/// assert_eq!(
///     diagnosis.map(|diagnosis| diagnosis.body.to_string()),
///     Some(
///         "a footer was added to the body: 1 line, 19 octets, from line 2 on: \
///          \"-- the lunch list\\r\\n\""
///             .to_owned()
///     )
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn diagnose(
    header: &Header,
    body: &[u8],
    outcome: &SignatureOutcome,
    answers: &Answers,
    limits: &DiagnosisLimits,
) -> Diagnosis {
    let is_examined = fails(&outcome.cause) || has_no_key(&outcome.cause);
    let (Some(signature), true) = (&outcome.signature, is_examined) else {
        let finding = match outcome.cause {
            Cause::Verified | Cause::UnsignedContent { .. } | Cause::UnsignedDuplicate { .. } => {
                Finding::Intact
            }
            _ => Finding::NotExamined,
        };
        return Diagnosis { body: finding.clone(), header: finding };
    };
    let keys = match answers.lookup(&Question::txt(signature.key_name.clone())) {
        Some(response) => keys(signature, response),
        None => Vec::new(),
    };
    let parts = mime::parts(header, body, limits.parts);
    let headers: Vec<&[u8]> =
        parts.iter().filter_map(|part| body.get(part.header.clone())).collect();
    let search = |keys: &[VerifyingKey], limits: &DiagnosisLimits| {
        header::search(header, outcome.field, headers.clone(), signature, keys, limits)
    };
    let found = match keys.is_empty() {
        true => Finding::NotExamined,
        false => search(&keys, limits),
    };
    let found = match found {
        // An RSA signature of its own key is of no other.
        Finding::Unexplained(_) if signature.algorithm == Algorithm::RsaSha256 => found,
        Finding::OtherKey | Finding::Unexplained(_) | Finding::NotExamined => {
            let input = || header_hash_input(header, outcome.field, signature);
            other_selector(signature, answers, limits, search, header, input).unwrap_or(found)
        }
        found => found,
    };
    let body = match found {
        Finding::NotExamined if has_no_key(&outcome.cause) => Finding::NotExamined,
        _ => body::search(header, body, &parts, signature, limits),
    };
    Diagnosis { body, header: found }
}

/// How many other keys of the domain are tried.
const OTHERS: usize = 16;

/// The key of another selector of the domain, of those that are known: the signer names the wrong
/// one, or has not changed over yet.
fn other_selector(
    signature: &Signature,
    answers: &Answers,
    limits: &DiagnosisLimits,
    search: impl Fn(&[VerifyingKey], &DiagnosisLimits) -> Finding,
    header: &Header,
    input: impl Fn() -> Vec<u8>,
) -> Option<Finding> {
    let node = signature.domain.prepend("_domainkey").ok()?;
    let is_other = |name: &Name| name.is_at_or_below(&node) && *name != signature.key_name;
    // An RSA signature tells whether it is of a key at all. Of others it is only seen whether they
    // verify it as it is.
    let limits = match signature.algorithm {
        Algorithm::RsaSha256 => limits.clone(),
        Algorithm::Ed25519Sha256 => {
            DiagnosisLimits { variants: 1, signatures: 2, ..limits.clone() }
        }
    };
    let is_key =
        |question: &Question| question.rtype == RecordType::Txt && is_other(&question.name);
    let mut others: Vec<_> = answers.iter().filter(|(question, _)| is_key(question)).collect();
    others.sort_by_key(|(question, _)| *question);
    let others =
        others.into_iter().map(|(question, response)| (question, keys(signature, response)));
    for (question, keys) in others.filter(|(_, keys)| !keys.is_empty()).take(OTHERS) {
        let change = Change::OtherSelector { key_name: question.name.to_string() };
        match search(&keys, &limits) {
            Finding::Intact => {
                return Some(Finding::Explained(Repair {
                    changes: vec![change],
                    hash_input: input(),
                    restored: header.octets().to_vec(),
                    work: Work::default(),
                }));
            }
            Finding::Explained(mut repair) => {
                repair.changes.insert(0, change);
                return Some(Finding::Explained(repair));
            }
            // It is of this key, and what was done to the header is not found.
            Finding::Unexplained(_) if signature.algorithm == Algorithm::RsaSha256 => return None,
            _ => {}
        }
    }
    None
}

fn fails(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::BodyHashMismatch { .. } | Cause::BodyTooShort { .. } | Cause::SignatureMismatch
    )
}

/// Whether nothing is published where the signature says its key is: it may be that of another
/// selector.
fn has_no_key(cause: &Cause) -> bool {
    matches!(cause, Cause::NoKey { .. } | Cause::KeyRevoked)
}

/// The keys of a response that verifying would try.
fn keys(signature: &Signature, response: &Response) -> Vec<VerifyingKey> {
    let mut keys = Vec::new();
    let trial = Trial {
        algorithm: signature.algorithm,
        domain: &signature.domain,
        identity: signature.identity.as_ref(),
        limits: &Limits::default(),
        cache: &NoCache,
    };
    trial.run(response, |key| {
        keys.push(key.clone());
        (Cause::SignatureMismatch, ())
    });
    keys
}
