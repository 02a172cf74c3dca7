//! Transaction signatures (RFC 8945): keys, and signing and verifying DNS messages with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mailproof_dns::Name;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

/// By how many seconds two clocks may differ: what RFC 8945 recommends.
pub(crate) const FUDGE: u16 = 300;
/// RFC 8945 4.2: the type of the record, and the class ANY.
pub(crate) const TSIG: u16 = 250;
pub(crate) const ANY: u16 = 255;

/// A key that a name server shares with those who may change its zones (RFC 8945 2).
///
/// The secret is wiped from memory when dropped, and never printed.
pub struct TsigKey {
    /// Its name, which is part of the secret's identity on both sides.
    pub name: Name,
    /// The algorithm.
    pub algorithm: TsigAlgorithm,
    secret: Zeroizing<Vec<u8>>,
}

/// An algorithm of RFC 8945 6; those with MD5 and SHA-1 are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TsigAlgorithm {
    /// hmac-sha256.
    HmacSha256,
    /// hmac-sha384.
    HmacSha384,
    /// hmac-sha512.
    HmacSha512,
}

/// Why a text is no TSIG key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TsigKeyError {
    /// Neither of the two forms.
    #[error(
        "no TSIG key: expected a line ALGORITHM:NAME:SECRET, or key \"NAME\" {{ algorithm …; \
         secret \"…\"; }};"
    )]
    Form,
    /// An algorithm that is not supported.
    #[error("the TSIG algorithm {0:?} is not supported: hmac-sha256, -sha384 and -sha512 are")]
    Algorithm(String),
    /// The name is no domain name.
    #[error("the name of the TSIG key is no domain name")]
    Name,
    /// The secret is not base64.
    #[error("the secret of the TSIG key is not base64")]
    Secret,
}

impl TsigAlgorithm {
    /// The name of RFC 8945 6.
    pub fn keyword(self) -> &'static str {
        match self {
            TsigAlgorithm::HmacSha256 => "hmac-sha256",
            TsigAlgorithm::HmacSha384 => "hmac-sha384",
            TsigAlgorithm::HmacSha512 => "hmac-sha512",
        }
    }

    fn parse(text: &str) -> Result<TsigAlgorithm, TsigKeyError> {
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        [TsigAlgorithm::HmacSha256, TsigAlgorithm::HmacSha384, TsigAlgorithm::HmacSha512]
            .into_iter()
            .find(|algorithm| algorithm.keyword() == name)
            .ok_or(TsigKeyError::Algorithm(name))
    }
}

