//! What is kept of a rotation between runs, in a file beside the keys.

use std::fs;
use std::path::{Path, PathBuf};

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dns::Name;
use mailproof_keygen::{Rotation, Step};
use serde::{Deserialize, Serialize};

use super::files;

/// The version of the file.
const VERSION: u32 = 1;
const ENDING: &str = "rotation.toml";

/// A rotation of the key of a domain.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) domain: Name,
    pub(super) old: Key,
    pub(super) new: Key,
    /// The highest TTL seen of their records, in seconds.
    pub(super) ttl: u32,
    pub(super) rotation: Rotation,
}

/// One of the two keys.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) selector: Name,
    pub(super) file: PathBuf,
    /// Its name in the KeyTable.
    pub(super) name: Option<String>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    domain: String,
    ttl: u32,
    old: KeyEntry,
    new: KeyEntry,
    /// When each step was taken, in seconds since 1970.
    #[serde(default)]
    taken: Taken,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    selector: String,
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Taken {
    #[serde(skip_serializing_if = "Option::is_none")]
    make: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publish: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    switch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoke: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retire: Option<u64>,
}

impl Key {
    fn entry(&self) -> KeyEntry {
        let (selector, file) = (self.selector.to_string(), self.file.clone());
        KeyEntry { selector, file, name: self.name.clone() }
    }

    fn read(entry: KeyEntry) -> Result<Key, String> {
        let selector = entry.selector.parse();
        let selector = selector.map_err(|_| format!("{:?} is no selector", entry.selector))?;
        Ok(Key { selector, file: entry.file, name: entry.name })
    }
}

impl State {
    /// Where the state is kept.
    pub(super) fn path(&self) -> PathBuf {
        let name = format!("{}._domainkey.{}.{ENDING}", self.old.selector, self.domain);
        self.new.file.parent().unwrap_or(Path::new("")).join(name)
    }

    /// Keeps it.
    pub(super) fn write(&self) -> Result<(), Trouble> {
        let taken = |step| self.rotation.taken(step);
        let document = Document {
            version: VERSION,
            domain: self.domain.to_string(),
            ttl: self.ttl,
            old: self.old.entry(),
            new: self.new.entry(),
            taken: Taken {
                make: taken(Step::Make),
                publish: taken(Step::Publish),
                switch: taken(Step::Switch),
                revoke: taken(Step::Revoke),
                retire: taken(Step::Retire),
            },
        };
        let path = self.path();
        let text = toml::to_string(&document)
            .map_err(|error| Trouble::input(path.to_string_lossy(), error))?;
        let text = format!(
            "# Kept by `genkey rotate`: which steps of the change of keys were taken, in seconds \
             since 1970.\n{text}"
        );
        files::replace(&path, &text)
    }

    fn read(path: &Path) -> Result<State, Trouble> {
        let trouble = |reason: String| Trouble::input(path.to_string_lossy(), reason);
        let text = fs::read_to_string(path).map_err(|error| trouble(reason(&error)))?;
        State::parse(&text).map_err(trouble)
    }

    fn parse(text: &str) -> Result<State, String> {
        let document: Document =
            toml::from_str(text).map_err(|error| format!("no state of a rotation: {error}"))?;
        if document.version != VERSION {
            return Err(format!("version {} is of another genkey", document.version));
        }
        let mut rotation = Rotation::default();
        let Taken { make, publish, switch, revoke, retire } = document.taken;
        for (step, time) in Step::ALL.into_iter().zip([make, publish, switch, revoke, retire]) {
            match time {
                Some(time) if rotation.next() == Some(step) => rotation.take(step, time),
                Some(_) => return Err("a step was taken before the one before it".to_owned()),
                None => {}
            }
        }
        Ok(State {
            domain: document.domain.parse().map_err(|_| "the domain is no name".to_owned())?,
            old: Key::read(document.old)?,
            new: Key::read(document.new)?,
            ttl: document.ttl,
            rotation,
        })
    }

    /// The rotation of the domain that is kept in `directory`: the one under way, or else the last
    /// that was completed; that of the selector, if one is named.
    pub(super) fn find(
        directory: &Path,
        domain: &Name,
        selector: Option<&Name>,
    ) -> Result<Option<State>, Trouble> {
        let trouble = |error: &std::io::Error| Trouble::Directory {
            name: directory.to_string_lossy().into_owned(),
            reason: reason(error),
        };
        let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let suffix = format!("._domainkey.{domain}.{ENDING}");
        let mut states = Vec::new();
        for entry in fs::read_dir(here).map_err(|error| trouble(&error))? {
            let name = entry.map_err(|error| trouble(&error))?.file_name();
            if name.to_string_lossy().ends_with(&suffix) {
                states.push(State::read(&directory.join(name))?);
            }
        }
        if let Some(selector) = selector {
            let of = |state: &State| [&state.old, &state.new].map(|key| key.selector == *selector);
            states.retain(|state| of(state).contains(&true));
        }
        states.sort_by_key(|state| state.rotation.taken(Step::Make));
        let under_way = states.iter().filter(|state| state.rotation.next().is_some()).count();
        if under_way > 1 {
            return Err(Trouble::Usage(format!(
                "several keys of {domain} are being changed: name one with --selector"
            )));
        }
        let at = states.iter().position(|state| state.rotation.next().is_some());
        Ok(match at {
            Some(at) => Some(states.swap_remove(at)),
            None => states.pop(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again() {
        let home = tempfile::tempdir().unwrap();
        let key = |selector: &str| Key {
            selector: selector.parse().unwrap(),
            file: home.path().join(format!("{selector}.private")),
            name: Some(format!("{selector} key")),
        };
        let mut state = State {
            domain: "example.com".parse().unwrap(),
            old: key("2025"),
            new: key("2026"),
            ttl: 3600,
            rotation: Rotation::default(),
        };
        state.rotation.take(Step::Make, 5);
        state.write().unwrap();
        let find = |selector: Option<&str>| {
            let selector = selector.map(|selector| selector.parse().unwrap());
            State::find(home.path(), &state.domain, selector.as_ref()).unwrap()
        };
        let found = find(None).unwrap();
        assert_eq!((found.rotation, found.new.name), (state.rotation, state.new.name.clone()));
        assert!(find(Some("2026")).is_some() && find(Some("2024")).is_none());
        assert!(State::find(home.path(), &"example.org".parse().unwrap(), None).unwrap().is_none());
        for (from, to) in [("version = 1", "version = 2"), ("make =", "publish ="), ("ttl", "tll")]
        {
            let text = fs::read_to_string(state.path()).unwrap().replace(from, to);
            assert!(State::parse(&text).is_err(), "{text}");
        }
    }
}
