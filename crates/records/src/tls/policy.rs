//! The text of an MTA-STS policy (RFC 8461 3.2).

use std::ops::Range;

use mailproof_dns::Name;

use crate::{Report, Severity, Source};

/// RFC 8461 3.2: "maximum value of 31557600".
const MAX_AGE: u64 = 31_557_600;
const DAY: u64 = 86_400;
const KEYS: [&str; 4] = ["version", "mode", "max_age", "mx"];

/// What a policy says, as far as it can be read.
#[derive(Debug, Default)]
pub(crate) struct Policy<'a> {
    pub(super) mode: Option<Mode>,
    pub(super) patterns: Vec<Pattern<'a>>,
}

/// RFC 8461 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Enforce,
    Testing,
    None,
}

/// The value of an "mx", and its line.
#[derive(Debug)]
pub(super) struct Pattern<'a> {
    pub(super) text: &'a str,
    line: Line<'a>,
    span: Range<usize>,
}

/// A line of the policy.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    number: usize,
    octets: &'a [u8],
}

impl Pattern<'_> {
    /// RFC 8461 4.1: "the wildcard character '*' may only be used to match the entire left-most
    /// label".
    pub(super) fn fits(&self, host: &Name) -> bool {
        super::fits(self.text, host)
    }

    /// A finding about the pattern.
    pub(super) fn report(&self, report: &mut Report, id: &str, name: &Name, message: String) {
        let place = (name, Source::Policy, self.line.number);
        report.at_line(id, place, self.line.octets, self.span.clone(), message);
    }
}

/// Judges a policy by itself.
pub(crate) fn policy<'a>(report: &mut Report, name: &Name, octets: &'a [u8]) -> Policy<'a> {
    let mut reader = Reader { report, name, policy: Policy::default(), seen: Vec::new() };
    if octets.len() > reader.report.limits.policy {
        let message = format!("the policy has {} octets", octets.len());
        reader.report.about("STS005", name, Source::Policy, message);
    }
    // A line end behind the last field is no empty line.
    let text = octets.strip_suffix(b"\n").unwrap_or(octets);
    for (index, octets) in text.split(|octet| *octet == b'\n').enumerate() {
        let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
        reader.line(Line { number: index + 1, octets });
    }
    reader.end()
}

struct Reader<'r, 'a> {
    report: &'r mut Report,
    name: &'r Name,
    policy: Policy<'a>,
    seen: Vec<&'static str>,
}

