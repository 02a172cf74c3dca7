//! Reporting URIs (RFC 9989 4.6).

use std::borrow::Cow;
use std::ops::Range;

use mailproof_dns::Name;

/// A DMARC Reporting URI (RFC 9989 4.6), syntactically valid (RFC 3986).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportUri {
    /// The URI, without the obsolete size limit.
    pub uri: String,
    /// The obsolete "!10m" after it, in octets (RFC 7489 6.2: units are powers of two).
    pub size_limit: Option<u64>,
    /// Where it stands in the record.
    pub span: Range<usize>,
}

impl ReportUri {
    /// The URI in `text`, which stands at `span` of the record.
    pub(crate) fn parse(text: &str, span: Range<usize>) -> Option<ReportUri> {
        let (uri, size_limit) = match text.split_once('!') {
            Some((uri, limit)) => (uri, Some(size(limit)?)),
            None => (text, None),
        };
        let (scheme, rest) = uri.split_once(':')?;
        let mut letters = scheme.bytes();
        let valid = letters.next().is_some_and(|octet| octet.is_ascii_alphabetic())
            && letters.all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
            && !rest.is_empty()
            && is_uri(rest);
        valid.then(|| ReportUri { uri: uri.to_owned(), size_limit, span })
    }

    /// The scheme as it is written; "mailto" is the one every receiver supports.
    pub fn scheme(&self) -> &str {
        self.uri.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// The address of a "mailto" URI (RFC 6068), decoded; `None` if there is not exactly one.
    pub fn address(&self) -> Option<String> {
        self.mailbox().map(Cow::into_owned)
    }

    fn mailbox(&self) -> Option<Cow<'_, str>> {
        let (scheme, rest) = self.uri.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("mailto") {
            return None;
        }
        let (address, _) = rest.split_once('?').unwrap_or((rest, ""));
        let address = decode(address)?;
        let (local, _) = address.rsplit_once('@')?;
        let is_one = !local.is_empty() && !address.contains(|c: char| c == ',' || c.is_control());
        is_one.then_some(address)
    }

    /// The destination host (RFC 9990 4): the domain of the address, or the host of the authority.
    pub fn host(&self) -> Option<Name> {
        if let Some(address) = self.mailbox() {
            return address.rsplit_once('@')?.1.parse().ok();
        }
        let (_, rest) = self.uri.split_once("://")?;
        let (authority, _) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
        let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, _) = host.split_once(':').unwrap_or((host, ""));
        host.parse().ok()
    }
}

/// RFC 9989 4.8: `obs-dmarc-report-size = "!" 1*DIGIT [ "k" / "m" / "g" / "t" ]`, in octets.
fn size(limit: &str) -> Option<u64> {
    let digits = limit.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match limit.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| digits.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(unit))
}

/// RFC 3986 2: unreserved, reserved and percent-encoded octets. RFC 9989 4.8: "commas (ASCII 0x2C)
/// and exclamation points (ASCII 0x21) MUST be encoded".
fn is_uri(rest: &str) -> bool {
    let is_character =
        |octet: u8| octet.is_ascii_alphanumeric() || b"-._~:/?#[]@$&'()*+;=%".contains(&octet);
    let mut encoded = rest.split('%');
    encoded.next();
    rest.bytes().all(is_character)
        && encoded.all(|part| {
            part.get(..2).is_some_and(|hex| hex.bytes().all(|octet| octet.is_ascii_hexdigit()))
        })
}

/// RFC 3986 2.1: percent-decoding.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    octets.extend(parts.next()?.bytes());
    for part in parts {
        octets.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        octets.extend(part.get(2..)?.bytes());
    }
    String::from_utf8(octets).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Option<ReportUri> {
        ReportUri::parse(text, 0..text.len())
    }

    fn host(text: &str) -> Option<String> {
        uri(text)?.host().map(|host| host.to_string())
    }

    #[test]
    fn what_is_a_uri() {
        assert!(uri("mailto:a@example.com").is_some());
        assert!(uri("https://example.com/r?x=%2c").is_some());
        assert!(uri("a@example.com").is_none());
        assert!(uri("mailto:").is_none());
        assert!(uri("mailto:a b@example.com").is_none());
        assert!(uri("mailto:a%2@example.com").is_none());
        assert!(uri("1mailto:a@example.com").is_none());
    }

    #[test]
    fn size_limits() {
        let limit = |text| uri(text).map(|uri| uri.size_limit);
        assert_eq!(limit("mailto:a@b.example!10m"), Some(Some(10 << 20)));
        assert_eq!(limit("mailto:a@b.example!5"), Some(Some(5)));
        assert_eq!(limit("mailto:a@b.example!99999999999999999999T"), Some(Some(u64::MAX)));
        assert_eq!(limit("mailto:a@b.example!"), None);
        assert_eq!(limit("mailto:a@b.example!1x"), None);
        assert_eq!(limit("mailto:a@b.example!m"), None);
    }

    #[test]
    fn hosts() {
        assert_eq!(host("mailto:a@B.example"), Some("b.example".to_owned()));
        assert_eq!(host("mailto:a%40x@b.example?subject=y@z"), Some("b.example".to_owned()));
        assert_eq!(host("mailto:a@x.example%2Cb@y.example"), None);
        assert_eq!(host("mailto:example.com"), None);
        assert_eq!(host("https://u@b.example:443/x"), Some("b.example".to_owned()));
        assert_eq!(host("urn:x"), None);
    }
}
