//! What was had over the network beside the DNS: facts, which [`crate::check`] judges.

use std::fmt;
use std::net::IpAddr;

use mailproof_dns::{Answers, Name};

/// Everything that was had. What is absent was not asked for.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The MTA-STS policy (RFC 8461 3.3).
    pub policy: Option<Attempt<Document>>,
    /// The mail exchanges (RFC 3207).
    pub exchanges: Vec<(Name, Attempt<Session>)>,
    /// The BIMI logo.
    pub logo: Option<Attempt<Document>>,
    /// The certificate of the logo.
    pub mark: Option<Attempt<Mark>>,
    /// The registrations of domains (RFC 9083).
    pub registrations: Vec<(Name, Attempt<Registration>)>,
    /// What each name server of the zone says.
    pub servers: Vec<Server>,
}

/// What an attempt to have something came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt<T> {
    /// This.
    Came(T),
    /// An answer that is none; the next time it will be the same.
    Refused(Refusal),
    /// No answer, for this reason: nothing is known.
    Lost(String),
}

/// Why an answer is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The status of HTTP is not 200 (RFC 9110 15).
    Status(u16),
    /// The certificate of the host, for this reason.
    Certificate(String),
    /// More octets than this.
    TooLarge(usize),
    /// What came is not what the protocol wants, in words.
    Protocol(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Status(status @ 300..400) => {
                write!(f, "status {status}, and redirects are not followed")
            }
            Refusal::Status(status) => write!(f, "status {status}"),
            Refusal::Certificate(reason) => write!(f, "the certificate of the host: {reason}"),
            Refusal::TooLarge(most) => write!(f, "more than {most} octets"),
            Refusal::Protocol(reason) => f.write_str(reason),
        }
    }
}

/// A document that came by HTTPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The value of its Content-Type field, empty where there is none.
    pub media_type: String,
    /// Its content.
    pub content: Vec<u8>,
}

/// What a mail exchange says and presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Session {
    /// It does not offer STARTTLS.
    Plain,
    /// It presents these certificates.
    Tls(Presented),
}

/// The certificates that a host presents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presented {
    /// Its own first.
    pub certificates: Vec<Certificate>,
    /// The DNS names of its own.
    pub names: Vec<String>,
    /// When its own ends, in seconds since 1970, if that is known.
    pub ends: Option<u64>,
    /// Why they lead to no authority that is trusted; `None` where they do.
    pub fault: Option<String>,
}

/// A certificate as TLSA records see it (RFC 6698 2.1.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The whole of it, in DER.
    pub whole: Vec<u8>,
    /// Its SubjectPublicKeyInfo, in DER.
    pub key: Vec<u8>,
}

/// A mark certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// Its DNS names.
    pub names: Vec<String>,
    /// From when it is valid, in seconds since 1970.
    pub begins: Option<u64>,
    /// Until when.
    pub ends: Option<u64>,
    /// Whether it is for brand indicators (1.3.6.1.5.5.7.3.31).
    pub is_for_marks: bool,
    /// The logo in it.
    pub logo: Option<Vec<u8>>,
    /// Why the certificates do not lead to the last of them.
    pub fault: Option<String>,
}

/// The registration of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registration {
    /// When it ends, in seconds since 1970, if the registry says so.
    pub ends: Option<u64>,
    /// Its states in the words of RFC 8056.
    pub states: Vec<String>,
}

/// What a name server of the zone says by itself.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name.
    pub name: Name,
    /// Its address.
    pub address: IpAddr,
    /// Its answers.
    pub answers: Answers,
}
