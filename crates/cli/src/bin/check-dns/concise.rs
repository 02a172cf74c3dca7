//! One line for each finding.

use std::io::{self, Write};

use mailproof_cli::output::{Output, Paint};
use mailproof_records::Severity;

use crate::found::{Checked, Found, severity_word};

pub(crate) fn domain(out: &mut Output, checked: &Checked) -> io::Result<()> {
    let paint = out.paint;
    for found in &checked.findings {
        let severity = coloured(paint, found.severity);
        writeln!(out, "{}: {severity}[{}] {}", place(found), found.rule.id, found.message)?;
    }
    if checked.unanswered().next().is_none() {
        for unknown in &checked.unknown {
            writeln!(out, "{}: {} {unknown}", checked.domain, paint.doubtful("unknown:"))?;
        }
    }
    Ok(())
}

/// Where it is: in a file if there is one, else in the DNS.
pub(crate) fn place(found: &Found) -> String {
    match (&found.place, &found.span) {
        (Some(place), _) => format!("{}:{}:{}", place.file, place.line, place.column),
        (None, Some(span)) => format!("{}:{}", found.record_name(), span.start),
        (None, None) => found.record_name(),
    }
}

pub(crate) fn coloured(paint: Paint, severity: Severity) -> String {
    let word = severity_word(severity);
    match severity {
        Severity::Error => paint.bad(word).to_string(),
        Severity::Warning => paint.doubtful(word).to_string(),
        Severity::Info => paint.strong(word).to_string(),
    }
}
