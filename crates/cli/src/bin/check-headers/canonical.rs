//! The octets that were hashed.

use std::io::{self, Write};

use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization, Sink};
use mailproof_cli::escape::visible;
use mailproof_dkim::{Signature, header_hash_input};
use mailproof_message::Header;

/// How much of a canonical body is kept to be shown; a limit on the memory of a run.
const KEPT: usize = 64 << 20;

/// The body in both canonical forms.
#[derive(Default)]
pub(crate) struct Bodies {
    simple: Kept,
    relaxed: Kept,
}

#[derive(Default)]
struct Kept {
    canonicalizer: Option<BodyCanonicalizer>,
    octets: Octets,
}

#[derive(Default)]
struct Octets {
    kept: Vec<u8>,
    cut_off: bool,
}

impl Sink for Octets {
    fn write(&mut self, octets: &[u8]) {
        let room = KEPT - self.kept.len().min(KEPT);
        self.kept.extend_from_slice(octets.get(..room).unwrap_or(octets));
        self.cut_off |= octets.len() > room;
    }
}

/// What of the body a signature's hash is about.
pub(crate) struct SignedBody<'a> {
    pub(crate) octets: &'a [u8],
    /// Whether more was hashed than is kept.
    pub(crate) cut_off: bool,
}

impl Bodies {
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.simple.update(Canonicalization::Simple, chunk);
        self.relaxed.update(Canonicalization::Relaxed, chunk);
    }

    pub(crate) fn finish(&mut self) {
        // An empty body has a canonical form too (RFC 6376 3.4.3).
        self.update(b"");
        self.simple.finish();
        self.relaxed.finish();
    }

    pub(crate) fn of(&self, signature: &Signature) -> SignedBody<'_> {
        let Octets { kept, cut_off } = match signature.body_canonicalization {
            Canonicalization::Simple => &self.simple.octets,
            Canonicalization::Relaxed => &self.relaxed.octets,
        };
        let signed = signature.body_length.and_then(|length| usize::try_from(length).ok());
        match signed.and_then(|signed| kept.get(..signed)) {
            Some(octets) => SignedBody { octets, cut_off: false },
            None => SignedBody { octets: kept, cut_off: *cut_off },
        }
    }
}

impl Kept {
    fn update(&mut self, canonicalization: Canonicalization, chunk: &[u8]) {
        self.canonicalizer
            .get_or_insert_with(|| BodyCanonicalizer::new(canonicalization))
            .update(chunk, &mut self.octets);
    }

    fn finish(&mut self) {
        if let Some(canonicalizer) = self.canonicalizer.take() {
            canonicalizer.finish(&mut self.octets);
        }
    }
}

/// Prints what the two hashes of a signature are about, a line for each line, with its line end.
pub(crate) fn print(
    out: &mut impl Write,
    header: &Header,
    place: usize,
    signature: &Signature,
    bodies: &Bodies,
) -> io::Result<()> {
    let input = header_hash_input(header, place, signature);
    writeln!(out, "        the header hash is over these {} octets:", input.len())?;
    print_lines(out, &input)?;
    let body = bodies.of(signature);
    match body.octets.len() {
        0 => writeln!(out, "        the body hash is over nothing"),
        count => {
            writeln!(out, "        the body hash is over these {count} octets:")?;
            print_lines(out, body.octets)
        }
    }?;
    if body.cut_off {
        writeln!(out, "        and more than that, which is not kept")?;
    }
    Ok(())
}

fn print_lines(out: &mut impl Write, octets: &[u8]) -> io::Result<()> {
    octets
        .split_inclusive(|&octet| octet == b'\n')
        .try_for_each(|line| writeln!(out, "        | {}", visible(line)))
}
