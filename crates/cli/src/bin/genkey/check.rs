//! `genkey check`: is the key on disk the one that is published?

use mailproof_cli::exit::{Exit, Trouble};

/// Compare a private key with the record that publishes it
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> Result<Exit, Trouble> {
    Err(Trouble::Usage("genkey check is not built yet".to_owned()))
}
