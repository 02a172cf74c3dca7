//! What is asked of the DNS (RFC 1035 4.1.2).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::Name;

/// A record type (RFC 1035 3.2.2) that mail authentication asks for or looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecordType {
    /// IPv4 address (RFC 1035 3.4.1).
    A,
    /// IPv6 address (RFC 3596).
    Aaaa,
    /// Alias (RFC 1035 3.3.1).
    Cname,
    /// Delegation signer (RFC 4034 5).
    Ds,
    /// Mail exchange (RFC 1035 3.3.9).
    Mx,
    /// Name server (RFC 1035 3.3.11).
    Ns,
    /// Pointer (RFC 1035 3.3.12).
    Ptr,
    /// Start of authority (RFC 1035 3.3.13).
    Soa,
    /// The obsolete type 99 (RFC 7208 3.1: not to be used), which only checkers look for.
    Spf,
    /// Certificate association (RFC 6698).
    Tlsa,
    /// Text (RFC 1035 3.3.14).
    Txt,
}

impl RecordType {
    /// Every type, in order of name.
    pub const ALL: [RecordType; 11] = [
        RecordType::A,
        RecordType::Aaaa,
        RecordType::Cname,
        RecordType::Ds,
        RecordType::Mx,
        RecordType::Ns,
        RecordType::Ptr,
        RecordType::Soa,
        RecordType::Spf,
        RecordType::Tlsa,
        RecordType::Txt,
    ];

    /// The number on the wire, from the IANA registry of DNS parameters.
    pub fn code(self) -> u16 {
        match self {
            RecordType::A => 1,
            RecordType::Aaaa => 28,
            RecordType::Cname => 5,
            RecordType::Ds => 43,
            RecordType::Mx => 15,
            RecordType::Ns => 2,
            RecordType::Ptr => 12,
            RecordType::Soa => 6,
            RecordType::Spf => 99,
            RecordType::Tlsa => 52,
            RecordType::Txt => 16,
        }
    }

    /// The mnemonic of master files, in capitals.
    pub fn keyword(self) -> &'static str {
        match self {
            RecordType::A => "A",
            RecordType::Aaaa => "AAAA",
            RecordType::Cname => "CNAME",
            RecordType::Ds => "DS",
            RecordType::Mx => "MX",
            RecordType::Ns => "NS",
            RecordType::Ptr => "PTR",
            RecordType::Soa => "SOA",
            RecordType::Spf => "SPF",
            RecordType::Tlsa => "TLSA",
            RecordType::Txt => "TXT",
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// The text names no record type that this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown record type")]
pub struct UnknownRecordType;

impl FromStr for RecordType {
    type Err = UnknownRecordType;

    fn from_str(text: &str) -> Result<RecordType, UnknownRecordType> {
        let same = |rtype: &RecordType| rtype.keyword().eq_ignore_ascii_case(text);
        RecordType::ALL.into_iter().find(same).ok_or(UnknownRecordType)
    }
}

/// A question (RFC 1035 4.1.2): a name and a record type; the class is always IN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// QNAME.
    pub name: Name,
    /// QTYPE.
    pub rtype: RecordType,
}

impl Hash for Question {
    /// Without the type: a name is asked for few of them, and every look-up hashes a question.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Question {
    /// The question for the records of `rtype` at `name`.
    pub fn new(name: Name, rtype: RecordType) -> Question {
        Question { name, rtype }
    }

    /// The question for the text records at `name`.
    pub fn txt(name: Name) -> Question {
        Question::new(name, RecordType::Txt)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)
    }
}
