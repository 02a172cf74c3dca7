//! The load on mailproofd, beside the daemons it replaces, on this computer in one run.
//!
//! It starts each daemon itself with a configuration of its own, answers their questions to the DNS
//! from a zone, and is an MTA with many connections. Every reply and every change of a message is
//! compared; one that is wrong or lost makes the program fail. Goals that are not met do not.
//!
//! ```sh
//! cargo build --release -p mailproof-daemon
//! cd benches
//! cargo run --release --bin milter-load
//! ```
//!
//! The older daemons are those of Debian's packages opendkim, opendmarc and
//! postfix-policyd-spf-python; who is not installed is left out, and it is said. Be root: the name
//! server is at port 53 of a loopback address, and the older daemons see a `resolv.conf` of their
//! own.

mod daemon;
mod load;
mod mail;
mod policyd;
mod process;
mod soak;
mod table;
mod trouble;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use mailproof_benches::dkim::Rsa;
use mailproof_dns::Zone;
use mailproof_testkit::{Behaviour, Server};

use crate::daemon::{Home, NAME_SERVER};
use crate::load::Figures;
use crate::mail::Mails;

/// The load on mailproofd, beside the daemons it replaces.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// What to measure; all of it if nothing is named.
    parts: Vec<Part>,
    /// mailproofd, built with --release.
    #[arg(long, default_value_os_t = built())]
    pub(crate) mailproofd: PathBuf,
    /// How long each figure is measured in a round.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// How many rounds; the best counts.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// How many connections at a time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64])]
    pub(crate) connections: Vec<usize>,
    /// Only the daemons with this in their name, in the table.
    #[arg(long, default_value = "")]
    pub(crate) only: String,
    /// Octets of the body of the messages.
    #[arg(long, default_value_t = 1_000)]
    size: usize,
    /// A message to send instead of the usual one; it is signed for example.org.
    #[arg(long)]
    pub(crate) message: Option<PathBuf>,
    /// Messages of the soak.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) soak: usize,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Messages a second, processor time and latency of each daemon.
    Table,
    /// Many messages of all kinds, and a large one.
    Soak,
    /// Peers that misbehave.
    Trouble,
}

fn built() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/mailproofd")
}

/// What was wrong.
#[derive(Default)]
pub(crate) struct Wrong(usize);

impl Wrong {
    pub(crate) fn say(&mut self, text: String) {
        println!("\n*** WRONG: {text} ***\n");
        self.0 += 1;
    }

    /// Says the first few of the things that were wrong.
    pub(crate) fn take(&mut self, name: &str, figures: &Figures) {
        for text in figures.wrong.iter().take(3) {
            let start: String = text.chars().take(400).collect();
            self.say(format!("{name}: {start}"));
        }
        self.0 += figures.wrong.len().saturating_sub(3);
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let given = options.message.as_ref().map(|path| std::fs::read(path).expect("a message"));
    let rsa = Rsa::new();
    let zone = Zone::parse(&mail::zone(&rsa)).expect("the zone is one");
    let address = format!("{NAME_SERVER}:53").parse().expect("an address");
    let _server = match Server::start_at(address, zone, Behaviour::default()) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("no name server at {address}: {error}; are you root?");
            return ExitCode::FAILURE;
        }
    };
    let home = Home::new();
    let mut mails = Mails::new(rsa, options.size, given);
    let mut wrong = Wrong::default();
    let is_asked = |part| options.parts.is_empty() || options.parts.contains(&part);
    if is_asked(Part::Table) {
        table::table(&home, &mut mails, &options, &mut wrong);
    }
    if is_asked(Part::Soak) {
        soak::soak(&home, &mails, &options, &mut wrong);
    }
    if is_asked(Part::Trouble) {
        trouble::trouble(&home, &mails, &options, &mut wrong);
    }
    if wrong.0 == 0 {
        println!("\nNo reply was wrong, and none lost.");
        return ExitCode::SUCCESS;
    }
    println!("\n{} things were wrong.", wrong.0);
    ExitCode::FAILURE
}
