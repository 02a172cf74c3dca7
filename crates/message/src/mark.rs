//! Telling the names of fields apart.

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

    /// One of 64 bits.
    #[inline]
    const fn bit(self) -> u64 {
        let Mark([length, first, middle, last]) = self;
        // So that no two of the usual names have the same bit.
        let sum = length.wrapping_mul(3) ^ first ^ middle ^ last.wrapping_mul(13);
        1 << (sum % 64)
    }
}

/// A bit for each mark that a field has, and for each that more than one has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    present: u64,
    repeated: u64,
}

impl Marks {
    pub(crate) fn add(&mut self, mark: Mark) {
        self.repeated |= self.present & mark.bit();
        self.present |= mark.bit();
    }

    /// Whether a field may have this mark; if not, none has.
    #[inline]
    pub(crate) fn may_have(self, mark: Mark) -> bool {
        self.present & mark.bit() != 0
    }

    /// The names of a set that more than one field may have; none or one has each of the others.
    #[inline]
    pub(crate) fn may_repeat(self, names: &NameSet) -> impl Iterator<Item = &'static str> {
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
            marks.add(Mark::of(name.to_ascii_uppercase().as_bytes()));
        }
    }
}
