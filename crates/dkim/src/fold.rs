//! Writing a header field in lines of at most 78 columns (RFC 5322 2.1.1).

/// How wide a line may be.
const COLUMNS: usize = 78;
/// How wide the white space is that continues a field: a tab is shown as up to eight columns.
const INDENT: usize = 8;

/// A header field as it is written, folded where white space may stand.
pub struct Folder {
    octets: Vec<u8>,
    column: usize,
}

impl Folder {
    /// Begins a field with its name and colon.
    pub fn new(name: &str) -> Folder {
        Folder { octets: name.into(), column: name.len() }
    }

    /// A word with white space before it.
    pub fn word(&mut self, word: &str) {
        if self.column + 1 + word.len() > COLUMNS {
            self.fold();
        } else {
            self.octets.push(b' ');
            self.column += 1;
        }
        self.push(word);
    }

    /// A word that stands close to what is before it, unless it is on a new line.
    pub fn part(&mut self, word: &str) {
        if self.column + word.len() > COLUMNS {
            self.fold();
        }
        self.push(word);
    }

    /// A text that may be folded anywhere, such as base64.
    pub fn text(&mut self, mut text: &str) {
        while !text.is_empty() {
            let room = COLUMNS.saturating_sub(self.column);
            let Some((line, rest)) = text.split_at_checked(room) else { break };
            self.push(line);
            self.fold();
            text = rest;
        }
        self.push(text);
    }

    /// The field so far.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The field, with its final CRLF.
    pub fn finish(mut self) -> Vec<u8> {
        self.octets.extend_from_slice(b"\r\n");
        self.octets
    }

    fn fold(&mut self) {
        self.octets.extend_from_slice(b"\r\n\t");
        self.column = INDENT;
    }

    fn push(&mut self, text: &str) {
        self.octets.extend_from_slice(text.as_bytes());
        self.column += text.len();
    }
}
