//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use mailproof_cli::dns_options::DnsOptions;
use mailproof_cli::exit::EXIT_CODES;
use mailproof_cli::instant::Instant;
use mailproof_dns::Name;
use mailproof_records::{Kind, Policy, Profile, Severity};

use crate::manifest::{Host, POLICIES, PROFILES, parse_keyword, parse_name};
use crate::network::NetworkOptions;
use crate::select::Pattern;

const EXAMPLES: &str = "\
Examples:
  check-dns example.com                       what the DNS says now
  check-dns --zone db.example.com             a zone file before it is published
  check-dns                                   the domains of mailproof.toml
  echo 'v=spf1 mx -all' | check-dns record spf
  check-dns explain SPF011";

/// Check the mail records of domains: SPF, DKIM, DMARC, MX, MTA-STS, TLS-RPT, DANE, BIMI
///
/// Without DOMAIN the domains of mailproof.toml, or of the zone files, are checked. The last line
/// says what was checked; a check that could not be made is never taken for a missing record.
#[derive(Debug, Parser)]
#[command(
    name = "check-dns",
    version,
    after_help = after_help(),
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) check: Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check one record or MTA-STS policy, from standard input or a file, without any DNS
    Record(Record),
    /// Write a manifest of what is found for a domain
    Init(Init),
    /// Say what a rule is about, why, and what to do
    Explain(Explain),
    /// List every rule
    Rules(Rules),
}

/// What is checked, against what, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The domains to check
    #[arg(value_name = "DOMAIN", value_parser = parse_name)]
    pub(crate) domains: Vec<Name>,

    /// Check the domains of this file, one a line; "-" is standard input
    #[arg(long = "domains", value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,

    /// What is expected of the domains [default: mailproof.toml, where it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,

    /// The origin of zone files that have no $ORIGIN and no ORIGIN= before their name
    #[arg(long, value_name = "NAME", value_parser = parse_name, requires = "zone")]
    pub(crate) origin: Option<Name>,

    /// Ask nobody for what the zone files do not say; checks that need it are left out
    #[arg(long)]
    pub(crate) offline: bool,

    /// Leave out domains that this output of --format jsonl has, and count what it found
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) expect: Expect,

    #[command(flatten)]
    pub(crate) rules: RuleOptions,

    #[command(flatten)]
    pub(crate) output: OutputOptions,

    #[command(flatten)]
    pub(crate) dns: DnsOptions,

    #[command(flatten)]
    pub(crate) network: NetworkOptions,
}

/// What is expected of every domain; a manifest says it for each.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Expectations")]
pub(crate) struct Expect {
    /// What the domains are for: sender, bulk, no-mail, receiver or strict [default: sender]
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    pub(crate) profile: Option<Profile>,

    /// A DKIM selector in use (may be given several times)
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub(crate) selector: Vec<Name>,

    /// The private key of a selector, which must be that of the published key
    #[arg(long, value_name = "SELECTOR=FILE", value_parser = key)]
    pub(crate) key: Vec<(Name, PathBuf)>,

    /// Take domains and selectors from the signatures of a sample message
    #[arg(long, value_name = "FILE")]
    pub(crate) message: Vec<PathBuf>,

    /// A host that sends, and so must pass SPF
    #[arg(long, value_name = "HOST|IP", value_parser = Host::parse)]
    pub(crate) must_pass: Vec<Host>,

    /// A host that must not pass SPF
    #[arg(long, value_name = "HOST|IP", value_parser = Host::parse)]
    pub(crate) must_not_pass: Vec<Host>,

    /// The name that a host gives with EHLO (may be given several times)
    #[arg(long, value_name = "IP=NAME", value_parser = helo)]
    pub(crate) helo: Vec<(IpAddr, Name)>,

    /// A DMARC aggregate report (XML, also in gzip or zip), for selectors and their use
    #[arg(long, value_name = "FILE")]
    pub(crate) dmarc_report: Vec<PathBuf>,

    /// The DMARC policy that must be in force: none, quarantine or reject
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    pub(crate) dmarc: Option<Policy>,
}

/// Which findings count.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct RuleOptions {
    /// Check these rules only: an id, or how ids begin, as in SPF or SPF04
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = Pattern::parse)]
    pub(crate) select: Vec<Pattern>,

    /// Leave these rules out
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = Pattern::parse)]
    pub(crate) ignore: Vec<Pattern>,

    /// A list of RSA keys known to be weak, as openssl-blacklist has them (may be given several
    /// times)
    #[arg(long, value_name = "FILE")]
    pub(crate) weak_keys: Vec<PathBuf>,

    /// Report only what FILE, written by --write-baseline, does not have
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Write all findings to FILE, for --baseline
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(crate) write_baseline: Option<PathBuf>,

    /// Report where the SPF tree, the keys and the MTA-STS id differ from FILE, which is written
    /// if it is not there
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,

    /// Write the lock file anew: what is published now is right
    #[arg(long)]
    pub(crate) update_lock: bool,
}

/// How it is told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// The form of the findings [default: full; github in GitHub Actions]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,

    /// From which severity on a finding is bad: exit code 1 [default: error]
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,

    /// Print findings and nothing else
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Report info findings too
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// Check as if it were this time, for keys and suppressions that end: seconds since 1970 or a
    /// date like 2026-11-25T03:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Instant>,
}

/// The form of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For reading: what, where, why, what to do
    #[value(alias = "human")]
    Full,
    /// One line for each finding
    Concise,
    /// One document
    Json,
    /// One line for each domain, as soon as it is checked
    Jsonl,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML
    Junit,
    /// Annotations and job summary of GitHub Actions
    Github,
    /// Code quality report of GitLab
    Gitlab,
    /// A table
    Markdown,
}

