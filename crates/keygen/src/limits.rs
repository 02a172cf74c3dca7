//! What a key may cost.

use crate::key_pair::GenerateError;

/// RFC 8301 3.2: "Signers MUST use RSA keys of at least 1024 bits for all keys."
const LEAST_BITS: usize = 1024;

/// What making a key may cost, and those who use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bits of an RSA modulus. Local choice: RFC 8301 3.2 asks verifiers for 4096 and no more, and
    /// a key of 8192 takes a minute to make.
    pub rsa_bits: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { rsa_bits: 8192 }
    }
}

impl Limits {
    pub(crate) fn check(self, bits: usize) -> Result<(), GenerateError> {
        match bits {
            ..LEAST_BITS => Err(GenerateError::TooSmall(bits)),
            _ if bits > self.rsa_bits => Err(GenerateError::TooLarge { bits, most: self.rsa_bits }),
            _ if !bits.is_multiple_of(8) => Err(GenerateError::OddSize(bits)),
            _ => Ok(()),
        }
    }
}
