//! Public keys: their forms in p=, and verifying with them.

use rsa::pkcs1::RsaPublicKeyRef;
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::der::asn1::UintRef;

use super::{Digest, backend, recover};
use crate::record::KeyType;

/// The OID rsaEncryption (RFC 8017 A.1).
const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
/// RFC 8301 3.2 has no upper bound; what neither backend takes is kept only by its size.
const BACKEND_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

/// A public key that signatures are verified with (RFC 6376 3.6.1 p=), parsed once.
#[derive(Clone)]
pub struct VerifyingKey {
    key: Key,
}

#[derive(Clone)]
enum Key {
    Rsa { bits: usize, key: Option<backend::RsaVerifyingKey> },
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// What a signature tells of the digest it was made over.
pub(crate) enum SignedDigest {
    /// An RSA signature of this key, over this digest.
    Is(Digest),
    /// No signature of this key, over whatever digest.
    OtherKey,
    /// An Ed25519 signature does not tell.
    Untold,
}

/// Why octets are no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFormError {
    /// Neither a SubjectPublicKeyInfo nor an RSAPublicKey in DER (RFC 8017 A.1.1).
    #[error("is no RSA key in DER: it is cut short or damaged")]
    NotDer,
    /// A SubjectPublicKeyInfo of another algorithm than rsaEncryption.
    #[error("is a key of another algorithm than RSA")]
    NotRsa,
    /// The public exponent is even, below 3 or above 2^32 - 1 (RFC 6376 8.13 warns of odd choices).
    #[error("has an unusable RSA exponent")]
    Exponent,
    /// The modulus is none that a key could have (RFC 8017 3.1), such as an even number.
    #[error("has an unusable RSA modulus")]
    Modulus,
    /// An Ed25519 key is 32 octets (RFC 8463 4.2: "the octet string of the public key" itself).
    #[error("is not the 32 octets of an Ed25519 key")]
    Length,
    /// The octets are no point of the curve, or one of small order (RFC 8032 5.1.3).
    #[error("is no usable point of the curve Ed25519")]
    Point,
}

impl VerifyingKey {
    /// Reads the octets of p=.
    ///
    /// RFC 6376 3.6.1 wants an RSAPublicKey (RFC 8017 A.1.1), and its own examples, like every
    /// deployment, have a SubjectPublicKeyInfo (RFC 5280 4.1). Both are read.
    ///
    /// # Errors
    /// The octets are no key of this type.
    pub(crate) fn parse(key_type: KeyType, octets: &[u8]) -> Result<VerifyingKey, KeyFormError> {
        let key = match key_type {
            KeyType::Rsa => rsa(octets)?,
            KeyType::Ed25519 => ed25519(octets)?,
        };
        Ok(VerifyingKey { key })
    }

    /// The type of the key.
    pub fn key_type(&self) -> KeyType {
        match self.key {
            Key::Rsa { .. } => KeyType::Rsa,
            Key::Ed25519(_) => KeyType::Ed25519,
        }
    }

    /// The size of the key in bits: of the RSA modulus, or 256.
    pub fn bits(&self) -> usize {
        match self.key {
            Key::Rsa { bits, .. } => bits,
            Key::Ed25519(_) => 256,
        }
    }

    /// Whether `signature` is one of this key over data with this SHA-256 digest.
    pub(crate) fn verify(&self, digest: &Digest, signature: &[u8]) -> bool {
        match &self.key {
            Key::Rsa { key, .. } => key.as_ref().is_some_and(|key| key.verify(digest, signature)),
            // RFC 8463 3: "The Ed25519 signing algorithm … is applied to the SHA-256 digest".
            Key::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(digest, &signature).is_ok()),
        }
    }

    /// The digest that a signature was made over, to look for the data with it.
    pub(crate) fn signed_digest(&self, signature: &[u8]) -> SignedDigest {
        let Key::Rsa { key, .. } = &self.key else { return SignedDigest::Untold };
        let key = key.as_ref().and_then(backend::RsaVerifyingKey::public_key);
        match key.and_then(|key| recover::signed_digest(&key, signature)) {
            Some(digest) => SignedDigest::Is(digest),
            None => SignedDigest::OtherKey,
        }
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({}, {} bits)", self.key_type(), self.bits())
    }
}

fn rsa(octets: &[u8]) -> Result<Key, KeyFormError> {
    let pkcs1 = match SubjectPublicKeyInfoRef::from_der(octets) {
        Ok(info) if info.algorithm.oid.to_string() != RSA_ENCRYPTION => {
            return Err(KeyFormError::NotRsa);
        }
        Ok(info) => info.subject_public_key.as_bytes().ok_or(KeyFormError::NotDer)?,
        Err(_) => octets,
    };
    let key = RsaPublicKeyRef::from_der(pkcs1).map_err(|_| KeyFormError::NotDer)?;
    let bits = modulus_bits(&key.modulus);
    check_exponent(&key.public_exponent)?;
    let key = if BACKEND_BITS.contains(&bits) {
        // A backend refuses what is no product of two odd primes, as far as it looks.
        Some(backend::RsaVerifyingKey::from_pkcs1(pkcs1).ok_or(KeyFormError::Modulus)?)
    } else {
        None
    };
    Ok(Key::Rsa { bits, key })
}

fn modulus_bits(modulus: &UintRef<'_>) -> usize {
    let significant = modulus.as_bytes().iter().skip_while(|&&octet| octet == 0);
    let octets = significant.clone().count();
    let leading = significant.clone().next().map_or(0, |first| first.leading_zeros());
    octets * 8 - usize::try_from(leading).unwrap_or_default()
}

fn check_exponent(exponent: &UintRef<'_>) -> Result<(), KeyFormError> {
    let octets = exponent.as_bytes();
    let value = octets.iter().fold(0_u64, |value, &octet| value << 8 | u64::from(octet));
    if octets.len() > 4 || value < 3 || value % 2 == 0 {
        return Err(KeyFormError::Exponent);
    }
    Ok(())
}

fn ed25519(octets: &[u8]) -> Result<Key, KeyFormError> {
    let octets = octets.try_into().map_err(|_| KeyFormError::Length)?;
    match ed25519_dalek::VerifyingKey::from_bytes(octets) {
        Ok(key) if !key.is_weak() => Ok(Key::Ed25519(key)),
        _ => Err(KeyFormError::Point),
    }
}
