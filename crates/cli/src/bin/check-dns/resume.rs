//! What an earlier run, that was stopped, has done already.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dns::Name;
use serde::Deserialize;

use crate::summary::Summary;

/// The domains that are done, and what was found for them.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) domains: HashSet<Name>,
    pub(crate) summary: Summary,
    /// Whether the last line was cut off, so that the next begins a line of its own.
    pub(crate) is_cut: bool,
}

#[derive(Deserialize)]
struct Line {
    domain: String,
    complete: bool,
    lookups: usize,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    severity: String,
}

impl Done {
    /// Reads lines of `--format jsonl`; a domain whose check was not complete is not done, and a
    /// line that is cut off does not count.
    pub(crate) fn read(path: &Path) -> Result<Done, Trouble> {
        let trouble = |reason: String| Trouble::input(path.to_string_lossy(), reason);
        let file = File::open(path).map_err(|error| trouble(reason(&error)))?;
        let mut done = Done::default();
        let mut reader = BufReader::new(file);
        let mut text = Vec::new();
        for number in 1_usize.. {
            text.clear();
            let read = reader.read_until(b'\n', &mut text);
            if read.map_err(|error| trouble(reason(&error)))? == 0 {
                break;
            }
            if !text.ends_with(b"\n") {
                done.is_cut = true;
                break;
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice::<Line>(&text) {
                Ok(line) => done.add(&line),
                // Cut off; the run that went on from there has begun a line of its own.
                Err(_) if text.starts_with(b"{") => {}
                Err(error) => {
                    return Err(trouble(format!(
                        "line {number} is none of check-dns --format jsonl: {error}"
                    )));
                }
            }
        }
        Ok(done)
    }

    fn add(&mut self, line: &Line) {
        let Ok(domain) = line.domain.parse::<Name>() else { return };
        if !line.complete || !self.domains.insert(domain) {
            return;
        }
        let count =
            |word: &str| line.findings.iter().filter(|finding| finding.severity == word).count();
        self.summary.domains += 1;
        self.summary.lookups += line.lookups;
        self.summary.errors += count("error");
        self.summary.warnings += count("warning");
        self.summary.infos += count("info");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Done, Trouble> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        Done::read(file.path())
    }

    #[test]
    fn complete_lines_count() {
        let done = read(
            "{\"domain\":\"a.example\",\"complete\":true,\"lookups\":3,\
             \"findings\":[{\"severity\":\"error\"}]}\n\
             {\"domain\":\"b.example\",\"complete\":false,\"lookups\":3,\"findings\":[]}\n\
             {\"domain\":\"c.exa\n\
             {\"domain\":\"d.exam",
        )
        .unwrap();
        assert_eq!(done.domains.len(), 1);
        assert_eq!((done.summary.errors, done.summary.lookups), (1, 3));
        assert!(done.is_cut);
        assert!(read("nonsense\n").is_err());
    }
}
