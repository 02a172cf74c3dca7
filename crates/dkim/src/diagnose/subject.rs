//! What is put before, into or after a subject.

use super::change::{Change, Source, excerpt};
use super::header::{Material, Proposal};
use super::{mime, values};

/// How many octets of the subject are looked at for a tag at its beginning, and how many cuts are
/// made.
const TAG_OCTETS: usize = 100;
const CUTS: usize = 12;

/// Tags of lists and filters: `[list]`, `***SPAM***`, `[EXT]`, `Re:`, `EXTERNAL -`.
pub(super) fn tags(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let Some((place, field)) = material.lowest("Subject") else { return };
    let value = field.value().trim_ascii();
    let mut propose = |tag: &[u8], rest: Vec<u8>| {
        let change = Change::SubjectTagAdded { tag: excerpt(tag.trim_ascii()) };
        proposals.extend(
            material
                .with_value(place, &rest)
                .map(|edit| Proposal { changes: vec![change], edits: vec![edit] }),
        );
    };
    for (tag, rest) in without_tag(value) {
        propose(tag, rest);
    }
}

/// The same in a subject whose text was written anew, as encoded words (RFC 2047) or without.
pub(super) fn tags_in_words(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let Some((place, field)) = material.lowest("Subject") else { return };
    let Some(text) = mime::decode_words(field.value().trim_ascii()) else { return };
    for (tag, rest) in without_tag(text.trim_ascii()) {
        // ASCII needs no encoding.
        let forms = if rest.is_ascii() { vec![rest] } else { values::word_forms(&rest) };
        for signed in forms {
            let name = "Subject".to_owned();
            let changes = vec![
                Change::SubjectTagAdded { tag: excerpt(tag.trim_ascii()) },
                Change::ValueChanged { name, signed: excerpt(&signed), source: Source::SameText },
            ];
            let edit = material.with_value(place, &signed);
            proposals.extend(edit.map(|edit| Proposal { changes, edits: vec![edit] }));
        }
    }
}

/// What may be tags of a subject, and the subject without each.
fn without_tag(value: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let mut found = bracketed(value);
    found.extend(cuts(value).filter_map(|at| {
        let (tag, rest) = value.split_at_checked(at)?;
        Some((tag, rest.trim_ascii_start().to_vec()))
    }));
    found
}

/// The places where a tag at the beginning may end: after what closes it, or after a word.
fn cuts(value: &[u8]) -> impl Iterator<Item = usize> {
    let head = value.get(..TAG_OCTETS).unwrap_or(value);
    let closes = |(index, &octet): (usize, &u8)| {
        let closed = matches!(octet, b']' | b'}' | b')' | b'>' | b':' | b'*' | b'|' | b'-');
        let space = octet.is_ascii_whitespace() && head.get(index + 1) != Some(&octet);
        (closed || space).then_some(index + 1)
    };
    let found = head.iter().enumerate().filter_map(closes).filter(|&at| at < value.len());
    found.take(CUTS)
}

/// `[tag]` within the subject, as in "Re: [list] Lunch", or at its end, and what is left without it.
fn bracketed(value: &[u8]) -> Vec<(&[u8], Vec<u8>)> {
    let mut found = Vec::new();
    for (open, close) in [(b'[', b']'), (b'(', b')'), (b'{', b'}')] {
        let places = value.iter().enumerate().filter(|(_, octet)| **octet == open);
        for (start, _) in places.take(3) {
            let rest = value.get(start..).unwrap_or_default();
            let Some(length) = rest.iter().position(|&octet| octet == close) else { break };
            let (tag, after) = rest.split_at_checked(length + 1).unwrap_or((rest, &[]));
            let before = value.get(..start).unwrap_or_default();
            let without = [before, after.trim_ascii_start()].concat();
            found.push((tag, without.trim_ascii_end().to_vec()));
        }
    }
    found
}
