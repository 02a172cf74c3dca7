//! The reader of lists.

use std::ops::Range;
use std::slice;

use memchr::{memchr, memchr2_iter};

use crate::Limits;
use crate::octets::are_plain;

/// A tag-list (RFC 6376 3.2): its tags in order, each name once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagList<'a> {
    tags: Vec<Tag<'a>>,
    letters: Letters,
}

/// Where the tags are whose names are one small letter, as most names are.
type Letters = [Option<u16>; 26];

/// A tag-spec (RFC 6376 3.2). All spans count octets of the whole list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// The tag-name; its case counts.
    pub name: &'a str,
    /// The tag-value without the whitespace around it: valid UTF-8 without control characters,
    /// which may be empty and may hold folds (CRLF WSP).
    pub value: &'a [u8],
    /// Where the name stands.
    pub name_span: Range<usize>,
    /// Where the value stands.
    pub value_span: Range<usize>,
    /// From after the "=" to before the ";": the value with the whitespace around it, which
    /// RFC 6376 3.7 removes from a "b=" tag ("including all surrounding whitespace").
    pub raw_span: Range<usize>,
}

/// Why octets are no tag-list, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// Why.
    pub kind: ErrorKind,
    /// The octets of the list that are wrong.
    pub span: Range<usize>,
}

/// Why octets are no tag-list (RFC 6376 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nothing stands before a ";", or in the whole list.
    #[error("a tag is missing here")]
    Empty,
    /// A tag has no "=".
    #[error("the tag has no \"=\"")]
    NoEquals,
    /// A tag-name is not a letter followed by letters, digits and "_".
    #[error("this is no tag name")]
    InvalidName,
    /// A name stands twice: "Tags with duplicate names MUST NOT occur within a single tag-list".
    #[error("the tag stands here for the second time")]
    Duplicate,
    /// A control character (RFC 6376 3.2: values are VCHAR and folding whitespace).
    #[error("a control character")]
    Control,
    /// CR or LF that is not part of CRLF WSP (RFC 6376 2.8: FWS).
    #[error("a line break that is no fold")]
    LineBreak,
    /// The octets are not UTF-8 (RFC 8616 2).
    #[error("the octets are not UTF-8")]
    InvalidUtf8,
    /// More tags than [`Limits::tags`].
    #[error("the list has too many tags")]
    TooManyTags,
}

impl ErrorKind {
    /// A stable word for the kind, in kebab case.
    pub fn keyword(self) -> &'static str {
        match self {
            ErrorKind::Empty => "empty",
            ErrorKind::NoEquals => "no-equals",
            ErrorKind::InvalidName => "invalid-name",
            ErrorKind::Duplicate => "duplicate",
            ErrorKind::Control => "control",
            ErrorKind::LineBreak => "line-break",
            ErrorKind::InvalidUtf8 => "invalid-utf8",
            ErrorKind::TooManyTags => "too-many-tags",
        }
    }

    fn at(self, span: Range<usize>) -> Error {
        Error { kind: self, span }
    }
}

