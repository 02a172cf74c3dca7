//! The declarations of rules.

use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Weak, fragile, or contrary to a SHOULD.
    Warning,
    /// A mechanism is broken, the domain can be forged, or its mail will be refused.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// What is looked for, declared once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The id; it never changes its meaning.
    pub id: &'static str,
    /// The id in words.
    pub name: &'static str,
    /// The severity, as long as the profile says nothing else.
    pub severity: Severity,
    /// Where it is written.
    pub section: &'static str,
    /// What it is about, in a line.
    pub title: &'static str,
    /// Why it matters, and what receivers make of it.
    pub explanation: &'static str,
    /// What to do.
    pub fix: &'static str,
}
