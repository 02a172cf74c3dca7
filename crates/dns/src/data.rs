//! The data of records in a master file (RFC 1035 3.3 and 5.1, RFC 3597 5).

use std::str::FromStr;

use crate::master_file::Reader;
use crate::name::Wire;
use crate::token::{Problem, Word};
use crate::zone_error::MasterFileErrorKind as Kind;
use crate::{Data, Mx, Name, RecordType, Txt};

/// RFC 1035 3.2.1: RDLENGTH is 16 bits.
const MAX_DATA: usize = 65535;

impl<'a> Reader<'a> {
    /// The data of a record whose first word is `first`, to the end of the entry.
    pub(crate) fn data(&mut self, rtype: RecordType, first: Word<'a>) -> Result<Data, Problem> {
        if is_generic(&first) {
            let octets = self.generic()?;
            return from_octets(rtype, &octets).ok_or_else(|| first.problem(Kind::Octets));
        }
        let data = match rtype {
            RecordType::A => Data::A(parsed(&first, Kind::Ipv4)?),
            RecordType::Aaaa => Data::Aaaa(parsed(&first, Kind::Ipv6)?),
            RecordType::Cname => Data::Cname(self.name(first.bare()?)?),
            RecordType::Ns => Data::Ns(self.name(first.bare()?)?),
            RecordType::Ptr => Data::Ptr(self.name(first.bare()?)?),
            RecordType::Mx => Data::Mx(Mx {
                preference: number(&first, u16::MAX)?,
                exchange: {
                    let exchange = self.need("the mail exchange")?;
                    self.name(exchange.bare()?)?
                },
            }),
            RecordType::Txt => return self.strings(first).map(Data::Txt),
            RecordType::Spf => {
                let octets = self.strings(first)?.to_wire();
                return Ok(Data::Other(rtype, octets));
            }
            RecordType::Soa => Data::Other(rtype, self.soa(first)?),
            RecordType::Tlsa => Data::Other(rtype, self.tlsa(first)?),
            RecordType::Ds => Data::Other(rtype, self.ds(first)?),
        };
        self.end()?;
        Ok(data)
    }

    fn strings(&mut self, first: Word<'a>) -> Result<Txt, Problem> {
        let mut txt = Txt::from_strings::<&[u8]>([]);
        let mut next = Some(first);
        while let Some(word) = next {
            let string = word.octets()?;
            let length = string.len();
            if !txt.push(&string) {
                return Err(word.problem(Kind::StringTooLong { length }));
            }
            if txt.wire_len() > MAX_DATA {
                return Err(word.problem(Kind::DataTooLong));
            }
            next = self.word()?;
        }
        Ok(txt)
    }

    fn soa(&mut self, first: Word<'a>) -> Result<Vec<u8>, Problem> {
        let mut octets = Vec::with_capacity(64);
        push_name(&mut octets, &self.name(first.bare()?)?);
        let mailbox = self.need("the mailbox")?;
        push_name(&mut octets, &self.name(mailbox.bare()?)?);
        let serial = self.need("the serial")?;
        octets.extend(number::<u32>(&serial, u32::MAX)?.to_be_bytes());
        for what in ["the refresh", "the retry", "the expire", "the minimum"] {
            let word = self.need(what)?;
            let seconds = parse_ttl(word.bare()?.raw).ok_or_else(|| word.problem(Kind::Ttl))?;
            octets.extend(seconds.to_be_bytes());
        }
        Ok(octets)
    }

    fn tlsa(&mut self, first: Word<'a>) -> Result<Vec<u8>, Problem> {
        let mut octets = vec![number(&first, u8::MAX)?];
        for what in ["the selector", "the matching type"] {
            octets.push(number(&self.need(what)?, u8::MAX)?);
        }
        self.hexadecimal(&mut octets)?;
        Ok(octets)
    }

    fn ds(&mut self, first: Word<'a>) -> Result<Vec<u8>, Problem> {
        let mut octets = number(&first, u16::MAX)?.to_be_bytes().to_vec();
        for what in ["the algorithm", "the digest type"] {
            octets.push(number(&self.need(what)?, u8::MAX)?);
        }
        self.hexadecimal(&mut octets)?;
        Ok(octets)
    }

