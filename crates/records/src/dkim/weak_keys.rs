//! Lists of RSA keys whose private halves anybody can have.

use std::fmt;

use sha1::{Digest as _, Sha1};

use crate::Limits;

/// The last ten octets of a SHA-1.
type Fingerprint = [u8; 10];

/// RSA keys that are known to be weak, as those that Debian made until 2008 (CVE-2008-0166): too
/// many to be held here, so who has lists of them reads them in.
///
/// A list is a text of lines as in Debian's package openssl-blacklist. One that begins with `#` is
/// a comment; every other line is 20 hexadecimal digits, the last of the SHA-1 of what
/// `openssl rsa -noout -modulus` prints: `Modulus=`, the digits in capitals, and the line end.
///
/// ```
/// use std::sync::Arc;
///
/// use mailproof_records::{Limits, Request, WeakKeys};
///
/// let mut weak_keys = WeakKeys::default();
/// let list = b"# Keys of 2048 bits\n7ca42da076005858388d\n";
/// weak_keys.add("blacklist.RSA-2048", list, &Limits::default())?;
/// let mut request = Request::new("example.com".parse()?);
/// request.weak_keys = Some(Arc::new(weak_keys));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeakKeys {
    lists: Vec<List>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct List {
    file: String,
    /// Fingerprints with their lines, in order.
    entries: Vec<(Fingerprint, u32)>,
}

/// Why a list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakKeysError {
    /// It has more octets than this, [`Limits::weak_keys`].
    #[error("more than {0} octets, which no list of weak keys has")]
    TooLong(usize),
    /// It has no fingerprint, and so would find nothing.
    #[error("no fingerprint of a key is in it")]
    Empty,
    /// What this line is, counted from 1; the text does not say which.
    #[error("neither a comment (#) nor 20 hexadecimal digits, as in lists of openssl-blacklist")]
    Line(usize),
}

/// Where a key is listed; prints as `file:line`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed<'a> {
    file: &'a str,
    line: u32,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl WeakKeys {
    /// Adds a list; `file` is what findings call it.
    ///
    /// # Errors
    /// What it is that is no list; nothing is added then.
    pub fn add(
        &mut self,
        file: impl Into<String>,
        list: &[u8],
        limits: &Limits,
    ) -> Result<(), WeakKeysError> {
        if list.len() > limits.weak_keys {
            return Err(WeakKeysError::TooLong(limits.weak_keys));
        }
        let mut entries = Vec::new();
        for (number, line) in (1_usize..).zip(list.split_inclusive(|&octet| octet == b'\n')) {
            if line.first() == Some(&b'#') {
                continue;
            }
            let entry = entry(line.trim_ascii_end()).ok_or(WeakKeysError::Line(number))?;
            entries.push((entry, u32::try_from(number).unwrap_or(u32::MAX)));
        }
        if entries.is_empty() {
            return Err(WeakKeysError::Empty);
        }
        entries.sort_unstable();
        entries.shrink_to_fit();
        self.lists.push(List { file: file.into(), entries });
        Ok(())
    }

    /// Where a modulus, its lowest limb first, is listed first.
    pub(super) fn find(&self, modulus: &[u64]) -> Option<Listed<'_>> {
        let wanted = fingerprint(modulus);
        self.lists.iter().find_map(|List { file, entries }| {
            let at = entries.partition_point(|(fingerprint, _)| *fingerprint < wanted);
            let (found, line) = entries.get(at)?;
            (*found == wanted).then_some(Listed { file, line: *line })
        })
    }
}

