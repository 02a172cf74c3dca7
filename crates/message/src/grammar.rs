//! The grammar of RFC 5322 3.4 and 4.4, in the order of its rules.

use std::ops::Range;

use nom::combinator::recognize;
use nom::multi::many0_count;
use nom::{Offset, Parser};

use crate::address::{AddressErrorKind, AddressList, Domain, Group, Mailbox};
use crate::limits::Limits;
use crate::tokens::{Parsed, Trouble, atom, cfws, failure, first, text, word};

/// Where `part` is in `octets`, from which it was cut: its address tells, so no parser counts.
pub(crate) fn span(octets: &[u8], part: &[u8]) -> Range<usize> {
    let start = octets.offset(part);
    start..start + part.len()
}

/// A list is flat: a group opens with its name and closes with ";", so nothing recurses.
pub(crate) fn address_list<'a>(octets: &'a [u8], limits: &Limits) -> Parsed<'a, AddressList> {
    let mut list = AddressList::default();
    let mut group: Option<Group> = None;
    let (mut rest, ()) = cfws(octets)?;
    loop {
        rest = match (rest, &group) {
            ([], None) => return Ok((rest, list)),
            ([], Some(_)) => return failure(AddressErrorKind::UnterminatedGroup, rest),
            ([b',', after @ ..], _) => cfws(after)?.0,
            ([b';', after @ ..], Some(_)) => {
                list.groups.extend(group.take().map(|group| Group {
                    members: group.members.start..list.mailboxes.len(),
                    ..group
                }));
                separator(cfws(after)?.0, false)?.0
            }
            _ => match address(rest)? {
                (_, Address::Group(name)) if group.is_some() => {
                    return failure(AddressErrorKind::NestedGroup, name);
                }
                (after, Address::Group(name)) => {
                    let members = list.mailboxes.len()..list.mailboxes.len();
                    group = Some(Group { display_name: span(octets, name), members });
                    cfws(after)?.0
                }
                (_, Address::Mailbox(_)) if list.mailboxes.len() >= limits.mailboxes => {
                    return failure(AddressErrorKind::TooManyMailboxes, first(rest));
                }
                (after, Address::Mailbox(mailbox)) => {
                    list.mailboxes.push(mailbox.at(octets));
                    separator(cfws(after)?.0, group.is_some())?.0
                }
            },
        };
    }
}

/// Looks, without taking it, for what may follow an address.
fn separator(input: &[u8], in_group: bool) -> Parsed<'_, ()> {
    match input {
        [] | [b',', ..] => Ok((input, ())),
        [b';', ..] if in_group => Ok((input, ())),
        _ => failure(AddressErrorKind::TextAfterAddress, first(input)),
    }
}

enum Address<'a> {
    Mailbox(Parts<'a>),
    /// The name of a group that is now open.
    Group(&'a [u8]),
}

/// A mailbox as parts of the text.
struct Parts<'a> {
    display_name: Option<&'a [u8]>,
    local_part: &'a [u8],
    domain: DomainParts<'a>,
}

impl Parts<'_> {
    fn at(self, octets: &[u8]) -> Mailbox {
        let (domain, text) = self.domain;
        Mailbox {
            display_name: self.display_name.map(|part| span(octets, part)),
            local_part: span(octets, self.local_part),
            domain: Domain { text, span: span(octets, domain) },
        }
    }
}

