//! Verifying one received message.

use std::net::IpAddr;
use std::sync::{Mutex, TryLockError};

use mailproof_dmarc::{DmarcResult, Identifier};
use mailproof_dns::{Answers, Missing, Name};
use mailproof_message::{AuthorDomain, Header, author_domain, split};
use mailproof_spf::{Checker, HeloPolicy, Identities, Session, SpfResult};

use crate::iprev::{Iprev, iprev};
use crate::keys::KeyRecords;
use crate::limits::Limits;
use crate::outcome::Verdict;
use crate::policy::Policy;

/// Whoever receives messages and verifies them: its name, local policy and limits, and what it keeps
/// between messages. One for all threads.
#[derive(Debug)]
pub struct Receiver {
    /// The authserv-id (RFC 8601 2.5) of the results; in SPF the name of the receiving host.
    pub authserv_id: String,
    /// Local policy.
    pub policy: Policy,
    /// What one message may cost.
    pub limits: Limits,
    keys: KeyRecords,
    /// Has the records of SPF that were parsed before.
    checker: Mutex<Checker>,
}

/// What the SMTP session says about a message (RFC 5321 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The address of the client.
    pub ip: IpAddr,
    /// The argument of the last HELO or EHLO.
    pub helo: &'a str,
    /// The reverse-path of the MAIL command, with or without angle brackets, empty where it is null.
    pub mail_from: &'a str,
}

impl Receiver {
    /// A receiver of this name, with default policy and limits.
    pub fn new(authserv_id: impl Into<String>) -> Receiver {
        Receiver::with(authserv_id, Policy::default(), Limits::default())
    }

    /// A receiver of this name.
    pub fn with(authserv_id: impl Into<String>, policy: Policy, limits: Limits) -> Receiver {
        Receiver {
            authserv_id: authserv_id.into(),
            policy,
            keys: KeyRecords::new(limits.kept_keys),
            checker: Mutex::new(Checker::new(limits.spf)),
            limits,
        }
    }

    /// Begins to verify a message; `now` is in seconds since 1970-01-01 UTC.
    ///
    /// Without an envelope there is neither SPF nor iprev, and DMARC has DKIM alone.
    pub fn verifier<'a>(
        &'a self,
        header: &'a Header,
        envelope: Option<Envelope<'a>>,
        now: u64,
    ) -> Verifier<'a> {
        let Policy { dkim, arc, .. } = &self.policy;
        let limits = &self.limits;
        let mut dkim =
            mailproof_dkim::Verifier::with(header, now, dkim.clone(), limits.dkim.clone());
        let mut arc = mailproof_arc::Validator::with(header, now, arc.clone(), limits.arc.clone());
        arc.share_body(&mut dkim);
        let about = About { receiver: self, header, author: author_domain(header), envelope, now };
        Verifier { about, dkim, arc }
    }

    /// Names what SPF and iprev will ask about a client and its reverse-path, so that a caller can
    /// have it looked up before the message comes.
    ///
    /// # Errors
    /// The questions that are not answered yet.
    pub fn foresee(
        &self,
        envelope: &Envelope<'_>,
        now: u64,
        answers: &Answers,
    ) -> Result<(), Missing> {
        let mut missing = Missing::new();
        merge(&mut missing, self.spf(envelope, now, answers));
        merge(&mut missing, iprev(envelope.ip, self.limits.reverse_names, answers));
        missing.into_result()
    }

    fn session<'s>(&'s self, envelope: &Envelope<'s>, now: u64) -> Session<'s> {
        Session {
            ip: envelope.ip,
            helo: envelope.helo,
            reverse_path: envelope.mail_from,
            receiver: Some(&self.authserv_id),
            now,
        }
    }

    fn spf(
        &self,
        envelope: &Envelope<'_>,
        now: u64,
        answers: &Answers,
    ) -> Result<Identities, Missing> {
        let session = self.session(envelope, now);
        let check = |checker: &mut Checker| {
            checker.check_identities(&session, HeloPolicy::CheckBoth, answers)
        };
        // Nobody waits for another message: records are parsed anew then.
        match self.checker.try_lock() {
            Ok(mut checker) => check(&mut checker),
            Err(TryLockError::Poisoned(poisoned)) => check(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => check(&mut Checker::new(self.limits.spf)),
        }
    }

    /// Verifies a message that is at hand as a whole. Each call hashes the body: with
    /// [`mailproof_dns::resolve`], better use [`Receiver::verifier`] and call
    /// [`Verification::verify`].
    ///
    /// # Errors
    /// The questions that are not answered yet.
    pub fn verify(
        &self,
        message: &[u8],
        envelope: Option<Envelope<'_>>,
        now: u64,
        answers: &Answers,
    ) -> Result<Verdict, Missing> {
        let (header, body) = split(message);
        let mut verifier = self.verifier(&header, envelope, now);
        verifier.body(body);
        verifier.finish().verify(answers)
    }
}

