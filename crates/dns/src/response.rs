//! What the DNS answers: records, NODATA, NXDOMAIN or a failure are four different things.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::{Name, RecordType};

/// The response to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The name has records of the type asked for (after following aliases).
    Records(RecordSet),
    /// RCODE 0 without a record of the type (RFC 2308 2.2): the name exists.
    NoData,
    /// RCODE 3 (RFC 2308 2.1): the name, or the end of its alias chain, does not exist.
    NxDomain,
    /// No usable answer: nothing is known about the name. A temporary error in every protocol.
    Failure(Failure),
}

/// Why there was no usable answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// RCODE 2, or any other RCODE than 0 and 3, an unreadable answer, a loop of aliases.
    ServFail,
    /// No answer in the time allowed.
    Timeout,
    /// Not asked: the message's budget of queries or rounds is used up ([`crate::Limits`]).
    Budget,
    /// Not asked: a replayed recording does not hold the question.
    NotRecorded,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::ServFail => "server failure",
            Failure::Timeout => "timeout",
            Failure::Budget => "the budget of DNS queries is used up",
            Failure::NotRecorded => "the recording does not hold this question",
        })
    }
}

/// The records of one name and type (RFC 2181 5: an RRSet), never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// The data of each record, in the order received.
    pub records: Vec<Data>,
    /// The lowest TTL on the way, in seconds.
    pub ttl: u32,
    /// The targets of the aliases (CNAME) followed, in order; the last one owns the records.
    pub aliases: Vec<Name>,
    /// Whether the resolver vouches for DNSSEC validation (the AD bit of RFC 4035 3.2.3).
    pub authenticated: bool,
}

/// The data of one record (RFC 1035 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The canonical name of an alias.
    Cname(Name),
    /// A mail exchange.
    Mx(Mx),
    /// A name server.
    Ns(Name),
    /// Where an address points.
    Ptr(Name),
    /// A text.
    Txt(Txt),
    /// A record of a type whose data is kept as the octets of the wire.
    Other(RecordType, Vec<u8>),
}

/// A mail exchange (RFC 1035 3.3.9). A null MX (RFC 7505) has the root as its exchange.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mx {
    /// Lower is preferred.
    pub preference: u16,
    /// The host that takes the mail.
    pub exchange: Name,
}

/// A text record (RFC 1035 3.3.14): one or more character-strings of up to 255 octets each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Txt {
    octets: Vec<u8>,
    /// The length of each character-string.
    lengths: Vec<u8>,
}

impl Txt {
    /// The text record of these character-strings; a longer one than 255 octets is split.
    pub fn from_strings<S: AsRef<[u8]>>(strings: impl IntoIterator<Item = S>) -> Txt {
        let mut txt = Txt { octets: Vec::new(), lengths: Vec::new() };
        for string in strings {
            let string = string.as_ref();
            if string.is_empty() {
                txt.lengths.push(0);
            }
            for part in string.chunks(255) {
                txt.octets.extend_from_slice(part);
                txt.lengths.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
            }
        }
        txt
    }

    /// Adds a character-string; `false`, and nothing added, if it has more than 255 octets.
    pub(crate) fn push(&mut self, string: &[u8]) -> bool {
        let Ok(length) = u8::try_from(string.len()) else {
            return false;
        };
        self.octets.extend_from_slice(string);
        self.lengths.push(length);
        true
    }

    /// How many octets the record data has on the wire.
    pub fn wire_len(&self) -> usize {
        self.octets.len() + self.lengths.len()
    }

    /// The record data on the wire: each character-string after its length.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.wire_len());
        for (string, &length) in self.strings().zip(&self.lengths) {
            wire.push(length);
            wire.extend_from_slice(string);
        }
        wire
    }

    /// The text record of this record data; `None` if the lengths do not fit or there is none.
    pub fn from_wire(mut wire: &[u8]) -> Option<Txt> {
        let mut txt = Txt { octets: Vec::with_capacity(wire.len()), lengths: Vec::new() };
        while let Some((&length, rest)) = wire.split_first() {
            let (string, rest) = rest.split_at_checked(usize::from(length))?;
            txt.push(string);
            wire = rest;
        }
        (!txt.lengths.is_empty()).then_some(txt)
    }

    /// The character-strings joined with nothing between them, as SPF (RFC 7208 3.3), DKIM
    /// (RFC 6376 3.6.2.2) and DMARC read them.
    pub fn joined(&self) -> &[u8] {
        &self.octets
    }

    /// The character-strings, in order.
    pub fn strings(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.octets.as_slice();
        self.lengths.iter().map_while(move |&length| {
            let (string, tail) = rest.split_at_checked(usize::from(length))?;
            rest = tail;
            Some(string)
        })
    }
}

impl Data {
    /// A text record of this text, split into character-strings of 255 octets.
    pub fn txt(text: impl AsRef<[u8]>) -> Data {
        Data::Txt(Txt::from_strings([text]))
    }

    /// The type of the record.
    pub fn rtype(&self) -> RecordType {
        match self {
            Data::A(_) => RecordType::A,
            Data::Aaaa(_) => RecordType::Aaaa,
            Data::Cname(_) => RecordType::Cname,
            Data::Mx(_) => RecordType::Mx,
            Data::Ns(_) => RecordType::Ns,
            Data::Ptr(_) => RecordType::Ptr,
            Data::Txt(_) => RecordType::Txt,
            Data::Other(rtype, _) => *rtype,
        }
    }
}

impl Response {
    /// A response of these records with a TTL of one hour, or NODATA where there are none.
    pub fn records(records: impl IntoIterator<Item = Data>) -> Response {
        let records: Vec<Data> = records.into_iter().collect();
        if records.is_empty() {
            return Response::NoData;
        }
        Response::Records(RecordSet {
            records,
            ttl: 3600,
            aliases: Vec::new(),
            authenticated: false,
        })
    }

    /// The data of the records; empty for every other response.
    pub fn data(&self) -> &[Data] {
        match self {
            Response::Records(set) => &set.records,
            Response::NoData | Response::NxDomain | Response::Failure(_) => &[],
        }
    }

    /// The text records.
    pub fn texts(&self) -> impl Iterator<Item = &Txt> {
        self.data().iter().filter_map(|data| match data {
            Data::Txt(txt) => Some(txt),
            _ => None,
        })
    }

    /// About how many octets of memory it takes, its question included.
    pub fn size(&self) -> usize {
        // Keys, counts, a place in a map: an estimate.
        const OVERHEAD: usize = 256;
        let data = self.data().iter().map(|data| match data {
            Data::Txt(txt) => txt.wire_len(),
            Data::Other(_, octets) => octets.len(),
            _ => 0,
        });
        OVERHEAD + data.map(|octets| octets + size_of::<Data>() + 64).sum::<usize>()
    }

    /// Why there was no usable answer, if there was none.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Response::Failure(failure) => Some(*failure),
            Response::Records(_) | Response::NoData | Response::NxDomain => None,
        }
    }
}
