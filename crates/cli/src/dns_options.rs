//! The DNS options that every tool has.

use std::path::PathBuf;
use std::time::Duration;

use mailproof_dns_hickory::NameServer;

use crate::exit::Trouble;

/// Where the answers of the DNS come from; the system's resolver if nothing is said.
#[derive(Debug, Clone, clap::Args)]
pub struct DnsOptions {
    /// Ask this name server instead of the system's (may be given several times)
    #[arg(long, value_name = "IP[:PORT]", help_heading = "DNS")]
    pub nameserver: Vec<NameServer>,

    /// Answer from this zone file (RFC 1035) and send nothing to the network; ORIGIN is for a
    /// file without $ORIGIN (may be given several times)
    #[arg(long, value_name = "[ORIGIN=]FILE", help_heading = "DNS")]
    pub zone: Vec<PathBuf>,

    /// Write the answers to FILE, for --replay
    #[arg(long, value_name = "FILE", help_heading = "DNS")]
    pub record: Option<PathBuf>,

    /// Answer from FILE, written by --record, and send nothing to the network
    #[arg(long, value_name = "FILE", help_heading = "DNS")]
    pub replay: Option<PathBuf>,

    /// Wait at most this long for all answers about one input
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds, help_heading = "DNS")]
    pub timeout: Duration,

    /// Wait at most this long for one answer
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds, help_heading = "DNS")]
    pub query_timeout: Duration,
}

impl DnsOptions {
    /// That the options do not contradict each other.
    ///
    /// # Errors
    /// The contradiction, in a sentence.
    pub fn check(&self) -> Result<(), Trouble> {
        let (server, zone) = (!self.nameserver.is_empty(), !self.zone.is_empty());
        let contradiction = match (server, zone, self.replay.is_some(), self.record.is_some()) {
            (true, true, _, _) => {
                "--zone and --nameserver exclude each other: \
                                   with a zone file nothing is asked"
            }
            (true, _, true, _) => {
                "--replay and --nameserver exclude each other: \
                                   with a recording nothing is asked"
            }
            (_, true, true, _) => {
                "--replay and --zone exclude each other: \
                                   the answers come from one or the other"
            }
            (_, _, true, true) => {
                "--replay and --record exclude each other: \
                                   the recording exists already"
            }
            _ => return Ok(()),
        };
        Err(Trouble::Usage(contradiction.into()))
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|duration| !duration.is_zero() && *duration <= Duration::from_secs(86_400))
        .ok_or("not a number of seconds above 0 and up to a day")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Tool {
        #[command(flatten)]
        dns: DnsOptions,
    }

    fn options(arguments: &[&str]) -> DnsOptions {
        Tool::try_parse_from([&["tool"], arguments].concat()).unwrap().dns
    }

    #[test]
    fn a_time_to_wait() {
        assert_eq!(options(&["--timeout", "0.5"]).timeout, Duration::from_millis(500));
        assert!(["0", "-1", "x", "1e9", "inf", "nan"].iter().all(|text| seconds(text).is_err()));
    }

    #[test]
    fn contradictions() {
        assert!(options(&["--zone", "z", "--record", "r"]).check().is_ok());
        for arguments in [
            ["--zone", "z", "--nameserver", "::1"],
            ["--replay", "r", "--nameserver", "::1"],
            ["--replay", "r", "--zone", "z"],
            ["--replay", "r", "--record", "r"],
        ] {
            assert!(options(&arguments).check().is_err(), "{arguments:?}");
        }
    }
}
