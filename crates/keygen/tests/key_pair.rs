//! Keys that are made, and keys in every form.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use mailproof_dkim::{KeyRecord, KeyType, PrivateKeyError};
use mailproof_keygen::{GenerateError, KeyFormat, KeyPair, KeySpec, KeyText, Tags};
use mailproof_testkit::testdata;

const FORMATS: [KeyFormat; 4] =
    [KeyFormat::Pkcs8, KeyFormat::Pkcs1, KeyFormat::Der, KeyFormat::Seed];

fn test_key(file: &str) -> KeyPair {
    KeyPair::parse(&fs::read(testdata("keys").join(file)).unwrap()).unwrap()
}

/// The key that a verifier takes from the record is the one that signs.
fn assert_is_a_pair(key: &KeyPair) {
    let text = KeyText::new(&Tags::default(), key).to_string();
    let public = KeyRecord::parse(text.as_bytes()).unwrap().public_key.unwrap();
    assert_eq!((public.key_type(), public.bits()), (key.key_type(), key.bits()));
    let private = key.private_key().unwrap();
    assert_eq!((private.key_type(), private.bits()), (key.key_type(), key.bits()));
}

#[test]
fn keys_are_made() {
    for bits in [1024, 1536, 2048] {
        let key = KeyPair::generate(KeySpec::Rsa(bits)).unwrap();
        assert_eq!((key.key_type(), key.bits()), (KeyType::Rsa, bits));
        assert_is_a_pair(&key);
    }
    let key = KeyPair::generate(KeySpec::Ed25519).unwrap();
    assert_eq!((key.key_type(), key.bits()), (KeyType::Ed25519, 256));
    assert_is_a_pair(&key);
    let other = KeyPair::generate(KeySpec::Ed25519).unwrap();
    assert_ne!(key.public_key(), other.public_key());
}

#[test]
fn sizes_have_bounds() {
    let error = |bits| KeyPair::generate(KeySpec::Rsa(bits)).unwrap_err();
    assert_eq!(error(0), GenerateError::TooSmall(0));
    assert_eq!(error(512), GenerateError::TooSmall(512));
    assert_eq!(error(1023), GenerateError::TooSmall(1023));
    assert_eq!(error(1025), GenerateError::OddSize(1025));
    assert_eq!(error(8200), GenerateError::TooLarge { bits: 8200, most: 8192 });
    assert_eq!(error(usize::MAX), GenerateError::TooLarge { bits: usize::MAX, most: 8192 });
}

#[test]
fn every_form_is_read_back() {
    for file in ["rsa-1024.pem", "rsa-2048.pem", "rsa-2048-e3.pem", "rsa-8192.pem", "ed25519.seed"]
    {
        let key = test_key(file);
        let forms: Vec<_> =
            FORMATS.iter().filter_map(|&format| Some((format, key.encode(format).ok()?))).collect();
        assert_eq!(forms.len(), 3, "{file}");
        for (format, octets) in forms {
            let read = KeyPair::parse(&octets).unwrap();
            assert_eq!(read.public_key(), key.public_key(), "{file} {format:?}");
            for again in FORMATS {
                assert_eq!(read.encode(again).ok(), key.encode(again).ok(), "{file} {format:?}");
            }
        }
    }
}

/// The files were written by OpenSSL, and come out as they went in.
#[test]
fn forms_are_those_of_openssl() {
    for file in ["rsa-1024.pem", "rsa-2048.pem", "rsa-4096.pem"] {
        let written = fs::read(testdata("keys").join(file)).unwrap();
        assert_eq!(*test_key(file).encode(KeyFormat::Pkcs1).unwrap(), written, "{file}");
    }
    let written = fs::read(testdata("keys/ed25519.seed")).unwrap();
    let seed = test_key("ed25519.seed").encode(KeyFormat::Seed).unwrap();
    assert_eq!(seed.trim_ascii(), written.trim_ascii());
}

#[test]
fn nothing_secret_is_printed() {
    for (file, print) in [
        ("rsa-2048.pem", "KeyPair(rsa, 2048 bits)"),
        ("ed25519.seed", "KeyPair(ed25519, 256 bits)"),
    ] {
        assert_eq!(format!("{:?}", test_key(file)), print);
    }
    let error = test_key("ed25519.seed").encode(KeyFormat::Pkcs1).unwrap_err();
    let sentence = "a key of type ed25519 has no such form: PKCS#1 is for RSA, a seed for Ed25519";
    assert_eq!(error.to_string(), sentence);
    assert!(test_key("rsa-2048.pem").encode(KeyFormat::Seed).is_err());
}

#[test]
fn what_is_no_key() {
    let read = |octets: &[u8]| KeyPair::parse(octets).map(|_| ()).unwrap_err();
    assert_eq!(read(b""), PrivateKeyError::UnknownForm);
    let small = fs::read(testdata("keys/rsa-512.pem")).unwrap();
    assert_eq!(read(&small), PrivateKeyError::TooSmall(512));
    let whole = fs::read(testdata("keys/rsa-1024.pem")).unwrap();
    for length in 0..whole.len() - 2 {
        assert!(KeyPair::parse(whole.get(..length).unwrap()).is_err(), "{length}");
    }
}
