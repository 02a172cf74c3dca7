//! The grammar of the record (RFC 7208 12), each function named after its production.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{Ipv4Net, Ipv6Net};
use nom::bytes::complete::{tag_no_case, take_till};
use nom::{Err, Offset, Parser};

use crate::macro_string::{Fault, Parsed, Place, domain_spec, fault, macro_string};
use crate::record::{
    A, Directive, DomainSpec, DualCidr, Exists, Include, Ip4, Ip6, MacroString, Mechanism,
    Modifier, ModifierKind, Mx, Ptr, Qualifier, Record, Term,
};
use crate::syntax::{ParseError, ParseErrorKind};

/// How many errors [`parse_all`] lists: a hostile record may have one in every other octet.
const MAX_ERRORS: usize = 64;
/// For how many terms room is made at once: a hostile record may be all spaces.
const MAX_RESERVE: usize = 64;

/// Whether a text record is an SPF record at all (RFC 7208 4.5): it begins with `v=spf1` and a
/// space, or is `v=spf1`.
pub fn is_spf_record(octets: &[u8]) -> bool {
    version(octets).is_ok()
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
    let (record, mut errors) = read(octets, 1);
    errors.pop().map_or(Ok(record), Err)
}

/// Reads a record and lists every term's syntax error, up to 64, in order.
///
/// # Errors
/// The errors; the first one is that of [`parse`].
pub fn parse_all(octets: &[u8]) -> Result<Record, Vec<ParseError>> {
    let (record, errors) = read(octets, MAX_ERRORS);
    if errors.is_empty() { Ok(record) } else { Err(errors) }
}

/// Reads a macro-string that stands in a term, to its end.
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse_macro_string(octets: &[u8]) -> Result<MacroString, ParseError> {
    whole(octets, octets, macro_string(octets, Place::Term))
}

/// Reads the text of an explanation (`explain-string`, RFC 7208 7.1), to its end.
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse_explain_string(octets: &[u8]) -> Result<MacroString, ParseError> {
    whole(octets, octets, macro_string(octets, Place::Explanation))
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
        whole(text.as_bytes(), text.as_bytes(), domain_spec(text.as_bytes()))
    }
}

/// `record = version terms *SP`, and at most `most` errors.
fn read(octets: &[u8], most: usize) -> (Record, Vec<ParseError>) {
    let spaces = octets.iter().filter(|&&octet| octet == b' ').count();
    let mut record = Record { terms: Vec::with_capacity(spaces.min(MAX_RESERVE)) };
    let mut errors = Vec::new();
    let mut rest = match version(octets) {
        Ok((rest, _)) => rest,
        Err(_) => {
            let span = 0..octets.len().min(6);
            errors.push(ParseError { kind: ParseErrorKind::NoVersion, span });
            return (record, errors);
        }
    };
    let (mut redirect, mut explanation) = (false, false);
    while errors.len() < most {
        let Some(at) = rest.iter().position(|&octet| octet != b' ') else { break };
        let Some((_, input)) = rest.split_at_checked(at) else { break };
        let length = memchr::memchr(b' ', input).unwrap_or(input.len());
        let Some((text, after)) = input.split_at_checked(length) else { break };
        rest = after;
        let start = octets.offset(text);
        match whole(octets, text, term(text)) {
            Ok(mut term) => {
                term.place(start..start + text.len());
                let twice = match &term {
                    Term::Modifier(Modifier { kind: ModifierKind::Redirect(_), .. }) => {
                        std::mem::replace(&mut redirect, true)
                    }
                    Term::Modifier(Modifier { kind: ModifierKind::Explanation(_), .. }) => {
                        std::mem::replace(&mut explanation, true)
                    }
                    Term::Directive(_) | Term::Modifier(_) => false,
                };
                if twice {
                    // RFC 7208 6: "These two modifiers MUST NOT appear in a record more than
                    // once each."
                    let span = start..start + text.len();
                    errors.push(ParseError { kind: ParseErrorKind::DuplicateModifier, span });
                }
                record.terms.push(term);
            }
            Err(error) => errors.push(error),
        }
    }
    (record, errors)
}

/// The result of a production that is to read all of `text`, a part of `octets`.
fn whole<'a, T>(octets: &'a [u8], text: &'a [u8], parsed: Parsed<'a, T>) -> Result<T, ParseError> {
    let fault = match parsed {
        Ok((_, value)) => return Ok(value),
        Err(Err::Error(fault) | Err::Failure(fault)) => fault,
        Err(Err::Incomplete(_)) => Fault { kind: ParseErrorKind::InvalidOctet, at: text },
    };
    // An octet that no production allows explains more than where a production stopped.
    let visible = |octet: &u8| matches!(octet, 0x20..=0x7e);
    if let Some(at) = text.iter().position(|octet| !visible(octet)) {
        let start = octets.offset(text) + at;
        return Err(ParseError { kind: ParseErrorKind::InvalidOctet, span: start..start + 1 });
    }
    let start = octets.offset(fault.at);
    Err(ParseError { kind: fault.kind, span: start..start + fault.at.len() })
}

