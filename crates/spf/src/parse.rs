//! The grammar of the record (RFC 7208 12), each function named after its production.

use std::net::IpAddr;
use std::ops::Range;
use std::str::FromStr;

use memchr::memchr;
use nom::{Err, Offset};

use crate::macro_string::{Fault, Place, Whole, domain_spec, fault, macro_string, plain_name};
use crate::network::{
    cidr_start, dual_cidr_length, in_ip4, in_ip6, ip4, ip6, plain_ip4, plain_ip6,
};
use crate::record::{
    A, Directive, DomainSpec, DualCidr, Exists, Include, Ip4, Ip6, MacroString, Mechanism,
    Modifier, ModifierKind, Mx, Ptr, Qualifier, Record, Term,
};
use crate::syntax::{ParseError, ParseErrorKind};

/// How many errors [`parse_all`] lists: a hostile record may have one in every other octet.
const MAX_ERRORS: usize = 64;
/// Octets of a common term, and for how many terms room is made at once.
const TERM: usize = 16;
const MAX_RESERVE: usize = 64;
/// For how many terms room is made where most are networks that are not wanted.
const FEW: usize = 8;

/// Whether a text record is an SPF record at all (RFC 7208 4.5): it begins with `v=spf1` and a
/// space, or is `v=spf1`.
pub fn is_spf_record(octets: &[u8]) -> bool {
    version(octets).is_some()
}

/// Reads a record (RFC 7208 4.6); the first syntax error decides.
///
/// # Errors
/// The first syntax error, with its place.
///
/// ```
/// let error = mailproof_spf::parse(b"v=spf1 a:example..com/33 -all").unwrap_err();
/// assert_eq!(error.kind, mailproof_spf::ParseErrorKind::InvalidIp4CidrLength);
/// assert_eq!(error.span, 22..24);
/// ```
pub fn parse(octets: &[u8]) -> Result<Record, ParseError> {
    let mut terms = Vec::with_capacity((octets.len() / TERM).min(MAX_RESERVE));
    one(read(octets, 1, None, &mut terms), terms)
}

/// As [`parse`], without the networks that the client is not in: they are read, and cannot match.
pub(crate) fn parse_for(octets: &[u8], client: IpAddr) -> Result<Record, ParseError> {
    let mut terms = Vec::with_capacity(FEW);
    one(read(octets, 1, Some(client), &mut terms), terms)
}

fn one(mut errors: Vec<ParseError>, terms: Vec<Term>) -> Result<Record, ParseError> {
    errors.pop().map_or(Ok(Record { terms }), Err)
}

/// Reads a record and lists every term's syntax error, up to 64, in order.
///
/// # Errors
/// The errors; the first one is that of [`parse`].
pub fn parse_all(octets: &[u8]) -> Result<Record, Vec<ParseError>> {
    let mut terms = Vec::new();
    let errors = read(octets, MAX_ERRORS, None, &mut terms);
    if errors.is_empty() { Ok(Record { terms }) } else { Err(errors) }
}

/// Reads a macro-string that stands in a term, to its end.
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse_macro_string(octets: &[u8]) -> Result<MacroString, ParseError> {
    whole(octets, macro_string(octets, Place::Term))
}

/// Reads the text of an explanation (`explain-string`, RFC 7208 7.1), to its end.
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse_explain_string(octets: &[u8]) -> Result<MacroString, ParseError> {
    whole(octets, macro_string(octets, Place::Explanation))
}

impl FromStr for Record {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Record, ParseError> {
        parse(text.as_bytes())
    }
}

impl FromStr for DomainSpec {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<DomainSpec, ParseError> {
        whole(text.as_bytes(), domain_spec(text.as_bytes()))
    }
}

/// `record = version terms *SP`, for one client or all, and at most `most` errors.
fn read(
    octets: &[u8],
    most: usize,
    client: Option<IpAddr>,
    terms: &mut Vec<Term>,
) -> Vec<ParseError> {
    let mut errors = Vec::new();
    let Some(rest) = version(octets) else {
        let span = 0..octets.len().min(6);
        errors.push(ParseError { kind: ParseErrorKind::NoVersion, span });
        return errors;
    };
    let mut seen = Seen::default();
    // `terms = *( 1*SP ( directive / modifier ) )`
    let mut next = after_spaces(rest);
    while !next.is_empty() {
        if let Some(after) = common(octets, next, client, terms) {
            next = after_spaces(after);
            continue;
        }
        let end = memchr(b' ', next).unwrap_or(next.len());
        let (text, after) = next.split_at_checked(end).unwrap_or_default();
        next = after_spaces(after);
        let start = octets.offset(text);
        let span = start..start + text.len();
        if let Err(error) = term(text, span.clone(), terms) {
            errors.push(located(octets, text, error));
        } else if let Some(Term::Modifier(modifier)) = terms.last() {
            // RFC 7208 6: "These two modifiers MUST NOT appear in a record more than once each."
            if seen.repeats(&modifier.kind) {
                errors.push(ParseError { kind: ParseErrorKind::DuplicateModifier, span });
            }
        }
        if errors.len() >= most {
            break;
        }
    }
    errors
}

