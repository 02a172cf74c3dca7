//! `check-dns`: are the mail records of a domain right, before and after they are published.

mod baseline;
mod cli;
mod concise;
mod correct;
mod dns;
mod document;
mod domains;
mod examine;
mod explain;
mod found;
mod full;
mod github;
mod gitlab;
mod init;
mod json;
mod junit;
mod lock;
mod manifest;
mod markdown;
mod network;
mod published;
mod record;
mod reports;
mod resume;
mod run;
mod sample;
mod sarif;
mod select;
mod summary;
mod weak_keys;
mod workers;
mod write;
mod zone_file;
mod zones;

use std::process::ExitCode;

use mailproof_cli::exit::run;

use crate::cli::Command;

fn main() -> ExitCode {
    if let Some(done) = mailproof_cli::manual::asked::<cli::Cli>("1") {
        return done;
    }
    let cli = cli::parse();
    run(|| match &cli.command {
        None => run::check(&cli.check),
        Some(Command::Init(options)) => init::init(options),
        Some(Command::Record(options)) => record::check(options),
        Some(Command::Explain(options)) => explain::explain(options),
        Some(Command::Rules(options)) => explain::list(options),
    })
}
