//! What an evaluation is asked.

use std::fmt;

use mailproof_dns::Name;

/// What DMARC is told about a message. It is names only: no text of a message decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The Author Domains (RFC 9989 3.2.2): one, in any message that means well.
    pub author_domains: Vec<Name>,
    /// The Authenticated Identifiers (RFC 9989 3.2.1), and those that a temporary error kept from
    /// being authenticated.
    pub identifiers: Vec<Identifier>,
    /// How Organizational Domains are determined.
    pub discovery: Discovery,
}

/// An identifier of the message (RFC 9989 3.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identifier {
    /// The domain.
    pub domain: Name,
    /// What authenticates it.
    pub mechanism: Mechanism,
    /// Whether it is authenticated, or a temporary error left that open.
    pub authenticated: bool,
}

/// An Authentication Mechanism (RFC 9989 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// SPF of the MAIL FROM identity (RFC 9989 4.4.2).
    Spf,
    /// DKIM (RFC 9989 4.4.1).
    Dkim,
}

/// How Organizational Domains and records are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Discovery {
    /// The DNS Tree Walk (RFC 9989 4.10).
    #[default]
    TreeWalk,
    /// RFC 7489 3.2 and 6.6.3, with the Public Suffix List: to show where the two differ. np, psd
    /// and t have no meaning then. Sampling by pct is left to the caller, who has the record.
    PublicSuffixList,
}

impl Request {
    /// A request about these Author Domains, without identifiers.
    pub fn new(author_domains: impl IntoIterator<Item = Name>) -> Request {
        Request {
            author_domains: author_domains.into_iter().collect(),
            identifiers: Vec::new(),
            discovery: Discovery::TreeWalk,
        }
    }

    /// Adds an identifier.
    #[must_use]
    pub fn with(mut self, identifier: Identifier) -> Request {
        self.identifiers.push(identifier);
        self
    }
}

impl Identifier {
    /// The MAIL FROM domain of an SPF "pass". The HELO identity is none (RFC 9989 4.4.2).
    pub fn spf(domain: Name) -> Identifier {
        Identifier { domain, mechanism: Mechanism::Spf, authenticated: true }
    }

    /// The signing domain of a valid DKIM signature.
    pub fn dkim(domain: Name) -> Identifier {
        Identifier { domain, mechanism: Mechanism::Dkim, authenticated: true }
    }

    /// The same, but its authentication ended with a temporary error.
    #[must_use]
    pub fn undecided(self) -> Identifier {
        Identifier { authenticated: false, ..self }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mechanism::Spf => "spf",
            Mechanism::Dkim => "dkim",
        })
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mechanism, self.domain)
    }
}
