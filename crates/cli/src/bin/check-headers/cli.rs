//! The command line.

use clap::{Parser, ValueEnum};
use mailproof_cli::dns_options::DnsOptions;
use mailproof_cli::exit::EXIT_CODES;
use mailproof_cli::input::InputOptions;
use mailproof_cli::instant::Instant;
use mailproof_cli::output::Format;
use mailproof_dns::Name;

use crate::envelope::EnvelopeOptions;

/// Check where a message comes from: what SPF, DKIM, ARC and DMARC prove, and why when they do not
///
/// A message is good if DMARC passes or, where the domain in From publishes no DMARC record, if SPF
/// or a DKIM signature passes. In a file whose first line ends with a bare LF, every line end is
/// read as the CRLF that mail has in transit.
#[derive(Debug, Parser)]
#[command(name = "check-headers", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) input: InputOptions,

    /// Check only this; for dkim, the exit code is 0 if a signature passes, 1 if none does (as in
    /// an unsigned message), 3 if one may pass when the DNS answers again
    #[arg(long, value_name = "METHOD", conflicts_with = "require")]
    pub(crate) only: Option<Only>,

    /// What has to pass for the exit code 0, separated by commas
    #[arg(long, value_name = "METHODS", value_delimiter = ',')]
    pub(crate) require: Vec<Method>,

    /// Let an ARC chain override what DMARC asks to do, as a receiver does that trusts all its
    /// sealers (d=): no result and no exit code changes (may be given several times)
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) trusted_sealer: Vec<Name>,

    /// Print also the exact octets that were hashed, their line ends and all else that is
    /// invisible as escapes (in JSON: in base64)
    #[arg(long, value_name = "WHAT")]
    pub(crate) show: Option<Show>,

    /// Check as if it were this time: seconds since 1970 or a date like 2026-11-25T03:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Instant>,

    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) envelope: EnvelopeOptions,

    #[command(flatten)]
    pub(crate) dns: DnsOptions,
}

/// The only method to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// DKIM signatures (RFC 6376)
    Dkim,
}

/// A method of authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// SPF (RFC 7208)
    Spf,
    /// A DKIM signature (RFC 6376)
    Dkim,
    /// DMARC (RFC 9989)
    Dmarc,
    /// The chain of ARC (RFC 8617)
    Arc,
}

/// What can be shown beside the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Show {
    /// The canonical header fields and body of each signature
    Canonical,
}
