//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use mailproof_cli::exit::EXIT_CODES;
use mailproof_keygen::{Domain, Selector};

use crate::{check, rotate};

/// Make a DKIM key, and the record that publishes it
#[derive(Debug, Parser)]
#[command(
    name = "genkey",
    version,
    after_help = EXIT_CODES,
    args_conflicts_with_subcommands = true,
    disable_help_flag = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) generate: Generate,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// What else there is to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::Arguments),
    Rotate(rotate::Arguments),
}

/// Without a subcommand: make a key, as opendkim-genkey does.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The size of the RSA key in bits
    #[arg(short, long, default_value = "2048")]
    pub(crate) bits: usize,

    /// The domain that signs
    #[arg(short, long, value_name = "NAME", default_value = "localhost")]
    pub(crate) domain: Domain,

    /// The selector
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    pub(crate) selector: Selector,

    /// The directory that the files are written to
    #[arg(short = 'D', long, value_name = "PATH", default_value = ".")]
    pub(crate) directory: PathBuf,
}
