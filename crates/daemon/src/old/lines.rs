//! The lines of the files, and their values.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;

use mailproof_keygen::{DataSet, DataSetError, DataSetKind};

use super::Directive;
use crate::config::place_of;
use crate::directive::{Class, Format, Kind};
use crate::files::Files;
use crate::finding::{Finding, Place, Severity};
use crate::toml_file::{Origins, closest};
use crate::value::{Item, ItemError, Seconds};

/// How deep files may include others (opendkim.conf(5), "Include").
const DEEPEST: usize = 5;

/// A line with a directive.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) value: String,
    /// Of the value.
    pub(crate) place: Place,
}

/// The directives of a file, and of those that it includes.
#[derive(Debug)]
pub(crate) struct Reader {
    format: Format,
    /// The file itself.
    file: String,
    /// By their names in lower case; the last one counts.
    lines: HashMap<String, Line>,
    pub(crate) directives: Vec<Directive>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) origins: Origins,
}

/// The name and the value of a line, if it has a directive.
pub(super) fn split(format: Format, line: &str) -> Option<(&str, &str)> {
    let line = line.split(['#', '\r']).next().unwrap_or_default().trim();
    let (name, value) = match format {
        Format::PolicydSpf => line.split_once('='),
        _ => line.split_once([' ', '\t']),
    }
    .unwrap_or((line, ""));
    (!line.is_empty()).then_some((name.trim(), value.trim()))
}

impl Reader {
    pub(super) fn new(format: Format, file: &str) -> Reader {
        Reader {
            format,
            file: file.to_owned(),
            lines: HashMap::new(),
            directives: Vec::new(),
            findings: Vec::new(),
            origins: Origins::default(),
        }
    }

    pub(super) fn read(&mut self, file: &str, text: &str, files: &Files, depth: usize) {
        for line in text.lines() {
            let Some((name, value)) = split(self.format, line) else { continue };
            let place = place_of(file, text, name);
            let Some(known) = self.format.directive(name) else {
                self.unknown(name, place);
                continue;
            };
            if value.is_empty() {
                let sentence = format!("{name} has no value");
                self.findings.push(Finding::new(Severity::Error, "no-value", sentence).at(place));
                continue;
            }
            let value_place = place_of(file, text, value);
            if known.kind == Kind::Boolean && boolean(value).is_err() {
                self.bad_value(name, "expected yes or no", value_place);
                continue;
            }
            let is_off = known.class == Class::Unsupported && is_off(known.name, known.kind, value);
            let (class, sentence) = if is_off {
                (Class::Harmless, "It is turned off, and is not there anyway.")
            } else {
                (known.class, known.sentence)
            };
            if class == Class::Unsupported {
                let finding = Finding::new(
                    Severity::Error,
                    "unsupported",
                    format!("{name} is not supported. {sentence}"),
                );
                self.findings.push(finding.at(place.clone()).advice(
                    "Remove the line if you can do without; mailproofd does not start with it, so \
                     that nothing is lost unnoticed.",
                ));
            }
            self.directives.push(Directive {
                place,
                name: name.to_owned(),
                value: value.to_owned(),
                class,
                sentence: sentence.to_owned(),
            });
            if known.name == "Include" {
                self.include(value, value_place, files, depth + 1);
                continue;
            }
            let line = Line { value: value.to_owned(), place: value_place };
            if let Some(before) = self.lines.insert(known.name.to_lowercase(), line) {
                let sentence = format!("{name} is set again below, which counts");
                let finding = Finding::new(Severity::Warning, "directive-twice", sentence);
                self.findings.push(finding.at(before.place));
            }
        }
    }

    fn include(&mut self, file: &str, place: Place, files: &Files, depth: usize) {
        let mut refuse = |sentence: String| {
            let finding = Finding::new(Severity::Error, "include", sentence);
            self.findings.push(finding.at(place.clone()));
        };
        if depth > DEEPEST {
            return refuse(format!("files are included more than {DEEPEST} deep"));
        }
        match files.text(Path::new(file)) {
            Ok(text) => self.read(file, &text, files, depth),
            Err(trouble) => refuse(format!("{file}: {trouble}")),
        }
    }

    fn unknown(&mut self, name: &str, place: Place) {
        // policyd-spf only logs what it does not know; the others do not start.
        let severity = match self.format {
            Format::PolicydSpf => Severity::Warning,
            _ => Severity::Error,
        };
        let sentence = format!("{} has no directive {name:?}", self.format.name());
        let finding = Finding::new(severity, "unknown-directive", sentence).at(place);
        let advice = closest(name, self.format.directives().map(|known| known.name))
            .map(|known| format!("Did you mean {known}?"));
        self.findings.push(Finding { advice, ..finding });
    }

    pub(super) fn bad_value(&mut self, name: &str, why: impl Display, place: Place) {
        let sentence = format!("{name}: {why}");
        self.findings.push(Finding::new(Severity::Error, "bad-value", sentence).at(place));
    }

    pub(super) fn say(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The directive of this name, in lower case.
    pub(super) fn line(&self, name: &str) -> Option<Line> {
        self.lines.get(name).cloned()
    }

    /// A place for what is missing: the file.
    pub(super) fn whole(&self) -> Place {
        Place::line(&self.file, 1)
    }

    /// What a directive says, read, its place kept for the setting `path`.
    pub(super) fn value<T, E: Display>(
        &mut self,
        name: &str,
        path: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Line { value, place } = self.line(name)?;
        match read(&value) {
            Ok(value) => {
                self.origins.set(path, place);
                Some(value)
            }
            Err(why) => {
                let known = self.format.directives().find(|k| k.name.eq_ignore_ascii_case(name));
                self.bad_value(known.map_or(name, |known| known.name), why, place);
                None
            }
        }
    }

    /// As [`Reader::value`], into `target`.
    pub(super) fn set<T, E: Display>(
        &mut self,
        name: &str,
        path: &str,
        target: &mut T,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) {
        if let Some(value) = self.value(name, path, read) {
            *target = value;
        }
    }

    /// Whether a Boolean directive is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.line(name).is_some_and(|line| boolean(&line.value) == Ok(true))
    }

