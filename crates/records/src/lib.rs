//! Checks of published mail records: what is wrong with them, where, what receivers make of it, and
//! what to do.
//!
//! [`check`] looks at everything that is published for the domain of a [`Request`], a pure function
//! of the DNS answers known so far; [`Examination`] does the same for answers that come one after
//! the other; [`check_record`] looks at one record by itself. All give a [`Report`] of
//! [`Finding`]s, each of one of the [`rules`].
//!
//! ```
//! use mailproof_dns::Zone;
//! use mailproof_records::{Request, Severity, check};
//!
//! let zone = Zone::parse("example.com. TXT \"v=spf1 ip4=192.0.2.1 -all\"")?;
//! let request = Request::new("example.com".parse()?);
//! let report = zone.resolve(|answers| check(&request, answers));
//! let finding = report.findings.iter().find(|finding| finding.rule.id == "SPF011").unwrap();
//! assert_eq!((finding.severity, finding.span.clone()), (Severity::Error, Some(7..20)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What is had beside the DNS (policies, certificates, registrations) goes in as facts: [`targets`]
//! says what there is to fetch, and [`Fetched`], part of the request, what came of it. So do lists of
//! keys that are known to be weak, [`WeakKeys`]; [`check_key`] holds one record against them.
//!
//! # A new rule
//!
//! 1. Declare it in `catalogue/<family>.rs`: an id that was never used, a name, the severity, the
//!    section, and what it means in sentences. What a profile changes stands in `check.rs`.
//! 2. Report it in the module of the family: `report.at` for octets of a record, `report.of` for a
//!    name. What needs no DNS belongs into the function `record`, which [`check_record`] shares.
//!    `look.ask` notes a question that is not answered yet, and a name server that failed: `None`
//!    says that nothing is known, never that nothing is there. Look at no other family's findings:
//!    each may be looked for at another time.
//! 3. Write two cases into `testdata/records/<family>.toml`, one that it finds and one that it
//!    misses by a little; a test wants both.
//! 4. Write `docs/rules.md` anew: `check-dns rules --format markdown`.
//!
//! STANDARDS: RFC 7208, RFC 6376, RFC 9989, RFC 5321, RFC 7672, RFC 8461, RFC 8460.

mod authority;
mod catalogue;
mod check;
mod dkim;
mod dmarc;
mod fetched;
mod finding;
mod hygiene;
mod limits;
mod mailbox;
mod mx;
mod request;
mod rule;
mod spf;
mod targets;
mod tls;

pub use catalogue::rules;
pub use check::{Examination, check, check_policy, check_record};
pub use dkim::{WeakKeys, WeakKeysError, check_key};
pub use fetched::{
    Attempt, Certificate, Document, Fetched, Mark, Presented, Refusal, Registration, Server,
    Session,
};
pub use finding::{Branch, Effective, Finding, Report, Selector, Source, SpfBudget as Spf};
pub use hygiene::check_owner;
pub use limits::Limits;
pub use mailproof_dmarc::Policy;
pub use mx::is_reserved;
pub use request::{Kind, Profile, Request, Selectors};
pub use rule::{Rule, Severity};
pub use targets::{Targets, targets};
