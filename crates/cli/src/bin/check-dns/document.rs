//! TOML read strictly: every key is known, every value has its type, and all errors are told at
//! once with file, line and caret.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use mailproof_cli::caret::caret;
use mailproof_cli::escape::visible;
use mailproof_cli::exit::Trouble;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How many errors are told; more are only counted.
const ERRORS: usize = 20;

/// A TOML file and what is wrong with it so far.
pub(crate) struct Document<'a> {
    name: &'a str,
    text: &'a str,
    /// With the octet each is about.
    errors: RefCell<Vec<(usize, String)>>,
}

/// A value with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<'a> Document<'a> {
    /// Reads `text` by `read`, which takes what it knows from the root table.
    pub(crate) fn read<T>(
        name: &'a str,
        text: &'a str,
        read: impl FnOnce(&Document<'a>, Table<'_>) -> T,
    ) -> Result<T, Trouble> {
        let document = Document { name, text, errors: RefCell::default() };
        let root = match DeTable::parse(text) {
            Ok(root) => root.into_inner(),
            Err(error) => {
                document.error(&error.span().unwrap_or_default(), error.message(), None);
                return Err(document.trouble());
            }
        };
        let value = read(&document, Table::new(&document, &root));
        if document.errors.borrow().is_empty() { Ok(value) } else { Err(document.trouble()) }
    }

    /// Notes an error, and what to do about it.
    pub(crate) fn error(&self, span: &Range<usize>, what: impl Display, advice: Option<String>) {
        let line = self.line(span.start);
        let octets = self.text.as_bytes().get(line.clone()).unwrap_or_default();
        let start = span.start.saturating_sub(line.start);
        let end = span.end.min(line.end).saturating_sub(line.start);
        let (number, column) = self.place(span.start);
        let name = visible(self.name.as_bytes());
        let mut text =
            format!("{name}:{number}:{column}: {what}\n{}", caret(octets, start..end, 4));
        if let Some(advice) = advice {
            text.push_str(&format!("\n    {advice}"));
        }
        self.errors.borrow_mut().push((span.start, text));
    }

    /// The line and the column of an octet, both from 1.
    pub(crate) fn place(&self, octet: usize) -> (usize, usize) {
        let before = self.text.get(..octet).unwrap_or(self.text);
        let line = before.bytes().filter(|&octet| octet == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    fn line(&self, octet: usize) -> Range<usize> {
        let (before, after) = self.text.split_at_checked(octet).unwrap_or((self.text, ""));
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = before.len() + after.find('\n').unwrap_or(after.len());
        start..end
    }

    fn trouble(self) -> Trouble {
        let mut errors = self.errors.into_inner();
        errors.sort();
        let omitted = errors.len().saturating_sub(ERRORS);
        let mut texts: Vec<String> =
            errors.into_iter().take(ERRORS).map(|(_, text)| text).collect();
        if omitted > 0 {
            texts.push(format!("and {omitted} more"));
        }
        Trouble::File(texts.join("\n"))
    }
}

/// A table whose keys are taken one by one; [`Table::end`] complains of those that are left.
pub(crate) struct Table<'d> {
    document: &'d Document<'d>,
    table: &'d DeTable<'d>,
    known: Vec<&'static str>,
}

