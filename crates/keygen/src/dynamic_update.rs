//! Publishing by a dynamic update of the zone (RFC 2136), signed with a shared key (RFC 8945).
//!
//! Octets only: who has a connection sends the request over TCP, with its length before it
//! (RFC 1035 4.2.2), and hands over what comes back.

use mailproof_dns::Name;

use crate::tsig::{ANY, FUDGE, TSIG, TsigKey, put_keyword, put_name, put_time};

const HEADER: usize = 12;
const IN: u16 = 1;
const SOA: u16 = 6;
const TXT: u16 = 16;
/// RFC 2136 1.3: opcode UPDATE, in its place in the header.
const UPDATE: u16 = 5 << 11;
/// RFC 1035 4.1.1: bit QR.
const RESPONSE: u16 = 1 << 15;

/// The text records of a name are to be one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The zone that the name is in (RFC 2136 2.3).
    pub zone: Name,
    /// The name.
    pub name: Name,
    /// How long the record may be kept, in seconds.
    pub ttl: u32,
    /// The character-strings of the record, each of at most 255 octets.
    pub strings: Vec<String>,
}

/// A request, and what it takes to believe the response.
#[derive(Debug)]
pub struct UpdateRequest<'k> {
    octets: Vec<u8>,
    id: u16,
    mac: Vec<u8>,
    key: Option<&'k TsigKey>,
}

/// Why a zone was not changed, or may not have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The server refused (RFC 2136 2.2).
    #[error("the name server refused the update: {}", rcode(*.0))]
    Refused(u8),
    /// The server does not take the signature (RFC 8945 5.2).
    #[error("the name server does not accept the TSIG key: {}", rcode_of_tsig(*.0))]
    Tsig(u16),
    /// The response is not signed, or not by the server (RFC 8945 5.4).
    #[error("the response is not signed with the TSIG key: it may come from anyone")]
    Unsigned,
    /// The response was signed at another time than now (RFC 8945 5.2.3).
    #[error("the clocks of this computer and of the name server differ by more than 5 minutes")]
    Time,
    /// Not a response to this request.
    #[error("the name server answered with something else than a response to the update")]
    Malformed,
}

fn rcode(rcode: u8) -> &'static str {
    match rcode {
        1 => "FORMERR (it does not understand it)",
        2 => "SERVFAIL",
        4 => "NOTIMP (it takes no updates)",
        5 => "REFUSED (the key may not change this name)",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH (it is not the primary server of this zone, or does not know the key)",
        10 => "NOTZONE (the name is not in this zone)",
        _ => "an unknown response code",
    }
}

fn rcode_of_tsig(error: u16) -> &'static str {
    match error {
        16 => "BADSIG (another secret)",
        17 => "BADKEY (it does not know a key of this name and algorithm)",
        18 => "BADTIME (its clock differs from this computer's)",
        22 => "BADTRUNC",
        _ => "an unknown error",
    }
}

impl Update {
    /// The request, with a number to know the response by. Whoever sends it twice changes nothing
    /// more.
    pub fn request<'k>(&self, key: Option<&'k TsigKey>, id: u16, now: u64) -> UpdateRequest<'k> {
        let mut octets = Vec::with_capacity(1024);
        let additional = u16::from(key.is_some());
        // RFC 2136 2.2: one zone, no prerequisite, two updates.
        for field in [id, UPDATE, 1, 0, 2, 0] {
            octets.extend(field.to_be_bytes());
        }
        put_name(&mut octets, &self.zone);
        put(&mut octets, [SOA, IN]);
        // RFC 2136 2.5.2: "Delete An RRset".
        put_name(&mut octets, &self.name);
        put(&mut octets, [TXT, ANY]);
        octets.extend(0_u32.to_be_bytes());
        put(&mut octets, [0]);
        // RFC 2136 2.5.1: "Add To An RRset".
        put_name(&mut octets, &self.name);
        put(&mut octets, [TXT, IN]);
        octets.extend(self.ttl.to_be_bytes());
        let data = self.strings.iter().flat_map(|string| {
            let string = string.as_bytes().get(..255).unwrap_or(string.as_bytes());
            [&[u8::try_from(string.len()).unwrap_or_default()], string].concat()
        });
        let data: Vec<u8> = data.collect();
        put(&mut octets, [u16::try_from(data.len()).unwrap_or_default()]);
        octets.extend(data);
        let mac = key.map(|key| sign(&mut octets, key, id, now)).unwrap_or_default();
        if let Some(count) = octets.get_mut(10..12) {
            count.copy_from_slice(&additional.to_be_bytes());
        }
        UpdateRequest { octets, id, mac, key }
    }
}

