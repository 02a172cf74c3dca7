//! The manual pages of a tool and the completions of its options, made from its command line: what
//! a package installs.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;

use crate::exit::{Exit, Trouble, run};

/// Does what `TOOL --manual DIR` asks for, if that is the command line: writes the pages, of the
/// tool and of each of its commands, in `section`, and the completions for bash, zsh and fish.
///
/// No help tells of it: it is for who makes a package.
pub fn asked<C: CommandFactory>(section: &str) -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let (option, directory) = (arguments.next()?, arguments.next()?);
    let is_asked = option == "--manual" && arguments.next().is_none();
    is_asked.then(|| {
        run(|| {
            write(C::command(), section, Path::new(&directory))
                .map_err(|error| Trouble::input(directory.to_string_lossy(), error))?;
            Ok(Exit::Good)
        })
    })
}

fn write(command: Command, section: &str, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut for_shells = command.clone();
    let name = command.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        generate_to(shell, &mut for_shells, &name, directory)?;
    }
    let mut command = command.disable_help_subcommand(true);
    command.build();
    pages(&command, section, directory)
}

fn pages(command: &Command, section: &str, directory: &Path) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        pages(inner, section, directory)?;
    }
    // "mailproofd-run" for the command "run".
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut file = File::create(directory.join(format!("{name}.{section}")))?;
    Man::new(command.clone()).section(section).render(&mut file)
}
