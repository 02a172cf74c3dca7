//! The findings as a table in Markdown, for a summary that people read.

use std::io::{self, Write};

use crate::found::{Checked, Found, severity_word};
use crate::summary::Summary;

/// A summary of GitHub may have 1 MiB; what is longer is shown not at all.
const MOST: usize = 900 << 10;

pub(crate) fn document(out: &mut impl Write, all: &[Checked], summary: &Summary) -> io::Result<()> {
    writeln!(out, "### Mail DNS records\n\n{}\n", text(&summary.to_string()))?;
    let rows = || all.iter().flat_map(|checked| &checked.findings);
    if rows().next().is_some() {
        writeln!(out, "| severity | rule | record | finding | fix |\n|---|---|---|---|---|")?;
    }
    let (mut written, mut left) = (0, 0);
    for found in rows() {
        let row = row(found);
        written += row.len();
        if written > MOST {
            left += 1;
        } else {
            out.write_all(row.as_bytes())?;
        }
    }
    if left > 0 {
        writeln!(out, "\nand {left} more")?;
    }
    let mut unknown = all.iter().flat_map(|checked| {
        checked.unknown.iter().map(|unknown| (checked.domain.as_str(), unknown))
    });
    if let Some((domain, first)) = unknown.next() {
        writeln!(out, "\nCould not be looked up:\n\n- {}: {}", text(domain), text(first))?;
        for (domain, unknown) in unknown.take(100) {
            writeln!(out, "- {}: {}", text(domain), text(unknown))?;
        }
    }
    Ok(())
}

fn row(found: &Found) -> String {
    let record = match &found.place {
        Some(place) => {
            format!("{}<br>{}:{}", text(&found.record_name()), text(&place.file), place.line)
        }
        None => text(&found.record_name()),
    };
    let mut fix = text(found.fix.as_deref().unwrap_or_default());
    if let Some(corrected) = &found.corrected {
        fix.push_str(&format!("<br>{}", code(corrected)));
    }
    let mut finding = text(&found.message);
    let term = found.term();
    if !term.is_empty() {
        finding.push_str(&format!("<br>{}", code(&term)));
    }
    format!(
        "| {} | {} {} | {record} | {finding} | {fix} |\n",
        severity_word(found.severity),
        found.rule.id,
        found.rule.name,
    )
}

/// `text` in a cell: nothing of it is markup.
fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' => escaped.push_str("<br>"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            // "@name" would call a person.
            '@' => escaped.push_str("&#64;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// `text` as code in a cell.
fn code(text: &str) -> String {
    let mut escaped = String::from("<code>");
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' => escaped.push_str("&#124;"),
            '@' => escaped.push_str("&#64;"),
            '*' | '_' | '`' | '[' | ']' | '\\' | '~' => {
                escaped.push_str(&format!("&#{};", u32::from(character)));
            }
            _ => escaped.push(character),
        }
    }
    escaped + "</code>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(text("a|b <img> `x` @me"), "a\\|b &lt;img&gt; \\`x\\` &#64;me");
        assert_eq!(code("v=spf1 |*<"), "<code>v=spf1 &#124;&#42;&lt;</code>");
    }
}
