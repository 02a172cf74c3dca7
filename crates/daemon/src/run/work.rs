//! What is done with a message as it streams; none of it is kept.

use std::sync::Arc;

use mailproof::arc::{Payload, SealRefusal, SealTemplate, SealedSet, Sealer};
use mailproof::authres::Charset;
use mailproof::dkim::{Algorithm, EightBit, PrivateKey, Refusal, Signer, Template};
use mailproof::message::Header;
use mailproof::{Receiver, Verdict, Verifier};

use crate::decide::{Decision, Reason, SigningKey, SigningKeySource};
use crate::run::sender::Arriving;
use crate::run::state::State;

/// What is done with a message.
pub(crate) enum Work<'a> {
    Sign(Box<Signer<'a, 'a>>),
    Verify(Box<Verifier<'a>>, Seal<'a>),
    CannotSign(Hindrance),
    /// `None` where its header is too large to know why.
    Pass(Option<Reason>),
}

/// Why a message that should be signed cannot be.
pub(crate) struct Hindrance {
    pub(crate) reason: String,
    /// It is the message itself: later it can be signed no better.
    pub(crate) is_of_message: bool,
}

/// A key, or the settings: a reason that somebody can do something about.
impl From<String> for Hindrance {
    fn from(reason: String) -> Hindrance {
        Hindrance { reason, is_of_message: false }
    }
}

impl From<Refusal> for Hindrance {
    fn from(refusal: Refusal) -> Hindrance {
        Hindrance { reason: refusal.to_string(), is_of_message: refusal.is_of_message() }
    }
}

/// Whether an ARC Set is made for it.
pub(crate) enum Seal<'a> {
    No,
    Made(Box<Sealer<'a, 'a>>),
    Refused(SealRefusal),
}

/// The keys of a message, those read for it too; or why there are none.
pub(crate) type LoadedKeys = Result<Vec<(SigningKey, Arc<PrivateKey>)>, String>;

impl<'a> Work<'a> {
    pub(crate) fn begin(
        decision: Option<&Decision>,
        keys: &'a LoadedKeys,
        header: &'a Header,
        arriving: &'a Arriving,
        receiver: &'a Receiver,
        now: u64,
    ) -> Work<'a> {
        match decision {
            None => Work::Pass(None),
            Some(Decision::Pass(reason)) => Work::Pass(Some(*reason)),
            Some(Decision::CannotSign(reason)) => Work::CannotSign(reason.clone().into()),
            Some(Decision::Verify) => {
                let verifier = receiver.verifier(header, arriving.envelope(), now);
                Work::Verify(Box::new(verifier), Seal::begin(header, &arriving.state, now))
            }
            Some(Decision::Sign(_)) => {
                let signer = match keys {
                    Ok(keys) => signer(keys, header, &arriving.state, now),
                    Err(reason) => Err(reason.clone().into()),
                };
                signer.map_or_else(Work::CannotSign, |signer| Work::Sign(Box::new(signer)))
            }
        }
    }

    pub(crate) fn body(&mut self, chunk: &[u8]) {
        match self {
            Work::Sign(signer) => {
                if let Err(refusal) = signer.body(chunk) {
                    *self = Work::CannotSign(refusal.into());
                }
            }
            Work::Verify(verifier, seal) => {
                verifier.body(chunk);
                if let Seal::Made(sealer) = seal
                    && let Err(refusal) = sealer.body(chunk)
                {
                    *seal = Seal::Refused(refusal);
                }
            }
            Work::CannotSign(_) | Work::Pass(_) => {}
        }
    }

    /// Whether the rest of the body makes no difference.
    pub(crate) fn is_decided(&self) -> bool {
        matches!(self, Work::CannotSign(_) | Work::Pass(_))
    }
}

impl<'a> Seal<'a> {
    fn begin(header: &'a Header, state: &'a State, now: u64) -> Seal<'a> {
        let Some(seal) = &state.config.seal else { return Seal::No };
        // One that could not be read keeps the daemon from starting.
        let Some(key) = &seal.key else { return Seal::No };
        let template = SealTemplate::new(key, seal.domain.clone(), seal.selector.clone(), now);
        match Sealer::new(header, template, eight_bit(state)) {
            Ok(sealer) => Seal::Made(Box::new(sealer)),
            Err(refusal) => Seal::Refused(refusal),
        }
    }

    /// The ARC Set; or why there is none, if there should be one.
    pub(crate) fn finish(self, verdict: &Verdict) -> Result<Option<SealedSet>, String> {
        let sealer = match self {
            Seal::No => return Ok(None),
            Seal::Refused(refusal) => return Err(refusal.to_string()),
            Seal::Made(sealer) => sealer,
        };
        // RFC 8617 5.2.1 would have the chain fail for good. It has not, for all we know, and who
        // is asked later may find out.
        if verdict.arc.is_temporary() {
            return Err(format!("the chain cannot be told for now: {}", verdict.arc.cause));
        }
        let results = Payload::of(&verdict.authentication_results(), Charset::Ascii);
        let set = sealer.finish(&results, verdict.arc.result());
        set.map(Some).map_err(|refusal| refusal.to_string())
    }
}

/// The keys of a decision.
pub(crate) fn load(decision: Option<&Decision>, state: &State) -> LoadedKeys {
    let Some(Decision::Sign(keys)) = decision else { return Ok(Vec::new()) };
    let load = |key: &SigningKey| {
        let loaded = match &key.key {
            SigningKeySource::Loaded(loaded) => Arc::clone(loaded),
            SigningKeySource::File(path) => {
                let file = state.files.key(path);
                let file = file.map_err(|trouble| format!("{}: {trouble}", path.display()))?;
                let is_refused = state.config.settings.sign.require_safe_keys;
                if let Some(warning) = file.warning.filter(|_| is_refused) {
                    return Err(format!("{}: {warning}", path.display()));
                }
                file.key
            }
        };
        Ok((key.clone(), loaded))
    };
    keys.iter().map(load).collect()
}

fn signer<'a>(
    keys: &'a [(SigningKey, Arc<PrivateKey>)],
    header: &'a Header,
    state: &State,
    now: u64,
) -> Result<Signer<'a, 'a>, Hindrance> {
    let sign = &state.config.settings.sign;
    if let Some((key, loaded)) = keys.iter().find(|(_, key)| is_small(key, sign.minimum_key_bits)) {
        let bits = loaded.bits();
        let reason = format!("the key s={} d={} has {bits} bits only", key.selector, key.domain);
        return Err(reason.into());
    }
    let template = |(key, loaded): &'a (SigningKey, Arc<PrivateKey>)| Template {
        header_canonicalization: sign.canonicalization.header,
        body_canonicalization: sign.canonicalization.body,
        identity: key.identity.clone(),
        valid_for: sign.expire.map(|expire| expire.0),
        fields: state.config.signing.fields.clone(),
        ..Template::new(loaded, key.domain.clone(), key.selector.clone(), now)
    };
    let templates = keys.iter().map(template).collect();
    Signer::new(header, templates, eight_bit(state)).map_err(Hindrance::from)
}

fn eight_bit(state: &State) -> EightBit {
    if state.config.settings.sign.eight_bit { EightBit::Sign } else { EightBit::Refuse }
}

/// Whether an RSA key is smaller than it may be; keys of Ed25519 have one size.
fn is_small(key: &PrivateKey, least: usize) -> bool {
    key.algorithm() == Algorithm::RsaSha256 && key.bits() < least
}
