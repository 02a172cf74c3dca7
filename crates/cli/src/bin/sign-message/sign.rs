//! Signing one message.

use std::io::Read;

use mailproof_cli::escape::safe;
use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dkim::{EightBit, Refusal, Signer, Template};
use mailproof_message::{CrlfReader, Limits, ReadError, read_header};

use crate::cli::Cli;
use crate::keys::{Keys, SigningKey};

/// The DKIM-Signature fields of the message of this name.
pub(crate) fn sign(
    name: &str,
    message: impl Read,
    keys: Keys,
    cli: &Cli,
    now: u64,
) -> Result<Vec<Vec<u8>>, Trouble> {
    let unreadable = |error: ReadError| match error {
        ReadError::Io(error) => Trouble::input(name, reason(&error)),
        other => Trouble::input(name, other),
    };
    let refused = |refusal: Refusal| match refusal {
        Refusal::EightBit => Trouble::input(name, format_args!("{refusal} with --allow-8bit")),
        _ => Trouble::input(name, refusal),
    };
    let (header, mut body) =
        read_header(CrlfReader::new(message), &Limits::default()).map_err(unreadable)?;
    let keys = keys.for_message(&header).map_err(|reason| Trouble::input(name, safe(&reason)))?;
    let templates = keys.iter().map(|key| template(key, cli, now)).collect();
    let eight_bit = if cli.allow_8bit { EightBit::Sign } else { EightBit::Refuse };
    let mut signer = Signer::new(&header, templates, eight_bit).map_err(refused)?;
    while let Some(chunk) = body.next_chunk().map_err(|error| unreadable(error.into()))? {
        signer.body(chunk).map_err(refused)?;
    }
    signer.finish().map_err(refused)
}

fn template<'k>(key: &'k SigningKey, cli: &Cli, now: u64) -> Template<'k> {
    Template {
        header_canonicalization: cli.canonicalization.header,
        body_canonicalization: cli.canonicalization.body,
        identity: cli.identity.clone().or_else(|| key.identity.clone()),
        valid_for: cli.expire,
        fields: cli.selection(),
        ..Template::new(&key.key, key.domain.clone(), key.selector.clone(), now)
    }
}
