//! Findings and reports.

use std::fmt;
use std::ops::Range;

use mailproof_dns::{Data, Failure, Name, Question, RecordType};

use crate::{Limits, Policy, Rule, Severity, catalogue};

/// The rule for a question that had no answer.
const UNANSWERED: &str = "DNS011";

/// What something is wrong with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Records of this type.
    Record(RecordType),
    /// An MTA-STS policy (RFC 8461 3.2).
    Policy,
    /// What a mail exchange says and presents (RFC 3207).
    Exchange,
    /// A BIMI logo.
    Logo,
    /// A mark certificate of BIMI.
    Mark,
    /// The registration of a domain (RFC 9083).
    Registration,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Record(rtype) => write!(f, "{rtype}"),
            Source::Policy => f.write_str("MTA-STS policy"),
            Source::Exchange => f.write_str("SMTP"),
            Source::Logo => f.write_str("BIMI logo"),
            Source::Mark => f.write_str("BIMI certificate"),
            Source::Registration => f.write_str("registration"),
        }
    }
}

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The severity under the profile.
    pub severity: Severity,
    /// The owner of the record.
    pub name: Name,
    /// What is at fault there.
    pub source: Source,
    /// The line of a document, from 1.
    pub line: Option<usize>,
    /// The text of the record, or of the line.
    pub record: Option<Vec<u8>>,
    /// The octets at fault.
    pub span: Option<Range<usize>>,
    /// The record at fault, where it is one of several that are no text.
    pub which: Option<Data>,
    /// What is wrong; what receivers make of it and what to do says the rule.
    pub message: String,
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

/// A selector, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The selector.
    pub name: Name,
    /// Its key: `rsa 2048`, `ed25519` or `revoked`.
    pub key: String,
}

/// A record of the SPF tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its owner.
    pub name: Name,
    /// How many records lead to it.
    pub depth: usize,
    /// The lookups that it and all below it cause.
    pub lookups: usize,
}

/// The DMARC policy in force for a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Whose record it is.
    pub owner: Option<Name>,
    /// What receivers of RFC 9989 apply; `None` where there is no policy.
    pub rfc9989: Option<Policy>,
    /// What receivers of RFC 7489 apply.
    pub rfc7489: Option<Policy>,
}

/// What was found for a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
    /// What the SPF record spends, if there is one.
    pub spf: Option<SpfBudget>,
    /// The records of the SPF tree, as a receiver meets them.
    pub tree: Vec<Branch>,
    /// The DMARC policy in force, if it could be told.
    pub dmarc: Option<Effective>,
    /// The selectors with a key record that can be read.
    pub selectors: Vec<Selector>,
    /// What held for the checks.
    pub limits: Limits,
    /// The last finding was one too many.
    is_full: bool,
}

/// A record that is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) name: &'a Name,
    pub(crate) octets: &'a [u8],
}

impl Report {
    /// Nothing found yet.
    pub(crate) fn within(limits: Limits) -> Report {
        Report { limits, ..Report::default() }
    }

    /// A finding in a text record.
    pub(crate) fn at(
        &mut self,
        id: &str,
        text: Text<'_>,
        span: Range<usize>,
        message: impl Into<String>,
    ) {
        self.found_at(
            id,
            (text.name, Source::Record(RecordType::Txt), None),
            text.octets,
            span,
            message.into(),
        );
    }

    /// A finding in a line of a document.
    pub(crate) fn at_line(
        &mut self,
        id: &str,
        (name, source, line): (&Name, Source, usize),
        octets: &[u8],
        span: Range<usize>,
        message: impl Into<String>,
    ) {
        self.found_at(id, (name, source, Some(line)), octets, span, message.into());
    }

    fn found_at(
        &mut self,
        id: &str,
        (name, source, line): (&Name, Source, Option<usize>),
        octets: &[u8],
        span: Range<usize>,
        message: String,
    ) {
        self.is_full = self.is_enough(id, name);
        if self.is_full {
            return;
        }
        if let Some(finding) = finding(id, name, source, message) {
            let record = Some(octets.to_vec());
            self.findings.push(Finding { record, line, span: Some(span), ..finding });
        }
    }

    /// The last finding is of this severity.
    pub(crate) fn severity(&mut self, severity: Severity) {
        if let (Some(last), false) = (self.findings.last_mut(), self.is_full) {
            last.severity = severity;
        }
    }

    /// The last finding is about this record.
    pub(crate) fn which(&mut self, data: Option<&Data>) {
        if let (Some(last), false) = (self.findings.last_mut(), self.is_full) {
            last.which = data.cloned();
        }
    }

    /// A finding about a name.
    pub(crate) fn of(
        &mut self,
        id: &str,
        name: &Name,
        rtype: RecordType,
        message: impl Into<String>,
    ) {
        self.about(id, name, Source::Record(rtype), message);
    }

    /// A question that nobody answered, told once.
    pub(crate) fn unanswered(&mut self, question: &Question, failure: Failure) {
        let message = format!("{question}: {failure}");
        if !self.tells(&message) {
            self.of(UNANSWERED, &question.name, question.rtype, message);
        }
    }

    fn tells(&self, message: &str) -> bool {
        self.findings.iter().any(|found| found.message == message)
    }

    /// Adds what another family found, as if it had been found here.
    pub(crate) fn add(&mut self, found: Report) {
        for finding in found.findings {
            let is_told = finding.rule.id == UNANSWERED && self.tells(&finding.message);
            let is_bounded =
                finding.record.is_some() || !matches!(finding.source, Source::Record(_));
            if is_told || is_bounded && self.is_enough(finding.rule.id, &finding.name) {
                continue;
            }
            self.findings.push(finding);
        }
        self.spf = found.spf.or(self.spf);
        self.tree.extend(found.tree);
        self.dmarc = found.dmarc.or_else(|| self.dmarc.take());
        self.selectors.extend(found.selectors);
    }

    /// Whether no more findings of a rule are reported for a name.
    fn is_enough(&self, id: &str, name: &Name) -> bool {
        let is_same = |found: &&Finding| found.rule.id == id && found.name == *name;
        self.findings.iter().filter(is_same).count() >= self.limits.repeats
    }

    /// A finding about what is no record.
    pub(crate) fn about(
        &mut self,
        id: &str,
        name: &Name,
        source: Source,
        message: impl Into<String>,
    ) {
        // Of records the number is bounded where they are asked for; of documents it is not.
        self.is_full = !matches!(source, Source::Record(_)) && self.is_enough(id, name);
        if !self.is_full {
            self.findings.extend(finding(id, name, source, message.into()));
        }
    }
}

fn finding(id: &str, name: &Name, source: Source, message: String) -> Option<Finding> {
    let rule = catalogue::by_id(id)?;
    Some(Finding {
        rule,
        severity: rule.severity,
        name: name.clone(),
        source,
        line: None,
        record: None,
        span: None,
        which: None,
        message,
    })
}
