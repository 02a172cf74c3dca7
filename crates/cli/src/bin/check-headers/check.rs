//! Checking one message.

use std::io::Read;

use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::input::reason;
use mailproof_cli::instant::Instant;
use mailproof_dkim::{
    Diagnosis, DiagnosisLimits, DkimResult, Outcome, SignatureOutcome, Verifier, diagnose,
};
use mailproof_dns::Answers;
use mailproof_message::{CrlfReader, Header, Limits, ReadError, read_header};

use crate::canonical::Bodies;

/// How much of a body is kept for the case that a signature fails and the reason is looked for; a
/// limit on the memory of a run.
const BODY_KEPT: usize = 2 << 20;

/// For how many failing signatures of a message the reason is looked for; each search may take half
/// a second.
const DIAGNOSED: usize = 4;

/// A message and what was found about it.
pub(crate) struct Checked {
    pub(crate) header: Header,
    pub(crate) dkim: Outcome,
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
        judged.checks.as_ref()?;
        let failing = |other: &&SignatureOutcome| other.result() != DkimResult::Pass;
        let mut first = self.dkim.signatures.iter().filter(failing).take(DIAGNOSED);
        first.find(|first| first.field == judged.field)?;
        let limits = DiagnosisLimits::default();
        Some(diagnose(&self.header, body, judged, &self.answers, &limits))
    }

    /// Good if one signature passes; temporary if one may.
    pub(crate) fn exit(&self) -> Exit {
        match self.dkim.result() {
            DkimResult::Pass => Exit::Good,
            DkimResult::Temperror => Exit::Temporary,
            DkimResult::None
            | DkimResult::Fail
            | DkimResult::Policy
            | DkimResult::Neutral
            | DkimResult::Permerror => Exit::Bad,
        }
    }
}

/// Reads the message, in constant memory unless the canonical forms are to be kept, and verifies.
pub(crate) fn check(
    name: &str,
    reader: &mut dyn Read,
    source: &mut Source,
    now: Instant,
    keep_canonical: bool,
) -> Result<Checked, Trouble> {
    let unreadable = |error: ReadError| match error {
        ReadError::Io(error) => Trouble::input(name, reason(&error)),
        other => Trouble::input(name, other),
    };
    let (header, mut body) =
        read_header(CrlfReader::new(reader), &Limits::default()).map_err(unreadable)?;
    if !is_mail(&header) {
        return Err(Trouble::input(name, "not a mail message: it has no header field of mail"));
    }
    let mut verifier = Verifier::new(&header, now.0);
    let mut kept = Some(Vec::new());
    let mut bodies = keep_canonical.then(Bodies::default);
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
    let verification = verifier.finish();
    let (dkim, answers) = source.resolve(|answers| verification.verify(answers))?;
    drop(verification);
    Ok(Checked { header, dkim, answers, body: kept, bodies })
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
