//! A key, its record, and messages signed with it.

use crate::{Kind, message};
use aws_lc_rs::{
    digest::{Digest, SHA256, digest},
    encoding::AsDer,
    rsa::KeyPair,
    signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use mailproof_dkim::{EightBit, PrivateKey, Signer, Template};
use mailproof_dns::{Answers, Data, Question, Response};
use std::hint::black_box;

/// The time everything is signed and verified at.
pub const NOW: u64 = 1_790_000_000;
/// The domain that signs.
pub const DOMAIN: &str = "example.org";
/// Its selector.
pub const SELECTOR: &str = "bench";
/// The name of its key record.
pub const KEY_NAME: &str = "bench._domainkey.example.org";

/// An RSA key of 2048 bits, in all the forms the sides of a row want.
pub struct Rsa {
    /// The private key as mailproof takes it.
    pub private: PrivateKey,
    /// The private key in DER (RFC 8017 A.1.2).
    pub der: Vec<u8>,
    /// The text of the key record (RFC 6376 3.6.1).
    pub record: String,
    pair: KeyPair,
    public: ParsedPublicKey,
    digest: Digest,
    signature: Vec<u8>,
}

impl Default for Rsa {
    fn default() -> Self {
        Self::new()
    }
}

impl Rsa {
    /// Reads the test key of the corpus.
    #[must_use]
    pub fn new() -> Self {
        let pem = include_str!("../../testdata/keys/rsa-2048.pem");
        let lines = pem.lines().filter(|line| !line.starts_with('-'));
        let der = BASE64_STANDARD.decode(lines.collect::<String>()).expect("the key is base64");
        let pair = KeyPair::from_der(&der).expect("the key is RSA");
        let public = pair.public_key();
        let spki: Vec<u8> = public.as_der().expect("the key has a public half").as_ref().to_vec();
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_ref());
        let mut rsa = Self {
            private: PrivateKey::from_pem(pem).expect("the key is a private key"),
            record: format!("v=DKIM1; k=rsa; p={}", BASE64_STANDARD.encode(spki)),
            der,
            public: parsed.expect("the public half is a public key"),
            digest: digest(&SHA256, b""),
            signature: vec![0; pair.public_modulus_len()],
            pair,
        };
        rsa.bare_sign();
        rsa
    }

    /// What a signature costs at least.
    pub fn bare_sign(&mut self) {
        let signed = self.pair.sign_digest(&RSA_PKCS1_SHA256, &self.digest, &mut self.signature);
        signed.expect("AWS-LC signs");
    }

    /// What verifying one costs at least, its key parsed before.
    pub fn bare_verify(&self) {
        let verified = self.public.verify_digest_sig(&self.digest, black_box(&self.signature));
        verified.expect("AWS-LC verifies its own signature");
    }

    /// The DNS, with the key in it.
    #[must_use]
    pub fn answers(&self) -> Answers {
        let mut answers = Answers::new();
        let question = Question::txt(KEY_NAME.parse().expect("the name is one"));
        answers.insert(question, Response::records([Data::txt(self.record.as_str())]));
        answers
    }

    /// What is to be signed, relaxed/relaxed.
    #[must_use]
    pub fn template(&self) -> Template<'_> {
        let (domain, selector) = (DOMAIN.parse(), SELECTOR.parse());
        Template::new(
            &self.private,
            domain.expect("the domain is a name"),
            selector.expect("the selector is a name"),
            NOW,
        )
    }

    /// A message of about this length, signed relaxed/relaxed.
    #[must_use]
    pub fn signed(&self, kind: Kind, length: usize) -> Vec<u8> {
        let message = message(kind, length);
        let (header, body) = mailproof_message::split(&message);
        let mut signer = Signer::new(&header, vec![self.template()], EightBit::Refuse)
            .expect("the header section may be signed");
        signer.body(body).expect("the body may be signed");
        let mut signed = signer.finish().expect("the key signs").concat();
        signed.extend(&message);
        signed
    }
}
