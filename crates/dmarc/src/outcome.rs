//! What comes out of an evaluation.

use std::fmt;
use std::sync::Arc;

use mailproof_authres::{Method, MethodResult, Ptype, ResultCode};
use mailproof_dns::{Failure, Name};

use crate::{Disposition, Identifier, Policy, Record, Rejection, ReportUri};

/// The result of DMARC (RFC 9989 9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DmarcResult {
    /// DMARC does not apply.
    None,
    /// An Authenticated Identifier is aligned with the Author Domain.
    Pass,
    /// None is.
    Fail,
    /// An error that is likely transient.
    Temperror,
    /// An error that is unrecoverable.
    Permerror,
}

impl DmarcResult {
    /// The word of the registry.
    pub fn keyword(self) -> &'static str {
        match self {
            DmarcResult::None => "none",
            DmarcResult::Pass => "pass",
            DmarcResult::Fail => "fail",
            DmarcResult::Temperror => "temperror",
            DmarcResult::Permerror => "permerror",
        }
    }
}

impl fmt::Display for DmarcResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

/// Why the result is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// This identifier is aligned (RFC 9989 5.3.5).
    Aligned(Identifier),
    /// There are Authenticated Identifiers, but none is aligned (RFC 9989 5.3.5).
    NotAligned,
    /// There is no Authenticated Identifier (RFC 9989 5.3.5).
    NoIdentifier,
    /// This identifier would be aligned, but its authentication had a temporary error (RFC 9989
    /// 5.3.6).
    Undecided(Identifier),
    /// The DNS failed at this name, whose answer would decide (RFC 9989 5.3.6).
    DnsFailure {
        /// The domain whose records, or whose existence, was asked for.
        name: Name,
        /// How it failed.
        failure: Failure,
    },
    /// No DMARC Policy Record applies (RFC 9989 4.10.1).
    NoRecord,
    /// None applies, and this name has several, which are discarded (RFC 9989 4.10 step 6).
    SeveralRecords(Name),
    /// The record at this name has no valid policy and no URI for reports (RFC 9989 4.10.1).
    NoPolicy(Name),
    /// There is no Author Domain (RFC 9989 5.3.1).
    NoAuthorDomain,
    /// There are more Author Domains than are evaluated (RFC 9989 11.5).
    TooManyAuthorDomains {
        /// How many there are.
        found: usize,
        /// How many are evaluated.
        limit: usize,
    },
    /// More identifiers than this would need a walk (RFC 9989 4.10: bounded work).
    TooManyIdentifiers {
        /// For how many a walk is made.
        limit: usize,
    },
}

impl Cause {
    /// A stable word, in kebab case.
    pub fn keyword(&self) -> &'static str {
        match self {
            Cause::Aligned(_) => "aligned",
            Cause::NotAligned => "not-aligned",
            Cause::NoIdentifier => "no-identifier",
            Cause::Undecided(_) => "undecided",
            Cause::DnsFailure { .. } => "dns-failure",
            Cause::NoRecord => "no-record",
            Cause::SeveralRecords(_) => "several-records",
            Cause::NoPolicy(_) => "no-policy",
            Cause::NoAuthorDomain => "no-author-domain",
            Cause::TooManyAuthorDomains { .. } => "too-many-author-domains",
            Cause::TooManyIdentifiers { .. } => "too-many-identifiers",
        }
    }

    /// The result it leads to.
    pub fn result(&self) -> DmarcResult {
        match self {
            // RFC 9989 5.3.5: "one or more of the Authenticated Identifiers align".
            Cause::Aligned(_) => DmarcResult::Pass,
            // RFC 9989 5.3.5: "none of the Authenticated Identifiers align".
            Cause::NotAligned | Cause::NoIdentifier => DmarcResult::Fail,
            // RFC 9989 5.3.6: "cannot be considered to pass or fail".
            Cause::Undecided(_) | Cause::DnsFailure { .. } => DmarcResult::Temperror,
            // RFC 9989 9.2: "No DMARC Policy Record exists", 4.10.1: "applies no DMARC processing".
            Cause::NoRecord | Cause::SeveralRecords(_) | Cause::NoPolicy(_) => DmarcResult::None,
            // RFC 9989 9.2: "A later attempt is unlikely to produce a final result". 5.3.1: without
            // an Author Domain "DMARC validation is not possible"; "none" would say that nobody
            // asked for it.
            Cause::NoAuthorDomain
            | Cause::TooManyAuthorDomains { .. }
            | Cause::TooManyIdentifiers { .. } => DmarcResult::Permerror,
        }
    }
}

