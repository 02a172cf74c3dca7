//! Private keys in files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use mailproof_dkim::{PrivateKey, PrivateKeyError};
use zeroize::Zeroizing;

use crate::exit::Trouble;
use crate::input::{STDIN, reason};

/// The most that is read of a key file. Local choice: an RSA key of 16384 bits has 13 KiB.
const LARGEST: usize = 64 * 1024;

/// A private key as it stands in a file.
#[derive(Debug)]
pub struct KeyFile<K = PrivateKey> {
    /// The key.
    pub key: K,
    /// What is unsafe about the file, in a sentence that begins with its name.
    pub warning: Option<String>,
}

impl KeyFile {
    /// Reads the key at `path`, in any form that [`PrivateKey::parse`] knows; `-` is standard
    /// input. What was read is wiped from memory.
    ///
    /// # Errors
    /// The file cannot be read, or holds no usable key; no part of it is told.
    pub fn read(path: &Path) -> Result<KeyFile, Trouble> {
        KeyFile::read_as(path, PrivateKey::parse)
    }
}

impl<K> KeyFile<K> {
    /// As [`KeyFile::read`], the octets taken by `parse`.
    ///
    /// # Errors
    /// As [`KeyFile::read`].
    pub fn read_as(
        path: &Path,
        parse: impl FnOnce(&[u8]) -> Result<K, PrivateKeyError>,
    ) -> Result<KeyFile<K>, Trouble> {
        let name = path.to_string_lossy();
        let (octets, open) = if path.as_os_str() == STDIN {
            (read(io::stdin().lock()), None)
        } else {
            let file = File::open(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
            let open = open_to_others(&file);
            (read(file), open)
        };
        let octets = octets.map_err(|error| Trouble::input(&*name, reason(&error)))?;
        if octets.len() > LARGEST {
            return Err(Trouble::input(&*name, "too large to be a private key"));
        }
        let key = parse(&octets).map_err(|error| Trouble::input(&*name, error))?;
        let warning = open.map(|open| {
            let chmod = "the key of a signature is for its owner alone (chmod 600)";
            Trouble::input(&*name, format_args!("{open}: {chmod}")).to_string()
        });
        Ok(KeyFile { key, warning })
    }
}

/// At most one octet more than the largest key, in memory that never moves.
fn read(from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let mut from = from.take(u64::try_from(LARGEST + 1).unwrap_or_default());
    let mut chunk = Zeroizing::new([0; 4096]);
    loop {
        match from.read(chunk.as_mut_slice()) {
            Ok(0) => return Ok(octets),
            Ok(count) => octets.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What others than the owner may do with a file.
#[cfg(unix)]
fn open_to_others(file: &File) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| format!("its mode is {mode:04o}"))
}

#[cfg(not(unix))]
fn open_to_others(_: &File) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";

    #[cfg(unix)]
    #[test]
    fn a_mode_too_open_is_told() {
        use std::os::unix::fs::PermissionsExt as _;

        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, SEED).unwrap();
        for (mode, told) in
            [(0o600, None), (0o400, None), (0o640, Some("0640")), (0o604, Some("0604"))]
        {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let warning = KeyFile::read(file.path()).unwrap().warning;
            assert_eq!(warning.is_some(), told.is_some(), "{mode:o}");
            assert!(warning.unwrap_or_default().contains(told.unwrap_or_default()));
        }
    }

    #[test]
    fn what_is_no_key_is_told_without_its_octets() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (octets, said) in [
            ("c2VjcmV0", "no private key"),
            ("", "no private key"),
            ("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n", "key"),
            (&"A".repeat(LARGEST + 1), "too large to be a private key"),
        ] {
            fs::write(&file, octets).unwrap();
            let trouble = KeyFile::read(file.path()).unwrap_err().to_string();
            assert!(trouble.contains(said) && !trouble.contains("c2VjcmV0"), "{trouble}");
        }
    }
}
