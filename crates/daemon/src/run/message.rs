//! One message, from the end of its header to the reply.

use std::sync::Arc;
use std::time::Instant;

use mailproof::authres::Charset;
use mailproof::dkim::{EightBit, PrivateKey, Signer, Template};
use mailproof::message::{Header, HeaderBuilder, Limits};
use mailproof::{Envelope, Receiver, Verdict, Verifier};
use mailproof_dns::{Answers, resolve_with};
use mailproof_milter::{Actions, Event, Modification, Reply};

use crate::decide::{Decision, SigningKey, SigningKeySource, Steps};
use crate::run::action::{Ruling, removals, ruling};
use crate::run::connection::{Broken, Wire};
use crate::run::log::warn;
use crate::run::sender::{Arriving, author};
use crate::run::state::{State, now};
use crate::run::tell::Tell;
use crate::settings::{Action, Role};

/// What comes after a message.
pub(crate) enum Next {
    /// Another one, perhaps.
    Message,
    /// The end of the connection.
    Closed,
    /// HELO amid the message, which ends it.
    Helo(Vec<u8>),
    /// MAIL amid the message, which ends it.
    Mail(Vec<u8>),
    /// Another client.
    NewClient,
}

/// What is done with the body as it streams; none of it is kept.
enum Work<'a> {
    Sign(Box<Signer<'a, 'a>>),
    Verify(Box<Verifier<'a>>),
    CannotSign(String),
    Nothing,
}

/// What is done at the end.
#[derive(Default)]
struct Plan {
    /// Authentication-Results fields to remove, the last first.
    results: Vec<usize>,
    /// How many DKIM-Signature fields to remove.
    signatures: usize,
    /// Fields to put above all others, the uppermost first.
    insert: Vec<Vec<u8>>,
    ruling: Option<Ruling>,
}

impl Work<'_> {
    fn body(&mut self, chunk: &[u8]) {
        match self {
            Work::Sign(signer) => {
                if let Err(refusal) = signer.body(chunk) {
                    *self = Work::CannotSign(refusal.to_string());
                }
            }
            Work::Verify(verifier) => verifier.body(chunk),
            Work::CannotSign(_) | Work::Nothing => {}
        }
    }

    /// Whether the rest of the body makes a difference.
    fn is_decided(&self) -> bool {
        matches!(self, Work::CannotSign(_) | Work::Nothing)
    }
}

/// Serves a message whose header is complete.
pub(crate) async fn message(
    wire: &mut Wire,
    roles: &[Role],
    mut arriving: Arriving,
) -> Result<Next, Broken> {
    let empty = HeaderBuilder::new(Limits::default());
    let header = std::mem::replace(&mut arriving.header, empty).finish();
    let (arriving, state) = (&arriving, &arriving.state);
    let macros = wire.session.macros();
    let mta = macros.get("j").and_then(|name| std::str::from_utf8(name).ok());
    let receiver = state.receiver(mta);
    let mut steps = if state.config.settings.log.why { Steps::kept() } else { Steps::default() };
    let decision = decide(wire, roles, arriving, &header, &mut steps);
    let keys = match &decision {
        Some(Decision::Sign(keys)) => load(keys, state),
        _ => Ok(Vec::new()),
    };
    let now = now();
    let mut work = begin(decision.as_ref(), &keys, &header, arriving, &receiver, now);
    if let Some(next) = body(wire, &mut work, arriving).await? {
        return Ok(next);
    }
    let id = wire.session.macros().get("i").unwrap_or_default();
    let id = String::from_utf8_lossy(id).into_owned();
    let begin = Instant::now();
    let tell = Tell { log: state.log(), id: &id };
    tell.why(steps.list());
    let plan = match work {
        _ if arriving.is_too_large => Plan {
            ruling: Some(Ruling::new(Action::Reject, (3, 4), "the header is too large")),
            ..Plan::default()
        },
        Work::Nothing => Plan::default(),
        Work::CannotSign(reason) => cannot_sign(&reason, &tell, state),
        Work::Sign(signer) => sign(*signer, &keys, &tell, &header, &receiver, state),
        Work::Verify(verifier) => {
            let mut verification = verifier.finish();
            let (dns, limits) = (state.dns(), mailproof_dns::Limits::default());
            let verdict = resolve_with(&dns, &mut Answers::new(), &limits, |answers| {
                verification.verify(answers)
            })
            .await;
            state.metrics.verdict(&verdict);
            verify(&verdict, arriving, &tell, &header, now)
        }
    };
    apply(wire, &plan, &tell, state)?;
    wire.flush().await?;
    let action = plan.ruling.as_ref().map(|ruling| ruling.action).unwrap_or_default();
    state.metrics.message(decision.as_ref(), action, begin.elapsed());
    Ok(Next::Message)
}

