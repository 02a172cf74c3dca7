//! The header section and its fields.

use std::iter::{FusedIterator, successors};
use std::num::NonZeroU32;
use std::ops::Range;

use crate::limits::{Limits, TooLarge};
use crate::mark::{Mark, Marks, NameSet};
use crate::parse::{self, Parsed};

/// The header section of a message (RFC 5322 2.1): its octets as they came, and where the fields
/// are in them.
///
/// Every octet of the section belongs to exactly one field, also what is no field by the grammar:
/// such a field has no name ([`Field::name`]) and a [`Defect`] says why. A line ends with CRLF and
/// nothing else. The empty line that ends the section is not part of it.
#[derive(Debug, Clone, Default)]
pub struct Header {
    octets: Vec<u8>,
    fields: Vec<Extent>,
    marks: Marks,
    defects: Vec<Defect>,
    has_empty_line: bool,
}

/// Where a field is: `start..name_end` the name, `value..` the value, both within `..end`.
/// A malformed field has an empty name and its value is all of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) start: usize,
    pub(crate) name_end: usize,
    pub(crate) value: usize,
    pub(crate) end: usize,
    /// Of the name.
    pub(crate) mark: Mark,
    /// The number, from 1, of the next field above that may have the name: a [`Header`] knows it.
    pub(crate) above: Option<NonZeroU32>,
}

/// A name that is looked for.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    name: &'a [u8],
    mark: Mark,
}

impl Wanted<'_> {
    /// Whether the field at `extent` has the name; a malformed one has none.
    #[inline]
    fn is(self, octets: &[u8], extent: &Extent) -> bool {
        extent.mark == self.mark && {
            let own = octets.get(extent.start..extent.name_end).unwrap_or_default();
            same_name(own, self.name) && !own.is_empty()
        }
    }
}

/// Whether two names are the same without case, in words of eight octets.
fn same_name(one: &[u8], other: &[u8]) -> bool {
    let same = |(one, other): (&[u8; 8], &[u8; 8])| {
        lower_case(u64::from_le_bytes(*one)) == lower_case(u64::from_le_bytes(*other))
    };
    // The last word of a long name overlaps the one before.
    one.len() == other.len()
        && match (one.last_chunk(), other.last_chunk()) {
            (Some(last), Some(other_last)) => {
                same((last, other_last))
                    && one.as_chunks().0.iter().zip(other.as_chunks().0).all(same)
            }
            _ => one.eq_ignore_ascii_case(other),
        }
}

/// Eight octets in lower case.
fn lower_case(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Sums of seven bits do not reach the next octet; their high bits tell what is beyond a letter.
    let low = word & (EACH * 0x7f);
    let from_a = low + EACH * u64::from(0x80 - b'A');
    let beyond_z = low + EACH * u64::from(0x7f - b'Z');
    word | (from_a & !beyond_z & !word & (EACH * 0x80)) >> 2
}

/// Something in a header section that RFC 5322 does not allow, even in its obsolete syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    /// What it is.
    pub kind: DefectKind,
    /// Where it is, in octets from the start of the section.
    pub position: usize,
}

/// The kinds of [`Defect`]. The first six make a field malformed: it has no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DefectKind {
    /// The section starts with a space or tab: a folded line without a field (RFC 5322 2.2.3).
    LeadingSpace,
    /// A line without a colon (RFC 5322 2.2).
    MissingColon,
    /// The colon comes after a fold: only WSP may stand before it (RFC 5322 4.5).
    FoldBeforeColon,
    /// Nothing before the colon (RFC 5322 3.6.8: `field-name = 1*ftext`).
    EmptyName,
    /// An octet in the name that is not printable US-ASCII (RFC 5322 2.2).
    NameOctet,
    /// A line end inside a field that is no fold (RFC 5322 2.2.3). Only a [`crate::HeaderBuilder`]
    /// can meet it; the field is malformed.
    LineEnd,
    /// A CR without LF (RFC 5322 2.2: "CR and LF MUST only occur together as CRLF").
    BareCr,
    /// A LF without CR (RFC 5322 2.2).
    BareLf,
    /// A NUL octet (RFC 5322 4.1 obsoletes it, and 2.2 forbids it in a field body).
    Nul,
    /// A line of more than 998 octets (RFC 5322 2.1.1).
    LongLine,
    /// The message ends inside a line (RFC 5322 2.1: a line ends with CRLF).
    UnterminatedLine,
}

