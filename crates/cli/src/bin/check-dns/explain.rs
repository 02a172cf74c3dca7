//! The rules in words: `explain`, `rules`, and the page `docs/rules.md`.

use std::io::{self, Write};

use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::output::Output;
use mailproof_records::{Rule, rules};
use serde::Serialize;

use crate::cli::{Explain, Rules, RulesFormat};
use crate::concise::coloured;
use crate::found::severity_word;
use crate::full::paragraph;
use crate::sarif::rfc_url;

/// The families of rules, by how their ids begin.
const FAMILIES: [(&str, &str); 12] = [
    ("DNS", "DNS and text records"),
    ("SPF", "SPF"),
    ("DKIM", "DKIM keys"),
    ("DMARC", "DMARC"),
    ("MX", "Mail exchanges"),
    ("PTR", "Reverse names"),
    ("STS", "MTA-STS"),
    ("RPT", "TLS reports"),
    ("DANE", "DANE"),
    ("BIMI", "BIMI"),
    ("ADSP", "ADSP"),
    ("NET", "Connections"),
];

/// Says what rules are about.
pub(crate) fn explain(options: &Explain) -> Result<Exit, Trouble> {
    let mut out = Output::stdout();
    let wanted = |rule: &&Rule| options.rules.iter().any(|pattern| pattern.fits(rule.id));
    for (index, rule) in rules().iter().filter(wanted).enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        one(&mut out, rule)?;
    }
    out.flush()?;
    Ok(Exit::Good)
}

fn one(out: &mut Output, rule: &Rule) -> io::Result<()> {
    let paint = out.paint;
    let severity = coloured(paint, rule.severity);
    writeln!(out, "{} {} ({severity})", paint.strong(rule.id), rule.name)?;
    writeln!(out, "{}\n", rule.title)?;
    paragraph(out, rule.explanation)?;
    writeln!(out)?;
    paragraph(out, &format!("What to do: {}", rule.fix))?;
    match rfc_url(rule.section) {
        Some(url) => writeln!(out, "\n{}: {url}", rule.section),
        None => writeln!(out, "\n{}", rule.section),
    }
}

/// Lists every rule.
pub(crate) fn list(options: &Rules) -> Result<Exit, Trouble> {
    let mut out = Output::stdout();
    match options.format {
        RulesFormat::Text => {
            for rule in rules() {
                let word = severity_word(rule.severity);
                writeln!(out, "{:8} {word:8} {}", rule.id, rule.title)?;
            }
        }
        RulesFormat::Markdown => out.write_all(page().as_bytes())?,
        RulesFormat::Json => {
            serde_json::to_writer(&mut out, &Document::new()).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    Ok(Exit::Good)
}

#[derive(Serialize)]
struct Document {
    schema_version: u32,
    rules: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    name: &'static str,
    severity: &'static str,
    title: &'static str,
    explanation: &'static str,
    fix: &'static str,
    section: &'static str,
    url: Option<String>,
}

impl Document {
    fn new() -> Document {
        let entry = |rule: &Rule| Entry {
            id: rule.id,
            name: rule.name,
            severity: severity_word(rule.severity),
            title: rule.title,
            explanation: rule.explanation,
            fix: rule.fix,
            section: rule.section,
            url: rfc_url(rule.section),
        };
        Document { schema_version: 1, rules: rules().iter().map(entry).collect() }
    }
}

/// The page `docs/rules.md`.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# The rules of check-dns\n\n\
         Made by `check-dns rules --format markdown`; do not edit. An id never changes its meaning. \
         The severity is that of the\nprofile `sender`; other profiles are stricter or milder. \
         Without `--network` a domain is not held against STS003 to STS009, STS011,\nSTS013, DANE006, BIMI003, BIMI004, DNS010, DNS020, MX012 \
         and NET001.\n",
    );
    for (prefix, title) in FAMILIES {
        let family =
            |rule: &&Rule| rule.id.trim_end_matches(|c: char| c.is_ascii_digit()) == prefix;
        if !rules().iter().any(|rule| family(&rule)) {
            continue;
        }
        page.push_str(&format!("\n## {title}\n"));
        for rule in rules().iter().filter(family) {
            let section = match rfc_url(rule.section) {
                Some(url) => format!("[{}]({url})", rule.section),
                None => rule.section.to_owned(),
            };
            page.push_str(&format!(
                "\n### {} {}\n\n**{}**, {section}: {}\n\n{}\n\nWhat to do: {}\n",
                rule.id,
                rule.name,
                severity_word(rule.severity),
                markdown(rule.title),
                markdown(rule.explanation),
                markdown(rule.fix),
            ));
        }
    }
    page
}

/// A sentence of ours as Markdown: it has code in it, but no HTML.
fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_code = false;
    for character in text.chars() {
        is_code ^= character == '`';
        match character {
            '<' if !is_code => escaped.push_str("&lt;"),
            '*' | '_' if !is_code => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
        let published = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            published == page(),
            "docs/rules.md is not what the declarations say; write it anew: \
             cargo run --bin check-dns -- rules --format markdown >docs/rules.md"
        );
    }

    #[test]
    fn every_rule_is_on_the_page() {
        let page = page();
        for rule in rules() {
            assert!(page.contains(&format!("### {} {}\n", rule.id, rule.name)), "{}", rule.id);
        }
    }
}
