//! The spellings of opendkim-genkey: what Perl's Getopt::Long, with bundling, makes of arguments.
//!
//! Options of one letter may stand together and have their value attached (`-atr`, `-b1024t`), long
//! ones may be abbreviated and are negated with "no" or "no-", two dashes are good for a letter,
//! too, and an option that takes a value takes the next argument, whatever it looks like.

use std::ffi::{OsStr, OsString};

/// An option, and what comes behind it.
struct Opt {
    /// The names. Behind one dash the case of a letter counts, behind two it does not.
    names: &'static [&'static str],
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Nothing; it can be negated.
    Switch,
    /// Nothing, and it cannot.
    Flag,
    Number,
    Text,
}

const fn opt(names: &'static [&'static str], takes: Takes) -> Opt {
    Opt { names, takes }
}

/// Those of opendkim-genkey 2.11.0.
const OLD: &[Opt] = &[
    opt(&["a", "append-domain"], Takes::Switch),
    opt(&["b", "bits"], Takes::Number),
    opt(&["D", "directory"], Takes::Text),
    opt(&["d", "domain"], Takes::Text),
    opt(&["h", "hash-algorithms"], Takes::Text),
    opt(&["help"], Takes::Switch),
    opt(&["n", "note"], Takes::Text),
    opt(&["r", "restrict"], Takes::Switch),
    opt(&["s", "selector"], Takes::Text),
    opt(&["S"], Takes::Switch),
    opt(&["subdomains"], Takes::Switch),
    opt(&["t", "testmode"], Takes::Switch),
    opt(&["v", "verbose"], Takes::Flag),
    opt(&["V", "version"], Takes::Switch),
];

/// Those that it did not have. They may be abbreviated where no old one is meant.
const NEW: &[Opt] = &[
    opt(&["cname"], Takes::Text),
    opt(&["force"], Takes::Flag),
    opt(&["format"], Takes::Text),
    opt(&["from"], Takes::Text),
    opt(&["key-format"], Takes::Text),
    opt(&["no-hash-algorithms"], Takes::Flag),
    opt(&["origin"], Takes::Text),
    opt(&["record"], Takes::Text),
    opt(&["ttl"], Takes::Number),
    opt(&["type"], Takes::Text),
];

/// Arguments in the spelling of the command line here.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Long options, their values attached with "=".
    pub(crate) options: Vec<OsString>,
    /// What is no option.
    pub(crate) others: Vec<OsString>,
    /// What is wrong, in the words of Getopt::Long.
    pub(crate) errors: Vec<String>,
}

/// An option that an argument names.
struct Found {
    option: &'static Opt,
    /// Negated: `--nosubdomains`.
    negated: bool,
}

/// Reads all arguments; what cannot be understood is an error, and the rest is read all the same.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Arguments {
    let mut read = Arguments::default();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let Some(text) = argument.to_str() else {
            if argument.as_encoded_bytes().starts_with(b"-") {
                read.errors.push(format!("Unknown option: {}", argument.to_string_lossy()));
            }
            read.others.push(argument);
            continue;
        };
        if text == "--" {
            break;
        }
        if let Some(word) = text.strip_prefix("--").or_else(|| text.strip_prefix('+')) {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) if text.starts_with('-') => (name, Some(value)),
                _ => (word, None),
            };
            read.long(name, value, &mut rest);
        } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            read.bundle(letters, &mut rest);
        } else {
            read.others.push(argument);
        }
    }
    read.others.extend(rest);
    read
}

impl Arguments {
    fn long(&mut self, name: &str, value: Option<&str>, rest: &mut impl Iterator<Item = OsString>) {
        match find(name) {
            Err(error) => self.errors.push(error),
            Ok(found) if found.option.takes.is_nothing() => match value {
                Some(_) => self.errors.push(format!("Option {name} does not take an argument")),
                None => self.switch(&found),
            },
            Ok(found) => {
                let value = match value {
                    Some(value) => Some(value.into()).filter(|value: &OsString| !value.is_empty()),
                    None => rest.next(),
                };
                self.value(&found, name, value);
            }
        }
    }

