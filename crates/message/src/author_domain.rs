//! The Author Domain (RFC 9989 3.2.2).

use memchr::memchr2;

use crate::address::{AddressError, AddressList};
use crate::domain::DomainError;
use crate::header::{Field, Header};
use crate::limits::Limits;
use crate::parse::{is_ftext, is_wsp};

/// What the `From` field says about the Author Domain (RFC 9989 3.2.2, 5.3.1).
///
/// Domains are A-labels in lower case without a trailing dot. Only [`AuthorDomain::One`] makes a
/// DMARC evaluation possible as RFC 9989 5.3.1 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorDomain {
    /// Every author has this domain.
    One(String),
    /// The authors have these different domains, in the order they appear.
    Several(Vec<String>),
    /// There is no author.
    None(NoAuthor),
    /// The message has no single reading of its authors, or an author without a DNS domain.
    Malformed(Malformed),
}

/// Why a message has no author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoAuthor {
    /// There is no `From` field (RFC 5322 3.6 wants one).
    #[error("there is no From field")]
    NoField,
    /// The field holds nothing but space and comments.
    #[error("the From field is empty")]
    EmptyField,
    /// All groups of the field are empty (RFC 6854 2.1).
    #[error("the From field has a group without members")]
    EmptyGroup,
}

/// Why the authors of a message cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// More than one `From` field (RFC 5322 3.6: "Max number 1").
    #[error("there are {count} From fields")]
    SeveralFields {
        /// How many.
        count: usize,
    },
    /// A line that some readers take for a `From` field and RFC 5322 does not: the name is folded,
    /// preceded by space, or after a CR or LF alone.
    #[error("a malformed line looks like a From field")]
    HiddenField {
        /// Where it starts in the header section.
        position: usize,
    },
    /// The field is no address list (RFC 5322 3.4, RFC 6854 2.1). Spans count from the value.
    #[error("the From field is malformed: {0}")]
    Address(#[from] AddressError),
    /// The domain of an author is no DNS name.
    #[error("{kind}")]
    Domain {
        /// Why.
        kind: DomainError,
        /// Which octets of the field's value.
        span: std::ops::Range<usize>,
    },
    /// More different domains than [`Limits::author_domains`].
    #[error("the authors have more than {limit} domains")]
    TooManyDomains {
        /// The limit.
        limit: usize,
    },
}

impl AuthorDomain {
    /// The domains, in the order they appear; none when there is no author or no single reading.
    pub fn domains(&self) -> &[String] {
        match self {
            AuthorDomain::One(domain) => std::slice::from_ref(domain),
            AuthorDomain::Several(domains) => domains,
            AuthorDomain::None(_) | AuthorDomain::Malformed(_) => &[],
        }
    }

    /// A stable word for the result.
    pub fn keyword(&self) -> &'static str {
        match self {
            AuthorDomain::One(_) => "one",
            AuthorDomain::Several(_) => "several",
            AuthorDomain::None(_) => "none",
            AuthorDomain::Malformed(_) => "malformed",
        }
    }

    /// A stable word for why there is no domain; `None` when there is one.
    pub fn cause(&self) -> Option<&'static str> {
        match self {
            AuthorDomain::One(_) | AuthorDomain::Several(_) => None,
            AuthorDomain::None(reason) => Some(reason.keyword()),
            AuthorDomain::Malformed(reason) => Some(reason.keyword()),
        }
    }
}

impl NoAuthor {
    /// A stable word for this reason.
    pub fn keyword(self) -> &'static str {
        match self {
            NoAuthor::NoField => "no-from-field",
            NoAuthor::EmptyField => "empty-from-field",
            NoAuthor::EmptyGroup => "empty-group",
        }
    }
}

impl Malformed {
    /// A stable word for this reason.
    pub fn keyword(&self) -> &'static str {
        match self {
            Malformed::SeveralFields { .. } => "several-from-fields",
            Malformed::HiddenField { .. } => "hidden-from-field",
            Malformed::Address(error) => error.kind.keyword(),
            Malformed::Domain { kind, .. } => kind.keyword(),
            Malformed::TooManyDomains { .. } => "too-many-author-domains",
        }
    }
}

