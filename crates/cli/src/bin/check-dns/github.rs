//! The findings as annotations of GitHub Actions, and a summary of the job.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};

use mailproof_cli::output::{Output, remark};
use mailproof_records::Severity;

use crate::concise::place;
use crate::found::{Checked, Found, Place};
use crate::markdown;
use crate::summary::{Summary, number};

/// GitHub shows ten annotations of a kind for each step, and drops the others without a word.
const SHOWN: usize = 10;

pub(crate) fn document(out: &mut Output, all: &[Checked], summary: &Summary) -> io::Result<()> {
    let mut left = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Info] {
        let mut findings: Vec<(&Found, Option<&Place>)> = all
            .iter()
            .flat_map(|checked| {
                checked.findings.iter().map(|found| (found, checked.named_at.as_ref()))
            })
            .filter(|(found, _)| found.severity == severity)
            .collect();
        let more = if findings.len() > SHOWN { findings.split_off(SHOWN - 1) } else { Vec::new() };
        for (found, named_at) in findings {
            annotation(out, found, named_at)?;
        }
        if let Some((first, _)) = more.first() {
            let (command, noun) = words(severity);
            let count = number(more.len(), noun, &format!("{noun}s"));
            let first = data(&format!("and {count} more, from {} on", place(first)));
            writeln!(out, "::{command} title=check-dns::{first}: see the log and the summary")?;
        }
        left.extend(more);
    }
    for (found, _) in left {
        let (_, noun) = words(found.severity);
        // A line of the log that begins with two colons would be a command.
        writeln!(out, "- {}: {noun}[{}] {}", place(found), found.rule.id, found.message)?;
    }
    for checked in all {
        for unknown in &checked.unknown {
            writeln!(out, "- {}: unknown: {unknown}", checked.domain)?;
        }
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.map(BufWriter::new).and_then(|mut file| {
            markdown::document(&mut file, all, summary)?;
            file.flush()
        });
        if let Err(error) = written {
            remark("warning", format_args!("the job summary cannot be written: {error}"));
        }
    }
    Ok(())
}

/// The command of an annotation, and the noun.
fn words(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Error => ("error", "error"),
        Severity::Warning => ("warning", "warning"),
        Severity::Info => ("notice", "info"),
    }
}

fn annotation(out: &mut Output, found: &Found, named_at: Option<&Place>) -> io::Result<()> {
    let (command, _) = words(found.severity);
    write!(out, "::{command} ")?;
    if let Some(at) = found.place.as_ref().or(named_at) {
        let file = at.file.strip_prefix("./").unwrap_or(&at.file);
        write!(out, "file={},line={},col={},", property(file), at.line, at.column)?;
        if let Some((line, column)) = at.end {
            write!(out, "endLine={line},endColumn={column},")?;
        }
    }
    let title = format!("{} {}", found.rule.id, found.rule.name);
    let mut text = format!("{}: {}", found.record_name(), found.message);
    for more in found.more() {
        text.push('\n');
        text.push_str(more);
    }
    writeln!(out, "title={}::{}", property(&title), data(&text))
}

/// The text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_escaped() {
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
        assert_eq!(data("100% ::error::"), "100%25 ::error::");
    }
}
