//! Findings that were there before: only what is new is reported.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use serde::{Deserialize, Serialize};

use crate::found::Found;

/// The version of the file.
const VERSION: u32 = 1;

/// Findings by what stays the same of them, and how often each may occur.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    known: HashMap<Entry, usize>,
}

/// What stays the same of a finding when its record moves or grows elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    rule: String,
    domain: String,
    name: String,
    rrtype: String,
    term: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    findings: Vec<Entry>,
}

impl Entry {
    pub(crate) fn of(found: &Found) -> Entry {
        Entry {
            rule: found.rule.id.to_owned(),
            domain: found.domain.clone(),
            name: found.name.clone(),
            rrtype: found.rrtype.clone(),
            term: found.term(),
        }
    }
}

impl Baseline {
    pub(crate) fn read(path: &Path) -> Result<Baseline, Trouble> {
        let name = path.to_string_lossy();
        let octets = fs::read(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
        let file: File = serde_json::from_slice(&octets).map_err(|error| {
            Trouble::input(&*name, format!("not written by --write-baseline: {error}"))
        })?;
        if file.version != VERSION {
            return Err(Trouble::input(&*name, format!("version {} is not known", file.version)));
        }
        let mut baseline = Baseline::default();
        for entry in file.findings {
            *baseline.known.entry(entry).or_default() += 1;
        }
        Ok(baseline)
    }

    /// Whether the finding was there before; each entry stands for one finding.
    pub(crate) fn takes(&mut self, found: &Found) -> bool {
        match self.known.get_mut(&Entry::of(found)) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

/// Writes all findings of a run.
pub(crate) fn write(path: &Path, mut findings: Vec<Entry>) -> Result<(), Trouble> {
    findings.sort();
    let file = File { version: VERSION, findings };
    let text = serde_json::to_string_pretty(&file)
        .map_err(|error| Trouble::input(path.to_string_lossy(), error))?;
    fs::write(path, text + "\n")
        .map_err(|error| Trouble::input(path.to_string_lossy(), reason(&error)))
}
