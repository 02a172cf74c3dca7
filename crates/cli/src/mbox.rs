//! Mailboxes in one file (RFC 4155).

use std::io::{self, BufRead, Read};
use std::mem;

/// How much of a line is held at once; longer lines pass in parts.
const PART: u64 = 1 << 16;

/// How an mbox file, and every message in it, starts.
pub(crate) const START: &[u8] = b"From ";
/// How many octets that are.
pub(crate) const START_OCTETS: u64 = 5;

/// A reader of the messages of an mbox file (RFC 4155), one after the other, in constant memory.
///
/// A message begins after a line that starts with `From ` and follows an empty line or nothing.
/// That empty line is no part of the message before it, and one `>` is taken away from a line like
/// `>From `, as the writer of the file put it there ("mboxrd", and "mboxo" as a rule).
#[derive(Debug)]
pub(crate) struct Mbox<R> {
    reader: R,
    /// A part of the message; the octets before `passed` are passed on.
    part: Vec<u8>,
    passed: usize,
    /// An empty line, which is of the message only if the message goes on after it.
    empty_line: Vec<u8>,
    at_line_start: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In or before the line that starts with `From `.
    Separator,
    Message,
    End,
}

impl<R: BufRead> Mbox<R> {
    /// The messages of `reader`, which starts with [`START`].
    pub(crate) fn new(reader: R) -> Mbox<R> {
        Mbox {
            reader,
            part: Vec::new(),
            passed: 0,
            empty_line: Vec::new(),
            at_line_start: false,
            state: State::Separator,
        }
    }

    /// Goes to the next message; false if there is none. What is left of this one is skipped.
    pub(crate) fn next_message(&mut self) -> io::Result<bool> {
        while self.state == State::Message {
            self.advance()?;
        }
        self.empty_line.clear();
        if self.state == State::End {
            return Ok(false);
        }
        while !self.at_line_start && self.read_part()? {}
        self.part.clear();
        self.at_line_start = true;
        self.state = State::Message;
        Ok(true)
    }

    /// Reads a line, or as much of it as is held at once; false at the end of the file.
    fn read_part(&mut self) -> io::Result<bool> {
        self.part.clear();
        self.passed = 0;
        (&mut self.reader).take(PART).read_until(b'\n', &mut self.part)?;
        self.at_line_start = self.part.ends_with(b"\n");
        Ok(!self.part.is_empty())
    }

    /// Goes to the next part of the message, or to what follows the message.
    fn advance(&mut self) -> io::Result<()> {
        loop {
            let line_start = self.at_line_start;
            if !self.read_part()? {
                self.state = State::End;
                return Ok(());
            }
            if line_start && matches!(self.part.as_slice(), b"\n" | b"\r\n") {
                mem::swap(&mut self.part, &mut self.empty_line);
                if self.part.is_empty() {
                    continue;
                }
                return Ok(());
            }
            if line_start && !self.empty_line.is_empty() && self.part.starts_with(START) {
                self.part.clear();
                self.state = State::Separator;
                return Ok(());
            }
            if line_start && is_quoted(&self.part) {
                self.part.remove(0);
            }
            self.part.splice(..0, self.empty_line.drain(..));
            return Ok(());
        }
    }
}

/// Whether the line is `>From `, or that with more `>` before it.
fn is_quoted(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|&&octet| octet == b'>').count();
    quotes > 0 && line.get(quotes..).is_some_and(|rest| rest.starts_with(START))
}

impl<R: BufRead> Read for Mbox<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Mbox<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.passed >= self.part.len() && self.state == State::Message {
            self.advance()?;
        }
        Ok(self.part.get(self.passed..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.passed += amount;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(file: &[u8]) -> Vec<String> {
        let mut mbox = Mbox::new(file);
        let mut messages = Vec::new();
        while mbox.next_message().unwrap() {
            let mut message = Vec::new();
            mbox.read_to_end(&mut message).unwrap();
            messages.push(String::from_utf8_lossy(&message).into_owned());
        }
        messages
    }

    #[test]
    fn an_empty_line_and_from_separate() {
        let file = b"From a\nA: 1\n\nFrom here it is text\n\n\nFrom b\n\nFrom c\nC: 3\n";
        // The line "From here" follows an empty line, so it is a separator: a writer quotes it.
        assert_eq!(messages(file), ["A: 1\n", "\n", "", "C: 3\n"]);
        assert_eq!(
            messages(b"From a\r\nA: 1\r\n\r\nx\r\nFrom b\r\n"),
            ["A: 1\r\n\r\nx\r\nFrom b\r\n"]
        );
    }

    #[test]
    fn quotes_are_taken_away() {
        assert_eq!(
            messages(b"From a\n\n>From b\n>>From c\n> From d\n"),
            ["\nFrom b\n>From c\n> From d\n"]
        );
    }

    #[test]
    fn the_last_line_may_be_cut_off() {
        assert_eq!(messages(b"From a"), [""]);
        assert_eq!(messages(b"From a\nA: 1\n\nb"), ["A: 1\n\nb"]);
        assert_eq!(messages(b"From a\nA: 1\n\nFrom b"), ["A: 1\n", ""]);
    }

    #[test]
    fn long_lines_pass_in_parts() {
        let long = "x".repeat(200_000);
        let file = format!("From {long}\nA: {long}From \n\nb{long}\n\nFrom {long}\nB: 2\n");
        assert_eq!(
            messages(file.as_bytes()),
            [format!("A: {long}From \n\nb{long}\n"), "B: 2\n".into()]
        );
    }

    #[test]
    fn what_is_left_of_a_message_is_skipped() {
        let mut mbox = Mbox::new(&b"From a\nA: 1\n\nx\n\nFrom b\nB: 2\n"[..]);
        assert!(mbox.next_message().unwrap() && mbox.next_message().unwrap());
        let mut message = String::new();
        mbox.read_to_string(&mut message).unwrap();
        assert_eq!(message, "B: 2\n");
    }

    proptest! {
        #[test]
        fn what_a_writer_quotes_comes_back(bodies in prop::collection::vec("[>From x\n]{0,30}", 1..4)) {
            let mut file = String::new();
            for body in &bodies {
                file.push_str("From someone\n");
                for line in body.lines() {
                    let quote = if is_quoted(format!(">{line}").as_bytes()) { ">" } else { "" };
                    file.push_str(&format!("{quote}{line}\n"));
                }
                file.push('\n');
            }
            let lines = |body: &String| body.lines().map(|line| format!("{line}\n")).collect::<String>();
            prop_assert_eq!(messages(file.as_bytes()), bodies.iter().map(lines).collect::<Vec<_>>());
        }
    }
}
