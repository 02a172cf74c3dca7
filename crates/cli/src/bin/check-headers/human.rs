//! The verdicts for reading.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_cli::caret::caret;
use mailproof_cli::escape::{safe, visible};
use mailproof_cli::key_record::Excerpt;
use mailproof_cli::output::{INDENT, Output, Paint, Painted};
use mailproof_dkim::{
    Cause, Checks, DkimResult, Outcome, Signature, SignatureError, SignatureOutcome,
};
use mailproof_dns::Zone;
use mailproof_message::Header;

use crate::advice::advice;
use crate::canonical;
use crate::check::Checked;
use crate::found::found;
use crate::signed_fields::SignedFields;
use crate::verdict;

/// How many defects of a header section are told.
const DEFECTS: usize = 3;

/// Prints the verdict on one message: the answer, then why, then what to do.
pub(crate) fn print(
    out: &mut Output,
    name: &str,
    checked: &Result<Checked, String>,
    zone: Option<&Zone>,
) -> io::Result<()> {
    let paint = out.paint;
    let name = visible(name.as_bytes()).to_string();
    // The reason is told on standard error.
    let Ok(checked) = checked else { return Ok(()) };
    let result = checked.dkim.result();
    let word = coloured(paint, result, result.keyword());
    match &checked.verdict {
        Some(all) => writeln!(out, "{}: {}", paint.strong(name), verdict::summary(paint, all))?,
        None => {
            writeln!(out, "{}: DKIM {word}{}", paint.strong(name), of_how_many(&checked.dkim))?;
        }
    }
    if !checked.header.has_empty_line() {
        note(out, "no empty line ends the header section, so the message has no body")?;
    }
    if result != DkimResult::Pass {
        defects(out, &checked.header)?;
    }
    if let Some(all) = &checked.verdict {
        verdict::print(out, checked, all)?;
    }
    let mut advised = None;
    for judged in &checked.dkim.signatures {
        signature(out, checked, judged, zone)?;
        advised = advise(out, checked, judged, advised)?;
        if let (Some(signature), Some(bodies)) = (&judged.signature, &checked.bodies) {
            canonical::print(out, &checked.header, judged.field, signature, bodies)?;
        }
    }
    if let Some(all) = &checked.verdict {
        verdict::print_end(out, checked, all)?;
    }
    out.flush()
}

/// What is wrong with the header section, as it may be what went wrong on the way.
fn defects(out: &mut Output, header: &Header) -> io::Result<()> {
    if header.octets().starts_with("\u{feff}".as_bytes()) {
        note(
            out,
            "a byte order mark hides the first header field: the message was saved as text, not \
             as it came",
        )?;
    }
    for defect in header.defects().iter().take(DEFECTS) {
        let before = header.octets().get(..defect.position).unwrap_or_default();
        let line = before.iter().filter(|&&octet| octet == b'\n').count() + 1;
        let kind = defect.kind.keyword().replace('-', " ");
        note(out, &format!("the header is not as RFC 5322 has it: line {line}, {kind}"))?;
    }
    Ok(())
}

fn of_how_many(outcome: &Outcome) -> String {
    let passing = outcome.signatures.iter().filter(|one| one.result() == DkimResult::Pass).count();
    match (passing, outcome.signatures.len()) {
        (_, 0) => ", the message is not signed".into(),
        (_, 1) => String::new(),
        (0, of) => format!(", none of {of} signatures passes"),
        (1, of) => format!(", 1 of {of} signatures passes"),
        (passing, of) => format!(", {passing} of {of} signatures pass"),
    }
}

fn coloured<T: std::fmt::Display>(paint: Paint, result: DkimResult, text: T) -> Painted<T> {
    match result {
        DkimResult::Pass => paint.good(text),
        DkimResult::Temperror | DkimResult::None => paint.doubtful(text),
        DkimResult::Fail | DkimResult::Policy | DkimResult::Neutral | DkimResult::Permerror => {
            paint.bad(text)
        }
    }
}

/// The verdict line of one signature, and why.
fn signature(
    out: &mut Output,
    checked: &Checked,
    judged: &SignatureOutcome,
    zone: Option<&Zone>,
) -> io::Result<()> {
    let result = judged.result();
    let keyword = coloured(out.paint, result, format!("{result:9}"));
    let method = if checked.verdict.is_some() { "DKIM " } else { "" };
    writeln!(out, "  {keyword} {method}{}", identified(judged))?;
    if result != DkimResult::Pass {
        why(out, checked, judged, zone)?;
    }
    if judged.testing() {
        note(
            out,
            "the domain is only testing DKIM (t=y): receivers treat its mail as if it were not \
             signed",
        )?;
    }
    Ok(())
}

