//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use mailproof_cli::duration::seconds;
use mailproof_cli::exit::EXIT_CODES;
use mailproof_cli::instant::Instant;
use mailproof_cli::key_tables::table;
use mailproof_dkim::{Canonicalization, FieldSelection, Identity};
use mailproof_dns::Name;
use mailproof_keygen::DataSet;

/// Sign a message by DKIM (RFC 6376): with one key or several, RSA or Ed25519
///
/// The message is written as it came, its line ends too, with the new DKIM-Signature fields before
/// all others. In a file whose first line ends with a bare LF, every line end is signed as the CRLF
/// that mail has in transit. As the signatures come first, the message is held until its end: up to
/// 8 MiB in memory, and what is longer in a temporary file that has no name.
///
/// A message that would not arrive as it was signed is not signed, and nothing is written.
#[derive(Debug, Parser)]
#[command(name = "sign-message", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The message; standard input without one, or for `-`
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// A private key, PEM or DER of PKCS#8 or PKCS#1, or an Ed25519 seed in base64; `-` is standard
    /// input (may be given several times, each with its --selector)
    #[arg(long, short, value_name = "FILE", required_unless_present = "key_table")]
    pub(crate) key: Vec<PathBuf>,

    /// The selector under which the key is published: once for each --key, in the same order
    #[arg(long, short, value_name = "NAME", required_unless_present = "key_table")]
    pub(crate) selector: Vec<Name>,

    /// The domain that signs: once for all keys, or once for each; without it, that of the author
    /// (From)
    #[arg(long, short, value_name = "DOMAIN")]
    pub(crate) domain: Vec<Name>,

    /// The KeyTable of OpenDKIM, in place of --key: a FILE, or file:FILE, refile:FILE, csl:LIST
    #[arg(
        long,
        value_name = "TABLE",
        value_parser = table,
        requires = "signing_table",
        conflicts_with_all = ["key", "selector", "domain"]
    )]
    pub(crate) key_table: Option<DataSet>,

    /// The SigningTable of OpenDKIM, which names the key for the author; mostly refile:FILE
    #[arg(long, value_name = "TABLE", value_parser = table, requires = "key_table")]
    pub(crate) signing_table: Option<DataSet>,

    /// Sign with every key that the SigningTable names for the author, not the first alone
    #[arg(long, requires = "signing_table")]
    pub(crate) multiple_signatures: bool,

    /// The header fields to sign, separated by commas; without it, all that a reader is shown and
    /// what decides how
    #[arg(long, value_name = "NAMES")]
    headers: Option<Names>,

    /// The header fields to sign once more than the message has them, so that none can be added;
    /// without it and --headers, those of which a message may have one
    #[arg(long, value_name = "NAMES")]
    oversign: Option<Names>,

    /// How header and body are made canonical: simple or relaxed for each
    #[arg(long, short, value_name = "HEADER[/BODY]", default_value = "relaxed/relaxed")]
    pub(crate) canonicalization: Canonicalizations,

    /// How long the signature is good: seconds, or a number with m, h, d or w; without it, for ever
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    pub(crate) expire: Option<u64>,

    /// On whose behalf the domain signs (i=): an address, or @ and a domain; its domain is the one
    /// that signs or below it
    #[arg(long, value_name = "[USER]@DOMAIN", value_parser = identity)]
    pub(crate) identity: Option<Identity>,

    /// Sign octets beyond ASCII too: every relay on the way is known to keep them
    #[arg(long = "allow-8bit")]
    pub(crate) allow_8bit: bool,

    /// Sign as if it were this time: seconds since 1970 or a date like 2026-11-25T03:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Instant>,

    /// What is written
    #[arg(long, value_name = "FORMAT", default_value = "message")]
    pub(crate) format: Format,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The signed message.
    #[value(alias = "human")]
    Message,
    /// The new fields and what they sign, for programs.
    Json,
}

impl Cli {
    /// What is signed of the header. Whoever names fields gets those alone.
    pub(crate) fn selection(&self) -> FieldSelection {
        let defaults = FieldSelection::default();
        match (&self.headers, &self.oversign) {
            (None, None) => defaults,
            (None, Some(oversign)) => FieldSelection {
                sign: [defaults.oversign, defaults.sign].concat(),
                oversign: oversign.0.clone(),
            },
            (Some(headers), oversign) => FieldSelection {
                sign: headers.0.clone(),
                oversign: oversign.clone().unwrap_or_default().0,
            },
        }
    }
}

/// Names with commas, or the colons of h=, between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Vec<String>);

impl FromStr for Names {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Names, Self::Err> {
        let names = text.split([',', ':']).map(str::trim).filter(|name| !name.is_empty());
        Ok(Names(names.map(str::to_owned).collect()))
    }
}

/// That of the header and that of the body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canonicalizations {
    pub(crate) header: Canonicalization,
    pub(crate) body: Canonicalization,
}

impl FromStr for Canonicalizations {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Canonicalizations, Self::Err> {
        // RFC 6376 3.5 c=: "If only one algorithm is named, that algorithm is used for the header
        // and "simple" is used for the body."
        let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
        match (header.parse(), body.parse()) {
            (Ok(header), Ok(body)) => Ok(Canonicalizations { header, body }),
            _ => Err("neither simple nor relaxed, nor two of them with a / between"),
        }
    }
}

pub(crate) fn identity(text: &str) -> Result<Identity, &'static str> {
    let (local_part, domain) =
        text.rsplit_once('@').ok_or("neither an address nor @ and a domain")?;
    let domain = domain.parse().map_err(|_| "what follows the @ is no domain name")?;
    Ok(Identity { local_part: local_part.as_bytes().to_vec(), domain })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection() {
        let selection = |arguments: &[&str]| {
            let required = ["sign-message", "-k", "k", "-s", "s"];
            Cli::try_parse_from([&required, arguments].concat()).unwrap().selection()
        };
        assert_eq!(selection(&[]), FieldSelection::default());
        let named = selection(&["--headers", "From, To:Subject"]);
        assert_eq!(
            (named.sign, named.oversign),
            (vec!["From".into(), "To".into(), "Subject".into()], vec![])
        );
        let oversigned = selection(&["--oversign", "From"]);
        assert_eq!(oversigned.oversign, ["From"]);
        assert!(oversigned.sign.iter().any(|name| name == "Subject"));
    }
}
