//! The body hash (RFC 6376 3.7), once per canonicalization however many signatures there are.

use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization, Sink};

use crate::crypto::{Digest, Sha256};

/// Hashes a body for any number of (canonicalization, l=) pairs in at most two passes: where
/// several lengths are signed, the state of the one hash is copied at each.
#[derive(Default)]
pub(crate) struct BodyHasher {
    passes: Passes,
}

/// The hashes of a body.
#[derive(Default)]
pub(crate) struct BodyHashes {
    passes: Passes,
}

/// Boxed, since whoever has a hasher is moved about, and most messages need but one pass.
#[derive(Default)]
struct Passes {
    simple: Option<Box<Pass>>,
    relaxed: Option<Box<Pass>>,
}

impl BodyHasher {
    /// Asks for the hash of the first `length` octets of the canonical body, or of all.
    pub(crate) fn want(&mut self, canonicalization: Canonicalization, length: Option<u64>) {
        let pass = match canonicalization {
            Canonicalization::Simple => &mut self.passes.simple,
            Canonicalization::Relaxed => &mut self.passes.relaxed,
        };
        let pass = pass.get_or_insert_with(|| Box::new(Pass::new(canonicalization)));
        let prefixes = &mut pass.prefixes;
        match length {
            None => prefixes.whole = true,
            Some(length) => {
                if let Err(at) = prefixes.wanted.binary_search(&length) {
                    prefixes.wanted.insert(at, length);
                }
            }
        }
    }

    /// Asks for all that `other` asks for.
    pub(crate) fn want_all(&mut self, other: &BodyHasher) {
        let Passes { simple, relaxed } = &other.passes;
        let passes = [(Canonicalization::Simple, simple), (Canonicalization::Relaxed, relaxed)];
        for (canonicalization, pass) in passes {
            let Some(Pass { prefixes, .. }) = pass.as_deref() else { continue };
            if prefixes.whole {
                self.want(canonicalization, None);
            }
            for &length in &prefixes.wanted {
                self.want(canonicalization, Some(length));
            }
        }
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        for pass in self.passes.all() {
            pass.canonicalizer.update(chunk, &mut pass.prefixes);
        }
    }

    pub(crate) fn finish(mut self) -> BodyHashes {
        self.passes.all().for_each(Pass::finish);
        BodyHashes { passes: self.passes }
    }
}

impl BodyHashes {
    /// The hash that was wanted, and how many octets the whole canonical body has. A body shorter
    /// than `length` is hashed whole.
    pub(crate) fn hash(
        &self,
        canonicalization: Canonicalization,
        length: Option<u64>,
    ) -> Option<(Digest, u64)> {
        let Pass { prefixes, .. } = match canonicalization {
            Canonicalization::Simple => self.passes.simple.as_deref(),
            Canonicalization::Relaxed => self.passes.relaxed.as_deref(),
        }?;
        let at = length.and_then(|length| prefixes.wanted.binary_search(&length).ok());
        let digest = at.and_then(|at| prefixes.digests.get(at)).copied().or(prefixes.end)?;
        Some((digest, prefixes.octets))
    }
}

impl Passes {
    fn all(&mut self) -> impl Iterator<Item = &mut Pass> {
        [&mut self.simple, &mut self.relaxed].into_iter().flatten().map(|pass| &mut **pass)
    }
}

struct Pass {
    canonicalizer: BodyCanonicalizer,
    prefixes: Prefixes,
}

impl Pass {
    fn new(canonicalization: Canonicalization) -> Pass {
        Pass {
            canonicalizer: BodyCanonicalizer::new(canonicalization),
            prefixes: Prefixes::default(),
        }
    }

    fn finish(&mut self) {
        self.canonicalizer.clone().finish(&mut self.prefixes);
        self.prefixes.end = Some(std::mem::take(&mut self.prefixes.hash).finish());
    }
}

/// A running hash that notes its value at the lengths wanted.
#[derive(Default)]
struct Prefixes {
    hash: Sha256,
    /// How many octets of the canonical body have come.
    octets: u64,
    /// Whether the hash of all octets is wanted.
    whole: bool,
    /// The lengths wanted, ascending.
    wanted: Vec<u64>,
    /// The digests at the first of them.
    digests: Vec<Digest>,
    /// The digest of all octets, at the end.
    end: Option<Digest>,
}

impl Sink for Prefixes {
    fn write(&mut self, mut octets: &[u8]) {
        while let Some(&next) = self.wanted.get(self.digests.len()) {
            let until = usize::try_from(next.saturating_sub(self.octets)).unwrap_or(usize::MAX);
            let Some((head, tail)) = octets.split_at_checked(until) else { break };
            self.take(head);
            self.digests.push(self.hash.clone().finish());
            octets = tail;
        }
        // What no signature covers is counted and not hashed.
        if self.whole || self.digests.len() < self.wanted.len() {
            self.take(octets);
        } else {
            self.count(octets);
        }
    }
}

impl Prefixes {
    fn take(&mut self, octets: &[u8]) {
        self.hash.update(octets);
        self.count(octets);
    }

    fn count(&mut self, octets: &[u8]) {
        self.octets = self.octets.saturating_add(u64::try_from(octets.len()).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_in_one_pass() {
        let body = b"one\r\ntwo  words\r\n\r\n";
        let lengths = [None, Some(0), Some(3), Some(5), Some(17), Some(100)];
        for chunk in 1..body.len() {
            let mut hasher = BodyHasher::default();
            for length in lengths {
                hasher.want(Canonicalization::Simple, length);
            }
            body.chunks(chunk).for_each(|chunk| hasher.update(chunk));
            let hashes = hasher.finish();
            for length in lengths {
                let canonical = &body[..17];
                let until = length.map_or(17, |length| 17.min(usize::try_from(length).unwrap()));
                let expected = Sha256::digest(&canonical[..until]);
                assert_eq!(
                    hashes.hash(Canonicalization::Simple, length),
                    Some((expected, 17)),
                    "{length:?} in chunks of {chunk}"
                );
            }
        }
    }

    #[test]
    fn an_empty_body() {
        let mut hasher = BodyHasher::default();
        hasher.want(Canonicalization::Simple, None);
        hasher.want(Canonicalization::Relaxed, Some(0));
        let hashes = hasher.finish();
        assert_eq!(hashes.hash(Canonicalization::Simple, None), Some((Sha256::digest(b"\r\n"), 2)));
        assert_eq!(hashes.hash(Canonicalization::Relaxed, Some(0)), Some((Sha256::digest(b""), 0)));
    }
}
