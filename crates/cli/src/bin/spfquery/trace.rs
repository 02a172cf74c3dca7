//! The evaluation as a tree.

use std::io::{self, Write};

use mailproof_cli::escape::{safe, visible_ascii};
use mailproof_cli::output::Output;
use mailproof_dns::Response;
use mailproof_spf::{CheckTrace, Event, Limits, Lookup, Target, TermTrace, Trace};

/// How many records of one answer are shown.
const RECORDS: usize = 12;

/// Prints the tree: records, terms with what is left of the budget, lookups with their answers.
pub(crate) fn print(out: &mut Output, trace: &Trace) -> io::Result<()> {
    if let Some(root) = &trace.check {
        check(out, root, &trace.limits, "")?;
    }
    for asked in &trace.explanation {
        writeln!(out, "explanation")?;
        lookup(out, asked, "   ")?;
    }
    Ok(())
}

fn check(out: &mut Output, check: &CheckTrace, limits: &Limits, indent: &str) -> io::Result<()> {
    let paint = out.paint;
    let domain = paint.strong(&check.domain);
    match &check.record {
        Some(record) => writeln!(out, "{domain}  {}", visible_ascii(record))?,
        None => {
            writeln!(out, "{domain}")?;
            for asked in &check.lookups {
                lookup(out, asked, &format!("{indent}│  "))?;
            }
        }
    }
    for traced in &check.terms {
        term(out, traced, limits, indent)?;
    }
    writeln!(out, "{indent}└─ {}", paint.strong(check.result))
}

fn term(out: &mut Output, term: &TermTrace, limits: &Limits, indent: &str) -> io::Result<()> {
    let paint = out.paint;
    let event = match term.event {
        Event::Match => paint.good("match"),
        Event::NoMatch => paint.dim("no match"),
        Event::Exception => paint.bad("error"),
        Event::Redirect => paint.dim("redirect"),
    };
    let budget = format!(
        "{}/{} terms, {}/{} void",
        term.counts.terms, limits.terms, term.counts.void_lookups, limits.void_lookups
    );
    let text = visible_ascii(term.text.as_bytes());
    writeln!(out, "{indent}├─ {text}  {event}  {}", paint.dim(budget))?;
    let below = format!("{indent}│  ");
    match &term.target {
        Some(Target::Invalid(octets)) => {
            writeln!(
                out,
                "{below}{} is no valid name, and is not looked up",
                visible_ascii(octets)
            )?;
        }
        Some(Target::LocalPartNotAscii) => {
            writeln!(out, "{below}the local-part is not ASCII, so there is no name")?;
        }
        Some(Target::Name(name)) if term.text.contains('%') => {
            writeln!(out, "{below}the name is {name}")?;
        }
        Some(Target::Name(_)) | None => {}
    }
    for asked in &term.lookups {
        lookup(out, asked, &below)?;
    }
    match &term.check {
        Some(nested) => {
            write!(out, "{below}")?;
            check(out, nested, limits, &below)
        }
        None => Ok(()),
    }
}

fn lookup(out: &mut Output, lookup: &Lookup, indent: &str) -> io::Result<()> {
    let answer = match &lookup.response {
        Response::Records(set) => {
            let mut records: Vec<String> =
                set.records.iter().take(RECORDS).map(ToString::to_string).collect();
            if set.records.len() > RECORDS {
                records.push(format!("and {} more", set.records.len() - RECORDS));
            }
            records.join(", ")
        }
        Response::NoData => "no such record (NODATA)".into(),
        Response::NxDomain => "no such name (NXDOMAIN)".into(),
        Response::Failure(failure) => failure.to_string(),
    };
    let text = format!("{}: {answer}", lookup.question);
    let text = safe(&text).to_string();
    writeln!(out, "{indent}{}", out.paint.dim(text))
}
