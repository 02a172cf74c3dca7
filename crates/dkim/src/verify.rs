//! Verifying the signatures of a message (RFC 6376 6).

use std::sync::Arc;

use mailproof_dns::{Answers, Missing, Name, Response};
use mailproof_message::Header;

use crate::body_hash::{BodyHasher, BodyHashes};
use crate::candidate::{self, Candidate, State};
use crate::crypto::{Digest, VerifyingKey};
use crate::header_hash::HeaderHasher;
use crate::keys::{KeyCache, NoCache};
use crate::limits::Limits;
use crate::outcome::{Cause, Checks, Outcome, SignatureOutcome};
use crate::policy::{Policy, SINGLETONS};
use crate::signature::Signature;
use crate::trial::Trial;

/// A Verifier (RFC 6376 2.2) that has read the header section and takes the body in chunks.
///
/// The steps are types: [`Verifier::new`] reads the signatures, [`Verifier::body`] hashes,
/// [`Verifier::finish`] gives the [`Verification`] that answers from DNS. The keys may be asked for
/// while the body is still coming: [`Verifier::keys`].
pub struct Verifier<'h> {
    header: &'h Header,
    candidates: Vec<Candidate>,
    body: BodyHasher,
    policy: Policy,
    limits: Limits,
}

/// A message whose body is hashed and whose signatures wait for their keys.
pub struct Verification<'h> {
    header: &'h Header,
    candidates: Vec<Candidate>,
    hashes: Arc<BodyHashes>,
    policy: Policy,
    limits: Limits,
}

/// A [`Verification`] that has no hashes yet.
struct Unhashed<'h> {
    header: &'h Header,
    candidates: Vec<Candidate>,
    policy: Policy,
    limits: Limits,
}

impl<'h> Unhashed<'h> {
    fn with(self, hashes: Arc<BodyHashes>) -> Verification<'h> {
        let Unhashed { header, candidates, policy, limits } = self;
        Verification { header, candidates, hashes, policy, limits }
    }
}

impl<'h> Verifier<'h> {
    /// Reads the signatures of a message, under the default policy and limits.
    ///
    /// `now` is the time of verification in seconds since 1970-01-01 UTC.
    pub fn new(header: &'h Header, now: u64) -> Verifier<'h> {
        Verifier::with(header, now, Policy::default(), Limits::default())
    }

    /// Reads the signatures of a message.
    pub fn with(header: &'h Header, now: u64, policy: Policy, limits: Limits) -> Verifier<'h> {
        let places = header.places(b"dkim-signature").enumerate();
        let mut candidates: Vec<Candidate> = places
            .filter_map(|(index, place)| Some((index, place, header.field(place)?)))
            .map(|(index, place, field)| Candidate {
                place,
                state: match index < limits.signatures_parsed {
                    true => candidate::read(place, &field, now, &policy, &limits),
                    false => candidate::limit(place, None, limits.signatures_parsed),
                },
            })
            .collect();
        candidate::keep_within_limit(&mut candidates, header, &limits);
        Verifier::begin(header, candidates, policy, limits)
    }

    /// Takes signatures read before, each with the place of its field from the top: those of
    /// ARC-Message-Signature fields ([`Signature::parse_arc`]). How many is for the caller to
    /// bound.
    pub fn of_signatures(
        header: &'h Header,
        signatures: impl IntoIterator<Item = (usize, Signature)>,
        now: u64,
        policy: Policy,
        limits: Limits,
    ) -> Verifier<'h> {
        let candidates: Vec<Candidate> = signatures
            .into_iter()
            .map(|(place, signature)| Candidate {
                place,
                state: candidate::ready(place, signature, now, &policy),
            })
            .collect();
        Verifier::begin(header, candidates, policy, limits)
    }

    fn begin(
        header: &'h Header,
        candidates: Vec<Candidate>,
        policy: Policy,
        limits: Limits,
    ) -> Verifier<'h> {
        let mut body = BodyHasher::default();
        for (signature, _) in candidates.iter().filter_map(Candidate::ready) {
            body.want(signature.body_canonicalization, signature.body_length);
        }
        Verifier { header, candidates, body, policy, limits }
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        self.body.update(chunk);
    }

    /// Whether the keys that the signatures need are known, so that a caller can have them looked
    /// up while the body is still coming.
    ///
    /// # Errors
    /// The questions for the keys that are not.
    pub fn keys(&self, answers: &Answers) -> Result<(), Missing> {
        candidate::keys(&self.candidates, answers)
    }

    /// The SDIDs of the signatures that wait for their keys, and may pass.
    pub fn pending_domains(&self) -> impl Iterator<Item = &Name> {
        candidate::pending_domains(&self.candidates)
    }

    /// Hashes the body for `other`, too, so that one pass serves both. The body goes to this
    /// verifier only, from its beginning, and both end with [`Verifier::finish_both`].
    pub fn share_body(&mut self, other: &mut Verifier<'_>) {
        self.body.want_all(&other.body);
        other.body = BodyHasher::default();
    }

    /// Ends the body.
    pub fn finish(self) -> Verification<'h> {
        let (rest, hashes) = self.end();
        rest.with(Arc::new(hashes))
    }

    /// Ends the body that this verifier hashed for both.
    pub fn finish_both<'o>(self, other: Verifier<'o>) -> (Verification<'h>, Verification<'o>) {
        let (rest, hashes) = self.end();
        let hashes = Arc::new(hashes);
        (rest.with(Arc::clone(&hashes)), other.end().0.with(hashes))
    }

    fn end(self) -> (Unhashed<'h>, BodyHashes) {
        let Verifier { header, candidates, body, policy, limits } = self;
        (Unhashed { header, candidates, policy, limits }, body.finish())
    }
}

