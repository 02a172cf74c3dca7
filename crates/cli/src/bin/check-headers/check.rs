//! Checking one message.

use std::io::Read;
use std::sync::Arc;

use mailproof::arc::SetOutcome;
use mailproof::{Receiver, Verdict, dmarc};
use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::input::reason;
use mailproof_cli::instant::Instant;
use mailproof_cli::selectors;
use mailproof_dkim::{
    Cause, Diagnosis, DiagnosisLimits, DkimResult, Finding, Outcome, SignatureOutcome, diagnose,
};
use mailproof_dns::{Answers, Data, Missing, Name, Question, Zone};
use mailproof_message::{CrlfReader, Header, Limits, ReadError, read_header};

use crate::canonical::Bodies;
use crate::cli::{Cli, Only};
use crate::envelope::{Envelope, envelope};
use crate::exits;

/// How much of a body is kept for the case that a signature fails and the reason is looked for; a
/// limit on the memory of a run.
const BODY_KEPT: usize = 2 << 20;

/// For how many failing signatures of a message the reason is looked for; each search may take half
/// a second.
const DIAGNOSED: usize = 4;

/// For how many domains other keys are looked for.
const DOMAINS: usize = 3;

/// How many other keys of a domain are taken from zone files; a limit on the work of a run.
const KEYS: usize = 16;

/// A message and what was found about it.
pub(crate) struct Checked {
    pub(crate) header: Header,
    pub(crate) dkim: Outcome,
    /// What all methods found; `None` if only DKIM was checked.
    pub(crate) verdict: Option<Verdict>,
    /// What DMARC says by RFC 7489, which many receivers still follow; `None` if only DKIM was
    /// checked.
    pub(crate) older: Option<dmarc::Outcome>,
    /// The envelope, or why there is none.
    pub(crate) envelope: Result<Envelope, String>,
    /// What the DNS said.
    pub(crate) answers: Answers,
    /// The body as it came, unless it is too long to be kept.
    body: Option<Vec<u8>>,
    /// The canonical bodies, if they are to be shown.
    pub(crate) bodies: Option<Bodies>,
}

impl Checked {
    /// What was done to the message on its way, if that can be found out for this signature.
    pub(crate) fn diagnosis(&self, judged: &SignatureOutcome) -> Option<Diagnosis> {
        let body = self.body.as_ref()?;
        if judged.checks.is_none() && !may_have_another_key(judged) {
            return None;
        }
        let failing = |other: &&SignatureOutcome| other.result() != DkimResult::Pass;
        let mut first = self.dkim.signatures.iter().filter(failing).take(DIAGNOSED);
        first.find(|first| first.field == judged.field)?;
        let limits = DiagnosisLimits::default();
        let diagnosis = diagnose(&self.header, body, judged, &self.answers, &limits);
        // Without a key there is nothing to tell.
        (diagnosis.header != Finding::NotExamined || judged.checks.is_some()).then_some(diagnosis)
    }

    /// The same for the ARC-Message-Signature of a set: what was done since it was sealed. Few are
    /// looked at, since validating a chain ends with the first that fails.
    pub(crate) fn set_diagnosis(&self, set: &SetOutcome) -> Option<Diagnosis> {
        let body = self.body.as_ref()?;
        let cause = set.message_signature_cause.clone()?;
        let signature = &set.message_signature.as_ref().ok()?.signature;
        if cause.result() != DkimResult::Fail {
            return None;
        }
        let [_, field, _] = set.places;
        let judged = SignatureOutcome {
            cause,
            field,
            domain: Some(signature.domain.clone()),
            selector: Some(signature.selector.clone()),
            signature: Some(Arc::new(signature.clone())),
            key: None,
            checks: None,
        };
        let limits = DiagnosisLimits::default();
        Some(diagnose(&self.header, body, &judged, &self.answers, &limits))
    }

    /// How a run with this message alone would end.
    pub(crate) fn exit(&self, cli: &Cli) -> Exit {
        match &self.verdict {
            Some(verdict) => exits::required(verdict, &cli.require),
            None => exits::dkim(&self.dkim),
        }
    }
}

