//! The options of `--network`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// What is had over the network beside the DNS.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkOptions {
    /// Look at what is beside the DNS too: https (MTA-STS policies, BIMI logos), smtp (STARTTLS of
    /// the mail exchanges), rdap (registrations), ns (each name server by itself); without a value
    /// all of them
    #[arg(
        long,
        value_name = "PART",
        num_args = 0..,
        require_equals = true,
        value_delimiter = ',',
        default_missing_value = "https,smtp,rdap,ns",
        conflicts_with = "offline"
    )]
    pub(crate) network: Vec<Part>,

    /// Wait at most this long for one host
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) network_timeout: Duration,

    /// Trust the authorities in this file (PEM) too, besides those of the system
    #[arg(long, value_name = "FILE", requires = "network")]
    pub(crate) network_ca: Vec<PathBuf>,

    /// Connect to addresses that are not public, too
    #[arg(long, requires = "network")]
    pub(crate) network_private: bool,

    /// Connect to another port, as https=8443, smtp=2525 or ns=5353
    #[arg(long, value_name = "PART=PORT", requires = "network", value_parser = port)]
    pub(crate) network_port: Vec<(Part, u16)>,

    /// The list of registries (RFC 9224)
    #[arg(
        long,
        value_name = "URL",
        requires = "network",
        default_value = "https://data.iana.org/rdap/dns.json"
    )]
    pub(crate) network_rdap: String,
}

/// A part of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Https,
    Smtp,
    Rdap,
    Ns,
}

/// Where the services are.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) https: u16,
    pub(super) smtp: u16,
    pub(super) ns: u16,
}

impl Ports {
    pub(super) fn new(others: &[(Part, u16)]) -> Ports {
        let mut ports = Ports { https: 443, smtp: 25, ns: 53 };
        for (part, port) in others {
            match part {
                Part::Https | Part::Rdap => ports.https = *port,
                Part::Smtp => ports.smtp = *port,
                Part::Ns => ports.ns = *port,
            }
        }
        ports
    }
}

fn port(text: &str) -> Result<(Part, u16), String> {
    let (part, port) = text.split_once('=').ok_or("write PART=PORT, as https=8443")?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or("a port is 1 to 65535")?;
    Ok((Part::from_str(part, false)?, port))
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|duration| !duration.is_zero() && *duration <= Duration::from_secs(600))
        .ok_or("not a number of seconds above 0 and up to 600")
}
