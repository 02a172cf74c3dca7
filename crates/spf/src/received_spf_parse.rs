//! The Received-SPF header field (RFC 7208 9.1, erratum 5436): read.

use std::ops::Range;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, tag_no_case, take_while, take_while1};
use nom::combinator::{opt, value};
use nom::{Err, IResult, Offset, Parser};

use crate::outcome::SpfResult;
use crate::received_spf::ReceivedSpf;

/// How deep comments may nest. Local choice: no honest field nests them.
const MAX_DEPTH: usize = 16;

/// A syntax error in a Received-SPF field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct ReceivedSpfError {
    /// What is wrong.
    pub kind: ReceivedSpfErrorKind,
    /// Where, in the octets of the field's body.
    pub span: Range<usize>,
}

/// What is wrong with a Received-SPF field (RFC 7208 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceivedSpfErrorKind {
    /// The field does not begin with one of the seven results.
    #[error("there is no SPF result")]
    Result,
    /// A comment is not closed, or comments nest deeper than 16.
    #[error("the comment is not closed")]
    Comment,
    /// A key is missing or has an octet that no key has.
    #[error("there is no key")]
    Key,
    /// A key has no `=` after it.
    #[error("there is no \"=\" after the key")]
    Equals,
    /// A value is missing, or its quoted-string is not closed.
    #[error("there is no value")]
    Value,
    /// Pairs are not separated by a semicolon.
    #[error("there is no \";\" between two pairs")]
    Separator,
}

struct Fault<'a>(ReceivedSpfErrorKind, &'a [u8]);

impl<'a> nom::error::ParseError<&'a [u8]> for Fault<'a> {
    fn from_error_kind(at: &'a [u8], _: nom::error::ErrorKind) -> Fault<'a> {
        Fault(ReceivedSpfErrorKind::Result, at)
    }

    fn append(_: &'a [u8], _: nom::error::ErrorKind, other: Fault<'a>) -> Fault<'a> {
        other
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, Fault<'a>>;

fn fault<T>(kind: ReceivedSpfErrorKind, at: &[u8]) -> Parsed<'_, T> {
    Err(Err::Failure(Fault(kind, at)))
}

impl ReceivedSpf {
    /// Reads the body of a field: what stands after `Received-SPF:`, folded or not.
    ///
    /// More is let through than the grammar has: values of any visible octets without quotes (the
    /// RFC's own example has `mechanism=ip4:192.0.2.1`), and comments between all tokens.
    ///
    /// # Errors
    /// The first syntax error, with its place.
    pub fn parse(body: &[u8]) -> Result<ReceivedSpf, ReceivedSpfError> {
        match field(body) {
            Ok((_, field)) => Ok(field),
            Err(Err::Error(Fault(kind, at)) | Err::Failure(Fault(kind, at))) => {
                let start = body.offset(at);
                Err(ReceivedSpfError { kind, span: start..body.len().min(start + 1) })
            }
            Err(Err::Incomplete(_)) => {
                Err(ReceivedSpfError { kind: ReceivedSpfErrorKind::Result, span: 0..body.len() })
            }
        }
    }
}

/// `[CFWS] result [ FWS comment ] [ FWS key-value-list ] [FWS]`
fn field(input: &[u8]) -> Parsed<'_, ReceivedSpf> {
    let (input, _) = cfws(input)?;
    let (input, result) = result(input)?;
    let (mut input, comment) = cfws(input)?;
    let mut pairs = Vec::new();
    while !input.is_empty() {
        let (rest, pair) = key_value_pair(input)?;
        pairs.push(pair);
        let (rest, _) = cfws(rest)?;
        let (rest, end) = opt(tag(";")).parse(rest)?;
        if end.is_none() && !rest.is_empty() {
            return fault(ReceivedSpfErrorKind::Separator, rest);
        }
        (input, _) = cfws(rest)?;
    }
    Ok((input, ReceivedSpf { result, comment, pairs }))
}

fn result(input: &[u8]) -> Parsed<'_, SpfResult> {
    let (rest, result) = alt((
        value(SpfResult::Pass, tag_no_case("pass")),
        value(SpfResult::Fail, tag_no_case("fail")),
        value(SpfResult::Softfail, tag_no_case("softfail")),
        value(SpfResult::Neutral, tag_no_case("neutral")),
        value(SpfResult::None, tag_no_case("none")),
        value(SpfResult::Temperror, tag_no_case("temperror")),
        value(SpfResult::Permerror, tag_no_case("permerror")),
    ))
    .parse(input)?;
    match rest.first() {
        Some(octet) if octet.is_ascii_alphanumeric() => fault(ReceivedSpfErrorKind::Result, input),
        _ => Ok((rest, result)),
    }
}

/// `key-value-pair = key [CFWS] "=" ( dot-atom / quoted-string )`
fn key_value_pair(input: &[u8]) -> Parsed<'_, (String, String)> {
    let octet = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    let (rest, key) = take_while(octet).parse(input)?;
    if key.is_empty() {
        return fault(ReceivedSpfErrorKind::Key, input);
    }
    let (rest, _) = cfws(rest)?;
    let [b'=', rest @ ..] = rest else {
        return fault(ReceivedSpfErrorKind::Equals, rest);
    };
    let (rest, _) = cfws(rest)?;
    let (rest, text) = match rest {
        [b'"', inside @ ..] => match quoted_string(inside) {
            Some((after, text)) => (after, text),
            None => return fault(ReceivedSpfErrorKind::Value, rest),
        },
        _ => {
            let bare = |octet: u8| octet.is_ascii_graphic() && octet != b';' && octet != b'(';
            let word: Parsed<'_, &[u8]> = take_while1(bare).parse(rest);
            match word {
                Ok((after, text)) => (after, lossy(text)),
                Err(_) => return fault(ReceivedSpfErrorKind::Value, rest),
            }
        }
    };
    Ok((rest, (lossy(key).to_ascii_lowercase(), text)))
}

