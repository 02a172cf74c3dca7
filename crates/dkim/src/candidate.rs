//! DKIM-Signature fields, as far as they can be judged without their keys (RFC 6376 6.1.1).

use std::sync::Arc;

use mailproof_dns::{Answers, Missing, Name, Question};
use mailproof_message::{Field, Header, author_domain};

use crate::limits::Limits;
use crate::outcome::{Cause, SignatureOutcome};
use crate::parse::claimed;
use crate::policy::Policy;
use crate::signature::Signature;

/// A DKIM-Signature field, as far as it can be judged without its key.
pub(crate) struct Candidate {
    /// Which header field it is, from the top.
    pub(crate) place: usize,
    pub(crate) state: State,
}

pub(crate) enum State {
    /// Judged already.
    Settled(Box<SignatureOutcome>),
    /// Waits for its key.
    Ready { signature: Arc<Signature>, question: Question },
}

impl Candidate {
    pub(crate) fn ready(&self) -> Option<(&Arc<Signature>, &Question)> {
        match &self.state {
            State::Ready { signature, question } => Some((signature, question)),
            State::Settled(_) => None,
        }
    }
}

/// RFC 6376 6.1.1: what can be judged by the field alone. RFC 6376 6.1.2 wants it done before the
/// key is asked for.
pub(crate) fn read(
    place: usize,
    field: &Field<'_>,
    now: u64,
    policy: &Policy,
    limits: &Limits,
) -> State {
    let signature = match Signature::parse(field.value(), limits) {
        Ok(signature) => signature,
        Err(error) => {
            let (domain, selector) = claimed(field.value());
            return State::Settled(Box::new(SignatureOutcome {
                cause: Cause::Signature(error),
                field: place,
                domain,
                selector,
                signature: None,
                key: None,
                checks: None,
            }));
        }
    };
    ready(place, signature, now, policy)
}

pub(crate) fn ready(place: usize, signature: Signature, now: u64, policy: &Policy) -> State {
    let signature = Arc::new(signature);
    match out_of_time(&signature, now, policy) {
        Some(cause) => settled(place, signature, cause),
        None => {
            let question = Question::txt(signature.key_name.clone());
            State::Ready { signature, question }
        }
    }
}

/// RFC 6376 3.5: x=, "Signatures MAY be considered invalid if the verification time at the Verifier
/// is past the expiration date"; t=, "Receivers MAY ignore signatures that have a timestamp in the
/// future". Both with the clock skew allowed.
fn out_of_time(signature: &Signature, now: u64, policy: &Policy) -> Option<Cause> {
    match (signature.timestamp, signature.expiration) {
        (_, Some(expiration)) if now > expiration.saturating_add(policy.clock_skew) => {
            Some(Cause::Expired { expiration, now })
        }
        (Some(timestamp), _) if timestamp > now.saturating_add(policy.clock_skew) => {
            Some(Cause::TimestampInFuture { timestamp, now })
        }
        _ => None,
    }
}

fn settled(place: usize, signature: Arc<Signature>, cause: Cause) -> State {
    State::Settled(Box::new(SignatureOutcome {
        cause,
        field: place,
        domain: Some(signature.domain.clone()),
        selector: Some(signature.selector.clone()),
        signature: Some(signature),
        key: None,
        checks: None,
    }))
}

pub(crate) fn limit(place: usize, signature: Option<Arc<Signature>>, most: usize) -> State {
    let cause = Cause::Limit { most };
    match signature {
        Some(signature) => settled(place, signature, cause),
        None => State::Settled(Box::new(SignatureOutcome {
            cause,
            field: place,
            domain: None,
            selector: None,
            signature: None,
            key: None,
            checks: None,
        })),
    }
}

/// Settles the signatures beyond the limit: those of the Author Domain and its relatives come
/// first, then the order of the message decides.
pub(crate) fn keep_within_limit(candidates: &mut [Candidate], header: &Header, limits: &Limits) {
    let ready = candidates.iter().filter(|candidate| candidate.ready().is_some()).count();
    if ready <= limits.signatures_verified {
        return;
    }
    let authors = author_domains(header);
    let mut left = limits.signatures_verified;
    for wanted in [true, false] {
        for candidate in candidates.iter_mut() {
            let Some((signature, _)) = candidate.ready() else { continue };
            let related = authors.iter().any(|author| {
                author.is_at_or_below(&signature.domain) || signature.domain.is_at_or_below(author)
            });
            match (related == wanted, left) {
                (false, _) => {}
                (true, 0) => {
                    let signature = Arc::clone(signature);
                    candidate.state =
                        limit(candidate.place, Some(signature), limits.signatures_verified);
                }
                (true, _) => left -= 1,
            }
        }
    }
}

fn author_domains(header: &Header) -> Vec<Name> {
    let author = author_domain(header);
    author.domains().iter().filter_map(|domain| domain.parse().ok()).collect()
}

pub(crate) fn pending_domains(candidates: &[Candidate]) -> impl Iterator<Item = &Name> {
    candidates.iter().filter_map(Candidate::ready).map(|(signature, _)| &signature.domain)
}

pub(crate) fn keys(candidates: &[Candidate], answers: &Answers) -> Result<(), Missing> {
    let mut missing = Missing::new();
    for (_, question) in candidates.iter().filter_map(Candidate::ready) {
        missing.lookup(answers, question);
    }
    missing.into_result()
}
