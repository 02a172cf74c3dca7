//! The only module that names a cryptographic library.
//!
//! `rsa` reads key forms and is the complete backend without the feature `aws-lc-rs`; with it,
//! AWS-LC verifies and signs with RSA and signs with Ed25519, in constant time. Ed25519 is verified
//! by `ed25519-dalek` in both, strictly, so that both give the same answers.

use mailproof_canonicalization::Sink;

#[cfg(feature = "aws-lc-rs")]
mod aws;
mod pem;
mod private_key;
// With the other backend in use, this one still signs with keys the other refuses.
mod pure;
mod recover;
mod verifying_key;

#[cfg(feature = "aws-lc-rs")]
use aws as backend;
#[cfg(not(feature = "aws-lc-rs"))]
use pure as backend;

pub use private_key::{PrivateKey, PrivateKeyError, SigningError};
pub(crate) use verifying_key::SignedDigest;
pub use verifying_key::{KeyFormError, VerifyingKey};

/// A SHA-256 digest (RFC 6234).
pub(crate) type Digest = [u8; 32];

/// SHA-256 (RFC 6234) over octets that come in pieces.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Takes the next octets.
    pub fn update(&mut self, octets: &[u8]) {
        sha2::Digest::update(&mut self.0, octets);
    }

    /// The digest.
    pub fn finish(self) -> [u8; 32] {
        sha2::Digest::finalize(self.0).into()
    }

    pub(crate) fn digest(octets: &[u8]) -> Digest {
        <sha2::Sha256 as sha2::Digest>::digest(octets).into()
    }
}

impl Sink for Sha256 {
    fn write(&mut self, octets: &[u8]) {
        self.update(octets);
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

#[cfg(test)]
mod tests;
