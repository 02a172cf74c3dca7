//! DMARC (RFC 9989): does the domain in From vouch for the message, and what does it ask for if
//! not?
//!
//! [`evaluate`] takes names and nothing else: the Author Domain, and the identifiers that SPF and
//! DKIM authenticated. It finds the DMARC Policy Record by the DNS Tree Walk, checks Identifier
//! Alignment, and returns a result with its cause, the policy for this very domain, and the advice
//! that follows. [`Discovery::PublicSuffixList`] evaluates as RFC 7489 did, to show where the two
//! differ. [`Record::parse`] reads a record and says what of it is ignored, and where it stands.
//!
//! ```
//! use mailproof_dmarc::{DmarcResult, Disposition, Identifier, Rejection, Request, evaluate};
//! use mailproof_dns::Zone;
//!
//! let zone = Zone::parse("_dmarc.example.com TXT \"v=DMARC1; p=none; sp=reject; aspf=s\"").unwrap();
//! let request = Request::new(["news.example.com".parse().unwrap()])
//!     .with(Identifier::spf("bounce.example.com".parse().unwrap()))
//!     .with(Identifier::dkim("esp.example.net".parse().unwrap()));
//! let outcome = zone.resolve(|answers| evaluate(&request, answers));
//!
//! assert_eq!(outcome.result, DmarcResult::Fail);
//! assert_eq!(outcome.cause.keyword(), "not-aligned");
//! assert_eq!(outcome.organizational_domain.as_ref().unwrap().to_string(), "example.com");
//! assert_eq!(outcome.authres().to_string(),
//!     "dmarc=fail header.from=news.example.com policy.dmarc=reject");
//! // RFC 9989 7.4: nobody rejects solely because a record says so.
//! assert_eq!(outcome.disposition(Rejection::default()), Disposition::Quarantine);
//! ```
//!
//! STANDARDS: RFC 9989, RFC 9990 4 and RFC 9991 5 (where reports may go), RFC 8020 (existence);
//! RFC 7489 3.2, 6.3 and 6.6.3 on request.

mod display;
mod evaluate;
mod external;
mod limits;
mod outcome;
mod parse;
mod policy;
mod record;
mod request;
mod suffix;
mod uri;
mod walk;

pub use evaluate::{evaluate, evaluate_with};
pub use external::{Destination, Report, report_destination};
pub use limits::Limits;
pub use outcome::{Alignment, Cause, DmarcResult, Location, Outcome, PolicyRecord};
pub use policy::{Disposition, Policies, Policy, Rejection};
pub use record::{AlignmentMode, Error, ErrorKind, FailureOptions, Historic, Psd, Record, Tag};
pub use request::{Discovery, Identifier, Mechanism, Request};
pub use suffix::public_suffix_organizational_domain;
pub use uri::ReportUri;
pub use walk::{Published, TreeWalk, tree_walk, walk_names};
