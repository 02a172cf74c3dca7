//! How a run ends: the exit codes that every tool shares.

use std::io;
use std::process::ExitCode;

use crate::escape::visible;
use crate::output::remark;

/// The end of every tool's `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  all good
  1  a verdict is bad
  2  usage or input error
  3  could not tell: temporary DNS trouble, try again later
Of several inputs, the first of 2, 1, 3 that fits one of them is the exit code.";

/// How a run ends, from the best to the worst.
///
/// The worst of several inputs decides: an input that was not judged outweighs a bad verdict, and
/// a bad verdict outweighs one that may be good the next time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All good: 0.
    Good,
    /// Could not tell, temporarily: 3.
    Temporary,
    /// A verdict or finding is bad: 1.
    Bad,
    /// The command line or an input is at fault: 2.
    Trouble,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::Trouble => 2,
            Exit::Temporary => 3,
        })
    }
}

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The command line contradicts itself or misses something.
    #[error("{0}")]
    Usage(String),
    /// An input cannot be read or is not what it should be.
    #[error("{}: {reason}", visible(name.as_bytes()))]
    Input {
        /// The name the user knows the input by.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A directory that files are to be written to is not there.
    #[error("{}: {reason}", visible(name.as_bytes()))]
    Directory {
        /// The name the user knows the directory by.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is not what it should be; the text says where.
    #[error("{0}")]
    File(String),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Trouble {
    /// Trouble with the input that the user knows as `name`.
    pub fn input(name: impl Into<String>, reason: impl ToString) -> Trouble {
        Trouble::Input { name: name.into(), reason: reason.to_string() }
    }
}

/// Runs a tool: prints what stopped it on standard error and maps the end to the exit code.
///
/// A reader that went away (`| head`) wanted no more: that is success.
pub fn run(tool: impl FnOnce() -> Result<Exit, Trouble>) -> ExitCode {
    match tool() {
        Ok(exit) => exit.into(),
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(trouble) => {
            remark("error", &trouble);
            Exit::Trouble.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides() {
        assert_eq!(Exit::Good.max(Exit::Temporary), Exit::Temporary);
        assert_eq!(Exit::Temporary.max(Exit::Bad), Exit::Bad);
        assert_eq!(Exit::Bad.max(Exit::Trouble), Exit::Trouble);
    }
}
