//! Authenticated Received Chain: validate a chain, and seal a message.
//!
//! Whoever handles a message on its way may add an ARC Set of three header fields: what
//! authentication found when it came (ARC-Authentication-Results), a signature of the message as it
//! left (ARC-Message-Signature), and a signature over all sets so far (ARC-Seal).
//!
//! Validating is a function of the message, the time and the DNS answers: [`Validator`] validates
//! the structure and hashes the body, [`Validation::validate`] judges, or names the keys it misses.
//! The outcome is a [`ChainStatus`] and a [`Cause`]. Nothing in a chain changes any other result of
//! this workspace. What it is good for is local policy: [`TrustedSealers`], an empty list by
//! default, tells when a chain gives reason to override a DMARC policy.
//!
//! ```
//! use mailproof_arc::{ChainStatus, Payload, SealTemplate, Sealer, Validator};
//! use mailproof_authres::{AuthenticationResults, Charset, Method, MethodResult, ResultCode};
//! use mailproof_dkim::{EightBit, PrivateKey};
//! use mailproof_dns::{Data, Question, Response, resolve_blocking};
//!
//! let message = b"From: joe@example.com\r\nSubject: lunch\r\n\r\nAt noon?\r\n";
//! let (header, body) = mailproof_message::split(message);
//!
//! // Seal. This seed is the one printed in RFC 8463 A.2.
//! let key = PrivateKey::parse(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")?;
//! let results = AuthenticationResults::new("lists.example.org")
//!     .with(MethodResult::new(Method::Dmarc, ResultCode::Pass));
//! let (domain, selector) = ("example.org".parse()?, "brisbane".parse()?);
//! let template = SealTemplate::new(&key, domain, selector, 1_700_000_000);
//! let mut sealer = Sealer::new(&header, template, EightBit::Refuse)?;
//! sealer.body(body)?;
//! let set = sealer.finish(&Payload::of(&results, Charset::Ascii), ChainStatus::None)?;
//! let sealed = [set.concat(), message.to_vec()].concat();
//!
//! // Validate, with a resolver that knows the key.
//! let lookup = |question: &Question| match question.name.to_string().as_str() {
//!     "brisbane._domainkey.example.org" => Response::records([Data::txt(
//!         "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
//!     )]),
//!     _ => Response::NxDomain,
//! };
//! let (header, body) = mailproof_message::split(&sealed);
//! let mut validator = Validator::new(&header, 1_700_000_060);
//! validator.body(body);
//! let validation = validator.finish();
//! let outcome = resolve_blocking(lookup, |answers| validation.validate(answers));
//! assert_eq!((outcome.result(), outcome.oldest_pass), (ChainStatus::Pass, Some(0)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it costs
//!
//! Structure comes first, so a chain that is not in order costs no query. Then the keys of all
//! signatures that decide are named in one round: every ARC-Seal (RFC 8617 5.2 step 6 has no
//! shortcut) and the newest ARC-Message-Signature, of at most 20 names. [`Limits`] has the rest.
//!
//! STANDARDS: RFC 8617 (Experimental; the IETF means to make it Historic), with the signatures of
//! RFC 6376 and the results of RFC 8601.

mod chain;
mod limits;
mod outcome;
mod parse;
mod payload;
mod policy;
mod set;
mod sign;
mod token;
mod verify;

pub use limits::Limits;
pub use outcome::{Cause, Outcome, SetOutcome};
pub use parse::{FieldError, FieldErrorKind};
pub use payload::Payload;
pub use policy::{Override, TrustedSealers};
pub use set::{ArcAuthenticationResults, ArcField, ArcMessageSignature, ArcSeal, ChainStatus};
pub use sign::{SealRefusal, SealTemplate, SealedSet, Sealer};
pub use verify::{Validation, Validator, default_policy};
