//! `genkey rotate`: a new key takes the place of the old one, step by step.

use mailproof_cli::exit::{Exit, Trouble};

/// Plan a change of keys, and carry it on
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> Result<Exit, Trouble> {
    Err(Trouble::Usage("genkey rotate is not built yet".to_owned()))
}
