//! The SigningTable of OpenDKIM: which authors' messages are signed with which keys.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use crate::data_set::{DataSetKind, span};
use crate::key_table::KeyTable;
use crate::table::{TableError, TableErrorKind, TableWarning, TableWarningKind};

/// A SigningTable (opendkim.conf(5)).
///
/// ```
/// use mailproof_keygen::{DataSetKind, SigningTable};
///
/// let text = "boss@example.com special\n*@example.com 2026._domainkey.example.com\n";
/// let table = SigningTable::parse(DataSetKind::Refile, text)?;
/// let keys: Vec<_> = table.matches("joe@example.com").map(|found| found.key_name).collect();
/// assert_eq!(keys, ["2026._domainkey.example.com"]);
/// # Ok::<(), mailproof_keygen::TableError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SigningTable {
    kind: DataSetKind,
    entries: Vec<SigningEntry>,
    /// Of patterns in lower case; only what is no refile is looked up.
    by_pattern: HashMap<String, usize>,
    warnings: Vec<TableWarning>,
}

/// An entry of a SigningTable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningEntry {
    /// The number of its line, from 1; in a list, of the entry.
    pub line: usize,
    /// What authors it is for.
    pub pattern: String,
    /// The name of a key in the KeyTable; `%` is the domain of the author.
    pub key_name: String,
    /// What tag i= is to be; each `%` in it is the domain of the author.
    pub signer: Option<String>,
}

/// An entry that matches an author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match<'t> {
    /// The entry.
    pub entry: &'t SigningEntry,
    /// The name of the key in the KeyTable.
    pub key_name: String,
    /// What tag i= is to be. OpenDKIM leaves it out where its domain is not d= or below it.
    pub signer: Option<String>,
}

impl SigningTable {
    /// Reads a table.
    ///
    /// # Errors
    /// The first line that cannot be used.
    pub fn parse(kind: DataSetKind, text: &str) -> Result<SigningTable, TableError> {
        let mut table = SigningTable {
            kind,
            entries: Vec::new(),
            by_pattern: HashMap::new(),
            warnings: Vec::new(),
        };
        for entry in kind.entries(text) {
            let line = entry.line;
            let error = |part: &str, kind| TableError { line, kind, span: span(text, part) };
            if entry.is_passed_over {
                table.warnings.push(TableWarning { line, kind: TableWarningKind::PassedOver });
                continue;
            }
            if entry.value.is_empty() {
                return Err(error(entry.key, TableErrorKind::NoValue));
            }
            let live =
                entry.key.find(is_regular_expression).filter(|_| kind == DataSetKind::Refile);
            if let Some(character) = live.and_then(|at| entry.key.get(at..)?.chars().next()) {
                return Err(error(entry.key, TableErrorKind::Pattern(character)));
            }
            let (key_name, signer) = match entry.value.split_once(':') {
                Some((key_name, signer)) => (key_name.trim_end(), Some(signer.trim_start())),
                None => (entry.value, None),
            };
            if key_name.is_empty() {
                return Err(error(entry.value, TableErrorKind::NoKeyName));
            }
            table.push(SigningEntry {
                line,
                pattern: entry.key.to_owned(),
                key_name: key_name.to_owned(),
                signer: signer.filter(|signer| !signer.is_empty()).map(str::to_owned),
            });
        }
        Ok(table)
    }

    fn push(&mut self, entry: SigningEntry) {
        let line = entry.line;
        if self.kind != DataSetKind::Refile {
            let never = entry.pattern.contains('*')
                && entry.pattern != "*"
                && !entry.pattern.ends_with("@*");
            if never {
                let kind = TableWarningKind::NoRefile(entry.pattern.clone());
                self.warnings.push(TableWarning { line, kind });
            }
            match self.by_pattern.entry(entry.pattern.to_lowercase()) {
                Slot::Vacant(slot) => {
                    slot.insert(self.entries.len());
                }
                Slot::Occupied(slot) => {
                    let first = self.entries.get(*slot.get()).map_or(0, |entry| entry.line);
                    let kind = TableWarningKind::Repeated { key: entry.pattern, first };
                    self.warnings.push(TableWarning { line, kind });
                    return;
                }
            }
        }
        self.entries.push(entry);
    }

