//! Domain names (RFC 1035 3.1).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// RFC 1035 2.3.4: "labels 63 octets or less".
const MAX_LABEL: usize = 63;
/// RFC 1035 2.3.4: "names 255 octets or less", here without the root label's length octet.
const MAX_WIRE: usize = 254;

/// A domain name (RFC 1035 3.1): absolute, caseless (RFC 4343), its U-labels as A-labels (RFC 5890).
///
/// A label may hold any octet, as RFC 2181 section 11 says; [`fmt::Display`] escapes what is not
/// visible ASCII. The name has no trailing dot in print, except the root, which is `.`.
///
/// ```
/// use mailproof_dns::Name;
///
/// let name: Name = "Bücher.Example.".parse()?;
/// assert_eq!(name.to_string(), "xn--bcher-kva.example");
/// assert!(name.is_at_or_below(&"example".parse()?));
/// # Ok::<(), mailproof_dns::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Length-prefixed labels, lower case, without the root label; shared, since questions, answers
    /// and outcomes hold the same names.
    wire: Arc<[u8]>,
}

/// Why a text or a list of labels is no domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty (the root is written `.`).
    #[error("the domain name is empty")]
    Empty,
    /// Two dots in a row, or a leading dot (RFC 1035 3.1: only the root label is empty).
    #[error("the domain name has an empty label")]
    EmptyLabel,
    /// A label is longer than 63 octets (RFC 1035 2.3.4).
    #[error("a label of the domain name is longer than 63 octets")]
    LabelTooLong,
    /// The name is longer than 253 characters (RFC 1035 2.3.4).
    #[error("the domain name is longer than 253 characters")]
    TooLong,
    /// A text has a space or control octet, which no domain in a mail protocol has.
    #[error("the domain name has a space or a control character")]
    InvalidOctet,
    /// The U-labels do not map to A-labels (RFC 5891, UTS 46).
    #[error("the domain name is not a valid internationalized domain name")]
    Idna,
}

impl Name {
    /// The root, `.`.
    pub fn root() -> Name {
        Name { wire: Arc::default() }
    }

    /// The name of these labels, left to right; a label may hold any octet.
    ///
    /// # Errors
    /// A label that is empty or too long, or a name that is too long.
    pub fn from_labels<L: AsRef<[u8]>>(
        labels: impl IntoIterator<Item = L>,
    ) -> Result<Name, NameError> {
        let mut wire = Wire::new();
        for label in labels {
            wire.push(label.as_ref())?;
        }
        Ok(wire.name())
    }

    /// The name of these labels, left to right, with dots between them; a label may hold any octet
    /// but a dot.
    ///
    /// # Errors
    /// As [`Name::from_labels`].
    pub fn from_dotted(labels: &[u8]) -> Result<Name, NameError> {
        let mut wire = Wire::new();
        wire.dotted(labels)?;
        Ok(wire.name())
    }

    /// The labels, left to right, without the root label.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> + Clone {
        Labels { rest: &self.wire }
    }

    /// How many labels the name has; the root has none.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// The name without its left-most label; `None` for the root.
    pub fn parent(&self) -> Option<Name> {
        let mut labels = Labels { rest: &self.wire };
        labels.next()?;
        Some(Name { wire: labels.rest.into() })
    }

    /// Whether this name is `ancestor` or below it.
    pub fn is_at_or_below(&self, ancestor: &Name) -> bool {
        let mut labels = Labels { rest: &self.wire };
        loop {
            if labels.rest == &*ancestor.wire {
                return true;
            }
            if labels.next().is_none() {
                return false;
            }
        }
    }

    /// The length-prefixed labels, without the root label.
    pub(crate) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The name in print if it needs no escape, as nearly every one.
    fn plain<'a>(&self, octets: &'a mut [u8; MAX_WIRE]) -> Option<&'a str> {
        let mut end = 0;
        for label in self.labels() {
            if !label.iter().fold(true, |all, &octet| all & is_plain(octet)) {
                return None;
            }
            let (dot, place) = octets.get_mut(end..=end + label.len())?.split_first_mut()?;
            *dot = b'.';
            place.copy_from_slice(label);
            end += 1 + label.len();
        }
        std::str::from_utf8(octets.get(1..end)?).ok()
    }

    /// This name with the labels of `prefix` (dots between them) put before it.
    ///
    /// # Errors
    /// As [`Name::from_str`].
    pub fn prepend(&self, prefix: &str) -> Result<Name, NameError> {
        let prefix: Name = prefix.parse()?;
        let mut octets = [0; MAX_WIRE];
        let length = prefix.wire.len() + self.wire.len();
        let wire = octets.get_mut(..length).ok_or(NameError::TooLong)?;
        let (front, back) = wire.split_at_mut(prefix.wire.len());
        front.copy_from_slice(&prefix.wire);
        back.copy_from_slice(&self.wire);
        Ok(Name { wire: (&*wire).into() })
    }
}

