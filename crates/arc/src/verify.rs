//! Validating a chain (RFC 8617 5.2).

use std::sync::Arc;

use mailproof_canonicalization::{Canonicalization, Sink as _, header_field};
use mailproof_dkim::{Cause as Dkim, KeyCache, NoCache, Policy, Sha256, Verification, Verifier};
use mailproof_dns::{Answers, Missing, Question};
use mailproof_message::{Field, Header};

use crate::chain::{Chain, Set};
use crate::limits::Limits;
use crate::outcome::{Cause, Outcome, SetOutcome};
use crate::set::ArcSeal;

/// A Validator (RFC 8617 3.7) that has read the header section and takes the body in chunks.
///
/// The steps are types: [`Validator::new`] validates the structure, [`Validator::body`] hashes,
/// [`Validator::finish`] gives the [`Validation`] that answers from DNS.
pub struct Validator<'h> {
    chain: Result<Prepared, Cause>,
    header: &'h Header,
    verifier: Verifier<'h>,
    limits: Limits,
}

/// A message whose body is hashed and whose chain waits for its keys.
pub struct Validation<'h> {
    chain: Result<Prepared, Cause>,
    header: &'h Header,
    verification: Verification<'h>,
    limits: Limits,
}

/// A chain of valid structure and the keys it needs.
struct Prepared {
    chain: Chain,
    /// The questions for all of them: first the one of the newest ARC-Message-Signature, then those
    /// of the seals from the newest down, then those of the older signatures.
    questions: Vec<Question>,
    /// How many older signatures are verified for "oldest-pass".
    older: usize,
}

/// What of an ARC-Message-Signature is accepted beyond [`Policy::default`].
///
/// Fields that may stand once are repeated in forwarded mail, MIME-Version above all, and the test
/// suite of the working group has such chains pass; whoever lets a chain decide something looks at
/// the message first ([`crate::TrustedSealers`]).
pub fn default_policy() -> Policy {
    Policy { accept_unsigned_duplicates: true, ..Policy::default() }
}

impl<'h> Validator<'h> {
    /// Reads the chain of a message, under the default policy and limits.
    ///
    /// `now` is the time of validation in seconds since 1970-01-01 UTC.
    pub fn new(header: &'h Header, now: u64) -> Validator<'h> {
        Validator::with(header, now, default_policy(), Limits::default())
    }

    /// Reads the chain of a message; `policy` is for its message signatures.
    pub fn with(header: &'h Header, now: u64, policy: Policy, limits: Limits) -> Validator<'h> {
        let chain = Chain::read(header, &limits).and_then(|chain| prepare(chain, &limits));
        // The newest first, as far down as they are verified.
        let signatures = chain.iter().flat_map(|prepared| {
            prepared.chain.sets.iter().rev().take(prepared.older + 1).filter_map(|set| {
                let [_, place, _] = set.places;
                Some((place, set.message_signature.as_ref().ok()?.signature.clone()))
            })
        });
        let signature_limits = limits.signature.clone();
        let verifier = Verifier::of_signatures(header, signatures, now, policy, signature_limits);
        Validator { chain, header, verifier, limits }
    }

    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        self.verifier.body(chunk);
    }

    /// Whether all keys are known, so that a caller can have them looked up while the body is
    /// still coming.
    ///
    /// # Errors
    /// The questions for the keys that are not.
    pub fn keys(&self, answers: &Answers) -> Result<(), Missing> {
        match &self.chain {
            Ok(prepared) => prepared.keys(answers),
            Err(_) => Ok(()),
        }
    }

    /// Lets `dkim` hash the body for the chain, too, so that one pass serves both. The body goes to
    /// `dkim` only, and both end with [`Validator::finish_with`].
    pub fn share_body(&mut self, dkim: &mut Verifier<'_>) {
        dkim.share_body(&mut self.verifier);
    }

    /// Ends the body.
    pub fn finish(self) -> Validation<'h> {
        let Validator { chain, header, verifier, limits } = self;
        Validation { chain, header, verification: verifier.finish(), limits }
    }

