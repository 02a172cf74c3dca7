//! The record in types.

use std::ops::Range;

use crate::{Policies, Policy, ReportUri};

/// A DMARC Policy Record (RFC 9989 4.7): its tags after defaults, and what of it was ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// "p", if it is there and valid.
    pub policy: Option<Policy>,
    /// "sp", if it is there and valid.
    pub subdomain_policy: Option<Policy>,
    /// "np", if it is there and valid.
    pub nonexistent_policy: Option<Policy>,
    /// "adkim": how DKIM-Authenticated Identifiers align.
    pub adkim: AlignmentMode,
    /// "aspf": how SPF-Authenticated Identifiers align.
    pub aspf: AlignmentMode,
    /// "t=y": the policy is being tested and applies one level lower.
    pub testing: bool,
    /// "psd".
    pub psd: Psd,
    /// "fo".
    pub failure_options: FailureOptions,
    /// "rua": the valid URIs for aggregate reports.
    pub rua: Vec<ReportUri>,
    /// "ruf": the valid URIs for failure reports.
    pub ruf: Vec<ReportUri>,
    /// "pct", "rf" and "ri", which RFC 9989 made historic.
    pub historic: Historic,
    /// Every tag that is a name and a value, in order, as it is written.
    pub tags: Vec<Tag>,
    /// What a receiver ignores, and why, in order: unknown tags, and values that are discarded "in
    /// favor of default values (if any)" (RFC 9989 4.8).
    pub ignored: Vec<Error>,
    /// Whether "sp" or "np" is there and not valid (RFC 9989 4.10.1 treats it as a whole).
    pub(crate) invalid_subdomain_policy: bool,
    /// The same for "sp" alone (RFC 7489 6.6.3).
    pub(crate) invalid_sp: bool,
}

/// A dmarc-tag (RFC 9989 4.8) as it is written; all spans count octets of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The name, in lower case.
    pub name: String,
    /// The value without whitespace around it.
    pub value: String,
    /// Where the name stands.
    pub name_span: Range<usize>,
    /// Where the value stands.
    pub value_span: Range<usize>,
}

/// How an identifier has to align (RFC 9989 4.8: dmarc-rors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AlignmentMode {
    /// The same Organizational Domain (RFC 9989 3.2.10.1).
    #[default]
    Relaxed,
    /// The same domain (RFC 9989 3.2.10.2).
    Strict,
}

/// Whether the domain is a Public Suffix Domain (RFC 9989 4.7: psd).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Psd {
    /// "y": it is one.
    Yes,
    /// "n": it is none, but the Organizational Domain for itself and its subdomains.
    No,
    /// "u": it is none, and may or may not be an Organizational Domain.
    #[default]
    Undeclared,
}

/// When failure reports are wanted (RFC 9989 4.7: fo).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FailureOptions {
    /// "1": when any mechanism fails to produce an aligned pass; otherwise ("0") when all do.
    pub any: bool,
    /// "d": when a DKIM signature failed.
    pub dkim: bool,
    /// "s": when SPF failed.
    pub spf: bool,
}

/// Tags of RFC 7489 that RFC 9989 9.3 made historic: read for people, used for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Historic {
    /// "pct": the percentage of failing messages the policy is for.
    pub pct: Option<u8>,
    /// "rf": whether the format asked for is "afrf", the only one there was.
    pub afrf: Option<bool>,
    /// "ri": the seconds asked for between aggregate reports.
    pub ri: Option<u32>,
}

/// Why octets are no DMARC Policy Record, or why a part of one is ignored, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// Why.
    pub kind: ErrorKind,
    /// The octets of the record that are meant.
    pub span: Range<usize>,
}

