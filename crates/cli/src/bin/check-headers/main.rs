//! `check-headers`: what the signatures of a message prove, and why when they do not.

mod advice;
mod canonical;
mod check;
mod cli;
mod found;
mod human;
mod json;
mod key_record;
mod signed_fields;

use std::process::ExitCode;

use clap::Parser as _;
use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble, run};
use mailproof_cli::input::Message;
use mailproof_cli::instant::Instant;
use mailproof_cli::output::{Format, List, Output, Progress, remark};

use crate::check::{Checked, check};
use crate::cli::Cli;

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;

fn main() -> ExitCode {
    let cli = Cli::parse();
    run(|| check_headers(&cli))
}

fn check_headers(cli: &Cli) -> Result<Exit, Trouble> {
    let mut source = Source::new(&cli.dns)?;
    let now = cli.now.unwrap_or_else(Instant::now);
    let mut output = Output::stdout();
    let mut list = (cli.format == Format::Json).then(|| List::new(SCHEMA_VERSION, "messages"));
    let mut worst = Exit::Good;
    let (mut progress, mut done) = (Progress::new(), 0_u64);
    cli.input.each_message(|name, message| {
        let checked = judge(name, message, &mut source, now, cli)?;
        if let Err(reason) = &checked {
            progress.clear();
            remark("error", Trouble::input(name, reason));
        }
        match &mut list {
            Some(list) => {
                let message = json::Message::new(name, &checked, source.zone());
                list.item(&mut output, &message)?;
            }
            None => human::print(&mut output, name, &checked, source.zone())?,
        }
        done += 1;
        progress.count(format_args!("{done} messages"));
        worst = worst.max(checked.as_ref().map_or(Exit::Trouble, Checked::exit));
        Ok(())
    })?;
    progress.clear();
    if let Some(list) = list {
        list.end(&mut output)?;
    }
    source.finish()?;
    Ok(worst)
}

/// What was found, or what is wrong with the input.
fn judge(
    name: &str,
    message: Message<'_>,
    source: &mut Source,
    now: Instant,
    cli: &Cli,
) -> Result<Result<Checked, String>, Trouble> {
    match message.and_then(|reader| check(name, reader, source, now, cli.show.is_some())) {
        Ok(checked) => Ok(Ok(checked)),
        Err(Trouble::Input { reason, .. }) => Ok(Err(reason)),
        Err(other) => Err(other),
    }
}