/// What a run checks messages with.
pub(crate) struct Checker<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) receiver: Receiver,
    pub(crate) source: Source,
    pub(crate) now: Instant,
}

impl Checker<'_> {
    /// Reads the message, in constant memory unless the canonical forms are to be kept, and
    /// verifies.
    pub(crate) fn check(&mut self, name: &str, reader: &mut dyn Read) -> Result<Checked, Trouble> {
        let unreadable = |error: ReadError| match error {
            ReadError::Io(error) => Trouble::input(name, reason(&error)),
            other => Trouble::input(name, other),
        };
        let (header, mut body) =
            read_header(CrlfReader::new(reader), &Limits::default()).map_err(unreadable)?;
        if !is_mail(&header) {
            return Err(Trouble::input(name, format!("not a mail message: {}", not_mail(&header))));
        }
        let Checker { cli, receiver, source, now } = self;
        let envelope = envelope(&cli.envelope, &header);
        let mut verifier = match cli.only {
            Some(Only::Dkim) => Verifier::dkim(&header, *now),
            None => Verifier::all(receiver, &header, envelope.as_ref().ok(), *now),
        };
        let mut kept = Some(Vec::new());
        let mut bodies = cli.show.is_some().then(Bodies::default);
        while let Some(chunk) = body.next_chunk().map_err(|error| unreadable(error.into()))? {
            verifier.body(chunk);
            kept = kept.filter(|kept| kept.len() + chunk.len() <= BODY_KEPT);
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(chunk);
            }
            if let Some(bodies) = &mut bodies {
                bodies.update(chunk);
            }
        }
        if let Some(bodies) = &mut bodies {
            bodies.finish();
        }
        let Finished { dkim, verdict, older, mut answers } = verifier.finish(source)?;
        if let Some(zone) = source.zone() {
            add_keys(zone, &dkim, &mut answers);
        }
        Ok(Checked { header, dkim, verdict, older, envelope, answers, body: kept, bodies })
    }
}