    /// A data set, with a word about the kind if that is mistyped.
    pub(super) fn data_set(&mut self, name: &str, path: &str) -> Option<DataSet> {
        let line = self.line(name)?;
        match line.value.parse() {
            Ok(set) => {
                self.origins.set(path, line.place);
                Some(set)
            }
            Err(error) => {
                self.bad_data_set(name, &error, &line);
                None
            }
        }
    }

    /// The items of a data set that is a list.
    pub(super) fn items(&mut self, name: &str, path: &str, target: &mut Vec<Item>) {
        let Some(set) = self.data_set(name, path) else { return };
        match set.kind {
            DataSetKind::List => self.set(name, path, target, |_| items(&set.location)),
            _ => *target = vec![Item::Set(set)],
        }
    }

    fn bad_data_set(&mut self, name: &str, error: &DataSetError, line: &Line) {
        let shown = self.format.directives().find(|known| known.name.eq_ignore_ascii_case(name));
        let sentence = format!("{}: {error}", shown.map_or(name, |known| known.name));
        let rule = match error {
            DataSetError::Unknown(_) => "data-set-kind",
            _ => "unsupported",
        };
        let finding = Finding::new(Severity::Error, rule, sentence).at(line.place.clone());
        let advice = match error {
            DataSetError::Unknown(kind) => closest(kind, ["csl", "file", "refile"]).map(|kind| {
                let rest = line.value.split_once(':').map_or("", |(_, rest)| rest);
                format!("Did you mean {kind}:{rest}? OpenDKIM does not start with it either.")
            }),
            _ => Some("Write the entries into a file.".to_owned()),
        };
        self.findings.push(Finding { advice, ..finding });
    }
}

/// The parts of a list with commas.
pub(super) fn list(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// The parts of a data set that is a list.
pub(super) fn words(text: &str) -> Result<Vec<String>, &'static str> {
    match text.parse::<DataSet>() {
        Ok(DataSet { kind: DataSetKind::List, location }) => Ok(list(&location).collect()),
        _ => Err("expected a list with commas; no file is read here"),
    }
}

/// The items of a list with commas, none of which is a data set.
pub(super) fn items(text: &str) -> Result<Vec<Item>, ItemError> {
    let each = list(text).map(|part| match part.parse()? {
        item @ Item::One(_) => Ok(item),
        Item::Set(_) => Err(ItemError::NotOne),
    });
    each.collect()
}

/// A Boolean as OpenDKIM reads it: by its first octet.
pub(super) fn boolean(text: &str) -> Result<bool, &'static str> {
    match text.bytes().next() {
        Some(b't' | b'T' | b'y' | b'Y' | b'1') => Ok(true),
        Some(b'f' | b'F' | b'n' | b'N' | b'0') => Ok(false),
        _ => Err("expected yes or no"),
    }
}

/// An integer as strtol(3) reads it with base 0.
pub(super) fn integer(text: &str) -> Result<u64, &'static str> {
    let lower = text.to_ascii_lowercase();
    let number = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (Some(digits), _) => u64::from_str_radix(digits, 16),
        (None, Some(digits)) if !digits.is_empty() => u64::from_str_radix(digits, 8),
        _ => lower.parse(),
    };
    number.map_err(|_| "expected a number")
}

pub(super) fn seconds(text: &str) -> Result<Seconds, &'static str> {
    integer(text).map(Seconds)
}

pub(super) fn count(text: &str) -> Result<usize, &'static str> {
    usize::try_from(integer(text)?).map_err(|_| "the number is too large")
}

/// Whether a directive that is not supported asks for nothing.
fn is_off(name: &str, kind: Kind, value: &str) -> bool {
    let default = [
        ("SenderHeaders", "From"),
        ("UnprotectedKey", "none"),
        ("Per_User", "None"),
        ("Prospective", "None"),
    ];
    let none = ["0", "none", "false"];
    match kind {
        Kind::Boolean => boolean(value) == Ok(false),
        Kind::Integer => integer(value) == Ok(0),
        Kind::Text => {
            none.iter().any(|none| value.eq_ignore_ascii_case(none))
                || default.iter().any(|(n, v)| *n == name && value.eq_ignore_ascii_case(v))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(
            (integer("007"), integer("0x1F"), integer("0"), integer("10")),
            (Ok(7), Ok(31), Ok(0), Ok(10))
        );
        assert!(integer("08").is_err() && integer("").is_err() && integer("-1").is_err());
        assert_eq!(
            (boolean("Yes"), boolean("0"), boolean("on").is_ok()),
            (Ok(true), Ok(false), false)
        );
        let opendkim = |line| split(Format::Opendkim, line);
        assert_eq!(opendkim("Mode\tsv # both"), Some(("Mode", "sv")));
        assert_eq!(opendkim("  Mode sv\r"), Some(("Mode", "sv")));
        assert_eq!((opendkim("#Domain example.com"), opendkim("Mode")), (None, Some(("Mode", ""))));
        assert_eq!(split(Format::PolicydSpf, "debugLevel = 1"), Some(("debugLevel", "1")));
    }
}
