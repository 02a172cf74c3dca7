//! RFC 6376 3.4.1 and 3.4.2: header fields.

use crate::{Canonicalization, Sink, gather::Gather, reduce::reduce};

/// Writes the canonical form of a header field (RFC 6376 3.4.1, 3.4.2).
///
/// `field` is the whole field as it stands in the message, name, colon and folded value, but
/// without its final CRLF; so is the canonical form. The caller adds the CRLF where the RFC wants
/// it (3.7: everywhere but after the signature field itself).
///
/// A field without a colon is taken for a name alone.
pub fn header_field(canonicalization: Canonicalization, field: &[u8], sink: &mut impl Sink) {
    match canonicalization {
        // RFC 6376 3.4.1: "does not change header fields in any way"
        Canonicalization::Simple => sink.write(field),
        Canonicalization::Relaxed => relaxed(field, sink),
    }
}

fn relaxed(field: &[u8], sink: &mut impl Sink) {
    let is_end = |octet: &u8| matches!(octet, b':' | b' ' | b'\t');
    let end = field.iter().position(is_end).unwrap_or(field.len());
    let value = if matches!(field.get(end), Some(b' ' | b'\t')) {
        let colon = memchr::memchr(b':', field).unwrap_or(field.len());
        let (name, rest) = field.split_at_checked(colon).unwrap_or((field, &[]));
        let (colon, value) = rest.split_at_checked(1).unwrap_or_default();
        spaced_name(name, sink);
        sink.write(colon);
        value
    } else {
        let (name_and_colon, value) = field.split_at_checked(end + 1).unwrap_or((field, &[]));
        // "Convert all header field names […] to lowercase."
        sink.write_lowercase(name_and_colon);
        value
    };
    // RFC 6376 3.4.2: "Delete any WSP characters remaining before and after the colon"
    let (_, value) = trim(value);
    if stands(value) {
        sink.write(value);
    } else {
        // "Convert all sequences of one or more WSP characters to a single SP character. WSP
        // characters here include those before and after a line folding boundary."
        let mut sink = Gather::<_, 256>::new(sink);
        reduce::<true, _, _>(value, &mut sink);
        sink.finish();
    }
}

/// A name with white space in it or after it, the obsolete syntax of RFC 5322 4.5.
fn spaced_name(name: &[u8], sink: &mut impl Sink) {
    let (leading_wsp, name) = trim(name);
    let mut sink = |name: &[u8]| sink.write_lowercase(name);
    let mut sink = Gather::<_, 256>::new(&mut sink);
    if leading_wsp && !name.is_empty() {
        sink.write(b" ");
    }
    reduce::<true, _, _>(name, &mut sink);
    sink.finish();
}

/// Whether a value without white space at its ends is its own canonical form, as most are.
fn stands(value: &[u8]) -> bool {
    const PAIRS: usize = 16;
    // Blocks of a fixed length become vector code; the last one overlaps the one before.
    match value.last_chunk::<{ PAIRS + 1 }>() {
        Some(last) => {
            let mut blocks = value.array_windows().step_by(PAIRS).chain([last]);
            !blocks.any(|block: &[u8; PAIRS + 1]| any_change(block))
        }
        None => !any_change(value),
    }
}

#[inline(always)]
fn any_change(octets: &[u8]) -> bool {
    octets.array_windows().fold(false, |any, &[octet, next]| {
        any | (octet == b'\t') | (octet == b'\r') | ((octet == b' ') & (next == b' '))
    })
}

/// Takes WSP and folds off both ends; says whether there was any at the front.
///
/// A fold is a "CRLF followed by WSP". RFC 5322 4.2 lets lines of nothing but WSP follow one
/// another; they unfold in the same way.
fn trim(octets: &[u8]) -> (bool, &[u8]) {
    let mut rest = octets;
    while let [b' ' | b'\t', after @ ..] | [b'\r', b'\n', b' ' | b'\t', after @ ..] = rest {
        rest = after;
    }
    let leading = rest.len() < octets.len();
    while let [before @ .., b'\r', b'\n', b' ' | b'\t'] | [before @ .., b' ' | b'\t'] = rest {
        rest = before;
    }
    (leading, rest)
}