/// What is done with the message; `None` if its header is too large to know.
fn decide(
    wire: &Wire,
    roles: &[Role],
    arriving: &Arriving,
    header: &Header,
    steps: &mut Steps,
) -> Option<Decision> {
    if arriving.is_too_large {
        return None;
    }
    let author = author(header);
    let recipients: Vec<&str> = arriving.recipients.iter().map(String::as_str).collect();
    let config = &arriving.state.config;
    Some(arriving.with_client(wire.session.macros(), |client| {
        config.decide(roles, client, author.as_deref(), &recipients, steps)
    }))
}

/// The keys of a message, those read for it too.
fn load(keys: &[SigningKey], state: &State) -> Result<Vec<(SigningKey, Arc<PrivateKey>)>, String> {
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

type LoadedKeys = Result<Vec<(SigningKey, Arc<PrivateKey>)>, String>;

fn begin<'a>(
    decision: Option<&Decision>,
    keys: &'a LoadedKeys,
    header: &'a Header,
    arriving: &'a Arriving,
    receiver: &'a Receiver,
    now: u64,
) -> Work<'a> {
    match decision {
        None | Some(Decision::Pass(_)) => Work::Nothing,
        Some(Decision::CannotSign(reason)) => Work::CannotSign(reason.clone()),
        Some(Decision::Verify) => {
            Work::Verify(Box::new(receiver.verifier(header, arriving.envelope(), now)))
        }
        Some(Decision::Sign(_)) => {
            let signer = match keys {
                Ok(keys) => signer(keys, header, &arriving.state, now),
                Err(reason) => Err(reason.clone()),
            };
            signer.map_or_else(Work::CannotSign, |signer| Work::Sign(Box::new(signer)))
        }
    }
}

impl Arriving {
    /// What SPF is about; `None` for mail of this host, which has no client.
    fn envelope(&self) -> Option<Envelope<'_>> {
        let ip = self.ip?;
        Some(Envelope { ip, helo: &self.helo, mail_from: &self.mail_from })
    }
}

fn signer<'a>(
    keys: &'a [(SigningKey, Arc<PrivateKey>)],
    header: &'a Header,
    state: &State,
    now: u64,
) -> Result<Signer<'a, 'a>, String> {
    let sign = &state.config.settings.sign;
    if let Some((key, loaded)) = keys.iter().find(|(_, key)| is_small(key, sign.minimum_key_bits)) {
        let bits = loaded.bits();
        return Err(format!("the key s={} d={} has {bits} bits only", key.selector, key.domain));
    }
    let template = |(key, loaded): &'a (SigningKey, Arc<PrivateKey>)| Template {
        header_canonicalization: sign.canonicalization.header,
        body_canonicalization: sign.canonicalization.body,
        identity: key.identity.clone(),
        valid_for: sign.expire.map(|expire| expire.0),
        fields: state.config.signing.fields.clone(),
        ..Template::new(loaded, key.domain.clone(), key.selector.clone(), now)
    };
    let eight_bit = if sign.eight_bit { EightBit::Sign } else { EightBit::Refuse };
    let templates = keys.iter().map(template).collect();
    Signer::new(header, templates, eight_bit).map_err(|refusal| refusal.to_string())
}

/// Whether an RSA key is smaller than it may be; keys of Ed25519 have one size.
fn is_small(key: &PrivateKey, least: usize) -> bool {
    key.algorithm() == mailproof::dkim::Algorithm::RsaSha256 && key.bits() < least
}

/// Hashes the body as it comes. What ends the message before its time, if anything does.
async fn body(
    wire: &mut Wire,
    work: &mut Work<'_>,
    arriving: &Arriving,
) -> Result<Option<Next>, Broken> {
    loop {
        while let Some(frame) = wire.decoder.frame()? {
            let mut next = None;
            let mut reply = Reply::Continue;
            match wire.session.receive(frame, &mut wire.out)? {
                Event::BodyChunk(chunk) => {
                    work.body(chunk);
                    if work.is_decided() {
                        reply = Reply::Skip;
                    }
                }
                Event::EndOfMessage(chunk) => {
                    work.body(chunk);
                    return Ok(None);
                }
                Event::Abort => next = Some(Next::Message),
                Event::Helo(name) => next = Some(Next::Helo(name.to_vec())),
                Event::MailFrom(envelope) => next = Some(Next::Mail(envelope.address().to_vec())),
                Event::QuitNewConnection => next = Some(Next::NewClient),
                Event::Quit => next = Some(Next::Closed),
                _ => {}
            }
            if wire.session.due().is_some() {
                wire.session.reply(&reply, &mut wire.out)?;
            }
            if next.is_some() {
                return Ok(next);
            }
        }
        if !wire.more(Some(arriving.deadline)).await? {
            return Ok(Some(Next::Closed));
        }
    }
}