    /// Ends the body that `dkim` hashed for both.
    pub fn finish_with<'d>(self, dkim: Verifier<'d>) -> (Validation<'h>, Verification<'d>) {
        let Validator { chain, header, verifier, limits } = self;
        let (dkim, verification) = dkim.finish_both(verifier);
        (Validation { chain, header, verification, limits }, dkim)
    }
}

impl Validation<'_> {
    /// What validating finds.
    ///
    /// # Errors
    /// The questions for the keys, if any is missing. Nothing is computed until all are known.
    pub fn validate(&self, answers: &Answers) -> Result<Outcome, Missing> {
        self.validate_with(answers, &NoCache)
    }

    /// As [`Validation::validate`], with key records that were parsed before.
    ///
    /// # Errors
    /// As [`Validation::validate`].
    pub fn validate_with(
        &self,
        answers: &Answers,
        cache: &dyn KeyCache,
    ) -> Result<Outcome, Missing> {
        let prepared = match &self.chain {
            Ok(prepared) => prepared,
            Err(cause) => {
                return Ok(Outcome { cause: cause.clone(), sets: vec![], oldest_pass: None });
            }
        };
        prepared.keys(answers)?;
        let sets = prepared.chain.sets.iter().map(Set::outcome).collect();
        let mut outcome = Outcome { cause: Cause::Valid, sets, oldest_pass: None };
        // RFC 8617 5.2 step 4, then 6; step 5 comes last, because only a valid chain needs it.
        let failed = match self.newest_signature(&mut outcome, answers, cache)? {
            None => self.seals(&mut outcome, answers, cache)?,
            failed => failed,
        };
        match failed {
            Some(cause) => outcome.cause = cause,
            None => self.oldest_pass(prepared.older, &mut outcome, answers, cache)?,
        }
        Ok(outcome)
    }

    /// Step 4: "Validate the AMS with the greatest instance value (most recent)."
    fn newest_signature(
        &self,
        outcome: &mut Outcome,
        answers: &Answers,
        cache: &dyn KeyCache,
    ) -> Result<Option<Cause>, Missing> {
        let judged = self.verification.verify_one(0, answers, cache)?;
        let (Some(set), Some(judged)) = (outcome.sets.last_mut(), judged) else { return Ok(None) };
        set.message_signature_cause = Some(judged.cause.clone());
        Ok(match judged.cause {
            Dkim::Verified => None,
            cause => Some(Cause::MessageSignature { instance: set.instance(), cause }),
        })
    }

    /// Step 6: "Validate each AS beginning with the greatest instance value and proceeding in
    /// decreasing order to the AS with the instance value of 1. If any AS fails to validate, the
    /// Chain Validation Status is "fail", and the algorithm stops here."
    fn seals(
        &self,
        outcome: &mut Outcome,
        answers: &Answers,
        cache: &dyn KeyCache,
    ) -> Result<Option<Cause>, Missing> {
        let digests = self.seal_digests(&outcome.sets);
        for (set, digest) in outcome.sets.iter_mut().zip(&digests).rev() {
            let signature = &set.seal.signature;
            let response = answers.require(&Question::txt(signature.key_name.clone()))?;
            let (cause, _) = signature.verify(digest, response, &self.limits.signature, cache);
            set.seal_cause = Some(cause.clone());
            if cause != Dkim::Verified {
                return Ok(Some(Cause::Seal { instance: set.instance(), cause }));
            }
        }
        Ok(None)
    }

    /// What each seal signs, from instance 1 up, every field made canonical once.
    fn seal_digests(&self, sets: &[SetOutcome]) -> Vec<[u8; 32]> {
        let mut hash = Sha256::default();
        let mut digests = Vec::with_capacity(sets.len());
        for set in sets {
            let [results, message_signature, seal] =
                set.places.map(|place| self.header.field(place));
            for field in [results, message_signature].into_iter().flatten() {
                add_field(&mut hash, field.without_line_end());
            }
            if let Some(field) = seal {
                let mut own = hash.clone();
                add_own_seal(&mut own, &field, &set.seal);
                digests.push(own.finish());
                add_field(&mut hash, field.without_line_end());
            }
        }
        digests
    }

    /// Step 5: "validating each prior AMS beginning with N-1 and proceeding in decreasing order".
    fn oldest_pass(
        &self,
        older: usize,
        outcome: &mut Outcome,
        answers: &Answers,
        cache: &dyn KeyCache,
    ) -> Result<(), Missing> {
        let mut number = 0;
        let mut lowest = outcome.sets.last().map_or(0, SetOutcome::instance);
        for set in outcome.sets.iter_mut().rev().skip(1).take(older) {
            let judged = match set.message_signature {
                Ok(_) => {
                    number += 1;
                    self.verification.verify_one(number, answers, cache)?
                }
                Err(_) => None,
            };
            let cause = judged.map(|judged| judged.cause);
            set.message_signature_cause = cause.clone();
            if cause != Some(Dkim::Verified) {
                // "set the oldest-pass value to the lowest AMS instance value that passed (M+1)".
                outcome.oldest_pass = Some(lowest);
                return Ok(());
            }
            lowest = set.instance();
        }
        // "If all AMS header fields verify, set the oldest-pass value to zero (0)."
        outcome.oldest_pass = (lowest == 1).then_some(0);
        Ok(())
    }
}

