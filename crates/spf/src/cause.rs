//! Why the result is what it is.

use std::fmt::{self, Display, Formatter};

use mailproof_dns::{Failure, Name, Question};

use crate::outcome::SpfResult;
use crate::record::Qualifier;
use crate::request::DomainError;
use crate::syntax::ParseError;

/// Why `check_host` gave its result, with the values that were compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// RFC 7208 4.3: the identity has no domain that could be checked.
    DomainMalformed {
        /// The domain, or the whole reverse-path, as the client sent it.
        text: String,
        /// What is wrong with it.
        error: DomainError,
    },
    /// RFC 7208 4.3: the domain does not exist (RCODE 3).
    DomainNotFound {
        /// The domain.
        domain: Name,
    },
    /// RFC 7208 4.5: the domain publishes no record.
    NoRecord {
        /// The domain.
        domain: Name,
    },
    /// RFC 7208 4.6.2: a mechanism matched.
    Match {
        /// The qualifier of its directive, which is the result.
        qualifier: Qualifier,
    },
    /// RFC 7208 4.7: no mechanism matched.
    NoMatch,
    /// RFC 7208 4.4, 5: a lookup failed for now.
    DnsFailure {
        /// The question that has no usable answer.
        question: Question,
        /// Why.
        failure: Failure,
    },
    /// RFC 7208 4.5: the domain publishes more than one record.
    SeveralRecords {
        /// The domain.
        domain: Name,
        /// How many.
        count: usize,
    },
    /// RFC 7208 4.6: the record has a syntax error, wherever it is.
    SyntaxError {
        /// The domain whose record it is.
        domain: Name,
        /// The record.
        record: Vec<u8>,
        /// The first error.
        error: ParseError,
    },
    /// Local choice (`Limits::record_octets`): the record is too long to be honest.
    RecordTooLong {
        /// The domain whose record it is.
        domain: Name,
        /// Its length.
        octets: usize,
        /// The most allowed.
        limit: usize,
    },
    /// RFC 7208 5.2: an included domain has no record.
    IncludeNone {
        /// The target-name.
        domain: String,
        /// Why it has none.
        why: Box<Cause>,
    },
    /// RFC 7208 6.1: the domain of a redirect has no record, or its name is malformed.
    RedirectNone {
        /// The target-name.
        domain: String,
        /// Why it has none.
        why: Box<Cause>,
    },
    /// RFC 7208 4.6.4: too many terms that cause DNS queries.
    TermLimit {
        /// The most allowed.
        limit: u8,
    },
    /// RFC 7208 4.6.4: too many lookups found nothing.
    VoidLookupLimit {
        /// The most allowed.
        limit: u32,
    },
    /// RFC 7208 4.6.4: a name has too many mail exchanges.
    MxLimit {
        /// The name.
        name: Name,
        /// How many it has.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// Local choice (`Limits::queries`): too many lookups in all.
    QueryLimit {
        /// The most allowed.
        limit: u32,
    },
}

impl Cause {
    /// The result that the cause leads to.
    pub fn result(&self) -> SpfResult {
        match self {
            // 4.3, 4.5
            Cause::DomainMalformed { .. }
            | Cause::DomainNotFound { .. }
            | Cause::NoRecord { .. } => SpfResult::None,
            // 4.6.2
            Cause::Match { qualifier } => (*qualifier).into(),
            // 4.7
            Cause::NoMatch => SpfResult::Neutral,
            // 4.4, 5
            Cause::DnsFailure { .. } => SpfResult::Temperror,
            // 4.5
            Cause::SeveralRecords { .. } => SpfResult::Permerror,
            // 4.6
            Cause::SyntaxError { .. } | Cause::RecordTooLong { .. } => SpfResult::Permerror,
            // 5.2, 6.1
            Cause::IncludeNone { .. } | Cause::RedirectNone { .. } => SpfResult::Permerror,
            // 4.6.4
            Cause::TermLimit { .. }
            | Cause::VoidLookupLimit { .. }
            | Cause::MxLimit { .. }
            | Cause::QueryLimit { .. } => SpfResult::Permerror,
        }
    }

    /// A stable keyword.
    pub fn keyword(&self) -> &'static str {
        match self {
            Cause::DomainMalformed { .. } => "domain-malformed",
            Cause::DomainNotFound { .. } => "domain-not-found",
            Cause::NoRecord { .. } => "no-record",
            Cause::Match { .. } => "match",
            Cause::NoMatch => "no-match",
            Cause::DnsFailure { .. } => "dns-failure",
            Cause::SeveralRecords { .. } => "several-records",
            Cause::SyntaxError { .. } => "syntax-error",
            Cause::RecordTooLong { .. } => "record-too-long",
            Cause::IncludeNone { .. } => "include-none",
            Cause::RedirectNone { .. } => "redirect-none",
            Cause::TermLimit { .. } => "term-limit",
            Cause::VoidLookupLimit { .. } => "void-lookup-limit",
            Cause::MxLimit { .. } => "mx-limit",
            Cause::QueryLimit { .. } => "query-limit",
        }
    }
}

impl Display for Cause {
    /// A clause for humans; what the client or a zone said is escaped.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Cause::DomainMalformed { text, error } => {
                write!(f, "\"{}\": {error}", text.escape_default())
            }
            Cause::DomainNotFound { domain } => write!(f, "{domain} does not exist"),
            Cause::NoRecord { domain } => write!(f, "{domain} has no SPF record"),
            Cause::Match { qualifier } => write!(f, "a mechanism with \"{qualifier}\" matches"),
            Cause::NoMatch => f.write_str("no mechanism matches"),
            Cause::DnsFailure { question, failure } => write!(f, "{question}: {failure}"),
            Cause::SeveralRecords { domain, count } => {
                write!(f, "{domain} has {count} SPF records")
            }
            Cause::SyntaxError { domain, record, error } => {
                let wrong = record.get(error.span.clone()).unwrap_or_default();
                let wrong = wrong.get(..64).unwrap_or(wrong).escape_ascii();
                write!(f, "record of {domain}, octet {}, \"{wrong}\": {error}", error.span.start)
            }
            Cause::RecordTooLong { domain, octets, limit } => {
                write!(f, "the record of {domain} has {octets} octets, more than {limit}")
            }
            Cause::IncludeNone { domain, why } => {
                write!(f, "include of {}: {why}", domain.escape_default())
            }
            Cause::RedirectNone { domain, why } => {
                write!(f, "redirect to {}: {why}", domain.escape_default())
            }
            Cause::TermLimit { limit } => write!(f, "more than {limit} terms need DNS lookups"),
            Cause::VoidLookupLimit { limit } => write!(f, "more than {limit} void lookups"),
            Cause::MxLimit { name, count, limit } => {
                write!(f, "{name} has {count} mail exchanges, more than {limit}")
            }
            Cause::QueryLimit { limit } => write!(f, "more than {limit} DNS lookups"),
        }
    }
}
