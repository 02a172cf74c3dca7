//! The forms of a private key: taking one apart, and writing it in another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_dkim::{KeyType, PrivateKey, PrivateKeyError};
use rsa::pkcs1::{RsaPrivateKeyRef, RsaPublicKeyRef};
use rsa::pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use rsa::pkcs8::der::pem::LineEnding;
use rsa::pkcs8::der::{self, AnyRef, Decode, Encode, asn1};
use rsa::pkcs8::spki::AlgorithmIdentifierRef;
use rsa::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef, SecretDocument, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use crate::key_pair::FormatError;

/// The form that a private key is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyFormat {
    /// PKCS#8 (RFC 5208, 5958) in PEM, "BEGIN PRIVATE KEY": what OpenSSL 3 writes.
    #[default]
    Pkcs8,
    /// PKCS#1 (RFC 8017 A.1.2) in PEM, "BEGIN RSA PRIVATE KEY": what OpenSSL wrote before, RSA only.
    Pkcs1,
    /// PKCS#8 in DER.
    Der,
    /// The 32 octets of an Ed25519 seed (RFC 8032 5.1.5) in base64 on a line, as dkimpy has them.
    Seed,
}

/// rsaEncryption (RFC 8017 A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-Ed25519 (RFC 8410 3).
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA_ALGORITHM: AlgorithmIdentifierRef<'static> =
    AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };

/// The key material inside a form: an RSAPrivateKey (RFC 8017 A.1.2) in DER, or an Ed25519 seed.
pub(crate) fn material(
    octets: &[u8],
    key_type: KeyType,
) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    if let Some(der) = PrivateKey::der_in_pem(octets) {
        return from_der(&der?, key_type);
    }
    let text = std::str::from_utf8(octets).ok();
    let seed = text.and_then(|text| STANDARD.decode(text.trim()).ok()).map(Zeroizing::new);
    if let Some(seed) = seed.filter(|seed| seed.len() == 32) {
        return Ok(seed);
    }
    from_der(octets, key_type)
}

fn from_der(der: &[u8], key_type: KeyType) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
    let Ok(info) = PrivateKeyInfoRef::try_from(der) else {
        return Ok(Zeroizing::new(der.to_vec()));
    };
    let inner = info.private_key.as_bytes();
    match key_type {
        KeyType::Rsa => Ok(Zeroizing::new(inner.to_vec())),
        // RFC 8410 7: "CurvePrivateKey ::= OCTET STRING" inside the octets of privateKey.
        KeyType::Ed25519 => <&OctetStringRef>::from_der(inner)
            .map(|seed| Zeroizing::new(seed.as_bytes().to_vec()))
            .map_err(|_| PrivateKeyError::Unusable),
        _ => Err(PrivateKeyError::UnknownAlgorithm),
    }
}

/// RFC 6376 3.6.1 p= as everyone writes it: the SubjectPublicKeyInfo (RFC 5280 4.1) of the key.
pub(crate) fn rsa_public_key(pkcs1: &[u8]) -> der::Result<Vec<u8>> {
    let private = RsaPrivateKeyRef::from_der(pkcs1)?;
    let public =
        RsaPublicKeyRef { modulus: private.modulus, public_exponent: private.public_exponent };
    let public = public.to_der()?;
    SubjectPublicKeyInfoRef {
        algorithm: RSA_ALGORITHM,
        subject_public_key: BitStringRef::from_bytes(&public)?,
    }
    .to_der()
}

/// The key material in this form.
pub(crate) fn encode(
    key_type: KeyType,
    material: &[u8],
    format: KeyFormat,
) -> Result<Zeroizing<Vec<u8>>, FormatError> {
    let pem = |label, der: SecretDocument| {
        der.to_pem(label, LineEnding::LF).map(|pem| Zeroizing::new(pem.as_bytes().to_vec()))
    };
    match (format, key_type) {
        (KeyFormat::Pkcs8, _) => pkcs8(key_type, material).and_then(|der| pem("PRIVATE KEY", der)),
        (KeyFormat::Der, _) => pkcs8(key_type, material).map(|der| der.to_bytes()),
        (KeyFormat::Pkcs1, KeyType::Rsa) => {
            SecretDocument::try_from(material).and_then(|der| pem("RSA PRIVATE KEY", der))
        }
        (KeyFormat::Seed, KeyType::Ed25519) => {
            let mut text = Zeroizing::new(STANDARD.encode(material));
            text.push('\n');
            Ok(Zeroizing::new(text.as_bytes().to_vec()))
        }
        (KeyFormat::Pkcs1 | KeyFormat::Seed, _) => {
            return Err(FormatError { format, key_type });
        }
    }
    .map_err(|_| FormatError { format, key_type })
}

fn pkcs8(key_type: KeyType, material: &[u8]) -> der::Result<SecretDocument> {
    let (algorithm, wrapped);
    let private_key = match key_type {
        KeyType::Ed25519 => {
            algorithm = AlgorithmIdentifierRef { oid: ID_ED25519, parameters: None };
            wrapped = Zeroizing::new(OctetStringRef::new(material)?.to_der()?);
            wrapped.as_slice()
        }
        _ => {
            algorithm = RSA_ALGORITHM;
            material
        }
    };
    let info = PrivateKeyInfoRef::new(algorithm, asn1::OctetStringRef::new(private_key)?);
    SecretDocument::encode_msg(&info)
}