impl Hash for Name {
    /// Without the length: one write, since an evaluation hashes a name for every lookup.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.wire);
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Reads a domain as mail protocols write it: dots between labels, one trailing dot allowed,
    /// no escapes (a backslash is an ordinary octet), U-labels allowed.
    fn from_str(text: &str) -> Result<Name, NameError> {
        if text.is_ascii() {
            return from_ascii(text);
        }
        let ascii = idna::uts46::Uts46::new()
            .to_ascii(
                text.as_bytes(),
                idna::AsciiDenyList::EMPTY,
                idna::uts46::Hyphens::Allow,
                idna::uts46::DnsLength::Ignore,
            )
            .map_err(|_| NameError::Idna)?;
        from_ascii(&ascii)
    }
}

fn from_ascii(text: &str) -> Result<Name, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text == "." {
        return Ok(Name::root());
    }
    if !text.bytes().fold(true, |all, octet| all & octet.is_ascii_graphic()) {
        return Err(NameError::InvalidOctet);
    }
    Name::from_dotted(text.strip_suffix('.').unwrap_or(text).as_bytes())
}

/// The length-prefixed labels of a name that is being read: on the stack, for names are read for
/// every look-up.
pub(crate) struct Wire {
    octets: [u8; MAX_WIRE],
    length: usize,
}

impl Wire {
    pub(crate) fn new() -> Wire {
        Wire { octets: [0; MAX_WIRE], length: 0 }
    }

    /// Adds a label.
    pub(crate) fn push(&mut self, label: &[u8]) -> Result<(), NameError> {
        let length = length(label.len())?;
        let end = self.length + 1 + label.len();
        let Some([first, rest @ ..]) = self.octets.get_mut(self.length..end) else {
            return Err(NameError::TooLong);
        };
        *first = length;
        rest.copy_from_slice(label);
        rest.make_ascii_lowercase();
        self.length = end;
        Ok(())
    }

    /// Adds labels with dots between them to none: all of the text, and then a length over each dot.
    /// The dots are looked for in the text, eight octets at a time, because what has just been
    /// written in other pieces is slow to read.
    fn dotted(&mut self, text: &[u8]) -> Result<(), NameError> {
        let Some(labels) = self.octets.get_mut(1..=text.len()) else {
            return text.split(|&octet| octet == b'.').try_for_each(|label| self.push(label));
        };
        for (place, octet) in labels.iter_mut().zip(text) {
            *place = octet.to_ascii_lowercase();
        }
        let (words, rest) = text.as_chunks();
        let mut at = 1;
        for word in words {
            let mut dots = dots(u64::from_le_bytes(*word));
            while dots != 0 {
                self.close(at + usize::try_from(dots.trailing_zeros() / 8).unwrap_or(0))?;
                dots &= dots - 1;
            }
            at += 8;
        }
        for &octet in rest {
            if octet == b'.' {
                self.close(at)?;
            }
            at += 1;
        }
        self.close(at)
    }

    /// Ends the label that is there already, before the octet `end`.
    fn close(&mut self, end: usize) -> Result<(), NameError> {
        let length = length(end - self.length - 1)?;
        *self.octets.get_mut(self.length).ok_or(NameError::TooLong)? = length;
        self.length = end;
        Ok(())
    }

    /// The name of the labels.
    pub(crate) fn name(&self) -> Name {
        Name { wire: self.octets.get(..self.length).unwrap_or_default().into() }
    }
}

