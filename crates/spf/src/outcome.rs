//! The result of `check_host`, and what it rests on.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use mailproof_authres::{Method, MethodResult, Ptype, ResultCode};
use mailproof_dns::Name;

use crate::cause::Cause;
use crate::record::Qualifier;
use crate::request::Identity;

/// A result of evaluation (RFC 7208 2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpfResult {
    /// 2.6.1: no domain that could be checked, or no record.
    None,
    /// 2.6.2: the domain says nothing about the client. To be treated as none (8.2).
    Neutral,
    /// 2.6.3: the client is authorized.
    Pass,
    /// 2.6.4: the client is not authorized.
    Fail,
    /// 2.6.5: the client is probably not authorized.
    Softfail,
    /// 2.6.6: try again later.
    Temperror,
    /// 2.6.7: the published records cannot be interpreted.
    Permerror,
}

impl Display for SpfResult {
    /// The keyword of RFC 7208 9.1 and RFC 8601 2.7.2.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SpfResult::None => "none",
            SpfResult::Neutral => "neutral",
            SpfResult::Pass => "pass",
            SpfResult::Fail => "fail",
            SpfResult::Softfail => "softfail",
            SpfResult::Temperror => "temperror",
            SpfResult::Permerror => "permerror",
        })
    }
}

impl From<Qualifier> for SpfResult {
    /// RFC 7208 4.6.2.
    fn from(qualifier: Qualifier) -> SpfResult {
        match qualifier {
            Qualifier::Pass => SpfResult::Pass,
            Qualifier::Fail => SpfResult::Fail,
            Qualifier::Softfail => SpfResult::Softfail,
            Qualifier::Neutral => SpfResult::Neutral,
        }
    }
}

/// The result of `check_host` (RFC 7208 4.2), why, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// The result.
    pub result: SpfResult,
    /// Why.
    pub cause: Cause,
    /// Which identity was checked.
    pub identity: Identity,
    /// The domain of the identity, if it has a valid one: what RFC 9989 calls the SPF-authenticated
    /// identifier when the result is pass.
    pub domain: Option<Name>,
    /// The term that decided: the directive that matched, or the term that went wrong.
    pub term: Option<DecidingTerm>,
    /// The explanation of a fail (RFC 7208 6.2), if the domain publishes one.
    pub explanation: Option<Explanation>,
    /// What the evaluation cost.
    pub counts: Counts,
    /// For how many seconds the result holds for every message of the same domain, identity and
    /// client (RFC 7208 7.3); `None` if it depends on the sender, or on no answer that has a TTL.
    pub ttl: Option<u32>,
}

/// A term and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidingTerm {
    /// The domain whose record has the term.
    pub owner: Name,
    /// Where the term stands in the octets of the record.
    pub span: Range<usize>,
    /// The term, as [`crate::Term`] prints it.
    pub text: String,
}

/// What an evaluation cost, counted in the order of the terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Terms that cause DNS queries (RFC 7208 4.6.4: at most 10).
    pub terms: u8,
    /// Terms whose lookup found nothing (RFC 7208 4.6.4: at most 2).
    pub void_lookups: u32,
    /// Lookups, the same question again each time it is needed.
    pub queries: u32,
}

/// An explanation (RFC 7208 6.2): text of a third party, printable ASCII, bounded in length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Who says it: the domain whose record has the `exp=`.
    pub domain: Name,
    /// What it says.
    pub text: String,
}

impl Display for Explanation {
    /// RFC 7208 6.2: "Software SHOULD make it clear that the explanation string comes from a
    /// third party."
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} explains: {}", self.domain, self.text)
    }
}

impl Outcome {
    /// The outcome for an Authentication-Results field (RFC 8601 2.7.2): `smtp.mailfrom` or
    /// `smtp.helo` with the domain, where it is a valid one, and the reason where the result is not
    /// what the domain's policy says.
    pub fn method_result(&self) -> MethodResult {
        let code = match self.result {
            // RFC 8601 2.7.2
            SpfResult::None => ResultCode::None,
            SpfResult::Neutral => ResultCode::Neutral,
            SpfResult::Pass => ResultCode::Pass,
            SpfResult::Fail => ResultCode::Fail,
            SpfResult::Softfail => ResultCode::Softfail,
            SpfResult::Temperror => ResultCode::Temperror,
            SpfResult::Permerror => ResultCode::Permerror,
        };
        let mut result = MethodResult::new(Method::Spf, code);
        if !matches!(self.cause, Cause::Match { .. } | Cause::NoMatch) {
            result = result.reason(self.cause.to_string());
        }
        let property = match self.identity {
            Identity::Helo => "helo",
            Identity::MailFrom => "mailfrom",
        };
        match &self.domain {
            Some(domain) => result.with(Ptype::Smtp, property, domain.to_string()),
            None => result,
        }
    }
}
