//! Both backends under the same tests.

use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey, LineEnding};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};

use super::*;
use crate::record::KeyType;

/// The key of RFC 8463 A.2, in DER of PKCS#1.
fn rsa_1024() -> rsa::PrivateKey {
    key("rfc8463-rsa.pem")
}

fn rsa_2048() -> rsa::PrivateKey {
    key("rsa-2048.pem")
}

fn key(file: &str) -> rsa::PrivateKey {
    let pem = text(file);
    rsa::PrivateKey::from_pkcs8_pem(&pem)
        .or_else(|_| rsa::pkcs1::DecodeRsaPrivateKey::from_pkcs1_pem(&pem))
        .unwrap()
}

fn text(file: &str) -> String {
    String::from_utf8(std::fs::read(mailproof_testkit::testdata("keys").join(file)).unwrap())
        .unwrap()
}

const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const DIGEST: Digest = [7; 32];

macro_rules! backend_tests {
    ($($backend:ident: $refuses:expr),*) => { $(
        mod $backend {
            use super::*;
            use crate::crypto::$backend::{Ed25519SigningKey, RsaSigningKey, RsaVerifyingKey};

            #[test]
            fn rsa_round_trip() {
                for (bits, key) in [(1024, rsa_1024()), (2048, rsa_2048())] {
                    let public = key.to_public_key().to_pkcs1_der().unwrap();
                    let public = RsaVerifyingKey::from_pkcs1(public.as_bytes()).unwrap();
                    let private = key.to_pkcs1_der().unwrap();
                    let signature = crate::crypto::pure::RsaSigningKey::from_pkcs1(private.as_bytes())
                        .unwrap()
                        .sign(&DIGEST)
                        .unwrap();
                    assert!(public.verify(&DIGEST, &signature));
                    assert!(!public.verify(&[8; 32], &signature));
                    assert!(!public.verify(&DIGEST, &signature[1..]));
                    assert!(!public.verify(&DIGEST, &[&[0], &signature[..]].concat()));
                    assert!(!public.verify(&DIGEST, b""));
                    let own = RsaSigningKey::from_pkcs1(private.as_bytes());
                    match own {
                        // RSASSA-PKCS1-v1_5 is deterministic (RFC 8017 8.2).
                        Some(own) => assert_eq!(own.sign(&DIGEST), Some(signature)),
                        None => assert!($refuses.contains(&bits), "{bits} bits"),
                    }
                }
            }

            #[test]
            fn ed25519_is_deterministic() {
                use base64::Engine as _;
                let seed = base64::engine::general_purpose::STANDARD.decode(SEED).unwrap();
                let seed: [u8; 32] = seed.try_into().unwrap();
                let signature = Ed25519SigningKey::from_seed(&seed).unwrap().sign(&DIGEST);
                let other = crate::crypto::pure::Ed25519SigningKey::from_seed(&seed).unwrap().sign(&DIGEST);
                assert_eq!(signature, other);
            }

            #[test]
            fn damaged_keys_are_refused() {
                assert!(RsaVerifyingKey::from_pkcs1(b"").is_none());
                assert!(RsaSigningKey::from_pkcs1(b"\x30\x00").is_none());
            }
        }
    )* };
}

#[cfg(feature = "aws-lc-rs")]
backend_tests!(aws: 0..2048, pure: 0..0);
#[cfg(not(feature = "aws-lc-rs"))]
backend_tests!(pure: 0..0);

/// RFC 8032 7.1 as the TEST vectors have it: the vectors sign messages, not digests, so only those
/// of 32 octets fit here; what they show of the key derivation is shown for all five.
#[test]
fn ed25519_public_keys_of_rfc_8032() {
    let vectors = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        ),
        (
            "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
            "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        ),
    ];
    for (seed, public) in vectors {
        let key = PrivateKey::from_ed25519_seed(&octets(seed)).unwrap();
        assert_eq!(key.ed25519_public_key(), Some(&octets(public)));
        assert!(VerifyingKey::parse(KeyType::Ed25519, &octets(public)).is_ok());
    }
}

fn octets(hex: &str) -> [u8; 32] {
    let octets = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    octets.collect::<Vec<u8>>().try_into().unwrap()
}

#[test]
fn both_forms_of_an_rsa_public_key() {
    let public = rsa_2048().to_public_key();
    let spki = public.to_public_key_der().unwrap();
    let pkcs1 = public.to_pkcs1_der().unwrap();
    for der in [spki.as_bytes(), pkcs1.as_bytes()] {
        assert_eq!(VerifyingKey::parse(KeyType::Rsa, der).unwrap().bits(), 2048);
        let cut = &der[..der.len() - 1];
        assert!(matches!(VerifyingKey::parse(KeyType::Rsa, cut), Err(KeyFormError::NotDer)));
    }
}

#[test]
fn what_is_no_ed25519_key() {
    let parse = |octets: &[u8]| VerifyingKey::parse(KeyType::Ed25519, octets).err();
    assert_eq!(parse(&[1; 31]), Some(KeyFormError::Length));
    // The neutral element, of order 1: every signature would "verify".
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(parse(&neutral), Some(KeyFormError::Point));
}

