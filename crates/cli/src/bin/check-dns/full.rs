//! The findings for reading: what is wrong, where, what receivers make of it, what to do.

use std::io::{self, Write};

use mailproof_cli::caret::caret;
use mailproof_cli::output::Output;
use mailproof_records::Policy;

use crate::concise::coloured;
use crate::found::{Checked, Found};
use crate::summary::number;

/// Where the lines of a note end.
const WIDTH: usize = 96;

/// How many findings of one kind are named with the first.
const OTHERS: usize = 5;

pub(crate) fn domain(out: &mut Output, checked: &Checked, quiet: bool) -> io::Result<()> {
    for found in &checked.findings {
        if !found.is_unanswered() {
            finding(out, found, &[])?;
            continue;
        }
        // A resolver that is dead leaves every question open, and it is one trouble.
        let mut same = checked.unanswered().filter(|other| other.rule.id == found.rule.id);
        if same.next().is_some_and(|first| std::ptr::eq(first, found)) {
            let others: Vec<&str> = same.map(|other| other.message.as_str()).collect();
            finding(out, found, &others)?;
        }
    }
    let paint = out.paint;
    if checked.unanswered().next().is_none() {
        for unknown in &checked.unknown {
            writeln!(out, "{}: {}: {unknown}\n", paint.doubtful("unknown"), checked.domain)?;
        }
    }
    let summary = summary(checked);
    if quiet || summary.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}: {summary}", paint.strong(&checked.domain))
}

/// What is in force for the domain, in a line.
fn summary(checked: &Checked) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(checked.spf.map(|budget| {
        let records = number(checked.tree.len(), "record", "records");
        format!("{budget} in {records}")
    }));
    if let Some(dmarc) = &checked.dmarc {
        let [new, old] = [dmarc.rfc9989, dmarc.rfc7489]
            .map(|policy| policy.map_or("no policy", Policy::keyword));
        parts.push(if new == old {
            format!("DMARC {new}")
        } else {
            format!("DMARC {new} (RFC 7489: {old})")
        });
    }
    if !checked.selectors.is_empty() {
        let shown = checked.selectors.iter().take(OTHERS);
        let shown: Vec<String> =
            shown.map(|selector| format!("{} ({})", selector.name, selector.key)).collect();
        let more = match checked.selectors.len().saturating_sub(OTHERS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        parts.push(format!("DKIM {}{more}", shown.join(", ")));
    }
    parts.join("; ")
}

/// A finding, and what `others` say of the same kind.
pub(crate) fn finding(out: &mut Output, found: &Found, others: &[&str]) -> io::Result<()> {
    let paint = out.paint;
    let severity = coloured(paint, found.severity);
    writeln!(out, "{severity}[{}]: {}", found.rule.id, paint.strong(&found.message))?;
    let place = match &found.place {
        Some(place) => {
            format!("{}:{}:{} ({})", place.file, place.line, place.column, found.record_name())
        }
        None => found.record_name(),
    };
    writeln!(out, "  {} {place}", paint.dim("-->"))?;
    if let Some(record) = &found.record {
        let bar = paint.dim("|").to_string();
        writeln!(out, "   {bar}")?;
        let shown = match &found.span {
            Some(span) => caret(record, span.clone(), 0).to_string(),
            None => {
                let shown = caret(record, 0..0, 0).to_string();
                shown.lines().next().unwrap_or_default().to_owned()
            }
        };
        for line in shown.lines() {
            writeln!(out, "   {bar} {line}")?;
        }
    }
    if let Some(consequence) = &found.consequence {
        note(out, "note", consequence)?;
    }
    if let Some(fix) = &found.fix {
        note(out, "help", fix)?;
    }
    if let Some(corrected) = &found.corrected {
        // One line, however long it is: it is there to be copied.
        writeln!(out, "           {corrected}")?;
    }
    if !others.is_empty() {
        let shown = others.iter().take(OTHERS).copied().collect::<Vec<_>>().join(", ");
        let rest = match others.len().saturating_sub(OTHERS) {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        note(out, "also", &format!("{shown}{rest}"))?;
    }
    let rule = found.rule;
    note(
        out,
        "rule",
        &format!("{}, {}; see check-dns explain {}", rule.name, rule.section, rule.id),
    )?;
    writeln!(out)
}

/// A labelled text, broken into lines of the same indent.
fn note(out: &mut Output, label: &str, text: &str) -> io::Result<()> {
    let equals = out.paint.dim("=").to_string();
    let label = format!("{label}: ");
    write!(out, "   {equals} {label}")?;
    wrapped(out, text, 5 + label.len())
}

/// A text in lines of its own.
pub(crate) fn paragraph(out: &mut Output, text: &str) -> io::Result<()> {
    wrapped(out, text, 0)
}

/// A text, its first line begun at column `indent`, broken into lines of that indent.
fn wrapped(out: &mut Output, text: &str, indent: usize) -> io::Result<()> {
    let mut column = indent;
    for (index, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > WIDTH {
            write!(out, "\n{:indent$}", "")?;
            column = indent;
        } else if index > 0 {
            out.write_all(b" ")?;
            column += 1;
        }
        out.write_all(word.as_bytes())?;
        column += length;
    }
    out.write_all(b"\n")
}