fn put<const N: usize>(octets: &mut Vec<u8>, fields: [u16; N]) {
    octets.extend(fields.iter().flat_map(|field| field.to_be_bytes()));
}

/// Appends the TSIG record (RFC 8945 4.2); the MAC.
fn sign(octets: &mut Vec<u8>, key: &TsigKey, id: u16, now: u64) -> Vec<u8> {
    let mac = key.mac(&[octets, &key.variables(now, FUDGE, 0, &[])]);
    put_name(octets, &key.name);
    put(octets, [TSIG, ANY]);
    octets.extend(0_u32.to_be_bytes());
    let mut data = Vec::with_capacity(128);
    put_keyword(&mut data, key.algorithm.keyword());
    put_time(&mut data, now);
    put(&mut data, [FUDGE, u16::try_from(mac.len()).unwrap_or_default()]);
    data.extend(&mac);
    put(&mut data, [id, 0, 0]);
    put(octets, [u16::try_from(data.len()).unwrap_or_default()]);
    octets.extend(data);
    mac
}

impl UpdateRequest<'_> {
    /// The message to send.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// What the response says of the update.
    ///
    /// # Errors
    /// The zone was not changed, or the response is none to be believed.
    pub fn outcome(&self, response: &[u8], now: u64) -> Result<(), UpdateError> {
        let mut reader = Reader { octets: response, at: 0 };
        let fields: Option<Vec<u16>> = (0..6).map(|_| reader.u16()).collect();
        let Some([id, flags, questions, answers, authorities, additional]) =
            fields.and_then(|fields| <[u16; 6]>::try_from(fields).ok())
        else {
            return Err(UpdateError::Malformed);
        };
        if id != self.id || flags & (RESPONSE | 15 << 11) != RESPONSE | UPDATE {
            return Err(UpdateError::Malformed);
        }
        for _ in 0..questions {
            reader.skip_name().and_then(|()| reader.skip(4)).ok_or(UpdateError::Malformed)?;
        }
        let records = usize::from(answers) + usize::from(authorities) + usize::from(additional);
        for _ in 1..records {
            reader.skip_record().ok_or(UpdateError::Malformed)?;
        }
        if let Some(key) = self.key {
            let before = reader.at;
            // RFC 8945 5.1: the TSIG record is the last of the message.
            let tsig = (additional > 0).then(|| reader.tsig(key)).flatten();
            self.believe(key, response.get(..before).unwrap_or_default(), tsig, flags, now)?;
        }
        match u8::try_from(flags & 15).unwrap_or_default() {
            0 => Ok(()),
            code => Err(UpdateError::Refused(code)),
        }
    }

    /// RFC 8945 5.3 and 5.4: whether the response, `message` up to its TSIG record, is the server's.
    fn believe(
        &self,
        key: &TsigKey,
        message: &[u8],
        tsig: Option<Tsig<'_>>,
        flags: u16,
        now: u64,
    ) -> Result<(), UpdateError> {
        let Some(tsig) = tsig else {
            // Only a refusal may come without: a server that does not know the key cannot sign.
            return match u8::try_from(flags & 15).unwrap_or_default() {
                0 => Err(UpdateError::Unsigned),
                code => Err(UpdateError::Refused(code)),
            };
        };
        if tsig.error != 0 && tsig.mac.is_empty() {
            return Err(UpdateError::Tsig(tsig.error));
        }
        if tsig.id != self.id {
            return Err(UpdateError::Malformed);
        }
        let mut message = message.to_vec();
        // RFC 8945 4.3.2: the message as it was before the record was added to its count.
        if let Some([high, low]) = message.get_mut(10..HEADER) {
            let count = u16::from_be_bytes([*high, *low]).saturating_sub(1);
            [*high, *low] = count.to_be_bytes();
        }
        let length = u16::try_from(self.mac.len()).unwrap_or_default().to_be_bytes();
        let variables = key.variables(tsig.time, tsig.fudge, tsig.error, tsig.other);
        let mac = key.mac(&[&length, &self.mac, &message, &variables]);
        if !is_equal(&mac, tsig.mac) {
            return Err(UpdateError::Unsigned);
        }
        if tsig.error != 0 {
            return Err(UpdateError::Tsig(tsig.error));
        }
        if now.abs_diff(tsig.time) > u64::from(tsig.fudge) {
            return Err(UpdateError::Time);
        }
        Ok(())
    }
}