/// Why octets are no DMARC Policy Record, or why a part of one is ignored (RFC 9989 4.7, 4.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The first tag is not "v=DMARC1": "the entire record MUST be ignored".
    #[error("a DMARC record begins with \"v=DMARC1\"")]
    NoVersion,
    /// Nothing between two ";".
    #[error("a tag is missing here")]
    Empty,
    /// A tag without "=".
    #[error("the tag has no \"=\"")]
    NoEquals,
    /// A tag name that is not letters only.
    #[error("this is no tag name")]
    InvalidName,
    /// A tag that no registry knows: "unknown tags MUST be ignored".
    #[error("nobody knows this tag")]
    UnknownTag,
    /// A tag that RFC 9989 9.3 made historic.
    #[error("RFC 9989 removed this tag")]
    HistoricTag,
    /// The same tag again.
    #[error("the tag stands here for the second time")]
    Duplicate,
    /// A value with an octet that is not printable ASCII.
    #[error("the value has an octet that is not printable ASCII")]
    InvalidOctet,
    /// A value that the tag does not have.
    #[error("the tag does not have this value")]
    InvalidValue,
    /// "0" beside "1" in "fo": they "are mutually exclusive".
    #[error("\"0\" and \"1\" exclude each other")]
    OptionConflict,
    /// No URI (RFC 3986) where one belongs.
    #[error("this is no URI")]
    InvalidUri,
    /// A size limit after a URI: RFC 9989 4.8, "Obsolete syntax".
    #[error("RFC 9989 removed size limits")]
    SizeLimit,
    /// More tags or URIs than are read.
    #[error("there are too many of these")]
    TooMany,
}

impl ErrorKind {
    /// A stable word for the kind, in kebab case.
    pub fn keyword(self) -> &'static str {
        match self {
            ErrorKind::NoVersion => "no-version",
            ErrorKind::Empty => "empty",
            ErrorKind::NoEquals => "no-equals",
            ErrorKind::InvalidName => "invalid-name",
            ErrorKind::UnknownTag => "unknown-tag",
            ErrorKind::HistoricTag => "historic-tag",
            ErrorKind::Duplicate => "duplicate",
            ErrorKind::InvalidOctet => "invalid-octet",
            ErrorKind::InvalidValue => "invalid-value",
            ErrorKind::OptionConflict => "option-conflict",
            ErrorKind::InvalidUri => "invalid-uri",
            ErrorKind::SizeLimit => "size-limit",
            ErrorKind::TooMany => "too-many",
        }
    }

    pub(crate) fn at(self, span: Range<usize>) -> Error {
        Error { kind: self, span }
    }
}

impl Record {
    /// The policies the record asks for after all defaults; `None` if it asks for none, so that
    /// "the Mail Receiver applies no DMARC processing".
    pub fn policies(&self) -> Option<Policies> {
        self.policies_if(self.invalid_subdomain_policy)
    }

    /// [`Record::policies`] as RFC 7489 has them, which knows no "np".
    pub fn policies_rfc7489(&self) -> Option<Policies> {
        let policies = self.policies_if(self.invalid_sp)?;
        Some(Policies { nonexistent: policies.subdomains, ..policies })
    }

    fn policies_if(&self, invalid: bool) -> Option<Policies> {
        match self.policy {
            Some(domain) if !invalid => {
                let subdomains = self.subdomain_policy.unwrap_or(domain);
                let nonexistent = self.nonexistent_policy.unwrap_or(subdomains);
                Some(Policies { domain, subdomains, nonexistent })
            }
            // RFC 9989 4.10.1: "does not contain a valid 'p' tag, or contains an 'sp' or 'np' tag
            // that is not valid [...] If a 'rua' tag is present and contains at least one
            // syntactically valid reporting URI, the Mail Receiver MUST act as if a record
            // containing 'p=none' was retrieved".
            _ if !self.rua.is_empty() => {
                let none = Policy::None;
                Some(Policies { domain: none, subdomains: none, nonexistent: none })
            }
            _ => None,
        }
    }

    /// The tag of this name, as it is written.
    pub fn tag(&self, name: &str) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.name == name)
    }
}
