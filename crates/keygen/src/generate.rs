//! Making keys: the one module here that names a cryptographic backend.

use getrandom::SysRng;
use rsa::pkcs8::EncodePrivateKey as _;
use zeroize::Zeroizing;

use crate::key_pair::GenerateError;

/// A new RSA key of `bits` bits, public exponent 65537, as PKCS#8 in DER.
pub(crate) fn rsa(bits: usize) -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    match backend(bits) {
        Some(key) => key,
        None => pure(bits),
    }
}

/// AWS-LC makes keys of the usual sizes, two to three times faster; it refuses others.
#[cfg(feature = "aws-lc-rs")]
fn backend(bits: usize) -> Option<Result<Zeroizing<Vec<u8>>, GenerateError>> {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeyPair, KeySize};

    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        8192 => KeySize::Rsa8192,
        _ => return None,
    };
    let der = KeyPair::generate(size).and_then(|key| key.as_der());
    Some(der.map(|der| Zeroizing::new(der.as_ref().to_vec())).map_err(|_| GenerateError::Backend))
}

#[cfg(not(feature = "aws-lc-rs"))]
fn backend(_: usize) -> Option<Result<Zeroizing<Vec<u8>>, GenerateError>> {
    None
}

fn pure(bits: usize) -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    let key = rsa::PrivateKey::new(&mut SysRng, bits).map_err(|_| GenerateError::Backend)?;
    let der = key.to_pkcs8_der().map_err(|_| GenerateError::Backend)?;
    Ok(der.to_bytes())
}

/// The seed of a new Ed25519 key (RFC 8032 5.1.5).
pub(crate) fn seed() -> Result<Zeroizing<[u8; 32]>, GenerateError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice()).map_err(|_| GenerateError::Backend)?;
    Ok(seed)
}
