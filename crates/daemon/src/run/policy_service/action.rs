//! What Postfix is to do (access(5)), in a line that is safe whatever is in it.

use std::fmt::{self, Display, Formatter};

/// The characters of a reply. Local choice: with code and address it stays below the 512 octets of
/// a line of a reply (RFC 5321 4.5.3.1.5).
const REPLY: usize = 400;
/// The characters of a field. RFC 5322 2.1.1: a line MUST have no more than 998.
const FIELD: usize = 998;

/// What Postfix is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Whatever else it would do.
    Dunno,
    /// Put this field above the message.
    Prepend(String),
    /// Refuse the recipient: a detail of X.7 (RFC 7372) and a text.
    Reject(u16, String),
    /// Defer the recipient, unless it is refused anyway: a detail of X.7 and a text.
    Defer(u16, String),
}

impl Action {
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Action::Reject(..) | Action::Defer(..))
    }

    pub(crate) fn keyword(&self) -> &'static str {
        match self {
            Action::Dunno => "dunno",
            Action::Prepend(_) => "prepend",
            Action::Reject(..) => "reject",
            Action::Defer(..) => "defer",
        }
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Action::Dunno => f.write_str("DUNNO"),
            Action::Prepend(field) => write!(f, "PREPEND {}", Line(field, FIELD)),
            Action::Reject(detail, text) => write!(f, "550 5.7.{detail} {}", Line(text, REPLY)),
            Action::Defer(detail, text) => {
                write!(f, "DEFER_IF_PERMIT 4.7.{detail} {}", Line(text, REPLY))
            }
        }
    }
}

/// At most so many characters, all of them printable ASCII.
struct Line<'a>(&'a str, usize);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let safe = |c| if matches!(c, ' '..='~') { c } else { '?' };
        self.0.chars().take(self.1).map(safe).try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

/// A folded field on one line.
pub(crate) fn unfold(field: &str) -> String {
    field.replace("\r\n", "").replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_in_it_is_one_line() {
        let hostile = "a\n\naction=OK\r\0\u{85}ü".to_owned();
        let action = Action::Reject(23, hostile.clone());
        assert_eq!(action.to_string(), "550 5.7.23 a??action=OK????");
        assert_eq!(Action::Prepend(hostile).to_string(), "PREPEND a??action=OK????");
        let long = Action::Defer(24, "x".repeat(5000)).to_string();
        assert_eq!(long.len(), "DEFER_IF_PERMIT 4.7.24 ".len() + REPLY);
        assert_eq!(unfold("A: b;\r\n\tc"), "A: b; c");
    }
}
