//! The keys to check.

use std::path::{Path, PathBuf};

use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::key_file::KeyFile;
use mailproof_cli::key_tables::{read_key_table, read_signing_table};
use mailproof_dkim::PrivateKey;
use mailproof_dns::Name;
use mailproof_keygen::{KeyCheck, KeyEntry, KeySource, KeyTable, SigningTable};

use super::Arguments;

/// A key that is meant to be published, or a line of a table that does not lead to one.
pub(super) struct Subject {
    /// Its name in the KeyTable.
    pub(super) name: Option<String>,
    pub(super) file: Option<PathBuf>,
    /// Domain and selector.
    pub(super) place: Option<(Name, Name)>,
    /// What is unsafe about the file.
    pub(super) warning: Option<String>,
    pub(super) key: Result<PrivateKey, Unchecked>,
}

/// Why a key was not looked for.
#[derive(Debug, Clone)]
pub(super) struct Unchecked {
    pub(super) reason: String,
    pub(super) exit: Exit,
}

impl Unchecked {
    fn trouble(reason: impl ToString) -> Unchecked {
        Unchecked { reason: reason.to_string(), exit: Exit::Trouble }
    }
}

impl Subject {
    /// What is to be looked for.
    pub(super) fn check(&self) -> Result<KeyCheck<'_>, Unchecked> {
        let key = self.key.as_ref().map_err(Unchecked::clone)?;
        let Some((domain, selector)) = &self.place else {
            return Err(Unchecked::trouble("it has no name to look for"));
        };
        Ok(KeyCheck::new(key, domain.clone(), selector.clone())?)
    }

    fn of_file(path: &Path, domain: Name, selector: Name) -> Subject {
        let (key, warning) = match KeyFile::read(path) {
            Ok(KeyFile { key, warning }) => (Ok(key), warning),
            Err(trouble) => (Err(Unchecked::trouble(trouble)), None),
        };
        let place = Some((domain, selector));
        Subject { name: None, file: Some(path.to_owned()), place, warning, key }
    }

    /// Of an entry of a KeyTable, for authors in this domain.
    fn of_entry(entry: &KeyEntry, author: &Name) -> Subject {
        let (domain, selector) = (entry.domain(author).clone(), entry.selector.clone());
        let subject = match (&entry.key, entry.path(author)) {
            (_, Some(path)) => Subject::of_file(&path, domain, selector),
            (KeySource::Inline(key), None) => Subject {
                name: None,
                file: None,
                place: Some((domain, selector)),
                warning: None,
                key: key.parse().map_err(Unchecked::trouble),
            },
            (KeySource::File(path), None) => Subject::without_key(Unchecked::trouble(
                format_args!("{path}: the domain {author} has characters that are none of a path"),
            )),
        };
        Subject { name: Some(entry.name.clone()), ..subject }
    }

    fn without_key(unchecked: Unchecked) -> Subject {
        Subject { name: None, file: None, place: None, warning: None, key: Err(unchecked) }
    }
}

/// What the command line asks for.
pub(super) fn subjects(arguments: &Arguments) -> Result<Vec<Subject>, Trouble> {
    let Some(key_table) = &arguments.key_table else {
        let (Some(key), [domain]) = (&arguments.key, arguments.domain.as_slice()) else {
            return Err(Trouble::Usage("one key is checked for one --domain".to_owned()));
        };
        return Ok(vec![Subject::of_file(key, domain.clone(), arguments.selector.clone())]);
    };
    let keys = read_key_table(key_table)?;
    let signing = arguments.signing_table.as_ref().map(read_signing_table).transpose()?;
    let mut authors = arguments.domain.clone();
    authors.extend(signing.iter().flat_map(domains_of));
    authors.sort();
    authors.dedup();
    let mut subjects: Vec<Subject> =
        keys.entries().iter().flat_map(|entry| of_entry(entry, &authors)).collect();
    subjects.extend(signing.iter().flat_map(|signing| without_key(signing, &keys)));
    if subjects.is_empty() {
        return Err(Trouble::Usage("the KeyTable has no key".to_owned()));
    }
    Ok(subjects)
}

/// The domains that the patterns of a SigningTable name without a star.
fn domains_of(table: &SigningTable) -> impl Iterator<Item = Name> + '_ {
    let domain = |pattern: &str| pattern.rsplit('@').next()?.parse::<Name>().ok();
    table
        .entries()
        .iter()
        .filter(|entry| !entry.pattern.rsplit('@').next().is_some_and(|end| end.contains('*')))
        .filter_map(move |entry| domain(&entry.pattern))
}

/// Once, or for each domain of authors if it depends on that.
fn of_entry(entry: &KeyEntry, authors: &[Name]) -> Vec<Subject> {
    if !entry.depends_on_author() {
        return vec![Subject::of_entry(entry, &Name::root())];
    }
    if authors.is_empty() {
        let unchecked = Unchecked::trouble(format_args!(
            "line {} of the KeyTable is for the domain of the author (%): name it with --domain",
            entry.line
        ));
        return vec![Subject { name: Some(entry.name.clone()), ..Subject::without_key(unchecked) }];
    }
    authors.iter().map(|author| Subject::of_entry(entry, author)).collect()
}

/// The names in the SigningTable that are none of the KeyTable.
fn without_key<'t>(
    signing: &'t SigningTable,
    keys: &'t KeyTable,
) -> impl Iterator<Item = Subject> + 't {
    signing.without_key(keys).map(|entry| {
        let reason = format!(
            "line {} of the SigningTable names it, and the KeyTable does not have it: messages of \
             {} cannot be signed",
            entry.line, entry.pattern
        );
        let unchecked = Unchecked { reason, exit: Exit::Bad };
        Subject { name: Some(entry.key_name.clone()), ..Subject::without_key(unchecked) }
    })
}
