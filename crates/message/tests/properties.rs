//! What holds for every message, however hostile.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, Read};

use mailproof_message::{CrlfReader, Header, Limits, read_header, split};
use proptest::prelude::*;

/// Octets in which the interesting ones are frequent.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\r\n\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\n".to_vec()),
        Just(b" ".to_vec()),
        Just(b":".to_vec()),
        Just(b"From: a@b.example".to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A stream that gives its octets in pieces of these sizes, over and over.
struct Pieces<'a> {
    octets: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl<'a> Pieces<'a> {
    fn new(octets: &'a [u8], sizes: &'a [usize]) -> Pieces<'a> {
        Pieces { octets, sizes: sizes.iter().cycle() }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let size = (*self.sizes.next().unwrap()).min(out.len());
        self.octets.read(out.get_mut(..size).unwrap())
    }
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..9_usize, 1..9)
}

/// The rule of [`CrlfReader`], on the whole text at once.
fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let lone = |at: usize| at == 0 || octets.get(at - 1) != Some(&b'\r');
    match octets.iter().position(|&octet| octet == b'\n') {
        Some(first) if lone(first) => {}
        _ => return octets.to_vec(),
    }
    let mut out = Vec::new();
    for (at, &octet) in octets.iter().enumerate() {
        if octet == b'\n' && lone(at) {
            out.push(b'\r');
        }
        out.push(octet);
    }
    out
}

proptest! {
    #[test]
    fn fields_tile_the_section(octets in octets()) {
        let header = Header::parse(&octets[..]);
        prop_assert!(octets.starts_with(header.octets()));
        let tiles: Vec<u8> = header.fields().flat_map(|f| f.octets().to_vec()).collect();
        prop_assert_eq!(&tiles[..], header.octets());
        let mut end = 0;
        for field in header.fields() {
            prop_assert_eq!(field.range().start, end);
            end = field.range().end;
            prop_assert_eq!(header.octets().get(field.value_range()).unwrap(), field.value());
            if field.name().is_none() {
                prop_assert_eq!(field.value(), field.without_line_end());
                prop_assert!(!header.defects().is_empty());
            }
        }
    }

    #[test]
    fn nothing_of_the_message_is_lost(octets in octets()) {
        let (header, body) = split(&octets);
        let empty_line: &[u8] = if header.has_empty_line() { b"\r\n" } else { b"" };
        prop_assert_eq!([header.octets(), empty_line, body].concat(), octets);
    }

    #[test]
    fn a_stream_is_read_as_a_slice(octets in octets(), sizes in sizes()) {
        prop_assume!(!octets.is_empty());
        let (header, body) = split(&octets);
        let stream = Pieces::new(&octets, &sizes);
        let (streamed, mut rest) = read_header(stream, &Limits::default()).unwrap();
        prop_assert_eq!(streamed.octets(), header.octets());
        prop_assert_eq!(streamed.has_empty_line(), header.has_empty_line());
        prop_assert_eq!(streamed.defects(), header.defects());
        let mut chunks = Vec::new();
        while let Some(chunk) = rest.next_chunk().unwrap() {
            chunks.extend_from_slice(chunk);
        }
        prop_assert_eq!(&chunks[..], body);
    }

    #[test]
    fn line_ends_in_any_chunking(octets in octets(), sizes in sizes(), out in 1..9_usize) {
        let mut reader = CrlfReader::new(Pieces::new(&octets, &sizes));
        let mut text = Vec::new();
        let mut buffer = vec![0; out];
        loop {
            match reader.read(&mut buffer).unwrap() {
                0 => break,
                count => text.extend_from_slice(buffer.get(..count).unwrap()),
            }
        }
        prop_assert_eq!(text, with_crlf(&octets));
    }
}
