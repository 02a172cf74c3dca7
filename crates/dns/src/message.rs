//! The octets of a message from a name server (RFC 1035 4.1): header, names, records.

use std::fmt;
use std::ops::Range;

use crate::data::from_octets;
use crate::name::Wire;
use crate::query::TYPE_OPT;
use crate::{Data, Mx, Name, RecordType};

/// The length of the header.
pub(crate) const HEADER: usize = 12;
/// RFC 1035 4.1.1: QR and OPCODE; an answer to a standard query has 1 and 0.
const IS_ANSWER: u16 = 0xf800;
const ANSWER: u16 = 0x8000;

/// How many pointers a name may have (RFC 1035 4.1.4). Local choice: as many as labels.
const POINTERS: usize = 127;
/// RFC 2181 8: "received with the most significant bit set" is "treated as if … zero".
pub(crate) const MAX_TTL: u32 = 0x7fff_ffff;

/// Why a message could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct MessageError {
    /// What is wrong.
    pub kind: MessageErrorKind,
    /// Where, in octets of the message; empty where it ends too early.
    pub span: Range<usize>,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageErrorKind {
    /// It answers another query (RFC 5452 9.1: id and question must match): whoever waits for the
    /// answer goes on waiting.
    Foreign,
    /// It ends before what its header announces (RFC 1035 4.1).
    Short,
    /// A name is too long, has a label of an unknown type, or points anywhere but back (RFC 1035
    /// 4.1.4).
    Name,
    /// The data of a record is not that of its type (RFC 1035 3.3).
    Data,
    /// A record is of another class than IN (RFC 1035 3.2.4).
    Class,
}

impl fmt::Display for MessageErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MessageErrorKind::Foreign => "the message answers another query",
            MessageErrorKind::Short => "the message ends too early",
            MessageErrorKind::Name => "the message has a name that cannot be read",
            MessageErrorKind::Data => "the data of a record is not that of its type",
            MessageErrorKind::Class => "a record is of another class than IN",
        })
    }
}

pub(crate) struct Header {
    pub(crate) flags: u16,
    /// RFC 1035 4.1.1: QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT.
    pub(crate) counts: [u16; 4],
}

impl Header {
    /// The header, if it is that of an answer to a query with this `id`.
    pub(crate) fn read(message: &Message<'_>, id: u16) -> Result<Header, MessageError> {
        let mut at = 0;
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = message.number(&mut at)?;
        }
        let [found, flags, counts @ ..] = numbers;
        if found != id || flags & IS_ANSWER != ANSWER {
            return Err(error(MessageErrorKind::Foreign, 0..4));
        }
        Ok(Header { flags, counts })
    }
}

/// A record (RFC 1035 4.1.3), its name and data where they are in the message.
pub(crate) struct Record {
    pub(crate) owner: usize,
    pub(crate) code: u16,
    pub(crate) class: u16,
    pub(crate) ttl: u32,
    pub(crate) data: Range<usize>,
}

impl Record {
    /// Whether it is an OPT record with bits of the RCODE.
    pub(crate) fn has_rcode(&self) -> bool {
        self.code == TYPE_OPT && self.ttl >> 24 != 0
    }

    /// RFC 2181 8.
    pub(crate) fn seconds(&self) -> u32 {
        if self.ttl > MAX_TTL { 0 } else { self.ttl }
    }
}

pub(crate) fn error(kind: MessageErrorKind, span: Range<usize>) -> MessageError {
    MessageError { kind, span }
}

/// The octets of a message.
pub(crate) struct Message<'a>(pub(crate) &'a [u8]);

impl<'a> Message<'a> {
    fn short(&self) -> MessageError {
        error(MessageErrorKind::Short, self.0.len()..self.0.len())
    }

    fn chunk<const N: usize>(&self, at: &mut usize) -> Result<[u8; N], MessageError> {
        let chunk = self.0.get(*at..).and_then(<[u8]>::first_chunk::<N>);
        *at += N;
        chunk.copied().ok_or_else(|| self.short())
    }

    pub(crate) fn number(&self, at: &mut usize) -> Result<u16, MessageError> {
        self.chunk(at).map(u16::from_be_bytes)
    }

    /// The records of a section that begins at `at`, and its end.
    pub(crate) fn records(&self, count: u16, at: &mut usize) -> Result<Vec<Record>, MessageError> {
        // Not as many as announced: each takes eleven octets at least.
        let most = self.0.len().saturating_sub(*at) / 11;
        let mut records = Vec::with_capacity(usize::from(count).min(most));
        for _ in 0..count {
            let owner = *at;
            self.skip_name(at)?;
            let (code, class) = (self.number(at)?, self.number(at)?);
            let ttl = self.chunk(at).map(u32::from_be_bytes)?;
            let length = usize::from(self.number(at)?);
            let data = *at..*at + length;
            *at = data.end;
            if *at > self.0.len() {
                return Err(self.short());
            }
            records.push(Record { owner, code, class, ttl, data });
        }
        Ok(records)
    }

