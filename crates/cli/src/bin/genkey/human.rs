//! What was made, and what to paste where.

use std::io::{self, Write as _};

use mailproof_cli::output::Output;
use mailproof_dkim::KeyType;
use mailproof_keygen::{Record, RecordData};

use crate::cli::{Generate, MaybeDomain};
use crate::generate::{Made, shown};

/// The longest text that every web form takes: one character-string (RFC 1035 3.3).
const ONE_STRING: usize = 255;

pub(crate) fn print(out: &mut Output, arguments: &Generate, made: &[Made]) -> io::Result<()> {
    for (index, made) in made.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        key(out, arguments, made)?;
        if let Some(cname) = &made.cname {
            paste(out, cname)?;
        }
        paste(out, &made.record)?;
    }
    next(out, arguments, made)
}

/// The verdict line, and the files.
fn key(out: &mut Output, arguments: &Generate, made: &Made) -> io::Result<()> {
    let what = match made.key.key_type() {
        KeyType::Rsa => format!("RSA key of {} bits", made.key.bits()),
        _ => "Ed25519 key".to_owned(),
    };
    let word = if arguments.from.is_some() { "The" } else { "New" };
    let mut line = format!("{word} {what}, selector {}", made.selector);
    if let Some(MaybeDomain(Some(domain))) = &arguments.domain {
        line += &format!(", for {domain}");
    }
    writeln!(out, "{}", out.paint.strong(line))?;
    if let Some(path) = &made.files.private {
        out.detail("key", &format!("{} (for the signer alone)", shown(path)))?;
    }
    if let Some(path) = &made.files.record {
        out.detail("record", &format!("{} (for a zone file)", shown(path)))?;
    }
    if let Some(path) = &made.files.cname {
        out.detail("cname", &format!("{} (for a zone file)", shown(path)))?;
    }
    Ok(())
}

/// The picture: a form on the web as it looks when it is filled in.
fn paste(out: &mut Output, record: &Record) -> io::Result<()> {
    let zone = record.owner.zone().map(ToString::to_string);
    let place = zone.as_deref().unwrap_or("the domain");
    writeln!(out, "\nPublish in the DNS of {place}:\n")?;
    let (value, below) = match &record.data {
        RecordData::Txt(text) => ("all of the line below".to_owned(), Some(text.to_string())),
        RecordData::Cname(target) => (format!("{target}."), None),
    };
    let relative = record.owner.relative();
    let mut rows = vec![("Type", record.data.kind().to_owned())];
    match (zone, record.owner.absolute()) {
        (Some(zone), Some(absolute)) => {
            rows.push(("Name", format!("{relative}   (the form adds .{zone} itself)")));
            rows.push(("  or", format!("{absolute}.   (where the whole name is asked for)")));
        }
        _ => rows.push(("Name", relative.to_owned())),
    }
    rows.extend([("TTL", record.ttl.to_string()), ("Value", value)]);
    let width = rows.iter().map(|(_, text)| text.chars().count()).max().unwrap_or_default();
    let rule = format!("+{}+", "-".repeat(width + 9));
    writeln!(out, "  {rule}")?;
    for (label, text) in rows {
        writeln!(out, "  | {label:6} {text:width$} |")?;
    }
    writeln!(out, "  {rule}")?;
    let Some(text) = below else { return Ok(()) };
    writeln!(out, "\n{text}")?;
    if text.len() > ONE_STRING {
        let hint = "In a form that takes no more than 255 characters, strings: --record strings";
        writeln!(out, "\n{hint}")?;
    }
    Ok(())
}

/// What comes next.
fn next(out: &mut Output, arguments: &Generate, made: &[Made]) -> io::Result<()> {
    let Some(MaybeDomain(Some(domain))) = &arguments.domain else { return Ok(()) };
    let zone = arguments.publish.origin.as_ref().unwrap_or(domain);
    writeln!(out, "\nThen see that it is there, and not with {zone}.{zone} at its end:\n")?;
    for Made { files, selector, .. } in made {
        let path = files.private.as_ref().or(arguments.from.as_ref());
        let path = path.map(|path| shown(path)).unwrap_or_default();
        writeln!(out, "  genkey check {path} --domain {domain} --selector {selector}")?;
    }
    Ok(())
}
