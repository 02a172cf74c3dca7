//! Mailboxes of many messages in one file.

use std::io::{self, BufRead, Read};

/// How much of a line is looked at: enough for any `From ` line.
const PIECE: u64 = 8 * 1024;

/// The messages of an mbox file, one after the other, in constant memory.
///
/// A message starts after a line that begins with `From `, at the start of the file or after an
/// empty line. That empty line is not part of the message before. RFC 4155 leaves quoting open; we
/// read the mboxrd form, in which a line of the message that is `From ` after any number of `>`
/// has got one `>` more, and take one away. That restores the signed octets of mboxrd files
/// wholly, and those of the older mboxo form but for lines that had a `>` of their own.
///
/// ```
/// use std::io::Read;
///
/// let file = &b"From a@x Tue Nov 24 10:00:00 2026\nA: 1\n\n>From b\n\nFrom b@x\nB: 2\n"[..];
/// let mut mbox = mailproof_message::Mbox::new(file);
/// let mut messages = Vec::new();
/// while let Some(mut message) = mbox.next_message()? {
///     let mut text = String::new();
///     message.read_to_string(&mut text)?;
///     messages.push(text);
/// }
/// assert_eq!(messages, ["A: 1\n\nFrom b\n", "B: 2\n"]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Mbox<R> {
    reader: R,
    state: State,
    /// A piece of a line, with the empty line before it; what is before `start` is read.
    line: Vec<u8>,
    start: usize,
    at_line_start: bool,
    /// An empty line that may be the one before the next `From ` line.
    held: &'static [u8],
    from_line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first message.
    Start,
    /// In a message.
    Message,
    /// Behind the `From ` line of the next message.
    Between,
    End,
}

impl<R: BufRead> Mbox<R> {
    /// Reads the messages of this file; its lines may end with LF or CRLF.
    pub fn new(reader: R) -> Mbox<R> {
        Mbox {
            reader,
            state: State::Start,
            line: Vec::new(),
            start: 0,
            at_line_start: true,
            held: b"",
            from_line: Vec::new(),
        }
    }

    /// The next message; what is left of the one before is skipped.
    ///
    /// # Errors
    /// The file cannot be read, or does not begin with a `From ` line
    /// ([`io::ErrorKind::InvalidData`]).
    pub fn next_message(&mut self) -> io::Result<Option<MboxMessage<'_, R>>> {
        while matches!(self.state, State::Start | State::Message) {
            let first = self.state == State::Start;
            self.next_piece()?;
            if first && self.state == State::Start {
                let what = "the mailbox does not begin with a \"From \" line";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
        }
        if self.state == State::End {
            return Ok(None);
        }
        self.state = State::Message;
        Ok(Some(MboxMessage { mbox: self }))
    }

    /// Reads the next piece of the message into `line`, or leaves [`State::Message`].
    fn next_piece(&mut self) -> io::Result<()> {
        self.line.clear();
        self.line.extend_from_slice(self.held);
        let held = self.line.len();
        self.reader.by_ref().take(PIECE).read_until(b'\n', &mut self.line)?;
        self.start = 0;
        let piece = self.line.get(held..).unwrap_or_default();
        let at_line_start = self.at_line_start;
        self.at_line_start = piece.ends_with(b"\n");
        if piece.is_empty() {
            self.line.clear();
            self.state = State::End;
        } else if at_line_start && piece.starts_with(b"From ") && self.may_begin() {
            self.begin(held)?;
        } else if at_line_start && matches!(piece, b"\n" | b"\r\n") {
            self.held = if piece.len() == 1 { b"\n" } else { b"\r\n" };
            self.line.truncate(held);
        } else {
            if at_line_start && is_quoted(piece) {
                self.line.remove(held);
            }
            self.held = b"";
        }
        Ok(())
    }

    fn may_begin(&self) -> bool {
        self.state == State::Start || !self.held.is_empty()
    }

