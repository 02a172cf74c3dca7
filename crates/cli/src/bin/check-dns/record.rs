//! One record, without any DNS.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};

use mailproof_cli::escape::visible;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::input::{STDIN, reason};
use mailproof_cli::output::Output;
use mailproof_dns::Name;
use mailproof_records::{Kind, Profile, Report, Severity, check_key, check_policy, check_record};

use crate::cli::{FailOn, Record};
use crate::found::{Checked, Found};
use crate::summary::Summary;
use crate::weak_keys;
use crate::write::Writer;
use crate::zones::Zones;

/// The most that is read: a record has at most 65,535 octets, and quotes and escapes around them.
const MOST: u64 = 4 * 65_536;

/// Checks the record of a file or of standard input.
pub(crate) fn check(options: &Record) -> Result<Exit, Trouble> {
    let text = read(options)?;
    let output = &options.output;
    let fail_on = output.fail_on.unwrap_or(FailOn::Error);
    let shows_info = output.verbose || fail_on == FailOn::Info;
    let name = match &options.name {
        Some(name) => name.clone(),
        None => default_name(options.kind)?,
    };
    let mut checked = Checked {
        domain: name.to_string(),
        named_at: None,
        findings: Vec::new(),
        lookups: 0,
        spf: None,
        tree: Vec::new(),
        dmarc: None,
        selectors: Vec::new(),
        unknown: Vec::new(),
        not_asked: 0,
        suppressed: 0,
        baseline: 0,
        not_shown: 0,
        omitted: 0,
    };
    let file = options.file.as_deref().filter(|path| path.as_os_str() != STDIN);
    let file = file.map(|path| visible(path.as_os_str().as_encoded_bytes()).to_string());
    let mut findings: Vec<Found> = report(options, &name, &text)?
        .findings
        .into_iter()
        .map(|finding| Found::new(finding, &name, &Zones::default()))
        .map(|found| match &file {
            Some(file) => found.in_file(file),
            None => found,
        })
        .collect();
    findings.sort_by(Found::order);
    for found in findings {
        if found.severity == Severity::Info && !shows_info {
            checked.not_shown += 1;
        } else {
            checked.findings.push(found);
        }
    }
    let mut out = Output::stdout();
    let mut writer = Writer::new(output, fail_on.severity(), Summary::default(), false);
    writer.domain(&mut out, checked)?;
    writer.end(&mut out)
}

fn report(options: &Record, name: &Name, text: &[u8]) -> Result<Report, Trouble> {
    let usage = |text: &str| Err(Trouble::Usage(text.into()));
    if options.kind != Kind::MtaStsPolicy && !options.mx.is_empty() {
        return usage("--mx is for policies: mta-sts-policy");
    }
    if options.kind != Kind::Dkim && !options.weak_keys.is_empty() {
        return usage("--weak-keys is for keys: dkim");
    }
    let profile = options.profile.unwrap_or(Profile::Sender);
    Ok(match (options.kind, weak_keys::read(&options.weak_keys)?) {
        (Kind::MtaStsPolicy, _) => check_policy(name, text, &options.mx),
        (Kind::Dkim, Some(weak_keys)) => check_key(name, text, profile, &weak_keys),
        (kind, _) => check_record(kind, name, text, profile),
    })
}

fn default_name(kind: Kind) -> Result<Name, Trouble> {
    let name = if kind == Kind::MtaStsPolicy { "mta-sts.example.com" } else { "example.com" };
    name.parse().map_err(|error| Trouble::Usage(format!("{name}: {error}")))
}

/// The text of the record, its line end taken off.
fn read(options: &Record) -> Result<Vec<u8>, Trouble> {
    let (name, mut reader): (String, Box<dyn Read>) = match &options.file {
        Some(path) if path.as_os_str() != STDIN => {
            let name = path.to_string_lossy().into_owned();
            let file = File::open(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
            (name, Box::new(file))
        }
        None if io::stdin().is_terminal() => {
            return Err(Trouble::Usage(
                "no record to check: name a FILE, or pipe a record in".into(),
            ));
        }
        _ => (STDIN.into(), Box::new(io::stdin())),
    };
    let mut text = Vec::new();
    let read = (&mut reader).take(MOST).read_to_end(&mut text);
    read.map_err(|error| Trouble::input(&*name, reason(&error)))?;
    let end = text.iter().rposition(|octet| !matches!(octet, b'\r' | b'\n')).map_or(0, |at| at + 1);
    if options.kind != Kind::MtaStsPolicy || end == 0 {
        text.truncate(end);
    }
    if text.is_empty() {
        return Err(Trouble::input(name, "empty: there is no record in it"));
    }
    Ok(text)
}
