//! The text of a domain as a DNS name.

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// RFC 1035 2.3.4: "labels 63 octets or less".
const MAX_LABEL: usize = 63;
/// RFC 1035 2.3.4: "names 255 octets or less", which is 253 characters with dots between.
const MAX_NAME: usize = 253;

/// Why the domain of an address is no DNS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// A domain-literal, as `[192.0.2.1]` (RFC 5322 3.4.1).
    #[error("the domain is a literal, not a name")]
    Literal,
    /// Two dots in a row, or a dot first (RFC 1035 3.1).
    #[error("the domain has an empty label")]
    EmptyLabel,
    /// A label of more than 63 octets (RFC 1035 2.3.4).
    #[error("a label of the domain is longer than 63 octets")]
    LabelTooLong,
    /// A name of more than 253 characters (RFC 1035 2.3.4).
    #[error("the domain is longer than 253 characters")]
    TooLong,
    /// An octet other than a letter, digit, hyphen or underscore (RFC 1123 2.1).
    #[error("the domain has a character that host names do not have")]
    Character,
    /// A hyphen first or last in a label (RFC 1123 2.1, RFC 952).
    #[error("a label of the domain begins or ends with a hyphen")]
    Hyphen,
    /// A label that is neither a U-label (RFC 5890 2.3.2.1) nor ASCII.
    #[error("the domain is not a valid internationalized domain name")]
    Idna,
}

impl DomainError {
    /// A stable word for this kind.
    pub fn keyword(self) -> &'static str {
        match self {
            DomainError::Literal => "domain-literal",
            DomainError::EmptyLabel => "domain-empty-label",
            DomainError::LabelTooLong => "domain-label-too-long",
            DomainError::TooLong => "domain-too-long",
            DomainError::Character => "domain-character",
            DomainError::Hyphen => "domain-hyphen",
            DomainError::Idna => "domain-idna",
        }
    }
}

/// The A-labels of a domain, lower case, without a trailing dot.
pub(crate) fn name(text: &str) -> Result<String, DomainError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_ascii() {
        check(text)?;
        return Ok(text.to_ascii_lowercase());
    }
    let name = a_labels(text).ok_or(DomainError::Idna)?;
    check(&name)?;
    Ok(name)
}

/// RFC 9989 5.3.1: "If the domain is a U-label, the domain MUST be converted to an A-label".
fn a_labels(text: &str) -> Option<String> {
    let uts46 = Uts46::new();
    let name = uts46
        .to_ascii(text.as_bytes(), AsciiDenyList::EMPTY, Hyphens::CheckFirstLast, DnsLength::Ignore)
        .ok()?;
    let (unicode, valid) =
        uts46.to_unicode(name.as_bytes(), AsciiDenyList::EMPTY, Hyphens::CheckFirstLast);
    valid.ok()?;
    // UTS 46 also maps text to a name: it drops soft hyphens and zero-width spaces, narrows
    // full-width letters, splits at an ideographic full stop. RFC 5890 2.3.2.1: a U-label is what
    // its A-label converts back to, so apart from case only that is the domain that stands there.
    let mut labels = unicode.split('.');
    let same = text.split('.').all(|label| {
        labels.next().is_some_and(|own| label.is_ascii() || own == label.to_lowercase())
    });
    (same && labels.next().is_none()).then(|| name.into_owned())
}

fn check(name: &str) -> Result<(), DomainError> {
    if name.len() > MAX_NAME {
        return Err(DomainError::TooLong);
    }
    // Disputed. RFC 1123 2.1 has no underscore in a host name; DNS and every mail server take it;
    // so do we, because it exists and has one reading. Case: from-underscore.
    let known = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    if !name.bytes().all(known) {
        return Err(DomainError::Character);
    }
    for label in name.split('.') {
        match label.len() {
            0 => return Err(DomainError::EmptyLabel),
            1..=MAX_LABEL => {}
            _ => return Err(DomainError::LabelTooLong),
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(DomainError::Hyphen);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_to_the_octet() {
        let label = "a".repeat(63);
        assert!(name(&format!("{label}.b")).is_ok());
        assert_eq!(name(&format!("{label}a.b")), Err(DomainError::LabelTooLong));
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert!(name(&format!("{longest}.")).is_ok());
        assert_eq!(name(&format!("{longest}a")), Err(DomainError::TooLong));
    }

    #[test]
    fn what_is_not_mapped() {
        assert_eq!(name("B\u{dc}CHER.Example").as_deref(), Ok("xn--bcher-kva.example"));
        assert_eq!(name("xn--bcher-kva.B\u{fc}cher").as_deref(), Ok("xn--bcher-kva.xn--bcher-kva"));
        for text in [
            "a\u{ad}b.example",      // soft hyphen
            "a\u{200b}b.example",    // zero-width space
            "a\u{3002}example",      // ideographic full stop
            "\u{ff41}b.example",     // full-width letter
            "bu\u{308}cher.example", // not NFC
            "a\u{2000}b.example",    // en quad
            "a\u{202e}b.example",    // right-to-left override
        ] {
            assert_eq!(name(text), Err(DomainError::Idna), "{text:?}");
        }
    }
}
