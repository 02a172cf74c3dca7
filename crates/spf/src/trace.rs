//! The evaluation as data: the tree of records, their terms, expanded names and answers.

use std::fmt::Display;
use std::ops::Range;

use mailproof_dns::{Name, Question, Response};

use crate::limits::Limits;
use crate::outcome::{Counts, SpfResult};

/// All that an evaluation did, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The limits it ran under.
    pub limits: Limits,
    /// The check of the identity's domain; `None` if there was none that could be checked.
    pub check: Option<CheckTrace>,
    /// The lookups of the explanation (RFC 7208 6.2), which count against no limit of terms.
    pub explanation: Vec<Lookup>,
}

/// One evaluation of `check_host` (RFC 7208 4), of the identity's domain or of a term's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckTrace {
    /// The `<domain>`.
    pub domain: Name,
    /// The lookup of the record.
    pub lookups: Vec<Lookup>,
    /// The record, where exactly one was found.
    pub record: Option<Vec<u8>>,
    /// The terms that were evaluated, in order.
    pub terms: Vec<TermTrace>,
    /// The result.
    pub result: SpfResult,
}

/// One term that was evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermTrace {
    /// The term, as [`crate::Term`] prints it.
    pub text: String,
    /// Where it stands in the octets of the record.
    pub span: Range<usize>,
    /// The target-name, if the term has one.
    pub target: Option<Target>,
    /// What was looked up, in order; not what the nested check looked up.
    pub lookups: Vec<Lookup>,
    /// The nested check of an include or redirect.
    pub check: Option<Box<CheckTrace>>,
    /// What came of it.
    pub event: Event,
    /// What the evaluation had cost when the term was done.
    pub counts: Counts,
}

/// A target-name (RFC 7208 4.8): what a domain-spec expands to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A valid name.
    Name(Name),
    /// No valid name, never looked up: the octets of the expansion.
    Invalid(Vec<u8>),
    /// The term needs the local-part of the sender, which is not ASCII (RFC 8616 4).
    LocalPartNotAscii,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// What was asked.
    pub question: Question,
    /// What the DNS said.
    pub response: Response,
}

/// What came of a term (RFC 7208 4.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// "If it matches, processing ends".
    Match,
    /// "If it does not match, processing continues with the next mechanism."
    NoMatch,
    /// "If it returns an exception, mechanism processing ends".
    Exception,
    /// A redirect: the nested check's result is the result.
    Redirect,
}

/// Who listens to an evaluation; `()` listens to nothing and costs nothing.
pub(crate) trait Tracer {
    fn enter(&mut self, _domain: &Name) {}
    fn record(&mut self, _octets: &[u8]) {}
    fn term(&mut self, _term: &dyn Display, _span: &Range<usize>) {}
    fn target(&mut self, _target: impl FnOnce() -> Target) {}
    fn lookup(&mut self, _question: impl FnOnce() -> Question, _response: &Response) {}
    fn term_end(&mut self, _event: Event, _counts: Counts) {}
    fn leave(&mut self, _result: SpfResult) {}
}

impl Tracer for () {}

/// Listens and builds the tree.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    checks: Vec<CheckTrace>,
    terms: Vec<TermTrace>,
    pub(crate) root: Option<CheckTrace>,
    pub(crate) loose: Vec<Lookup>,
}

impl Tracer for Recorder {
    fn enter(&mut self, domain: &Name) {
        self.checks.push(CheckTrace {
            domain: domain.clone(),
            lookups: Vec::new(),
            record: None,
            terms: Vec::new(),
            result: SpfResult::None,
        });
    }

    fn record(&mut self, octets: &[u8]) {
        if let Some(check) = self.checks.last_mut() {
            check.record = Some(octets.to_vec());
        }
    }

    fn term(&mut self, term: &dyn Display, span: &Range<usize>) {
        self.terms.push(TermTrace {
            text: term.to_string(),
            span: span.clone(),
            target: None,
            lookups: Vec::new(),
            check: None,
            event: Event::NoMatch,
            counts: Counts::default(),
        });
    }

    fn target(&mut self, target: impl FnOnce() -> Target) {
        if let Some(term) = self.terms.last_mut() {
            term.target = Some(target());
        }
    }

    fn lookup(&mut self, question: impl FnOnce() -> Question, response: &Response) {
        let lookup = Lookup { question: question(), response: response.clone() };
        // A check that is deeper than the terms looks for its record.
        let lookups = if self.checks.len() > self.terms.len() {
            self.checks.last_mut().map(|check| &mut check.lookups)
        } else {
            self.terms.last_mut().map(|term| &mut term.lookups)
        };
        lookups.unwrap_or(&mut self.loose).push(lookup);
    }

    fn term_end(&mut self, event: Event, counts: Counts) {
        if let (Some(term), Some(check)) = (self.terms.pop(), self.checks.last_mut()) {
            check.terms.push(TermTrace { event, counts, ..term });
        }
    }

    fn leave(&mut self, result: SpfResult) {
        let Some(check) = self.checks.pop() else { return };
        let check = CheckTrace { result, ..check };
        match self.terms.last_mut() {
            Some(term) => term.check = Some(Box::new(check)),
            None => self.root = Some(check),
        }
    }
}
