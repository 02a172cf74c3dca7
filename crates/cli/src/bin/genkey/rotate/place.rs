//! Where the signer has its key from.

use std::fs;
use std::path::{Path, PathBuf};

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_cli::key_tables::{read_key_table, read_signing_table};
use mailproof_dns::Name;
use mailproof_keygen::{
    DataSet, DataSetKind, KeyEntry, KeySource, KeyTable, add_key, change_key, remove_line,
    rename_key,
};
use zeroize::Zeroizing;

use super::state::{Key, State};
use super::{config, files};

/// Where the signer has its key from, as far as this tool can change it.
pub(super) enum Place<'a> {
    /// The tables of OpenDKIM.
    Tables { keys: &'a DataSet, signing: Option<&'a DataSet> },
    /// The configuration of mailproofd or of OpenDKIM.
    Config(&'a Path),
    /// A configuration that a person changes.
    ByHand,
}

impl<'a> Place<'a> {
    pub(super) fn new(
        keys: Option<&'a DataSet>,
        signing: Option<&'a DataSet>,
        config: Option<&'a Path>,
    ) -> Result<Place<'a>, Trouble> {
        let Some(keys) = keys else { return Ok(config.map_or(Place::ByHand, Place::Config)) };
        if [Some(keys), signing].into_iter().flatten().any(|set| set.kind == DataSetKind::List) {
            let reason = "a table that is a list (csl) stands in the configuration and cannot be \
                          changed here: move it to a file";
            return Err(Trouble::Usage(reason.to_owned()));
        }
        Ok(Place::Tables { keys, signing })
    }

    /// The key that signs for the domain now.
    pub(super) fn current(
        &self,
        domain: &Name,
        selector: Option<&Name>,
        directory: Option<&Path>,
    ) -> Result<Key, Trouble> {
        let named = match self {
            Place::ByHand => {
                let selector = selector.ok_or_else(|| {
                    Trouble::Usage("name the selector of the old key with --selector".to_owned())
                })?;
                let file = directory.unwrap_or(Path::new("")).join(format!("{selector}.private"));
                return Ok(Key { selector: selector.clone(), file, name: None });
            }
            _ => self.keys(domain)?,
        };
        let mut named = named
            .into_iter()
            .filter(|key| selector.is_none_or(|selector| key.selector == *selector))
            .collect::<Vec<Key>>();
        match (named.pop(), named.is_empty()) {
            (Some(key), true) => Ok(key),
            (None, _) => Err(Trouble::Usage(format!(
                "there is no key file for {domain}{}",
                selector.map_or(String::new(), |selector| format!(" with the selector {selector}"))
            ))),
            (Some(last), false) => {
                let selectors = named.iter().chain([&last]).map(|key| key.selector.to_string());
                Err(Trouble::Usage(format!(
                    "there are several keys for {domain}: name one with --selector ({})",
                    selectors.collect::<Vec<_>>().join(", ")
                )))
            }
        }
    }

    /// The keys of the domain that are in files.
    fn keys(&self, domain: &Name) -> Result<Vec<Key>, Trouble> {
        match self {
            Place::Tables { keys, .. } => {
                let table = read_key_table(keys)?;
                let key = |(entry, file): (&KeyEntry, &str)| Key {
                    selector: entry.selector.clone(),
                    file: file.into(),
                    name: Some(entry.name.clone()),
                };
                Ok(entries_of(&table, domain).map(key).collect())
            }
            Place::Config(path) => {
                let keys = config::keys(path, domain)?.into_iter();
                Ok(keys
                    .map(|key| Key { selector: key.selector, file: key.file, name: None })
                    .collect())
            }
            Place::ByHand => Ok(Vec::new()),
        }
    }

    /// Where the key of the domain is, the one of this selector if it has that.
    pub(super) fn directory(
        &self,
        domain: &Name,
        selector: Option<&Name>,
    ) -> Result<PathBuf, Trouble> {
        let keys = self.keys(domain)?;
        let of = |key: &&Key| selector.is_some_and(|selector| key.selector == *selector);
        match keys.iter().find(of).or(keys.first()) {
            Some(key) => Ok(key.file.parent().unwrap_or(Path::new("")).to_owned()),
            None => Err(Trouble::Usage(format!("there is no key file for {domain}"))),
        }
    }

    /// Whether the domain has a key of this selector.
    pub(super) fn has_selector(&self, domain: &Name, selector: &str) -> Result<bool, Trouble> {
        Ok(self.keys(domain)?.iter().any(|key| key.selector.to_string() == selector))
    }

    /// What the KeyTable is to call the new key.
    pub(super) fn new_name(&self, domain: &Name, old: &Key, selector: &Name) -> Option<String> {
        let name = old.name.as_ref()?;
        match self {
            Place::Tables { signing: Some(_), .. } => {
                let (from, to) = (old.selector.to_string(), selector.to_string());
                Some(match name.contains(&from) {
                    true => name.replace(&from, &to),
                    false => format!("{selector}._domainkey.{domain}"),
                })
            }
            // The entry keeps its name, and whatever names it finds the new key.
            _ => Some(name.clone()),
        }
    }

    /// Lets the signer sign with the new key; says what was changed.
    pub(super) fn switch(&self, state: &State) -> Result<Vec<String>, Trouble> {
        let (keys, signing) = match self {
            Place::Tables { keys, signing } => (keys, signing),
            Place::Config(path) => {
                let State { domain, old, new, .. } = state;
                let is_changed =
                    config::change(path, domain, &old.selector, &new.selector, &new.file)?;
                return Ok(is_changed
                    .then(|| path.to_string_lossy().into_owned())
                    .into_iter()
                    .collect());
            }
            Place::ByHand => return Ok(Vec::new()),
        };
        let (Some(old), Some(new)) = (&state.old.name, &state.new.name) else {
            return Err(Trouble::Usage("the rotation was begun without a KeyTable".to_owned()));
        };
        let file = state.new.file.to_string_lossy();
        let mut changed = Vec::new();
        let table = read_key_table(keys)?;
        let text = read(keys)?;
        if old == new {
            let entry = table.key(old).ok_or_else(|| no_entry(old))?;
            let after = change_key(keys.kind, &text, entry, &state.new.selector, &file);
            changed.extend(change(keys, &text, &after)?);
            return Ok(changed);
        }
        if table.key(new).is_none() {
            let after = add_key(&text, new, &state.domain, &state.new.selector, &file);
            changed.extend(change(keys, &text, &after)?);
        }
        if let Some(signing) = signing {
            // It is read as a table first, so that no broken one is written.
            read_signing_table(signing)?;
            let text = read(signing)?;
            changed.extend(change(signing, &text, &rename_key(signing.kind, &text, old, new))?);
        }
        Ok(changed)
    }

    /// Whether the tables still sign with the old key.
    pub(super) fn uses_old(&self, state: &State) -> Result<bool, Trouble> {
        let (Place::Tables { keys, signing }, Some(old)) = (self, &state.old.name) else {
            return self.has_selector(&state.domain, &state.old.selector.to_string());
        };
        Ok(match signing {
            Some(signing) if state.new.name.as_ref() != Some(old) => {
                read_signing_table(signing)?.entries().iter().any(|entry| entry.key_name == *old)
            }
            _ => {
                let table = read_key_table(keys)?;
                table.key(old).is_some_and(|entry| entry.selector == state.old.selector)
            }
        })
    }

    /// Takes the old key out of the KeyTable; says what was changed.
    pub(super) fn retire(&self, state: &State) -> Result<Vec<String>, Trouble> {
        let Place::Tables { keys, .. } = self else { return Ok(Vec::new()) };
        let Some(old) = state.old.name.as_ref().filter(|_| state.old.name != state.new.name) else {
            return Ok(Vec::new());
        };
        let table = read_key_table(keys)?;
        let Some(entry) = table.key(old) else { return Ok(Vec::new()) };
        let text = read(keys)?;
        Ok(change(keys, &text, &remove_line(&text, entry.line))?.into_iter().collect())
    }
}

/// The entries of the domain that have a file.
fn entries_of<'t>(
    table: &'t KeyTable,
    domain: &'t Name,
) -> impl Iterator<Item = (&'t KeyEntry, &'t str)> {
    table.entries().iter().filter_map(move |entry| match &entry.key {
        KeySource::File(file) if entry.domain.as_ref() == Some(domain) => {
            (!entry.depends_on_author()).then_some((entry, file.as_str()))
        }
        _ => None,
    })
}

fn no_entry(name: &str) -> Trouble {
    Trouble::Usage(format!("the KeyTable has no key {name:?} any more"))
}

fn read(set: &DataSet) -> Result<Zeroizing<String>, Trouble> {
    fs::read_to_string(&set.location)
        .map(Zeroizing::new)
        .map_err(|error| Trouble::input(&*set.location, reason(&error)))
}

/// Writes what has changed.
fn change(set: &DataSet, before: &str, after: &str) -> Result<Option<String>, Trouble> {
    if before == after {
        return Ok(None);
    }
    files::replace(Path::new(&set.location), after)?;
    Ok(Some(set.location.clone()))
}