impl Prepared {
    fn keys(&self, answers: &Answers) -> Result<(), Missing> {
        let mut missing = Missing::new();
        for question in &self.questions {
            missing.lookup(answers, question);
        }
        missing.into_result()
    }
}

impl Set {
    fn outcome(&self) -> SetOutcome {
        SetOutcome {
            seal: Arc::clone(&self.seal),
            seal_cause: None,
            message_signature: self.message_signature.clone(),
            message_signature_cause: None,
            places: self.places,
        }
    }
}

/// The keys of a chain, within the limits.
fn prepare(chain: Chain, limits: &Limits) -> Result<Prepared, Cause> {
    let newest_first = || chain.sets.iter().rev();
    let signature_key = |set: &Set| {
        let signature = set.message_signature.as_ref().ok()?;
        Some(Question::txt(signature.signature.key_name.clone()))
    };
    let mut questions: Vec<Question> = Vec::new();
    let mut add = |question: Question, most: usize| {
        let known = questions.contains(&question);
        if !known && questions.len() < most {
            questions.push(question);
            return true;
        }
        known
    };
    let seals = newest_first().map(|set| Question::txt(set.seal.signature.key_name.clone()));
    for question in newest_first().take(1).filter_map(signature_key).chain(seals) {
        add(question, usize::MAX);
    }
    let most = limits.key_names;
    let older = newest_first()
        .skip(1)
        .take(limits.older_signatures)
        .take_while(|set| signature_key(set).is_none_or(|question| add(question, most)))
        .count();
    if questions.len() > most {
        return Err(Cause::Limit { names: questions.len(), most });
    }
    Ok(Prepared { chain, questions, older })
}

/// A field that a seal signs: RFC 8617 4.1.3, "only "relaxed" header field canonicalization".
pub(crate) fn add_field(hash: &mut Sha256, field: &[u8]) {
    header_field(Canonicalization::Relaxed, field, hash);
    hash.write(b"\r\n");
}

/// The seal itself: as in DKIM (RFC 6376 3.7), with the value of b= deleted and without the final
/// CRLF.
fn add_own_seal(hash: &mut Sha256, field: &Field<'_>, seal: &ArcSeal) {
    let octets = field.without_line_end();
    let value = octets.len() - field.value().len();
    let span = &seal.signature.signature_span;
    let before = octets.get(..value + span.start).unwrap_or(octets);
    let after = octets.get(value + span.end..).unwrap_or_default();
    header_field(Canonicalization::Relaxed, &[before, after].concat(), hash);
}