/// In a time that does not tell where they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let different = one.iter().zip(other).fold(0, |different, (a, b)| different | (a ^ b));
    one.len() == other.len() && !one.is_empty() && different == 0
}

/// The data of a TSIG record (RFC 8945 4.2).
struct Tsig<'m> {
    /// Of the message as it was signed.
    id: u16,
    time: u64,
    fudge: u16,
    mac: &'m [u8],
    error: u16,
    other: &'m [u8],
}

/// Reads a message from the front.
struct Reader<'m> {
    octets: &'m [u8],
    at: usize,
}

impl<'m> Reader<'m> {
    fn take(&mut self, count: usize) -> Option<&'m [u8]> {
        let taken = self.octets.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(drop)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// RFC 1035 4.1.4: labels up to the root, or up to a pointer.
    fn skip_name(&mut self) -> Option<()> {
        loop {
            match usize::from(*self.take(1)?.first()?) {
                0 => return Some(()),
                length @ 1..=63 => self.skip(length)?,
                192.. => return self.skip(1),
                _ => return None,
            }
        }
    }

    fn skip_record(&mut self) -> Option<()> {
        self.skip_name()?;
        self.skip(8)?;
        let length = self.u16()?;
        self.skip(usize::from(length))
    }

    /// The record of this key, with nothing behind it.
    fn tsig(&mut self, key: &TsigKey) -> Option<Tsig<'m>> {
        let mut name = Vec::new();
        put_name(&mut name, &key.name);
        // RFC 8945 4.2: names in the record are not compressed; case does not matter.
        if !self.take(name.len())?.eq_ignore_ascii_case(&name) {
            return None;
        }
        // RFC 8945 4.2: type, class, and a TTL of 0.
        if (self.u16()?, self.u16()?, self.u16()?, self.u16()?) != (TSIG, ANY, 0, 0) {
            return None;
        }
        let end = usize::from(self.u16()?).checked_add(self.at)?;
        let mut algorithm = Vec::new();
        put_keyword(&mut algorithm, key.algorithm.keyword());
        if !self.take(algorithm.len())?.eq_ignore_ascii_case(&algorithm) {
            return None;
        }
        let time = self.take(6)?.iter().fold(0, |time, &octet| time << 8 | u64::from(octet));
        let fudge = self.u16()?;
        let length = self.u16()?;
        let mac = self.take(usize::from(length))?;
        let id = self.u16()?;
        let error = self.u16()?;
        let length = self.u16()?;
        let other = self.take(usize::from(length))?;
        let is_whole = self.at == end && end == self.octets.len();
        is_whole.then_some(Tsig { id, time, fudge, mac, error, other })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_795_575_600;

    fn update() -> Update {
        Update {
            zone: "example.com".parse().unwrap(),
            name: "s._domainkey.example.com".parse().unwrap(),
            ttl: 3600,
            strings: vec!["v=DKIM1; ".into(), "p=".into()],
        }
    }

