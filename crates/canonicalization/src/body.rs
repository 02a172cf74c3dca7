//! RFC 6376 3.4.3 and 3.4.4: the body.

use crate::{Canonicalization, Sink, gather::Gather, reduce::reduce};

/// Line ends held back go to the sink in strings of this many.
const LINE_ENDS: [[u8; 2]; 64] = [*b"\r\n"; 64];

/// The body canonicalization algorithm (RFC 6376 3.4.3 "simple", 3.4.4 "relaxed") over a body
/// that comes in chunks.
///
/// The chunks may be cut anywhere, also between CR and LF. What is held between them is a few
/// words of state: white space and line ends that are at the end of the body so far, and so
/// change their meaning with what follows.
#[derive(Clone, Debug)]
pub struct BodyCanonicalizer {
    canonicalization: Canonicalization,
    /// Anything but line ends (and, if relaxed, white space) has come.
    any_content: bool,
    /// Line ends held back: the empty lines "at the end of the message body", if nothing follows.
    line_ends: u64,
    /// Relaxed: white space held back. Comes after `line_ends`.
    white_space: bool,
    /// A CR held back: the first half of a line end, or an ordinary octet. Comes last.
    carriage_return: bool,
}

impl BodyCanonicalizer {
    /// Starts a body.
    #[must_use]
    pub fn new(canonicalization: Canonicalization) -> Self {
        Self {
            canonicalization,
            any_content: false,
            line_ends: 0,
            white_space: false,
            carriage_return: false,
        }
    }

    /// Takes the next octets of the body and writes those whose canonical form is settled.
    pub fn update(&mut self, chunk: &[u8], sink: &mut impl Sink) {
        let relaxed = self.canonicalization == Canonicalization::Relaxed;
        let settled = |octet: &u8| match octet {
            b'\r' | b'\n' => false,
            b' ' | b'\t' => !relaxed,
            _ => true,
        };

        let start = chunk.iter().position(settled).unwrap_or(chunk.len());
        let end = chunk.iter().rposition(settled).map_or(start, |last| last + 1);
        let (before, rest) = chunk.split_at_checked(start).unwrap_or((chunk, &[]));
        let (content, after) = rest.split_at_checked(end - start).unwrap_or((rest, &[]));

        self.hold(before, sink);
        if !content.is_empty() {
            self.release(sink);
            if relaxed {
                let mut sink = Gather::<_, 2048>::new(sink);
                reduce::<false, _, _>(content, &mut sink);
                sink.finish();
            } else {
                sink.write(content);
            }
        }
        self.hold(after, sink);
    }

    /// Ends the body.
    pub fn finish(mut self, sink: &mut impl Sink) {
        if self.carriage_return {
            self.release(sink);
        }
        // RFC 6376 3.4.3: 'converts "*CRLF" at the end of the body to a single "CRLF"'
        // RFC 6376 3.4.4: "If the body is non-empty but does not end with a CRLF, a CRLF is added."
        if self.any_content || self.canonicalization == Canonicalization::Simple {
            sink.write(b"\r\n");
        }
    }

    /// Takes octets that may all be at the end of a line or of the body.
    fn hold(&mut self, octets: &[u8], sink: &mut impl Sink) {
        for octet in octets {
            match octet {
                b'\n' if self.carriage_return => {
                    // RFC 6376 3.4.4: "Ignore all whitespace at the end of lines."
                    self.white_space = false;
                    self.carriage_return = false;
                    self.line_ends += 1;
                }
                b'\n' => {
                    self.release(sink);
                    sink.write(b"\n");
                }
                b'\r' => {
                    if self.carriage_return {
                        self.release(sink);
                    }
                    self.carriage_return = true;
                }
                _ => {
                    if self.carriage_return {
                        self.release(sink);
                    }
                    self.white_space = true;
                }
            }
        }
    }

    /// Writes what was held back: ordinary content follows, or the CR held back is a bare one.
    fn release(&mut self, sink: &mut impl Sink) {
        self.any_content = true;
        let line_ends = LINE_ENDS.as_flattened();
        let mut octets = self.line_ends * 2;
        while octets > 0 {
            let some = usize::try_from(octets).ok().and_then(|octets| line_ends.get(..octets));
            let some = some.unwrap_or(line_ends);
            sink.write(some);
            octets = octets.saturating_sub(u64::try_from(some.len()).unwrap_or(octets));
        }
        self.line_ends = 0;
        if std::mem::take(&mut self.white_space) {
            sink.write(b" ");
        }
        if std::mem::take(&mut self.carriage_return) {
            sink.write(b"\r");
        }
    }
}
