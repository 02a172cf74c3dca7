//! `genkey`: a DKIM key, and the record that publishes it.

mod check;
mod cli;
mod generate;
mod rotate;

use std::process::ExitCode;

use clap::Parser as _;
use mailproof_cli::exit::run;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    run(|| match &cli.command {
        Some(Command::Check(arguments)) => check::run(arguments),
        Some(Command::Rotate(arguments)) => rotate::run(arguments),
        None => generate::run(&cli.generate),
    })
}
