//! What is asked.

use std::net::IpAddr;

use mailproof_dns::Name;

use crate::Policy;

/// What a domain is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// It sends mail.
    #[default]
    Sender,
    /// It sends bulk mail.
    Bulk,
    /// It sends and takes no mail.
    NoMail,
    /// It takes mail.
    Receiver,
    /// Everything counts.
    Strict,
}

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// RFC 7208.
    Spf,
    /// RFC 6376 3.6.1.
    Dkim,
    /// RFC 9989.
    Dmarc,
    /// RFC 8461.
    MtaSts,
    /// RFC 8460.
    TlsRpt,
    /// BIMI.
    Bimi,
    /// RFC 6698.
    Tlsa,
    /// RFC 5617.
    Adsp,
}

/// A domain, and what is expected of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The domain.
    pub domain: Name,
    /// What it is for.
    pub profile: Profile,
    /// DKIM selectors in use.
    pub selectors: Vec<Name>,
    /// Addresses that must pass SPF.
    pub must_pass: Vec<IpAddr>,
    /// Addresses that must not.
    pub must_not_pass: Vec<IpAddr>,
    /// The DMARC policy expected.
    pub policy: Option<Policy>,
    /// Seconds since 1970.
    pub now: u64,
}

impl Request {
    /// The domain, of which nothing special is expected.
    pub fn new(domain: Name) -> Request {
        Request {
            domain,
            profile: Profile::default(),
            selectors: Vec::new(),
            must_pass: Vec::new(),
            must_not_pass: Vec::new(),
            policy: None,
            now: 0,
        }
    }
}
