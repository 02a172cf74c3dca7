//! Octets from outside, made safe for a terminal and a log.

use std::fmt;

/// `octets` in print: everything that could steer a terminal or deceive a reader is escaped.
///
/// Escaped are control characters (C0, DEL, C1), characters that are invisible or change the
/// direction of writing, octets that are not UTF-8, and the backslash itself, so that the print
/// says exactly what the octets were.
///
/// ```
/// use mailproof_cli::escape::visible;
///
/// assert_eq!(visible(b"\x1b[31mred\xff").to_string(), "\\x1b[31mred\\xff");
/// assert_eq!(visible("a\u{202e}b".as_bytes()).to_string(), "a\\u{202e}b");
/// ```
pub fn visible(octets: &[u8]) -> Visible<'_> {
    Visible { octets, ascii: false, backslash: true }
}

/// As [`visible`], every octet beyond ASCII escaped too: one column for each character printed.
pub fn visible_ascii(octets: &[u8]) -> Visible<'_> {
    Visible { octets, ascii: true, backslash: true }
}

/// A sentence of one of the libraries, which have escaped in it what they quote, made safe once
/// more: as [`visible`], but a backslash stays as it is.
pub fn safe(sentence: &str) -> Visible<'_> {
    Visible { octets: sentence.as_bytes(), ascii: false, backslash: false }
}

/// See [`visible`].
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a> {
    octets: &'a [u8],
    ascii: bool,
    /// Whether a backslash is escaped.
    backslash: bool,
}

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.octets.utf8_chunks() {
            let mut rest = chunk.valid();
            // What needs no escape, nearly always all of it, goes out at once.
            while let Some((at, character)) = rest.char_indices().find(|(_, it)| self.escapes(*it))
            {
                let (harmless, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
                f.write_str(harmless)?;
                escaped(character, f)?;
                rest = from.get(character.len_utf8()..).unwrap_or_default();
            }
            f.write_str(rest)?;
            for octet in chunk.invalid() {
                write!(f, "\\x{octet:02x}")?;
            }
        }
        Ok(())
    }
}

impl Visible<'_> {
    fn escapes(&self, character: char) -> bool {
        match character {
            '\\' => self.backslash,
            ' '..='~' => false,
            _ => self.ascii || character.is_ascii() || deceives(character),
        }
    }
}

fn escaped(character: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match character {
        '\\' => f.write_str("\\\\"),
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        '\n' => f.write_str("\\n"),
        _ if character.is_ascii() => write!(f, "\\x{:02x}", u32::from(character)),
        _ => write!(f, "\\u{{{:x}}}", u32::from(character)),
    }
}

/// Characters that show nothing, break the line or turn the direction of writing.
fn deceives(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_harmless_stays() {
        assert_eq!(visible("Grüße, 世界".as_bytes()).to_string(), "Grüße, 世界");
        assert_eq!(safe("a\\x1b \u{1b}").to_string(), "a\\x1b \\x1b");
        assert_eq!(visible_ascii("Grüße".as_bytes()).to_string(), "Gr\\u{fc}\\u{df}e");
    }

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        for (octets, print) in [
            (&b"\x1b]0;title\x07"[..], "\\x1b]0;title\\x07"),
            (b"a\r\nb\tc\\", "a\\r\\nb\\tc\\\\"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
            ("\u{2066}\u{200b}\u{feff}".as_bytes(), "\\u{2066}\\u{200b}\\u{feff}"),
            (b"\xc3(\x80", "\\xc3(\\x80"),
        ] {
            assert_eq!(visible(octets).to_string(), print);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(octets: Vec<u8>) {
            let print = visible(&octets).to_string();
            prop_assert!(!print.chars().any(|c| c.is_control() || deceives(c)));
            prop_assert!(visible_ascii(&octets).to_string().bytes().all(|b| (0x20..0x7f).contains(&b)));
        }
    }
}
