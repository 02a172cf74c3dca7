//! The grammar of networks and prefix lengths (RFC 7208 5.6), each function named after its
//! production, and whether a client is in a network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use nom::Parser;
use nom::bytes::complete::take_till;

use crate::macro_string::{Parsed, Whole, fault};
use crate::record::{DualCidr, Ip4, Ip6};
use crate::syntax::ParseErrorKind;

/// Where the `dual-cidr-length` at the end of `text` begins. A domain-spec may hold slashes
/// itself, so it is found from the end.
pub(crate) fn cidr_start(text: &[u8]) -> usize {
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
pub(crate) fn dual_cidr_length(input: &[u8]) -> Whole<'_, DualCidr> {
    let mut cidr = DualCidr::default();
    let mut rest = input;
    if !rest.is_empty() && !rest.starts_with(b"//") {
        (rest, cidr.ip4) = cidr_length(rest, 32, ParseErrorKind::InvalidIp4CidrLength)?;
    }
    if let [b'/', ip6 @ ..] = rest {
        (rest, cidr.ip6) = cidr_length(ip6, 128, ParseErrorKind::InvalidIp6CidrLength)?;
    }
    if rest.is_empty() { Ok(cidr) } else { fault(ParseErrorKind::UnexpectedArgument, rest) }
}

/// `"/" ("0" / %x31-39 *DIGIT)`, in the range up to `most`.
fn cidr_length(input: &[u8], most: u16, kind: ParseErrorKind) -> Parsed<'_, u8> {
    if let [b'/', text @ ..] = input {
        if let Some((rest @ ([] | [b'/', ..]), length)) = decimal(text, most) {
            return Ok((rest, length));
        }
        let digits = text.split(|&octet| octet == b'/').next().unwrap_or_default();
        return fault(kind, if digits.is_empty() { input } else { digits });
    }
    fault(kind, input)
}

/// A decimal number of up to three digits without leading zeros, up to `most`, and what follows.
fn decimal(input: &[u8], most: u16) -> Option<(&[u8], u8)> {
    let digit = |octet: u8| u16::from(octet.wrapping_sub(b'0'));
    let (rest, number, least) = match *input {
        [a, b, c, ref rest @ ..] if digit(a) < 10 && digit(b) < 10 && digit(c) < 10 => {
            (rest, 100 * digit(a) + 10 * digit(b) + digit(c), 100)
        }
        [a, b, ref rest @ ..] if digit(a) < 10 && digit(b) < 10 => {
            (rest, 10 * digit(a) + digit(b), 10)
        }
        [a, ref rest @ ..] if digit(a) < 10 => (rest, digit(a), 0),
        _ => return None,
    };
    // A smaller number has a leading zero.
    let number = u8::try_from(number).ok().filter(|_| (least..=most).contains(&number))?;
    Some((rest, number))
}

/// `ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ]`
#[inline]
pub(crate) fn ip4<'a>(input: &'a [u8], argument: &'a [u8]) -> Whole<'a, Ip4> {
    let [b':', text @ ..] = argument else {
        return fault(ParseErrorKind::MissingNetwork, input);
    };
    let (cidr, address) = match ip4_network(text) {
        Some((cidr @ ([] | [b'/', ..]), address)) => (cidr, address),
        _ if text.is_empty() => return fault(ParseErrorKind::MissingNetwork, input),
        _ => {
            let (_, network): (_, &[u8]) = take_till(|octet| octet == b'/').parse(text)?;
            return fault(ParseErrorKind::InvalidIp4Network, network);
        }
    };
    let (rest, prefix) = match cidr {
        [] => (cidr, 32),
        _ => cidr_length(cidr, 32, ParseErrorKind::InvalidIp4CidrLength)?,
    };
    match Ipv4Net::new(address, prefix) {
        Ok(network) if rest.is_empty() => Ok(Ip4 { network }),
        _ => fault(ParseErrorKind::InvalidIp4CidrLength, cidr),
    }
}

