//! The digest inside an RSA signature.

use rsa::BoxedUint;
use rsa::traits::PublicKeyParts;

use super::Digest;

/// RFC 8017 9.2 note 1: the DER of a DigestInfo for SHA-256, before the digest.
const DIGEST_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The digest that a signature was made over, if it was made with this key (RFC 8017 5.2.2, 9.2).
///
/// What is recovered is never taken for verified: [`super::VerifyingKey::verify`] decides.
pub(super) fn signed_digest(key: &rsa::PublicKey, signature: &[u8]) -> Option<Digest> {
    let modulus = key.n_params().modulus();
    let number = BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok()?;
    // RFC 8017 5.2.2 step 1: "If the signature representative s is not between 0 and n - 1".
    if number >= *modulus.as_ref() {
        return None;
    }
    let message = number.pow_mod(key.e(), modulus).to_be_bytes_trimmed_vartime();
    // RFC 8017 9.2 step 5: "EM = 0x00 || 0x01 || PS || 0x00 || T".
    let padding = message.strip_prefix(&[1])?;
    let filled = padding.iter().take_while(|&&octet| octet == 0xff).count();
    let info = padding.get(filled..)?.strip_prefix(&[0])?;
    info.strip_prefix(DIGEST_INFO)?.try_into().ok()
}
