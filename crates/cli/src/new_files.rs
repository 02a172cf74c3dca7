//! Files that are new: written whole or not at all, for the owner alone, and over nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::exit::Trouble;
use crate::input::reason;

/// How many names are tried for a file beside another.
const NAMES: u32 = 1000;

/// Files that appear together, or none of them.
///
/// Each is written to a file of another name in the same directory first, created anew with mode
/// 0600, and gets its name when all are on disk. A name that exists, be it of a link that leads
/// nowhere, is not touched, unless [`NewFiles::replacing`] is asked for: then the file that has it
/// is kept under another name. Links are never followed. Dropped before [`NewFiles::keep`], nothing
/// is left.
#[derive(Debug, Default)]
pub struct NewFiles {
    replace: bool,
    staged: Vec<Staged>,
}

#[derive(Debug)]
struct Staged {
    path: PathBuf,
    temporary: PathBuf,
    /// Which file it is, whatever its name.
    identity: Option<Identity>,
}

/// A device and an inode.
type Identity = (u64, u64);

impl NewFiles {
    /// As [`NewFiles::default`], but a regular file that has one of the names is kept under
    /// another and makes room.
    pub fn replacing() -> NewFiles {
        NewFiles { replace: true, staged: Vec::new() }
    }

    /// Writes `octets` for `path`, which does not have them yet.
    ///
    /// # Errors
    /// Something has the name, or the file cannot be written; in a sentence that names the path.
    pub fn add(&mut self, path: PathBuf, octets: &[u8]) -> Result<(), Trouble> {
        self.check(&path)?;
        let (mut file, temporary) = beside(&path, "new", create)?;
        let failed = |error| trouble(&path, &error);
        let identity = file.metadata().ok().and_then(|found| identity(&found));
        let staged = Staged { path: path.clone(), temporary, identity };
        self.staged.push(staged);
        owner_alone(&file).and_then(|()| file.write_all(octets)).map_err(failed)?;
        file.sync_all().map_err(failed)
    }

    /// Gives the files their names, and tells which files that had one were kept, and under what
    /// name.
    ///
    /// # Errors
    /// As [`NewFiles::add`]; nothing is changed then. Or else somebody replaces the same files at
    /// the same time, so that they may not belong together.
    pub fn keep(mut self) -> Result<Vec<(PathBuf, PathBuf)>, Trouble> {
        let mut done: Vec<(PathBuf, Option<PathBuf>)> = Vec::new();
        for Staged { path, temporary, .. } in &self.staged {
            match self.name(path, temporary) {
                Ok(kept) => done.push((path.clone(), kept)),
                Err(trouble) => {
                    undo(&done);
                    return Err(trouble);
                }
            }
        }
        for directory in self.staged.iter().filter_map(|staged| staged.path.parent()) {
            // Not every file system can do it, and the files are there.
            let _ = File::open(or_here(directory)).and_then(|directory| directory.sync_all());
        }
        let named = self.named();
        self.staged.clear();
        named?;
        Ok(done.into_iter().filter_map(|(path, kept)| Some((path, kept?))).collect())
    }

    /// Whether each name is still that of its file. Of two runs that replace the same files, the one
    /// that gives the last name sees what the other did to those before it.
    fn named(&self) -> Result<(), Trouble> {
        for Staged { path, identity: own, .. } in &self.staged {
            let found = fs::symlink_metadata(path).ok().and_then(|found| identity(&found));
            if found != *own {
                let reason = "somebody else replaced it at the same time, and the files may not \
                              belong together: run it again";
                return Err(Trouble::input(path.to_string_lossy(), reason));
            }
        }
        Ok(())
    }

    /// What has the name already, if that is in the way.
    fn check(&self, path: &Path) -> Result<(), Trouble> {
        let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
        let reason = if found.is_symlink() {
            "it is a symbolic link, which is not followed"
        } else if !found.is_file() {
            "it exists and is no file"
        } else if self.replace {
            return Ok(());
        } else {
            "it exists and is not overwritten (--force keeps a copy and replaces it)"
        };
        Err(Trouble::input(path.to_string_lossy(), reason))
    }

    /// Gives the file its name; a name for what had it before, if anything did.
    fn name(&self, path: &Path, temporary: &Path) -> Result<Option<PathBuf>, Trouble> {
        match fs::hard_link(temporary, path) {
            Ok(()) => {
                let _ = fs::remove_file(temporary);
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.check(path)?,
            // A file system without hard links: the name is taken first, so that it is nobody's.
            Err(_) => {
                create(path).map_err(|error| trouble(path, &error))?;
                return move_to(temporary, path).map(|()| None).inspect_err(|_| {
                    let _ = fs::remove_file(path);
                });
            }
        }
        let (_, kept) = beside(path, "old", |name| fs::hard_link(path, name))?;
        move_to(temporary, path).map(|()| Some(kept))
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        for staged in &self.staged {
            let _ = fs::remove_file(&staged.temporary);
        }
    }
}

fn undo(done: &[(PathBuf, Option<PathBuf>)]) {
    for (path, kept) in done.iter().rev() {
        let _ = match kept {
            Some(kept) => fs::rename(kept, path),
            None => fs::remove_file(path),
        };
    }
}

fn move_to(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::rename(from, to).map_err(|error| trouble(to, &error))
}

/// Creates a file of a new name, `<path>.<word>-<number>`.
fn beside<T>(
    path: &Path,
    word: &str,
    create: impl Fn(&Path) -> io::Result<T>,
) -> Result<(T, PathBuf), Trouble> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for number in 1..=NAMES {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{word}-{number}"));
        match create(Path::new(&name)) {
            Ok(created) => return Ok((created, name.into())),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(trouble(path, &error)),
        }
    }
    Err(trouble(path, &last))
}

fn trouble(path: &Path, error: &io::Error) -> Trouble {
    Trouble::input(path.to_string_lossy(), reason(error))
}

fn or_here(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}

/// O_EXCL: nothing of this name exists, not even a link.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems have none")]
fn identity(found: &fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Option<Identity> {
    None
}

/// Whatever the umask took away from the owner is given back.
#[cfg(unix)]
fn owner_alone(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn owner_alone(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_replaced_meanwhile_is_told() {
        let home = tempfile::tempdir().unwrap();
        let [key, record] = ["s.private", "s.txt"].map(|name| home.path().join(name));
        let mut ours = NewFiles::replacing();
        ours.add(key.clone(), b"our key").unwrap();
        ours.add(record.clone(), b"our record").unwrap();
        for Staged { path, temporary, .. } in &ours.staged {
            ours.name(path, temporary).unwrap();
        }
        assert!(ours.named().is_ok());
        let mut theirs = NewFiles::replacing();
        theirs.add(key, b"their key").unwrap();
        assert_eq!(theirs.keep().unwrap().len(), 1);
        let trouble = ours.named().unwrap_err().to_string();
        assert!(trouble.contains("s.private: somebody else replaced it"), "{trouble}");
    }
}
