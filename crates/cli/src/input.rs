//! Where messages come from: files, standard input, mbox files and Maildir folders.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use mailproof_message::Mbox;

use crate::exit::Trouble;

/// How much of an mbox file is read at once.
const CHUNK: usize = 1 << 17;

/// How much of a file is looked at to tell an mbox file from a message.
const LOOK: u64 = 256;

/// The name of standard input in verdicts.
pub const STDIN: &str = "-";

/// The messages a tool reads.
#[derive(Debug, Clone, clap::Args)]
pub struct InputOptions {
    /// Message files, mbox files or Maildir folders; `-` is standard input, which is also read
    /// when no FILE is given and it is not a terminal
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl InputOptions {
    /// Calls `judge` for each message in turn: with its name and a reader of its octets, or with
    /// what is wrong with the input. The trouble that `judge` itself returns ends the run.
    ///
    /// # Errors
    /// No input at all, or the trouble `judge` returned.
    pub fn each_message(
        &self,
        mut judge: impl FnMut(&str, Message<'_>) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        if self.files.is_empty() {
            if io::stdin().is_terminal() {
                return Err(Trouble::Usage(
                    "no message to read: name a FILE, or pipe a message in".into(),
                ));
            }
            return each_in(STDIN, io::stdin().lock(), &mut judge);
        }
        for path in &self.files {
            if path.as_os_str() == STDIN {
                each_in(STDIN, io::stdin().lock(), &mut judge)?;
            } else if path.is_dir() {
                each_in_folder(path, &mut judge)?;
            } else {
                each_in_file(path, &mut judge)?;
            }
        }
        Ok(())
    }
}

/// The octets of one message, or why there is none.
pub type Message<'a> = Result<&'a mut dyn Read, Trouble>;

type Judge<'a> = dyn FnMut(&str, Message<'_>) -> Result<(), Trouble> + 'a;

fn each_in_file(path: &Path, judge: &mut Judge<'_>) -> Result<(), Trouble> {
    let name = path.to_string_lossy();
    match File::open(path) {
        Ok(file) => each_in(&name, file, judge),
        Err(error) => judge(&name, Err(Trouble::input(&*name, reason(&error)))),
    }
}

/// The words for an error of input.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

fn each_in(name: &str, mut input: impl Read, judge: &mut Judge<'_>) -> Result<(), Trouble> {
    let mut start = Vec::new();
    if let Err(error) = (&mut input).take(LOOK).read_to_end(&mut start) {
        return judge(name, Err(Trouble::input(name, reason(&error))));
    }
    if start.is_empty() {
        return judge(name, Err(Trouble::input(name, "empty: there is no message in it")));
    }
    let is_mbox = is_mbox(&start);
    let mut reader = Cursor::new(start).chain(input);
    if !is_mbox {
        return judge(name, Ok(&mut reader));
    }
    let mut mbox = Mbox::new(BufReader::with_capacity(CHUNK, reader));
    for number in 1_u64.. {
        let name = format!("{name}[{number}]");
        match mbox.next_message() {
            Ok(Some(mut message)) => judge(&name, Ok(&mut message))?,
            Ok(None) => break,
            Err(error) => return judge(&name, Err(Trouble::input(&*name, reason(&error)))),
        }
    }
    Ok(())
}

/// Whether a file that starts so is an mbox file (RFC 4155): a line `From ` and more, which is not
/// a From field with white space before its colon (RFC 5322 4.5).
fn is_mbox(start: &[u8]) -> bool {
    let Some(rest) = start.strip_prefix(b"From ") else { return false };
    rest.trim_ascii_start().first() != Some(&b':')
}

/// A Maildir folder: the messages are the files in `new` and `cur`.
fn each_in_folder(path: &Path, judge: &mut Judge<'_>) -> Result<(), Trouble> {
    let name = path.to_string_lossy();
    let folders: Vec<PathBuf> = ["cur", "new"]
        .iter()
        .map(|folder| path.join(folder))
        .filter(|path| path.is_dir())
        .collect();
    if folders.is_empty() {
        let reason = "a directory, but no Maildir folder (which has cur and new): name the files";
        return judge(&name, Err(Trouble::input(&*name, reason)));
    }
    let mut files = Vec::new();
    for folder in folders {
        match messages_of(&folder) {
            Ok(found) => files.extend(found),
            Err(error) => judge(&name, Err(Trouble::input(&*name, reason(&error))))?,
        }
    }
    if files.is_empty() {
        return judge(&name, Err(Trouble::input(&*name, "no message in this Maildir folder")));
    }
    files.iter().try_for_each(|file| each_in_file(file, judge))
}

/// The files of a folder in the order of their names, which begin with the time of delivery.
fn messages_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[&Path]) -> Vec<(String, Result<String, String>)> {
        let files = files.iter().map(PathBuf::from).collect();
        let mut read = Vec::new();
        InputOptions { files }
            .each_message(|name, message| {
                let text = message.map_err(|trouble| trouble.to_string()).map(|reader| {
                    let mut text = String::new();
                    reader.read_to_string(&mut text).unwrap();
                    text
                });
                let name = name.rsplit_once('/').map_or(name, |(_, file)| file);
                read.push((name.to_owned(), text));
                Ok(())
            })
            .unwrap();
        read
    }

    #[test]
    fn files_mboxes_and_folders() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path("one.eml"), "A: 1\n\nbody\n").unwrap();
        fs::write(path("box"), "From x\nA: 1\n\none\n\nFrom y\nA: 2\n\ntwo\n").unwrap();
        fs::create_dir_all(path("Mail/cur")).unwrap();
        fs::create_dir_all(path("Mail/new")).unwrap();
        fs::write(path("Mail/new/2"), "N").unwrap();
        fs::write(path("Mail/cur/1:2,S"), "C").unwrap();
        fs::write(path("Mail/cur/.hidden"), "H").unwrap();
        let read = read(&[&path("one.eml"), &path("box"), &path("Mail")]);
        let expected = [
            ("one.eml", "A: 1\n\nbody\n"),
            ("box[1]", "A: 1\n\none\n"),
            ("box[2]", "A: 2\n\ntwo\n"),
            ("1:2,S", "C"),
            ("2", "N"),
        ];
        assert_eq!(read, expected.map(|(name, text)| (name.to_owned(), Ok(text.to_owned()))));
    }

    #[test]
    fn a_from_field_is_no_from_line() {
        assert!(is_mbox(b"From a@b.example Wed Nov 25") && is_mbox(b"From "));
        assert!(
            !is_mbox(b"From : a@b.example") && !is_mbox(b"From \t : a") && !is_mbox(b"From: a")
        );
    }

    #[test]
    fn what_is_no_input_is_said() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path("empty"), "").unwrap();
        fs::create_dir_all(path("Maildir/cur")).unwrap();
        fs::create_dir_all(path("directory")).unwrap();
        let inputs = [path("empty"), path("Maildir"), path("directory"), path("missing")];
        let inputs = inputs.each_ref().map(PathBuf::as_path);
        for ((_, text), said) in read(&inputs).iter().zip([
            "empty: there is no message in it",
            "no message in this Maildir folder",
            "a directory, but no Maildir folder (which has cur and new): name the files",
            "no such file",
        ]) {
            assert!(text.as_ref().is_err_and(|text| text.ends_with(said)), "{text:?}");
        }
    }
}