    /// Takes the `From ` line in `line[held..]` and the rest of it.
    fn begin(&mut self, held: usize) -> io::Result<()> {
        self.from_line.clear();
        self.from_line.extend_from_slice(self.line.get(held..).unwrap_or_default());
        if !self.at_line_start {
            self.reader.skip_until(b'\n')?;
            self.at_line_start = true;
        }
        self.line.clear();
        self.held = b"";
        self.state = State::Between;
        Ok(())
    }
}

/// Whether one `>` was put before this line.
fn is_quoted(line: &[u8]) -> bool {
    let unquoted = line.iter().position(|&octet| octet != b'>').unwrap_or(line.len());
    unquoted > 0 && line.get(unquoted..).is_some_and(|rest| rest.starts_with(b"From "))
}

/// One message of a [`Mbox`]: a stream that ends where the message does.
#[derive(Debug)]
pub struct MboxMessage<'a, R> {
    mbox: &'a mut Mbox<R>,
}

impl<R> MboxMessage<'_, R> {
    /// The `From ` line before the message, with its line end: usually the reverse-path and the
    /// time of delivery. A line of more than 8 KiB is cut.
    pub fn from_line(&self) -> &[u8] {
        &self.mbox.from_line
    }
}

impl<R: BufRead> Read for MboxMessage<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mbox = &mut *self.mbox;
        let mut written = 0;
        while written < out.len() {
            let mut rest = mbox.line.get(mbox.start..).unwrap_or_default();
            if rest.is_empty() {
                if mbox.state != State::Message {
                    break;
                }
                mbox.next_piece()?;
                continue;
            }
            let count = rest.read(out.get_mut(written..).unwrap_or_default())?;
            mbox.start += count;
            written += count;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(file: &str) -> Vec<String> {
        let mut mbox = Mbox::new(file.as_bytes());
        let mut messages = Vec::new();
        while let Some(message) = mbox.next_message().unwrap() {
            messages.push(io::read_to_string(message).unwrap());
        }
        messages
    }

    #[test]
    fn quoted_from_lines() {
        let file = "From x\nA: 1\n\n>From a\n>>From b\n> From c\n>Fromage\nFrom d\n\n\n\nFrom y\n";
        let first = "A: 1\n\nFrom a\n>From b\n> From c\n>Fromage\nFrom d\n\n\n";
        assert_eq!(messages(file), [first, ""]);
    }

    #[test]
    fn crlf_and_the_end_of_the_file() {
        assert_eq!(messages("From x\r\nA: 1\r\n\r\nFrom y\r\n\r\nb"), ["A: 1\r\n", "\r\nb"]);
        assert_eq!(messages("From x\nA: 1\n\nb\n\n"), ["A: 1\n\nb\n"]);
        assert_eq!(messages(""), [""; 0]);
    }

    #[test]
    fn long_lines() {
        let long = "x".repeat(20_000);
        let file = format!("From {long}\nA: {long}From \n\n{long}\n\nFrom y\nB: 2\n");
        assert_eq!(messages(&file), [format!("A: {long}From \n\n{long}\n"), "B: 2\n".into()]);
    }

    #[test]
    fn no_mbox() {
        let error = Mbox::new(&b"A: 1\n"[..]).next_message().unwrap_err();
        assert_eq!(error.to_string(), "the mailbox does not begin with a \"From \" line");
    }

    #[test]
    fn what_is_left_is_skipped() {
        let mut mbox = Mbox::new(&b"From x\nA: 1\n\n>From b\n\nFrom y\nB: 2\n"[..]);
        assert_eq!(mbox.next_message().unwrap().unwrap().from_line(), b"From x\n");
        let mut message = mbox.next_message().unwrap().unwrap();
        assert_eq!(message.from_line(), b"From y\n");
        let mut text = String::new();
        message.read_to_string(&mut text).unwrap();
        assert_eq!(text, "B: 2\n");
    }
}
