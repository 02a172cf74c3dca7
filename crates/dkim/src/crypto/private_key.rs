//! Private keys: reading their forms, and signing with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::RsaPrivateKeyRef;
use rsa::pkcs8::PrivateKeyInfoRef;
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::der::asn1::OctetStringRef;
use zeroize::Zeroizing;

use super::{backend, pem, pure};
use crate::record::KeyType;
use crate::signature::Algorithm;

/// The OIDs rsaEncryption (RFC 8017 A.1) and id-Ed25519 (RFC 8410 3).
const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
const ID_ED25519: &str = "1.3.101.112";
/// RFC 8301 3.2: "Signers MUST use RSA keys of at least 1024 bits for all keys."
const LEAST_BITS: usize = 1024;

/// A private key that signatures are made with.
///
/// It is wiped from memory when dropped, and never printed: its [`std::fmt::Debug`] form tells
/// type and size only.
pub struct PrivateKey {
    key: Key,
}

enum Key {
    Rsa { bits: usize, key: RsaKey },
    Ed25519 { key: Box<backend::Ed25519SigningKey>, public: [u8; 32] },
}

enum RsaKey {
    Backend(Box<backend::RsaSigningKey>),
    /// AWS-LC does not sign with fewer than 2048 bits; keys of 1024 are in use all the same.
    #[cfg_attr(not(feature = "aws-lc-rs"), expect(dead_code, reason = "the backend takes all"))]
    Legacy(Box<pure::RsaSigningKey>),
}

/// Why octets are no private key to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrivateKeyError {
    /// Not one of the forms read.
    #[error(
        "no private key: expected PEM or DER of PKCS#8 or PKCS#1, or an Ed25519 seed in base64"
    )]
    UnknownForm,
    /// The key is encrypted with a passphrase.
    #[error("the private key is encrypted; decrypt it first (openssl pkey -in KEY -out PLAIN)")]
    Encrypted,
    /// The PEM holds a public key or a certificate.
    #[error("this is not a private key but a public key or a certificate")]
    NotPrivate,
    /// The key is for another algorithm than RSA and Ed25519.
    #[error("the private key is neither RSA nor Ed25519")]
    UnknownAlgorithm,
    /// The numbers of the RSA key do not fit together, or it has more than two primes.
    #[error("the RSA key is damaged or of an unusual kind")]
    Unusable,
    /// RFC 8301 3.2: fewer than 1024 bits.
    #[error("the RSA key has {0} bits; at least 1024 are required (RFC 8301), 2048 advised")]
    TooSmall(usize),
}

/// The cryptographic library could not sign; with a key it has taken before, only a fault of the
/// machine (no randomness for blinding, a wrong result detected) makes it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature could not be computed")]
pub struct SigningError;

impl PrivateKey {
    /// Reads a private key in any form: PEM or DER, PKCS#8 (RFC 5208, 5958) or PKCS#1 (RFC 8017
    /// A.1.2), or the seed of an Ed25519 key (RFC 8032 5.1.5) in base64.
    ///
    /// # Errors
    /// What keeps the octets from being a usable key.
    pub fn parse(octets: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
        if let Some(der) = PrivateKey::der_in_pem(octets) {
            return PrivateKey::from_der(&der?);
        }
        if let Some(seed) = std::str::from_utf8(octets).ok().and_then(seed_from_base64) {
            return PrivateKey::from_ed25519_seed(&seed);
        }
        PrivateKey::from_der(octets)
    }

    /// Reads a private key in PEM (RFC 7468): the first among the blocks of the text, in lines of
    /// any length; what else stands there is passed over.
    ///
    /// # Errors
    /// As [`PrivateKey::parse`].
    pub fn from_pem(text: &str) -> Result<PrivateKey, PrivateKeyError> {
        let der = PrivateKey::der_in_pem(text.as_bytes());
        PrivateKey::from_der(&der.unwrap_or(Err(PrivateKeyError::UnknownForm))?)
    }

    /// The DER of the private key in a text with PEM (RFC 7468), PKCS#8 or PKCS#1; `None` in one
    /// without.
    ///
    /// # Errors
    /// There is none to be used.
    pub fn der_in_pem(text: &[u8]) -> Option<Result<Zeroizing<Vec<u8>>, PrivateKeyError>> {
        pem::private_key(text)
    }

    /// Reads a private key in DER.
    ///
    /// # Errors
    /// As [`PrivateKey::parse`].
    pub fn from_der(der: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
        match from_pkcs8(der) {
            Err(PrivateKeyError::UnknownForm) => from_pkcs1(der),
            result => result,
        }
    }

