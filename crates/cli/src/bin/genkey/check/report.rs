//! What was found about keys, for reading and as JSON; the schema of that is
//! `docs/schema/genkey-check.schema.json`.

use std::io::{self, Write};
use std::path::Path;

use mailproof_cli::escape::{safe, visible};
use mailproof_cli::key_record::Excerpt;
use mailproof_cli::output::{Output, remark};
use mailproof_dkim::KeyType;
use mailproof_keygen::PublicationResult;
use serde::Serialize;

use super::advice::advice;
use super::{Checked, Found};

/// RFC 8301 3.2: "Signers SHOULD use RSA keys of at least 2048 bits."
const ADVISED_BITS: usize = 2048;

/// What was found about one key.
#[derive(Serialize)]
pub(super) struct Key<'c> {
    name: Option<&'c str>,
    file: Option<String>,
    domain: Option<String>,
    selector: Option<String>,
    key_name: Option<String>,
    key_type: Option<String>,
    bits: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'c str>,
    result: Option<&'static str>,
    cause: Option<&'static str>,
    explanation: Option<String>,
    advice: Option<String>,
    key_record: Option<&'c Excerpt>,
    warnings: Vec<String>,
}

impl<'c> Key<'c> {
    pub(super) fn new(checked: &'c Checked) -> Key<'c> {
        let Checked { subject, found } = checked;
        let (key, found, place) =
            (subject.key.as_ref().ok(), found.as_ref(), subject.place.as_ref());
        let publication = found.map(|found| &found.publication).ok();
        Key {
            name: subject.name.as_deref(),
            file: subject.file.as_deref().map(|file| file.to_string_lossy().into_owned()),
            domain: place.map(|(domain, _)| domain.to_string()),
            selector: place.map(|(_, selector)| selector.to_string()),
            key_name: key_name(checked),
            key_type: key.map(|key| key.key_type().to_string()),
            bits: key.map(mailproof_dkim::PrivateKey::bits),
            error: found.err().map(|unchecked| unchecked.reason.as_str()),
            result: found.map(|found| found.result().keyword()).ok(),
            cause: publication.map(|publication| publication.cause.keyword()),
            explanation: publication.map(|publication| publication.cause.to_string()),
            advice: found.ok().and_then(|found| next(checked, found)),
            key_record: found.ok().and_then(|found| found.excerpt.as_ref()),
            warnings: warnings(checked),
        }
    }
}

/// Prints the answer about a table, then each key.
pub(super) fn print(out: &mut Output, checked: &[Checked], is_table: bool) -> io::Result<()> {
    let good = |one: &&Checked| {
        one.found.as_ref().is_ok_and(|found| found.result() == PublicationResult::Published)
    };
    let published = checked.iter().filter(good).count();
    if is_table {
        let (word, of) = (if published == 1 { "is" } else { "are" }, checked.len());
        let summary = format!("{published} of {of} keys {word} good");
        match published == of {
            true => writeln!(out, "{}", out.paint.good(summary))?,
            false => writeln!(out, "{}", out.paint.bad(summary))?,
        }
    }
    let mut warned = Vec::new();
    for one in checked {
        for warning in warnings(one) {
            if !warned.contains(&warning) {
                remark("warning", safe(&warning));
                warned.push(warning);
            }
        }
        print_key(out, one)?;
    }
    out.flush()
}

fn print_key(out: &mut Output, checked: &Checked) -> io::Result<()> {
    let label = label(checked);
    let found = match &checked.found {
        Ok(found) => found,
        Err(unchecked) => {
            let word = out.paint.bad("not checked");
            writeln!(out, "{}: {word}", out.paint.strong(label))?;
            return out.detail("why", &safe(&unchecked.reason).to_string());
        }
    };
    let size = match &checked.subject.key {
        Ok(key) if key.key_type() == KeyType::Rsa => format!(" (rsa, {} bits)", key.bits()),
        Ok(key) => format!(" ({})", key.key_type()),
        Err(_) => String::new(),
    };
    let result = found.result();
    let word = match result {
        PublicationResult::Published => out.paint.good(result),
        PublicationResult::Absent | PublicationResult::Faulty => out.paint.bad(result),
        PublicationResult::Unknown => out.paint.doubtful(result),
    };
    writeln!(out, "{}: {word}{size}", out.paint.strong(label))?;
    if found.publication.result() == PublicationResult::Published {
        return Ok(());
    }
    out.detail("why", &safe(&found.publication.cause.to_string()).to_string())?;
    if let Some(excerpt) = &found.excerpt {
        out.label("record")?;
        writeln!(out, "{excerpt}")?;
    }
    match next(checked, found) {
        Some(advice) => out.detail("next", &safe(&advice).to_string()),
        None => Ok(()),
    }
}

/// What the key is called: by where its record is, or by its name in the table.
fn label(checked: &Checked) -> String {
    let label = key_name(checked).or_else(|| checked.subject.name.clone());
    visible(label.unwrap_or_default().as_bytes()).to_string()
}

fn key_name(checked: &Checked) -> Option<String> {
    let (domain, selector) = checked.subject.place.as_ref()?;
    Some(format!("{selector}._domainkey.{domain}"))
}

fn next(checked: &Checked, found: &Found) -> Option<String> {
    let file = checked.subject.file.as_deref().map_or("KEYFILE".into(), Path::to_string_lossy);
    let (domain, selector) = checked.subject.place.as_ref()?;
    advice(&found.publication.cause, &file, domain, selector)
}

fn warnings(checked: &Checked) -> Vec<String> {
    let small = checked
        .subject
        .key
        .as_ref()
        .ok()
        .filter(|key| key.key_type() == KeyType::Rsa && key.bits() < ADVISED_BITS);
    let small = small.map(|key| {
        format!("{}: the key has {} bits; 2048 are advised (RFC 8301)", label(checked), key.bits())
    });
    checked.subject.warning.iter().cloned().chain(small).collect()
}
