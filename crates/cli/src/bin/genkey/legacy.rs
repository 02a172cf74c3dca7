//! The manners of opendkim-genkey, for those who call it by that name: silent when all is well, its
//! usage text, its words and its exit codes. What it does is what `genkey` does.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use mailproof_cli::escape::{safe, visible};
use mailproof_cli::exit::Trouble;

use crate::cli::Cli;
use crate::generate::{self, Say};
use crate::getopt;

/// The program that this one can stand in for.
const NAME: &str = "opendkim-genkey";
/// What it says of its version.
const VERSION: &str = "v2.11.0";
/// Its exit codes: for a command line or a key that cannot be, and for a directory that is not.
const FAILED: u8 = 1;
const NO_DIRECTORY: u8 = 2;

/// The name of the program, if it is that of opendkim-genkey.
pub(crate) fn name(program: &OsStr) -> Option<String> {
    let name = Path::new(program).file_name()?.to_str()?;
    (name == NAME).then(|| name.to_owned())
}

/// Remarks with the name of the program.
struct Named<'a> {
    name: &'a str,
    verbose: bool,
}

impl Say for Named<'_> {
    fn remark(&self, word: &str, text: &str) {
        tell(&format!("{}: {}: {text}\n", self.name, word.to_uppercase()));
    }

    fn step(&self, text: &str) {
        if self.verbose {
            tell(&format!("{}: {text}\n", self.name));
        }
    }
}

/// Does what opendkim-genkey does.
pub(crate) fn run(name: &str, arguments: Vec<OsString>) -> ExitCode {
    let read = getopt::read(arguments);
    let is_given = |option: &str| read.options.iter().any(|given| given == option);
    if !read.errors.is_empty() || is_given("--help") {
        let errors: String = read.errors.iter().map(|error| format!("{}\n", safe(error))).collect();
        tell(&(errors + &usage(name, &read.options)));
        return if is_given("--help") { ExitCode::SUCCESS } else { FAILED.into() };
    }
    if is_given("--version") {
        let mut stdout = std::io::stdout();
        let version = env!("CARGO_PKG_VERSION");
        let _ = writeln!(stdout, "{name} {VERSION} (mailproof {version})");
        return ExitCode::SUCCESS;
    }
    // Its domain was never absent.
    let localhost = OsString::from("--domain=localhost");
    let program = OsString::from(name);
    // What is no option was ignored.
    let command_line = [program, localhost].into_iter().chain(read.options);
    let done = match Cli::try_parse_from(command_line) {
        Err(error) => Err(Trouble::Usage(sentence(&error))),
        Ok(cli) => make(name, cli),
    };
    match done {
        Ok(text) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(trouble) => {
            tell(&format!("{name}: {}\n", safe(&trouble.to_string())));
            match trouble {
                Trouble::Directory { .. } => NO_DIRECTORY.into(),
                _ => FAILED.into(),
            }
        }
    }
}

/// Nothing, or the record in the form that was asked for.
fn make(name: &str, mut cli: Cli) -> Result<String, Trouble> {
    // It wrote its files always.
    cli.generate.directory.get_or_insert_default();
    let say = Named { name, verbose: cli.generate.verbose > 0 };
    let made = generate::make(&cli.generate, &say)?;
    match cli.generate.publish.record {
        Some(form) => generate::print(form, &made),
        None => Ok(String::new()),
    }
}

/// The first line of the message, without the word "error".
fn sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn tell(text: &str) {
    // Nobody is left to be told when standard error is gone.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// The text of opendkim-genkey, and what it did not have.
fn usage(name: &str, options: &[OsString]) -> String {
    let value = |option, default: &str| {
        let value = getopt::last(options, option).unwrap_or(OsStr::new(default));
        visible(value.to_string_lossy().as_bytes()).to_string()
    };
    format!(
        "{name}: usage: {name} [options]\n\
         \t--append-domain        include domain name in zone file stub\n\
         \t--bits=n               use n bits to generate the key\n\
         \t--directory=path       leave output in the named directory\n\
         \t--domain=name          generate data for the named domain [{}]\n\
         \t--hash-algorithms=list limit to use of the named algorithm(s)\n\
         \t--help                 print help and exit\n\
         \t--note=string          include specified note in zone data\n\
         \t--restrict             restrict key to email use only\n\
         \t--selector=name        selector name [{}]\n\
         \t--subdomains           allow signing of subdomains\n\
         \t--testmode             indicate key is in test mode\n\
         \t--verbose              increased output\n\
         \t--version              print version and exit\n\
         \t--force                replace existing files, keeping a copy\n\
         \t(this is genkey of mailproof; \"genkey --help\" names all options)\n",
        value("domain", "localhost"),
        value("selector", "default"),
    )
}
