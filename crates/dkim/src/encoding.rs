//! The encodings inside tag values: base64 with folds, dkim-quoted-printable, colon lists.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memchr3};

/// RFC 6376 2.10 makes the padding optional: `base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS)
/// [ [FWS] "=" [ [FWS] "=" ] ]`.
///
/// Disputed. By that, "=" may also stand after groups of four that are full; OpenDKIM and dkimpy
/// take it in keys, Mail::DKIM does not; we do not, because RFC 4648 4 has no such padding, and
/// what was pasted there is not what was meant. Case: key-p-excess-padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    // Disputed. RFC 4648 3.5 lets a decoder refuse bits that pad the last octet and are not zero;
    // OpenDKIM, dkimpy and mail-auth do not; we do not either, since the field's own octets are
    // what is signed. Case: opendkim-46.
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn is_fws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The value without white space at both ends. Where CR and LF may stand was the business of the
/// tag-list parser.
pub(crate) fn trim_fws(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [first, rest @ ..] = value
        && is_fws(*first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && is_fws(*last)
    {
        value = rest;
    }
    value
}

/// The members of a colon-separated list, white space around each removed.
pub(crate) fn split_colons(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let list = rest?;
        let (member, tail) = match memchr(b':', list).and_then(|at| list.split_at_checked(at)) {
            Some((member, tail)) => (member, tail.get(1..)),
            None => (list, None),
        };
        rest = tail;
        Some(trim_fws(member))
    })
}

/// A colon-separated list without the white space at its colons and ends; `None` if there is other
/// white space.
pub(crate) fn without_fws_at_colons(value: &[u8]) -> Option<Vec<u8>> {
    let mut list = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((part, space)) =
        memchr3(b' ', b'\t', b'\r', rest).and_then(|at| rest.split_at_checked(at))
    {
        list.extend_from_slice(part);
        let end = space.iter().position(|&octet| !is_fws(octet)).unwrap_or(space.len());
        rest = space.get(end..).unwrap_or_default();
        let at_colon = |octet: Option<&u8>| matches!(octet, None | Some(b':'));
        if !at_colon(list.last()) && !at_colon(rest.first()) {
            return None;
        }
    }
    list.extend_from_slice(rest);
    Some(list)
}

/// Base64 (RFC 4648 4) whose white space is passed over; `None` if it is none.
pub(crate) fn base64(value: &[u8]) -> Option<Vec<u8>> {
    let mut compact = Vec::new();
    let mut rest = value;
    while let Some((part, folded)) =
        memchr3(b' ', b'\t', b'\r', rest).and_then(|at| rest.split_at_checked(at))
    {
        compact.reserve(rest.len());
        compact.extend_from_slice(part);
        rest = folded.trim_ascii_start();
    }
    if compact.is_empty() {
        return decode(rest);
    }
    compact.extend_from_slice(rest);
    decode(&compact)
}

/// Base64 without white space. All but the end, where padding may be, is decoded here in half the
/// time that the crate takes: who verifies a message decodes each of its signatures.
fn decode(compact: &[u8]) -> Option<Vec<u8>> {
    let (eights, _) = compact.get(..compact.len().saturating_sub(4))?.as_chunks();
    let mut decoded = Vec::with_capacity(compact.len() / 4 * 3 + 3);
    decoded.resize(eights.len() * 6, 0);
    let mut any = 0;
    for (eight, six) in eights.iter().zip(decoded.as_chunks_mut().0) {
        let [a, b, c, d, e, f, g, h]: [u8; 8] = *eight;
        let (high, low) = (quad([a, b, c, d]), quad([e, f, g, h]));
        any |= high | low;
        let [_, _, octets @ ..] = (u64::from(high) << 24 | u64::from(low)).to_be_bytes();
        *six = octets;
    }
    if any & INVALID != 0 {
        return None;
    }
    BASE64.decode_vec(compact.get(eights.len() * 8..)?, &mut decoded).ok()?;
    Some(decoded)
}