impl DefectKind {
    /// A stable word for this kind.
    pub fn keyword(self) -> &'static str {
        match self {
            DefectKind::LeadingSpace => "leading-space",
            DefectKind::MissingColon => "missing-colon",
            DefectKind::FoldBeforeColon => "fold-before-colon",
            DefectKind::EmptyName => "empty-name",
            DefectKind::NameOctet => "name-octet",
            DefectKind::LineEnd => "line-end",
            DefectKind::BareCr => "bare-cr",
            DefectKind::BareLf => "bare-lf",
            DefectKind::Nul => "nul",
            DefectKind::LongLine => "long-line",
            DefectKind::UnterminatedLine => "unterminated-line",
        }
    }
}

impl Header {
    /// Reads a header section: the octets up to the first empty line, or all of them. What follows
    /// the empty line is dropped; [`crate::split`] keeps it as the body.
    pub fn parse(octets: impl Into<Vec<u8>>) -> Header {
        let mut octets = octets.into();
        let parsed = parse::section(&octets);
        octets.truncate(parsed.end);
        Header::new(octets, parsed)
    }

    pub(crate) fn new(octets: Vec<u8>, parsed: Parsed) -> Header {
        let Parsed { mut fields, defects, body, .. } = parsed;
        let mut marks = Marks::default();
        for (extent, number) in fields.iter_mut().zip(1..) {
            extent.above = marks.add(extent.mark, NonZeroU32::new(number));
        }
        Header { octets, fields, marks, defects, has_empty_line: body.is_some() }
    }

    /// All octets of the section, as they came.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The fields, top to bottom.
    pub fn fields(&self) -> Fields<'_> {
        Fields { octets: &self.octets, extents: self.fields.iter() }
    }

    /// The field at this place from the top, counted from 0.
    pub fn field(&self, place: usize) -> Option<Field<'_>> {
        self.fields.get(place).map(|&extent| Field { section: &self.octets, extent })
    }

    /// The fields of this name, top to bottom; names are caseless (RFC 5322 1.2.2, 3.6.8).
    pub fn named<'a>(&'a self, name: &'a str) -> Named<'a> {
        let (wanted, extents) = self.candidates(name.as_bytes());
        Named { fields: Fields { octets: &self.octets, extents: extents.iter() }, wanted }
    }

    /// The places of the fields of this name, top to bottom, as [`Header::field`] takes them.
    pub fn places(&self, name: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
        let (wanted, extents) = self.candidates(name);
        let all = extents.iter().enumerate();
        all.filter_map(move |(place, extent)| wanted.is(&self.octets, extent).then_some(place))
    }

    /// The same from the lowest field up, as signatures count them (RFC 6376 5.4.2). It takes no
    /// search: a long h= over many fields costs little.
    pub fn places_up(&self, name: &[u8]) -> impl Iterator<Item = usize> {
        let wanted = Wanted { name, mark: Mark::of(name) };
        let extent = |number: NonZeroU32| {
            let place = usize::try_from(number.get()).ok()? - 1;
            self.fields.get(place).map(|extent| (place, extent))
        };
        let lowest = self.marks.last(wanted.mark).and_then(extent);
        let upwards = successors(lowest, move |(_, below)| below.above.and_then(extent));
        upwards.filter(move |(_, extent)| wanted.is(&self.octets, extent)).map(|(place, _)| place)
    }

    /// The names of the set that more than one field has.
    pub fn repeated(&self, names: &NameSet) -> impl Iterator<Item = &'static str> {
        let names = self.marks.may_repeat(names);
        names.filter(|name| self.places_up(name.as_bytes()).nth(1).is_some())
    }

    /// All fields, if any may have the name.
    fn candidates<'n>(&self, name: &'n [u8]) -> (Wanted<'n>, &[Extent]) {
        let mark = Mark::of(name);
        let extents: &[Extent] = if self.marks.may_have(mark) { &self.fields } else { &[] };
        (Wanted { name, mark }, extents)
    }

    /// What is wrong with the section, top to bottom, at most [`crate::MAX_DEFECTS`].
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// Whether an empty line ended the section. Without it the message has no body at all, which
    /// RFC 5322 3.5 allows.
    pub fn has_empty_line(&self) -> bool {
        self.has_empty_line
    }

    /// Whether this section is within `limits`.
    ///
    /// # Errors
    /// The first limit that it is beyond.
    pub fn check(&self, limits: &Limits) -> Result<(), TooLarge> {
        if self.octets.len() > limits.section {
            return Err(TooLarge::Section { limit: limits.section });
        }
        if self.fields.len() > limits.fields {
            return Err(TooLarge::Fields { limit: limits.fields });
        }
        match self.fields.iter().any(|extent| extent.end - extent.start > limits.field) {
            true => Err(TooLarge::Field { limit: limits.field }),
            false => Ok(()),
        }
    }
}