/// What is known of a message before its body.
struct About<'a> {
    receiver: &'a Receiver,
    header: &'a Header,
    author: AuthorDomain,
    envelope: Option<Envelope<'a>>,
    now: u64,
}

/// A message whose header section is read and whose body comes in chunks.
pub struct Verifier<'a> {
    about: About<'a>,
    dkim: mailproof_dkim::Verifier<'a>,
    arc: mailproof_arc::Validator<'a>,
}

/// A message that is read and waits for answers from the DNS.
pub struct Verification<'a> {
    about: About<'a>,
    dkim: mailproof_dkim::Verification<'a>,
    arc: mailproof_arc::Validation<'a>,
    /// What was computed when its keys were known, so that it is computed once.
    dkim_outcome: Option<mailproof_dkim::Outcome>,
    arc_outcome: Option<mailproof_arc::Outcome>,
}

impl<'a> Verifier<'a> {
    /// Takes the next octets of the body.
    pub fn body(&mut self, chunk: &[u8]) {
        self.dkim.body(chunk);
    }

    /// Names what will be asked, as far as it is known by now, so that a caller can have it looked
    /// up while the body is still coming.
    ///
    /// # Errors
    /// The questions that are not answered yet.
    pub fn foresee(&self, answers: &Answers) -> Result<(), Missing> {
        let About { receiver, envelope, .. } = &self.about;
        let mut missing = Missing::new();
        merge(&mut missing, self.dkim.keys(answers));
        let identifiers = self.about.possible(self.dkim.pending_domains(), None);
        merge(&mut missing, self.about.dmarc(identifiers, answers));
        merge(&mut missing, self.about.spf(answers));
        merge(&mut missing, self.arc.keys(answers));
        if let Some(envelope) = envelope {
            merge(&mut missing, iprev(envelope.ip, receiver.limits.reverse_names, answers));
        }
        missing.into_result()
    }

    /// Ends the body.
    pub fn finish(self) -> Verification<'a> {
        let Verifier { about, dkim, arc } = self;
        let (arc, dkim) = arc.finish_with(dkim);
        Verification { about, dkim, arc, dkim_outcome: None, arc_outcome: None }
    }
}

impl Verification<'_> {
    /// What verifying finds: SPF, DKIM, ARC, DMARC and iprev from one snapshot of the DNS.
    ///
    /// Until all is known, signatures are verified once, when their keys are: `answers` may only
    /// grow from call to call, as the drivers of [`mailproof_dns`] do it.
    ///
    /// # Errors
    /// The questions that are not answered yet, of all methods together.
    pub fn verify(&mut self, answers: &Answers) -> Result<Verdict, Missing> {
        let About { receiver, header, author, envelope, .. } = &self.about;
        let mut missing = Missing::new();
        if self.dkim_outcome.is_none() {
            self.dkim_outcome = merge(&mut missing, self.dkim.verify_with(answers, &receiver.keys));
        }
        let spf = self.about.spf(answers);
        let identifiers = match (&self.dkim_outcome, &spf) {
            (Some(dkim), Ok(spf)) => identifiers(dkim, spf.as_ref()),
            (Some(dkim), Err(_)) => self.about.possible([], Some(dkim)),
            (None, _) => self.about.possible(self.dkim.pending_domains(), None),
        };
        let dmarc = merge(&mut missing, self.about.dmarc(identifiers, answers));
        let spf = merge(&mut missing, spf);
        if self.arc_outcome.is_none() {
            self.arc_outcome = merge(&mut missing, self.arc.validate_with(answers, &receiver.keys));
        }
        let client = envelope
            .map(|envelope| iprev(envelope.ip, receiver.limits.reverse_names, answers))
            .transpose();
        let client: Option<Option<Iprev>> = merge(&mut missing, client);
        let (Some(spf), Some(dmarc), Some(iprev), true) =
            (spf, dmarc, client, self.dkim_outcome.is_some() && self.arc_outcome.is_some())
        else {
            return Err(missing);
        };
        let (Some(dkim), Some(arc)) = (self.dkim_outcome.take(), self.arc_outcome.take()) else {
            return Err(missing);
        };
        let trusted = &receiver.policy.trusted_sealers;
        let arc_override = match (&dmarc.author_domain, dmarc.result) {
            // A chain speaks for one author; the others would be let pass with that one.
            (Some(author), DmarcResult::Fail) if dmarc.others.is_empty() => {
                trusted.dmarc_override(&arc, header, author)
            }
            _ => None,
        };
        Ok(Verdict {
            authserv_id: receiver.authserv_id.clone(),
            reported_signatures: receiver.limits.reported_signatures,
            author_domain: author.clone(),
            iprev,
            spf,
            dkim,
            arc,
            dmarc,
            arc_override,
        })
    }
}

