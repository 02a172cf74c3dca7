//! The findings as JSON: one document, or one line for each domain. The schema is
//! `docs/schema/check-dns.schema.json`.

use std::io::{self, Write};

use mailproof_cli::output::Output;
use mailproof_records::Policy;
use serde::Serialize;

use crate::found::{Budget, Checked, Found, severity_word};
use crate::summary::Summary;

/// The version of the JSON schema.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// The longest record that stands in each of its findings. Local choice: a key of 16,384 bits fits.
const LONGEST: usize = 4096;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    domains: Vec<Domain<'a>>,
    findings: Vec<Finding<'a>>,
    summary: &'a Summary,
}

/// A line of JSON Lines.
#[derive(Serialize)]
struct Line<'a> {
    schema_version: u32,
    #[serde(flatten)]
    domain: Domain<'a>,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Domain<'a> {
    domain: &'a str,
    complete: bool,
    unknown: &'a [String],
    lookups: usize,
    spf: Option<Spf>,
    dmarc: Option<Dmarc>,
    selectors: Vec<Selector<'a>>,
}

#[derive(Serialize)]
struct Spf {
    lookups: usize,
    lookup_limit: usize,
    void: usize,
    void_limit: usize,
    tree: Vec<Branch>,
}

#[derive(Serialize)]
struct Branch {
    name: String,
    depth: usize,
    lookups: usize,
}

#[derive(Serialize)]
struct Dmarc {
    owner: Option<String>,
    rfc9989: Option<&'static str>,
    rfc7489: Option<&'static str>,
}

#[derive(Serialize)]
struct Selector<'a> {
    selector: String,
    key: &'a str,
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'static str,
    title: &'static str,
    severity: &'static str,
    domain: &'a str,
    name: &'a str,
    rrtype: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    span: Option<[usize; 2]>,
    record: Option<String>,
    message: &'a str,
    consequence: Option<&'a str>,
    fix: Option<&'a str>,
    corrected: Option<&'a str>,
    section: &'static str,
}

impl<'a> Domain<'a> {
    fn of(checked: &'a Checked) -> Domain<'a> {
        let branch = |branch: &mailproof_records::Branch| Branch {
            name: branch.name.to_string(),
            depth: branch.depth,
            lookups: branch.lookups,
        };
        let dmarc = checked.dmarc.as_ref().map(|dmarc| Dmarc {
            owner: dmarc.owner.as_ref().map(ToString::to_string),
            rfc9989: dmarc.rfc9989.map(Policy::keyword),
            rfc7489: dmarc.rfc7489.map(Policy::keyword),
        });
        let selectors = checked
            .selectors
            .iter()
            .map(|selector| Selector { selector: selector.name.to_string(), key: &selector.key });
        let spf = |budget: Budget| Spf {
            lookups: budget.lookups,
            lookup_limit: Budget::LOOKUPS,
            void: budget.void,
            void_limit: Budget::VOID,
            tree: checked.tree.iter().map(branch).collect(),
        };
        Domain {
            domain: &checked.domain,
            complete: checked.unknown.is_empty(),
            unknown: &checked.unknown,
            lookups: checked.lookups,
            spf: checked.spf.map(spf),
            dmarc,
            selectors: selectors.collect(),
        }
    }
}

impl<'a> Finding<'a> {
    fn of(found: &'a Found) -> Finding<'a> {
        let place = found.place.as_ref();
        Finding {
            rule: found.rule.id,
            title: found.rule.title,
            severity: severity_word(found.severity),
            domain: &found.domain,
            name: &found.name,
            rrtype: &found.rrtype,
            file: place.map(|place| place.file.as_str()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            span: found.span.as_ref().map(|span| [span.start, span.end]),
            record: found
                .record
                .as_deref()
                .filter(|record| record.len() <= LONGEST)
                .map(|record| mailproof_cli::escape::visible(record).to_string()),
            message: &found.message,
            consequence: found.consequence,
            fix: found.fix.as_deref(),
            corrected: found.corrected.as_deref(),
            section: found.rule.section,
        }
    }
}

/// The whole run in one document.
pub(crate) fn document(out: &mut Output, all: &[Checked], summary: &Summary) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        domains: all.iter().map(Domain::of).collect(),
        findings: all.iter().flat_map(|checked| &checked.findings).map(Finding::of).collect(),
        summary,
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// One domain in one line, complete as soon as it is written; `octets` are room for it.
pub(crate) fn line(out: &mut Output, octets: &mut Vec<u8>, checked: &Checked) -> io::Result<()> {
    let line = Line {
        schema_version: SCHEMA_VERSION,
        domain: Domain::of(checked),
        findings: checked.findings.iter().map(Finding::of).collect(),
    };
    // At once, not word by word.
    octets.clear();
    serde_json::to_writer(&mut *octets, &line)?;
    octets.push(b'\n');
    out.write_all(octets)?;
    out.flush()
}