/// `mailbox`, or a group up to its ":" (RFC 5322 3.4). What stands after the words decides, so
/// nothing is read twice.
fn address(input: &[u8]) -> Parsed<'_, Address<'_>> {
    if input.first() == Some(&b'<') {
        let (rest, (local_part, domain)) = angle_addr(input)?;
        return Ok((rest, Address::Mailbox(Parts { display_name: None, local_part, domain })));
    }
    let (rest, words) = words(input)?;
    match rest.first() {
        Some(b'@') => {
            let local_part = words.local_part()?.1;
            let (rest, domain) = at_domain(rest)?;
            if let [b'<', ..] = cfws(rest)?.0 {
                return address_as_name(input, rest, domain);
            }
            Ok((rest, Address::Mailbox(Parts { display_name: None, local_part, domain })))
        }
        Some(b'<') => {
            let display_name = Some(words.phrase()?.1);
            let (rest, (local_part, domain)) = angle_addr(rest)?;
            Ok((rest, Address::Mailbox(Parts { display_name, local_part, domain })))
        }
        Some(b':') => Ok((rest.get(1..).unwrap_or_default(), Address::Group(words.phrase()?.1))),
        None | Some(b',' | b';') => failure(AddressErrorKind::MissingAddress, words.octets),
        Some(_) => failure(AddressErrorKind::UnexpectedOctet, first(rest)),
    }
}

/// An address without quotes as the display name of another one.
// Disputed. RFC 5322 3.2.3 has no "@" in an atom; many programs write it, and readers take the
// address in angle brackets; we do when both have the same domain, because then no reading gives
// another, and refuse it otherwise. Case: from-own-address-as-name.
fn address_as_name<'a>(
    input: &'a [u8],
    end: &'a [u8],
    domain: DomainParts<'_>,
) -> Parsed<'a, Address<'a>> {
    let (angle, ()) = cfws(end)?;
    let (rest, (local_part, own)) = angle_addr(angle)?;
    match (&domain.1, &own.1) {
        (Some(name), Some(own)) if name.eq_ignore_ascii_case(own) => {}
        _ => return failure(AddressErrorKind::TextAfterAddress, first(angle)),
    }
    let display_name = input.get(..input.len() - end.len());
    Ok((rest, Address::Mailbox(Parts { display_name, local_part, domain: own })))
}

/// Words and dots: a `phrase` or a `local-part`, as what follows decides.
struct Words<'a> {
    octets: &'a [u8],
    /// Two words stand side by side, which no local-part has.
    adjacent: bool,
    /// There is a word, not only dots.
    any: bool,
}

fn words(input: &[u8]) -> Parsed<'_, Words<'_>> {
    let mut found = Words { octets: input.get(..0).unwrap_or(input), adjacent: false, any: false };
    let mut after_word = false;
    let mut rest = input;
    loop {
        let end = match rest {
            [b'.', after @ ..] => {
                after_word = false;
                after
            }
            _ => match word(rest) {
                Ok((after, _)) => {
                    found.adjacent |= after_word;
                    found.any = true;
                    after_word = true;
                    after
                }
                Err(nom::Err::Error(_)) => return Ok((rest, found)),
                Err(failed) => return Err(failed),
            },
        };
        found.octets = input.get(..input.len() - end.len()).unwrap_or(input);
        (rest, ()) = cfws(end)?;
    }
}

impl<'a> Words<'a> {
    /// RFC 5322 4.4: `obs-local-part = word *("." word)`.
    // Disputed. RFC 5322 3.4.1 wants a word on both sides of a dot; Postfix and the large
    // providers deliver to "a..b@" and "a.@", which a Japanese carrier gave out for years; we
    // allow them, because no reading gives another domain. Case: from-dots-in-local-part.
    fn local_part(&self) -> Parsed<'a, &'a [u8]> {
        match self {
            Words { any: false, octets, .. } => failure(AddressErrorKind::MissingLocalPart, octets),
            Words { adjacent: true, octets, .. } => {
                failure(AddressErrorKind::WordsInLocalPart, octets)
            }
            Words { octets, .. } => Ok((&[], octets)),
        }
    }

    /// RFC 5322 4.1: `obs-phrase = word *(word / "." / CFWS)`.
    fn phrase(&self) -> Parsed<'a, &'a [u8]> {
        match self.octets {
            [] | [b'.', ..] => failure(AddressErrorKind::UnexpectedOctet, first(self.octets)),
            octets => Ok((&[], octets)),
        }
    }
}

/// A domain: its octets, and its text unless it is a literal.
type DomainParts<'a> = (&'a [u8], Option<String>);