impl Verification<'_> {
    /// What verifying finds.
    ///
    /// # Errors
    /// The questions for the keys, if any is missing. Nothing is computed until all are known.
    pub fn verify(&self, answers: &Answers) -> Result<Outcome, Missing> {
        self.verify_with(answers, &NoCache)
    }

    /// As [`Verification::verify`], with key records that were parsed before.
    ///
    /// # Errors
    /// As [`Verification::verify`].
    pub fn verify_with(&self, answers: &Answers, cache: &dyn KeyCache) -> Result<Outcome, Missing> {
        candidate::keys(&self.candidates, answers)?;
        let mut hasher = HeaderHasher::default();
        let signatures = self
            .candidates
            .iter()
            .map(|candidate| self.one(candidate, answers, cache, &mut hasher));
        Ok(Outcome { signatures: signatures.collect::<Result<_, Missing>>()? })
    }

    /// The SDIDs of the signatures that wait for their keys, and may pass.
    pub fn pending_domains(&self) -> impl Iterator<Item = &Name> {
        candidate::pending_domains(&self.candidates)
    }

    /// What verifying finds for one signature, by its number from 0; `None` if there are fewer.
    ///
    /// # Errors
    /// The question for its key, if it is missing.
    pub fn verify_one(
        &self,
        number: usize,
        answers: &Answers,
        cache: &dyn KeyCache,
    ) -> Result<Option<SignatureOutcome>, Missing> {
        let mut hasher = HeaderHasher::default();
        let one = |candidate| self.one(candidate, answers, cache, &mut hasher);
        self.candidates.get(number).map(one).transpose()
    }

    fn one<'s>(
        &self,
        candidate: &'s Candidate,
        answers: &Answers,
        cache: &dyn KeyCache,
        hasher: &mut HeaderHasher<'s>,
    ) -> Result<SignatureOutcome, Missing> {
        match &candidate.state {
            State::Settled(outcome) => Ok((**outcome).clone()),
            State::Ready { signature, question } => {
                let response = answers.require(question)?;
                Ok(self.judge(candidate.place, signature, response, cache, hasher))
            }
        }
    }

    /// RFC 6376 6.1.2 and 6.1.3 for one signature.
    fn judge<'s>(
        &self,
        place: usize,
        signature: &'s Arc<Signature>,
        response: &Response,
        cache: &dyn KeyCache,
        hasher: &mut HeaderHasher<'s>,
    ) -> SignatureOutcome {
        let trial = Trial {
            algorithm: signature.algorithm,
            domain: &signature.domain,
            identity: signature.identity.as_ref(),
            limits: &self.limits,
            cache,
        };
        let mut header_digest = None;
        let tried = trial.run(response, |key| {
            let digest =
                *header_digest.get_or_insert_with(|| hasher.digest(self.header, place, signature));
            self.compare(signature, key, &digest)
        });
        SignatureOutcome {
            cause: tried.cause,
            field: place,
            domain: Some(signature.domain.clone()),
            selector: Some(signature.selector.clone()),
            signature: Some(Arc::clone(signature)),
            key: tried.key,
            checks: tried.detail,
        }
    }

    fn compare(
        &self,
        signature: &Signature,
        key: &VerifyingKey,
        header_digest: &Digest,
    ) -> (Cause, Checks) {
        let body = self.hashes.hash(signature.body_canonicalization, signature.body_length);
        let (body_hash, body_octets) = body.unwrap_or_default();
        let signed = signature.body_length.unwrap_or(body_octets);
        let checks = Checks {
            body_hash,
            body_matches: signed <= body_octets && signature.body_hash == body_hash,
            header_matches: key.verify(header_digest, &signature.signature),
            body_octets,
            unsigned_octets: body_octets.saturating_sub(signed),
        };
        let cause = if signed > body_octets {
            Cause::BodyTooShort { signed, body: body_octets }
        } else if !checks.body_matches {
            Cause::BodyHashMismatch { expected: signature.body_hash.clone(), computed: body_hash }
        } else if !checks.header_matches {
            Cause::SignatureMismatch
        } else {
            self.accept(signature, &checks)
        };
        (cause, checks)
    }

    /// What local policy has to say of a signature that verifies.
    fn accept(&self, signature: &Signature, checks: &Checks) -> Cause {
        if checks.unsigned_octets > 0 && !self.policy.accept_unsigned_content {
            return Cause::UnsignedContent { octets: checks.unsigned_octets };
        }
        match unsigned_duplicate(self.header, signature) {
            Some(field) if !self.policy.accept_unsigned_duplicates => {
                Cause::UnsignedDuplicate { field }
            }
            _ => Cause::Verified,
        }
    }
}

/// A field of those that may stand once which the signature signs, but not as often as it stands.
fn unsigned_duplicate(header: &Header, signature: &Signature) -> Option<&'static str> {
    header.repeated(&SINGLETONS).find(|name| {
        let present = header.places_up(name.as_bytes()).count();
        let signed = signature.signed_fields.count(name.as_bytes());
        (1..present).contains(&signed)
    })
}