    /// The data of a record of this type.
    pub(crate) fn data(
        &self,
        rtype: RecordType,
        range: &Range<usize>,
    ) -> Result<Data, MessageError> {
        Ok(match rtype {
            RecordType::Cname => Data::Cname(self.name_of(range)?),
            RecordType::Ns => Data::Ns(self.name_of(range)?),
            RecordType::Ptr => Data::Ptr(self.name_of(range)?),
            RecordType::Mx => {
                let mut at = range.start;
                let preference = self.number(&mut at)?;
                Data::Mx(Mx { preference, exchange: self.name_of(&(at..range.end))? })
            }
            RecordType::Soa => Data::Other(rtype, self.soa(range)?),
            _ => {
                let octets = self.0.get(range.clone()).unwrap_or_default();
                let data = from_octets(rtype, octets);
                return data.ok_or_else(|| error(MessageErrorKind::Data, range.clone()));
            }
        })
    }

    /// The data of an SOA record, its names not compressed.
    fn soa(&self, range: &Range<usize>) -> Result<Vec<u8>, MessageError> {
        let mut at = range.start;
        let mut octets = Vec::with_capacity(64);
        for _ in 0..2 {
            octets.extend_from_slice(self.name(&mut at)?.wire());
            octets.push(0);
        }
        let numbers: [u8; 20] = self.chunk(&mut at)?;
        octets.extend_from_slice(&numbers);
        if at == range.end { Ok(octets) } else { Err(error(MessageErrorKind::Data, range.clone())) }
    }

    /// The last field of an SOA record's data.
    pub(crate) fn minimum(&self, range: &Range<usize>) -> Result<u32, MessageError> {
        let soa = self.soa(range)?;
        let minimum = soa.last_chunk().copied().map(u32::from_be_bytes);
        minimum.ok_or_else(|| error(MessageErrorKind::Data, range.clone()))
    }

    /// The name that is this data, all of it.
    pub(crate) fn name_of(&self, range: &Range<usize>) -> Result<Name, MessageError> {
        let mut at = range.start;
        let name = self.name(&mut at)?;
        if at == range.end { Ok(name) } else { Err(error(MessageErrorKind::Data, range.clone())) }
    }

    pub(crate) fn name(&self, at: &mut usize) -> Result<Name, MessageError> {
        let mut wire = Wire::new();
        let start = *at;
        for label in self.labels(start) {
            wire.push(label?).map_err(|_| error(MessageErrorKind::Name, start..start))?;
        }
        self.skip_name(at)?;
        Ok(wire.name())
    }

    /// Whether the name at `at` is `name`.
    pub(crate) fn is(&self, at: usize, name: &Name) -> Result<bool, MessageError> {
        let mut labels = name.labels();
        for label in self.labels(at) {
            let label = label?;
            if !labels.next().is_some_and(|expected| expected.eq_ignore_ascii_case(label)) {
                return Ok(false);
            }
        }
        Ok(labels.next().is_none())
    }

    fn labels(&self, at: usize) -> Labels<'a> {
        Labels { message: self.0, at: Some(at), limit: at, pointers: 0 }
    }

    /// Moves `at` behind the name there.
    pub(crate) fn skip_name(&self, at: &mut usize) -> Result<(), MessageError> {
        loop {
            match self.0.get(*at).copied().map(Octet::from) {
                Some(Octet::End) => *at += 1,
                Some(Octet::Label(length)) => {
                    *at += 1 + length;
                    continue;
                }
                Some(Octet::Pointer(_)) if *at + 1 < self.0.len() => *at += 2,
                Some(Octet::Unknown) => return Err(error(MessageErrorKind::Name, *at..*at + 1)),
                Some(Octet::Pointer(_)) | None => return Err(self.short()),
            }
            return Ok(());
        }
    }
}

/// What the first octet of a label says (RFC 1035 4.1.4).
enum Octet {
    End,
    Label(usize),
    /// The upper bits of where it points.
    Pointer(u8),
    Unknown,
}

impl From<u8> for Octet {
    fn from(octet: u8) -> Octet {
        match octet {
            0 => Octet::End,
            1..=63 => Octet::Label(usize::from(octet)),
            0xc0.. => Octet::Pointer(octet & 0x3f),
            _ => Octet::Unknown,
        }
    }
}

/// The labels of a name, pointers followed.
struct Labels<'a> {
    message: &'a [u8],
    /// `None` at the end of the name.
    at: Option<usize>,
    /// Where every further pointer must point before.
    limit: usize,
    pointers: usize,
}

impl<'a> Labels<'a> {
    /// The label at `at`, or `None` at the end of the name.
    fn read(&mut self, mut at: usize) -> Result<Option<&'a [u8]>, MessageErrorKind> {
        loop {
            let rest = self.message.get(at..).unwrap_or_default();
            let (&first, rest) = rest.split_first().ok_or(MessageErrorKind::Short)?;
            match Octet::from(first) {
                Octet::End => return Ok(None),
                Octet::Label(length) => {
                    self.at = Some(at + 1 + length);
                    return rest.get(..length).map(Some).ok_or(MessageErrorKind::Short);
                }
                Octet::Pointer(high) => {
                    let &low = rest.first().ok_or(MessageErrorKind::Short)?;
                    at = usize::from(u16::from_be_bytes([high, low]));
                    self.pointers += 1;
                    // RFC 1035 4.1.4: "a pointer to a prior occurance".
                    if at >= self.limit || self.pointers > POINTERS {
                        return Err(MessageErrorKind::Name);
                    }
                    self.limit = at;
                }
                Octet::Unknown => return Err(MessageErrorKind::Name),
            }
        }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = Result<&'a [u8], MessageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at.take()?;
        match self.read(at) {
            Ok(label) => label.map(Ok),
            Err(kind) => {
                self.at = None;
                Some(Err(error(kind, at..at)))
            }
        }
    }
}
