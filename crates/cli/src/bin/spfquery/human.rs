//! The verdicts for reading.

use std::io::{self, Write};
use std::ops::Range;

use mailproof_cli::caret::caret;
use mailproof_cli::escape::{safe, visible};
use mailproof_cli::output::{INDENT, Output, Paint, Painted};
use mailproof_dns::{Data, Name, Question, Zone};
use mailproof_spf::{Cause, CheckTrace, Identity, Outcome, SpfResult, Trace};

use crate::advice::advice;
use crate::query::Query;

fn coloured<T: std::fmt::Display>(paint: Paint, result: SpfResult, text: T) -> Painted<T> {
    match result {
        SpfResult::Pass => paint.good(text),
        SpfResult::Fail | SpfResult::Permerror => paint.bad(text),
        SpfResult::Softfail | SpfResult::Neutral | SpfResult::None | SpfResult::Temperror => {
            paint.doubtful(text)
        }
    }
}

/// One query, one line.
pub(crate) fn line(out: &mut Output, query: &Query, outcome: &Outcome) -> io::Result<()> {
    let result = coloured(out.paint, outcome.result, format!("{:9}", outcome.result));
    let asked = asked(query);
    writeln!(out, "{result} {asked}: {}", why(outcome))
}

/// The answer, then why, then what to do.
pub(crate) fn print(
    out: &mut Output,
    query: &Query,
    outcome: &Outcome,
    trace: &Trace,
    zone: Option<&Zone>,
) -> io::Result<()> {
    let result = coloured(out.paint, outcome.result, outcome.result);
    writeln!(out, "{result}")?;
    out.detail("asked", &asked(query))?;
    out.detail("why", &why(outcome))?;
    if let Some((owner, record, span)) = decisive(outcome, trace) {
        let place = zone.and_then(|zone| place_in(zone, &owner, &record, span.start));
        let place = place.map(|place| format!(" ({})", visible(place.as_bytes())));
        out.label("record")?;
        writeln!(out, "{owner}{}", place.unwrap_or_default())?;
        writeln!(out, "{}", caret(&record, span, INDENT))?;
    }
    if let Some(explanation) = &outcome.explanation {
        out.detail("says", &safe(&explanation.to_string()).to_string())?;
    }
    let (counts, limits) = (&outcome.counts, &trace.limits);
    let cost = format!(
        "{}/{} terms, {}/{} void, {} {}",
        counts.terms,
        limits.terms,
        counts.void_lookups,
        limits.void_lookups,
        counts.queries,
        if counts.queries == 1 { "query" } else { "queries" }
    );
    out.detail("cost", &cost)?;
    if let Some(advice) = advice(query, outcome) {
        out.detail("next", &advice)?;
    }
    Ok(())
}

/// Who is checked.
fn asked(query: &Query) -> String {
    let helo = query.helo.as_deref().unwrap_or("unknown");
    match query.identity {
        Identity::Helo => format!("helo {} from {}", visible(helo.as_bytes()), query.ip),
        Identity::MailFrom => {
            let mail_from = query.mail_from.as_deref().unwrap_or_default();
            let bare = mail_from.strip_prefix('<').and_then(|path| path.strip_suffix('>'));
            let mail_from = visible(bare.unwrap_or(mail_from).as_bytes());
            format!("mailfrom <{mail_from}> from {}", query.ip)
        }
    }
}

/// The cause in a sentence.
pub(crate) fn why(outcome: &Outcome) -> String {
    let text = match (&outcome.cause, &outcome.term) {
        (Cause::Match { .. }, Some(term)) => {
            format!("{} in the record of {} matches", term.text, term.owner)
        }
        (Cause::NoMatch, _) => match &outcome.domain {
            Some(domain) => format!("no mechanism in the record of {domain} matches"),
            None => outcome.cause.to_string(),
        },
        (Cause::SyntaxError { domain, error, .. }, _) => {
            format!("syntax error in the record of {domain}: {error}")
        }
        (cause, Some(term)) => format!("{} of {}: {cause}", term.text, term.owner),
        (cause, None) => cause.to_string(),
    };
    safe(&text).to_string()
}

/// The record that decided, and the octets of it.
fn decisive(outcome: &Outcome, trace: &Trace) -> Option<(Name, Vec<u8>, Range<usize>)> {
    if let Cause::SyntaxError { domain, record, error } = &outcome.cause {
        return Some((domain.clone(), record.clone(), error.span.clone()));
    }
    let term = outcome.term.as_ref()?;
    let record = record_of(trace.check.as_ref()?, &term.owner)?;
    Some((term.owner.clone(), record.to_vec(), term.span.clone()))
}

fn record_of<'a>(check: &'a CheckTrace, owner: &Name) -> Option<&'a [u8]> {
    if check.domain == *owner {
        return check.record.as_deref();
    }
    check
        .terms
        .iter()
        .filter_map(|term| term.check.as_deref())
        .find_map(|check| record_of(check, owner))
}

/// Where in the zone files the octet of the record is.
fn place_in(zone: &Zone, owner: &Name, text: &[u8], octet: usize) -> Option<String> {
    let records = zone.records_of(&Question::txt(owner.clone()));
    let record = records
        .into_iter()
        .find(|record| matches!(&record.data, Data::Txt(txt) if txt.joined() == text))?;
    Some(zone.place_of_octet(record, octet)?.to_string())
}

/// How many queries had each result.
pub(crate) fn summary(counts: &[u64; 7]) -> String {
    const NAMES: [&str; 7] =
        ["pass", "fail", "softfail", "neutral", "permerror", "temperror", "none"];
    let total: u64 = counts.iter().sum();
    let each = NAMES.iter().zip(counts).filter(|(_, count)| **count > 0);
    let each: Vec<String> = each.map(|(name, count)| format!("{count} {name}")).collect();
    match (total, each.is_empty()) {
        (_, true) => "no query was made".into(),
        (1, _) => format!("1 query: {}", each.join(", ")),
        _ => format!("{total} queries: {}", each.join(", ")),
    }
}
