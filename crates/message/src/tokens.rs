//! The lexical tokens of RFC 5322 3.2, with the obsolete forms of 4.1 and the UTF-8 of RFC 6532.
//!
//! Each function is a nom parser over octets; what has to be UTF-8, the caller looks at. A token
//! that has begun and cannot end is a [`nom::Err::Failure`]: there is no second reading of an open
//! comment.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::combinator::{peek, recognize, value, verify};
use nom::error::{ErrorKind, ParseError};
use nom::multi::{many0_count, many1_count};
use nom::sequence::terminated;
use nom::{IResult, Parser};

use crate::address::AddressErrorKind;
use crate::limits::MAX_COMMENT_DEPTH;
use crate::parse::is_wsp;

/// Why a parser stopped, and the octets that made it stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trouble<'a> {
    pub(crate) kind: AddressErrorKind,
    pub(crate) octets: &'a [u8],
}

pub(crate) type Parsed<'a, T> = IResult<&'a [u8], T, Trouble<'a>>;

impl<'a> ParseError<&'a [u8]> for Trouble<'a> {
    fn from_error_kind(input: &'a [u8], _: ErrorKind) -> Trouble<'a> {
        Trouble { kind: AddressErrorKind::UnexpectedOctet, octets: first(input) }
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Trouble<'a>) -> Trouble<'a> {
        other
    }
}

/// The octets that are to blame when parsing stops here: the next character, or none at the end.
pub(crate) fn first(input: &[u8]) -> &[u8] {
    let next = |&octet: &u8| !matches!(octet, 0x80..=0xbf);
    let length = input.iter().skip(1).position(next).map_or(input.len(), |found| found + 1);
    // A part of `input` even when empty: its address is its place.
    input.get(..length).unwrap_or(input)
}

pub(crate) fn failure<'a, T>(kind: AddressErrorKind, octets: &'a [u8]) -> Parsed<'a, T> {
    Err(nom::Err::Failure(Trouble { kind, octets }))
}

/// `FWS` (RFC 5322 3.2.2), as any number of folds and WSP: `obs-FWS` is that.
fn fws(input: &[u8]) -> Parsed<'_, &[u8]> {
    recognize(many1_count(alt((take_while1(is_wsp), fold)))).parse(input)
}

/// RFC 5322 2.2.3: a fold is a CRLF "that is immediately followed by WSP".
fn fold(input: &[u8]) -> Parsed<'_, &[u8]> {
    terminated(tag("\r\n"), peek(verify(nom::number::complete::u8, |&octet| is_wsp(octet))))
        .parse(input)
}

/// `[CFWS]` (RFC 5322 3.2.2).
pub(crate) fn cfws(input: &[u8]) -> Parsed<'_, ()> {
    // Between most tokens there is none.
    if !matches!(input, [b' ' | b'\t' | b'\r' | b'(', ..]) {
        return Ok((input, ()));
    }
    value((), many0_count(alt((fws, comment)))).parse(input)
}

/// `comment` (RFC 5322 3.2.2). Nesting is counted, not recursed into.
fn comment(input: &[u8]) -> Parsed<'_, &[u8]> {
    let mut depth = 0;
    let (mut rest, _) = peek(tag("(")).parse(input)?;
    loop {
        rest = match rest {
            [b'(', ..] if depth == MAX_COMMENT_DEPTH => {
                return failure(AddressErrorKind::CommentTooDeep, first(rest));
            }
            [b'(', after @ ..] => {
                depth += 1;
                after
            }
            [b')', after @ ..] if depth == 1 => {
                let length = input.len() - after.len();
                return Ok((after, input.get(..length).unwrap_or_default()));
            }
            [b')', after @ ..] => {
                depth -= 1;
                after
            }
            [] => return failure(AddressErrorKind::UnterminatedComment, input),
            _ => text(rest)?.0,
        };
    }
}

/// `quoted-string` (RFC 5322 3.2.4) without the CFWS around it, with its quotes.
fn quoted_string(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (mut rest, _) = tag("\"").parse(input)?;
    loop {
        rest = match rest {
            [b'"', after @ ..] => {
                let length = input.len() - after.len();
                return Ok((after, input.get(..length).unwrap_or_default()));
            }
            [] => return failure(AddressErrorKind::UnterminatedQuotedString, input),
            _ => text(rest)?.0,
        };
    }
}

/// One piece of what stands in a comment, a quoted-string or a domain-literal: a fold, a
/// quoted-pair, or an octet. The caller has looked for its own delimiters.
pub(crate) fn text(input: &[u8]) -> Parsed<'_, ()> {
    match input {
        [b'\r', b'\n', b' ' | b'\t', after @ ..] => Ok((after, ())),
        // RFC 5322 4.1: `obs-qp` also quotes NUL, CR and LF, and control characters stand bare.
        // Disputed. RFC 5322 2.2; some readers end the line at a lone CR or LF, or the text at
        // NUL; we refuse these three, because then two readers would see two different fields.
        // Case: from-nul-in-comment.
        [b'\\', 0 | b'\r' | b'\n', ..] | [0 | b'\r' | b'\n', ..] | [b'\\'] => {
            failure(AddressErrorKind::UnexpectedOctet, first(input))
        }
        [b'\\', _, after @ ..] | [_, after @ ..] => Ok((after, ())),
        [] => failure(AddressErrorKind::UnexpectedOctet, input),
    }
}

/// `atom` (RFC 5322 3.2.3) without the CFWS around it.
pub(crate) fn atom(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(is_atext).parse(input)
}

/// `word` (RFC 5322 3.2.5) without the CFWS around it.
pub(crate) fn word(input: &[u8]) -> Parsed<'_, &[u8]> {
    alt((atom, quoted_string)).parse(input)
}

/// `atext` (RFC 5322 3.2.3), with `UTF8-non-ascii` (RFC 6532 3.2).
fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet >= 0x80 || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}