impl<'a> TagList<'a> {
    /// Reads a tag-list (RFC 6376 3.2): the value of a header field without its final CRLF, or
    /// the joined strings of a TXT record.
    ///
    /// # Errors
    /// The first fault that makes the whole list invalid.
    pub fn parse(list: &'a [u8]) -> Result<TagList<'a>, Error> {
        TagList::parse_with(list, &Limits::default())
    }

    /// [`TagList::parse`] with other limits.
    ///
    /// # Errors
    /// As [`TagList::parse`].
    pub fn parse_with(list: &'a [u8], limits: &Limits) -> Result<TagList<'a>, Error> {
        check_octets(list)?;
        // A signature has ten or so tags; allocators are quick up to a kilobyte.
        let tags = Vec::with_capacity(12);
        let mut parsed = TagList { tags, letters: Letters::default() };
        let most = limits.tags.min(usize::from(u16::MAX));
        let mut rest = Some(list);
        while let Some(from) = rest {
            let start = list.len() - from.len();
            let (raw, after) = match memchr(b';', from).and_then(|at| from.split_at_checked(at)) {
                Some((raw, after)) => (raw, after.get(1..)),
                None => (from, None),
            };
            rest = after;
            let end = start + raw.len();
            let spec = trim_start(raw);
            if spec.is_empty() {
                // Disputed. RFC 6376 3.2 ends a list with `[ ";" ]`, without FWS after it; every
                // verifier takes "p=...; ", and so do we, because records end like this.
                // Case: whitespace-after-the-last-semicolon.
                if rest.is_none() && !parsed.tags.is_empty() {
                    break;
                }
                return Err(ErrorKind::Empty.at(start..end));
            }
            let tag = tag_spec(trim_end(spec), end - spec.len(), end)?;
            if parsed.tags.len() >= most {
                return Err(ErrorKind::TooManyTags.at(tag.name_span));
            }
            if parsed.get(tag.name).is_some() {
                return Err(ErrorKind::Duplicate.at(tag.name_span));
            }
            parsed.push(tag);
        }
        Ok(parsed)
    }

    fn push(&mut self, tag: Tag<'a>) {
        if let Some(place) = letter(tag.name).and_then(|letter| self.letters.get_mut(letter)) {
            *place = u16::try_from(self.tags.len()).ok();
        }
        self.tags.push(tag);
    }

    /// The tag of this name. An absent tag is not an empty one.
    pub fn get(&self, name: &str) -> Option<&Tag<'a>> {
        match letter(name).and_then(|letter| self.letters.get(letter)) {
            Some(place) => self.tags.get(usize::from((*place)?)),
            None => self.tags.iter().find(|tag| tag.name == name),
        }
    }

    /// The tags, in order.
    pub fn iter(&self) -> slice::Iter<'_, Tag<'a>> {
        self.tags.iter()
    }
}

impl<'list, 'a> IntoIterator for &'list TagList<'a> {
    type Item = &'list Tag<'a>;
    type IntoIter = slice::Iter<'list, Tag<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The place in [`Letters`] of a name that is one letter; there is none for a large one.
#[inline]
fn letter(name: &str) -> Option<usize> {
    match name.as_bytes() {
        [letter] => Some(usize::from(letter.wrapping_sub(b'a'))),
        _ => None,
    }
}

/// The tag-spec in `spec`, which is not empty, is trimmed and begins at `start`; `end` is where its
/// ";" stands.
fn tag_spec(spec: &[u8], start: usize, end: usize) -> Result<Tag<'_>, Error> {
    // A name is a few letters, so "=" is near.
    let equals = spec.iter().position(|&octet| octet == b'=');
    let Some((before, after)) = equals.and_then(|at| spec.split_at_checked(at)) else {
        return Err(ErrorKind::NoEquals.at(start..start + spec.len()));
    };
    let octets = trim_end(before);
    let name_span = start..start + octets.len();
    let Some(name) = tag_name(octets) else {
        return Err(ErrorKind::InvalidName.at(name_span));
    };
    let value = trim_start(after.get(1..).unwrap_or_default());
    let value_end = start + spec.len();
    let value_span = value_end - value.len()..value_end;
    let raw_span = start + before.len() + 1..end;
    Ok(Tag { name, value, name_span, value_span, raw_span })
}

/// RFC 6376 3.2: `tag-name = ALPHA *ALNUMPUNC`. Most are one small letter.
fn tag_name(octets: &[u8]) -> Option<&str> {
    if let [letter @ b'a'..=b'z'] = octets {
        let place = usize::from(letter - b'a');
        return "abcdefghijklmnopqrstuvwxyz".get(place..=place);
    }
    let valid = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'_';
    let begins = octets.first().is_some_and(u8::is_ascii_alphabetic);
    if begins && octets.iter().all(valid) { str::from_utf8(octets).ok() } else { None }
}

/// Every octet belongs to UTF-8 text without controls, or to folding whitespace. After this, any
/// CR or LF is part of a fold.
///
/// Disputed. RFC 6376 3.2 allows one FWS around a value and several inside it; we allow several
/// everywhere, as other verifiers do, because a fold says nothing. Case: two-folds-before-a-value.
///
/// Disputed. No grammar has octets that are not UTF-8 (RFC 6376 3.2, RFC 8616 5) or a line end that
/// is no fold; dkimpy and Mail::DKIM do not look at them where no tag they know is hurt; we refuse
/// the list, because what stands there is not what was meant. Cases: sig-latin1, key-latin1,
/// key-line-end.
fn check_octets(list: &[u8]) -> Result<(), Error> {
    if are_plain(list) {
        return Ok(());
    }
    str::from_utf8(list).map_err(|error| {
        let start = error.valid_up_to();
        ErrorKind::InvalidUtf8.at(start..start + error.error_len().unwrap_or(1))
    })?;
    if let Some(at) = list.iter().position(|&octet| is_control(octet)) {
        return Err(ErrorKind::Control.at(at..at + 1));
    }
    let mut line_breaks = memchr2_iter(b'\r', b'\n', list);
    while let Some(at) = line_breaks.next() {
        // RFC 6376 2.8: "FWS = [*WSP CRLF] 1*WSP".
        if !matches!(octets(list, at..list.len()), [b'\r', b'\n', b' ' | b'\t', ..]) {
            return Err(ErrorKind::LineBreak.at(at..at + 1));
        }
        // The LF of this CRLF.
        line_breaks.next();
    }
    Ok(())
}

fn is_control(octet: u8) -> bool {
    (octet < b' ' && !is_fws(octet)) || octet == 0x7f
}

fn is_fws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Octets without the folding whitespace at their start.
fn trim_start(octets: &[u8]) -> &[u8] {
    let mut rest = octets;
    while let [first, after @ ..] = rest
        && is_fws(*first)
    {
        rest = after;
    }
    rest
}

/// Octets without the folding whitespace at their end.
fn trim_end(octets: &[u8]) -> &[u8] {
    let mut rest = octets;
    while let [before @ .., last] = rest
        && is_fws(*last)
    {
        rest = before;
    }
    rest
}

fn octets(list: &[u8], span: Range<usize>) -> &[u8] {
    list.get(span).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(list: &[u8]) -> (ErrorKind, Range<usize>) {
        let error = TagList::parse(list).unwrap_err();
        (error.kind, error.span)
    }

    #[test]
    fn names_values_and_spans() {
        let list = TagList::parse(b"v=1; a_2 = x y\r\n\tz ;p=").unwrap();
        let names: Vec<&str> = list.iter().map(|tag| tag.name).collect();
        assert_eq!(names, ["v", "a_2", "p"]);
        let tag = list.get("a_2").unwrap();
        assert_eq!(tag.value, b"x y\r\n\tz");
        assert_eq!(
            (&tag.name_span, &tag.value_span, &tag.raw_span),
            (&(5..8), &(11..18), &(10..19))
        );
        let empty = list.get("p").unwrap();
        assert_eq!(
            (empty.value, &empty.value_span, &empty.raw_span),
            (&b""[..], &(22..22), &(22..22))
        );
        assert!(list.get("P").is_none());
    }

    #[test]
    fn the_end_of_a_list() {
        assert!(TagList::parse(b"v=1;").is_ok());
        assert!(TagList::parse(b"v=1; \r\n ").is_ok());
        assert_eq!(error(b"v=1;;"), (ErrorKind::Empty, 4..4));
        assert_eq!(error(b"v=1; ;a=1"), (ErrorKind::Empty, 4..5));
        assert_eq!(error(b""), (ErrorKind::Empty, 0..0));
        assert_eq!(error(b" ;"), (ErrorKind::Empty, 0..1));
    }

    #[test]
    fn what_is_no_tag() {
        assert_eq!(error(b"v=1; abc ;"), (ErrorKind::NoEquals, 5..8));
        assert_eq!(error(b"=1"), (ErrorKind::InvalidName, 0..0));
        assert_eq!(error(b"1a=1"), (ErrorKind::InvalidName, 0..2));
        assert_eq!(error(b"a-b=1"), (ErrorKind::InvalidName, 0..3));
        assert_eq!(error("ä=1".as_bytes()), (ErrorKind::InvalidName, 0..2));
        assert_eq!(error(b"a=1; b=2; a=1"), (ErrorKind::Duplicate, 10..11));
    }

    #[test]
    fn octets_that_no_value_has() {
        assert_eq!(error(b"a=1\0"), (ErrorKind::Control, 3..4));
        assert_eq!(error(b"a=\x7f"), (ErrorKind::Control, 2..3));
        assert_eq!(error(b"a=1\xff"), (ErrorKind::InvalidUtf8, 3..4));
        assert_eq!(error(b"a=1\xc3"), (ErrorKind::InvalidUtf8, 3..4));
        assert_eq!(error(b"a=1\r\n"), (ErrorKind::LineBreak, 3..4));
        assert_eq!(error(b"a=1\r\nb"), (ErrorKind::LineBreak, 3..4));
        assert_eq!(error(b"a=1\n b"), (ErrorKind::LineBreak, 3..4));
        assert_eq!(error(b"a=1\r b"), (ErrorKind::LineBreak, 3..4));
        for length in 0..140 {
            let list = |end: &str| format!("{}={end}", "a".repeat(length + 1));
            let faults = ["\0", "\x7f", "\r", "\n", "\r\n", "\r\nb", "\r b", "\n b", "\r\r\n b"];
            for fault in faults {
                assert!(TagList::parse(list(fault).as_bytes()).is_err(), "{length} {fault:?}");
                assert!(
                    TagList::parse(list(&format!("{fault} x")).as_bytes()).is_err()
                        || fault == "\r\n",
                    "{length} {fault:?}"
                );
            }
            for sound in ["", "\t", "\r\n\t", " \r\n \r\n ", "~\r\n b", "é"] {
                assert!(TagList::parse(list(sound).as_bytes()).is_ok(), "{length} {sound:?}");
                assert_eq!(are_plain(list(sound).as_bytes()), sound != "é", "{length} {sound:?}");
            }
        }
        let list = TagList::parse("d=bücher.example".as_bytes()).unwrap();
        assert_eq!(list.get("d").unwrap().value, "bücher.example".as_bytes());
    }

    #[test]
    fn too_many_tags() {
        let list = |tags: usize| (0..tags).map(|n| format!("t{n}=;")).collect::<String>();
        let limit = Limits::default().tags;
        assert!(TagList::parse(list(limit).as_bytes()).is_ok());
        assert_eq!(error(list(limit + 1).as_bytes()).0, ErrorKind::TooManyTags);
        assert!(TagList::parse_with(b"a=; b=", &Limits { tags: 1 }).is_err());
    }
}
