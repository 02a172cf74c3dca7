//! `mailproofd check-config`: what becomes of each line, and what is wrong.

use std::cmp::Reverse;
use std::io::{self, Write as _};
use std::path::Path;

use mailproof_cli::caret::caret;
use mailproof_cli::escape::{safe, visible};
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::output::{Format, INDENT, Output};
use mailproof_daemon::directive::Class;
use mailproof_daemon::postfix::{self, MainCf};
use mailproof_daemon::{Config, Directive, Files, Finding, Severity, worst};
use serde::Serialize;

use crate::cli::CheckConfig;
use crate::load;

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;

pub(crate) fn run(command: &CheckConfig) -> Result<Exit, Trouble> {
    let files = command.options.files();
    let draft = load(&command.files, &files)?;
    let mut findings = draft.findings;
    // A file of ours with an error in it has said nothing yet.
    let is_read = !draft.directives.is_empty() || findings.is_empty();
    let (config, found) = Config::resolve(draft.settings, &draft.origins, &files);
    if is_read {
        findings.extend(found);
    }
    if let Some(main) = &command.postfix {
        findings.extend(with_postfix(main, &files, &config)?);
    }
    findings.sort_by_key(|finding| Reverse(finding.severity));
    let mut output = Output::stdout();
    match command.format {
        Format::Human => human(&mut output, &draft.directives, &findings)?,
        Format::Json => json(&mut output, &draft.directives, &findings)?,
    }
    output.flush()?;
    Ok(match worst(&findings) {
        None | Some(Severity::Note) => Exit::Good,
        Some(Severity::Warning | Severity::Error) => Exit::Bad,
    })
}

fn with_postfix(path: &Path, files: &Files, config: &Config) -> Result<Vec<Finding>, Trouble> {
    let name = path.display().to_string();
    let text = files.text(path).map_err(|trouble| Trouble::input(&*name, trouble))?;
    let master = files.text(&path.with_file_name("master.cf")).ok();
    Ok(postfix::check(&MainCf::parse(&name, &text), master.as_deref(), config))
}

fn human(output: &mut Output, directives: &[Directive], findings: &[Finding]) -> io::Result<()> {
    let paint = output.paint;
    let count = |severity| findings.iter().filter(|found| found.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if errors > 0 {
        writeln!(output, "{}: errors {errors}, warnings {warnings}", paint.bad("not usable"))?;
    } else if warnings > 0 {
        let word = paint.doubtful("usable, with warnings");
        writeln!(output, "{word}: {warnings}")?;
    } else {
        writeln!(output, "{}", paint.good("good"))?;
    }
    for finding in findings {
        let word = format!("{:8}", finding.severity);
        let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let text = format!("{place}{}", finding.sentence);
        match finding.severity {
            Severity::Error => write!(output, "  {}", paint.bad(word))?,
            Severity::Warning => write!(output, "  {}", paint.doubtful(word))?,
            Severity::Note => write!(output, "  {}", paint.dim(word))?,
        }
        writeln!(output, "{} [{}]", safe(&text), finding.rule)?;
        if let Some(place) = finding.place.as_ref().filter(|place| !place.text.is_empty()) {
            writeln!(output, "{}", caret(place.text.as_bytes(), place.span.clone(), INDENT))?;
        }
        if let Some(advice) = &finding.advice {
            output.detail("do", &safe(advice).to_string())?;
        }
    }
    for directive in directives {
        let Directive { place, name, value, class, sentence } = directive;
        let word = format!("{:11}", class.keyword());
        match class {
            Class::Unsupported => write!(output, "  {}", paint.bad(word))?,
            _ => write!(output, "  {}", paint.dim(word))?,
        }
        let value = visible(value.as_bytes());
        let text = format!("{place}: {name} {value}");
        writeln!(output, " {}", safe(&text))?;
        output.detail("", sentence)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    findings: Vec<FindingItem<'a>>,
    directives: Vec<DirectiveItem<'a>>,
}

#[derive(Serialize)]
struct FindingItem<'a> {
    severity: Severity,
    rule: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    sentence: &'a str,
    advice: Option<&'a str>,
}

#[derive(Serialize)]
struct DirectiveItem<'a> {
    file: &'a str,
    line: usize,
    name: &'a str,
    value: &'a str,
    class: Class,
    sentence: &'a str,
}

fn json(output: &mut Output, directives: &[Directive], findings: &[Finding]) -> io::Result<()> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        findings: findings
            .iter()
            .map(|finding| FindingItem {
                severity: finding.severity,
                rule: finding.rule,
                file: finding.place.as_ref().map(|place| place.file.as_str()),
                line: finding.place.as_ref().map(|place| place.line),
                sentence: &finding.sentence,
                advice: finding.advice.as_deref(),
            })
            .collect(),
        directives: directives
            .iter()
            .map(|directive| DirectiveItem {
                file: &directive.place.file,
                line: directive.place.line,
                name: &directive.name,
                value: &directive.value,
                class: directive.class,
                sentence: &directive.sentence,
            })
            .collect(),
    };
    serde_json::to_writer(&mut *output, &document)?;
    output.write_all(b"\n")
}
