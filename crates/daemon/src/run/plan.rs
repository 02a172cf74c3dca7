//! What is changed at the end of a message, and what is replied.

use mailproof::authres::Charset;
use mailproof::dkim::Signer;
use mailproof::message::Header;
use mailproof::{Receiver, Verdict};
use mailproof_milter::{Actions, Modification, Reply, ReplyError};

use crate::decide::Reason;
use crate::run::action::{RESULTS, Ruling, removals, ruling};
use crate::run::connection::Wire;
use crate::run::history::Recorded;
use crate::run::log::warn;
use crate::run::sender::Arriving;
use crate::run::state::State;
use crate::run::tell::Tell;
use crate::run::work::{Hindrance, LoadedKeys, Seal};
use crate::settings::{Action, Role};

const RECEIVED_SPF: &str = "Received-SPF";
const SIGNATURE: &str = "DKIM-Signature";

/// What is done at the end.
#[derive(Default)]
pub(crate) struct Plan {
    /// Fields to remove: the name, and the number among those of this name, the last first.
    remove: Vec<(&'static str, usize)>,
    /// Fields to put above all others, the uppermost first.
    insert: Vec<Vec<u8>>,
    ruling: Option<Ruling>,
}

/// All fields of a name.
fn all(header: &Header, name: &'static str) -> impl Iterator<Item = (&'static str, usize)> {
    (1..=header.named(name).count()).rev().map(move |number| (name, number))
}

/// What claims to be our verdict and is none.
fn forged(header: &Header, ours: &str, state: &State) -> Vec<(&'static str, usize)> {
    let numbers = removals(header, ours, state.host(), &state.config.settings.verify);
    numbers.into_iter().map(|number| (RESULTS, number)).collect()
}

impl Plan {
    pub(crate) fn too_large() -> Plan {
        let ruling = Ruling::new(Action::Reject, (3, 4), "the header is too large");
        Plan { ruling: Some(ruling), ..Plan::default() }
    }

    /// The message stays as it is, but for what only we may say of it.
    pub(crate) fn pass(
        reason: Option<Reason>,
        roles: &[Role],
        header: &Header,
        receiver: &Receiver,
        state: &State,
    ) -> Plan {
        let is_believed = reason.is_none_or(Reason::is_of_host) || !roles.contains(&Role::Verify);
        let remove = match is_believed {
            true => Vec::new(),
            false => forged(header, &receiver.authserv_id, state),
        };
        Plan { remove, ..Plan::default() }
    }

    pub(crate) fn cannot_sign(hindrance: &Hindrance, tell: &Tell<'_>, state: &State) -> Plan {
        tell.not_signed(&hindrance.reason);
        let action = match state.config.settings.sign.on_error {
            // RFC 5321 4.2.1 has 4yz for what may go well another time. The same message never
            // will, and a signature would not outlast the way: it goes without one.
            Action::Tempfail if hindrance.is_of_message => Action::Accept,
            action => action,
        };
        // The reason may tell of files: it is for the log.
        let ruling = Ruling::new(action, (7, 0), "the message cannot be signed");
        Plan { ruling: Some(ruling), ..Plan::default() }
    }

    pub(crate) fn sign(
        signer: Signer<'_, '_>,
        keys: &LoadedKeys,
        tell: &Tell<'_>,
        header: &Header,
        receiver: &Receiver,
        state: &State,
    ) -> Plan {
        let insert = match signer.finish() {
            Ok(fields) => fields,
            Err(refusal) => return Plan::cannot_sign(&refusal.into(), tell, state),
        };
        tell.signed(keys.iter().flatten().map(|(key, _)| key));
        // Forged also in the mail of our own.
        let mut remove = forged(header, &receiver.authserv_id, state);
        if state.config.settings.sign.remove_old {
            remove.extend(all(header, SIGNATURE));
        }
        Plan { remove, insert, ruling: None }
    }

