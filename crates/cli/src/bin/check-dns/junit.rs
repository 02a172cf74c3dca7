//! The findings as JUnit XML: a test suite for each domain, a test case for each finding.

use std::io::{self, Write};

use mailproof_cli::output::Output;
use mailproof_records::Severity;

use crate::concise::place;
use crate::found::{Checked, Found, severity_word};

/// Findings from `least` on are failures; the others are told in test cases that pass.
pub(crate) fn document(
    out: &mut Output,
    all: &[Checked],
    least: Option<Severity>,
) -> io::Result<()> {
    let fails = |found: &&Found| least.is_some_and(|least| found.severity >= least);
    let failures = |checked: &Checked| checked.findings.iter().filter(fails).count();
    let tests: usize = all.iter().map(cases).sum();
    let failed: usize = all.iter().map(failures).sum();
    let errors: usize = all.iter().map(|checked| checked.unknown.len()).sum();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"check-dns\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{errors}\">"
    )?;
    for checked in all {
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
            xml(&checked.domain),
            cases(checked),
            failures(checked),
            checked.unknown.len()
        )?;
        for found in &checked.findings {
            case(out, found, fails(&found))?;
        }
        for unknown in &checked.unknown {
            let (domain, unknown) = (xml(&checked.domain), xml(unknown));
            writeln!(
                out,
                "    <testcase name=\"{unknown}\" classname=\"{domain}\">\
                 <error type=\"temporary\" message=\"{unknown}\"/></testcase>"
            )?;
        }
        if is_clean(checked) {
            let domain = xml(&checked.domain);
            writeln!(out, "    <testcase name=\"all checks passed\" classname=\"{domain}\"/>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn is_clean(checked: &Checked) -> bool {
    checked.findings.is_empty() && checked.unknown.is_empty()
}

fn cases(checked: &Checked) -> usize {
    checked.findings.len() + checked.unknown.len() + usize::from(is_clean(checked))
}

fn case(out: &mut Output, found: &Found, fails: bool) -> io::Result<()> {
    writeln!(
        out,
        "    <testcase name=\"{} {}\" classname=\"{}\">",
        found.rule.id,
        xml(found.rule.name),
        xml(&found.record_name())
    )?;
    let mut text = format!("{}: {}", place(found), found.message);
    for more in found.more() {
        text.push('\n');
        text.push_str(more);
    }
    let (severity, text) = (severity_word(found.severity), xml(&text));
    if fails {
        let message = xml(&found.message);
        writeln!(out, "      <failure type=\"{severity}\" message=\"{message}\">{text}</failure>")?;
    } else {
        writeln!(out, "      <system-out>{severity}: {text}</system-out>")?;
    }
    writeln!(out, "    </testcase>")
}

/// `text` as character data or as an attribute (XML 1.0 2.4).
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            // XML 1.0 2.2 has no other control characters and no U+FFFE and U+FFFF.
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}
