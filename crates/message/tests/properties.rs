//! What holds for every message, however hostile.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, Read};
use std::ops::Range;

use mailproof_message::{
    AddressList, AuthorDomain, CrlfReader, Header, Limits, Mbox, author_domain, read_header, split,
};
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

/// Text in which the interesting pieces of an address list are frequent.
fn addresses() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "a@d.example",
            "<b@e.example>",
            "\"",
            "(",
            ")",
            "<",
            ">",
            "@",
            ",",
            ";",
            ":",
            ".",
            "[",
            "]",
            "\\",
            " ",
            "\r\n ",
            "x",
            "-",
            "=?utf-8?Q?x?=",
            "\u{fc}",
            "\u{200b}",
            "\u{202e}",
            "xn--bcher-kva",
            "B\u{dc}CHER",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// White space and comments, which may stand between any two tokens.
fn space() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![" ", "\t", "\r\n ", "(c)", "(a@b.example, (\\)))"]);
    prop::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

fn is_within(span: &Range<usize>, length: usize) -> bool {
    span.start <= span.end && span.end <= length
}

proptest! {
    #[test]
    fn spans_are_within_the_text(value in addresses()) {
        match AddressList::parse(&value, &Limits::default()) {
            Err(error) => prop_assert!(is_within(&error.span, value.len())),
            Ok(list) => {
                for mailbox in list.mailboxes {
                    prop_assert!(is_within(&mailbox.local_part, value.len()));
                    prop_assert!(is_within(&mailbox.domain.span, value.len()));
                    prop_assert!(mailbox.local_part.end < mailbox.domain.span.start);
                }
                for group in list.groups {
                    prop_assert!(is_within(&group.display_name, value.len()));
                }
            }
        }
    }

    #[test]
    fn a_domain_stands_in_the_field(value in addresses()) {
        let header = Header::parse([&b"From:"[..], &value, b"\r\n"].concat());
        let text = String::from_utf8_lossy(header.octets()).to_lowercase();
        for domain in author_domain(&header).domains() {
            for label in domain.split('.') {
                let unicode = idna::domain_to_unicode(label).0;
                prop_assert!(text.contains(label) || text.contains(&unicode), "{}", label);
            }
        }
    }

    #[test]
    fn space_changes_nothing(
        space in prop::collection::vec(space(), 9),
        name in prop::sample::select(vec!["", "Joan", "\"a, b@c.example\"", "J. Doe", "J\u{fc}"]),
        local_part in prop::sample::select(vec!["a", "\"a@b\"", "a+b", "..a."]),
        route in prop::sample::select(vec!["", "@r.example:", "@r.example,@s.example:"]),
    ) {
        let [a, b, c, d, e, f, g, h, i] = <[String; 9]>::try_from(space).unwrap();
        let value = format!("{a}{name}{b}<{c}{route}{d}{local_part}{e}@{f}D{g}.Example{h}>{i}");
        let header = Header::parse(format!("From:{value}\r\n"));
        prop_assert_eq!(author_domain(&header), AuthorDomain::One("d.example".into()));
    }

    #[test]
    fn mbox_restores_its_messages(bodies in prop::collection::vec(mbox_body(), 1..4)) {
        let mut file = String::new();
        for body in &bodies {
            file += "From a@b.example Tue Nov 24 10:00:00 2026\n";
            for line in body.split_inclusive('\n') {
                if line.trim_start_matches('>').starts_with("From ") {
                    file.push('>');
                }
                file += line;
            }
            file += "\n";
        }
        let mut mbox = Mbox::new(file.as_bytes());
        for body in &bodies {
            let message = mbox.next_message().unwrap().unwrap();
            prop_assert_eq!(&io::read_to_string(message).unwrap(), body);
        }
        prop_assert!(mbox.next_message().unwrap().is_none());
    }
}

/// Lines that mbox files have to quote, and others.
fn mbox_body() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec!["\n", "From x\n", ">From x\n", ">>From \n", "A: 1\n"]);
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.concat())
}