#[test]
fn every_form_of_a_private_key() {
    let key = rsa_2048();
    let forms = [
        key.to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes().to_vec(),
        key.to_pkcs1_pem(LineEnding::CRLF).unwrap().as_bytes().to_vec(),
        key.to_pkcs8_der().unwrap().as_bytes().to_vec(),
        key.to_pkcs1_der().unwrap().as_bytes().to_vec(),
        format!("a note before it\n{}", *key.to_pkcs8_pem(LineEnding::LF).unwrap()).into_bytes(),
    ];
    let expected = PrivateKey::parse(&forms[0]).unwrap().sign(&DIGEST).unwrap();
    for form in forms {
        let key = PrivateKey::parse(&form).unwrap();
        assert_eq!((key.key_type(), key.bits()), (KeyType::Rsa, 2048));
        assert_eq!(key.sign(&DIGEST).unwrap(), expected);
    }
    let seed = PrivateKey::parse(format!("{SEED}\n").as_bytes()).unwrap();
    assert_eq!((seed.key_type(), seed.bits()), (KeyType::Ed25519, 256));
    // `openssl genpkey -algorithm ed25519` writes this form (RFC 8410 7) of the same seed.
    let pkcs8 = "-----BEGIN PRIVATE KEY-----\n\
                 MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                 -----END PRIVATE KEY-----\n";
    let pkcs8 = PrivateKey::parse(pkcs8.as_bytes()).unwrap();
    assert_eq!(pkcs8.sign(&DIGEST).unwrap(), seed.sign(&DIGEST).unwrap());
}

/// A text in lines of so many characters, that of one line.
fn folded(text: &str, width: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(width).map(|line| line.iter().collect::<String>() + "\n").collect()
}

/// All of these, and OpenDKIM signs with them.
#[test]
fn a_key_in_pem_as_people_keep_it() {
    let key = rsa_2048();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let public = key.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    let lines: Vec<&str> = pem.lines().collect();
    let (begin, base64, end) =
        (lines[0], lines[1..lines.len() - 1].concat(), lines[lines.len() - 1]);
    let expected = PrivateKey::parse(pem.as_bytes()).unwrap().sign(&DIGEST).unwrap();
    let mut forms: Vec<Vec<u8>> = [48, 60, 76, 77, 10_000]
        .map(|width| format!("{begin}\n{}{end}\n", folded(&base64, width)).into_bytes())
        .into();
    forms.extend([
        format!("{}\n \n\n", *pem).into_bytes(),
        format!("{}what it is for\n", *pem).into_bytes(),
        format!("{}{public}", *pem).into_bytes(),
        format!("{public}{}", *pem).into_bytes(),
        format!("{}{}", *pem, *pem).into_bytes(),
        pem.replace('\n', " \t\n").into_bytes(),
        pem.replace('\n', "\n  ").into_bytes(),
        pem.replace(begin, &format!("{begin}\n")).into_bytes(),
        format!("{begin}{base64}{end}").into_bytes(),
        [b"caf\xe9: not -----BEGIN of a key\n", pem.as_bytes()].concat(),
    ]);
    for form in forms {
        let told = String::from_utf8_lossy(&form).into_owned();
        let key = PrivateKey::parse(&form).unwrap_or_else(|error| panic!("{error}: {told}"));
        assert_eq!(key.sign(&DIGEST).unwrap(), expected, "{told}");
    }
}

#[test]
fn a_legacy_key_signs() {
    let pem = rsa_1024().to_pkcs1_pem(LineEnding::LF).unwrap();
    let key = PrivateKey::parse(pem.as_bytes()).unwrap();
    assert_eq!(key.bits(), 1024);
    assert_eq!(key.sign(&DIGEST).unwrap().len(), 128);
}

#[test]
fn what_is_no_private_key() {
    let error = |text: &str| PrivateKey::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error(""), PrivateKeyError::UnknownForm);
    assert_eq!(error("hello"), PrivateKeyError::UnknownForm);
    assert_eq!(error(&text("rsa-512.pem")), PrivateKeyError::TooSmall(512));
    assert_eq!(error(&text("rsa-1023.pem")), PrivateKeyError::TooSmall(1023));
    let public = rsa_2048().to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    assert_eq!(error(&public), PrivateKeyError::NotPrivate);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(error(encrypted), PrivateKeyError::Encrypted);
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAAA\n\
                  -----END RSA PRIVATE KEY-----\n";
    assert_eq!(error(legacy), PrivateKeyError::Encrypted);
    let curve = "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n\
                 -----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    assert_eq!(error(curve), PrivateKeyError::UnknownAlgorithm);
    let pem = text("rsa-2048.pem");
    let half = &pem[..pem.len() / 2];
    let broken = [half.to_owned(), pem.replace('a', "?"), half.to_owned() + &half.repeat(2)];
    for text in broken {
        assert_eq!(error(&text), PrivateKeyError::UnknownForm, "{text}");
    }
}

#[test]
fn a_private_key_is_never_printed() {
    let key = PrivateKey::parse(SEED.as_bytes()).unwrap();
    assert_eq!(format!("{key:?}"), "PrivateKey(ed25519, 256 bits)");
}