/// What was found out about the way of the message and what to do next, unless the same was said
/// of the signature before.
fn advise(
    out: &mut Output,
    checked: &Checked,
    judged: &SignatureOutcome,
    before: Option<String>,
) -> io::Result<Option<String>> {
    let diagnosis = checked.diagnosis(judged);
    for sentence in diagnosis.iter().flat_map(found) {
        out.detail("found", &sentence)?;
    }
    let advice = advice(judged, diagnosis.as_ref());
    if let Some(text) = &advice
        && advice != before
    {
        out.detail("next", text)?;
    }
    Ok(advice)
}

/// Which signature it is: d=, s=, a= and the size of the key, as far as they are known.
fn identified(judged: &SignatureOutcome) -> String {
    let mut words = Vec::new();
    words.extend(judged.domain.as_ref().map(|domain| format!("d={domain}")));
    words.extend(judged.selector.as_ref().map(|selector| format!("s={selector}")));
    words.extend(judged.signature.as_ref().map(|signature| format!("a={}", signature.algorithm)));
    match &judged.key {
        Some(key) if key.bits > 0 => words.push(format!("{} bits", key.bits)),
        _ => {}
    }
    if words.is_empty() {
        words.push(format!("the signature in header field {}", judged.field + 1));
    }
    words.join(" ")
}

fn why(
    out: &mut Output,
    checked: &Checked,
    judged: &SignatureOutcome,
    zone: Option<&Zone>,
) -> io::Result<()> {
    out.detail("why", &safe(&judged.cause.to_string()).to_string())?;
    if let Cause::Signature(error) = &judged.cause {
        at_fault(out, &checked.header, judged.field, error)?;
    }
    if let (Some(signature), Some(checks)) = (&judged.signature, &judged.checks) {
        body(out, signature, checks)?;
        header(out, signature, checks)?;
        signed_fields(out, checked, judged, signature)?;
    }
    if let Some(excerpt) = Excerpt::of(judged, &checked.answers, zone) {
        out.label("key")?;
        writeln!(out, "{excerpt}")?;
    }
    Ok(())
}

fn body(out: &mut Output, signature: &Signature, checks: &Checks) -> io::Result<()> {
    let canonicalization = signature.body_canonicalization;
    let octets = checks.body_octets;
    let state = if checks.body_matches { "as signed" } else { "not as signed" };
    out.detail("body", &format!("{state} ({canonicalization}, {octets} octets)"))?;
    if checks.body_matches {
        return Ok(());
    }
    let expected = STANDARD.encode(&signature.body_hash);
    let computed = STANDARD.encode(checks.body_hash);
    writeln!(out, "{:INDENT$}body hash expected (bh=)  {expected}", "")?;
    writeln!(out, "{:INDENT$}body hash computed        {computed}", "")
}

/// The fields that h= names, since one of them may have been changed or be gone.
fn signed_fields(
    out: &mut Output,
    checked: &Checked,
    judged: &SignatureOutcome,
    signature: &Signature,
) -> io::Result<()> {
    let SignedFields { present, missing } =
        SignedFields::of(&checked.header, judged.field, signature);
    out.detail("signed", &present.join(", "))?;
    match missing.is_empty() {
        true => Ok(()),
        false => {
            let missing = missing.join(", ");
            out.detail("", &format!("not in the message, removed or signed as absent: {missing}"))
        }
    }
}

fn header(out: &mut Output, signature: &Signature, checks: &Checks) -> io::Result<()> {
    let canonicalization = signature.header_canonicalization;
    let state = if checks.header_matches {
        "as signed: the signature (b=) verifies with the key"
    } else {
        "not as signed, or signed with another key"
    };
    out.detail("header", &format!("{state} ({canonicalization})"))
}

/// The line of the signature's field that is at fault.
fn at_fault(
    out: &mut Output,
    header: &Header,
    place: usize,
    error: &SignatureError,
) -> io::Result<()> {
    let Some(field) = header.fields().nth(place) else { return Ok(()) };
    let value = field.value();
    let start = error.span.start.min(value.len());
    let (before, _) = value.split_at_checked(start).unwrap_or((value, &[]));
    let line_start = before.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
    let line = value.get(line_start..).unwrap_or_default();
    let line = line.split(|&octet| octet == b'\r').next().unwrap_or_default();
    let blank = line.iter().take_while(|octet| octet.is_ascii_whitespace()).count();
    let blank = blank.min(start - line_start);
    let line = line.get(blank..).unwrap_or_default();
    let offset = line_start + blank;
    let span = start - offset..error.span.end.saturating_sub(offset);
    writeln!(out, "{}", caret(line, span, INDENT))
}

fn note(out: &mut Output, text: &str) -> io::Result<()> {
    out.detail("note", text)
}
