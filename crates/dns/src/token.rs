//! The words of a master file (RFC 1035 5.1): comments, parentheses, quotes, escapes.

use std::borrow::Cow;
use std::sync::Arc;

use crate::zone_error::{MasterFileError, MasterFileErrorKind as Kind, Place};

/// A point between two words of a file, from which reading can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) offset: usize,
    pub(crate) line: usize,
    line_start: usize,
    /// How many parentheses are open.
    depth: usize,
}

/// A contiguous set of characters, or what stands between two quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    /// The octets as written, escapes not resolved, quotes not included.
    pub(crate) raw: &'a [u8],
    pub(crate) quoted: bool,
    /// Of the first octet of `raw`.
    pub(crate) at: Position,
    /// Of the first octet of the word, which can be a quote.
    pub(crate) start: Position,
}

/// Something wrong, before it is told which file it is in.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    pub(crate) at: Position,
    pub(crate) length: usize,
}

impl Word<'_> {
    pub(crate) fn problem(&self, kind: Kind) -> Problem {
        Problem { kind, at: self.at, length: self.raw.len() }
    }

    /// The word, which may not be written in quotes.
    pub(crate) fn bare(&self) -> Result<&Self, Problem> {
        if self.quoted { Err(self.problem(Kind::Quoted)) } else { Ok(self) }
    }

    /// Whether this is the keyword, written without quotes, in any case.
    pub(crate) fn is_keyword(&self, keyword: &str) -> bool {
        !self.quoted && self.raw.eq_ignore_ascii_case(keyword.as_bytes())
    }

    /// The octets with escapes resolved.
    pub(crate) fn octets(&self) -> Result<Cow<'_, [u8]>, Problem> {
        if memchr::memchr(b'\\', self.raw).is_none() {
            return Ok(Cow::Borrowed(self.raw));
        }
        let mut octets = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(unit) = self.unit(rest)? {
            octets.push(unit.octet);
            rest = unit.rest;
        }
        Ok(Cow::Owned(octets))
    }

    /// The first octet that `rest`, the end of this word, stands for.
    pub(crate) fn unit<'a>(&self, rest: &'a [u8]) -> Result<Option<Unit<'a>>, Problem> {
        let unit = match rest {
            [] => return Ok(None),
            [b'\\', a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
                let digits = [a, b, c].map(|digit| u16::from(digit - b'0'));
                let value = digits.into_iter().fold(0, |value, digit| value * 10 + digit);
                u8::try_from(value).ok().map(|octet| Unit { octet, escaped: true, rest })
            }
            [b'\\', b'0'..=b'9', ..] | [b'\\'] => None,
            [b'\\', octet, rest @ ..] => Some(Unit { octet: *octet, escaped: true, rest }),
            [octet, rest @ ..] => Some(Unit { octet: *octet, escaped: false, rest }),
        };
        let skipped = self.raw.len() - rest.len();
        unit.map(Some).ok_or_else(|| Problem {
            kind: Kind::Escape,
            at: Position { offset: self.at.offset + skipped, ..self.at },
            length: rest.len().min(4),
        })
    }
}

/// One octet of a word, and the word after it.
pub(crate) struct Unit<'a> {
    pub(crate) octet: u8,
    pub(crate) escaped: bool,
    pub(crate) rest: &'a [u8],
}

