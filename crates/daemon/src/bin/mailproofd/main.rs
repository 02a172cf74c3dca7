//! `mailproofd`: signs and verifies mail for Postfix.

mod check_config;
mod cli;
mod convert;
mod serve;
mod why;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use mailproof_cli::exit::{Exit, Trouble, run};
use mailproof_daemon::{Draft, Files};

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    if let Some(done) = mailproof_cli::manual::asked::<Cli>("8") {
        return done;
    }
    let cli = Cli::parse();
    run(|| mailproofd(&cli))
}

fn mailproofd(cli: &Cli) -> Result<Exit, Trouble> {
    match &cli.command {
        Command::Run(command) => serve::run(command),
        Command::Policy(command) => serve::policy(command),
        Command::CheckConfig(command) => check_config::run(command),
        Command::Why(command) => why::run(command),
        Command::Convert(command) => convert::run(command),
    }
}

/// The configuration in these files.
fn load(paths: &[std::path::PathBuf], files: &Files) -> Result<Draft, Trouble> {
    let paths: Vec<&Path> = paths.iter().map(|path| path.as_path()).collect();
    Draft::load(&paths, files).map_err(|error| Trouble::File(error.to_string()))
}
