//! A record with a caret under the octets at fault.

use std::fmt;
use std::ops::Range;

use crate::escape::visible_ascii;

/// How many columns of a record are shown.
const WIDTH: usize = 72;
/// How many columns are shown before the octets at fault when the record is longer than that.
const BEFORE: usize = 24;

/// `octets` on one line and carets under `span` on the next, both behind `indent` spaces.
///
/// What is longer than a line is cut around the span; `…` stands for what is left out.
pub fn caret(octets: &[u8], span: Range<usize>, indent: usize) -> Caret<'_> {
    let end = span.end.min(octets.len());
    Caret { octets, span: span.start.min(end)..end, indent }
}

/// See [`caret`].
#[derive(Debug, Clone)]
pub struct Caret<'a> {
    octets: &'a [u8],
    span: Range<usize>,
    indent: usize,
}

impl fmt::Display for Caret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |range: Range<usize>| {
            visible_ascii(self.octets.get(range).unwrap_or_default()).to_string()
        };
        let before = part(0..self.span.start);
        let fault = part(self.span.clone());
        let after = part(self.span.end..self.octets.len());
        let before = if before.len() + fault.len() + after.len() > WIDTH && before.len() > BEFORE {
            format!("…{}", before.get(before.len() - BEFORE..).unwrap_or_default())
        } else {
            before
        };
        let column = before.chars().count();
        let room = WIDTH.saturating_sub(column);
        let fault = cut(fault, room);
        let carets = fault.chars().count().max(1);
        let after = cut(after, room.saturating_sub(carets));
        let indent = self.indent;
        writeln!(f, "{:indent$}{before}{fault}{after}", "")?;
        write!(f, "{:indent$}{:column$}{}", "", "", "^".repeat(carets))
    }
}

/// `text`, all ASCII, of at most `room` columns.
fn cut(mut text: String, room: usize) -> String {
    if text.len() > room {
        text.truncate(room.saturating_sub(1));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_record_is_shown_whole() {
        let print = caret(b"v=DKIM1; k=rsa; p=?", 18..19, 2).to_string();
        assert_eq!(print, "  v=DKIM1; k=rsa; p=?\n                    ^");
    }

    #[test]
    fn what_is_missing_at_the_end_has_a_caret_behind_it() {
        assert_eq!(caret(b"v=DKIM1;", 8..8, 0).to_string(), "v=DKIM1;\n        ^");
        assert_eq!(caret(b"", 3..9, 0).to_string(), "\n^");
    }

    #[test]
    fn a_long_record_is_cut_around_the_fault() {
        let record = format!("{}!{}", "a".repeat(300), "b".repeat(300));
        let print = caret(record.as_bytes(), 300..301, 0).to_string();
        let (text, carets) = print.split_once('\n').unwrap();
        assert!(text.starts_with("…a") && text.ends_with("b…") && text.chars().count() == WIDTH);
        assert_eq!(text.chars().position(|c| c == '!'), carets.find('^'));
    }

    proptest! {
        #[test]
        fn the_line_is_bounded(octets: Vec<u8>, start: u8, length: u8) {
            let span = usize::from(start)..usize::from(start) + usize::from(length);
            let print = caret(&octets, span, 0).to_string();
            prop_assert!(print.lines().all(|line| line.chars().count() <= WIDTH + BEFORE + 2));
        }
    }
}