impl<'d> Table<'d> {
    fn new<'a: 'd>(document: &'d Document<'a>, table: &'d DeTable<'d>) -> Table<'d> {
        Table { document, table, known: Vec::new() }
    }

    fn take(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn wrong<T>(&self, value: &Spanned<DeValue<'_>>, key: &str, expected: &str) -> Option<T> {
        self.document.error(&value.span(), format_args!("`{key}` is {expected}"), None);
        None
    }

    /// A text.
    pub(crate) fn string(&mut self, key: &'static str) -> Option<At<String>> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(At { value: text.to_string(), span: value.span() }),
            _ => self.wrong(value, key, "a text in quotes"),
        }
    }

    /// A text that `parse` understands.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.string(key)?;
        self.accept(&text, parse)
    }

    /// Whether something is so.
    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::Boolean(is_so) => Some(*is_so),
            _ => self.wrong(value, key, "true or false"),
        }
    }

    /// A number within a range.
    pub(crate) fn number(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        match number.filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => {
                let expected = format!("a number from {} to {}", range.start(), range.end());
                self.wrong(value, key, &expected)
            }
        }
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// What `parse` makes of a text of this table.
    pub(crate) fn accept<T>(
        &self,
        text: &At<String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(&text.value).map_err(|reason| self.document.error(&text.span, reason, None)).ok()
    }

    /// A list of texts that `parse` understands; `None` where the key is not there.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let value = self.take(key)?;
        let DeValue::Array(array) = value.get_ref() else {
            return self.wrong(value, key, "a list of texts, as in [\"a\", \"b\"]");
        };
        let mut list = Vec::new();
        for item in array.iter() {
            match item.get_ref() {
                DeValue::String(text) => {
                    let text = At { value: text.to_string(), span: item.span() };
                    list.extend(self.accept(&text, &parse));
                }
                _ => self.document.error(&item.span(), format_args!("`{key}` holds texts"), None),
            }
        }
        Some(list)
    }

    /// A table of texts with free keys, in the order of the keys.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<(At<String>, At<String>)> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            return self.wrong(value, key, "a table, as in { a = \"b\" }").unwrap_or_default();
        };
        let mut texts = Vec::new();
        for (name, item) in table.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push((
                    At { value: name.get_ref().to_string(), span: name.span() },
                    At { value: text.to_string(), span: item.span() },
                )),
                _ => self.document.error(&item.span(), format_args!("`{key}` holds texts"), None),
            }
        }
        texts
    }

    /// A date.
    pub(crate) fn date(&mut self, key: &'static str) -> Option<String> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::Datetime(date) if date.date.is_some() && date.time.is_none() => {
                Some(date.to_string())
            }
            _ => self.wrong(value, key, "a date without quotes, as in 2027-01-31"),
        }
    }

    /// The tables of a table with free keys, in the order of the file.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<(At<String>, Table<'d>)> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else {
            let expected = "a table of tables, as in [domains.\"example.com\"]";
            return self.wrong(value, key, expected).unwrap_or_default();
        };
        let mut tables = Vec::new();
        for (name, item) in table.iter() {
            match item.get_ref() {
                DeValue::Table(table) => tables.push((
                    At { value: name.get_ref().to_string(), span: name.span() },
                    Table::new(self.document, table),
                )),
                _ => self.document.error(&name.span(), format_args!("`{key}` holds tables"), None),
            }
        }
        tables.sort_by_key(|(name, _)| name.span.start);
        tables
    }

    /// A list of tables, each with its place.
    pub(crate) fn array(&mut self, key: &'static str) -> Vec<(Range<usize>, Table<'d>)> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let DeValue::Array(array) = value.get_ref() else {
            let expected = format!("a list of tables, as in [[{key}]]");
            return self.wrong(value, key, &expected).unwrap_or_default();
        };
        let mut tables = Vec::new();
        for item in array.iter() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    tables.push((item.span(), Table::new(self.document, table)));
                }
                _ => self.document.error(&item.span(), format_args!("`{key}` holds tables"), None),
            }
        }
        tables
    }

    /// Complains of every key that nobody took.
    pub(crate) fn end(self) {
        for (key, _) in self.table.iter() {
            if self.known.contains(&key.get_ref().as_ref()) {
                continue;
            }
            let name = visible(key.get_ref().as_bytes()).to_string();
            let advice = match nearest(key.get_ref(), &self.known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("known are {}", self.known.join(", ")),
            };
            self.document.error(&key.span(), format_args!("unknown key `{name}`"), Some(advice));
        }
    }
}

/// The known word that differs least, if it differs little.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: Vec<char> = word.chars().take(64).collect();
    let near = known.iter().map(|known| (distance(&word, known), *known)).min()?;
    (near.0 <= 1 + word.len() / 4).then_some(near.1)
}

/// How many letters have to be changed, put in, taken out or swapped with their neighbour.
fn distance(word: &[char], known: &str) -> usize {
    let known: Vec<char> = known.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=known.len()).collect();
    for (row, letter) in word.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in known.iter().enumerate() {
            let at =
                |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&last, column) + usize::from(letter != other))
                .min(at(&last, column + 1) + 1)
                .min(at(&next, column) + 1);
            let swapped = row > 0
                && column > 0
                && word.get(row - 1) == Some(other)
                && known.get(column - 1) == Some(letter);
            if swapped {
                best = best.min(at(&before, column - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let read = Document::read("m.toml", text, |_, mut root| {
            root.string("profile");
            root.list("selectors", |text| Ok::<_, String>(text.to_owned()));
            root.texts("keys");
            root.date("expires");
            for (_, mut table) in root.tables("domains") {
                table.string("dmarc");
                table.end();
            }
            for (_, mut table) in root.array("suppress") {
                table.string("rule");
                table.end();
            }
            root.end();
        });
        read.map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_sound_document() {
        let text = "profile = 'bulk'\nselectors = ['a']\nkeys = { a = 'b' }\nexpires = 2027-01-31\n\
                    [domains.'example.com']\ndmarc = 'reject'\n[[suppress]]\nrule = 'SPF033'\n";
        assert_eq!(read(text), "");
    }

    #[test]
    fn an_unknown_key_has_a_place_and_a_suggestion() {
        let text = "profile = 'bulk'\n  selctors = ['a']\n[domains.'a.example']\nwhatever = 1\n";
        assert_eq!(
            read(text),
            "m.toml:2:3: unknown key `selctors`\n      selctors = ['a']\n      ^^^^^^^^\n    \
             did you mean `selectors`?\n\
             m.toml:4:1: unknown key `whatever`\n    whatever = 1\n    ^^^^^^^^\n    known are dmarc"
        );
    }

    #[test]
    fn every_wrong_type_is_told() {
        let text =
            "profile = 1\nselectors = 'a'\nkeys = []\nexpires = 'x'\ndomains = 3\nsuppress = 1\n";
        assert_eq!(read(text).lines().filter(|line| line.starts_with("m.toml:")).count(), 6);
        let text = "selectors = [1]\nkeys = { a = 1 }\nsuppress = [1]\n[domains]\nexample = 1\n";
        assert_eq!(read(text).lines().filter(|line| line.starts_with("m.toml:")).count(), 4);
    }

    #[test]
    fn what_is_no_toml() {
        assert!(read("profile = [").starts_with("m.toml:1:"), "{}", read("profile = ["));
    }

    #[test]
    fn near_and_far() {
        let known = ["selectors", "select", "must-pass"];
        assert_eq!(nearest("must_pass", &known), Some("must-pass"));
        assert_eq!(nearest("slecet", &known), Some("select"));
        assert_eq!(nearest("zzz", &known), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String) {
            read(&text);
        }
    }
}