    /// Options of one letter in one argument.
    fn bundle(&mut self, letters: &str, rest: &mut impl Iterator<Item = OsString>) {
        let mut letters = letters;
        while let Some(letter) = letters.chars().next() {
            let (name, behind) = letters.split_at(letter.len_utf8());
            letters = behind;
            let Some(option) = OLD.iter().find(|option| option.names.contains(&name)) else {
                self.errors.push(format!("Unknown option: {name}"));
                continue;
            };
            let found = Found { option, negated: false };
            if option.takes.is_nothing() {
                self.switch(&found);
                continue;
            }
            if behind.is_empty() {
                self.value(&found, name, rest.next());
                return;
            }
            if option.takes == Takes::Text {
                self.value(&found, name, Some(behind.into()));
                return;
            }
            // The digits are the value, and more letters are more options.
            let length = number_length(behind);
            if length == 0 {
                self.value(&found, name, Some(behind.into()));
            } else {
                let (number, more) = behind.split_at(length);
                self.value(&found, name, Some(number.into()));
                letters = more;
            }
        }
    }

    fn switch(&mut self, found: &Found) {
        let name = found.option.name();
        match (name, found.negated) {
            // No spelling with "no" reaches S: words are read without regard to case.
            ("help" | "version" | "S", true) => {}
            ("S", false) => self.options.push("-S".into()),
            (_, true) => self.options.push(format!("--no-{name}").into()),
            (_, false) => self.options.push(format!("--{name}").into()),
        }
    }

    fn value(&mut self, found: &Found, written: &str, value: Option<OsString>) {
        let Some(value) = value else {
            self.errors.push(format!("Option {written} requires an argument"));
            return;
        };
        let value = match (found.option.takes, value.to_str()) {
            (Takes::Number, Some(text)) if number_length(text) == text.len() => {
                text.replace('_', "").trim_start_matches('+').into()
            }
            (Takes::Number, _) => {
                let value = value.to_string_lossy();
                let reason = "(number expected)";
                self.errors
                    .push(format!("Value \"{value}\" invalid for option {written} {reason}"));
                return;
            }
            _ => value,
        };
        let mut option = OsString::from(format!("--{}=", found.option.name()));
        option.push(value);
        self.options.push(option);
    }
}

/// How many octets of the text are a number: `[-+]?_*[0-9][0-9_]*`.
fn number_length(text: &str) -> usize {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(unsigned.len());
    match unsigned.get(..digits) {
        Some(number) if number.contains(|c: char| c.is_ascii_digit()) => {
            text.len() - unsigned.len() + digits
        }
        _ => 0,
    }
}

impl Takes {
    fn is_nothing(self) -> bool {
        matches!(self, Takes::Switch | Takes::Flag)
    }
}

impl Opt {
    /// The name that is used here.
    fn name(&self) -> &'static str {
        self.names.last().copied().unwrap_or_default()
    }

    /// All ways to name the option, in full.
    fn spellings(&'static self) -> impl Iterator<Item = (String, Found)> {
        let prefixes: &[(&str, bool)] = match self.takes {
            Takes::Switch => &[("", false), ("no", true), ("no-", true)],
            _ => &[("", false)],
        };
        self.names.iter().flat_map(move |name| {
            prefixes.iter().map(move |&(prefix, negated)| {
                (format!("{prefix}{name}"), Found { option: self, negated })
            })
        })
    }
}

/// The option of this name, or the only one that the name abbreviates. The old ones come first:
/// what was an abbreviation of one of them is no abbreviation of a new one.
fn find(name: &str) -> Result<Found, String> {
    for options in [OLD, NEW] {
        if let Some(found) = find_in(options, name)? {
            return Ok(found);
        }
    }
    Err(format!("Unknown option: {name}"))
}

fn find_in(options: &'static [Opt], written: &str) -> Result<Option<Found>, String> {
    let name = written.to_lowercase();
    let mut hits: Vec<(String, Found)> = options
        .iter()
        .flat_map(Opt::spellings)
        .filter(|(spelling, _)| spelling.starts_with(&name))
        .collect();
    hits.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(exact) = hits.iter().position(|(spelling, _)| *spelling == name) {
        return Ok(Some(hits.swap_remove(exact).1));
    }
    let same = |one: &Found, other: &Found| {
        std::ptr::eq(one.option, other.option) && one.negated == other.negated
    };
    let spellings = || hits.iter().map(|(spelling, _)| &**spelling).collect::<Vec<_>>().join(", ");
    match hits.first() {
        Some((_, first)) if !hits.iter().all(|(_, hit)| same(first, hit)) => {
            Err(format!("Option {written} is ambiguous ({})", spellings()))
        }
        _ => Ok(hits.into_iter().next().map(|(_, found)| found)),
    }
}

