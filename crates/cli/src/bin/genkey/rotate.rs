//! `genkey rotate`: a new key takes the place of the old one, step by step.

mod begin;
mod carry;
mod config;
mod files;
mod place;
mod report;
mod server;
mod state;

use std::path::PathBuf;

use mailproof_cli::dns_options::DnsOptions;
use mailproof_cli::dns_source::Source;
use mailproof_cli::duration::seconds;
use mailproof_cli::exit::{EXIT_CODES, Exit, Trouble};
use mailproof_cli::instant::Instant;
use mailproof_cli::key_tables::table;
use mailproof_cli::output::{Format, List, Output};
use mailproof_dns::Name;
use mailproof_dns_hickory::NameServer;
use mailproof_keygen::{DataSet, Pace, Record};

use self::carry::Carrier;

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;

/// Change the key of a domain, step by step, without a message that does not verify
///
/// The plan: make a key with a new selector; publish it; when it was seen in the DNS and has been
/// there for a while, sign with it; a week later revoke the old one; then take that out of the
/// tables. This prints the plan and how far it is; with --apply every step that is due is taken.
/// Run it again, by hand or daily, until all are. What was done is kept in a file beside the keys,
/// SELECTOR._domainkey.DOMAIN.rotation.toml; every step may be repeated.
///
/// What the tool cannot change it tells: without --update the record to publish, without a KeyTable
/// or --config what to set in the signer.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The domain that signs
    #[arg(long, short, value_name = "DOMAIN")]
    domain: Name,

    /// The selector of the old key, if the domain has several
    #[arg(long, short, value_name = "NAME")]
    selector: Option<Name>,

    /// Where the keys are, SELECTOR.private; without it, where the old one is
    #[arg(long, short = 'D', value_name = "PATH", required_unless_present_any = ["key_table", "config"])]
    directory: Option<PathBuf>,

    /// The KeyTable that has the key: a FILE, or file:FILE, refile:FILE
    #[arg(long, value_name = "TABLE", value_parser = table)]
    key_table: Option<DataSet>,

    /// The SigningTable that names the key; without it, the entry of the KeyTable keeps its name
    #[arg(long, value_name = "TABLE", value_parser = table, requires = "key_table")]
    signing_table: Option<DataSet>,

    /// The configuration of the signer, in place of tables: mailproofd's TOML, or opendkim.conf
    /// with Selector and KeyFile
    #[arg(long, value_name = "FILE", conflicts_with = "key_table")]
    config: Option<PathBuf>,

    /// Take the steps that are due
    #[arg(long)]
    apply: bool,

    /// The signer was changed by hand and signs with the new key
    #[arg(long, conflicts_with_all = ["key_table", "config"])]
    switched: bool,

    /// Begin the next rotation when one is complete
    #[arg(long)]
    again: bool,

    /// The selector of the new key; without it, today's date
    #[arg(long, value_name = "NAME")]
    new_selector: Option<Name>,

    /// The size of a new RSA key in bits; without it, that of the old one, but 2048 or more
    #[arg(long, short, value_name = "NUMBER")]
    bits: Option<usize>,

    /// How long a record has to be in the DNS before the next step; its TTL, if that is longer
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = seconds)]
    settle: u64,

    /// How long the old key is kept for messages on their way
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = seconds)]
    keep: u64,

    /// Go by this time: seconds since 1970 or a date like 2026-11-25T03:00:00Z
    #[arg(long, value_name = "TIME")]
    now: Option<Instant>,

    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,

    #[command(flatten)]
    update: UpdateOptions,

    #[command(flatten)]
    dns: DnsOptions,

    /// Print help
    #[arg(long, short, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// Publishing by dynamic update (RFC 2136).
#[derive(Debug, clap::Args)]
struct UpdateOptions {
    /// Publish by a dynamic update (RFC 2136) at this primary name server, over TCP
    #[arg(long, value_name = "IP[:PORT]", requires = "tsig_key", help_heading = "Dynamic update")]
    update: Option<NameServer>,

    /// The TSIG key that the server takes updates with: a file as of tsig-keygen or keymgr -t
    #[arg(long, value_name = "FILE", requires = "update", help_heading = "Dynamic update")]
    tsig_key: Option<PathBuf>,

    /// The zone that the record is in; without it, that of the domain
    #[arg(long, value_name = "NAME", requires = "update", help_heading = "Dynamic update")]
    update_zone: Option<Name>,

    /// The TTL of records, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = Record::TTL,
        help_heading = "Dynamic update"
    )]
    ttl: u32,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Trouble> {
    let mut source = Source::new(&arguments.dns)?;
    let now = arguments.now.unwrap_or_else(Instant::now);
    let mut carrier = Carrier::new(arguments, now, &mut source)?;
    let carried = carrier.carry(&mut source);
    // What was done is told, whatever stopped it.
    let mut output = Output::stdout();
    let told = match arguments.format {
        Format::Human => report::print(&mut output, &carrier, carried.as_ref().ok()),
        Format::Json => json(&mut output, &carrier, carried.as_ref().ok()),
    };
    let halt = carried?;
    told?;
    source.finish()?;
    Ok(halt.exit())
}

fn json(
    output: &mut Output,
    carrier: &Carrier<'_>,
    halt: Option<&carry::Halt>,
) -> std::io::Result<()> {
    let mut list = List::new(SCHEMA_VERSION, "rotations");
    list.item(output, &report::Rotation::new(carrier, halt))?;
    list.end(output)
}

impl Arguments {
    fn pace(&self, ttl: u32) -> Pace {
        Pace { settle: self.settle.max(u64::from(ttl)), keep: self.keep }
    }
}