/// `version = "v=spf1"`, and what ends it.
fn version(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, version) = tag_no_case("v=spf1").parse(input)?;
    // RFC 7208 4.5: "the version section is terminated by either an SP character or the end of
    // the record."
    match rest.first() {
        None | Some(b' ') => Ok((rest, version)),
        Some(_) => fault(ParseErrorKind::NoVersion, input),
    }
}

/// `directive / modifier`
fn term(input: &[u8]) -> Parsed<'_, Term> {
    let (after, word) = name(input);
    // RFC 7208 4.6.1: "Modifiers always contain an equals ('=') character immediately after the
    // name, and before any ":" or "/" characters"
    if let ([b'=', value @ ..], [_, ..]) = (after, word) {
        let (rest, kind) = modifier(input, word, value)?;
        return Ok((rest, Term::Modifier(Modifier { kind, span: 0..0 })));
    }
    let (input, qualifier) = qualifier(input);
    let (rest, mechanism) = mechanism(input)?;
    Ok((rest, Term::Directive(Directive { qualifier, mechanism, span: 0..0 })))
}

impl Term {
    fn place(&mut self, place: std::ops::Range<usize>) {
        match self {
            Term::Directive(Directive { span, .. }) | Term::Modifier(Modifier { span, .. }) => {
                *span = place;
            }
        }
    }
}

/// `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`, empty if there is none.
fn name(input: &[u8]) -> (&[u8], &[u8]) {
    let octet = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let length = match input.first() {
        Some(first) if first.is_ascii_alphabetic() => {
            input.iter().position(|o| !octet(o)).unwrap_or(input.len())
        }
        _ => 0,
    };
    let (name, rest) = input.split_at_checked(length).unwrap_or_default();
    (rest, name)
}

/// `modifier = redirect / explanation / unknown-modifier`
fn modifier<'a>(input: &'a [u8], name: &'a [u8], value: &'a [u8]) -> Parsed<'a, ModifierKind> {
    let redirect = name.eq_ignore_ascii_case(b"redirect");
    if redirect || name.eq_ignore_ascii_case(b"exp") {
        if value.is_empty() {
            return fault(ParseErrorKind::MissingDomainSpec, input);
        }
        let make = if redirect { ModifierKind::Redirect } else { ModifierKind::Explanation };
        return domain_spec(value).map(|(rest, spec)| (rest, make(spec)));
    }
    let (rest, value) = macro_string(value, Place::Term)?;
    let name = str::from_utf8(name).unwrap_or_default().to_owned();
    Ok((rest, ModifierKind::Unknown { name, value }))
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
fn mechanism(input: &[u8]) -> Parsed<'_, Mechanism> {
    let (argument, name) = name(input);
    if name.is_empty() || !matches!(argument.first(), None | Some(b':' | b'/')) {
        return fault(ParseErrorKind::InvalidName, input);
    }
    // The longest name has seven letters; a longer one stays all zeros.
    let mut lower = [0; 7];
    if let Some(lower) = lower.get_mut(..name.len()) {
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
    }
    match lower.get(..name.len()).unwrap_or_default() {
        b"ip4" => ip4(input, argument),
        b"ip6" => ip6(input, argument),
        b"include" => {
            let (rest, domain_spec) = required(input, argument)?;
            Ok((rest, Mechanism::Include(Include { domain_spec })))
        }
        b"a" => {
            let (rest, (domain_spec, cidr)) = optional(input, argument)?;
            Ok((rest, Mechanism::A(A { domain_spec, cidr })))
        }
        b"mx" => {
            let (rest, (domain_spec, cidr)) = optional(input, argument)?;
            Ok((rest, Mechanism::Mx(Mx { domain_spec, cidr })))
        }
        b"all" if argument.is_empty() => Ok((argument, Mechanism::All)),
        b"all" => fault(ParseErrorKind::UnexpectedArgument, argument),
        b"exists" => {
            let (rest, domain_spec) = required(input, argument)?;
            Ok((rest, Mechanism::Exists(Exists { domain_spec })))
        }
        b"ptr" if argument.is_empty() => Ok((argument, Mechanism::Ptr(Ptr { domain_spec: None }))),
        b"ptr" => {
            let (rest, domain_spec) = required(input, argument)?;
            Ok((rest, Mechanism::Ptr(Ptr { domain_spec: Some(domain_spec) })))
        }
        _ => fault(ParseErrorKind::UnknownMechanism, name),
    }
}

