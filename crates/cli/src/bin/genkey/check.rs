//! `genkey check`: is the key on disk the one that is published?

mod advice;
mod report;
mod subject;

use std::path::PathBuf;

use mailproof_cli::dns_options::DnsOptions;
use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{EXIT_CODES, Exit, Trouble};
use mailproof_cli::key_record::Excerpt;
use mailproof_cli::key_tables::table;
use mailproof_cli::output::{Format, List, Output};
use mailproof_dkim::Refusal;
use mailproof_dns::{Answers, Missing, Name};
use mailproof_keygen::{DataSet, KeyCheck, Publication, PublicationCause, PublicationResult};

use self::subject::{Subject, Unchecked, subjects};

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;

/// Check that a private key is the one that the DNS publishes, and that verifiers take it
///
/// A message is signed with the key and verified with the record as it is now; that, and nothing
/// less, is "published". A record that says t=y (testing) is bad, too, and so are two records.
/// With --key-table every key of the table is checked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    /// The private key; `-` is standard input
    #[arg(value_name = "KEYFILE", required_unless_present = "key_table")]
    key: Option<PathBuf>,

    /// The domain that signs; with --key-table, the domain of authors that `%` in the table stands
    /// for (may be given several times)
    #[arg(long, short, value_name = "DOMAIN", required_unless_present = "key_table")]
    domain: Vec<Name>,

    /// The selector under which the key is published
    #[arg(long, short, value_name = "NAME", default_value = "default")]
    selector: Name,

    /// Check every key of this KeyTable of OpenDKIM: a FILE, or file:FILE, refile:FILE, csl:LIST
    #[arg(long, value_name = "TABLE", value_parser = table, conflicts_with_all = ["key", "selector"])]
    key_table: Option<DataSet>,

    /// Check also that the KeyTable has every key that this SigningTable names; mostly refile:FILE
    #[arg(long, value_name = "TABLE", value_parser = table, requires = "key_table")]
    signing_table: Option<DataSet>,

    /// Take a key whose record says t=y (testing) for good
    #[arg(long)]
    allow_testing: bool,

    /// The form of the output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,

    #[command(flatten)]
    dns: DnsOptions,

    /// Print help
    #[arg(long, short, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// A subject and what was found about it.
struct Checked {
    subject: Subject,
    found: Result<Found, Unchecked>,
}

/// What was found about a key.
struct Found {
    publication: Publication,
    /// The record, and what in it is at fault.
    excerpt: Option<Excerpt>,
    /// A record in testing mode is taken for good.
    testing_is_good: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit, Trouble> {
    let mut source = Source::new(&arguments.dns)?;
    let checked = check(subjects(arguments)?, arguments.allow_testing, &mut source)?;
    source.finish()?;
    let mut output = Output::stdout();
    match arguments.format {
        Format::Human => report::print(&mut output, &checked, arguments.key_table.is_some())?,
        Format::Json => {
            let mut list = List::new(SCHEMA_VERSION, "keys");
            for one in &checked {
                list.item(&mut output, &report::Key::new(one))?;
            }
            list.end(&mut output)?;
        }
    }
    Ok(checked.iter().map(Checked::exit).max().unwrap_or(Exit::Good))
}

fn check(
    subjects: Vec<Subject>,
    testing_is_good: bool,
    source: &mut Source,
) -> Result<Vec<Checked>, Trouble> {
    let checks: Vec<Result<KeyCheck<'_>, Unchecked>> =
        subjects.iter().map(Subject::check).collect();
    let query = |check: &Result<KeyCheck<'_>, Unchecked>, answers: &Answers| match check {
        Err(unchecked) => Ok(Err(unchecked.clone())),
        Ok(check) => examine(check, answers).map(Ok),
    };
    let examined = source.resolve_each(&checks, query)?;
    let zone = source.zone();
    let found = examined.into_iter().zip(&checks).map(|(examined, check)| {
        let (publication, answers) = examined?;
        let excerpt = match (&publication.cause, check) {
            (PublicationCause::Testing, Ok(check)) => {
                Excerpt::of_tag("t", check.question(), &answers, zone)
            }
            (PublicationCause::OtherKey, Ok(check)) => {
                Excerpt::of_tag("p", check.question(), &answers, zone)
            }
            (PublicationCause::Record(_), _) => {
                publication.probe.as_ref().and_then(|probe| Excerpt::of(probe, &answers, zone))
            }
            _ => None,
        };
        Ok(Found { publication, excerpt, testing_is_good })
    });
    let found: Vec<Result<Found, Unchecked>> = found.collect();
    let each = subjects.into_iter().zip(found);
    Ok(each.map(|(subject, found)| Checked { subject, found }).collect())
}

/// What is found, and the one answer it was found by.
fn examine(check: &KeyCheck<'_>, answers: &Answers) -> Result<(Publication, Answers), Missing> {
    let publication = check.run(answers)?;
    let mut kept = Answers::new();
    kept.insert(check.question().clone(), answers.require(check.question())?.clone());
    Ok((publication, kept))
}

impl Found {
    fn result(&self) -> PublicationResult {
        match self.publication.cause {
            PublicationCause::Testing if self.testing_is_good => PublicationResult::Published,
            _ => self.publication.result(),
        }
    }
}

impl Checked {
    fn exit(&self) -> Exit {
        match &self.found {
            Err(unchecked) => unchecked.exit,
            Ok(found) => match found.result() {
                PublicationResult::Published => Exit::Good,
                PublicationResult::Absent | PublicationResult::Faulty => Exit::Bad,
                PublicationResult::Unknown => Exit::Temporary,
            },
        }
    }
}

impl From<Refusal> for Unchecked {
    fn from(refusal: Refusal) -> Unchecked {
        Unchecked { reason: refusal.to_string(), exit: Exit::Bad }
    }
}
