//! The findings as SARIF 2.1.0 (OASIS), for code scanning.

use std::io::{self, Write};

use mailproof_cli::output::Output;
use mailproof_records::{Rule, Severity};
use serde_json::{Value, json};

use crate::found::{Checked, Found, Place};

pub(crate) fn document(out: &mut Output, all: &[Checked]) -> io::Result<()> {
    let mut rules: Vec<&'static Rule> = Vec::new();
    let mut results = Vec::new();
    for checked in all {
        for found in &checked.findings {
            let index = rules.iter().position(|rule| rule.id == found.rule.id);
            let index = index.unwrap_or_else(|| {
                rules.push(found.rule);
                rules.len() - 1
            });
            results.push(result(found, index, checked.named_at.as_ref()));
        }
    }
    let complete = all.iter().all(|checked| checked.unknown.is_empty());
    let notifications: Vec<Value> = all.iter().flat_map(notifications).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "check-dns",
                "fullName": "check-dns of mailproof",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| descriptor(rule)).collect::<Vec<Value>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": complete,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// What could not be looked up is no result, but must not look like success.
fn notifications(checked: &Checked) -> impl Iterator<Item = Value> {
    checked.unknown.iter().map(|unknown| {
        json!({ "level": "error", "message": { "text": format!("{}: {unknown}", checked.domain) } })
    })
}

fn descriptor(rule: &Rule) -> Value {
    let mut descriptor = json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.explanation },
        "help": { "text": rule.fix },
        "defaultConfiguration": { "level": level(rule.severity) },
    });
    if let (Some(url), Some(object)) = (rfc_url(rule.section), descriptor.as_object_mut()) {
        object.insert("helpUri".into(), url.into());
    }
    descriptor
}

/// The page of "RFC 7208 4.6.4".
pub(crate) fn rfc_url(section: &str) -> Option<String> {
    let rest = section.strip_prefix("RFC ")?;
    let mut words = rest.split([' ', ',', ';']).filter(|word| !word.is_empty());
    let number = words.next().filter(|word| word.bytes().all(|octet| octet.is_ascii_digit()))?;
    let url = format!("https://www.rfc-editor.org/rfc/rfc{number}");
    let is_section = |word: &&str| {
        let first = word.as_bytes().first();
        first.is_some_and(u8::is_ascii_digit)
            && word.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')
    };
    Some(match words.next().filter(is_section) {
        Some(section) => format!("{url}#section-{section}"),
        None => url,
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn result(found: &Found, index: usize, named_at: Option<&Place>) -> Value {
    let mut text = format!("{}: {}", found.record_name(), found.message);
    for more in found.more() {
        text.push('\n');
        text.push_str(more);
    }
    let mut location = json!({
        "logicalLocations": [{
            "name": found.name,
            "fullyQualifiedName": found.record_name(),
            "kind": "resource",
        }],
    });
    // What is published only is blamed on the line that names the domain.
    let place = found.place.as_ref().or(named_at);
    if let (Some(place), Some(object)) = (place, location.as_object_mut()) {
        object.insert("physicalLocation".into(), physical(place));
    }
    let mut result = json!({
        "ruleId": found.rule.id,
        "ruleIndex": index,
        "level": level(found.severity),
        "message": { "text": text },
        "locations": [location],
        "partialFingerprints": { "ruleNameTerm/v1": found.fingerprint() },
    });
    if let (Some(fix), Some(object)) = (fix(found), result.as_object_mut()) {
        object.insert("fixes".into(), json!([fix]));
    }
    result
}

/// The change of the zone file that mends it; of what is on one line only, and not what is to be
/// taken out, which leaves spaces behind.
fn fix(found: &Found) -> Option<Value> {
    let new =
        found.replacement.as_deref().filter(|new| !new.is_empty() && !new.starts_with(';'))?;
    let place = found
        .place
        .as_ref()
        .filter(|place| place.end.is_some_and(|(line, _)| line == place.line))?;
    let mut change = physical(place);
    let region = change.get_mut("region")?.take();
    change.as_object_mut()?.remove("region");
    change.as_object_mut()?.insert(
        "replacements".into(),
        json!([{ "deletedRegion": region, "insertedContent": { "text": new } }]),
    );
    Some(
        json!({ "description": { "text": found.fix.as_deref().unwrap_or(&found.message) }, "artifactChanges": [change] }),
    )
}

fn physical(place: &Place) -> Value {
    let mut region = json!({ "startLine": place.line, "startColumn": place.column });
    if let (Some((line, column)), Some(object)) = (place.end, region.as_object_mut()) {
        object.insert("endLine".into(), line.into());
        object.insert("endColumn".into(), column.into());
    }
    json!({ "artifactLocation": { "uri": uri(&place.file) }, "region": region })
}

/// A path as a relative reference (RFC 3986 4.2).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for octet in path.strip_prefix("./").unwrap_or(path).bytes() {
        match octet {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(octet)),
            _ if octet.is_ascii_alphanumeric() => uri.push(char::from(octet)),
            _ => uri.push_str(&format!("%{octet:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_sections() {
        let rfc = |section: &str| rfc_url(section).unwrap_or_default();
        assert_eq!(rfc("RFC 7208 4.6.4"), "https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4");
        assert_eq!(rfc("RFC 7208 3, 14.1"), "https://www.rfc-editor.org/rfc/rfc7208#section-3");
        assert_eq!(rfc("RFC 5617"), "https://www.rfc-editor.org/rfc/rfc5617");
        assert_eq!(rfc("M3AAWG"), "");
    }

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("./zones/db a%.example"), "zones/db%20a%25.example");
    }
}
