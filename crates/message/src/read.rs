//! Splitting a message into header section and body, in memory or from a stream.

use std::io::{self, BufRead, Read};

use memchr::memmem;

use crate::header::Header;
use crate::limits::{Limits, TooLarge};
use crate::parse;

/// How much is read at a time.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Why no header section came from a stream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream failed.
    #[error("cannot read the message: {0}")]
    Io(#[from] io::Error),
    /// The stream has no octet.
    #[error("the message is empty")]
    Empty,
    /// The header section is beyond the limits.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Splits a message into its header section and its body at the first empty line, which belongs to
/// neither (RFC 5322 2.1). Without an empty line the body is empty.
pub fn split(octets: &[u8]) -> (Header, &[u8]) {
    let parsed = parse::section(octets);
    let body = parsed.body.and_then(|start| octets.get(start..)).unwrap_or_default();
    let section = octets.get(..parsed.end).unwrap_or_default();
    (Header::new(section.to_vec(), parsed), body)
}

/// Reads the header section of a message from a stream; the body is still to be read.
///
/// The memory it takes is bounded by the limits, whatever the stream holds. Lines end with CRLF; a
/// file with LF lines is read through a [`crate::CrlfReader`].
///
/// # Errors
/// The stream fails, is empty, or the section is beyond `limits`.
///
/// ```
/// use mailproof_message::{Limits, read_header};
///
/// let message = &b"Subject: hello\r\n\r\nHi.\r\n"[..];
/// let (header, mut body) = read_header(message, &Limits::default())?;
/// assert_eq!(header.fields().len(), 1);
/// assert_eq!(body.next_chunk()?, Some(&b"Hi.\r\n"[..]));
/// # Ok::<(), mailproof_message::ReadError>(())
/// ```
pub fn read_header<R: Read>(
    mut reader: R,
    limits: &Limits,
) -> Result<(Header, Body<R>), ReadError> {
    let mut buffer = vec![0; CHUNK];
    let mut filled = 0;
    let body = loop {
        if filled == buffer.len() {
            buffer.resize(filled + CHUNK, 0);
        }
        let count = fill(&mut reader, buffer.get_mut(filled..).unwrap_or_default())?;
        // The empty line may have begun in the octets before.
        let from = filled.saturating_sub(3);
        filled += count;
        let octets = buffer.get(..filled).unwrap_or_default();
        if let Some(body) = body_start(octets, from) {
            break body;
        }
        if count == 0 {
            break filled;
        }
        if filled > limits.section.saturating_add(3) {
            return Err(TooLarge::Section { limit: limits.section }.into());
        }
    };
    if filled == 0 {
        return Err(ReadError::Empty);
    }
    let parsed = parse::section(buffer.get(..body).unwrap_or_default());
    let section = buffer.get(..parsed.end).unwrap_or_default().to_vec();
    let header = Header::new(section, parsed);
    header.check(limits)?;
    Ok((header, Body { reader, buffer, start: body, filled }))
}

/// Where the body starts, when the empty line is in `octets` and not wholly before `from`.
fn body_start(octets: &[u8], from: usize) -> Option<usize> {
    if octets.starts_with(b"\r\n") {
        return Some(2);
    }
    let found = memmem::find(octets.get(from..)?, b"\r\n\r\n")?;
    Some(from + found + 4)
}

/// One `read`, again when it was interrupted.
pub(crate) fn fill<R: Read>(reader: &mut R, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The body of a message (RFC 5322 2.3), read in chunks of at most 64 KiB or, the first one, of
/// what was read together with the header. Memory is constant.
#[derive(Debug)]
pub struct Body<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
}

impl<R: Read> Body<R> {
    /// The next octets of the body, never empty; `None` at its end.
    ///
    /// # Errors
    /// The stream fails.
    pub fn next_chunk(&mut self) -> io::Result<Option<&[u8]>> {
        self.refill()?;
        let chunk = self.buffer.get(self.start..self.filled).unwrap_or_default();
        self.start = self.filled;
        Ok(if chunk.is_empty() { None } else { Some(chunk) })
    }

    fn refill(&mut self) -> io::Result<()> {
        if self.start == self.filled {
            (self.start, self.filled) = (0, 0);
            self.filled = fill(&mut self.reader, &mut self.buffer)?;
        }
        Ok(())
    }
}

impl<R: Read> Read for Body<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Body<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.refill()?;
        Ok(self.buffer.get(self.start..self.filled).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.filled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(octets: impl Read + std::fmt::Debug, limits: &Limits) -> String {
        read_header(octets, limits).unwrap_err().to_string()
    }

    #[test]
    fn nothing_there() {
        assert_eq!(error(&b""[..], &Limits::default()), "the message is empty");
    }

    #[test]
    fn endless_line() {
        let limits = Limits::default();
        let text = error(io::repeat(b'x'), &limits);
        assert_eq!(text, "the header section is larger than 256 KiB");
        let text = error((&b"a: 1\r\n"[..]).chain(io::repeat(b'\n')), &limits);
        assert_eq!(text, "the header section is larger than 256 KiB");
    }

    #[test]
    fn limits_to_the_octet() {
        let message = b"aa: 1\r\nb:\r\n\r\nbody";
        let fits = Limits { section: 11, field: 7, fields: 2, ..Limits::default() };
        let (header, body) = read_header(&message[..], &fits).unwrap();
        assert_eq!(header.octets(), b"aa: 1\r\nb:\r\n");
        assert_eq!(io::read_to_string(body).unwrap(), "body");
        for (limits, text) in [
            (Limits { section: 10, ..fits }, "the header section is larger than 10 octets"),
            (Limits { field: 6, ..fits }, "a header field is longer than 6 octets"),
            (Limits { fields: 1, ..fits }, "the header section has more than 1 fields"),
        ] {
            assert_eq!(error(&message[..], &limits), text);
        }
    }

    #[test]
    fn no_empty_line() {
        let (header, mut body) = read_header(&b"a: 1\r\n"[..], &Limits::default()).unwrap();
        assert!(!header.has_empty_line());
        assert_eq!(body.next_chunk().unwrap(), None);
        let (header, body) = split(b"\r\nbody");
        assert!(header.has_empty_line());
        assert_eq!((header.fields().len(), body), (0, &b"body"[..]));
    }
}
