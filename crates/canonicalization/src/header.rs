//! RFC 6376 3.4.1 and 3.4.2: header fields.

use crate::{Canonicalization, Sink, gather::Gather, scan};

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
    let mut sink = Gather::new(sink);
    let colon = field.iter().position(|octet| *octet == b':').unwrap_or(field.len());
    let (name, colon_and_value) = field.split_at_checked(colon).unwrap_or((field, &[]));

    let lower = |piece: &[u8], sink: &mut Gather<'_, _>| {
        // RFC 6376 3.4.2: "Convert all header field names […] to lowercase."
        for octet in piece {
            sink.write(&[octet.to_ascii_lowercase()]);
        }
    };
    reduce(trim_end(name), |piece| lower(piece, &mut sink));
    if let Some((colon, value)) = colon_and_value.split_first() {
        // "Delete any WSP characters remaining before and after the colon"
        sink.write(&[*colon]);
        reduce(trim_end(trim_start(value)), |piece| sink.write(piece));
    }
    sink.flush();
}

/// "Convert all sequences of one or more WSP characters to a single SP character. WSP characters
/// here include those before and after a line folding boundary."
fn reduce(mut octets: &[u8], mut write: impl FnMut(&[u8])) {
    loop {
        let untouched = scan::untouched::<true>(octets);
        let (clean, rest) = octets.split_at_checked(untouched).unwrap_or((octets, &[]));
        let after = trim_start(rest);
        write(clean);
        if after.len() < rest.len() {
            write(b" ");
            octets = after;
        } else if let Some((octet, after)) = rest.split_first() {
            // A bare CR, a CRLF that folds nothing, or the last octet.
            write(&[*octet]);
            octets = after;
        } else {
            return;
        }
    }
}

/// Takes WSP and folds off the front. A fold is "CRLF sequences followed by WSP"; RFC 5322 4.2
/// lets lines of nothing but WSP follow one another, and they unfold the same way.
fn trim_start(mut octets: &[u8]) -> &[u8] {
    loop {
        octets = match octets {
            [b' ' | b'\t', rest @ ..] | [b'\r', b'\n', b' ' | b'\t', rest @ ..] => rest,
            _ => return octets,
        }
    }
}

/// Takes WSP and folds off the end.
fn trim_end(mut octets: &[u8]) -> &[u8] {
    loop {
        octets = match octets {
            [rest @ .., b'\r', b'\n', b' ' | b'\t'] | [rest @ .., b' ' | b'\t'] => rest,
            _ => return octets,
        }
    }
}