fn after_spaces(input: &[u8]) -> &[u8] {
    let mut rest = input;
    while let [b' ', after @ ..] = rest {
        rest = after;
    }
    rest
}

/// Which modifiers came that may come once.
#[derive(Default)]
struct Seen {
    redirect: bool,
    explanation: bool,
}

impl Seen {
    /// Whether such a modifier came before.
    fn repeats(&mut self, kind: &ModifierKind) -> bool {
        match kind {
            ModifierKind::Redirect(_) => std::mem::replace(&mut self.redirect, true),
            ModifierKind::Explanation(_) => std::mem::replace(&mut self.explanation, true),
            ModifierKind::Unknown { .. } => false,
        }
    }
}

/// A value that is all of `octets`.
fn whole<'a, T>(octets: &'a [u8], read: Whole<'a, T>) -> Result<T, ParseError> {
    read.map_err(|error| located(octets, octets, error))
}

/// The error of a production that was to read `text`, a part of `octets`.
fn located(octets: &[u8], text: &[u8], error: Err<Fault<'_>>) -> ParseError {
    // An octet that no production allows explains more than where a production stopped.
    let visible = |octet: &u8| matches!(octet, 0x20..=0x7e);
    if let Some(at) = text.iter().position(|octet| !visible(octet)) {
        let start = octets.offset(text) + at;
        return ParseError { kind: ParseErrorKind::InvalidOctet, span: start..start + 1 };
    }
    let fault = match error {
        Err::Error(fault) | Err::Failure(fault) => fault,
        Err::Incomplete(_) => Fault { kind: ParseErrorKind::InvalidOctet, at: text },
    };
    let start = octets.offset(fault.at);
    ParseError { kind: fault.kind, span: start..start + fault.at.len() }
}

/// `version = "v=spf1"`, and what follows it.
fn version(input: &[u8]) -> Option<&[u8]> {
    let [b'v' | b'V', b'=', b's' | b'S', b'p' | b'P', b'f' | b'F', b'1', rest @ ..] = input else {
        return None;
    };
    // RFC 7208 4.5: "the version section is terminated by either an SP character or the end of
    // the record."
    matches!(rest, [] | [b' ', ..]).then_some(rest)
}

/// A directive in its most common form, added to the terms if it may match for the client, and what
/// follows it: the end or a space. It is no more than a short cut: whatever it leaves, the grammar
/// reads, and finds what is wrong with it.
#[inline]
fn common<'a>(
    octets: &[u8],
    input: &'a [u8],
    client: Option<IpAddr>,
    terms: &mut Vec<Term>,
) -> Option<&'a [u8]> {
    let ends = |rest: &[u8]| matches!(rest, [] | [b' ', ..]);
    let (rest, qualifier, mechanism) = match input {
        [b'i', b'p', b'4', b':', text @ ..] => {
            let (rest, network) = plain_ip4(text).filter(|(rest, _)| ends(rest))?;
            if client.is_some_and(|client| !in_ip4(client, network)) {
                return Some(rest);
            }
            (rest, Qualifier::Pass, Mechanism::Ip4(Ip4 { network }))
        }
        [b'i', b'p', b'6', b':', text @ ..] => {
            let (rest, network) = plain_ip6(text).filter(|(rest, _)| ends(rest))?;
            if client.is_some_and(|client| !in_ip6(client, network)) {
                return Some(rest);
            }
            (rest, Qualifier::Pass, Mechanism::Ip6(Ip6 { network }))
        }
        [b'i', b'n', b'c', b'l', b'u', b'd', b'e', b':', text @ ..] => {
            let (name, rest) = plain_name(text).filter(|(_, rest)| ends(rest))?;
            let domain_spec = DomainSpec::plain(name);
            (rest, Qualifier::Pass, Mechanism::Include(Include { domain_spec }))
        }
        [b'-', b'a', b'l', b'l', rest @ ..] if ends(rest) => {
            (rest, Qualifier::Fail, Mechanism::All)
        }
        [b'~', b'a', b'l', b'l', rest @ ..] if ends(rest) => {
            (rest, Qualifier::Softfail, Mechanism::All)
        }
        _ => return None,
    };
    let span = octets.offset(input)..octets.offset(rest);
    terms.push(Term::Directive(Directive { qualifier, mechanism, span }));
    Some(rest)
}

/// `directive / modifier`, added to the terms.
fn term<'a>(input: &'a [u8], span: Range<usize>, terms: &mut Vec<Term>) -> Whole<'a, ()> {
    let end = input.iter().position(|octet| matches!(octet, b'=' | b':' | b'/'));
    let (word, after) = input.split_at_checked(end.unwrap_or(input.len())).unwrap_or_default();
    // RFC 7208 4.6.1: "Modifiers always contain an equals ('=') character immediately after the
    // name, and before any ":" or "/" characters"
    if let [b'=', value @ ..] = after
        && name(word)
    {
        let kind = modifier(input, word, value)?;
        terms.push(Term::Modifier(Modifier { kind, span }));
        return Ok(());
    }
    if after.first() == Some(&b'=') {
        return fault(ParseErrorKind::InvalidName, input);
    }
    let (word, qualifier) = qualifier(word);
    let mechanism = mechanism(word, word, after)?;
    terms.push(Term::Directive(Directive { qualifier, mechanism, span }));
    Ok(())
}

