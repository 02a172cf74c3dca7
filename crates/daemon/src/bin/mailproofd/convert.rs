//! `mailproofd convert`: the files of the older daemons as our own.

use std::io::Write as _;

use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::output::{Output, remark};
use mailproof_daemon::{Config, Severity, to_toml};

use crate::cli::Convert;
use crate::load;

pub(crate) fn run(command: &Convert) -> Result<Exit, Trouble> {
    let files = command.options.files();
    let draft = load(&command.files, &files)?;
    let (config, found) = Config::resolve(draft.settings, &draft.origins, &files);
    let mut findings = draft.findings;
    findings.extend(found);
    let text = to_toml(&config.settings, &findings)
        .map_err(|error| Trouble::Usage(format!("cannot be written as TOML: {error}")))?;
    let mut output = Output::stdout();
    output.write_all(text.as_bytes())?;
    output.flush()?;
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors > 0 {
        remark("warning", "the files have errors, which stand in the comments");
        return Ok(Exit::Bad);
    }
    Ok(Exit::Good)
}