/// A header field (RFC 5322 2.2): name, colon, value, line end.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    section: &'a [u8],
    extent: Extent,
}

impl<'a> Field<'a> {
    /// The field name, without the WSP that the obsolete syntax allows before the colon (RFC 5322
    /// 4.5); `None` when the field is malformed.
    pub fn name(&self) -> Option<&'a [u8]> {
        let name = self.part(self.extent.start, self.extent.name_end);
        if name.is_empty() { None } else { Some(name) }
    }

    /// Whether the field has this name, caseless.
    pub fn is(&self, name: &str) -> bool {
        self.name().is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// All octets of the field, with its folds and its line end.
    pub fn octets(&self) -> &'a [u8] {
        self.part(self.extent.start, self.extent.end)
    }

    /// All octets of the field but its final CRLF.
    pub fn without_line_end(&self) -> &'a [u8] {
        strip_line_end(self.octets())
    }

    /// The octets after the colon, with their folds, without the final CRLF. Of a malformed field,
    /// whose name has no sure end: [`Field::without_line_end`].
    pub fn value(&self) -> &'a [u8] {
        strip_line_end(self.part(self.extent.value, self.extent.end))
    }

    /// Where the field is in [`Header::octets`].
    pub fn range(&self) -> Range<usize> {
        self.extent.start..self.extent.end
    }

    /// Where [`Field::value`] is in [`Header::octets`].
    pub fn value_range(&self) -> Range<usize> {
        self.extent.value..self.extent.value + self.value().len()
    }

    fn part(&self, start: usize, end: usize) -> &'a [u8] {
        self.section.get(start..end).unwrap_or_default()
    }
}

fn strip_line_end(octets: &[u8]) -> &[u8] {
    octets.strip_suffix(b"\r\n").unwrap_or(octets)
}

impl std::fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field(\"{}\")", self.octets().escape_ascii())
    }
}

/// The fields of a [`Header`], top to bottom. See [`Header::fields`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    octets: &'a [u8],
    extents: std::slice::Iter<'a, Extent>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let section = self.octets;
        self.extents.next().map(|&extent| Field { section, extent })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.extents.size_hint()
    }
}

impl<'a> DoubleEndedIterator for Fields<'a> {
    fn next_back(&mut self) -> Option<Field<'a>> {
        let section = self.octets;
        self.extents.next_back().map(|&extent| Field { section, extent })
    }
}

impl ExactSizeIterator for Fields<'_> {}
impl FusedIterator for Fields<'_> {}

/// The fields of one name. See [`Header::named`].
#[derive(Debug, Clone)]
pub struct Named<'a> {
    fields: Fields<'a>,
    wanted: Wanted<'a>,
}

impl<'a> Iterator for Named<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let (section, wanted) = (self.fields.octets, self.wanted);
        let extent = *self.fields.extents.find(|extent| wanted.is(section, extent))?;
        Some(Field { section, extent })
    }
}

impl<'a> DoubleEndedIterator for Named<'a> {
    fn next_back(&mut self) -> Option<Field<'a>> {
        let (section, wanted) = (self.fields.octets, self.wanted);
        let extent = *self.fields.extents.rfind(|extent| wanted.is(section, extent))?;
        Some(Field { section, extent })
    }
}

impl FusedIterator for Named<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case() {
        for octet in 0..=u8::MAX {
            let word = u64::from_le_bytes([octet; 8]);
            assert_eq!(lower_case(word), u64::from_le_bytes([octet.to_ascii_lowercase(); 8]));
        }
        for length in 0..20 {
            let name = "Abcdefghij-Abcdefghij".get(..length).unwrap().as_bytes();
            assert!(same_name(name, &name.to_ascii_uppercase()), "{length}");
            assert!(!same_name(name, b"Abcdefghij-Abcdefghij"), "{length}");
            for place in 0..length {
                let mut other = name.to_vec();
                other[place] ^= 0x10;
                assert!(!same_name(name, &other), "{length} {place}");
            }
        }
    }

    #[test]
    fn places_from_both_ends() {
        // Two different names of these have the same mark.
        let names = ["subject", "Subject", "sxbject", "to", "TO", "x", "", "xyz"];
        for mut number in 0..names.len().pow(4) {
            let mut section = String::new();
            for _ in 0..4 {
                section += &format!("{}: x\r\n", names[number % names.len()]);
                number /= names.len();
            }
            let header = Header::parse(section.as_str());
            for name in names {
                let places: Vec<usize> = header.places(name.as_bytes()).collect();
                let mut up: Vec<usize> = header.places_up(name.as_bytes()).collect();
                up.reverse();
                assert_eq!(up, places, "{section:?} {name:?}");
            }
        }
    }
}
