//! The DKIM-Signature header field as a value (RFC 6376 3.5).

use std::fmt;
use std::ops::Range;

use mailproof_canonicalization::Canonicalization;
use mailproof_dns::Name;

/// The signature algorithm, tag a= (RFC 6376 3.3, RFC 8463 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 over SHA-256 (RFC 6376 3.3.2).
    RsaSha256,
    /// PureEdDSA with Curve25519 over the SHA-256 digest of the data (RFC 8463 3).
    Ed25519Sha256,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Algorithm::RsaSha256 => "rsa-sha256",
            Algorithm::Ed25519Sha256 => "ed25519-sha256",
        })
    }
}

/// A DKIM-Signature header field whose every tag is well-formed (RFC 6376 3.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Tag a=.
    pub algorithm: Algorithm,
    /// Tag b=: the signature data.
    pub signature: Vec<u8>,
    /// Tag bh=: the hash of the canonical body part.
    pub body_hash: Vec<u8>,
    /// Tag c=, first part: how the header fields were made canonical.
    pub header_canonicalization: Canonicalization,
    /// Tag c=, second part: how the body was made canonical.
    pub body_canonicalization: Canonicalization,
    /// Tag d=: the Signing Domain Identifier (SDID), as A-labels.
    pub domain: Name,
    /// Tag h=: the signed header fields.
    pub signed_fields: SignedFields,
    /// Tag i=: the Agent or User Identifier (AUID), where the field has one.
    pub identity: Option<Identity>,
    /// Tag l=: how many octets of the canonical body are signed; saturating.
    pub body_length: Option<u64>,
    /// Tag s=: the selector, as A-labels.
    pub selector: Name,
    /// Tag t=: when it was signed, in seconds since 1970-01-01 UTC.
    pub timestamp: Option<u64>,
    /// Tag x=: when it expires, in seconds since 1970-01-01 UTC.
    pub expiration: Option<u64>,
    /// Where the key record is: `<selector>._domainkey.<domain>` (RFC 6376 3.6.2.1).
    pub key_name: Name,
    /// Where the value of b= stands in the field's value, surrounding white space included: what
    /// counts as empty for the header hash (RFC 6376 3.7).
    pub signature_span: Range<usize>,
}

impl Signature {
    /// The Agent or User Identifier in print: tag i=, or its default `@` and the SDID.
    pub fn identity_text(&self) -> String {
        match &self.identity {
            Some(identity) => identity.to_string(),
            None => format!("@{}", self.domain),
        }
    }
}

/// What an ARC-Seal header field (RFC 8617 4.1.3) has in common with a DKIM-Signature: a signature
/// without a body hash, over header fields that no tag names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealSignature {
    /// Tag a=.
    pub algorithm: Algorithm,
    /// Tag b=: the signature data.
    pub signature: Vec<u8>,
    /// Tag d=: the domain of the sealer, as A-labels.
    pub domain: Name,
    /// Tag s=: the selector, as A-labels.
    pub selector: Name,
    /// Tag t=: when it was signed, in seconds since 1970-01-01 UTC.
    pub timestamp: Option<u64>,
    /// Where the key record is.
    pub key_name: Name,
    /// Where the value of b= stands in the field's value, surrounding white space included.
    pub signature_span: Range<usize>,
}

/// The Agent or User Identifier, tag i= (RFC 6376 3.5), decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The octets before the last `@`, possibly none.
    pub local_part: Vec<u8>,
    /// The domain after it.
    pub domain: Name,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part.escape_ascii(), self.domain)
    }
}

/// The names of the signed header fields in order, tag h= (RFC 6376 3.5), in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedFields {
    /// The names with a colon between them.
    joined: Vec<u8>,
}

impl SignedFields {
    /// Of names that have no colon and no upper case, joined by colons.
    pub(crate) fn from_joined(joined: Vec<u8>) -> SignedFields {
        SignedFields { joined }
    }

    /// The names, in the order of the tag.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(self.joined.as_slice());
        std::iter::from_fn(move || {
            let names = rest?;
            let (name, after) = match first_colon(names).and_then(|at| names.split_at_checked(at)) {
                Some((name, after)) => (name, after.get(1..)),
                None => (names, None),
            };
            rest = after;
            Some(name)
        })
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        let (words, rest) = self.joined.as_chunks();
        let in_words: u32 =
            words.iter().map(|word| colons(u64::from_le_bytes(*word)).count_ones()).sum();
        let in_rest = rest.iter().filter(|&&octet| octet == b':').count();
        usize::try_from(in_words).unwrap_or(usize::MAX).saturating_add(in_rest + 1)
    }

    /// How often `name` (in lower case) stands in the tag.
    pub fn count(&self, name: &[u8]) -> usize {
        self.iter().filter(|&signed| signed == name).count()
    }
}

/// Where the first colon is, looked for in words of eight octets, since names are short.
fn first_colon(octets: &[u8]) -> Option<usize> {
    let (words, rest) = octets.as_chunks();
    for (word, at) in words.iter().zip((0..).step_by(8)) {
        let colons = colons(u64::from_le_bytes(*word));
        if colons != 0 {
            return Some(at + usize::try_from(colons.trailing_zeros() / 8).ok()?);
        }
    }
    rest.iter().position(|&octet| octet == b':').map(|at| words.len() * 8 + at)
}

/// The high bits of those of eight octets that are colons.
fn colons(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let other = word ^ (EACH * 0x3a);
    !(((other & (EACH * 0x7f)) + EACH * 0x7f) | other) & (EACH * 0x80)
}

impl fmt::Debug for SignedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedFields({})", self.joined.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_joined_by_colons() {
        for text in
            ["", ":", "a", "from:to", "from::to:", ":::::::::", "a:bb:ccc:dddd:eeeee:ffffff"]
        {
            for length in 0..=20 {
                let text = format!("{}{text}", "\u{ba}x".repeat(length));
                let fields = SignedFields::from_joined(text.clone().into_bytes());
                assert!(fields.iter().eq(text.as_bytes().split(|&octet| octet == b':')), "{text}");
                assert_eq!(fields.len(), fields.iter().count(), "{text}");
            }
        }
    }
}
