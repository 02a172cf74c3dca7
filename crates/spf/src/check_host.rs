//! `check_host` (RFC 7208 4), with the explanation of a fail (6.2).

use mailproof_dns::{Answers, Data, Missing, Name, RecordType, Response};

use crate::cause::Cause;
use crate::evaluate::{Checked, Deciding, Evaluation, Stop, TargetName, malformed};
use crate::expand::{self, Values};
use crate::kept::Records;
use crate::limits::Limits;
use crate::outcome::{DecidingTerm, Explanation, Outcome, SpfResult};
use crate::parse::parse_explain_string;
use crate::record::Record;
use crate::request::Request;
use crate::trace::{Recorder, Trace, Tracer};

/// How many parsed records a [`Checker`] keeps before it forgets them all.
const KEPT_RECORDS: usize = 1024;

/// `check_host` (RFC 7208 4) of a request, by the answers known so far, within the default
/// [`Limits`].
///
/// It parses the records each time it is called; a [`Checker`] keeps them between calls.
///
/// # Errors
/// The questions whose answers are missing.
pub fn check_host(request: &Request<'_>, answers: &Answers) -> Result<Outcome, Missing> {
    let (limits, mut records) = (Limits::default(), Records::new(0));
    Evaluation::new(request, answers, &limits, &mut records, ()).run().map(|(outcome, ())| outcome)
}

/// `check_host` with limits of one's own, and with the parsed records kept: between the passes of
/// one message, so that a hostile record costs one parse, or between messages.
#[derive(Debug)]
pub struct Checker {
    limits: Limits,
    records: Records,
}

impl Default for Checker {
    fn default() -> Checker {
        Checker::new(Limits::default())
    }
}

impl Checker {
    /// A checker that keeps no record yet.
    pub fn new(limits: Limits) -> Checker {
        Checker { limits, records: Records::new(KEPT_RECORDS) }
    }

    /// As [`check_host`].
    ///
    /// # Errors
    /// The questions whose answers are missing.
    pub fn check_host(
        &mut self,
        request: &Request<'_>,
        answers: &Answers,
    ) -> Result<Outcome, Missing> {
        let Checker { limits, records } = self;
        Evaluation::new(request, answers, limits, records, ()).run().map(|(outcome, ())| outcome)
    }

    /// As [`check_host`], with all that the evaluation did.
    ///
    /// # Errors
    /// The questions whose answers are missing.
    pub fn trace(
        &mut self,
        request: &Request<'_>,
        answers: &Answers,
    ) -> Result<(Outcome, Trace), Missing> {
        let Checker { limits, records } = self;
        let evaluation = Evaluation::new(request, answers, limits, records, Recorder::default());
        let (outcome, recorder) = evaluation.run()?;
        let Recorder { root: check, loose: explanation, .. } = recorder;
        Ok((outcome, Trace { limits: *limits, check, explanation }))
    }
}

impl<T: Tracer> Evaluation<'_, T> {
    fn run(mut self) -> Result<(Outcome, T), Missing> {
        let request = self.request;
        let checked = match &request.domain {
            Ok(domain) => self.check(domain),
            // RFC 7208 4.3: "If the <domain> is malformed […], check_host() immediately returns
            // the result "none"."
            Err(error) => malformed(request.domain_text.to_owned(), *error),
        };
        let deciding = self.deciding.take();
        let mut explanation = None;
        if self.unknown == 0
            && let (Ok(SpfResult::Fail), Some(deciding)) = (&checked, &deciding)
        {
            explanation = self.explanation(deciding);
        }
        if self.unknown > 0 {
            return Err(self.missing);
        }
        let (cause, term) = match checked {
            Ok(_) => decided(deciding.as_ref()),
            Err(stop) => {
                let Stop { cause, term } = *stop;
                (cause, term)
            }
        };
        let outcome = Outcome {
            result: cause.result(),
            cause,
            identity: request.identity,
            domain: request.domain.as_ref().ok().cloned(),
            term,
            explanation,
            counts: self.counts,
            ttl: if self.personal { None } else { self.ttl },
        };
        Ok((outcome, self.tracer))
    }

    /// RFC 7208 6.2: the explanation of a fail, if it is by a mechanism and all goes well.
    fn explanation(&mut self, deciding: &Deciding) -> Option<Explanation> {
        deciding.directive?;
        let record = deciding.record.parsed.as_ref().ok()?;
        let domain = deciding.record.owner.clone();
        // RFC 7208 4.6.4: `exp` "is not subject to this limit".
        self.explaining = true;
        let (ttl, personal) = (self.ttl, self.personal);
        let text = self.explain(&domain, record).ok().flatten();
        (self.ttl, self.personal) = (ttl, personal);
        text.map(|text| Explanation { domain, text })
    }

    fn explain(&mut self, domain: &Name, record: &Record) -> Checked<Option<String>> {
        let Some((spec, _)) = record.explanation() else { return Ok(None) };
        let TargetName::Name(target) = self.target(Some(spec), domain)? else { return Ok(None) };
        let Some(response) = self.ask(&target, RecordType::Txt)? else { return Ok(None) };
        // RFC 7208 6.2: "If there are any DNS processing errors (any RCODE other than 0), or if no
        // records are returned, or if more than one record is returned, or if there are syntax
        // errors in the explanation string, then proceed as if no "exp" modifier was given."
        let Some(text) = only_text(response) else { return Ok(None) };
        let Ok(text) = parse_explain_string(text) else { return Ok(None) };
        let mut values = Values { request: self.request, domain, ptr: None };
        if expand::uses_ptr(text.parts()) {
            values.ptr = self.validated_name(domain)?;
        }
        let most = self.limits.explanation_octets;
        Ok(expand::explain_string(text.parts(), &values, most))
    }
}

fn only_text(response: &Response) -> Option<&[u8]> {
    match response.data() {
        [Data::Txt(text)] => Some(text.joined()),
        _ => None,
    }
}

/// The cause, and the directive that matched.
fn decided(deciding: Option<&Deciding>) -> (Cause, Option<DecidingTerm>) {
    let matched = deciding.and_then(|Deciding { record: held, directive }| {
        let record = held.parsed.as_ref().ok()?;
        let term = record.terms.get((*directive)?)?;
        let crate::record::Term::Directive(directive) = term else { return None };
        let term = DecidingTerm {
            owner: held.owner.clone(),
            span: directive.span.clone(),
            text: directive.to_string(),
        };
        Some((Cause::Match { qualifier: directive.qualifier }, Some(term)))
    });
    matched.unwrap_or((Cause::NoMatch, None))
}
