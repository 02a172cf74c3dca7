//! Telling the names of fields apart.

use std::num::NonZeroU32;

/// The length of a name, and its first, middle and last letter without case: by it most names are
/// told apart without comparing them. A signature has some twenty, each looked for among all fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark([u8; 4]);

impl Mark {
    #[inline]
    pub(crate) const fn of(name: &[u8]) -> Mark {
        let (first, last) = match name {
            [] => (0, 0),
            [only] => (*only, *only),
            [first, .., last] => (*first, *last),
        };
        let middle = match name.split_at_checked(name.len() / 2) {
            Some((_, [middle, ..])) => *middle,
            _ => 0,
        };
        let [length, ..] = name.len().to_le_bytes();
        Mark([length, first | 0x20, middle | 0x20, last | 0x20])
    }

    /// One of 64 classes, so that no two of the usual names are in the same.
    #[inline]
    const fn class(self) -> u8 {
        let Mark([length, first, middle, last]) = self;
        (length.wrapping_mul(3) ^ first ^ middle ^ last.wrapping_mul(13)) % 64
    }

    /// The bit of its class.
    #[inline]
    const fn bit(self) -> u64 {
        1 << self.class()
    }
}

/// A bit for each class of marks that a field is in, and for each that more than one is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    present: u64,
    repeated: u64,
    /// The last field of each class, by its number from 1.
    last: [Option<NonZeroU32>; 64],
}

impl Default for Marks {
    fn default() -> Marks {
        Marks { present: 0, repeated: 0, last: [None; 64] }
    }
}

impl Marks {
    /// Adds a field; says which one was the last of its class.
    pub(crate) fn add(&mut self, mark: Mark, number: Option<NonZeroU32>) -> Option<NonZeroU32> {
        self.repeated |= self.present & mark.bit();
        self.present |= mark.bit();
        let last = self.last.get_mut(usize::from(mark.class()))?;
        std::mem::replace(last, number)
    }

    /// The last field of the mark's class.
    #[inline]
    pub(crate) fn last(&self, mark: Mark) -> Option<NonZeroU32> {
        *self.last.get(usize::from(mark.class()))?
    }

    /// Whether a field may have this mark; if not, none has.
    #[inline]
    pub(crate) fn may_have(&self, mark: Mark) -> bool {
        self.present & mark.bit() != 0
    }

    /// The names of a set that more than one field may have; none or one has each of the others.
    #[inline]
    pub(crate) fn may_repeat(&self, names: &NameSet) -> impl Iterator<Item = &'static str> + use<> {
        let repeated = self.repeated & names.bits;
        let names = if repeated == 0 { &[] } else { names.names };
        let may_repeat = move |name: &&str| repeated & Mark::of(name.as_bytes()).bit() != 0;
        names.iter().copied().filter(may_repeat)
    }
}

/// Names of fields that are looked for together, in lower case.
///
/// ```
/// use mailproof_message::{Header, NameSet};
///
/// static ADDRESSES: NameSet = NameSet::new(&["from", "to", "cc"]);
/// let header = Header::parse(&b"From: a@example.org\r\nTo: b\r\nTo: c\r\n"[..]);
/// assert!(header.repeated(&ADDRESSES).eq(["to"]));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct NameSet {
    names: &'static [&'static str],
    /// The bits of their marks.
    bits: u64,
}

impl NameSet {
    /// The set of these names.
    pub const fn new(names: &'static [&'static str]) -> NameSet {
        let (mut bits, mut rest) = (0, names);
        while let [name, after @ ..] = rest {
            bits |= Mark::of(name.as_bytes()).bit();
            rest = after;
        }
        NameSet { names, bits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_names_have_bits_of_their_own() {
        let once: [&str; 13] = [
            "from",
            "sender",
            "reply-to",
            "to",
            "cc",
            "date",
            "subject",
            "message-id",
            "in-reply-to",
            "references",
            "mime-version",
            "content-type",
            "content-transfer-encoding",
        ];
        let often: [&str; 4] = ["received", "dkim-signature", "authentication-results", "arc-seal"];
        let mut marks = Marks::default();
        for name in once.iter().chain(&often) {
            assert!(!marks.may_have(Mark::of(name.as_bytes())) || often.contains(name), "{name}");
            marks.add(Mark::of(name.to_ascii_uppercase().as_bytes()), None);
        }
    }
}