/// `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`
fn name(word: &[u8]) -> bool {
    let octet = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    word.first().is_some_and(u8::is_ascii_alphabetic) && word.iter().all(octet)
}

/// `modifier = redirect / explanation / unknown-modifier`
fn modifier<'a>(input: &'a [u8], name: &'a [u8], value: &'a [u8]) -> Whole<'a, ModifierKind> {
    let redirect = name.eq_ignore_ascii_case(b"redirect");
    if redirect || name.eq_ignore_ascii_case(b"exp") {
        if value.is_empty() {
            return fault(ParseErrorKind::MissingDomainSpec, input);
        }
        let make = if redirect { ModifierKind::Redirect } else { ModifierKind::Explanation };
        return domain_spec(value).map(make);
    }
    let value = macro_string(value, Place::Term)?;
    let name = str::from_utf8(name).unwrap_or_default().into();
    Ok(ModifierKind::Unknown { name, value: Box::new(value) })
}

/// `[ qualifier ]`, `qualifier = "+" / "-" / "?" / "~"`
fn qualifier(input: &[u8]) -> (&[u8], Qualifier) {
    match input {
        [b'+', rest @ ..] => (rest, Qualifier::Pass),
        [b'-', rest @ ..] => (rest, Qualifier::Fail),
        [b'~', rest @ ..] => (rest, Qualifier::Softfail),
        [b'?', rest @ ..] => (rest, Qualifier::Neutral),
        _ => (input, Qualifier::Pass),
    }
}

/// `mechanism = ( all / include / a / mx / ptr / ip4 / ip6 / exists )`
///
/// `word` is what the record has, `name` the same in the case that is compared.
#[inline]
fn mechanism<'a>(word: &'a [u8], name: &[u8], argument: &'a [u8]) -> Whole<'a, Mechanism> {
    Ok(match name {
        b"ip4" => Mechanism::Ip4(ip4(word, argument)?),
        b"ip6" => Mechanism::Ip6(ip6(word, argument)?),
        b"include" => Mechanism::Include(Include { domain_spec: required(word, argument)? }),
        b"a" => {
            let (domain_spec, cidr) = optional(word, argument)?;
            Mechanism::A(A { domain_spec, cidr })
        }
        b"mx" => {
            let (domain_spec, cidr) = optional(word, argument)?;
            Mechanism::Mx(Mx { domain_spec, cidr })
        }
        b"all" if argument.is_empty() => Mechanism::All,
        b"all" => return fault(ParseErrorKind::UnexpectedArgument, argument),
        b"exists" => Mechanism::Exists(Exists { domain_spec: required(word, argument)? }),
        b"ptr" if argument.is_empty() => Mechanism::Ptr(Ptr { domain_spec: None }),
        b"ptr" => Mechanism::Ptr(Ptr { domain_spec: Some(required(word, argument)?) }),
        _ => return other_case(word, name, argument),
    })
}

/// A mechanism whose name is not all in lower case (RFC 7208 4.6.1: "mechanism and modifier names
/// are case-insensitive"), or none at all.
fn other_case<'a>(word: &'a [u8], tried: &[u8], argument: &'a [u8]) -> Whole<'a, Mechanism> {
    let lower = word.to_ascii_lowercase();
    match tried {
        _ if tried != lower => mechanism(word, &lower, argument),
        _ if name(word) => fault(ParseErrorKind::UnknownMechanism, word),
        _ => fault(ParseErrorKind::InvalidName, word),
    }
}

/// `":" domain-spec`
fn required<'a>(input: &'a [u8], argument: &'a [u8]) -> Whole<'a, DomainSpec> {
    match argument {
        [] | [b':'] => fault(ParseErrorKind::MissingDomainSpec, input),
        [b':', text @ ..] => domain_spec(text),
        _ => fault(ParseErrorKind::UnexpectedArgument, argument),
    }
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]`
fn optional<'a>(input: &'a [u8], argument: &'a [u8]) -> Whole<'a, (Option<DomainSpec>, DualCidr)> {
    let [b':', text @ ..] = argument else {
        return Ok((None, dual_cidr_length(argument)?));
    };
    let Some((text, cidr)) = text.split_at_checked(cidr_start(text)) else {
        return fault(ParseErrorKind::MissingDomainSpec, input);
    };
    if text.is_empty() {
        return fault(ParseErrorKind::MissingDomainSpec, input);
    }
    let cidr = dual_cidr_length(cidr)?;
    Ok((Some(domain_spec(text)?), cidr))
}
