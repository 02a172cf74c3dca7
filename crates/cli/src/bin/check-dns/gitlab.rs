//! The findings as a GitLab code quality report.

use std::collections::HashSet;
use std::io::{self, Write};

use mailproof_cli::output::Output;
use mailproof_records::Severity;
use serde_json::{Value, json};

use crate::found::{Checked, Found, Place};

pub(crate) fn document(out: &mut Output, all: &[Checked]) -> io::Result<()> {
    let mut seen = HashSet::new();
    let issues: Vec<Value> = all
        .iter()
        .flat_map(|checked| checked.findings.iter().map(|found| (found, checked.named_at.as_ref())))
        .map(|(found, named_at)| issue(found, named_at, &mut seen))
        .collect();
    serde_json::to_writer(&mut *out, &issues)?;
    out.write_all(b"\n")
}

fn issue(found: &Found, named_at: Option<&Place>, seen: &mut HashSet<String>) -> Value {
    let mut description = format!("{}: {}", found.record_name(), found.message);
    if let Some(fix) = &found.fix {
        description.push_str(". ");
        description.push_str(fix);
    }
    // GitLab takes one issue for each fingerprint.
    let base = found.fingerprint();
    let mut fingerprint = base.clone();
    let mut number = 1;
    while !seen.insert(fingerprint.clone()) {
        number += 1;
        fingerprint = format!("{base}-{number}");
    }
    // GitLab wants a path: the domain stands where there is no file.
    let place = found.place.as_ref().or(named_at);
    let (path, line) = match place {
        Some(place) => (place.file.as_str(), place.line),
        None => (found.domain.as_str(), 1),
    };
    json!({
        "description": description,
        "check_name": found.rule.id,
        "fingerprint": fingerprint,
        "severity": match found.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Info => "info",
        },
        "location": { "path": path.strip_prefix("./").unwrap_or(path), "lines": { "begin": line } },
    })
}