    /// RFC 3597 5: `\#`, the length, the octets in hexadecimal; here after the `\#`.
    pub(crate) fn generic(&mut self) -> Result<Vec<u8>, Problem> {
        let word = self.need("the length of the data")?;
        let stated = usize::from(number(&word, u16::MAX)?);
        let mut octets = Vec::new();
        if stated == 0 {
            self.end()?;
        } else {
            self.hexadecimal(&mut octets)?;
        }
        match octets.len() {
            found if found == stated => Ok(octets),
            found => Err(word.problem(Kind::Length { stated, found })),
        }
    }

    /// Words of hexadecimal digits to the end of the entry, at least one.
    fn hexadecimal(&mut self, octets: &mut Vec<u8>) -> Result<(), Problem> {
        let mut word = self.need("the hexadecimal data")?;
        let mut high = None;
        loop {
            for &digit in word.raw {
                let value = hexadecimal_digit(digit);
                let value = value.ok_or_else(|| word.problem(Kind::Hexadecimal))?;
                match high.take() {
                    None => high = Some(value << 4),
                    Some(high) => octets.push(high | value),
                }
            }
            if octets.len() > MAX_DATA {
                return Err(word.problem(Kind::DataTooLong));
            }
            word = match self.word()? {
                Some(word) => word,
                None if high.is_some() => return Err(word.problem(Kind::Hexadecimal)),
                None => return Ok(()),
            };
        }
    }
}

/// Whether the data is written in the form of RFC 3597 5.
pub(crate) fn is_generic(first: &Word<'_>) -> bool {
    !first.quoted && first.raw == br"\#"
}

fn hexadecimal_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn parsed<T: FromStr>(word: &Word<'_>, kind: Kind) -> Result<T, Problem> {
    let text = std::str::from_utf8(word.bare()?.raw).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| word.problem(kind))
}

fn number<T: FromStr + Into<u32> + Copy>(word: &Word<'_>, max: T) -> Result<T, Problem> {
    let kind = Kind::Number { max: max.into() };
    // Rust also reads a sign.
    if word.raw.iter().all(u8::is_ascii_digit) {
        parsed(word, kind)
    } else {
        Err(word.problem(kind))
    }
}

/// Seconds, or numbers with the units of BIND (`1w2d3h4m5s`), each with one, for BIND and Knot read
/// no `1h30`; at most 2147483647 (RFC 2181 8).
pub(crate) fn parse_ttl(raw: &[u8]) -> Option<u32> {
    const MAX: u32 = 0x7fff_ffff;
    let mut total: u32 = 0;
    let mut number: Option<u32> = None;
    for octet in raw {
        if octet.is_ascii_digit() {
            let digit = u32::from(octet - b'0');
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        let unit = match octet.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    let seconds = match number {
        Some(_) if !raw.iter().all(u8::is_ascii_digit) => return None,
        Some(seconds) => seconds,
        None if raw.is_empty() => return None,
        None => total,
    };
    (seconds <= MAX).then_some(seconds)
}

fn push_name(octets: &mut Vec<u8>, name: &Name) {
    octets.extend_from_slice(name.wire());
    octets.push(0);
}

/// The data that these octets of the wire are, uncompressed (RFC 3597 5); `None` if they are not.
pub(crate) fn from_octets(rtype: RecordType, octets: &[u8]) -> Option<Data> {
    Some(match rtype {
        RecordType::A => Data::A(<[u8; 4]>::try_from(octets).ok()?.into()),
        RecordType::Aaaa => Data::Aaaa(<[u8; 16]>::try_from(octets).ok()?.into()),
        RecordType::Cname => Data::Cname(name_from(octets)?),
        RecordType::Ns => Data::Ns(name_from(octets)?),
        RecordType::Ptr => Data::Ptr(name_from(octets)?),
        RecordType::Mx => {
            let (preference, exchange) = octets.split_first_chunk()?;
            let preference = u16::from_be_bytes(*preference);
            Data::Mx(Mx { preference, exchange: name_from(exchange)? })
        }
        RecordType::Txt => Data::Txt(Txt::from_wire(octets)?),
        RecordType::Ds | RecordType::Soa | RecordType::Spf | RecordType::Tlsa => {
            Data::Other(rtype, octets.to_vec())
        }
    })
}

fn name_from(octets: &[u8]) -> Option<Name> {
    let mut wire = Wire::new();
    let mut rest = octets;
    loop {
        let (&length, after) = rest.split_first()?;
        if length == 0 {
            return after.is_empty().then(|| wire.name());
        }
        let (label, after) = after.split_at_checked(usize::from(length))?;
        wire.push(label).ok()?;
        rest = after;
    }
}