/// The length octet of a label.
fn length(octets: usize) -> Result<u8, NameError> {
    match u8::try_from(octets) {
        Ok(0) => Err(NameError::EmptyLabel),
        Ok(length) if octets <= MAX_LABEL => Ok(length),
        _ => Err(NameError::LabelTooLong),
    }
}

/// The high bits of those of eight octets that are dots.
fn dots(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let other = word ^ (EACH * 0x2e);
    !(((other & (EACH * 0x7f)) + EACH * 0x7f) | other) & (EACH * 0x80)
}

#[derive(Clone)]
struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.rest.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(label)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.wire.is_empty() {
            return f.write_str(".");
        }
        if let Some(text) = self.plain(&mut [0; MAX_WIRE]) {
            return f.write_str(text);
        }
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            // What needs no escape goes out at once.
            for run in label.chunk_by(|&left, &right| is_plain(left) && is_plain(right)) {
                match (run, std::str::from_utf8(run)) {
                    (&[octet], _) if !is_plain(octet) => write_escaped(octet, f)?,
                    (_, Ok(text)) => f.write_str(text)?,
                    (_, Err(_)) => return Err(fmt::Error),
                }
            }
        }
        Ok(())
    }
}

fn is_plain(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(octet, b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$')
}

/// RFC 1035 5.1: "\X where X is any character other than a digit", "\DDD".
fn write_escaped(octet: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if octet.is_ascii_graphic() {
        write!(f, "\\{}", char::from(octet))
    } else {
        write!(f, "\\{octet:03}")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn caseless_and_absolute() {
        assert_eq!(name("EXAMPLE.com."), name("example.COM"));
        assert_eq!(name(".").to_string(), ".");
        assert_eq!(name("."), Name::root());
    }

    #[test]
    fn u_labels_become_a_labels() {
        assert_eq!(name("bücher.example"), name("xn--bcher-kva.example"));
        assert_eq!("a\u{202e}b.example".parse::<Name>(), Err(NameError::Idna));
    }

    #[test]
    fn limits_to_the_octet() {
        let label = "a".repeat(63);
        assert!(format!("{label}.b").parse::<Name>().is_ok());
        assert_eq!(format!("{label}a.b").parse::<Name>(), Err(NameError::LabelTooLong));
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(longest.len(), 253);
        assert!(longest.parse::<Name>().is_ok());
        assert_eq!(format!("{longest}a").parse::<Name>(), Err(NameError::TooLong));
        assert_eq!(name(&longest).prepend("x"), Err(NameError::TooLong));
    }

    #[test]
    fn dotted_is_label_by_label() {
        let label = "a".repeat(63);
        let long = [label.as_str(); 4].join(".");
        for end in 0..=long.len() {
            for text in [
                "",
                ".",
                "..",
                "A b.C.",
                "\u{ae}.\u{12e}",
                &long[..end],
                &long[2..],
                &format!("a.{label}a"),
            ] {
                let by_label = Name::from_labels(text.split('.'));
                assert_eq!(Name::from_dotted(text.as_bytes()), by_label, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_name() {
        assert_eq!("".parse::<Name>(), Err(NameError::Empty));
        assert_eq!("a..b".parse::<Name>(), Err(NameError::EmptyLabel));
        assert_eq!(".a".parse::<Name>(), Err(NameError::EmptyLabel));
        assert_eq!("a b".parse::<Name>(), Err(NameError::InvalidOctet));
        assert_eq!("a\0b".parse::<Name>(), Err(NameError::InvalidOctet));
    }

    #[test]
    fn family() {
        assert!(name("a.b.example").is_at_or_below(&name("b.example")));
        assert!(name("b.example").is_at_or_below(&name("b.example")));
        assert!(!name("ab.example").is_at_or_below(&name("b.example")));
        assert!(name("example").is_at_or_below(&Name::root()));
        assert_eq!(name("a.b").parent(), Some(name("b")));
        assert_eq!(Name::root().parent(), None);
        assert_eq!(name("example.com").prepend("_dmarc"), Ok(name("_dmarc.example.com")));
        assert_eq!(name("a.b.c").label_count(), 3);
    }

    #[test]
    fn print_escapes() {
        let odd = Name::from_labels([&b"a.b"[..], b"c\x1b[0m"]).unwrap();
        assert_eq!(odd.to_string(), "a\\.b.c\\027[0m");
    }
}
