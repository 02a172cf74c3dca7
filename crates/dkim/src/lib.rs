//! DomainKeys Identified Mail: verify and sign, and say why.
//!
//! A message reaches this crate as a [`mailproof_message::Header`] and the octets of its body, in
//! chunks of any size. Nothing is stored but the header section, and the body is hashed once per
//! canonicalization, however many signatures there are.
//!
//! Verifying is a function of the message, the time and the DNS answers: [`Verifier`] reads the
//! signatures and hashes the body, [`Verification::verify`] judges, or names the keys it misses.
//! Every signature gets a [`DkimResult`], the word of RFC 8601, and a [`Cause`] that carries what
//! was compared. Strict where RFC 6376 6.1.1 wants it: any format error makes the signature, and
//! only it, unusable. What the RFC leaves to the verifier is in [`Policy`]; what a message may cost
//! is in [`Limits`].
//!
//! ```
//! use mailproof_dkim::{DkimResult, PrivateKey, Signer, Template, EightBit, Verifier};
//! use mailproof_dns::{Data, Question, Response, resolve_blocking};
//!
//! let message = b"From: joe@example.com\r\nSubject: lunch\r\n\r\nAt noon?\r\n";
//! let (header, body) = mailproof_message::split(message);
//!
//! // Sign. This seed is the one printed in RFC 8463 A.2.
//! let key = PrivateKey::parse(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")?;
//! let template = Template::new(&key, "example.com".parse()?, "brisbane".parse()?, 1_700_000_000);
//! let mut signer = Signer::new(&header, vec![template], EightBit::Refuse)?;
//! signer.body(body)?;
//! let signed = [signer.finish()?.concat(), message.to_vec()].concat();
//!
//! // Verify, with a resolver that knows the key.
//! let lookup = |question: &Question| match question.name.to_string().as_str() {
//!     "brisbane._domainkey.example.com" => Response::records([Data::txt(
//!         "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
//!     )]),
//!     _ => Response::NxDomain,
//! };
//! let (header, body) = mailproof_message::split(&signed);
//! let mut verifier = Verifier::new(&header, 1_700_000_060);
//! verifier.body(body);
//! let verification = verifier.finish();
//! let outcome = resolve_blocking(lookup, |answers| verification.verify(answers));
//! assert_eq!(outcome.result(), DkimResult::Pass);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Why it failed
//!
//! [`diagnose`] finds what was changed on the way of a message whose signature fails, and proves it:
//! with the change undone the hash is right. It is for people, costs many times what verifying
//! costs, and nothing calls it unless asked.
//!
//! # Backends
//!
//! With the default feature `aws-lc-rs` RSA runs in AWS-LC, about fourteen times faster than in
//! Rust alone and in constant time; without it everything is Rust. The answers are the same. To
//! sign in a short-lived process, build with `AWS_LC_SYS_NO_JITTER_ENTROPY=1`: otherwise the first
//! use of randomness costs 31 ms.
//!
//! STANDARDS: RFC 6376, RFC 8301 (algorithms and key sizes), RFC 8463 (Ed25519), RFC 8616
//! (internationalized mail), RFC 8601 2.7.1 (results).

mod body_hash;
mod candidate;
mod crypto;
mod diagnose;
mod encoding;
mod fold;
mod header_hash;
mod keys;
mod limits;
mod outcome;
mod parse;
mod policy;
mod record;
mod sign;
mod signable;
mod signature;
mod trial;
mod verify;

pub use crypto::{KeyFormError, PrivateKey, PrivateKeyError, Sha256, SigningError, VerifyingKey};
pub use diagnose::{
    Added, Change, ChangeKind, Diagnosis, DiagnosisLimits, Excluded, Exhausted, Finding, LineEnds,
    Repair, Source, Space, Work, diagnose,
};
pub use fold::Folder;
pub use header_hash::{header_hash_input, selected_fields};
pub use keys::{KeyCache, NoCache};
pub use limits::Limits;
pub use mailproof_canonicalization::Canonicalization;
pub use outcome::{Cause, Checks, DkimResult, KeyFacts, Outcome, SignatureOutcome};
pub use parse::{SignatureError, SignatureErrorKind};
pub use policy::Policy;
pub use record::{KeyError, KeyErrorKind, KeyRecord, KeyType};
pub use sign::{EightBit, FieldSelection, Signer, Template};
pub use signable::Refusal;
pub use signature::{Algorithm, Identity, SealSignature, Signature, SignedFields};
pub use verify::{Verification, Verifier};