/// The content of a quoted-string whose first quote is read (RFC 5322 3.2.4), and what follows it.
fn quoted_string(input: &[u8]) -> Option<(&[u8], String)> {
    let mut text = Vec::new();
    let mut rest = input;
    loop {
        let (&octet, after) = rest.split_first()?;
        rest = after;
        match octet {
            b'"' => return Some((rest, lossy(&text))),
            b'\\' => {
                let (&octet, after) = rest.split_first()?;
                rest = after;
                text.push(octet);
            }
            b'\r' | b'\n' => {}
            _ => text.push(octet),
        }
    }
}

/// White space and comments; the text of the first comment, unfolded.
fn cfws(input: &[u8]) -> Parsed<'_, Option<String>> {
    let mut rest = input;
    let mut first = None;
    loop {
        (rest, _) = take_while(|octet| b" \t\r\n".contains(&octet)).parse(rest)?;
        if rest.first() != Some(&b'(') {
            return Ok((rest, first));
        }
        let (after, text) = comment(rest)?;
        first.get_or_insert(text);
        rest = after;
    }
}

/// `comment` (RFC 5322 3.2.2), without its parentheses; inner ones stay in the text.
fn comment(input: &[u8]) -> Parsed<'_, String> {
    let mut text = Vec::new();
    let mut rest = input.get(1..).unwrap_or_default();
    let mut depth = 1_usize;
    loop {
        let plain: Parsed<'_, &[u8]> = is_not(&b"()\\"[..]).parse(rest);
        if let Ok((after, plain)) = plain {
            text.extend_from_slice(plain);
            rest = after;
        }
        match rest {
            [b')', after @ ..] if depth == 1 => return Ok((after, unfold(&text))),
            [b')', after @ ..] => {
                depth -= 1;
                text.push(b')');
                rest = after;
            }
            [b'(', after @ ..] if depth < MAX_DEPTH => {
                depth += 1;
                text.push(b'(');
                rest = after;
            }
            [b'\\', octet, after @ ..] => {
                text.push(*octet);
                rest = after;
            }
            _ => return fault(ReceivedSpfErrorKind::Comment, input),
        }
    }
}

/// The words of a text with one space between them.
fn unfold(text: &[u8]) -> String {
    lossy(text).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn lossy(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReceivedSpfErrorKind as Kind;

    /// The examples of RFC 7208 9.1.
    #[test]
    fn the_examples_of_the_rfc() {
        let field = ReceivedSpf::parse(
            b" pass (mybox.example.org: domain of\r\n myname@example.com designates 192.0.2.1 as \
              permitted sender)\r\n    receiver=mybox.example.org; client-ip=192.0.2.1;\r\n    \
              mechanism=ip4:192.0.2.1; envelope-from=\"myname@example.com\";\r\n    \
              helo=foo.example.com;\r\n",
        )
        .unwrap();
        assert_eq!(field.result, SpfResult::Pass);
        assert_eq!(
            field.comment.as_deref(),
            Some(
                "mybox.example.org: domain of myname@example.com designates 192.0.2.1 as permitted \
                 sender"
            )
        );
        assert_eq!(field.value("Mechanism"), Some("ip4:192.0.2.1"));
        assert_eq!(field.value("envelope-from"), Some("myname@example.com"));
        assert_eq!(field.pairs.len(), 5);
    }

    #[test]
    fn what_stands_between_tokens() {
        let field = ReceivedSpf::parse(b"Fail").unwrap();
        assert_eq!((field.result, field.comment, field.pairs.len()), (SpfResult::Fail, None, 0));
        let field = ReceivedSpf::parse(b"none(a (b\\) c)) x (c) = \"\\\"a\" (c) ; y=z").unwrap();
        assert_eq!(field.comment.as_deref(), Some("a (b) c)"));
        assert_eq!(field.pairs, [("x".into(), "\"a".into()), ("y".into(), "z".into())]);
    }

    #[test]
    fn errors_have_a_place() {
        let error =
            |body: &[u8]| ReceivedSpf::parse(body).map_err(|e| (e.kind, e.span)).unwrap_err();
        assert_eq!(error(b""), (Kind::Result, 0..0));
        assert_eq!(error(b"passed"), (Kind::Result, 0..1));
        assert_eq!(error(b"pass (a"), (Kind::Comment, 5..6));
        assert_eq!(error(b"pass a=b c=d"), (Kind::Separator, 9..10));
        assert_eq!(error(b"pass a b"), (Kind::Equals, 7..8));
        assert_eq!(error(b"pass =b"), (Kind::Key, 5..6));
        assert_eq!(error(b"pass a=\"b"), (Kind::Value, 7..8));
        let deep = [b"pass ".to_vec(), b"(".repeat(100_000)].concat();
        assert_eq!(error(&deep).0, Kind::Comment);
    }
}