/// The fingerprint that a line of a list is.
fn entry(line: &[u8]) -> Option<Fingerprint> {
    let digits: &[u8; 20] = line.try_into().ok()?;
    let mut fingerprint = Fingerprint::default();
    let (pairs, _) = digits.as_chunks();
    for (octet, [high, low]) in fingerprint.iter_mut().zip(pairs) {
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    Some(fingerprint)
}

fn digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

/// The fingerprint of a modulus. OpenSSL prints no zero before the first digit.
fn fingerprint(modulus: &[u64]) -> Fingerprint {
    let digits: String = modulus.iter().rev().map(|limb| format!("{limb:016X}")).collect();
    let line = format!("Modulus={}\n", digits.trim_start_matches('0'));
    let digest: [u8; 20] = Sha1::digest(line).into();
    digest.last_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::modulus;
    use super::*;

    /// The public half of `testdata/keys/rsa-2048.pem`.
    const KEY: &str = "\
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwcNYLPTeIozV02X4pxEQMT3/d/UptB4TWSinCyRoyDXh\
        E9yqXAeIWaxLLJoZbae6FFYgDSsQ4uJ9euykqtWs1DiG46HFSLHJHVSuCYowZ9jtft1IrBx5tL8koru7UVhAKIDS\
        QPUsmx/6mDPjB6hf7IALjod7DMGkSxZD80nYnhFPqDgGPhx/PmSWbTSju5dCEzGN8kmzYwLEPBqsU2m8EP4uENAm\
        FKrcU+bUq/4yNCluxTh6Ids9WVcR/vk3R5AzMt1WMlLOjRlQ09AHzckQhIRA9HuwBRZ87dqmY1puZodXFxkAi8J6\
        kVhNLklL4/w+JryQpEwldr8g+sYIQp+IHQIDAQAB";

    /// A key of 1026 bits, made with `openssl genrsa 1026`: it has an odd number of digits.
    const ODD: &str = "\
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQLoeMZz75ZbJgdbaeuWuiSjZeiujofcduJAfsmETOQeKhOY/sST\
        vBe3iqA+6PMj3XJ4f9Ifjs/Mo4b3Pdjzkxi5CLTAGAwtZM9jWy1zc8dpCXK9rAS9yRmANZXOOduL6YUjB4M1Na3u\
        DbBUUnVYVHXz/ydNK4lHN/NLPuzJkWPLnwIDAQAB";

    fn read(lists: &[&str]) -> Result<WeakKeys, WeakKeysError> {
        let mut weak_keys = WeakKeys::default();
        for (file, list) in ["one", "two"].into_iter().zip(lists) {
            weak_keys.add(file, list.as_bytes(), &Limits::default())?;
        }
        Ok(weak_keys)
    }

    /// `openssl rsa -pubin -noout -modulus <FILE | sha1sum` says, of the keys above,
    /// `762eea90bb5550498d707ca42da076005858388d` and `15a151e3fb7513ac4bb106c5de282182b2f4de72`.
    #[test]
    fn the_fingerprint_is_that_of_openssl() {
        for (key, last) in [(KEY, "7ca42da076005858388d"), (ODD, "06c5de282182b2f4de72")] {
            let modulus = modulus::of(key.as_bytes()).unwrap();
            assert_eq!(Some(fingerprint(&modulus)), entry(last.as_bytes()));
        }
    }

    #[test]
    fn keys_are_found_where_they_are_listed_first() {
        let modulus = modulus::of(KEY.as_bytes()).unwrap();
        let place =
            |lists: &[&str]| read(lists).unwrap().find(&modulus).map(|listed| listed.to_string());
        let (low, high) = ("00000000000000000000\n", "ffffffffffffffffffff\n");
        let key = "7ca42da076005858388d\n";
        assert_eq!(place(&[low, high]), None);
        assert_eq!(place(&[&format!("#{key}# {key}{low}")]), None);
        // In any order, and no matter how its line ends.
        let list = format!("# Debian\n{high}{low}{key}{low}{key}");
        assert_eq!(place(&[&list]).as_deref(), Some("one:4"));
        let list = format!("#\r\n{low}7CA42DA076005858388D\r\n");
        assert_eq!(place(&[high, &list]).as_deref(), Some("two:3"));
        assert_eq!(place(&[low, key.trim_end()]).as_deref(), Some("two:1"));
        assert_eq!(place(&[key, key]).as_deref(), Some("one:1"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        use WeakKeysError::{Empty, Line};
        let good = "7ca42da076005858388d\n";
        for (list, error) in [
            ("", Empty),
            ("# nothing but a comment\n", Empty),
            ("7ca42da076005858388\n", Line(1)),
            ("7ca42da076005858388d0\n", Line(1)),
            ("762eea90bb5550498d707ca42da076005858388d\n", Line(1)),
            ("7ca42da076005858388g\n", Line(1)),
            ("+ca42da076005858388d\n", Line(1)),
            (" # a comment begins its line\n", Line(1)),
            (" 7ca42da076005858388d\n", Line(1)),
            ("\n", Line(1)),
            ("\u{e4}ca42da076005858388\n", Line(1)),
        ] {
            assert_eq!(read(&[list]), Err(error), "{list:?}");
            let Line(line) = error else { continue };
            let list = format!("# comment\n{good}{list}{good}");
            assert_eq!(read(&[&list]), Err(Line(line + 2)), "{list:?}");
        }
        let mut weak_keys = read(&[good]).unwrap();
        assert!(weak_keys.add("bad", b"bad", &Limits::default()).is_err());
        assert_eq!(weak_keys, read(&[good]).unwrap());
    }
}