/// The three octets that four digits stand for.
#[inline]
fn quad(digits: [u8; 4]) -> u32 {
    let bits = |(table, digit): (&[u32; 256], u8)| table.get(usize::from(digit)).copied();
    SEXTETS.iter().zip(digits).filter_map(bits).fold(0, |all, bits| all | bits)
}

/// What is in no octet, but in the value of what is no digit.
const INVALID: u32 = 1 << 31;

/// The value of each digit, for each of four places.
static SEXTETS: [[u32; 256]; 4] = [sextets(18), sextets(12), sextets(6), sextets(0)];

const fn sextets(shift: u32) -> [u32; 256] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [INVALID; 256];
    let (mut at, mut value) = (0, 0);
    #[expect(clippy::indexing_slicing, clippy::as_conversions, reason = "by the compiler")]
    while at < DIGITS.len() {
        table[DIGITS[at] as usize] = value << shift;
        (at, value) = (at + 1, value + 1);
    }
    table
}

/// Dkim-quoted-printable (RFC 6376 2.11) decoded; `None` if it is none.
///
/// By RFC 8616 5 octets beyond ASCII stand for themselves.
pub(crate) fn quoted_printable(value: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut octets = value.iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'=' => {
                let high = hexadecimal(octets.next()?)?;
                let low = hexadecimal(octets.next()?)?;
                decoded.push(high << 4 | low);
            }
            _ if is_fws(octet) => {}
            // RFC 6376 2.11: dkim-safe-char is %x21-3A / %x3C / %x3E-7E.
            0x21..=0x3a | 0x3c | 0x3e..=0x7e | 0x80.. => decoded.push(octet),
            _ => return None,
        }
    }
    Some(decoded)
}

fn hexadecimal(octet: u8) -> Option<u8> {
    // RFC 6376 2.11: `hex-octet = "=" 2HEXDIG`, where HEXDIG of RFC 5234 is upper case in print
    // and, as a literal, without regard to case.
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_with_folds_and_without_padding() {
        assert_eq!(base64(b"aGVs\r\n bG8="), Some(b"hello".to_vec()));
        assert_eq!(base64(b"aGVsbG8"), Some(b"hello".to_vec()));
        assert_eq!(base64(b"aGV$bG8="), None);
        assert_eq!(base64(b""), Some(Vec::new()));
    }

    #[test]
    fn base64_as_the_crate_decodes_it() {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for length in 0..=36 {
            let text: Vec<u8> =
                DIGITS.iter().rev().copied().cycle().skip(length).take(length).collect();
            assert_eq!(decode(&text), BASE64.decode(&text).ok(), "{length}");
            for place in 0..length {
                for octet in 0..=u8::MAX {
                    let mut changed = text.clone();
                    changed[place] = octet;
                    assert_eq!(decode(&changed), BASE64.decode(&changed).ok(), "{changed:?}");
                    changed.truncate(place + 1);
                    changed.extend(b"=".repeat(length % 5));
                    assert_eq!(decode(&changed), BASE64.decode(&changed).ok(), "{changed:?}");
                }
            }
        }
    }

    #[test]
    fn lists_without_white_space() {
        let list = |text: &str| without_fws_at_colons(text.as_bytes());
        for text in ["a:b", " a :\tb ", "a\r\n :\r\n\t b", ":", " : ", "", " ", "a: :b"] {
            let members: Vec<&[u8]> = split_colons(text.as_bytes()).collect();
            assert_eq!(list(text), Some(members.join(&b':')), "{text:?}");
        }
        assert_eq!(list("a b"), None);
        assert_eq!(list("a:b\r\n c:d"), None);
    }

    #[test]
    fn quoted_printable_to_the_octet() {
        assert_eq!(quoted_printable(b"a=20b=3Dc"), Some(b"a b=c".to_vec()));
        assert_eq!(quoted_printable(b"a=2"), None);
        assert_eq!(quoted_printable(b"a;b"), None);
        assert_eq!(quoted_printable("bü".as_bytes()), Some("bü".as_bytes().to_vec()));
    }
}