impl fmt::Display for Cause {
    /// A sentence for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Aligned(identifier) => write!(f, "{identifier} is aligned"),
            Cause::NotAligned => f.write_str("no authenticated identifier is aligned"),
            Cause::NoIdentifier => f.write_str("no identifier is authenticated"),
            Cause::Undecided(identifier) => {
                write!(f, "{identifier} would be aligned, but has a temporary error")
            }
            Cause::DnsFailure { name, failure } => write!(f, "DNS for {name}: {failure}"),
            Cause::NoRecord => f.write_str("no DMARC record applies"),
            Cause::SeveralRecords(name) => write!(f, "_dmarc.{name} has several DMARC records"),
            Cause::NoPolicy(name) => {
                write!(f, "the record at _dmarc.{name} has no valid policy and no valid rua")
            }
            Cause::NoAuthorDomain => f.write_str("the message has no author domain"),
            Cause::TooManyAuthorDomains { found, limit } => {
                write!(f, "{found} author domains, of which only {limit} are evaluated")
            }
            Cause::TooManyIdentifiers { limit } => {
                write!(f, "more than {limit} identifiers need a walk of their own")
            }
        }
    }
}

/// Where the applied record was found (RFC 9989 4.10.1), from highest preference to lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// At the Author Domain.
    AuthorDomain,
    /// At its Organizational Domain.
    OrganizationalDomain,
    /// At its Public Suffix Domain.
    PublicSuffixDomain,
}

/// The applied record and its domain, the DMARC Policy Domain (RFC 9989 3.2.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRecord {
    /// The DMARC Policy Domain.
    pub domain: Name,
    /// What it is to the Author Domain.
    pub location: Location,
    /// The record.
    pub record: Arc<Record>,
}

impl PolicyRecord {
    /// Where failure reports may go. RFC 9991 2: the "ruf" of a Public Suffix Domain's record "MUST
    /// NOT be used".
    pub fn failure_uris(&self) -> &[ReportUri] {
        match self.record.psd {
            crate::Psd::Yes => &[],
            crate::Psd::No | crate::Psd::Undeclared => &self.record.ruf,
        }
    }
}

/// Whether an identifier is aligned with the Author Domain (RFC 9989 3.2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alignment {
    /// The same domain, which satisfies both modes.
    Strict,
    /// Another domain with the same Organizational Domain, in relaxed mode.
    Relaxed,
    /// Not aligned in the mode of the record.
    No,
    /// The DNS failed, or the limit of walks was reached.
    Unknown,
}

impl Alignment {
    /// Whether it is aligned for sure.
    pub fn is_aligned(self) -> bool {
        matches!(self, Alignment::Strict | Alignment::Relaxed)
    }
}

/// What DMARC says about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The result.
    pub result: DmarcResult,
    /// Why.
    pub cause: Cause,
    /// The Author Domain (RFC 9989 3.2.2) this is about.
    pub author_domain: Option<Name>,
    /// Its Organizational Domain (RFC 9989 3.2.14), if it was determined.
    pub organizational_domain: Option<Name>,
    /// The record that applies.
    pub policy_record: Option<PolicyRecord>,
    /// The Domain Owner Assessment Policy (RFC 9989 3.2.8) for the Author Domain: p, sp or np of the
    /// record; unknown where none applies or the DNS failed.
    pub assessment_policy: Option<Policy>,
    /// The policy to be applied: the same after t, which makes it one level lower.
    pub policy: Option<Policy>,
    /// Every identifier, in the order given, and whether it is aligned; empty if no record applies.
    pub identifiers: Vec<(Identifier, Alignment)>,
    /// The domains whose `_dmarc.` records were looked at, in order.
    pub queries: Vec<Name>,
    /// The outcomes of the other Author Domains of the message.
    pub others: Vec<Outcome>,
}

impl Outcome {
    pub(crate) fn new(cause: Cause, author_domain: Option<Name>) -> Outcome {
        Outcome {
            result: cause.result(),
            cause,
            author_domain,
            organizational_domain: None,
            policy_record: None,
            assessment_policy: None,
            policy: None,
            identifiers: Vec::new(),
            queries: Vec::new(),
            others: Vec::new(),
        }
    }

    /// What the policy advises to do with the message.
    pub fn disposition(&self, rejection: Rejection) -> Disposition {
        match (self.result, self.policy) {
            (DmarcResult::Fail, Some(policy)) => Disposition::of(policy, rejection),
            _ => Disposition::None,
        }
    }

    /// The result for an Authentication-Results field (RFC 9989 9.1).
    pub fn authres(&self) -> MethodResult {
        let code = match self.result {
            DmarcResult::None => ResultCode::None,
            DmarcResult::Pass => ResultCode::Pass,
            DmarcResult::Fail => ResultCode::Fail,
            DmarcResult::Temperror => ResultCode::Temperror,
            DmarcResult::Permerror => ResultCode::Permerror,
        };
        let mut result = MethodResult::new(Method::Dmarc, code);
        if let Some(domain) = &self.author_domain {
            result = result.with(Ptype::Header, "from", domain.to_string());
        }
        if let Some(policy) = self.policy {
            result = result.with(Ptype::Policy, "dmarc", policy.keyword());
        }
        result
    }
}