/// From which severity on a finding is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warning,
    Info,
    Never,
}

impl FailOn {
    pub(crate) const KEYWORDS: [(&str, FailOn); 4] = [
        ("error", FailOn::Error),
        ("warning", FailOn::Warning),
        ("info", FailOn::Info),
        ("never", FailOn::Never),
    ];

    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            FailOn::Error => Some(Severity::Error),
            FailOn::Warning => Some(Severity::Warning),
            FailOn::Info => Some(Severity::Info),
            FailOn::Never => None,
        }
    }
}

/// One record.
#[derive(Debug, Args)]
pub(crate) struct Record {
    /// spf, dkim, dmarc, mta-sts, mta-sts-policy, tls-rpt, bimi, tlsa or adsp
    #[arg(value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Kind,

    /// The file of the record; standard input if none is given
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// The name it is to be published at
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub(crate) name: Option<Name>,

    /// What the domain is for: sender, bulk, no-mail, receiver or strict [default: sender]
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    pub(crate) profile: Option<Profile>,

    /// A mail exchange that a policy (mta-sts-policy) must have (may be given several times)
    #[arg(long, value_name = "HOST", value_parser = parse_name)]
    pub(crate) mx: Vec<Name>,

    /// A list of RSA keys known to be weak, for dkim, as openssl-blacklist has them (may be given
    /// several times)
    #[arg(long, value_name = "FILE")]
    pub(crate) weak_keys: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

/// A manifest of what is found.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The domains
    #[arg(value_name = "DOMAIN", required = true, value_parser = parse_name)]
    pub(crate) domains: Vec<Name>,

    /// The file to write; "-" is standard output
    #[arg(long, short, value_name = "FILE", default_value = "mailproof.toml")]
    pub(crate) output: PathBuf,

    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,

    /// A DKIM selector in use (may be given several times)
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub(crate) selector: Vec<Name>,

    /// Take domains and selectors from the signatures of a sample message
    #[arg(long, value_name = "FILE")]
    pub(crate) message: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) dns: DnsOptions,
}

/// What a rule is about.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Ids, or how ids begin
    #[arg(value_name = "ID", required = true, value_parser = Pattern::parse)]
    pub(crate) rules: Vec<Pattern>,
}

/// Every rule.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// The form of the list
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: RulesFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RulesFormat {
    /// One line for each rule
    Text,
    /// The page docs/rules.md
    Markdown,
    /// Everything about each rule
    Json,
}

fn profile(text: &str) -> Result<Profile, String> {
    parse_keyword("profile", &PROFILES, text)
}

fn policy(text: &str) -> Result<Policy, String> {
    parse_keyword("DMARC policy", &POLICIES, text)
}

const KINDS: [(&str, Kind); 9] = [
    ("spf", Kind::Spf),
    ("dkim", Kind::Dkim),
    ("dmarc", Kind::Dmarc),
    ("mta-sts", Kind::MtaSts),
    ("mta-sts-policy", Kind::MtaStsPolicy),
    ("tls-rpt", Kind::TlsRpt),
    ("bimi", Kind::Bimi),
    ("tlsa", Kind::Tlsa),
    ("adsp", Kind::Adsp),
];

fn kind(text: &str) -> Result<Kind, String> {
    parse_keyword("kind of record", &KINDS, text)
}

fn key(text: &str) -> Result<(Name, PathBuf), String> {
    let (selector, file) = text.split_once('=').ok_or("write SELECTOR=FILE")?;
    Ok((parse_name(selector)?, file.into()))
}

fn helo(text: &str) -> Result<(IpAddr, Name), String> {
    let (address, name) = text.split_once('=').ok_or("write IP=NAME")?;
    let address = address.parse().map_err(|_| format!("{address} is no address"))?;
    Ok((address, parse_name(name)?))
}

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{EXIT_CODES}")
}

/// The command line, its help saying what is special here.
pub(crate) fn parse() -> Cli {
    let matches = command().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn command() -> clap::Command {
    Cli::command().mut_arg("zone", |zone| {
        zone.help(
            "Check these records, a zone file (RFC 1035) before it is published; names outside \
             the zone are asked for (may be given several times)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Cli, clap::Error> {
        let arguments = arguments.split(' ').filter(|word| !word.is_empty());
        let matches = command().try_get_matches_from(["check-dns"].into_iter().chain(arguments))?;
        Cli::from_arg_matches(&matches)
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn what_is_understood() {
        let cli = parse("example.com example.net --select SPF,DKIM --profile bulk -v").unwrap();
        assert_eq!((cli.check.domains.len(), cli.check.rules.select.len()), (2, 2));
        assert_eq!(cli.check.expect.profile, Some(Profile::Bulk));
        let cli = parse("record spf --format json").unwrap();
        assert!(matches!(cli.command, Some(Command::Record(record)) if record.kind == Kind::Spf));
        assert!(matches!(parse("explain SPF").unwrap().command, Some(Command::Explain(_))));
        let cli = parse("--format human a.example").unwrap();
        assert_eq!(cli.check.output.format, Some(Format::Full));
    }

    #[test]
    fn what_is_refused() {
        for arguments in [
            "a..b",
            "--profile bluk example.com",
            "--select SPF999 example.com",
            "--key s1 example.com",
            "--must-pass 192.0.2.0/24 example.com",
            "record nonsense",
            "explain",
            "init",
            "-q -v example.com",
            // Of domains that are done the terms at fault are not known.
            "--resume done --write-baseline b example.com",
        ] {
            assert!(parse(arguments).is_err(), "{arguments}");
        }
    }
}
