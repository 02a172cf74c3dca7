//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use mailproof_cli::exit::EXIT_CODES;
use mailproof_cli::output::Format;
use mailproof_daemon::Files;

/// Where the configuration is if none is named.
const DEFAULT: &str = "/etc/mailproofd/mailproofd.toml";

/// Sign and verify mail for Postfix, in place of OpenDKIM, OpenDMARC and policyd-spf
#[derive(Debug, Parser)]
#[command(name = "mailproofd", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign and verify: serve Postfix until SIGTERM; SIGHUP reads the configuration again
    #[command(after_help = EXIT_CODES)]
    Run(Run),
    /// Serve one client of the policy protocol on standard input, as spawn(8) in Postfix's master.cf
    /// starts it: SPF at RCPT TO
    #[command(after_help = EXIT_CODES)]
    Policy(Run),
    /// Say what becomes of each line of a configuration, and what is wrong with it
    #[command(after_help = EXIT_CODES)]
    CheckConfig(CheckConfig),
    /// Say whether a message would be signed or verified, and why
    #[command(after_help = EXIT_CODES)]
    Why(Why),
    /// Write the files of the older daemons as a mailproofd.toml
    #[command(after_help = EXIT_CODES)]
    Convert(Convert),
}

/// Where files are read.
#[derive(Debug, Args)]
pub(crate) struct FilesOptions {
    /// Read all files below this directory, a copy of a host's; modes of keys are not judged then
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl FilesOptions {
    pub(crate) fn files(&self) -> Files {
        self.root.clone().map_or_else(Files::new, Files::below)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The configuration, as for check-config (may be given several times)
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    pub(crate) config: Vec<PathBuf>,
    /// Answer from this zone file (RFC 1035) and ask no name server, for tests; ORIGIN is for a file
    /// without $ORIGIN (may be given several times)
    #[arg(long, value_name = "[ORIGIN=]FILE")]
    pub(crate) zone: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// mailproofd.toml; or opendkim.conf, opendmarc.conf, policyd-spf.conf together
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The main.cf of Postfix, to see whether mail comes here; master.cf beside it is read too
    #[arg(long, value_name = "MAIN.CF")]
    pub(crate) postfix: Option<PathBuf>,
    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) options: FilesOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The address of the author, in From
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: String,
    /// The address of the client; without it, a program of this host
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) ip: Option<IpAddr>,
    /// The name of the client
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Option<String>,
    /// The client has authenticated itself
    #[arg(long)]
    pub(crate) auth: bool,
    /// A recipient (may be given several times)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: Vec<String>,
    /// The name of the service of Postfix (milter_macro_daemon_name)
    #[arg(long, value_name = "NAME")]
    pub(crate) mta: Option<String>,
    /// The configuration, as for check-config (may be given several times)
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    pub(crate) config: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) options: FilesOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// opendkim.conf, opendmarc.conf, policyd-spf.conf
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) options: FilesOptions,
}
