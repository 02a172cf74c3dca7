//! Any cutting of a body into chunks gives the same canonical form, and that form is the one a
//! plain reading of RFC 6376 3.4 gives.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization, header_field};
use proptest::prelude::*;

fn body(canonicalization: Canonicalization, chunks: &[&[u8]]) -> Vec<u8> {
    let mut canonical = Vec::new();
    let mut body = BodyCanonicalizer::new(canonicalization);
    for chunk in chunks {
        body.update(chunk, &mut canonical);
    }
    body.finish(&mut canonical);
    canonical
}

fn header(canonicalization: Canonicalization, field: &[u8]) -> Vec<u8> {
    let mut canonical = Vec::new();
    header_field(canonicalization, field, &mut canonical);
    canonical
}

/// The lines of a body without their CRLF; the last one has none to lose.
fn lines(body: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = vec![Vec::new()];
    for octet in body {
        lines.last_mut().unwrap().push(*octet);
        if lines.last().unwrap().ends_with(b"\r\n") {
            let line = lines.last_mut().unwrap();
            line.truncate(line.len() - 2);
            lines.push(Vec::new());
        }
    }
    lines
}

fn collapse(line: &[u8]) -> Vec<u8> {
    let mut collapsed: Vec<u8> = Vec::new();
    for octet in line {
        let wsp = matches!(octet, b' ' | b'\t');
        if !(wsp && collapsed.last() == Some(&b' ')) {
            collapsed.push(if wsp { b' ' } else { *octet });
        }
    }
    if collapsed.last() == Some(&b' ') {
        collapsed.pop();
    }
    collapsed
}

/// RFC 6376 3.4.3 and 3.4.4, sentence by sentence, with all the memory in the world.
fn plainly(canonicalization: Canonicalization, body: &[u8]) -> Vec<u8> {
    let mut lines = lines(body);
    if canonicalization == Canonicalization::Relaxed {
        lines = lines.iter().map(|line| collapse(line)).collect();
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    if lines.is_empty() && canonicalization == Canonicalization::Simple {
        lines.push(Vec::new());
    }
    lines.iter().flat_map(|line| [line.as_slice(), b"\r\n"].concat()).collect()
}

/// RFC 6376 3.4.2, step by step.
fn header_plainly(field: &[u8]) -> Vec<u8> {
    let colon = field.iter().position(|octet| *octet == b':').unwrap_or(field.len());
    let unfolded = |octets: &[u8]| {
        let mut unfolded = Vec::new();
        let mut rest = octets;
        while let [octet, after @ ..] = rest {
            rest = match rest {
                [b'\r', b'\n', wsp @ ..] if wsp.first().is_some_and(|o| b" \t".contains(o)) => wsp,
                _ => {
                    unfolded.push(*octet);
                    after
                }
            }
        }
        unfolded
    };
    let name = collapse(&unfolded(&field[..colon])).to_ascii_lowercase();
    let value = collapse(&unfolded(&field[colon..]));
    let value = value.strip_prefix(b": ").map(|v| [b":", v].concat()).unwrap_or(value);
    [name, value].concat()
}

fn canonicalization() -> impl Strategy<Value = Canonicalization> {
    prop_oneof![Just(Canonicalization::Simple), Just(Canonicalization::Relaxed)]
}

/// Bodies of the octets that matter, and now and then of any octets or of long clean stretches.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[ \t\r\nab:]{0,12}".prop_map(String::into_bytes),
        2 => "(\r\n){1,3}".prop_map(String::into_bytes),
        1 => "[a-z]{1,8}( [a-z]{1,8}){0,30}".prop_map(String::into_bytes),
        1 => "[ \t]{60,70}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_body_in_chunks_is_the_body(
        canonicalization in canonicalization(),
        octets in octets(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let expected = plainly(canonicalization, &octets);
        prop_assert_eq!(&body(canonicalization, &[&octets]), &expected);

        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(octets.len() + 1)).collect();
        cuts.extend([0, octets.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &octets[cut[0]..cut[1]]).collect();
        prop_assert_eq!(&body(canonicalization, &chunks), &expected);

        let single: Vec<&[u8]> = octets.chunks(1).collect();
        prop_assert_eq!(&body(canonicalization, &single), &expected);
    }

    #[test]
    fn a_canonical_body_is_canonical(canonicalization in canonicalization(), octets in octets()) {
        let once = body(canonicalization, &[&octets]);
        prop_assert_eq!(body(canonicalization, &[&once]), once);
    }

    #[test]
    fn a_relaxed_header_field_follows_the_steps(octets in octets()) {
        prop_assert_eq!(header(Canonicalization::Relaxed, &octets), header_plainly(&octets));
        prop_assert_eq!(header(Canonicalization::Simple, &octets), octets);
    }
}

#[test]
fn long_bodies_cross_the_windows() {
    for line in ["word word  word\r\n", "clean words only\r\n", "tab\tand end \t\r\n", "x "] {
        let octets = line.repeat(40_000).into_bytes();
        for canonicalization in [Canonicalization::Simple, Canonicalization::Relaxed] {
            let expected = plainly(canonicalization, &octets);
            assert!(body(canonicalization, &[&octets]) == expected, "{line:?}");
            let chunks: Vec<&[u8]> = octets.chunks(4093).collect();
            assert!(body(canonicalization, &chunks) == expected, "{line:?} in chunks");
        }
    }
}

#[test]
fn empty_lines_are_held_back_as_a_number() {
    let mut pieces = 0;
    let mut sink = |octets: &[u8]| pieces += usize::from(!octets.is_empty());
    let mut body = BodyCanonicalizer::new(Canonicalization::Simple);
    for _ in 0..1000 {
        body.update(&b"\r\n".repeat(1000), &mut sink);
    }
    body.finish(&mut sink);
    assert_eq!(pieces, 1);
    assert!(size_of::<BodyCanonicalizer>() <= 32);
}
