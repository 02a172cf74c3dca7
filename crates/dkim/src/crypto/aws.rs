//! The backend on AWS-LC.

use aws_lc_rs::digest::{Digest as AwsDigest, SHA256};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{
    Ed25519KeyPair, ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_SHA256,
};

use rsa::pkcs1::DecodeRsaPublicKey;

use super::Digest;

#[derive(Clone)]
pub(super) struct RsaVerifyingKey(ParsedPublicKey);

impl RsaVerifyingKey {
    /// From an RSAPublicKey in DER (RFC 8017 A.1.1).
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<RsaVerifyingKey> {
        // RFC 8301 3.2 makes 1024 bits the floor, so the "legacy" set of sizes is the right one.
        ParsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, der)
            .ok()
            .map(RsaVerifyingKey)
    }

    /// The numbers of the key.
    pub(super) fn public_key(&self) -> Option<rsa::PublicKey> {
        rsa::PublicKey::from_pkcs1_der(self.0.as_ref()).ok()
    }

    pub(super) fn verify(&self, digest: &Digest, signature: &[u8]) -> bool {
        AwsDigest::import_less_safe(digest, &SHA256)
            .is_ok_and(|digest| self.0.verify_digest_sig(&digest, signature).is_ok())
    }
}

pub(super) struct RsaSigningKey(KeyPair);

impl RsaSigningKey {
    /// From an RSAPrivateKey in DER (RFC 8017 A.1.2); AWS-LC refuses keys below 2048 bits.
    pub(super) fn from_pkcs1(der: &[u8]) -> Option<RsaSigningKey> {
        KeyPair::from_der(der).ok().map(RsaSigningKey)
    }

    pub(super) fn sign(&self, digest: &Digest) -> Option<Vec<u8>> {
        let digest = AwsDigest::import_less_safe(digest, &SHA256).ok()?;
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).ok()?;
        Some(signature)
    }
}

pub(super) struct Ed25519SigningKey(Ed25519KeyPair);

impl Ed25519SigningKey {
    pub(super) fn from_seed(seed: &[u8; 32]) -> Option<Ed25519SigningKey> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Ed25519SigningKey)
    }

    pub(super) fn sign(&self, digest: &Digest) -> Option<Vec<u8>> {
        self.0.try_sign(digest).ok().map(|signature| signature.as_ref().to_vec())
    }
}
