//! Sender Policy Framework (RFC 7208): which hosts may use a domain in HELO and MAIL FROM, and why.
//!
//! A domain publishes a [`Record`]: directives that name its hosts. [`check_host`] finds the record
//! of a [`Request`]'s domain, evaluates it for the client's address, and gives an [`Outcome`]: one
//! of the seven results, and its [`Cause`] with the values that were compared, the term that
//! decided, the explanation of a fail, and what the evaluation cost.
//!
//! `check_host` is a pure function of the request and of the DNS answers known so far. While
//! answers are missing it names them, all that it can foresee within the limits of RFC 7208 4.6.4,
//! so that a driver asks them in parallel; how deep includes are nested decides how long it takes,
//! not how many lookups there are. [`Checker`] is the same with [`Limits`] of one's own, with parsed
//! records kept, and with a [`Trace`] of everything that was done.
//!
//! What the client and foreign zones say comes out of this crate escaped or checked: names that are
//! no valid domain names are never looked up, and an explanation is printable ASCII of bounded
//! length.
//!
//! ```
//! use mailproof_dns::Zone;
//! use mailproof_spf::{Request, SpfResult, check_host};
//!
//! let zone = Zone::parse(
//!     r#"
//! example.com       TXT  "v=spf1 include:_spf.example.net -all exp=why.example.com"
//! _spf.example.net  TXT  "v=spf1 ip4:192.0.2.0/24 ~all"
//! why.example.com   TXT  "%{i} is not one of our servers"
//!     "#,
//! )?;
//! let request = Request::mail_from("198.51.100.7".parse()?, "mail.example.org", "<a@example.com>");
//! let outcome = zone.resolve(|answers| check_host(&request, answers));
//!
//! assert_eq!(outcome.result, SpfResult::Fail);
//! assert_eq!(outcome.cause.keyword(), "match");
//! let term = outcome.term.unwrap();
//! assert_eq!((term.owner.to_string().as_str(), term.text.as_str()), ("example.com", "-all"));
//! let explanation = outcome.explanation.unwrap().to_string();
//! assert_eq!(explanation, "example.com explains: 198.51.100.7 is not one of our servers");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! STANDARDS: RFC 7208 (errata 4751, 5436), RFC 8616 (EAI), RFC 7505 (null MX).

mod cause;
mod check_host;
mod display;
mod evaluate;
mod expand;
mod identities;
mod kept;
mod limits;
mod literal;
mod macro_string;
mod mechanism;
mod network;
mod outcome;
mod parse;
mod received_spf;
mod received_spf_parse;
mod record;
mod request;
mod syntax;
mod trace;

pub use cause::Cause;
pub use check_host::{Checker, check_host};
pub use expand::reverse_name;
pub use identities::{HeloPolicy, Identities, Session};
pub use limits::Limits;
pub use literal::Literal;
pub use outcome::{Counts, DecidingTerm, Explanation, Outcome, SpfResult};
pub use parse::{is_spf_record, parse, parse_all, parse_explain_string, parse_macro_string};
pub use received_spf::ReceivedSpf;
pub use received_spf_parse::{ReceivedSpfError, ReceivedSpfErrorKind};
pub use record::{
    A, Delimiters, Directive, DomainSpec, DualCidr, Exists, Include, Ip4, Ip6, Macro, MacroLetter,
    MacroString, Mechanism, Modifier, ModifierKind, Mx, Part, Ptr, Qualifier, Record, Term,
};
pub use request::{DomainError, Identity, Request};
pub use syntax::{ParseError, ParseErrorKind};
pub use trace::{CheckTrace, Event, Lookup, Target, TermTrace, Trace};
