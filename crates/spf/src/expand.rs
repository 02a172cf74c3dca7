//! Macro expansion (RFC 7208 7.3).

use std::borrow::Cow;
use std::net::IpAddr;

use mailproof_dns::Name;

use crate::record::{Macro, MacroLetter, Part};
use crate::request::{DomainError, Request};

/// RFC 7208 7.3: "253 characters (the maximum length of a domain name in this format)".
const MAX_NAME: usize = 253;

/// What the macros of one term stand for.
pub(crate) struct Values<'a> {
    pub(crate) request: &'a Request<'a>,
    /// The current `<domain>`.
    pub(crate) domain: &'a Name,
    /// The validated reverse name, where the term asks for it and there is one.
    pub(crate) ptr: Option<Name>,
}

/// The domain name of a text in presentation form, if it is a valid one.
///
/// An octet that is no visible ASCII or space is none of a valid name: it comes from what the
/// sender said in HELO or MAIL FROM.
pub(crate) fn name(text: &[u8]) -> Option<Name> {
    let visible = text.iter().fold(true, |all, octet| all & matches!(octet, 0x20..=0x7e));
    if visible { visible_name(text) } else { None }
}

/// As [`name`], of visible ASCII and spaces.
pub(crate) fn visible_name(text: &[u8]) -> Option<Name> {
    // RFC 7208 7.3: trailing dots "MUST be accepted".
    let text = text.strip_suffix(b".").unwrap_or(text);
    Name::from_dotted(truncate(text)).ok()
}

/// RFC 7208 7.3: "the left side is truncated to fit, by removing successive domain labels (and
/// their following dots) until the total length does not exceed 253 characters."
fn truncate(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while rest.len() > MAX_NAME {
        match rest.iter().position(|&octet| octet == b'.') {
            Some(dot) => rest = rest.get(dot + 1..).unwrap_or_default(),
            None => break,
        }
    }
    rest
}

/// The expansion of a domain-spec, or its right end if it is longer than any name.
pub(crate) fn domain_spec(parts: &[Part], values: &Values<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    // From the right: of a hostile record's thousand macros only the last ones are expanded.
    for part in parts.iter().rev() {
        let expanded = values.part(part);
        text.splice(0..0, expanded.iter().copied());
        // One for the trailing dot, one to see that the label goes on.
        if text.len() > MAX_NAME + 2 {
            break;
        }
    }
    text
}

/// The expansion of the text of an explanation, cut at `most` octets; `None` if it is not
/// printable ASCII.
pub(crate) fn explain_string(parts: &[Part], values: &Values<'_>, most: usize) -> Option<String> {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(&values.part(part));
        if text.len() >= most {
            text.truncate(most);
            break;
        }
    }
    let text = String::from_utf8(text).ok()?;
    text.bytes().all(|octet| matches!(octet, 0x20..=0x7e)).then_some(text)
}

impl Values<'_> {
    fn part<'p>(&self, part: &'p Part) -> Cow<'p, [u8]> {
        match part {
            Part::Literal(text) => Cow::Borrowed(text.octets()),
            Part::Percent => Cow::Borrowed(b"%"),
            Part::Space => Cow::Borrowed(b" "),
            Part::UrlSpace => Cow::Borrowed(b"%20"),
            Part::Macro(expand) => Cow::Owned(self.expand(expand)),
        }
    }

    fn expand(&self, expand: &Macro) -> Vec<u8> {
        let mut value = self.value(expand.letter);
        if expand.keep > 0 || expand.reverse || !expand.delimiters.is_empty() {
            value = transform(&value, expand);
        }
        // RFC 7208 7.3: "Uppercase macros expand exactly as their lowercase equivalents, and are
        // then URL escaped."
        if expand.url_escape { url_escape(&value) } else { value }
    }

    fn value(&self, letter: MacroLetter) -> Vec<u8> {
        let Values { request, domain, ptr } = self;
        match letter {
            MacroLetter::Sender => {
                let mut sender = request.local_part.as_bytes().to_vec();
                sender.push(b'@');
                sender.extend(self.value(MacroLetter::SenderDomain));
                sender
            }
            MacroLetter::LocalPart => request.local_part.into(),
            // RFC 8616 4: "All U-labels MUST be converted to A-labels".
            MacroLetter::SenderDomain => request.domain.as_ref().map(dotted).unwrap_or_default(),
            MacroLetter::Domain => dotted(domain),
            MacroLetter::Ip => match request.ip {
                IpAddr::V4(ip) => ip.to_string().into(),
                IpAddr::V6(ip) => nibbles(ip.octets()).join(&b'.'),
            },
            MacroLetter::Ptr => ptr.as_ref().map_or_else(|| b"unknown".to_vec(), dotted),
            MacroLetter::Version if request.ip.is_ipv4() => b"in-addr".to_vec(),
            MacroLetter::Version => b"ip6".to_vec(),
            MacroLetter::Helo => helo(request.helo),
            MacroLetter::ReadableIp => request.ip.to_string().into(),
            MacroLetter::Receiver => request.receiver.unwrap_or("unknown").into(),
            MacroLetter::Timestamp => request.now.to_string().into(),
        }
    }
}

