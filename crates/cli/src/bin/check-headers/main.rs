//! `check-headers`: where a message comes from, and why that is not proved when it is not.

mod advice;
mod canonical;
mod check;
mod claims;
mod cli;
mod envelope;
mod exits;
mod found;
mod human;
mod json;
mod signed_fields;
mod verdict;

use std::process::ExitCode;

use clap::Parser as _;
use mailproof::Receiver;
use mailproof::arc::TrustedSealers;
use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble, run};
use mailproof_cli::input::Message;
use mailproof_cli::instant::Instant;
use mailproof_cli::output::{Format, List, Output, Progress, remark};

use crate::check::{Checked, Checker};
use crate::cli::Cli;

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;

fn main() -> ExitCode {
    if let Some(done) = mailproof_cli::manual::asked::<Cli>("1") {
        return done;
    }
    let cli = Cli::parse();
    run(|| check_headers(&cli))
}

fn check_headers(cli: &Cli) -> Result<Exit, Trouble> {
    let mut receiver = Receiver::new(&cli.envelope.receiver);
    receiver.policy.trusted_sealers = TrustedSealers::new(cli.trusted_sealer.iter().cloned());
    let mut checker = Checker {
        cli,
        receiver,
        source: Source::new(&cli.dns)?,
        now: cli.now.unwrap_or_else(Instant::now),
    };
    let mut output = Output::stdout();
    let mut list = (cli.format == Format::Json).then(|| List::new(SCHEMA_VERSION, "messages"));
    let mut worst = Exit::Good;
    let (mut progress, mut done) = (Progress::new(), 0_u64);
    cli.input.each_message(|name, message| {
        let checked = judge(name, message, &mut checker)?;
        if let Err(reason) = &checked {
            progress.clear();
            remark("error", Trouble::input(name, reason));
        }
        match &mut list {
            Some(list) => {
                let message = json::Message::new(name, &checked, checker.source.zone());
                list.item(&mut output, &message)?;
            }
            None => human::print(&mut output, name, &checked, checker.source.zone())?,
        }
        done += 1;
        progress.count(format_args!("{done} messages"));
        worst = worst.max(checked.as_ref().map_or(Exit::Trouble, |checked| checked.exit(cli)));
        Ok(())
    })?;
    progress.clear();
    if let Some(list) = list {
        list.end(&mut output)?;
    }
    checker.source.finish()?;
    Ok(worst)
}

/// What was found, or what is wrong with the input.
fn judge(
    name: &str,
    message: Message<'_>,
    checker: &mut Checker<'_>,
) -> Result<Result<Checked, String>, Trouble> {
    match message.and_then(|reader| checker.check(name, reader)) {
        Ok(checked) => Ok(Ok(checked)),
        Err(Trouble::Input { reason, .. }) => Ok(Err(reason)),
        Err(other) => Err(other),
    }
}
