//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use mailproof_cli::exit::EXIT_CODES;
use mailproof_cli::output::Format;
use mailproof_keygen::{
    Domain, Form, HashAlgorithms, KeyFormat, OwnerError, Record, Selector, UnknownForm,
};

use crate::{check, rotate};

/// Make a DKIM key, and the record that publishes it
///
/// Two files are written, as opendkim-genkey does: SELECTOR.private, the key for the signer, and
/// SELECTOR.txt, the record for a zone file. Both are for their owner alone (mode 0600), and what
/// exists already is not touched. Then it says what to paste where.
///
/// All options of opendkim-genkey are understood, in short, long, bundled, abbreviated and negated
/// form; so -h is --hash-algorithms. Under the name opendkim-genkey it is silent as that was.
#[derive(Debug, Parser)]
#[command(
    name = "genkey",
    version,
    after_help = after_help(),
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    disable_help_flag = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) generate: Generate,

    /// Print help
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

fn after_help() -> String {
    format!(
        "Examples:\n  \
           genkey -b 2048 -d example.com -s 2026a -D /etc/dkimkeys\n  \
           genkey --type both -d example.com -s 2026a\n  \
           genkey --from /etc/dkimkeys/2026a.private -d example.com -s 2026a --record route53\n\n\
         {EXIT_CODES}"
    )
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
    /// The size of the RSA key in bits, 1024 to 8192; 2048 if nothing is said
    #[arg(short, long, value_name = "NUMBER")]
    pub(crate) bits: Option<usize>,

    /// The domain that signs
    #[arg(short, long, value_name = "NAME")]
    pub(crate) domain: Option<MaybeDomain>,

    /// The selector
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    pub(crate) selector: Selector,

    /// The directory that the files are written to; the current one if nothing is said
    #[arg(short = 'D', long, value_name = "PATH")]
    pub(crate) directory: Option<PathBuf>,

    /// The type of the key; "both" makes a second one, for the selector SELECTOR-ed25519
    #[arg(long, value_name = "TYPE", default_value = "rsa")]
    pub(crate) r#type: Type,

    /// Print the record of this private key instead of making one; "-" is standard input. Files are
    /// written if --directory is given, too
    #[arg(long, value_name = "KEYFILE", conflicts_with = "type")]
    pub(crate) from: Option<PathBuf>,

    /// The form of SELECTOR.private: pkcs8, pkcs1 (RSA), der (PKCS#8), seed (Ed25519, base64)
    #[arg(long, value_name = "FORM", default_value = "pkcs8", hide_possible_values = true)]
    pub(crate) key_format: KeyForm,

    /// Replace files that exist, and keep them as FILE.old-1, FILE.old-2 …
    #[arg(long)]
    pub(crate) force: bool,

    /// Name what is done on standard error
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    #[command(flatten)]
    pub(crate) tags: TagOptions,

    #[command(flatten)]
    pub(crate) publish: Publish,
}

/// What the record says beside the key.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the record says")]
pub(crate) struct TagOptions {
    /// The hash algorithms that may be used with the key (h=), with colons between
    #[arg(
        short = 'h',
        long,
        value_name = "LIST",
        default_value = "sha256",
        overrides_with = "no_hash_algorithms"
    )]
    pub(crate) hash_algorithms: HashAlgorithms,

    /// Leave out h=, as opendkim-genkey does where its distribution has not changed it
    #[arg(long, overrides_with = "hash_algorithms")]
    pub(crate) no_hash_algorithms: bool,

    /// A note for people (n=)
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) note: Option<String>,

    /// The key is for mail only (s=email)
    #[arg(short, long, overrides_with = "no_restrict")]
    pub(crate) restrict: bool,

    /// No signature may be for a subdomain (t=s); also --nosubdomains
    #[arg(short = 'S')]
    pub(crate) strict: bool,

    /// The key is only being tested (t=y)
    #[arg(short, long, overrides_with = "no_testmode")]
    pub(crate) testmode: bool,

    #[arg(long, hide = true, overrides_with = "no_subdomains")]
    subdomains: bool,

    #[arg(long, hide = true, alias = "nosubdomains", overrides_with = "subdomains")]
    pub(crate) no_subdomains: bool,

    #[arg(long, hide = true, alias = "norestrict", overrides_with = "restrict")]
    no_restrict: bool,

    #[arg(long, hide = true, alias = "notestmode", overrides_with = "testmode")]
    no_testmode: bool,
}

/// How the record is printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it is published")]
pub(crate) struct Publish {
    /// Name the record in full in the zone file, not relative to its zone
    #[arg(short, long, overrides_with = "no_append_domain")]
    pub(crate) append_domain: bool,

    #[arg(long, hide = true, alias = "noappend-domain", overrides_with = "append_domain")]
    no_append_domain: bool,

    /// Print the record in this form, and nothing else
    #[arg(long, value_name = "FORM", value_parser = form())]
    pub(crate) record: Option<Form>,

    /// The zone that the record is put into, if it is not named like the domain
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<Domain>,

    /// Another operator publishes the key, as TARGET; the domain points there with a CNAME record
    /// (SELECTOR.cname)
    #[arg(long, value_name = "TARGET", requires = "domain")]
    pub(crate) cname: Option<Domain>,

    /// How long the record may be kept, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = Record::TTL, value_parser = ttl())]
    pub(crate) ttl: u32,

    /// The form of what is said about the key and its record; no form shows the private key
    #[arg(long, value_name = "FORMAT", default_value = "human", conflicts_with = "record")]
    pub(crate) format: Format,
}

fn form() -> impl clap::builder::TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::keyword))
        .try_map(|keyword| keyword.parse::<Form>().map_err(|error: UnknownForm| error))
}

/// RFC 2181 8: "a number between 0 and 2147483647".
fn ttl() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(0..=2_147_483_647)
}

/// A domain, or with an empty text none: then the record has no comment.
#[derive(Debug, Clone)]
pub(crate) struct MaybeDomain(pub(crate) Option<Domain>);

impl FromStr for MaybeDomain {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<MaybeDomain, OwnerError> {
        if text.is_empty() {
            Ok(MaybeDomain(None))
        } else {
            text.parse().map(|d| MaybeDomain(Some(d)))
        }
    }
}

/// What keys to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Type {
    /// RSA (RFC 8301), which every verifier knows
    Rsa,
    /// Ed25519 (RFC 8463), which many do not know yet
    Ed25519,
    /// One of each, for two signatures
    Both,
}

/// The form of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyForm {
    /// PKCS#8 in PEM
    Pkcs8,
    /// PKCS#1 in PEM
    Pkcs1,
    /// PKCS#8 in DER
    Der,
    /// An Ed25519 seed in base64
    Seed,
}

impl From<KeyForm> for KeyFormat {
    fn from(form: KeyForm) -> KeyFormat {
        match form {
            KeyForm::Pkcs8 => KeyFormat::Pkcs8,
            KeyForm::Pkcs1 => KeyFormat::Pkcs1,
            KeyForm::Der => KeyFormat::Der,
            KeyForm::Seed => KeyFormat::Seed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
