//! One writer for every format.

use std::io::{self, Write as _};

use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::output::{Output, remark};
use mailproof_records::Severity;

use crate::cli::{Format, OutputOptions};
use crate::found::Checked;
use crate::summary::Summary;
use crate::{concise, full, github, gitlab, json, junit, markdown, sarif};

/// Writes domains as they come, or all at the end, as the format wants it.
pub(crate) struct Writer {
    format: Format,
    quiet: bool,
    /// From which severity on a finding is bad.
    least: Option<Severity>,
    summary: Summary,
    /// The domains so far, for formats that are one document.
    all: Vec<Checked>,
    /// Whether the output goes on behind a line that was cut off.
    begins_cut: bool,
    /// Room for a line.
    octets: Vec<u8>,
}

impl Writer {
    /// A writer that goes on from `summary`.
    pub(crate) fn new(
        options: &OutputOptions,
        least: Option<Severity>,
        summary: Summary,
        begins_cut: bool,
    ) -> Writer {
        let format = options.format.unwrap_or_else(default_format);
        Writer {
            format,
            quiet: options.quiet,
            least,
            summary,
            all: Vec::new(),
            begins_cut,
            octets: Vec::new(),
        }
    }

    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// A domain is checked.
    pub(crate) fn domain(&mut self, out: &mut Output, checked: Checked) -> Result<(), Trouble> {
        self.summary.add(&checked);
        match self.format {
            Format::Full => full::domain(out, &checked, self.quiet)?,
            Format::Concise => concise::domain(out, &checked)?,
            Format::Jsonl => {
                if std::mem::take(&mut self.begins_cut) {
                    out.write_all(b"\n")?;
                }
                json::line(out, &mut self.octets, &checked)?;
            }
            _ => self.all.push(checked),
        }
        Ok(())
    }

    /// All domains are checked.
    pub(crate) fn end(self, out: &mut Output) -> Result<Exit, Trouble> {
        self.document(out)?;
        let exit = self.summary.exit(self.least);
        if self.quiet {
            out.flush()?;
            return Ok(exit);
        }
        match self.format {
            // The last line for people.
            Format::Full | Format::Concise | Format::Github => {
                let paint = out.paint;
                let line = self.summary.to_string();
                match exit {
                    Exit::Good => writeln!(out, "{}", paint.good(line))?,
                    Exit::Temporary => writeln!(out, "{}", paint.doubtful(line))?,
                    Exit::Bad | Exit::Trouble => writeln!(out, "{}", paint.bad(line))?,
                }
                out.flush()?;
            }
            _ => {
                out.flush()?;
                remark("note", &self.summary);
            }
        }
        Ok(exit)
    }

    fn document(&self, out: &mut Output) -> io::Result<()> {
        let (all, summary) = (&self.all, &self.summary);
        match self.format {
            Format::Full | Format::Concise | Format::Jsonl => Ok(()),
            Format::Json => json::document(out, all, summary),
            Format::Sarif => sarif::document(out, all),
            Format::Junit => junit::document(out, all, self.least),
            Format::Github => github::document(out, all, summary),
            Format::Gitlab => gitlab::document(out, all),
            Format::Markdown => markdown::document(out, all, summary),
        }
    }
}

/// GitHub Actions sets `GITHUB_ACTIONS`, and shows annotations.
fn default_format() -> Format {
    let is_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    if is_github { Format::Github } else { Format::Full }
}
