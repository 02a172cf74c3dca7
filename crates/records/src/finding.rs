//! Findings and reports.

use std::ops::Range;

use mailproof_dns::{Name, RecordType};

use crate::{Rule, Severity, catalogue};

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The severity under the profile.
    pub severity: Severity,
    /// The owner of the record.
    pub name: Name,
    /// Its type.
    pub rrtype: RecordType,
    /// Its text, if it has one.
    pub record: Option<Vec<u8>>,
    /// The octets at fault.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What receivers make of it.
    pub consequence: String,
    /// What to do.
    pub fix: Option<String>,
}

/// What an SPF record spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpfBudget {
    /// Terms that cause lookups.
    pub lookups: usize,
    /// Lookups that give nothing.
    pub void: usize,
    /// IPv4 addresses in the networks that pass, each counted once.
    pub addresses: u64,
}

/// What was found for a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
    /// What the SPF record spends, if there is one.
    pub spf: Option<SpfBudget>,
    /// The last finding was one too many.
    is_full: bool,
}

/// How often one rule finds something in the records of one name. Local choice: nobody mends more
/// at a time, and a record of 64 kB could be wrong ten thousand times.
const REPEATS: usize = 50;

/// A record that is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) name: &'a Name,
    pub(crate) octets: &'a [u8],
}

impl Report {
    /// A finding in a text record.
    pub(crate) fn at(
        &mut self,
        id: &str,
        text: Text<'_>,
        span: Range<usize>,
        message: impl Into<String>,
    ) {
        let is_same = |found: &&Finding| found.rule.id == id && found.name == *text.name;
        self.is_full = self.findings.iter().filter(is_same).count() >= REPEATS;
        if self.is_full {
            return;
        }
        if let Some(finding) = finding(id, text.name, RecordType::Txt, message.into()) {
            let record = Some(text.octets.to_vec());
            self.findings.push(Finding { record, span: Some(span), ..finding });
        }
    }

    /// The last finding is of this severity.
    pub(crate) fn severity(&mut self, severity: Severity) {
        if let (Some(last), false) = (self.findings.last_mut(), self.is_full) {
            last.severity = severity;
        }
    }

    /// A finding about a name.
    pub(crate) fn of(
        &mut self,
        id: &str,
        name: &Name,
        rrtype: RecordType,
        message: impl Into<String>,
    ) {
        self.findings.extend(finding(id, name, rrtype, message.into()));
    }
}

fn finding(id: &str, name: &Name, rrtype: RecordType, message: String) -> Option<Finding> {
    let rule = catalogue::by_id(id)?;
    Some(Finding {
        rule,
        severity: rule.severity,
        name: name.clone(),
        rrtype,
        record: None,
        span: None,
        message,
        consequence: rule.explanation.to_owned(),
        fix: Some(rule.fix.to_owned()),
    })
}
