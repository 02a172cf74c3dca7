//! Messages made by a fixed recipe: the same octets on every machine and in every run.

/// What a body looks like, seen by a canonicalization algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Prose in lines of up to 72 octets: single spaces, two after one sentence of twelve; empty
    /// lines between paragraphs; a line of forty ends with a space.
    Text,
    /// The same prose of a typist who puts two spaces after every sentence.
    Typist,
    /// The same prose as format=flowed (RFC 3676): every line of a paragraph ends with a space.
    Flowed,
    /// Base64 in lines of 76 octets.
    Base64,
    /// HTML as people's programs write it: indented, now and then with a tab.
    Html,
    /// Prose of a language with many letters outside ASCII, quoted-printable.
    QuotedPrintable,
    /// Two blanks between single letters and one before each line end: the most work per octet.
    Worst,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Text,
        Self::Typist,
        Self::Flowed,
        Self::Base64,
        Self::Html,
        Self::QuotedPrintable,
        Self::Worst,
    ];

    /// The word for tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Typist => "typist's text",
            Self::Flowed => "flowed text",
            Self::Base64 => "base64",
            Self::Html => "html with runs",
            Self::QuotedPrintable => "quoted-printable",
            Self::Worst => "worst case",
        }
    }
}

/// A body of about `length` octets, CRLF at the end of its lines.
#[must_use]
pub fn body(kind: Kind, length: usize) -> Vec<u8> {
    let mut dice = Dice(length as u64 ^ 0x9e37_79b9_7f4a_7c15);
    let mut body = Vec::with_capacity(length + 4096);
    while body.len() < length {
        match kind {
            Kind::Text => paragraph(&mut body, &mut dice, 12, b""),
            Kind::Typist => paragraph(&mut body, &mut dice, 1, b""),
            Kind::Flowed => paragraph(&mut body, &mut dice, 12, b" "),
            Kind::Base64 => base64_line(&mut body, &mut dice),
            Kind::Html => html_line(&mut body, &mut dice),
            Kind::QuotedPrintable => quoted_line(&mut body, &mut dice),
            Kind::Worst => body.extend_from_slice(b"a  b  a  b  a  b  a  b  a \r\n"),
        }
    }
    body.truncate(length.saturating_sub(2));
    body.extend_from_slice(b"\r\n");
    body
}

/// A header section of a dozen fields, without the empty line.
pub const HEADER: &[u8] = b"Received: from mail.example.org (mail.example.org [192.0.2.17])\r\n\
    \tby mx.example.net (Postfix) with ESMTPS id 4XyZ0123456789ab\r\n\
    \tfor <bob@example.net>; Tue, 24 Nov 2026 10:11:12 +0000 (UTC)\r\n\
    Date: Tue, 24 Nov 2026 11:11:10 +0100\r\n\
    From: \"Alice Example\" <alice@example.org>\r\n\
    To: Bob <bob@example.net>, Carol <carol@example.net>\r\n\
    Cc: list@example.com\r\n\
    Subject: The minutes of the meeting, with a subject that is long enough\r\n \
    to be folded\r\n\
    Message-ID: <20261124101110.4711@mail.example.org>\r\n\
    In-Reply-To: <20261123090807.42@mx.example.net>\r\n\
    References: <20261122080706.7@mx.example.net>\r\n\
    \t<20261123090807.42@mx.example.net>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: 8bit\r\n";

/// A message of about `length` octets: a header section of a dozen fields, and a body.
#[must_use]
pub fn message(kind: Kind, length: usize) -> Vec<u8> {
    let mut message = [HEADER, b"\r\n"].concat();
    message.extend(body(kind, length.saturating_sub(message.len()).max(2)));
    message
}

/// A linear congruential generator: reproducible, and good enough to vary text.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

const WORDS: &[&str] = &[
    "a",
    "and",
    "answer",
    "as",
    "be",
    "before",
    "by",
    "domain",
    "each",
    "for",
    "from",
    "has",
    "have",
    "in",
    "is",
    "it",
    "key",
    "letter",
    "mail",
    "message",
    "name",
    "not",
    "of",
    "on",
    "or",
    "receiver",
    "sender",
    "signature",
    "that",
    "the",
    "this",
    "to",
    "was",
    "we",
    "which",
    "who",
    "will",
    "with",
    "without",
    "yesterday",
    "you",
];

fn paragraph(body: &mut Vec<u8>, dice: &mut Dice, two_spaces_of: usize, flow: &[u8]) {
    let mut column = 0;
    for _ in 0..2 + dice.roll(5) {
        let words = 5 + dice.roll(14);
        for number in 1..=words {
            let word = dice.pick(WORDS);
            if column + word.len() > 70 {
                if flow.is_empty() {
                    // No blank before the line end, but in one line of forty.
                    body.truncate(body.trim_ascii_end().len());
                    body.extend_from_slice(if dice.roll(40) == 0 { b" " } else { b"" });
                }
                body.extend_from_slice(b"\r\n");
                column = 0;
            }
            body.extend_from_slice(word.as_bytes());
            column += word.len() + 1;
            if number < words {
                body.push(b' ');
            }
        }
        let stop: &[u8] = if dice.roll(two_spaces_of) == 0 { b".  " } else { b". " };
        body.extend_from_slice(stop);
        column += stop.len();
    }
    body.truncate(body.trim_ascii_end().len());
    body.extend_from_slice(b"\r\n\r\n");
}

fn base64_line(body: &mut Vec<u8>, dice: &mut Dice) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    body.extend((0..76).map(|_| ALPHABET[dice.roll(64)]));
    body.extend_from_slice(b"\r\n");
}

fn html_line(body: &mut Vec<u8>, dice: &mut Dice) {
    let depth = dice.roll(7);
    if dice.roll(8) == 0 {
        body.resize(body.len() + depth, b'\t');
    } else {
        body.resize(body.len() + depth * 2, b' ');
    }
    let element = dice.pick(&["td", "div", "span", "p", "a", "li"]);
    let style = dice.pick(&[
        "class=\"cell\"",
        "style=\"font-family: Arial, sans-serif; font-size: 14px; color: #333333;\"",
        "align=\"left\" valign=\"top\" width=\"600\"",
        "href=\"https://www.example.com/a/b?c=d&amp;e=f\"",
    ]);
    body.extend_from_slice(format!("<{element} {style}>").as_bytes());
    for _ in 0..dice.roll(6) {
        body.extend_from_slice(dice.pick(WORDS).as_bytes());
        body.push(b' ');
    }
    body.extend_from_slice(format!("</{element}>\r\n").as_bytes());
}

fn quoted_line(body: &mut Vec<u8>, dice: &mut Dice) {
    let start = body.len();
    while body.len() - start < 68 {
        body.extend_from_slice(dice.pick(WORDS).as_bytes());
        body.extend_from_slice(
            dice.pick(&["=C3=A4 ", "=C3=B6=C3=9F ", "en ", " ", ", ", ". "]).as_bytes(),
        );
    }
    body.extend_from_slice(b"=\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_as_long_as_asked_and_always_the_same() {
        for kind in Kind::ALL {
            let first = body(kind, 10_000);
            assert_eq!(first.len(), 10_000);
            assert!(first.ends_with(b"\r\n"));
            assert_eq!(first, body(kind, 10_000));
        }
        assert_eq!(message(Kind::Text, 10_000).len(), 10_000);
    }
}
