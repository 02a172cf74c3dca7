//! What a message may cost (RFC 6376 6.1 lets a verifier limit its work).

/// The bounds of one verification. Their product is the worst case: ten signatures, two keys each
/// of 8192 bits, is about 20 ms of arithmetic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many DKIM-Signature fields are read; the rest is reported as over the limit. Local
    /// choice: RFC 6376 6.1, "A Verifier … MAY … limit the number of signatures".
    pub signatures_parsed: usize,
    /// How many well-formed signatures are verified, those of the Author Domain first. Local
    /// choice, as above; OpenDKIM verifies 3, Exim 20.
    pub signatures_verified: usize,
    /// How many key records of one name are tried. RFC 6376 3.6.2.2 leaves more than one
    /// undefined; local choice.
    pub keys_tried: usize,
    /// How many text records of one name are looked at. Local choice.
    pub texts_read: usize,
    /// How long a key record may be, in octets. Local choice: an 8192-bit key takes 1,400.
    pub key_record_octets: usize,
    /// How many names h= may hold. Local choice; mail as it is has about 20.
    pub signed_fields: usize,
    /// The smallest RSA key, in bits. RFC 8301 3.2: "Verifiers MUST NOT consider signatures using
    /// RSA keys of less than 1024 bits as valid signatures."
    pub rsa_bits_least: usize,
    /// The largest RSA key, in bits. RFC 8301 3.2: "Verifiers MUST be able to validate signatures
    /// with keys ranging from 1024 bits to 4096 bits"; the rest is a local choice.
    pub rsa_bits_most: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            signatures_parsed: 50,
            signatures_verified: 10,
            keys_tried: 2,
            texts_read: 8,
            key_record_octets: 8192,
            signed_fields: 200,
            rsa_bits_least: 1024,
            rsa_bits_most: 8192,
        }
    }
}