/// Every method, or DKIM alone.
enum Verifier<'a> {
    All(Box<mailproof::Verifier<'a>>),
    Dkim(Box<mailproof_dkim::Verifier<'a>>),
}

impl<'a> Verifier<'a> {
    fn dkim(header: &'a Header, now: Instant) -> Verifier<'a> {
        Verifier::Dkim(Box::new(mailproof_dkim::Verifier::new(header, now.0)))
    }

    fn all(
        receiver: &'a Receiver,
        header: &'a Header,
        envelope: Option<&'a Envelope>,
        now: Instant,
    ) -> Verifier<'a> {
        let envelope = envelope.map(|envelope| mailproof::Envelope {
            ip: envelope.ip,
            helo: &envelope.helo,
            mail_from: &envelope.mail_from,
        });
        Verifier::All(Box::new(receiver.verifier(header, envelope, now.0)))
    }

    fn body(&mut self, chunk: &[u8]) {
        match self {
            Verifier::All(verifier) => verifier.body(chunk),
            Verifier::Dkim(verifier) => verifier.body(chunk),
        }
    }

    fn finish(self, source: &mut Source) -> Result<Finished, Trouble> {
        match self {
            Verifier::All(verifier) => {
                let mut verification = verifier.finish();
                let mut found = None;
                let asks = source.zone().is_none();
                let ((verdict, older), answers) = source.resolve(|answers| {
                    let verdict = match found.take() {
                        Some(verdict) => verdict,
                        None => verification.verify(answers)?,
                    };
                    let keys = if asks { usual_keys(&verdict.dkim, answers) } else { Ok(()) };
                    match older(&verdict, answers).and_then(|older| keys.map(|()| older)) {
                        Ok(older) => Ok((verdict, older)),
                        Err(missing) => {
                            found = Some(verdict);
                            Err(missing)
                        }
                    }
                })?;
                let dkim = verdict.dkim.clone();
                Ok(Finished { dkim, verdict: Some(verdict), older: Some(older), answers })
            }
            Verifier::Dkim(verifier) => {
                let verification = verifier.finish();
                let mut found = None;
                let asks = source.zone().is_none();
                let (dkim, answers) = source.resolve(|answers| {
                    let dkim = match found.take() {
                        Some(dkim) => dkim,
                        None => verification.verify(answers)?,
                    };
                    match if asks { usual_keys(&dkim, answers) } else { Ok(()) } {
                        Ok(()) => Ok(dkim),
                        Err(missing) => {
                            found = Some(dkim);
                            Err(missing)
                        }
                    }
                })?;
                Ok(Finished { dkim, verdict: None, older: None, answers })
            }
        }
    }
}

/// What verifying found.
struct Finished {
    dkim: Outcome,
    verdict: Option<Verdict>,
    older: Option<dmarc::Outcome>,
    answers: Answers,
}

/// Whether the signature may be of another key of its domain than the one it names.
fn may_have_another_key(judged: &SignatureOutcome) -> bool {
    match &judged.checks {
        Some(checks) => !checks.header_matches,
        None => matches!(judged.cause, Cause::NoKey { .. } | Cause::KeyRevoked),
    }
}

/// Where the keys of the domains are whose signatures may be of another one than they name.
fn nodes(dkim: &Outcome) -> Vec<Name> {
    let suspects = dkim.signatures.iter().filter(|one| may_have_another_key(one));
    let mut nodes: Vec<Name> =
        suspects.filter_map(|one| one.domain.as_ref()?.prepend("_domainkey").ok()).collect();
    nodes.sort();
    nodes.dedup();
    nodes.truncate(DOMAINS);
    nodes
}

/// Has the keys of usual selectors looked up, within the time and the budget of the message.
fn usual_keys(dkim: &Outcome, answers: &Answers) -> Result<(), Missing> {
    let mut missing = Missing::new();
    for node in nodes(dkim) {
        for name in selectors::USUAL.iter().filter_map(|selector| node.prepend(selector).ok()) {
            missing.lookup(answers, &Question::txt(name));
        }
    }
    missing.into_result()
}

/// Adds the keys that zone files have.
fn add_keys(zone: &Zone, dkim: &Outcome, answers: &mut Answers) {
    for node in nodes(dkim) {
        let is_key =
            |name: &Name, data: &Data| matches!(data, Data::Txt(_)) && name.is_at_or_below(&node);
        let keys = zone.records().iter().filter(|record| is_key(&record.name, &record.data));
        for record in keys.take(KEYS) {
            let question = Question::txt(record.name.clone());
            if answers.lookup(&question).is_none() {
                let response = zone.lookup(&question);
                answers.insert(question, response);
            }
        }
    }
}

/// DMARC as RFC 7489 has it, with the Public Suffix List.
fn older(verdict: &Verdict, answers: &Answers) -> Result<dmarc::Outcome, Missing> {
    let authors = verdict.author_domain.domains().iter();
    let request = dmarc::Request {
        identifiers: verdict.identifiers(),
        discovery: dmarc::Discovery::PublicSuffixList,
        ..dmarc::Request::new(authors.filter_map(|author| author.parse().ok()))
    };
    dmarc::evaluate(&request, answers)
}

/// What is wrong with a file that is no mail message, as far as its first octets tell.
fn not_mail(header: &Header) -> &'static str {
    match header.octets() {
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "it is a file of Outlook (.msg); save the message as .eml",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is text in UTF-16; save the message as it came",
        [] | [b'\r' | b'\n', ..] => "it begins with an empty line, which ends the header section",
        _ => "it has no header field of mail",
    }
}

/// Whether this is the header of a mail message, however malformed, and not the beginning of
/// another file in which some line happens to have a colon.
fn is_mail(header: &Header) -> bool {
    const USUAL: [&str; 8] = [
        "from",
        "received",
        "date",
        "to",
        "subject",
        "message-id",
        "return-path",
        "dkim-signature",
    ];
    header.fields().any(|field| {
        let is_usual = USUAL.iter().any(|name| field.is(name));
        is_usual || field.name().is_some() && header.defects().is_empty()
    })
}
