//! What a run amounts to, in numbers and in one sentence.

use std::fmt;

use mailproof_cli::exit::Exit;
use mailproof_records::Severity;
use serde::Serialize;

use crate::found::Checked;

/// The numbers of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) domains: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    /// Info findings that are reported.
    pub(crate) infos: usize,
    /// How many questions were answered for the domains.
    pub(crate) lookups: usize,
    /// Domains of which something could not be looked up.
    pub(crate) incomplete: usize,
    /// Questions that nobody was asked.
    pub(crate) not_asked: usize,
    /// Findings that are not reported since a suppression names them.
    pub(crate) suppressed: usize,
    /// Findings that are not reported since the baseline has them.
    pub(crate) baseline: usize,
    /// Info findings that are not reported since nobody asked for them.
    pub(crate) not_shown: usize,
    /// Findings that are not reported since there are too many of their domain.
    pub(crate) omitted: usize,
}

impl Summary {
    /// Counts a domain.
    pub(crate) fn add(&mut self, checked: &Checked) {
        let count = |severity| {
            checked.findings.iter().filter(|finding| finding.severity == severity).count()
        };
        self.domains += 1;
        self.errors += count(Severity::Error);
        self.warnings += count(Severity::Warning);
        self.infos += count(Severity::Info);
        self.lookups += checked.lookups;
        self.incomplete += usize::from(!checked.unknown.is_empty());
        self.not_asked += checked.not_asked;
        self.suppressed += checked.suppressed;
        self.baseline += checked.baseline;
        self.not_shown += checked.not_shown;
        self.omitted += checked.omitted;
    }

    /// How the run ends if findings from `least` on are bad.
    pub(crate) fn exit(&self, least: Option<Severity>) -> Exit {
        let bad = match least {
            None => 0,
            Some(Severity::Error) => self.errors,
            Some(Severity::Warning) => self.errors + self.warnings,
            Some(Severity::Info) => self.errors + self.warnings + self.infos,
        };
        match (bad, self.incomplete) {
            (0, 0) => Exit::Good,
            (0, _) => Exit::Temporary,
            _ => Exit::Bad,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
            (self.infos, "info", "infos"),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| number(count, one, many))
            .collect();
        if self.domains == 0 {
            return f.write_str("No domain was checked");
        }
        match (counts.is_empty(), self.incomplete) {
            (true, 0) => f.write_str("All checks passed")?,
            (true, _) => f.write_str("Nothing found")?,
            (false, _) => f.write_str(&counts.join(", "))?,
        }
        write!(
            f,
            " in {}, {}",
            number(self.domains, "domain", "domains"),
            number(self.lookups, "lookup", "lookups")
        )?;
        if self.incomplete > 0 {
            let domains = number(self.incomplete, "domain", "domains");
            write!(f, "; {domains} could not be checked completely: temporary trouble")?;
        }
        if self.not_asked > 0 {
            let lookups = number(self.not_asked, "lookup", "lookups");
            write!(f, "; {lookups} outside the zone files left out")?;
        }
        for (count, what) in [
            (self.suppressed, "suppressed"),
            (self.baseline, "in the baseline"),
            (self.not_shown, "more with -v"),
            (self.omitted, "more not reported"),
        ] {
            if count > 0 {
                write!(f, "; {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// The number with its noun.
pub(crate) fn number(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence() {
        assert_eq!(Summary::default().to_string(), "No domain was checked");
        let summary = Summary { domains: 1, lookups: 6, ..Summary::default() };
        assert_eq!(summary.to_string(), "All checks passed in 1 domain, 6 lookups");
        assert_eq!(summary.exit(Some(Severity::Error)), Exit::Good);
        let summary =
            Summary { domains: 12, errors: 3, warnings: 1, lookups: 94, ..Summary::default() };
        assert_eq!(summary.to_string(), "3 errors, 1 warning in 12 domains, 94 lookups");
        assert_eq!(summary.exit(Some(Severity::Error)), Exit::Bad);
        assert_eq!(summary.exit(None), Exit::Good);
        let summary = Summary { domains: 2, incomplete: 1, suppressed: 2, ..summary };
        assert_eq!(
            summary.to_string(),
            "3 errors, 1 warning in 2 domains, 94 lookups; 1 domain could not be checked \
             completely: temporary trouble; 2 suppressed"
        );
        let summary = Summary { errors: 0, warnings: 0, ..summary };
        assert_eq!(summary.exit(Some(Severity::Warning)), Exit::Temporary);
        assert!(summary.to_string().starts_with("Nothing found in 2 domains"));
    }
}
