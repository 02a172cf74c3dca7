//! The grammar of macros (RFC 7208 7.1), each function named after its production.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::value;
use nom::{Err, IResult, Parser};

use crate::literal::Literal;
use crate::record::{Delimiters, DomainSpec, Macro, MacroLetter, MacroString, Part};
use crate::syntax::ParseErrorKind;

/// What went wrong, and the octets where: a part of the input, so that its place is known.
#[derive(Debug)]
pub(crate) struct Fault<'a> {
    pub(crate) kind: ParseErrorKind,
    pub(crate) at: &'a [u8],
}

/// What a production read, and what follows it.
pub(crate) type Parsed<'a, T> = IResult<&'a [u8], T, Fault<'a>>;

/// What a production read that is to read all of its input.
pub(crate) type Whole<'a, T> = Result<T, Err<Fault<'a>>>;

impl<'a> nom::error::ParseError<&'a [u8]> for Fault<'a> {
    fn from_error_kind(at: &'a [u8], _: nom::error::ErrorKind) -> Fault<'a> {
        Fault { kind: ParseErrorKind::InvalidOctet, at }
    }

    fn append(_: &'a [u8], _: nom::error::ErrorKind, other: Fault<'a>) -> Fault<'a> {
        other
    }
}

pub(crate) fn fault<V>(kind: ParseErrorKind, at: &[u8]) -> Result<V, Err<Fault<'_>>> {
    Err(Err::Failure(Fault { kind, at }))
}

/// Where a macro-string stands: which letters and octets it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The argument of a term.
    Term,
    /// The text of an explanation: spaces, and the letters `c`, `r`, `t` too.
    Explanation,
}

/// `domain-spec = macro-string domain-end`, to the end of the input.
pub(crate) fn domain_spec(input: &[u8]) -> Whole<'_, DomainSpec> {
    if let Some((name, [])) = plain_name(input) {
        return Ok(DomainSpec::plain(name));
    }
    let macro_string = macro_string(input, Place::Term)?;
    domain_end(input, &macro_string)?;
    Ok(DomainSpec::new(macro_string))
}

/// A `domain-spec` that is a plain name under a top label of letters, as nearly all are, and what
/// follows it. It is no more than a short cut.
pub(crate) fn plain_name(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = input.split_at_checked(literals(input))?;
    let end = name.strip_suffix(b".").unwrap_or(name);
    let letters = end.iter().rev().take_while(|octet| octet.is_ascii_alphabetic()).count();
    let below = end.get(..end.len() - letters)?;
    (letters > 0 && below.ends_with(b".")).then_some((name, rest))
}

/// How many octets are `macro-literal` from the beginning on, eight of them at once.
fn literals(input: &[u8]) -> usize {
    let (words, rest) = input.as_chunks();
    let mut count = 0;
    for word in words {
        let others = others(u64::from_le_bytes(*word));
        if others != 0 {
            return count + usize::try_from(others.trailing_zeros() / 8).unwrap_or(0);
        }
        count += 8;
    }
    count + rest.iter().take_while(|&&octet| literal(octet, Place::Term)).count()
}

/// The high bits of those of eight octets that are no `macro-literal`; what carries go to the
/// octets after the first such.
fn others(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let percent = word ^ (EACH * 0x25);
    let low = word.wrapping_sub(EACH * 0x21);
    let high = word.wrapping_add(EACH) | word;
    (low | high | (percent.wrapping_sub(EACH) & !percent)) & (EACH * 0x80)
}

/// `domain-end = ( "." toplabel [ "." ] ) / macro-expand`
fn domain_end<'a>(input: &'a [u8], macro_string: &MacroString) -> Whole<'a, ()> {
    let text = match macro_string.parts().last() {
        None => return fault(ParseErrorKind::MissingDomainSpec, input),
        Some(Part::Literal(text)) => text.len(),
        Some(Part::Macro(_) | Part::Percent | Part::Space | Part::UrlSpace) => {
            return Ok(());
        }
    };
    let literal = input.get(input.len().saturating_sub(text)..).unwrap_or_default();
    let end = literal.strip_suffix(b".").unwrap_or(literal);
    let dot = end.iter().rposition(|&octet| octet == b'.');
    match dot.and_then(|dot| end.get(dot + 1..)) {
        Some(label) if toplabel(label) => Ok(()),
        Some(label) if !label.is_empty() => fault(ParseErrorKind::InvalidDomainEnd, label),
        _ => fault(ParseErrorKind::InvalidDomainEnd, literal),
    }
}

/// `toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )`
pub(crate) fn toplabel(label: &[u8]) -> bool {
    let mut letter_or_hyphen = false;
    for &octet in label {
        letter_or_hyphen |= !octet.is_ascii_digit();
        if !octet.is_ascii_alphanumeric() && octet != b'-' {
            return false;
        }
    }
    letter_or_hyphen && !label.starts_with(b"-") && !label.ends_with(b"-")
}

/// `macro-string = *( macro-expand / macro-literal )`, or
/// `explain-string = *( macro-string / SP )`, to the end of the input.
pub(crate) fn macro_string(input: &[u8], place: Place) -> Whole<'_, MacroString> {
    let mut parts = Vec::new();
    let mut rest = input;
    while let Some(&octet) = rest.first() {
        let (after, part) =
            if octet == b'%' { macro_expand(rest, place)? } else { macro_literal(rest, place)? };
        if after.is_empty() && parts.is_empty() {
            return Ok(MacroString::one(part));
        }
        parts.push(part);
        rest = after;
    }
    Ok(MacroString::list(parts))
}

