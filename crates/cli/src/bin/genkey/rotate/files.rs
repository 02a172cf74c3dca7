//! Files that are changed in place: whole, or not at all.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_cli::output::remark;

/// Writes `text` to a file beside `path` and gives it its name. Owner and mode stay what they were;
/// a new file is for its owner alone. A link is followed: tables are often links.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Trouble> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut temporary = real.as_os_str().to_owned();
    temporary.push(format!(".new-{}", std::process::id()));
    let temporary = Path::new(&temporary);
    let written = write(temporary, text, fs::metadata(&real).ok().as_ref())
        .and_then(|()| fs::rename(temporary, &real));
    written.map_err(|error| {
        let _ = fs::remove_file(temporary);
        Trouble::input(path.to_string_lossy(), reason(&error))
    })?;
    if let Some(directory) = real.parent() {
        // Not every file system can do it, and the file is there.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    Ok(())
}

fn write(path: &Path, text: &str, before: Option<&Metadata>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(before) = before {
        like(path, before)?;
        file.set_permissions(before.permissions())?;
    }
    file.sync_all()
}

/// Gives a file the owner that another has.
#[cfg(unix)]
fn like(path: &Path, other: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};

    let this = fs::metadata(path)?;
    if (this.uid(), this.gid()) == (other.uid(), other.gid()) {
        return Ok(());
    }
    chown(path, Some(other.uid()), Some(other.gid()))
}

#[cfg(not(unix))]
fn like(_: &Path, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Gives the new key the owner of the old one: the signer has to read it.
pub(super) fn own_as(new: &Path, old: &Path) {
    let owned = fs::metadata(old).and_then(|old| like(new, &old));
    if let Err(error) = owned {
        let (new, old) = (new.to_string_lossy(), old.to_string_lossy());
        let trouble = Trouble::input(
            new,
            format_args!("it could not be given the owner of {old}: {}", reason(&error)),
        );
        remark("warning", trouble);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn mode_and_link_stay() {
        let home = tempfile::tempdir().unwrap();
        let (table, link) = (home.path().join("table"), home.path().join("link"));
        fs::write(&table, "old").unwrap();
        fs::set_permissions(&table, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&table, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&table).unwrap(), "new");
        assert_eq!(fs::metadata(&table).unwrap().permissions().mode() & 0o777, 0o644);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let state = home.path().join("state");
        replace(&state, "1").unwrap();
        assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 3);
    }
}
