//! `mailproofd run`: the daemon; `mailproofd policy`: its policy service alone.

use std::time::Duration;

use mailproof_cli::dns_options::DnsOptions;
use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_daemon::Start;

use crate::cli::Run;

pub(crate) fn run(command: &Run) -> Result<Exit, Trouble> {
    mailproof_daemon::run(&start(command)?).map_err(|error| Trouble::File(error.to_string()))?;
    Ok(Exit::Good)
}

pub(crate) fn policy(command: &Run) -> Result<Exit, Trouble> {
    mailproof_daemon::policy(&start(command)?).map_err(|error| Trouble::File(error.to_string()))?;
    Ok(Exit::Good)
}

fn start(command: &Run) -> Result<Start, Trouble> {
    let options = DnsOptions {
        nameserver: Vec::new(),
        zone: command.zone.clone(),
        record: None,
        replay: None,
        // Not used: a zone file answers at once, and name servers are asked by the configuration.
        timeout: Duration::ZERO,
        query_timeout: Duration::ZERO,
    };
    let zone = Source::new(&options)?.zone().cloned();
    Ok(Start { files: command.config.clone(), zone })
}