/// `ip6 = "ip6" ":" ip6-network [ ip6-cidr-length ]`
#[inline]
pub(crate) fn ip6<'a>(input: &'a [u8], argument: &'a [u8]) -> Whole<'a, Ip6> {
    let [b':', text @ ..] = argument else {
        return fault(ParseErrorKind::MissingNetwork, input);
    };
    if text.is_empty() {
        return fault(ParseErrorKind::MissingNetwork, input);
    }
    let (cidr, address) = match ip6_network(text) {
        Some((cidr @ ([] | [b'/', ..]), address)) => (cidr, address),
        _ => {
            let (_, network): (_, &[u8]) = take_till(|octet| octet == b'/').parse(text)?;
            return fault(ParseErrorKind::InvalidIp6Network, network);
        }
    };
    let (rest, prefix) = match cidr {
        [] => (cidr, 128),
        _ => cidr_length(cidr, 128, ParseErrorKind::InvalidIp6CidrLength)?,
    };
    match Ipv6Net::new(address, prefix) {
        Ok(network) if rest.is_empty() => Ok(Ip6 { network }),
        _ => fault(ParseErrorKind::InvalidIp6CidrLength, cidr),
    }
}

/// `ip4-network [ ip4-cidr-length ]`, and what follows it.
#[inline]
pub(crate) fn plain_ip4(input: &[u8]) -> Option<(&[u8], Ipv4Net)> {
    let (rest, address) = ip4_network(input)?;
    let (rest, prefix) = plain_length(rest, 32)?;
    Some((rest, Ipv4Net::new(address, prefix).ok()?))
}

/// `ip6-network [ ip6-cidr-length ]`, and what follows it.
#[inline]
pub(crate) fn plain_ip6(input: &[u8]) -> Option<(&[u8], Ipv6Net)> {
    let (rest, address) = ip6_network(input)?;
    let (rest, prefix) = plain_length(rest, 128)?;
    Some((rest, Ipv6Net::new(address, prefix).ok()?))
}

/// `[ ip4-cidr-length ]` or `[ ip6-cidr-length ]`, and what follows it; the most where there is none.
fn plain_length(input: &[u8], most: u8) -> Option<(&[u8], u8)> {
    match input {
        [b'/', length @ ..] => decimal(length, most.into()),
        _ => Some((input, most)),
    }
}

/// `ip4-network = qnum "." qnum "." qnum "." qnum`, and what follows it.
fn ip4_network(input: &[u8]) -> Option<(&[u8], Ipv4Addr)> {
    let (rest, a) = qnum(input)?;
    let (rest, b) = qnum(rest.strip_prefix(b".")?)?;
    let (rest, c) = qnum(rest.strip_prefix(b".")?)?;
    let (rest, d) = qnum(rest.strip_prefix(b".")?)?;
    Some((rest, Ipv4Addr::new(a, b, c, d)))
}

/// `qnum`: 0 to 255 without leading zeros, and what follows it.
fn qnum(input: &[u8]) -> Option<(&[u8], u8)> {
    decimal(input, 255)
}

/// `ip6-network`, as RFC 4291 2.2 says, and what follows it.
fn ip6_network(input: &[u8]) -> Option<(&[u8], Ipv6Addr)> {
    // The groups before the gap `::`, if there is one, and those read since; and how many.
    let (mut before, mut groups, mut count) = (None, 0_u128, 0_u32);
    let mut rest = input;
    if let [b':', b':', after @ ..] = rest {
        (rest, before) = (after, Some((0, 0)));
    }
    let mut needed = before.is_none();
    while let Some((after, group)) = h16(rest) {
        needed = false;
        if after.first() == Some(&b'.') {
            // The last two groups may be written as an IPv4 address.
            let (after, address) = ip4_network(rest)?;
            groups = (groups << 32) | u128::from(u32::from(address));
            (rest, count) = (after, count + 2);
            break;
        }
        (groups, count) = ((groups << 16) | u128::from(group), count + 1);
        rest = match after {
            [b':', b':', after @ ..] if before.is_none() => {
                before = Some((std::mem::take(&mut groups), std::mem::take(&mut count)));
                after
            }
            [b':', after @ ..] if count < 8 => {
                needed = true;
                after
            }
            _ => {
                rest = after;
                break;
            }
        };
    }
    match before {
        _ if needed => None,
        None if count == 8 => Some((rest, groups.into())),
        // RFC 4291 2.2: "The use of "::" indicates one or more groups of 16 bits of zeros."
        Some((before, number)) if number + count < 8 => {
            Some((rest, (before.checked_shl(128 - 16 * number).unwrap_or(0) | groups).into()))
        }
        _ => None,
    }
}

