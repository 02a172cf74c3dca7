//! LF files read as the CRLF messages they stand for.

use std::io::{self, Read};

use memchr::memchr;

use crate::read::{CHUNK, fill};

/// A stream of CRLF lines from a file that may have LF lines, as Unix programs store mail.
///
/// The first line end decides. When it is a lone LF, the file is a Unix file and every lone LF is
/// read as CRLF (a CRLF stays what it is). Otherwise the octets are those of a message in transit
/// and pass unchanged: there a lone LF is an ordinary, if defective, octet (RFC 5322 2.2).
///
/// ```
/// use std::io::Read;
///
/// let mut text = String::new();
/// mailproof_message::CrlfReader::new(&b"a: 1\n\nb\n"[..]).read_to_string(&mut text)?;
/// assert_eq!(text, "a: 1\r\n\r\nb\r\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct CrlfReader<R> {
    reader: R,
    lines: Lines,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// The octet before `start`.
    previous: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// No line end has been seen.
    Unknown,
    Lf,
    Crlf,
}

impl<R: Read> CrlfReader<R> {
    /// Reads `reader` in chunks of 64 KiB.
    pub fn new(reader: R) -> CrlfReader<R> {
        let buffer = vec![0; CHUNK];
        CrlfReader { reader, lines: Lines::Unknown, buffer, start: 0, filled: 0, previous: 0 }
    }

    /// Copies to `out` up to the next octet that needs a decision; how many octets.
    fn copy(&mut self, out: &mut [u8]) -> usize {
        let input = self.buffer.get(self.start..self.filled).unwrap_or_default();
        let line = match self.lines {
            Lines::Crlf => input.len(),
            Lines::Lf | Lines::Unknown => memchr(b'\n', input).unwrap_or(input.len()),
        };
        let count = line.min(out.len());
        let (Some(from), Some(to)) = (input.get(..count), out.get_mut(..count)) else {
            return 0;
        };
        to.copy_from_slice(from);
        self.previous = from.last().copied().unwrap_or(self.previous);
        self.start += count;
        count
    }

    /// The octet at the next line end: the LF itself, or the CR that is put before it.
    fn line_end(&mut self) -> u8 {
        if self.lines == Lines::Unknown {
            self.lines = if self.previous == b'\r' { Lines::Crlf } else { Lines::Lf };
        }
        if self.lines == Lines::Lf && self.previous != b'\r' {
            self.previous = b'\r';
            return b'\r';
        }
        self.previous = b'\n';
        self.start += 1;
        b'\n'
    }
}

impl<R: Read> Read for CrlfReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.start == self.filled {
            if self.lines == Lines::Crlf {
                return fill(&mut self.reader, out);
            }
            self.start = 0;
            self.filled = 0;
            self.filled = fill(&mut self.reader, &mut self.buffer)?;
        }
        let mut written = 0;
        while written < out.len() && self.start < self.filled {
            let free = out.get_mut(written..).unwrap_or_default();
            written += self.copy(free);
            if let (Some(free), true) = (out.get_mut(written), self.start < self.filled) {
                *free = self.line_end();
                written += 1;
            }
        }
        Ok(written)
    }
}