/// What HELO said; its U-labels as A-labels, where it is a domain that has some.
fn helo(text: &str) -> Vec<u8> {
    // RFC 8616 4: "All U-labels MUST be converted to A-labels before being used for an SPF
    // validation. This includes […] those used in the macro expansion of domain-spec".
    let name: Option<Name> = if text.is_ascii() { None } else { text.parse().ok() };
    name.map_or_else(|| text.into(), |name| dotted(&name))
}

/// The name as text, its octets as they are.
fn dotted(name: &Name) -> Vec<u8> {
    let mut text = Vec::new();
    for label in name.labels() {
        if !text.is_empty() {
            text.push(b'.');
        }
        text.extend_from_slice(label);
    }
    text
}

/// RFC 7208 7.3: split, reverse, keep the right-hand parts, join with dots.
fn transform(value: &[u8], expand: &Macro) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = value.split(|&octet| expand.delimiters.splits_at(octet)).collect();
    if expand.reverse {
        parts.reverse();
    }
    let keep = usize::try_from(expand.keep).unwrap_or(usize::MAX);
    if keep > 0 {
        parts.drain(..parts.len().saturating_sub(keep));
    }
    parts.join(&b'.')
}

/// Every octet that is not `unreserved` (RFC 3986 2.3) as `%XX`.
fn url_escape(value: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(value.len());
    for &octet in value {
        match octet {
            b'-' | b'.' | b'_' | b'~' => escaped.push(octet),
            _ if octet.is_ascii_alphanumeric() => escaped.push(octet),
            _ => escaped.extend(format!("%{octet:02X}").bytes()),
        }
    }
    escaped
}

/// The 32 hexadecimal digits of an IPv6 address, most significant first.
fn nibbles(address: [u8; 16]) -> Vec<[u8; 1]> {
    let digit = |nibble: u8| [if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }];
    address.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// The name whose PTR records are the reverse names of `ip` (RFC 1035 3.5, RFC 3596 2.5).
pub fn reverse_name(ip: IpAddr) -> Option<Name> {
    match ip {
        IpAddr::V4(ip) => {
            let digits = ip.octets().map(|octet| [octet / 100, octet / 10 % 10, octet % 10]);
            let digits = digits.map(|digits| digits.map(|digit| b'0' + digit));
            let labels = digits.iter().rev().map(without_zeros);
            Name::from_labels(labels.chain([&b"in-addr"[..], b"arpa"])).ok()
        }
        IpAddr::V6(ip) => {
            let nibbles = nibbles(ip.octets());
            let labels = nibbles.iter().rev().map(<[u8; 1]>::as_slice);
            Name::from_labels(labels.chain([&b"ip6"[..], b"arpa"])).ok()
        }
    }
}

/// Three digits without the zeros in front.
fn without_zeros(digits: &[u8; 3]) -> &[u8] {
    match digits {
        [b'0', b'0', rest @ ..] => rest,
        [b'0', rest @ ..] => rest,
        rest => rest,
    }
}

/// Whether the expansion depends on the local-part of the sender.
pub(crate) fn uses_local_part(parts: &[Part]) -> bool {
    uses(parts, |letter| matches!(letter, MacroLetter::Sender | MacroLetter::LocalPart))
}

/// Whether the expansion asks for the reverse name.
pub(crate) fn uses_ptr(parts: &[Part]) -> bool {
    uses(parts, |letter| letter == MacroLetter::Ptr)
}

/// Whether the result may not be kept for other messages of the same domain and client.
pub(crate) fn uses_sender(parts: &[Part]) -> bool {
    // RFC 7208 7.3: "contains an "s", "l", "o", or "h" macro".
    uses(parts, |letter| {
        matches!(
            letter,
            MacroLetter::Sender
                | MacroLetter::LocalPart
                | MacroLetter::SenderDomain
                | MacroLetter::Helo
        )
    })
}

fn uses(parts: &[Part], is: impl Fn(MacroLetter) -> bool) -> bool {
    parts.iter().any(|part| matches!(part, Part::Macro(expand) if is(expand.letter)))
}

/// Why the expansion is no domain name, for the cause.
pub(crate) fn name_error(text: &str) -> DomainError {
    match text.parse::<Name>() {
        Ok(_) => DomainError::Octet,
        Err(error) => error.into(),
    }
}