/// The Author Domain of a message (RFC 9989 3.2.2), within the default [`Limits`].
///
/// Neither `Sender` nor a `Resent-` field is ever asked, and no text is searched for an "@": the
/// domain is what the grammar of RFC 5322 says, or there is none.
///
/// ```
/// use mailproof_message::{AuthorDomain, Header, author_domain};
///
/// let header = Header::parse(&b"From: \"ceo@bank.example\" <mallory@Evil.Example>\r\n"[..]);
/// assert_eq!(author_domain(&header), AuthorDomain::One("evil.example".into()));
/// ```
pub fn author_domain(header: &Header) -> AuthorDomain {
    author_domain_with(header, &Limits::default())
}

/// [`author_domain`] within these limits.
pub fn author_domain_with(header: &Header, limits: &Limits) -> AuthorDomain {
    if let Some(position) = hidden_field(header) {
        return AuthorDomain::Malformed(Malformed::HiddenField { position });
    }
    let mut fields = header.named("From");
    let Some(field) = fields.next() else {
        return AuthorDomain::None(NoAuthor::NoField);
    };
    // RFC 5322 3.6: From occurs exactly once.
    match fields.count() {
        0 => from_value(field.value(), limits),
        more => AuthorDomain::Malformed(Malformed::SeveralFields { count: more + 1 }),
    }
}

fn from_value(value: &[u8], limits: &Limits) -> AuthorDomain {
    let list = match AddressList::parse(value, limits) {
        Ok(list) => list,
        Err(error) => return AuthorDomain::Malformed(Malformed::Address(error)),
    };
    let mut domains: Vec<String> = Vec::new();
    for mailbox in &list.mailboxes {
        match mailbox.domain.name() {
            Ok(domain) if domains.contains(&domain) => {}
            Ok(_) if domains.len() >= limits.author_domains => {
                let limit = limits.author_domains;
                return AuthorDomain::Malformed(Malformed::TooManyDomains { limit });
            }
            Ok(domain) => domains.push(domain),
            Err(kind) => {
                let span = mailbox.domain.span.clone();
                return AuthorDomain::Malformed(Malformed::Domain { kind, span });
            }
        }
    }
    match (domains.pop(), list.groups.is_empty()) {
        (None, true) => AuthorDomain::None(NoAuthor::EmptyField),
        (None, false) => AuthorDomain::None(NoAuthor::EmptyGroup),
        (Some(domain), _) if domains.is_empty() => AuthorDomain::One(domain),
        (Some(domain), _) => {
            domains.push(domain);
            AuthorDomain::Several(domains)
        }
    }
}

/// Where a line is that only a careless reader takes for a `From` field.
// Disputed. RFC 5322 2.2 gives such a line no meaning; mail programs skip it, show it, or read it
// as `From`; we see no author at all then, because the one shown may not be the one evaluated
// ("Composition Kills", USENIX Security 2020). Case: attack-a12.
fn hidden_field(header: &Header) -> Option<usize> {
    if header.defects().is_empty() {
        return None;
    }
    header.fields().find_map(|field| {
        let start = field.range().start;
        if field.name().is_none() && looks_like_from(field.octets(), b":") {
            return Some(start);
        }
        after_bare_line_ends(field).map(|offset| start + offset)
    })
}

/// Whether what stands before one of the `ends`, or all of it, is "From" to a reader who skips
/// what is no `ftext`.
fn looks_like_from(octets: &[u8], ends: &[u8]) -> bool {
    let letters = octets
        .iter()
        .take_while(|octet| !ends.contains(octet))
        .filter(|&&octet| is_ftext(octet))
        .map(u8::to_ascii_lowercase);
    letters.eq(*b"from")
}

/// Where `From:` stands behind a CR or LF alone: a line of its own to a reader who takes that for
/// a line end.
fn after_bare_line_ends(field: Field<'_>) -> Option<usize> {
    let octets = field.octets();
    let mut position = 0;
    loop {
        let rest = octets.get(position..)?;
        let found = memchr2(b'\r', b'\n', rest)?;
        let after = rest.get(found + 1..)?;
        if rest.get(found) == Some(&b'\r') && after.first() == Some(&b'\n') {
            position += found + 2;
            continue;
        }
        position += found + 1;
        if !after.first().copied().is_some_and(is_wsp) && looks_like_from(after, b":\r\n") {
            return Some(position);
        }
    }
}