fn cannot_sign(reason: &str, tell: &Tell<'_>, state: &State) -> Plan {
    let settings = &state.config.settings;
    tell.not_signed(reason);
    // The reason may tell of files: it is for the log.
    let ruling = Ruling::new(settings.sign.on_error, (7, 0), "the message cannot be signed");
    Plan { ruling: Some(ruling), ..Plan::default() }
}

fn sign(
    signer: Signer<'_, '_>,
    keys: &LoadedKeys,
    tell: &Tell<'_>,
    header: &Header,
    receiver: &Receiver,
    state: &State,
) -> Plan {
    let settings = &state.config.settings;
    let fields = match signer.finish() {
        Ok(fields) => fields,
        Err(refusal) => return cannot_sign(&refusal.to_string(), tell, state),
    };
    tell.signed(keys.iter().flatten().map(|(key, _)| key));
    let old = if settings.sign.remove_old { header.named("DKIM-Signature").count() } else { 0 };
    Plan {
        // What claims to be our verdict is none, also in the mail of our own.
        results: removals(header, &receiver.authserv_id, state.host(), &settings.verify),
        signatures: old,
        insert: fields,
        ruling: None,
    }
}

fn verify(
    verdict: &Verdict,
    arriving: &Arriving,
    tell: &Tell<'_>,
    header: &Header,
    now: u64,
) -> Plan {
    let (state, envelope) = (&arriving.state, arriving.envelope());
    let settings = &state.config.settings;
    let ruling = ruling(&settings.policy, header, verdict);
    tell.verified(verdict, arriving);
    let received_spf = envelope.as_ref().filter(|_| settings.verify.received_spf);
    let fields = verdict.fields(received_spf, now, Charset::Ascii);
    Plan {
        results: removals(header, &verdict.authserv_id, state.host(), &settings.verify),
        signatures: 0,
        insert: fields.into_iter().map(String::into_bytes).collect(),
        ruling,
    }
}

/// Changes the message and replies.
fn apply(wire: &mut Wire, plan: &Plan, tell: &Tell<'_>, state: &State) -> Result<(), Broken> {
    let settings = &state.config.settings;
    let Wire { session, out, .. } = wire;
    if let Some(ruling) = plan.ruling.as_ref().filter(|it| it.action != Action::Accept) {
        tell.ruling(ruling, settings.dry_run);
    }
    if settings.dry_run {
        return Ok(session.reply(&Reply::Accept, out)?);
    }
    let refusal = plan.ruling.as_ref().and_then(Ruling::reply);
    if let Some(reply) = refusal {
        return Ok(session.reply(&Reply::Smtp(reply), out)?);
    }
    let action = plan.ruling.as_ref().map(|it| it.action).unwrap_or_default();
    if action == Action::Discard {
        return Ok(session.reply(&Reply::Discard, out)?);
    }
    let delete = |name: &'static [u8], index: usize| Modification::ChangeHeader {
        index: u32::try_from(index).unwrap_or(u32::MAX),
        name,
        value: b"",
    };
    for index in &plan.results {
        session.modify(&delete(b"Authentication-Results", *index), out)?;
    }
    for index in (1..=plan.signatures).rev() {
        session.modify(&delete(b"DKIM-Signature", index), out)?;
    }
    for field in plan.insert.iter().rev() {
        let Some(colon) = field.iter().position(|&octet| octet == b':') else { continue };
        let (name, value) = field.split_at_checked(colon).unwrap_or_default();
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_suffix(b"\r\n").unwrap_or(value);
        session.modify(&Modification::InsertHeader { index: 0, name, value }, out)?;
    }
    if let Some(ruling) = plan.ruling.as_ref().filter(|it| it.action == Action::Quarantine) {
        if session.agreed().actions.contains(Actions::QUARANTINE) {
            let reason = ruling.reason.as_bytes();
            session.modify(&Modification::Quarantine { reason }, out)?;
        } else {
            warn(tell.log, tell.id, "the MTA offers no quarantine: it is delivered");
        }
    }
    Ok(session.reply(&Reply::Accept, out)?)
}
