//! The digests that RFC 6376 prints.

use base64::{Engine, prelude::BASE64_STANDARD};
use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization};
use sha2::{Digest, Sha256};

fn digest_of_no_body(canonicalization: Canonicalization) -> String {
    let mut digest = Sha256::new();
    BodyCanonicalizer::new(canonicalization).finish(&mut |octets: &[u8]| digest.update(octets));
    BASE64_STANDARD.encode(digest.finalize())
}

#[test]
fn the_empty_body_has_the_digest_of_3_4_3() {
    let expected = "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=";
    assert_eq!(digest_of_no_body(Canonicalization::Simple), expected);
}

#[test]
fn the_empty_body_has_the_digest_of_3_4_4() {
    let expected = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(digest_of_no_body(Canonicalization::Relaxed), expected);
}