/// `addr-spec` (RFC 5322 3.4.1): local-part and domain.
type AddrSpec<'a> = (&'a [u8], DomainParts<'a>);

/// `angle-addr` (RFC 5322 3.4), with `obs-route` (4.4), which is read and dropped.
fn angle_addr(input: &[u8]) -> Parsed<'_, AddrSpec<'_>> {
    let (rest, ()) = cfws(input.get(1..).unwrap_or_default())?;
    let (rest, ()) = route(rest)?;
    let (rest, words) = words(rest)?;
    let (rest, spec) = match rest.first() {
        Some(b'@') => {
            let local_part = words.local_part()?.1;
            let (rest, domain) = at_domain(rest)?;
            (rest, (local_part, domain))
        }
        Some(b'>') => return failure(AddressErrorKind::MissingDomain, first(rest)),
        None => return failure(AddressErrorKind::UnterminatedAngle, input),
        Some(_) => return failure(AddressErrorKind::UnexpectedOctet, first(rest)),
    };
    match cfws(rest)?.0 {
        [b'>', after @ ..] => Ok((after, spec)),
        [] => failure(AddressErrorKind::UnterminatedAngle, input),
        rest => failure(AddressErrorKind::UnexpectedOctet, first(rest)),
    }
}

/// RFC 5322 4.4: `obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])`, then
/// ":". "the route portion [...] SHOULD be ignored."
fn route(input: &[u8]) -> Parsed<'_, ()> {
    let mut rest = input;
    loop {
        rest = match rest {
            [b',', after @ ..] => cfws(after)?.0,
            [b'@', ..] => cfws(at_domain(rest)?.0)?.0,
            [b':', after @ ..] if rest.len() < input.len() => return cfws(after),
            _ if rest.len() == input.len() => return Ok((input, ())),
            _ => return failure(AddressErrorKind::UnexpectedOctet, first(rest)),
        };
    }
}

/// "@" and `domain` (RFC 5322 3.4.1, 4.4): the octets, and the text without CFWS. Where the dots
/// are is not checked here but by [`Domain::name`].
fn at_domain(input: &[u8]) -> Parsed<'_, DomainParts<'_>> {
    let (start, ()) = cfws(input.get(1..).unwrap_or_default())?;
    if start.first() == Some(&b'[') {
        let (rest, literal) = domain_literal(start)?;
        return Ok((rest, (literal, None)));
    }
    let mut domain = String::with_capacity(start.len().min(64));
    let mut end = start;
    let mut rest = start;
    loop {
        let (after, part) = match (rest, domain.ends_with('.') || domain.is_empty()) {
            ([b'.', after @ ..], _) => (after, &b"."[..]),
            (_, true) => match atom(rest) {
                Ok(found) => found,
                Err(_) => break,
            },
            _ => break,
        };
        domain.push_str(&String::from_utf8_lossy(part));
        end = after;
        (rest, ()) = cfws(after)?;
    }
    if domain.is_empty() {
        return failure(AddressErrorKind::MissingDomain, first(rest));
    }
    let octets = start.get(..start.len() - end.len()).unwrap_or_default();
    Ok((end, (octets, Some(domain))))
}

/// `domain-literal` (RFC 5322 3.4.1), with its brackets.
fn domain_literal(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, _) =
        recognize(many0_count(literal_text)).parse(input.get(1..).unwrap_or_default())?;
    match rest {
        [b']', after @ ..] => {
            Ok((after, input.get(..input.len() - after.len()).unwrap_or_default()))
        }
        [] => failure(AddressErrorKind::UnterminatedLiteral, input),
        _ => failure(AddressErrorKind::UnexpectedOctet, first(rest)),
    }
}

fn literal_text(input: &[u8]) -> Parsed<'_, ()> {
    match input.first() {
        None | Some(b'[' | b']') => Err(nom::Err::Error(Trouble {
            kind: AddressErrorKind::UnexpectedOctet,
            octets: first(input),
        })),
        Some(_) => text(input),
    }
}