impl About<'_> {
    fn spf(&self, answers: &Answers) -> Result<Option<Identities>, Missing> {
        let Some(envelope) = &self.envelope else { return Ok(None) };
        self.receiver.spf(envelope, self.now, answers).map(Some)
    }

    /// RFC 9989 5.3. What is no Author Domain by the grammar is none here.
    fn dmarc(
        &self,
        identifiers: Vec<Identifier>,
        answers: &Answers,
    ) -> Result<mailproof_dmarc::Outcome, Missing> {
        let authors = self.author.domains().iter().filter_map(|domain| domain.parse::<Name>().ok());
        let request = mailproof_dmarc::Request {
            identifiers,
            discovery: self.receiver.policy.discovery,
            ..mailproof_dmarc::Request::new(authors)
        };
        mailproof_dmarc::evaluate_with(&request, answers, &self.receiver.limits.dmarc)
    }

    /// The identifiers that may come out of SPF, and of DKIM unless it is known: what they would
    /// have DMARC ask can be asked at once.
    fn possible<'n>(
        &self,
        pending: impl IntoIterator<Item = &'n Name>,
        dkim: Option<&mailproof_dkim::Outcome>,
    ) -> Vec<Identifier> {
        let mut possible = dkim.map(|dkim| identifiers(dkim, None)).unwrap_or_default();
        possible.extend(pending.into_iter().map(|domain| Identifier::dkim(domain.clone())));
        if let Some(envelope) = &self.envelope {
            let session = self.receiver.session(envelope, self.now);
            let domain = session.mail_from().domain().ok().cloned();
            possible.extend(domain.map(Identifier::spf));
        }
        possible
    }
}

/// The Authenticated Identifiers (RFC 9989 3.2.1), as types from type to type.
///
/// RFC 9989 4.4.2: of SPF the MAIL FROM identity alone; a pass of HELO is none.
pub(crate) fn identifiers(
    dkim: &mailproof_dkim::Outcome,
    spf: Option<&Identities>,
) -> Vec<Identifier> {
    let dkim = dkim.signatures.iter().filter_map(|signature| {
        let identifier = Identifier::dkim(signature.domain.clone()?);
        match signature.result() {
            mailproof_dkim::DkimResult::Pass => Some(identifier),
            mailproof_dkim::DkimResult::Temperror => Some(identifier.undecided()),
            _ => None,
        }
    });
    let spf = spf.and_then(|spf| spf.mail_from.as_ref()).and_then(|mail_from| {
        let identifier = Identifier::spf(mail_from.domain.clone()?);
        match mail_from.result {
            SpfResult::Pass => Some(identifier),
            SpfResult::Temperror => Some(identifier.undecided()),
            _ => None,
        }
    });
    dkim.chain(spf).collect()
}

/// The value, if it is known; else its questions are added to `missing`.
fn merge<T>(missing: &mut Missing, result: Result<T, Missing>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(more) => {
            missing.merge(more);
            None
        }
    }
}