    pub(crate) fn verify(
        verdict: &Verdict,
        seal: Seal<'_>,
        arriving: &Arriving,
        tell: &Tell<'_>,
        header: &Header,
        now: u64,
    ) -> Plan {
        let (state, envelope) = (&arriving.state, arriving.envelope());
        let settings = &state.config.settings;
        tell.verified(verdict, arriving);
        let ruling = ruling(&settings.policy, header, verdict);
        let action = ruling.as_ref().map_or(Action::Accept, |ruling| ruling.action);
        let received_spf = envelope.as_ref().filter(|_| settings.verify.received_spf);
        let mut remove = forged(header, &verdict.authserv_id, state);
        if received_spf.is_some() {
            // Readers of this field take any for ours.
            remove.extend(all(header, RECEIVED_SPF));
        }
        let fields = verdict.fields(received_spf, now, Charset::Ascii);
        let mut insert: Vec<Vec<u8>> = fields.into_iter().map(String::into_bytes).collect();
        // What is refused is not handed on.
        if matches!(action, Action::Accept | Action::Quarantine) {
            match seal.finish(verdict) {
                Ok(Some(set)) => {
                    tell.sealed(verdict);
                    insert.extend([set.seal, set.message_signature, set.authentication_results]);
                }
                Ok(None) => {}
                Err(reason) => tell.not_sealed(&reason),
            }
        }
        if let Some(history) = state.history() {
            let is_dry = settings.dry_run;
            let recorded = Recorded {
                job: tell.id,
                reporter: tell.mta.unwrap_or(state.host()),
                received: now,
                action: if is_dry { Action::Accept } else { action },
            };
            history.record(&recorded, verdict, arriving, tell.log);
        }
        Plan { remove, insert, ruling }
    }

    /// What becomes of the message.
    pub(crate) fn action(&self) -> Action {
        self.ruling.as_ref().map(|ruling| ruling.action).unwrap_or_default()
    }

    /// Changes the message and replies; or, in a dry run, says so.
    pub(crate) fn apply(
        &self,
        wire: &mut Wire,
        tell: &Tell<'_>,
        state: &State,
    ) -> Result<(), ReplyError> {
        let is_dry = state.config.settings.dry_run;
        let ruling = self.ruling.as_ref().filter(|it| it.action != Action::Accept);
        if let Some(ruling) = ruling {
            tell.ruling(ruling, is_dry);
        }
        let (session, out) = (&mut wire.session, &mut wire.out);
        let refusal = match ruling {
            Some(Ruling { action: Action::Discard, .. }) => Some(Reply::Discard),
            ruling => ruling.and_then(Ruling::reply).map(Reply::Smtp),
        };
        if is_dry {
            if refusal.is_none() {
                self.tell(tell);
            }
            return session.reply(&Reply::Accept, out);
        }
        if let Some(refusal) = refusal {
            return session.reply(&refusal, out);
        }
        for &(name, number) in &self.remove {
            let index = u32::try_from(number).unwrap_or(u32::MAX);
            let (name, value) = (name.as_bytes(), &b""[..]);
            session.modify(&Modification::ChangeHeader { index, name, value }, out)?;
        }
        for field in self.insert.iter().rev() {
            let (name, value) = split(field);
            session.modify(&Modification::InsertHeader { index: 0, name, value }, out)?;
        }
        if let Some(ruling) = ruling.filter(|it| it.action == Action::Quarantine) {
            if session.agreed().actions.contains(Actions::QUARANTINE) {
                let reason = ruling.reason.as_bytes();
                session.modify(&Modification::Quarantine { reason }, out)?;
            } else {
                warn(tell.log, tell.id, "the MTA offers no quarantine: it is delivered");
            }
        }
        session.reply(&Reply::Accept, out)
    }

    /// What a dry run leaves.
    fn tell(&self, tell: &Tell<'_>) {
        for (name, number) in &self.remove {
            tell.would(format_args!("would remove field {number} of the name {name}"));
        }
        for field in &self.insert {
            let (name, value) = split(field);
            let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
            let words: Vec<&str> = value.split_ascii_whitespace().collect();
            tell.would(format_args!("would add {name}: {}", words.join(" ")));
        }
    }
}

/// Name and value of a field that is complete.
fn split(field: &[u8]) -> (&[u8], &[u8]) {
    let colon = field.iter().position(|&octet| octet == b':').unwrap_or(field.len());
    let (name, value) = field.split_at_checked(colon).unwrap_or_default();
    let value = value.strip_prefix(b":").unwrap_or(value);
    (name, value.strip_suffix(b"\r\n").unwrap_or(value))
}
