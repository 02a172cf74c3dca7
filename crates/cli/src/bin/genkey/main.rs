//! `genkey`: a DKIM key, and the record that publishes it.

mod check;
mod cli;
mod generate;
mod getopt;
mod human;
mod json;
mod legacy;
mod rotate;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use mailproof_cli::exit::run;

use crate::cli::{Cli, Command};

/// Words that stand where opendkim-genkey has options only.
const SUBCOMMANDS: [&str; 3] = ["check", "rotate", "help"];

fn main() -> ExitCode {
    if let Some(done) = mailproof_cli::manual::asked::<Cli>("1") {
        return done;
    }
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let options = arguments.split_off(1.min(arguments.len()));
    let program = arguments.pop().unwrap_or_default();
    if let Some(name) = legacy::name(&program) {
        return legacy::run(&name, options);
    }
    let cli = Cli::parse_from(std::iter::once(program).chain(modern(options)));
    run(|| match &cli.command {
        Some(Command::Check(arguments)) => check::run(arguments),
        Some(Command::Rotate(arguments)) => rotate::run(arguments),
        None => generate::run(&cli.generate),
    })
}

/// The spellings of opendkim-genkey made plain. What is understood neither so nor so is left as it
/// is, for a message that helps.
fn modern(options: Vec<OsString>) -> Vec<OsString> {
    let first = options.first().and_then(|first| first.to_str());
    if first.is_some_and(|first| SUBCOMMANDS.contains(&first)) {
        return options;
    }
    let read = getopt::read(options.iter().cloned());
    if read.errors.is_empty() {
        read.options.into_iter().chain(read.others).collect()
    } else {
        options
    }
}
