//! The hash of a body that is tried with many ends.

use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization, Sink};

use crate::crypto::{Digest, Sha256};

/// The state of a body hash; a copy of it goes on with another rest.
#[derive(Clone)]
pub(super) struct Running {
    canonicalizer: BodyCanonicalizer,
    hash: Prefix,
}

/// The hash of the first octets that come.
#[derive(Clone)]
struct Prefix {
    hash: Sha256,
    /// How many octets have come.
    octets: u64,
    /// Tag l=: how many are hashed.
    length: Option<u64>,
}

impl Running {
    pub(super) fn new(canonicalization: Canonicalization, length: Option<u64>) -> Running {
        Running {
            canonicalizer: BodyCanonicalizer::new(canonicalization),
            hash: Prefix { hash: Sha256::default(), octets: 0, length },
        }
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        self.canonicalizer.update(octets, &mut self.hash);
    }

    /// The hash if the body ends here; `None` if it is shorter than l= then.
    pub(super) fn end(&self) -> Option<Digest> {
        let Running { canonicalizer, mut hash } = self.clone();
        canonicalizer.finish(&mut hash);
        hash.end()
    }

    /// As [`Running::end`], without the final CRLF of the canonical body.
    pub(super) fn end_without_line_end(&self) -> Option<Digest> {
        self.hash.clone().end()
    }

    /// How long the canonical body is if it ends here.
    pub(super) fn octets(&self) -> u64 {
        let Running { canonicalizer, mut hash } = self.clone();
        canonicalizer.finish(&mut hash);
        hash.octets
    }
}

impl Prefix {
    fn end(self) -> Option<Digest> {
        match self.length {
            Some(length) if self.octets < length => None,
            _ => Some(self.hash.finish()),
        }
    }
}

impl Sink for Prefix {
    fn write(&mut self, octets: &[u8]) {
        let left = self.length.map(|length| length.saturating_sub(self.octets));
        let left = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        self.hash.update(octets.get(..left).unwrap_or(octets));
        self.octets = self.octets.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
    }
}