/// `macro-literal = %x21-24 / %x26-7E`, as many as there are.
fn macro_literal(input: &[u8], place: Place) -> Parsed<'_, Part> {
    let (rest, octets) = take_while1(|octet| literal(octet, place)).parse(input)?;
    Ok((rest, text(octets)))
}

/// `macro-literal`, or `SP` in an explain-string.
fn literal(octet: u8, place: Place) -> bool {
    let first = if place == Place::Explanation { b' ' } else { b'!' };
    (octet >= first) & (octet <= b'~') & (octet != b'%')
}

fn text(literals: &[u8]) -> Part {
    Part::Literal(Literal::new(literals))
}

/// `macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"`
fn macro_expand(input: &[u8], place: Place) -> Parsed<'_, Part> {
    let plain: Parsed<'_, Part> = alt((
        value(Part::Percent, tag("%%")),
        value(Part::Space, tag("%_")),
        value(Part::UrlSpace, tag("%-")),
    ))
    .parse(input);
    match (plain, input) {
        (Ok(parsed), _) => Ok(parsed),
        (Err(_), [b'%', b'{', inside @ ..]) => {
            let (rest, expand) = macro_body(input, inside, place)?;
            Ok((rest, Part::Macro(expand)))
        }
        (Err(_), _) => fault(ParseErrorKind::StrayPercent, input.get(..2).unwrap_or(input)),
    }
}

/// What stands between `%{` and `}`; `whole` begins at the `%`.
fn macro_body<'a>(whole: &'a [u8], inside: &'a [u8], place: Place) -> Parsed<'a, Macro> {
    let Some((&first, rest)) = inside.split_first() else {
        return fault(ParseErrorKind::UnterminatedMacro, whole);
    };
    let Some(letter) = macro_letter(first) else {
        return fault(ParseErrorKind::UnknownMacroLetter, inside.get(..1).unwrap_or(inside));
    };
    if place == Place::Term && letter.only_in_explanation() {
        return fault(ParseErrorKind::MacroOnlyInExplanation, inside.get(..1).unwrap_or(inside));
    }
    let (rest, keep) = digits(rest)?;
    let (rest, reverse) = match rest {
        [b'r' | b'R', rest @ ..] => (rest, true),
        _ => (rest, false),
    };
    let (mut rest, mut delimiters) = (rest, Delimiters::default());
    while let [octet, after @ ..] = rest
        && delimiters.insert(*octet)
    {
        rest = after;
    }
    match rest {
        [b'}', rest @ ..] => {
            let url_escape = first.is_ascii_uppercase();
            Ok((rest, Macro { letter, url_escape, keep, reverse, delimiters }))
        }
        _ => {
            let read = whole.len() - rest.len();
            fault(ParseErrorKind::UnterminatedMacro, whole.get(..=read).unwrap_or(whole))
        }
    }
}

/// `*DIGIT` of the transformers: 0 where there is none; a huge number keeps every part.
fn digits(input: &[u8]) -> Parsed<'_, u32> {
    let (rest, digits) = take_while(|octet: u8| octet.is_ascii_digit()).parse(input)?;
    if digits.is_empty() {
        return Ok((rest, 0));
    }
    let number = digits.iter().fold(0_u32, |number, digit| {
        number.saturating_mul(10).saturating_add(u32::from(digit - b'0'))
    });
    // RFC 7208 7.3: "If a DIGIT is specified, the value MUST be nonzero."
    match number {
        0 => fault(ParseErrorKind::MacroZeroParts, digits),
        _ => Ok((rest, number)),
    }
}

fn macro_letter(octet: u8) -> Option<MacroLetter> {
    Some(match octet.to_ascii_lowercase() {
        b's' => MacroLetter::Sender,
        b'l' => MacroLetter::LocalPart,
        b'o' => MacroLetter::SenderDomain,
        b'd' => MacroLetter::Domain,
        b'i' => MacroLetter::Ip,
        b'p' => MacroLetter::Ptr,
        b'v' => MacroLetter::Version,
        b'h' => MacroLetter::Helo,
        b'c' => MacroLetter::ReadableIp,
        b'r' => MacroLetter::Receiver,
        b't' => MacroLetter::Timestamp,
        _ => return None,
    })
}

impl MacroLetter {
    fn only_in_explanation(self) -> bool {
        // RFC 7208 7.2: "The following macro letters are allowed only in "exp" text"
        matches!(self, MacroLetter::ReadableIp | MacroLetter::Receiver | MacroLetter::Timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Eight octets at once are what they are one by one.
        #[test]
        fn literals_one_by_one(
            octets in prop::collection::vec(prop_oneof![9 => b'!'..=b'~', 1 => 0..=255_u8], 0..40),
        ) {
            let one_by_one = octets.iter().take_while(|&&octet| literal(octet, Place::Term));
            prop_assert_eq!(literals(&octets), one_by_one.count());
        }
    }

    #[test]
    fn each_octet_is_a_literal_or_none() {
        for octet in 0..=u8::MAX {
            for at in 0..8 {
                let mut octets = [b'a'; 9];
                octets[at] = octet;
                let count = if literal(octet, Place::Term) { 9 } else { at };
                assert_eq!(literals(&octets), count, "{octet:#x} at {at}");
            }
        }
    }
}
