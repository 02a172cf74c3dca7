//! The command line, with the spellings of libspf2's and Mail::SPF's spfquery.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use mailproof_cli::dns_options::DnsOptions;
use mailproof_cli::exit::EXIT_CODES;
use mailproof_cli::instant::Instant;
use mailproof_cli::output::Format;

/// Check whether a client may send for a domain by SPF (RFC 7208), and say why
///
/// The identity checked is MAIL FROM if --mail-from is given, and HELO otherwise. The verdict is
/// the first word on standard output; "pass" is good, and every other verdict is bad, or temporary
/// for "temperror".
#[derive(Debug, Parser)]
#[command(name = "spfquery", version, after_help = after_help())]
pub(crate) struct Cli {
    /// The address of the client
    #[arg(
        long,
        value_name = "ADDRESS",
        visible_alias = "ip-address",
        aliases = ["ipv4", "ipv6"],
        required_unless_present = "file"
    )]
    pub(crate) ip: Option<IpAddr>,

    /// The name that the client gave with HELO or EHLO
    #[arg(long, value_name = "NAME", visible_alias = "helo-id", alias = "helo-identity")]
    pub(crate) helo: Option<String>,

    /// The address that the client gave with MAIL FROM; "<>" is the null sender
    #[arg(
        long,
        value_name = "ADDRESS",
        visible_aliases = ["sender", "mfrom-id"],
        aliases = ["mfrom", "mfrom-identity", "mailfrom"]
    )]
    pub(crate) mail_from: Option<String>,

    /// Which identity to check
    #[arg(long, short, value_name = "IDENTITY")]
    pub(crate) scope: Option<Scope>,

    /// The identity of the --scope, in place of --helo or --mail-from
    #[arg(
        long,
        value_name = "NAME",
        visible_alias = "id",
        conflicts_with_all = ["mail_from", "file"]
    )]
    pub(crate) identity: Option<String>,

    /// Check many: a line "ADDRESS MAIL-FROM HELO" for each, or a JSON object with the keys ip,
    /// mail_from and helo; "-" is standard input
    #[arg(long, short, conflicts_with_all = ["ip", "helo", "mail_from"])]
    pub(crate) file: Option<PathBuf>,

    /// Show the whole evaluation: every record, term and lookup, and what is left of the budget
    #[arg(long)]
    pub(crate) trace: bool,

    /// The name of the receiving host, for the macro %{r}
    #[arg(long, value_name = "NAME", visible_alias = "hostname", alias = "name")]
    pub(crate) receiver: Option<String>,

    /// Check as if it were this time, for the macro %{t}: seconds since 1970 or a date like
    /// 2026-11-25T03:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Instant>,

    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,

    /// Let the exit code tell the result, as spfquery of Mail::SPF does
    #[arg(long)]
    pub(crate) exit_spf: bool,

    #[command(flatten)]
    pub(crate) dns: DnsOptions,
}

/// An identity that can be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// The name given with HELO or EHLO
    Helo,
    /// The address given with MAIL FROM
    #[value(alias = "mailfrom")]
    Mfrom,
}

fn after_help() -> String {
    format!(
        "{EXIT_CODES}\n\n\
         With --exit-spf:\n  \
         0  pass       1  fail         2  softfail   3  neutral\n  \
         4  permerror  5  temperror    6  none       7  usage or input error\n\
         Of several queries, the highest is the exit code.\n\n\
         Options of libspf2 and Mail::SPF with one dash (-ip, -sender, -helo, …) are understood."
    )
}

/// The arguments with two dashes before the long options that older tools write with one.
pub(crate) fn modern(arguments: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    const OLD: [&str; 12] = [
        "ip",
        "ipv4",
        "sender",
        "helo",
        "name",
        "file",
        "mfrom",
        "mail-from",
        "scope",
        "identity",
        "id",
        "version",
    ];
    arguments.map(|argument| {
        let is_old = argument.to_str().is_some_and(|text| {
            let name = text.strip_prefix('-').map(|text| text.split('=').next().unwrap_or(text));
            name.is_some_and(|name| OLD.contains(&name))
        });
        if !is_old {
            return argument;
        }
        let mut modern = OsString::from("-");
        modern.push(argument);
        modern
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let arguments = ["spfquery"].iter().chain(arguments).map(OsString::from);
        Cli::try_parse_from(modern(arguments))
    }

    #[test]
    fn the_command_line_is_sound() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn every_spelling() {
        for arguments in [
            "--ip 192.0.2.1 --mail-from a@b.example --helo c.example",
            "--ip-address 192.0.2.1 --mfrom-id a@b.example --helo-id c.example",
            "-ip 192.0.2.1 -sender a@b.example -helo c.example",
            "-ip=192.0.2.1 -sender=a@b.example -helo=c.example",
            "--ipv4 192.0.2.1 --mfrom a@b.example --helo-identity c.example",
        ] {
            let cli = parse(&arguments.split(' ').collect::<Vec<_>>()).unwrap();
            assert_eq!(cli.ip.unwrap().to_string(), "192.0.2.1");
            assert_eq!(cli.mail_from.as_deref(), Some("a@b.example"));
            assert_eq!(cli.helo.as_deref(), Some("c.example"));
        }
        let cli = parse(&["-s", "helo", "--id", "c.example", "--ip", "::1"]).unwrap();
        assert_eq!((cli.scope, cli.identity.as_deref()), (Some(Scope::Helo), Some("c.example")));
    }

    #[test]
    fn what_contradicts_itself() {
        for arguments in [
            &["--helo", "c.example"][..],
            &["--ip", "192.0.2.1", "--file", "-"],
            &["--ip", "192.0.2.1", "--id", "a@b.example", "--mail-from", "a@b.example"],
            &["--ip", "192.0.2"],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