    /// The Ed25519 key of this seed (RFC 8032 5.1.5).
    ///
    /// # Errors
    /// None in practice; a backend may refuse.
    pub fn from_ed25519_seed(seed: &[u8; 32]) -> Result<PrivateKey, PrivateKeyError> {
        let key = backend::Ed25519SigningKey::from_seed(seed).ok_or(PrivateKeyError::Unusable)?;
        let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes();
        Ok(PrivateKey { key: Key::Ed25519 { key: Box::new(key), public } })
    }

    /// The type of the key.
    pub fn key_type(&self) -> KeyType {
        match self.key {
            Key::Rsa { .. } => KeyType::Rsa,
            Key::Ed25519 { .. } => KeyType::Ed25519,
        }
    }

    /// The algorithm that the key signs with.
    pub fn algorithm(&self) -> Algorithm {
        match self.key {
            Key::Rsa { .. } => Algorithm::RsaSha256,
            Key::Ed25519 { .. } => Algorithm::Ed25519Sha256,
        }
    }

    /// The size of the key in bits: of the RSA modulus, or 256.
    pub fn bits(&self) -> usize {
        match self.key {
            Key::Rsa { bits, .. } => bits,
            Key::Ed25519 { .. } => 256,
        }
    }

    /// The public key of an Ed25519 key (RFC 8463 4.2: what p= holds); `None` for RSA.
    pub fn ed25519_public_key(&self) -> Option<&[u8; 32]> {
        match &self.key {
            Key::Rsa { .. } => None,
            Key::Ed25519 { public, .. } => Some(public),
        }
    }

    /// The signature over data with this SHA-256 digest.
    ///
    /// # Errors
    /// The library failed.
    pub fn sign(&self, digest: &[u8; 32]) -> Result<Vec<u8>, SigningError> {
        match &self.key {
            Key::Rsa { key: RsaKey::Backend(key), .. } => key.sign(digest),
            Key::Rsa { key: RsaKey::Legacy(key), .. } => key.sign(digest),
            Key::Ed25519 { key, .. } => key.sign(digest),
        }
        .ok_or(SigningError)
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({}, {} bits)", self.key_type(), self.bits())
    }
}

fn seed_from_base64(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let octets = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
    <[u8; 32]>::try_from(octets.as_slice()).ok().map(Zeroizing::new)
}

fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| PrivateKeyError::UnknownForm)?;
    match info.algorithm.oid.to_string().as_str() {
        RSA_ENCRYPTION => from_pkcs1(info.private_key.as_bytes()),
        ID_ED25519 => {
            // RFC 8410 7: "CurvePrivateKey ::= OCTET STRING" inside the octets of privateKey.
            let seed = <&OctetStringRef>::from_der(info.private_key.as_bytes())
                .map_err(|_| PrivateKeyError::Unusable)?;
            let seed = seed.as_bytes().try_into().map_err(|_| PrivateKeyError::Unusable)?;
            PrivateKey::from_ed25519_seed(seed)
        }
        _ => Err(PrivateKeyError::UnknownAlgorithm),
    }
}

fn from_pkcs1(der: &[u8]) -> Result<PrivateKey, PrivateKeyError> {
    let numbers = RsaPrivateKeyRef::from_der(der).map_err(|_| PrivateKeyError::UnknownForm)?;
    let modulus = numbers.modulus.as_bytes();
    let leading = modulus.first().map_or(0, |first| first.leading_zeros());
    let bits = modulus.len() * 8 - usize::try_from(leading).unwrap_or_default();
    if bits < LEAST_BITS {
        return Err(PrivateKeyError::TooSmall(bits));
    }
    let key = match backend::RsaSigningKey::from_pkcs1(der) {
        Some(key) => RsaKey::Backend(Box::new(key)),
        None => legacy(der)?,
    };
    Ok(PrivateKey { key: Key::Rsa { bits, key } })
}

#[cfg(feature = "aws-lc-rs")]
fn legacy(der: &[u8]) -> Result<RsaKey, PrivateKeyError> {
    pure::RsaSigningKey::from_pkcs1(der)
        .map(|key| RsaKey::Legacy(Box::new(key)))
        .ok_or(PrivateKeyError::Unusable)
}

#[cfg(not(feature = "aws-lc-rs"))]
fn legacy(_: &[u8]) -> Result<RsaKey, PrivateKeyError> {
    Err(PrivateKeyError::Unusable)
}
