//! Checking one message.

use std::io::Read;

use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::input::reason;
use mailproof_cli::instant::Instant;
use mailproof_dkim::{DkimResult, Outcome, Verifier};
use mailproof_dns::Answers;
use mailproof_message::{CrlfReader, Header, Limits, ReadError, read_header};

use crate::canonical::Bodies;

/// A message and what was found about it.
pub(crate) struct Checked {
    pub(crate) header: Header,
    pub(crate) dkim: Outcome,
    /// What the DNS said.
    pub(crate) answers: Answers,
    /// The canonical bodies, if they are to be shown.
    pub(crate) bodies: Option<Bodies>,
}

impl Checked {
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
    if header.fields().all(|field| field.name().is_none()) {
        return Err(Trouble::input(name, "not a mail message: it has no header field"));
    }
    let mut verifier = Verifier::new(&header, now.0);
    let mut bodies = keep_canonical.then(Bodies::default);
    while let Some(chunk) = body.next_chunk().map_err(|error| unreadable(error.into()))? {
        verifier.body(chunk);
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
    Ok(Checked { header, dkim, answers, bodies })
}