impl TsigKey {
    /// Reads a key as BIND's `tsig-keygen` writes it, `key "name" { algorithm …; secret "…"; };`,
    /// or as the first line of Knot's `keymgr -t` has it, `# algorithm:name:secret`.
    ///
    /// # Errors
    /// What keeps the text from being a key; no part of the secret is told.
    pub fn parse(text: &str) -> Result<TsigKey, TsigKeyError> {
        let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let fields: Vec<&str> = line.trim_start_matches('#').trim().split(':').collect();
        if let [algorithm, name, secret] = fields.as_slice()
            && !secret.is_empty()
        {
            return TsigKey::new(name, algorithm, secret);
        }
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';' | '"'))
            .filter(|word| !word.is_empty())
            .collect();
        let after = |keyword: &str| {
            let at = words.iter().position(|word| word.eq_ignore_ascii_case(keyword))?;
            words.get(at + 1).copied()
        };
        match (after("key"), after("algorithm"), after("secret")) {
            (Some(name), Some(algorithm), Some(secret)) => TsigKey::new(name, algorithm, secret),
            _ => Err(TsigKeyError::Form),
        }
    }

    fn new(name: &str, algorithm: &str, secret: &str) -> Result<TsigKey, TsigKeyError> {
        Ok(TsigKey {
            name: name.parse().map_err(|_| TsigKeyError::Name)?,
            algorithm: TsigAlgorithm::parse(algorithm)?,
            secret: STANDARD
                .decode(secret)
                .map(Zeroizing::new)
                .ok()
                .filter(|secret| !secret.is_empty())
                .ok_or(TsigKeyError::Secret)?,
        })
    }

    /// The MAC over octets in pieces.
    pub(crate) fn mac(&self, pieces: &[&[u8]]) -> Vec<u8> {
        macro_rules! mac {
            ($hash:ty) => {{
                // An HMAC takes a key of any length.
                let Ok(mut mac) = Hmac::<$hash>::new_from_slice(&self.secret) else {
                    return Vec::new();
                };
                pieces.iter().for_each(|piece| mac.update(piece));
                mac.finalize().into_bytes().to_vec()
            }};
        }
        match self.algorithm {
            TsigAlgorithm::HmacSha256 => mac!(Sha256),
            TsigAlgorithm::HmacSha384 => mac!(Sha384),
            TsigAlgorithm::HmacSha512 => mac!(Sha512),
        }
    }

    /// RFC 8945 4.3.3, "TSIG Variables": what of the record the MAC covers.
    pub(crate) fn variables(&self, time: u64, fudge: u16, error: u16, other: &[u8]) -> Vec<u8> {
        let mut octets = Vec::with_capacity(64);
        put_name(&mut octets, &self.name);
        octets.extend(ANY.to_be_bytes());
        octets.extend(0_u32.to_be_bytes());
        put_keyword(&mut octets, self.algorithm.keyword());
        put_time(&mut octets, time);
        octets.extend(fudge.to_be_bytes());
        octets.extend(error.to_be_bytes());
        octets.extend(u16::try_from(other.len()).unwrap_or_default().to_be_bytes());
        octets.extend(other);
        octets
    }
}

impl std::fmt::Debug for TsigKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TsigKey({}, {})", self.name, self.algorithm.keyword())
    }
}

/// A name without compression (RFC 1035 3.1).
pub(crate) fn put_name(octets: &mut Vec<u8>, name: &Name) {
    for label in name.labels() {
        octets.push(u8::try_from(label.len()).unwrap_or_default());
        octets.extend(label);
    }
    octets.push(0);
}

/// A name of one label.
pub(crate) fn put_keyword(octets: &mut Vec<u8>, label: &str) {
    octets.push(u8::try_from(label.len()).unwrap_or_default());
    octets.extend(label.as_bytes());
    octets.push(0);
}

/// 48 bits.
pub(crate) fn put_time(octets: &mut Vec<u8>, time: u64) {
    octets.extend(time.to_be_bytes().iter().skip(2));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_bind_and_knot() {
        let bind =
            "key \"update.example\" {\n\talgorithm hmac-sha512;\n\tsecret \"c2VjcmV0\";\n};\n";
        let knot = "# hmac-sha256:update.example:c2VjcmV0\nkey:\n  - id: update.example\n";
        for (text, algorithm) in
            [(bind, TsigAlgorithm::HmacSha512), (knot, TsigAlgorithm::HmacSha256)]
        {
            let key = TsigKey::parse(text).unwrap();
            assert_eq!(
                (key.algorithm, key.name.to_string().as_str()),
                (algorithm, "update.example")
            );
            assert_eq!(key.secret.as_slice(), b"secret");
            assert!(!format!("{key:?}").contains("c2Vj"));
        }
        for (text, error) in [
            ("", TsigKeyError::Form),
            ("key \"a\" { algorithm hmac-sha256; };", TsigKeyError::Form),
            ("hmac-md5:a:c2VjcmV0", TsigKeyError::Algorithm("hmac-md5".into())),
            ("hmac-sha256:a..b:c2VjcmV0", TsigKeyError::Name),
            ("hmac-sha256:a:?", TsigKeyError::Secret),
        ] {
            assert_eq!(TsigKey::parse(text).unwrap_err(), error);
        }
    }

    /// RFC 4231 4.3, test case 2.
    #[test]
    fn the_mac() {
        let key = TsigKey::new("a", "hmac-sha256", "SmVmZQ==").unwrap();
        let mac = key.mac(&[b"what do ya want ", b"for nothing?"]);
        assert_eq!(STANDARD.encode(mac), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }
}