/// Reads the words of a file, entry by entry.
pub(crate) struct Lexer<'a> {
    octets: &'a [u8],
    now: Position,
    /// The outermost open parenthesis.
    opened: Position,
    /// Whether the end of the entry is read; no word comes until the next one begins.
    ended: bool,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Lexer<'a> {
        // A byte order mark is not text of the file.
        let start = if octets.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Lexer::from(octets, Position { offset: start, line: 1, line_start: start, depth: 0 })
    }

    /// Goes on at a position that an earlier lexer of the same octets was in.
    pub(crate) fn from(octets: &'a [u8], position: Position) -> Lexer<'a> {
        Lexer { octets, now: position, opened: position, ended: false }
    }

    pub(crate) fn position(&self) -> Position {
        self.now
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.now.offset >= self.octets.len()
    }

    /// Begins the next entry; whether it begins with a blank.
    pub(crate) fn begin_entry(&mut self) -> bool {
        self.ended = false;
        matches!(self.rest().first(), Some(b' ' | b'\t'))
    }

    fn rest(&self) -> &'a [u8] {
        self.octets.get(self.now.offset..).unwrap_or_default()
    }

    /// The next word of the entry; `None` where the entry ends.
    pub(crate) fn word(&mut self) -> Result<Option<Word<'a>>, Problem> {
        while !self.ended {
            let rest = self.rest();
            match rest.first() {
                None if self.now.depth > 0 => {
                    self.now.depth = 0;
                    let at = self.opened;
                    return Err(Problem { kind: Kind::UnclosedParenthesis, at, length: 1 });
                }
                None => self.ended = true,
                Some(b' ' | b'\t' | b'\r') => self.now.offset += 1,
                Some(b';') => {
                    self.now.offset += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                Some(b'\n') => {
                    self.now.offset += 1;
                    self.now.line += 1;
                    self.now.line_start = self.now.offset;
                    self.ended = self.now.depth == 0;
                }
                Some(b'(') => {
                    if self.now.depth == 0 {
                        self.opened = self.now;
                    }
                    self.now.depth += 1;
                    self.now.offset += 1;
                }
                Some(b')') => {
                    let at = self.now;
                    self.now.offset += 1;
                    self.now.depth = at.depth.checked_sub(1).ok_or(Problem {
                        kind: Kind::UnopenedParenthesis,
                        at,
                        length: 1,
                    })?;
                }
                Some(b'"') => return self.quoted().map(Some),
                Some(_) => return Ok(Some(self.unquoted())),
            }
        }
        Ok(None)
    }

    fn unquoted(&mut self) -> Word<'a> {
        let at = self.now;
        let rest = self.rest();
        let mut length = 0;
        loop {
            match rest.get(length) {
                None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"') => break,
                Some(b'\\') if !matches!(rest.get(length + 1), None | Some(b'\r' | b'\n')) => {
                    length += 2;
                }
                Some(_) => length += 1,
            }
        }
        self.now.offset += length;
        Word { raw: rest.get(..length).unwrap_or(rest), quoted: false, at, start: at }
    }

    fn quoted(&mut self) -> Result<Word<'a>, Problem> {
        let quote = self.now;
        self.now.offset += 1;
        let at = self.now;
        let rest = self.rest();
        let mut length = 0;
        loop {
            let ahead = rest.get(length..).unwrap_or_default();
            let skipped = memchr::memchr3(b'"', b'\\', b'\n', ahead).unwrap_or(ahead.len());
            length += skipped;
            match (rest.get(length), rest.get(length + 1)) {
                (Some(b'"'), _) => break,
                (Some(b'\\'), Some(next)) if *next != b'\n' => length += 2,
                // Disputed. RFC 1035 5.1: "text literals can contain CRLF within the text"; BIND
                // refuses it, others take it; we refuse it, because one lost quote would swallow
                // the file, and no mail record has a line end. It can be written \010.
                _ => {
                    self.now.offset += length;
                    let kind = Kind::UnclosedQuote;
                    return Err(Problem { kind, at: quote, length: length + 1 });
                }
            }
        }
        self.now.offset += length + 1;
        Ok(Word { raw: rest.get(..length).unwrap_or(rest), quoted: true, at, start: quote })
    }

    /// Leaves the entry, whatever is in it.
    pub(crate) fn skip_entry(&mut self) {
        while !self.ended {
            // Its first problem is reported; the others may follow from that one.
            let _ = self.word();
        }
    }
}

impl Position {
    /// This position in words a person can use; the column counts characters.
    pub(crate) fn place(&self, file: &Arc<str>, octets: &[u8]) -> Place {
        let before = octets.get(self.line_start..self.offset).unwrap_or_default();
        let characters = before.iter().filter(|&&octet| octet & 0xc0 != 0x80).count();
        Place {
            file: Arc::clone(file),
            line: self.line,
            column: characters + 1,
            offset: self.offset,
        }
    }

    pub(crate) fn advanced(self, octets: usize) -> Position {
        Position { offset: self.offset + octets, ..self }
    }
}

impl Problem {
    pub(crate) fn in_file(self, file: &Arc<str>, octets: &[u8]) -> MasterFileError {
        let place = self.at.place(file, octets);
        let span = place.offset..place.offset + self.length;
        MasterFileError { place, span, kind: self.kind }
    }
}
