//! The cases of `testdata/canonicalization/`.
#![allow(clippy::unwrap_used, reason = "tests")]

use base64::{Engine, prelude::BASE64_STANDARD};
use mailproof_canonicalization::{
    BodyCanonicalizer,
    Canonicalization::{self, Relaxed, Simple},
    header_field,
};
use mailproof_testkit::{Answer, run};
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Own {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Input {
    Header(Octets),
    Body(Vec<Octets>),
}

#[derive(Deserialize)]
struct Expect {
    simple: Octets,
    relaxed: Octets,
    simple_sha256: Option<String>,
    relaxed_sha256: Option<String>,
}

/// Text, or octets that no text has: `{ hex = "fffe" }`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Octets {
    Text(String),
    Hex { hex: String },
}

impl Octets {
    fn octets(&self) -> Vec<u8> {
        let digits = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Hex { hex } => hex.as_bytes().chunks(2).map(digits).collect(),
        }
    }
}

fn canonical(canonicalization: Canonicalization, input: &Input) -> Vec<u8> {
    let mut canonical = Vec::new();
    match input {
        Input::Header(field) => header_field(canonicalization, &field.octets(), &mut canonical),
        Input::Body(chunks) => {
            let mut body = BodyCanonicalizer::new(canonicalization);
            chunks.iter().for_each(|chunk| body.update(&chunk.octets(), &mut canonical));
            body.finish(&mut canonical);
        }
    }
    canonical
}

fn shown(simple: &[u8], relaxed: &[u8], digests: [Option<String>; 2]) -> String {
    format!("simple {} relaxed {} {digests:?}", simple.escape_ascii(), relaxed.escape_ascii())
}

#[test]
fn canonicalization() {
    run::<Own>("canonicalization", |case| {
        let Own { input, expect } = &case.own;
        let (simple, relaxed) = (canonical(Simple, input), canonical(Relaxed, input));
        let digest = |of: &[u8]| BASE64_STANDARD.encode(Sha256::digest(of));
        let digests = [
            expect.simple_sha256.as_ref().map(|_| digest(&simple)),
            expect.relaxed_sha256.as_ref().map(|_| digest(&relaxed)),
        ];
        let expected = [expect.simple_sha256.clone(), expect.relaxed_sha256.clone()];
        Answer {
            expected: shown(&expect.simple.octets(), &expect.relaxed.octets(), expected),
            got: shown(&simple, &relaxed, digests),
        }
    });
}
