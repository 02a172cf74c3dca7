//! `sign-message`: signs a message by DKIM.

mod cli;
mod json;
mod keys;
mod sign;
mod spool;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use mailproof_cli::exit::{Exit, Trouble, run};
use mailproof_cli::input::{STDIN, reason};
use mailproof_cli::instant::Instant;
use mailproof_cli::output::{List, Output};

use crate::cli::{Cli, Format};
use crate::keys::Keys;
use crate::sign::sign;
use crate::spool::Spool;

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;

fn main() -> ExitCode {
    if let Some(done) = mailproof_cli::manual::asked::<Cli>("1") {
        return done;
    }
    let cli = Cli::parse();
    run(|| sign_message(&cli))
}

fn sign_message(cli: &Cli) -> Result<Exit, Trouble> {
    let file = cli.file.as_deref().filter(|path| path.as_os_str() != STDIN);
    let keys = Keys::read(cli, file.is_none())?;
    let name = file.map_or(STDIN.into(), Path::to_string_lossy);
    let input: Box<dyn Read> = match file {
        Some(path) => {
            Box::new(File::open(path).map_err(|error| Trouble::input(&*name, reason(&error)))?)
        }
        None if io::stdin().is_terminal() => {
            return Err(Trouble::Usage(
                "no message to read: name a FILE, or pipe a message in".into(),
            ));
        }
        None => Box::new(io::stdin().lock()),
    };
    let now = cli.now.unwrap_or_else(Instant::now);
    let mut spool = Spool::new();
    let fields = sign(&name, spool.tee(input), keys, cli, now.0)?;
    let mut output = Output::stdout();
    match cli.format {
        Format::Message => spool.write(&fields, &mut output)?,
        Format::Json => {
            let mut list = List::new(SCHEMA_VERSION, "messages");
            list.item(&mut output, &json::Message::new(&name, &fields))?;
            list.end(&mut output)?;
        }
    }
    Ok(Exit::Good)
}