    fn key() -> TsigKey {
        TsigKey::parse("hmac-sha256:update:c2VjcmV0").unwrap()
    }

    /// What a server answers to a request: its header with QR and this code, and its question.
    fn response(request: &UpdateRequest<'_>, code: u16, key: Option<&TsigKey>) -> Vec<u8> {
        let mut octets = Vec::new();
        put(&mut octets, [request.id, RESPONSE | UPDATE | code, 1, 0, 0, 0]);
        put_name(&mut octets, &"example.com".parse().unwrap());
        put(&mut octets, [SOA, IN]);
        let Some(key) = key else { return octets };
        let length = u16::try_from(request.mac.len()).unwrap().to_be_bytes();
        let variables = key.variables(NOW, FUDGE, 0, &[]);
        let mac = key.mac(&[&length, &request.mac, &octets, &variables]);
        let at = octets.len();
        sign(&mut octets, key, request.id, NOW);
        // The record with the MAC of a response in place of that of a request.
        let place = octets.len() - 6 - mac.len();
        octets[place..place + mac.len()].copy_from_slice(&mac);
        assert!(place > at);
        octets[11] = 1;
        octets
    }

    /// Octet by octet as RFC 2136 has it.
    #[test]
    fn a_request() {
        let request = update().request(None, 0x1234, NOW);
        let mut expected = b"\x12\x34\x28\x00\0\x01\0\0\0\x02\0\0".to_vec();
        expected.extend(b"\x07example\x03com\0\0\x06\0\x01");
        let name = b"\x01s\x0a_domainkey\x07example\x03com\0";
        expected.extend(name);
        expected.extend(b"\0\x10\0\xff\0\0\0\0\0\0");
        expected.extend(name);
        expected.extend(b"\0\x10\0\x01\0\0\x0e\x10\0\x0d\x09v=DKIM1; \x02p=");
        assert_eq!(request.octets(), expected);
        let key = key();
        let signed = update().request(Some(&key), 0x1234, NOW);
        assert!(signed.octets().len() > expected.len() && signed.octets()[11] == 1);
    }

    #[test]
    fn a_response_is_believed_if_the_key_signed_it() {
        let key = key();
        let request = update().request(Some(&key), 7, NOW);
        let good = response(&request, 0, Some(&key));
        assert_eq!(request.outcome(&good, NOW + 299), Ok(()));
        assert_eq!(request.outcome(&good, NOW + 301), Err(UpdateError::Time));
        let refused = response(&request, 5, Some(&key));
        assert_eq!(request.outcome(&refused, NOW), Err(UpdateError::Refused(5)));
        let unsigned = response(&request, 0, None);
        assert_eq!(request.outcome(&unsigned, NOW), Err(UpdateError::Unsigned));
        let refused = response(&request, 9, None);
        assert_eq!(request.outcome(&refused, NOW), Err(UpdateError::Refused(9)));
        let other = TsigKey::parse("hmac-sha256:update:b3RoZXI=").unwrap();
        let forged = response(&request, 0, Some(&other));
        assert_eq!(request.outcome(&forged, NOW), Err(UpdateError::Unsigned));
        for at in 0..good.len() {
            let mut changed = good.clone();
            changed[at] ^= 1;
            assert!(request.outcome(&changed, NOW).is_err(), "octet {at}");
        }
        let plain = update().request(None, 7, NOW);
        assert_eq!(plain.outcome(&unsigned, NOW), Ok(()));
    }

    proptest! {
        #[test]
        fn no_response_panics(octets in prop::collection::vec(any::<u8>(), 0..64), cut: usize) {
            let key = key();
            let request = update().request(Some(&key), 7, NOW);
            let mut good = response(&request, 0, Some(&key));
            let _ = request.outcome(&octets, NOW);
            good.truncate(cut % good.len());
            prop_assert!(request.outcome(&good, NOW).is_err());
            good.extend(octets);
            let _ = request.outcome(&good, NOW);
        }
    }
}