impl<'a> Reader<'_, 'a> {
    fn wrong(&mut self, line: Line<'a>, span: Range<usize>, message: impl Into<String>) {
        let place = (self.name, Source::Policy, line.number);
        self.report.at_line("STS005", place, line.octets, span, message);
    }

    fn line(&mut self, line: Line<'a>) {
        let octets = line.octets;
        if octets.trim_ascii().is_empty() {
            self.wrong(line, 0..octets.len(), "an empty line");
            self.report.severity(Severity::Warning);
            return;
        }
        let Ok(text) = str::from_utf8(octets) else {
            self.wrong(line, 0..octets.len(), "the line is not UTF-8");
            return;
        };
        if text.starts_with('\u{feff}') {
            self.wrong(line, 0..3, "a byte order mark stands before the first field");
            return;
        }
        let Some((key, value)) = text.split_once(':') else {
            self.wrong(line, 0..octets.len(), "no colon stands between a key and a value");
            return;
        };
        let start = key.len() + 1 + value.len() - value.trim_start_matches([' ', '\t']).len();
        let value = value.trim_matches([' ', '\t']);
        let span = start..start + value.len();
        match KEYS.iter().find(|known| **known == key) {
            Some(known) => self.known(known, value, line, span),
            None => self.unknown(key, line),
        }
    }

    /// RFC 8461 3.2: "unknown fields SHALL be ignored."
    fn unknown(&mut self, key: &str, line: Line<'a>) {
        let plain = key.trim().to_ascii_lowercase().replace('-', "_");
        let is_meant = |known: &&&str| **known == plain || known.replace('_', "") == plain;
        if let Some(known) = KEYS.iter().find(is_meant) {
            let message = format!("the key is written {known}, and so this is ignored");
            self.wrong(line, 0..key.len(), message);
        } else if key.is_empty() || key.contains([' ', '\t']) {
            self.wrong(line, 0..key.len(), "this is no key");
        }
    }

    fn known(&mut self, key: &'static str, value: &'a str, line: Line<'a>, span: Range<usize>) {
        if key == "mx" {
            self.seen.push(key);
            self.pattern(value, line, span);
            return;
        }
        // RFC 8461 3.2: "all entries except for the first SHALL be ignored."
        if self.seen.contains(&key) {
            self.wrong(line, 0..key.len(), format!("a second {key} is ignored"));
            self.report.severity(Severity::Warning);
            return;
        }
        self.seen.push(key);
        match (key, value) {
            ("version", "STSv1") => {}
            ("version", _) => self.wrong(line, span, "the version is not STSv1"),
            ("mode", "enforce") => self.policy.mode = Some(Mode::Enforce),
            ("mode", "testing") => {
                self.policy.mode = Some(Mode::Testing);
                self.about_mode(
                    line,
                    span,
                    "mail that cannot be protected is delivered all the same",
                );
            }
            ("mode", "none") => {
                self.policy.mode = Some(Mode::None);
                self.about_mode(line, span, "the policy is being withdrawn");
                self.report.severity(Severity::Info);
            }
            ("mode", _) => self.wrong(line, span, "the mode is not enforce, testing or none"),
            _ => self.age(value, line, span),
        }
    }

    fn about_mode(&mut self, line: Line<'a>, span: Range<usize>, message: &str) {
        let place = (self.name, Source::Policy, line.number);
        self.report.at_line("STS008", place, line.octets, span, message);
    }

    fn age(&mut self, value: &str, line: Line<'a>, span: Range<usize>) {
        let is_number =
            (1..=10).contains(&value.len()) && value.bytes().all(|octet| octet.is_ascii_digit());
        let Some(age) = value.parse::<u64>().ok().filter(|_| is_number) else {
            self.wrong(line, span, "max_age is a number of seconds");
            return;
        };
        if age > MAX_AGE {
            self.wrong(line, span, format!("max_age is {MAX_AGE} at most, a year"));
            return;
        }
        // Whoever withdraws a policy wants it forgotten.
        if age >= 14 * DAY || self.policy.mode == Some(Mode::None) {
            return;
        }
        let place = (self.name, Source::Policy, line.number);
        let message = format!("senders forget the policy after {age} seconds");
        self.report.at_line("STS009", place, line.octets, span, message);
        if age >= DAY {
            self.report.severity(Severity::Info);
        }
    }

    fn pattern(&mut self, value: &'a str, line: Line<'a>, span: Range<usize>) {
        let host = value.strip_prefix("*.").unwrap_or(value);
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let message = if !host.is_ascii() {
            "a name that is not ASCII is written as A-labels: xn--…"
        } else if host.contains([' ', '\t', ',', ';']) {
            "each host has a line of its own"
        } else if host.contains('*') {
            "a * stands for the whole first label, and nothing else"
        } else if host.ends_with('.') {
            "no dot stands at the end of a name"
        } else if host.len() > 253 || !host.split('.').all(is_label) {
            "this is no host name"
        } else {
            self.policy.patterns.push(Pattern { text: value, line, span });
            return;
        };
        self.wrong(line, span, message);
    }

    fn end(self) -> Policy<'a> {
        let Reader { report, name, policy, seen } = self;
        for key in KEYS {
            // RFC 8461 3.2: "required at least once, except when mode is "none"".
            let is_needed = key != "mx" || policy.mode != Some(Mode::None);
            if is_needed && !seen.contains(&key) {
                report.about("STS005", name, Source::Policy, format!("the policy has no {key}"));
            }
        }
        policy
    }
}
