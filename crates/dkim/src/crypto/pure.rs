//! The backend in Rust alone.

use rsa::pkcs1::{DecodeRsaPrivateKey, DecodeRsaPublicKey};
use rsa::sha2::Sha256;

use super::Digest;

#[cfg_attr(feature = "aws-lc-rs", allow(dead_code, reason = "tested beside the other backend"))]
#[derive(Clone)]
pub(super) struct RsaVerifyingKey(rsa::PublicKey);

#[cfg_attr(feature = "aws-lc-rs", allow(dead_code, reason = "tested beside the other backend"))]
impl RsaVerifyingKey {
    /// From an RSAPublicKey in DER (RFC 8017 A.1.1).
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<RsaVerifyingKey> {
        rsa::PublicKey::from_pkcs1_der(der).ok().map(RsaVerifyingKey)
    }

    /// The numbers of the key.
    pub(super) fn public_key(&self) -> Option<rsa::PublicKey> {
        Some(self.0.clone())
    }

    pub(super) fn verify(&self, digest: &Digest, signature: &[u8]) -> bool {
        self.0.pkcs1v15_verify_prehash::<Sha256>(digest, signature).is_ok()
    }
}

pub(super) struct RsaSigningKey(rsa::PrivateKey);

impl RsaSigningKey {
    /// From an RSAPrivateKey in DER (RFC 8017 A.1.2).
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<RsaSigningKey> {
        rsa::PrivateKey::from_pkcs1_der(der).ok().map(RsaSigningKey)
    }

    /// Blinded with the system's randomness; the signature is the same each time (RFC 8017 8.2).
    pub(super) fn sign(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.0.pkcs1v15_sign_prehash::<Sha256>(digest).ok()
    }
}

#[cfg_attr(feature = "aws-lc-rs", allow(dead_code, reason = "tested beside the other backend"))]
pub(super) struct Ed25519SigningKey(ed25519_dalek::SigningKey);

#[cfg_attr(feature = "aws-lc-rs", allow(dead_code, reason = "tested beside the other backend"))]
impl Ed25519SigningKey {
    #[expect(clippy::unnecessary_wraps, reason = "the other backend can refuse")]
    pub(super) fn from_seed(seed: &[u8; 32]) -> Option<Ed25519SigningKey> {
        Some(Ed25519SigningKey(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    pub(super) fn sign(&self, digest: &Digest) -> Option<Vec<u8>> {
        use ed25519_dalek::Signer as _;
        self.0.try_sign(digest).ok().map(|signature| signature.to_bytes().to_vec())
    }
}