    /// The entries that match an author, `user@domain`, in the order of the table. OpenDKIM signs
    /// with the first alone unless `MultipleSignatures` is set.
    ///
    /// In a refile that is the order of the lines. In any other table it is: the address, its
    /// domain, then for each domain above it `user@.domain` and `.domain`, then `user@*` and `*`.
    pub fn matches<'t>(&'t self, author: &str) -> impl Iterator<Item = Match<'t>> + use<'t> {
        let author = author.to_lowercase();
        let domain = author.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
        let found: Vec<&SigningEntry> = match self.kind {
            DataSetKind::Refile => {
                let matching = |entry: &&SigningEntry| is_like(&entry.pattern, &author);
                self.entries.iter().filter(matching).collect()
            }
            DataSetKind::List | DataSetKind::File => {
                candidates(&author).iter().filter_map(|key| self.exactly(key)).collect()
            }
        };
        found.into_iter().map(move |entry| Match {
            entry,
            key_name: match entry.key_name.as_str() {
                "%" => domain.clone(),
                name => name.to_owned(),
            },
            signer: entry.signer.as_ref().map(|signer| signer.replace('%', &domain)),
        })
    }

    fn exactly(&self, pattern: &str) -> Option<&SigningEntry> {
        self.entries.get(*self.by_pattern.get(pattern)?)
    }

    /// All entries that count, in their order.
    pub fn entries(&self) -> &[SigningEntry] {
        &self.entries
    }

    /// Lines that do not do what they seem to.
    pub fn warnings(&self) -> &[TableWarning] {
        &self.warnings
    }

    /// The entries that name a key the KeyTable does not have: a message they match cannot be
    /// signed. Those that name the domain of the author are not among them.
    pub fn without_key<'t>(
        &'t self,
        keys: &'t KeyTable,
    ) -> impl Iterator<Item = &'t SigningEntry> + use<'t> {
        let unknown =
            |entry: &&SigningEntry| entry.key_name != "%" && keys.key(&entry.key_name).is_none();
        self.entries.iter().filter(unknown)
    }
}

/// What OpenDKIM looks up for an address in a table that is no refile.
fn candidates(author: &str) -> Vec<String> {
    let Some((user, domain)) = author.rsplit_once('@') else { return Vec::new() };
    let mut candidates = vec![author.to_owned(), domain.to_owned()];
    let mut rest = domain;
    while let Some((_, parent)) = rest.split_once('.') {
        candidates.extend([format!("{user}@.{parent}"), format!(".{parent}")]);
        rest = parent;
    }
    candidates.extend([format!("{user}@*"), "*".to_owned()]);
    candidates
}

/// Characters that OpenDKIM hands on to the library of regular expressions.
fn is_regular_expression(character: char) -> bool {
    matches!(character, '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '^' | '$' | '\\')
}

/// Whether a text, in lower case, is like the pattern of a refile, in which `*` stands for any
/// characters.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The first place is as good as any: what follows has the most room.
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_without_a_key() {
        let text = "*@* %\n*@example.com gone\n";
        let table = SigningTable::parse(DataSetKind::Refile, text).unwrap();
        let keys = KeyTable::default();
        assert_eq!(table.without_key(&keys).map(|entry| entry.line).collect::<Vec<_>>(), [2]);
    }

    /// The definition, in exponential time.
    fn is_like_by_definition(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => {
                (0..=text.len()).any(|skip| is_like_by_definition(rest, &text[skip..]))
            }
            [first, rest @ ..] => {
                text.first() == Some(first) && is_like_by_definition(rest, &text[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_by_definition(pattern in "[ab*]{0,8}", text in "[ab]{0,8}") {
            let characters = |text: &str| text.chars().collect::<Vec<char>>();
            let expected = is_like_by_definition(&characters(&pattern), &characters(&text));
            prop_assert_eq!(is_like(&pattern, &text), expected);
        }

        #[test]
        fn no_text_panics(text in "[a%:@* \n#=,.é-]{0,60}", author in "[a@.é]{0,9}") {
            for kind in [DataSetKind::List, DataSetKind::File, DataSetKind::Refile] {
                match SigningTable::parse(kind, &text) {
                    Ok(table) => drop(table.matches(&author).count()),
                    Err(error) => prop_assert!(text.get(error.span).is_some()),
                }
            }
        }
    }
}