/// `":" domain-spec`
fn required<'a>(input: &'a [u8], argument: &'a [u8]) -> Parsed<'a, DomainSpec> {
    match argument {
        [] | [b':'] => fault(ParseErrorKind::MissingDomainSpec, input),
        [b':', text @ ..] => domain_spec(text),
        _ => fault(ParseErrorKind::UnexpectedArgument, argument),
    }
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]`
fn optional<'a>(input: &'a [u8], argument: &'a [u8]) -> Parsed<'a, (Option<DomainSpec>, DualCidr)> {
    let [b':', text @ ..] = argument else {
        let (rest, cidr) = dual_cidr_length(argument)?;
        return Ok((rest, (None, cidr)));
    };
    let Some((text, cidr)) = text.split_at_checked(cidr_start(text)) else {
        return fault(ParseErrorKind::MissingDomainSpec, input);
    };
    if text.is_empty() {
        return fault(ParseErrorKind::MissingDomainSpec, input);
    }
    let (rest, cidr) = dual_cidr_length(cidr)?;
    let (_, spec) = domain_spec(text)?;
    Ok((rest, (Some(spec), cidr)))
}

/// Where the `dual-cidr-length` at the end of `text` begins. A domain-spec may hold slashes
/// itself, so it is found from the end.
fn cidr_start(text: &[u8]) -> usize {
    let (ip6, before) = slash_digits(text);
    if !ip6 {
        return text.len();
    }
    match before {
        [head @ .., b'/'] => match slash_digits(head) {
            (true, before) => before.len(),
            (false, _) => head.len(),
        },
        _ => before.len(),
    }
}

/// Whether `text` ends in a slash and digits, and what is before them.
fn slash_digits(text: &[u8]) -> (bool, &[u8]) {
    let digits = text.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
    let head = text.get(..text.len() - digits).unwrap_or_default();
    match head {
        [before @ .., b'/'] if digits > 0 => (true, before),
        _ => (false, text),
    }
}

/// `dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]`, to the end of the input.
fn dual_cidr_length(input: &[u8]) -> Parsed<'_, DualCidr> {
    let mut cidr = DualCidr::default();
    let mut rest = input;
    if !rest.is_empty() && !rest.starts_with(b"//") {
        (rest, cidr.ip4) = cidr_length(rest, 32, ParseErrorKind::InvalidIp4CidrLength)?;
    }
    if let [b'/', ip6 @ ..] = rest {
        (rest, cidr.ip6) = cidr_length(ip6, 128, ParseErrorKind::InvalidIp6CidrLength)?;
    }
    if rest.is_empty() { Ok((rest, cidr)) } else { fault(ParseErrorKind::UnexpectedArgument, rest) }
}

/// `"/" ("0" / %x31-39 *DIGIT)`, in the range up to `most`.
fn cidr_length(input: &[u8], most: u8, kind: ParseErrorKind) -> Parsed<'_, u8> {
    let [b'/', text @ ..] = input else {
        return fault(kind, input);
    };
    let (rest, digits) = take_till(|octet| octet == b'/').parse(text)?;
    match number(digits, most) {
        Some(length) => Ok((rest, length)),
        None => fault(kind, if digits.is_empty() { input } else { digits }),
    }
}

/// A decimal number without leading zeros, up to `most`.
fn number(digits: &[u8], most: u8) -> Option<u8> {
    let mut number = 0_u8;
    match digits {
        [b'0'] => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 3 => {}
        _ => return None,
    }
    for digit in digits {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    (number <= most).then_some(number)
}

/// `ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ]`
fn ip4<'a>(input: &'a [u8], argument: &'a [u8]) -> Parsed<'a, Mechanism> {
    let (cidr, network) = network(input, argument)?;
    let Some(address) = ip4_network(network) else {
        return fault(ParseErrorKind::InvalidIp4Network, network);
    };
    let (rest, prefix) = match cidr {
        [] => (cidr, 32),
        _ => cidr_length(cidr, 32, ParseErrorKind::InvalidIp4CidrLength)?,
    };
    match Ipv4Net::new(address, prefix) {
        Ok(network) if rest.is_empty() => Ok((rest, Mechanism::Ip4(Ip4 { network }))),
        _ => fault(ParseErrorKind::InvalidIp4CidrLength, cidr),
    }
}

/// `ip6 = "ip6" ":" ip6-network [ ip6-cidr-length ]`
fn ip6<'a>(input: &'a [u8], argument: &'a [u8]) -> Parsed<'a, Mechanism> {
    let (cidr, network) = network(input, argument)?;
    let address = str::from_utf8(network).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
    let Some(address) = address else {
        return fault(ParseErrorKind::InvalidIp6Network, network);
    };
    let (rest, prefix) = match cidr {
        [] => (cidr, 128),
        _ => cidr_length(cidr, 128, ParseErrorKind::InvalidIp6CidrLength)?,
    };
    match Ipv6Net::new(address, prefix) {
        Ok(network) if rest.is_empty() => Ok((rest, Mechanism::Ip6(Ip6 { network }))),
        _ => fault(ParseErrorKind::InvalidIp6CidrLength, cidr),
    }
}

/// The network after the colon, and what follows it.
fn network<'a>(input: &'a [u8], argument: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    match argument {
        [b':', text @ ..] if !text.is_empty() => take_till(|octet| octet == b'/').parse(text),
        _ => fault(ParseErrorKind::MissingNetwork, input),
    }
}

/// `ip4-network = qnum "." qnum "." qnum "." qnum`
fn ip4_network(text: &[u8]) -> Option<Ipv4Addr> {
    let mut address = [0; 4];
    let mut qnums = text.split(|&octet| octet == b'.');
    for octet in &mut address {
        *octet = number(qnums.next()?, u8::MAX)?;
    }
    qnums.next().is_none().then(|| address.into())
}