/// One to four hexadecimal digits, and what follows them.
fn h16(input: &[u8]) -> Option<(&[u8], u16)> {
    let (mut rest, mut number) = (input, 0);
    while let [octet, after @ ..] = rest {
        let digit = match octet {
            b'0'..=b'9' => octet - b'0',
            b'a'..=b'f' => octet - b'a' + 10,
            b'A'..=b'F' => octet - b'A' + 10,
            _ => break,
        };
        number = (number << 4) | u16::from(digit);
        rest = after;
    }
    matches!(input.len() - rest.len(), 1..=4).then_some((rest, number))
}

/// Whether the address is in the network.
#[inline]
pub(crate) fn in_ip4(ip: IpAddr, network: Ipv4Net) -> bool {
    matches!(ip, IpAddr::V4(ip) if within4(ip, network.addr(), network.prefix_len()))
}

/// As [`in_ip4`], of IPv6.
#[inline]
pub(crate) fn in_ip6(ip: IpAddr, network: Ipv6Net) -> bool {
    matches!(ip, IpAddr::V6(ip) if within6(ip, network.addr(), network.prefix_len()))
}

/// Whether the first `length` bits are the same.
#[inline]
pub(crate) fn within4(ip: Ipv4Addr, network: Ipv4Addr, length: u8) -> bool {
    let different = ip.to_bits() ^ network.to_bits();
    different.leading_zeros() >= u32::from(length)
}

/// As [`within4`], of IPv6.
#[inline]
pub(crate) fn within6(ip: Ipv6Addr, network: Ipv6Addr, length: u8) -> bool {
    let different = ip.to_bits() ^ network.to_bits();
    different.leading_zeros() >= u32::from(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Mechanism;
    use proptest::prelude::*;

    /// What a record with this term gives, but for the places: `qualifier` is one octet.
    fn read(text: &str, qualifier: &str) -> Result<Vec<Mechanism>, ParseErrorKind> {
        let record = format!("v=spf1 {qualifier}{text} a").into_bytes();
        let record = crate::parse::parse(&record).map_err(|error| error.kind)?;
        Ok(record.directives().map(|directive| directive.mechanism.clone()).collect())
    }

    fn std4(text: &str) -> Option<Ipv4Addr> {
        text.parse().ok()
    }

    fn std6(text: &str) -> Option<Ipv6Addr> {
        text.parse().ok()
    }

    proptest! {
        /// Addresses are what the standard library takes for addresses.
        #[test]
        fn addresses(
            text in "[0-9a-fA-F:.]{0,24}",
            groups in prop::collection::vec("(|0|00|1|25|256|[0-9a-f]{1,4}|1\\.2\\.3\\.4)", 1..9),
            four in "[0-9]{1,3}(\\.[0-9]{1,3}){2,4}",
            address in any::<[u8; 16]>(),
        ) {
            let address = Ipv6Addr::from(address).to_string();
            for text in [text, groups.join(":"), address, four] {
                let four = ip4_network(text.as_bytes()).filter(|(rest, _)| rest.is_empty());
                prop_assert_eq!(four.map(|(_, address)| address), std4(&text), "{}", text);
                let six = ip6_network(text.as_bytes()).filter(|(rest, _)| rest.is_empty());
                prop_assert_eq!(six.map(|(_, address)| address), std6(&text), "{}", text);
            }
        }

        /// The short cut for networks gives what the grammar gives, which a qualifier leads to.
        #[test]
        fn the_short_cut(
            name in "ip[46]:",
            address in "([0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9a-f:.]{0,12}|2001:db8::[0-9a-f]{0,4}",
            length in "|/[0-9]{1,3}|/|//[0-9]|/8/|/24x| /8",
        ) {
            let text = format!("{name}{address}{length}");
            prop_assert_eq!(read(&text, ""), read(&text, "+"), "{}", text);
        }
    }
}
