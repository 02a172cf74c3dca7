//! What is asked.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mailproof_dns::{Name, Question};

use crate::{Fetched, Limits, Policy, WeakKeys};

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
    /// RFC 8461 3.1.
    MtaSts,
    /// RFC 8461 3.2: the document, no record.
    MtaStsPolicy,
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
    /// The names that hosts give with EHLO, by their addresses.
    pub helo: Vec<(IpAddr, Name)>,
    /// Whether people write with addresses of the domain, on mailing lists too.
    pub has_people: bool,
    /// What aggregate reports say of the selectors.
    pub reports: Option<Selectors>,
    /// How long questions took to be answered, of those that took long.
    pub slow: Vec<(Question, Duration)>,
    /// The DMARC policy expected.
    pub policy: Option<Policy>,
    /// Lists of keys that nobody may use any more, shared by all requests.
    pub weak_keys: Option<Arc<WeakKeys>>,
    /// Seconds since 1970; 0 where nobody says.
    pub now: u64,
    /// What was had over the network beside the DNS.
    pub fetched: Fetched,
    /// How much is looked at, and what is too much.
    pub limits: Limits,
}

/// The selectors in DMARC aggregate reports (RFC 9990).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    /// Those of signatures of the domain that verified.
    pub seen: Vec<Name>,
    /// When the first report begins, in seconds since 1970.
    pub begin: u64,
    /// When the last report ends.
    pub end: u64,
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
            helo: Vec::new(),
            has_people: false,
            reports: None,
            slow: Vec::new(),
            policy: None,
            weak_keys: None,
            now: 0,
            fetched: Fetched::default(),
            limits: Limits::default(),
        }
    }
}
