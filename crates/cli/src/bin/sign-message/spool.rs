//! A message held back until its signatures are known.

use std::io::{self, Read, Seek as _, SeekFrom, Write};

use tempfile::SpooledTempFile;

/// How much of a message is held in memory; the rest goes to a temporary file.
const IN_MEMORY: usize = 8 << 20;

/// The octets of a message as they are read, and how its lines end.
pub(crate) struct Spool {
    file: SpooledTempFile,
    last: u8,
    /// Whether the first line ends with a bare LF; `None` before its end.
    is_lf: Option<bool>,
}

impl Spool {
    pub(crate) fn new() -> Spool {
        Spool { file: SpooledTempFile::new(IN_MEMORY), last: 0, is_lf: None }
    }

    /// A reader of `input` that keeps what goes through it.
    pub(crate) fn tee<R: Read>(&mut self, input: R) -> Tee<'_, R> {
        Tee { input, spool: self }
    }

    fn keep(&mut self, octets: &[u8]) -> io::Result<()> {
        if self.is_lf.is_none() {
            if let Some(at) = octets.iter().position(|&octet| octet == b'\n') {
                let before = at.checked_sub(1).and_then(|before| octets.get(before));
                self.is_lf = Some(before.unwrap_or(&self.last) != &b'\r');
            }
            self.last = octets.last().copied().unwrap_or(self.last);
        }
        self.file.write_all(octets)
    }

    /// Writes `fields`, their lines ended as those of the message are, and the message.
    pub(crate) fn write(mut self, fields: &[Vec<u8>], mut out: impl Write) -> io::Result<()> {
        for field in fields {
            if self.is_lf == Some(true) {
                let octets = field.iter().copied().filter(|&octet| octet != b'\r');
                out.write_all(&octets.collect::<Vec<u8>>())?;
            } else {
                out.write_all(field)?;
            }
        }
        self.file.seek(SeekFrom::Start(0))?;
        io::copy(&mut self.file, &mut out)?;
        out.flush()
    }
}

/// See [`Spool::tee`].
pub(crate) struct Tee<'s, R> {
    input: R,
    spool: &'s mut Spool,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.spool.keep(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_as_the_lines_of_the_message_do() {
        for (message, expected) in [
            ("A: 1\r\n\r\nb\n", "S: x\r\n y\r\nA: 1\r\n\r\nb\n"),
            ("A: 1\n\r\nb\r\n", "S: x\n y\nA: 1\n\r\nb\r\n"),
            ("A: 1", "S: x\r\n y\r\nA: 1"),
            ("\n", "S: x\n y\n\n"),
        ] {
            for size in 1..5 {
                let mut spool = Spool::new();
                for chunk in message.as_bytes().chunks(size) {
                    io::copy(&mut spool.tee(chunk), &mut io::sink()).unwrap();
                }
                let mut out = Vec::new();
                spool.write(&[b"S: x\r\n y\r\n".to_vec()], &mut out).unwrap();
                assert_eq!(String::from_utf8(out).unwrap(), expected);
            }
        }
    }

    #[test]
    fn what_is_too_long_for_memory_comes_back() {
        let mut spool = Spool::new();
        let message = vec![b'x'; IN_MEMORY + 1];
        io::copy(&mut spool.tee(message.as_slice()), &mut io::sink()).unwrap();
        let mut out = Vec::new();
        spool.write(&[], &mut out).unwrap();
        assert!(out == message);
    }
}
