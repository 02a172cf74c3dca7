//! Key pairs: made, or read from the private key.

use mailproof_dkim::{KeyType, PrivateKey, PrivateKeyError};
use zeroize::Zeroizing;

use crate::generate;
use crate::key_format::{self, KeyFormat};
use crate::limits::Limits;

/// What key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySpec {
    /// An RSA key with a modulus of this many bits and the public exponent 65537.
    Rsa(usize),
    /// An Ed25519 key (RFC 8463).
    Ed25519,
}

/// A private key with its public key: what signs, and what is published.
///
/// It is wiped from memory when dropped, and never printed: its [`std::fmt::Debug`] form tells
/// type and size only.
pub struct KeyPair {
    key_type: KeyType,
    bits: usize,
    /// An RSAPrivateKey in DER, or an Ed25519 seed.
    material: Zeroizing<Vec<u8>>,
    public_key: Vec<u8>,
}

/// Why no key was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// RFC 8301 3.2: fewer than 1024 bits.
    #[error(
        "an RSA key of {0} bits is refused by verifiers: at least 1024 (RFC 8301 3.2), 2048 advised"
    )]
    TooSmall(usize),
    /// More bits than [`Limits::rsa_bits`].
    #[error(
        "an RSA key of {bits} bits: at most {most} are made; verifiers need not take more than 4096 (RFC 8301 3.2)"
    )]
    TooLarge {
        /// What was asked for.
        bits: usize,
        /// The limit.
        most: usize,
    },
    /// An RSA modulus of whole octets is what every library takes.
    #[error("an RSA key of {0} bits: the number must be a multiple of 8")]
    OddSize(usize),
    /// The library failed, or the system had no randomness for it.
    #[error("the key could not be made: no randomness from the system")]
    Backend,
}

/// A form that a key of this type does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key of type {key_type} has no such form: PKCS#1 is for RSA, a seed for Ed25519")]
pub struct FormatError {
    /// The form.
    pub format: KeyFormat,
    /// The type of the key.
    pub key_type: KeyType,
}

impl KeyPair {
    /// Makes a new key from the system's randomness.
    ///
    /// # Errors
    /// The size is out of bounds, or there is no randomness.
    pub fn generate(spec: KeySpec) -> Result<KeyPair, GenerateError> {
        let material = match spec {
            KeySpec::Rsa(bits) => {
                Limits::default().check(bits)?;
                generate::rsa(bits)?
            }
            KeySpec::Ed25519 => Zeroizing::new(generate::seed()?.to_vec()),
        };
        match spec {
            KeySpec::Rsa(_) => KeyPair::parse(&material),
            KeySpec::Ed25519 => KeyPair::new(KeyType::Ed25519, material),
        }
        .map_err(|_| GenerateError::Backend)
    }

    /// Reads a private key in any form that [`PrivateKey::parse`] knows.
    ///
    /// # Errors
    /// What keeps the octets from being a usable key.
    pub fn parse(octets: &[u8]) -> Result<KeyPair, PrivateKeyError> {
        // It judges the numbers of the key, too.
        let key_type = PrivateKey::parse(octets)?.key_type();
        KeyPair::new(key_type, key_format::material(octets, key_type)?)
    }

    fn new(key_type: KeyType, material: Zeroizing<Vec<u8>>) -> Result<KeyPair, PrivateKeyError> {
        let private = private_key(key_type, &material)?;
        let public_key = match private.ed25519_public_key() {
            Some(public) => public.to_vec(),
            None => key_format::rsa_public_key(&material).map_err(|_| PrivateKeyError::Unusable)?,
        };
        Ok(KeyPair { key_type, bits: private.bits(), material, public_key })
    }

    /// The type of the key, tag k=.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The size of the key in bits: of the RSA modulus, or 256.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The octets that tag p= holds, in base64, of the record: a SubjectPublicKeyInfo (RFC 5280
    /// 4.1) for RSA, as every deployment has it, and the 32 octets of RFC 8463 4.2 for Ed25519.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The key to sign with.
    ///
    /// # Errors
    /// None in practice: the key has been read once before.
    pub fn private_key(&self) -> Result<PrivateKey, PrivateKeyError> {
        private_key(self.key_type, &self.material)
    }

    /// The private key in this form, to be written to a file that only its owner can read.
    ///
    /// # Errors
    /// A key of this type has no such form.
    pub fn encode(&self, format: KeyFormat) -> Result<Zeroizing<Vec<u8>>, FormatError> {
        key_format::encode(self.key_type, &self.material, format)
    }
}

fn private_key(key_type: KeyType, material: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
    match (key_type, <&[u8; 32]>::try_from(material)) {
        (KeyType::Ed25519, Ok(seed)) => PrivateKey::from_ed25519_seed(seed),
        _ => PrivateKey::from_der(material),
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyPair({}, {} bits)", self.key_type, self.bits)
    }
}