/// The last of the values that the options give to this one, for the usage text.
pub(crate) fn last<'a>(options: &'a [OsString], name: &str) -> Option<&'a OsStr> {
    let prefix = format!("--{name}=");
    let value = |option: &'a OsString| Some(OsStr::new(option.to_str()?.strip_prefix(&prefix)?));
    options.iter().rev().find_map(value)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn options(line: &str) -> Result<String, String> {
        let read = read(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from));
        let line = |words: &[OsString]| {
            words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        if read.errors.is_empty() {
            Ok(format!("{} | {}", line(&read.options), line(&read.others)))
        } else {
            Err(read.errors.join("; "))
        }
    }

    /// Each was given to opendkim-genkey 2.11.0, and it took it so.
    #[test]
    fn as_getopt_long_reads_them() {
        for (line, read) in [
            ("-b 1024", "--bits=1024 | "),
            ("-b1024t -s x", "--bits=1024 --testmode --selector=x | "),
            ("-atr", "--append-domain --testmode --restrict | "),
            ("-dexample.com", "--domain=example.com | "),
            ("-s=foo", "--selector==foo | "),
            ("--BITS=1024", "--bits=1024 | "),
            ("--b 1024", "--bits=1024 | "),
            ("-b +1_024", "--bits=1024 | "),
            ("+t", "--testmode | "),
            ("--no-append-domain", "--no-append-domain | "),
            ("--noa", "--no-append-domain | "),
            ("--no-r", "--no-restrict | "),
            ("--not", "--no-testmode | "),
            ("--nosubdomains", "--no-subdomains | "),
            ("--nosub --sub", "--no-subdomains --subdomains | "),
            ("-S --subdomains", "-S --subdomains | "),
            ("-S --noS", "-S --no-subdomains | "),
            ("--S x", "--selector=x | "),
            ("--h sha1", "--hash-algorithms=sha1 | "),
            ("--ha sha1", "--hash-algorithms=sha1 | "),
            ("--re", "--restrict | "),
            ("-vv", "--verbose --verbose | "),
            ("-n --bits", "--note=--bits | "),
            ("--note --bits=1024", "--note=--bits=1024 | "),
            ("stray -s x -", "--selector=x | stray -"),
            ("-s x -- -b", "--selector=x | -b"),
            ("--nov --no-help", " | "),
            // What it did not have.
            ("--rec nsd --forc", "--record=nsd --force | "),
            ("--no-hash", "--no-hash-algorithms | "),
        ] {
            assert_eq!(options(line).as_deref(), Ok(read), "{line}");
        }
    }

    #[test]
    fn what_getopt_long_refuses() {
        for (line, error) in [
            ("-b=1024", "Value \"=1024\" invalid for option b (number expected)"),
            ("-bits", "Value \"its\" invalid for option b (number expected)"),
            ("-b abc", "Value \"abc\" invalid for option b (number expected)"),
            ("-b 0x400", "Value \"0x400\" invalid for option b (number expected)"),
            ("--bits -s", "Value \"-s\" invalid for option bits (number expected)"),
            ("-t=1", "Unknown option: =; Unknown option: 1"),
            ("--testmode=1", "Option testmode does not take an argument"),
            ("--selector=", "Option selector requires an argument"),
            ("-h", "Option h requires an argument"),
            ("--bogus -x -f", "Unknown option: bogus; Unknown option: x; Unknown option: f"),
            ("--ve", "Option ve is ambiguous (verbose, version)"),
        ] {
            let errors = options(line).unwrap_err();
            assert!(errors.starts_with(error), "{line}: {errors}");
        }
        let errors = options("--no").unwrap_err();
        let all = "no-S, no-V, no-a, no-append-domain, no-help, no-r, no-restrict, no-subdomains, \
                   no-t, no-testmode, no-version, noS, noV, noa, noappend-domain, nohelp, nor, \
                   norestrict, nosubdomains, not, note, notestmode, noversion";
        assert_eq!(errors, format!("Option no is ambiguous ({all})"));
    }

    /// Every option of the command line can be spelled, and every one that is spelled is there.
    #[test]
    fn the_table_is_that_of_the_command_line() {
        let command = Cli::command();
        let mut there: Vec<&str> = command
            .get_arguments()
            .filter(|argument| !argument.is_hide_set())
            .map(|argument| argument.get_long().unwrap_or("S"))
            .chain(["subdomains", "version"])
            .collect();
        let mut spelled: Vec<&str> = OLD.iter().chain(NEW).map(Opt::name).collect();
        there.sort_unstable();
        spelled.sort_unstable();
        assert_eq!(there, spelled);
    }
}
