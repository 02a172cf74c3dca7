//! What is said about a configuration.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Mail is not treated as the administrator believes.
    Warning,
    /// The daemon does not start with it.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn keyword(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The name of the file.
    pub file: String,
    /// The number of the line, from 1.
    pub line: usize,
    /// The line; empty where it must not be shown, since it may hold a key.
    pub text: String,
    /// The octets of the line that matter.
    pub span: Range<usize>,
}

impl Place {
    /// Of `span` in the text of a file.
    pub fn of(file: &str, text: &str, span: Range<usize>) -> Place {
        let start = span.start.min(text.len());
        let before = text.as_bytes().get(..start).unwrap_or_default();
        let line = before.iter().filter(|&&octet| octet == b'\n').count() + 1;
        let begin = before.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
        let whole = text.get(begin..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let end = span.end.saturating_sub(begin).min(whole.len());
        let span = (start - begin).min(end)..end;
        Place { file: file.to_owned(), line, text: whole.to_owned(), span }
    }

    /// A whole line of a file that need not be shown.
    pub fn line(file: &str, line: usize) -> Place {
        Place { file: file.to_owned(), line, text: String::new(), span: 0..0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something about a configuration that its administrator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The rule, words with hyphens, for programs.
    pub rule: &'static str,
    /// Where it is; `None` for what is missing.
    pub place: Option<Place>,
    /// What it is, in a sentence.
    pub sentence: String,
    /// What to do about it, in a sentence.
    pub advice: Option<String>,
}

impl Finding {
    /// A finding without place and advice.
    pub fn new(severity: Severity, rule: &'static str, sentence: impl Into<String>) -> Finding {
        Finding { severity, rule, place: None, sentence: sentence.into(), advice: None }
    }

    /// The finding at this place.
    #[must_use]
    pub fn at(self, place: impl Into<Option<Place>>) -> Finding {
        Finding { place: place.into(), ..self }
    }

    /// The finding with this advice.
    #[must_use]
    pub fn advice(self, advice: impl Into<String>) -> Finding {
        Finding { advice: Some(advice.into()), ..self }
    }
}

/// The worst of the findings.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place() {
        let place = Place::of("f", "one\ntwo three\n", 8..13);
        assert_eq!((place.line, &place.text[place.span.clone()]), (2, "three"));
        assert_eq!(place.to_string(), "f:2");
    }

    proptest! {
        #[test]
        fn any_span_has_a_place(text in "[ab\n]{0,20}", start in 0_usize..30, length in 0_usize..30) {
            let place = Place::of("f", &text, start..start + length);
            prop_assert!(place.text.get(place.span).is_some());
        }
    }
}
