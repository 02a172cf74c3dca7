//! Private keys in PEM (RFC 7468), as leniently as programs of OpenSSL read them: lines of any
//! length, white space anywhere, text and other blocks around the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use zeroize::Zeroizing;

use super::private_key::PrivateKeyError;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// What stands between two lines of dashes.
struct Block<'a> {
    label: &'a [u8],
    body: &'a [u8],
}

/// The DER of the first private key among the blocks of a text, or what is in its place; `None`
/// where there are no blocks.
pub(super) fn private_key(text: &[u8]) -> Option<Result<Zeroizing<Vec<u8>>, PrivateKeyError>> {
    let mut rest = text;
    let mut other = None;
    while let Some((block, after)) = next(rest) {
        rest = after;
        match block.label {
            b"PRIVATE KEY" | b"RSA PRIVATE KEY" => return Some(block.der()),
            b"ENCRYPTED PRIVATE KEY" => return Some(Err(PrivateKeyError::Encrypted)),
            b"PUBLIC KEY" | b"RSA PUBLIC KEY" | b"CERTIFICATE" => {
                other.get_or_insert(PrivateKeyError::NotPrivate);
            }
            _ => {
                other.get_or_insert(PrivateKeyError::UnknownAlgorithm);
            }
        }
    }
    other.map(Err)
}

/// The first block, and what follows it.
fn next(text: &[u8]) -> Option<(Block<'_>, &[u8])> {
    let mut rest = text;
    loop {
        rest = rest.get(memmem::find(rest, BEGIN)? + BEGIN.len()..)?;
        let line = rest.split(|&octet| octet == b'\n').next()?;
        let Some(length) = memmem::find(line, DASHES) else { continue };
        let (label, body) = (rest.get(..length)?, rest.get(length + DASHES.len()..)?);
        let end = [END, label, DASHES].concat();
        let length = memmem::find(body, &end)?;
        let block = Block { label, body: body.get(..length)? };
        return Some((block, body.get(length + end.len()..)?));
    }
}

impl Block<'_> {
    fn der(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        if memmem::find(self.body, b"Proc-Type: 4,ENCRYPTED").is_some() {
            return Err(PrivateKeyError::Encrypted);
        }
        // Room for all of it: no half of a key stays where it was moved from.
        let mut base64 = Zeroizing::new(Vec::with_capacity(self.body.len()));
        base64.extend(self.body.iter().copied().filter(|octet| !octet.is_ascii_whitespace()));
        let mut der = Zeroizing::new(Vec::with_capacity(base64.len()));
        let decoded = STANDARD.decode_vec(base64.as_slice(), &mut der);
        decoded.map(|()| der).map_err(|_| PrivateKeyError::UnknownForm)
    }
}
