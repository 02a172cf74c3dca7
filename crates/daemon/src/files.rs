//! The one place that reads files.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailproof_cli::input::reason;
use mailproof_cli::key_file::KeyFile;
use mailproof_dkim::PrivateKey;

/// The most that is read of one file. Local choice: a SigningTable of 100,000 lines has 8 MB.
const LARGEST: u64 = 64 << 20;

/// The files of this host, or of a copy of another's.
#[derive(Debug, Clone, Default)]
pub struct Files {
    root: Option<PathBuf>,
}

/// A private key, and what is unsafe about its file.
#[derive(Debug, Clone)]
pub struct LoadedKey {
    /// The key.
    pub key: Arc<PrivateKey>,
    /// What is unsafe about its file, in a sentence; `None` in a copy, whose modes tell nothing.
    pub warning: Option<String>,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct FileTrouble {
    /// Why, in words.
    pub reason: String,
    /// The file is not there.
    pub is_missing: bool,
    /// It may not be read by who runs this.
    pub is_forbidden: bool,
}

impl From<io::Error> for FileTrouble {
    fn from(error: io::Error) -> FileTrouble {
        FileTrouble {
            reason: reason(&error),
            is_missing: error.kind() == io::ErrorKind::NotFound,
            is_forbidden: error.kind() == io::ErrorKind::PermissionDenied,
        }
    }
}

impl Files {
    /// The files of this host.
    pub fn new() -> Files {
        Files::default()
    }

    /// Those of a copy of another host, below this directory. Modes and owners tell nothing there.
    pub fn below(root: PathBuf) -> Files {
        Files { root: Some(root) }
    }

    /// Whether it is a copy.
    pub fn is_copy(&self) -> bool {
        self.root.is_some()
    }

    fn path(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// The text of a file. Octets that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// It cannot be read, or is too large.
    pub fn text(&self, path: &Path) -> Result<String, FileTrouble> {
        let mut octets = Vec::new();
        File::open(self.path(path))?.take(LARGEST + 1).read_to_end(&mut octets)?;
        if u64::try_from(octets.len()).is_ok_and(|length| length > LARGEST) {
            return Err(io::Error::other("larger than any configuration").into());
        }
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }

    /// The private key in a file.
    ///
    /// # Errors
    /// It cannot be read, or holds no usable key.
    pub fn key(&self, path: &Path) -> Result<LoadedKey, FileTrouble> {
        let real = self.path(path);
        fs::metadata(&real)?;
        File::open(&real)?;
        let bare = |text: String| {
            let name = format!("{}: ", real.to_string_lossy());
            text.strip_prefix(&name).map_or(text.clone(), str::to_owned)
        };
        let KeyFile { key, warning } = KeyFile::read(&real).map_err(|trouble| FileTrouble {
            reason: bare(trouble.to_string()),
            is_missing: false,
            is_forbidden: false,
        })?;
        let warning = warning.filter(|_| !self.is_copy()).map(bare);
        Ok(LoadedKey { key: Arc::new(key), warning })
    }

    /// Whether something is at this path.
    pub fn exists(&self, path: &Path) -> bool {
        self.path(path).exists()
    }
}

/// Keys that were read, by their paths.
pub type Keys = HashMap<PathBuf, Arc<PrivateKey>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LARGEST + 1).unwrap();
        let trouble = Files::new().text(file.path()).unwrap_err();
        assert_eq!(trouble.reason, "larger than any configuration");
        file.as_file().set_len(3).unwrap();
        assert_eq!(Files::new().text(file.path()), Ok("\0\0\0".to_owned()));
        assert!(Files::new().text(Path::new("/does/not/exist")).unwrap_err().is_missing);
    }

    #[test]
    fn a_copy_is_read_below_its_root() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), "x").unwrap();
        let files = Files::below(directory.path().to_owned());
        assert_eq!(files.text(Path::new("/a")), Ok("x".to_owned()));
        assert!(files.exists(Path::new("/a")) && files.is_copy());
    }
}
