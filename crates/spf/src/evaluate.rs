//! The evaluation of one request: RFC 7208 4.3 to 4.7, and what it may cost (4.6.4).

use std::borrow::Cow;

use mailproof_dns::{Answers, Missing, Name, Question, RecordType, Response};

use crate::cause::Cause;
use crate::expand::{self, Values};
use crate::kept::{Held, Records};
use crate::limits::Limits;
use crate::outcome::{Counts, DecidingTerm, SpfResult};
use crate::parse::is_spf_record;
use crate::record::{DomainSpec, Part, Record, Term};
use crate::request::{DomainError, Request};
use crate::trace::{Event, Target, Tracer};

/// One evaluation: of one request, by the answers known so far.
///
/// A term whose answer is not known counts as one that does not match, and the evaluation goes on
/// from there, only to name the questions of the terms that follow: within the limits, and up to
/// the first term that would end it. Then the outcome is not used.
pub(crate) struct Evaluation<'a, T> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) answers: &'a Answers,
    pub(crate) limits: &'a Limits,
    pub(crate) records: &'a mut Records,
    pub(crate) tracer: T,
    pub(crate) missing: Missing,
    /// How many lookups had no known answer.
    pub(crate) unknown: u32,
    pub(crate) counts: Counts,
    /// The lowest TTL of the answers.
    pub(crate) ttl: Option<u32>,
    /// A macro of the sender was expanded.
    pub(crate) personal: bool,
    /// The result is known, and explained: no limit of terms counts.
    pub(crate) explaining: bool,
    /// `%{p}` has been counted.
    ptr_counted: bool,
    /// The term being evaluated has been counted as void.
    void_counted: bool,
    /// How many includes are under way: what they come to decides nothing but their match.
    pub(crate) includes: u32,
    pub(crate) deciding: Option<Deciding>,
}

/// The record that decides, and its directive that matched, if one did.
pub(crate) struct Deciding {
    pub(crate) record: Held,
    pub(crate) directive: Option<usize>,
}

/// What the terms of a record come to: by itself, maybe at a directive, or by its redirect.
enum Terms {
    Here(SpfResult, Option<usize>),
    Redirected(SpfResult),
}

/// Why an evaluation was stopped (RFC 7208 4.6.2: an exception), and at which term.
pub(crate) struct Stop {
    pub(crate) cause: Cause,
    pub(crate) term: Option<DecidingTerm>,
}

pub(crate) type Checked<T> = Result<T, Box<Stop>>;

/// A target-name that may be used, or why not.
pub(crate) enum TargetName<'r> {
    Name(Cow<'r, Name>),
    Invalid(Vec<u8>),
    /// The term does not match: RFC 8616 4, or a reverse name that is not known yet.
    NoMatch,
}

pub(crate) fn stop<V>(cause: Cause) -> Checked<V> {
    Err(Box::new(Stop { cause, term: None }))
}

impl<'a, T: Tracer> Evaluation<'a, T> {
    pub(crate) fn new(
        request: &'a Request<'a>,
        answers: &'a Answers,
        limits: &'a Limits,
        records: &'a mut Records,
        tracer: T,
    ) -> Evaluation<'a, T> {
        Evaluation {
            request,
            answers,
            limits,
            records,
            tracer,
            missing: Missing::new(),
            unknown: 0,
            counts: Counts::default(),
            ttl: None,
            personal: false,
            explaining: false,
            ptr_counted: false,
            void_counted: false,
            includes: 0,
            deciding: None,
        }
    }

    /// `check_host` of `domain` (RFC 7208 4), the identity's or that of an include or redirect.
    pub(crate) fn check(&mut self, domain: &Name) -> Checked<SpfResult> {
        self.tracer.enter(domain);
        let checked = self.check_domain(domain);
        self.tracer.leave(match &checked {
            Ok(result) => *result,
            Err(stop) => stop.cause.result(),
        });
        checked
    }

    fn check_domain(&mut self, domain: &Name) -> Checked<SpfResult> {
        // RFC 7208 4.3: "or is not a multi-label domain name".
        if domain.label_count() < 2 {
            return malformed(domain.to_string(), DomainError::SingleLabel);
        }
        let Some(response) = self.ask(domain, RecordType::Txt)? else {
            return Ok(SpfResult::Neutral);
        };
        // RFC 7208 4.4: "If the DNS lookup returns a server failure (RCODE 2) or some other error
        // (RCODE other than 0 or 3), or if the lookup times out, then check_host() terminates
        // immediately with the result "temperror"."
        self.failed(domain, RecordType::Txt, response)?;
        let octets = self.select(domain, response)?;
        let held = self.records.parse(domain, octets, self.request.ip);
        let record = match &held.parsed {
            Ok(record) => record,
            // RFC 7208 4.6: "if there are any syntax errors anywhere in the record, check_host()
            // returns immediately with the result "permerror"".
            Err(error) => {
                let (domain, record, error) = (domain.clone(), octets.to_vec(), error.clone());
                return stop(Cause::SyntaxError { domain, record, error });
            }
        };
        match self.terms(domain, record)? {
            Terms::Here(result, directive) => {
                if self.includes == 0 {
                    self.deciding = Some(Deciding { record: held, directive });
                }
                Ok(result)
            }
            Terms::Redirected(result) => Ok(result),
        }
    }

    /// RFC 7208 4.5: the one record among the text records.
    fn select<'r>(&mut self, domain: &Name, response: &'r Response) -> Checked<&'r [u8]> {
        let mut records = select(response);
        let Some(octets) = records.next() else {
            let domain = domain.clone();
            return stop(match response {
                Response::NxDomain => Cause::DomainNotFound { domain },
                _ => Cause::NoRecord { domain },
            });
        };
        let count = 1 + records.count();
        if count > 1 {
            return stop(Cause::SeveralRecords { domain: domain.clone(), count });
        }
        self.tracer.record(octets);
        let limit = self.limits.record_octets;
        if octets.len() > limit {
            let (domain, octets) = (domain.clone(), octets.len());
            return stop(Cause::RecordTooLong { domain, octets, limit });
        }
        Ok(octets)
    }

    /// RFC 7208 4.6.2, 4.7: the terms from left to right, then the redirect.
    fn terms(&mut self, domain: &Name, record: &Record) -> Checked<Terms> {
        for (index, directive) in record.terms.iter().enumerate() {
            let Term::Directive(directive) = directive else { continue };
            self.void_counted = false;
            self.tracer.term(directive, &directive.span);
            let matched = self.mechanism(domain, &directive.mechanism);
            let event = match &matched {
                Ok(true) => Event::Match,
                Ok(false) => Event::NoMatch,
                Err(_) => Event::Exception,
            };
            self.tracer.term_end(event, self.counts);
            match matched {
                Ok(false) => {}
                Ok(true) => return Ok(Terms::Here(directive.qualifier.into(), Some(index))),
                Err(stop) => {
                    return Err(stop.at(|| DecidingTerm {
                        owner: domain.clone(),
                        span: directive.span.clone(),
                        text: directive.to_string(),
                    }));
                }
            }
        }
        // RFC 7208 6.1: "Any "redirect" modifier MUST be ignored if there is an "all" mechanism
        // anywhere in the record": `all` has matched, so none is reached.
        let Some((spec, span)) = record.redirect() else {
            return Ok(Terms::Here(SpfResult::Neutral, None));
        };
        self.void_counted = false;
        let text = format_args!("redirect={spec}");
        self.tracer.term(&text, span);
        let redirected = self.redirect(domain, spec);
        let event = if redirected.is_ok() { Event::Redirect } else { Event::Exception };
        self.tracer.term_end(event, self.counts);
        match redirected {
            Ok(Some(result)) => Ok(Terms::Redirected(result)),
            Ok(None) => Ok(Terms::Here(SpfResult::Neutral, None)),
            Err(stop) => Err(stop.at(|| DecidingTerm {
                owner: domain.clone(),
                span: span.clone(),
                text: format!("redirect={spec}"),
            })),
        }
    }

    /// RFC 7208 6.1; `None` if the redirect does not apply.
    fn redirect(&mut self, domain: &Name, spec: &DomainSpec) -> Checked<Option<SpfResult>> {
        self.count_term()?;
        match self.target(Some(spec), domain)? {
            // RFC 7208 6.1: "if no SPF record is found, or if the <target-name> is malformed, the
            // result is a "permerror" rather than "none"."
            TargetName::Name(target) => self.check(&target).map(Some).map_err(|stop| {
                stop.instead_of_none(|why| {
                    let domain = target.to_string();
                    Cause::RedirectNone { domain, why }
                })
            }),
            TargetName::Invalid(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                let checked = malformed(text.clone(), expand::name_error(&text));
                checked.map_err(|stop: Box<Stop>| {
                    stop.instead_of_none(|why| Cause::RedirectNone { domain: text, why })
                })
            }
            // Disputed. RFC 8616 4: "terms that include %{s} or %{l} do not match anything"; it
            // does not say what that means for a redirect; we go on as if there were none, because
            // permerror would blame the record. Case: eai-redirect.
            TargetName::NoMatch => Ok(None),
        }
    }

    /// The target-name of a term (RFC 7208 4.8).
    pub(crate) fn target<'r>(
        &mut self,
        spec: Option<&'r DomainSpec>,
        domain: &'r Name,
    ) -> Checked<TargetName<'r>> {
        let Some(spec) = spec else {
            return Ok(TargetName::Name(Cow::Borrowed(domain)));
        };
        let target = match (spec.literal_name(), spec.parts()) {
            (Some(name), _) => TargetName::Name(Cow::Borrowed(name)),
            (None, [Part::Literal(text)]) => TargetName::Invalid(text.octets().into()),
            (None, _) => self.expand(spec, domain)?,
        };
        self.tracer.target(|| match &target {
            TargetName::Name(name) => Target::Name(name.clone().into_owned()),
            TargetName::Invalid(text) => Target::Invalid(text.clone()),
            TargetName::NoMatch => Target::LocalPartNotAscii,
        });
        Ok(target)
    }

    fn expand<'r>(&mut self, spec: &DomainSpec, domain: &Name) -> Checked<TargetName<'r>> {
        let parts = spec.parts();
        self.personal |= expand::uses_sender(parts);
        // RFC 8616 4: "If the local part contains non-ASCII characters, terms that include %{s} or
        // %{l} do not match anything".
        if expand::uses_local_part(parts) && !self.request.local_part.is_ascii() {
            return Ok(TargetName::NoMatch);
        }
        let mut values = Values { request: self.request, domain, ptr: None };
        if expand::uses_ptr(parts) {
            // RFC 7208 4.6.4: "When evaluating the "ptr" mechanism or the %{p} macro, the number
            // of "PTR" resource records queried is included in the overall limit of 10".
            // Disputed. 4.6.4; pyspf and others do not count it; we count it once, because the
            // second %{p} asks nothing new. Case: macro-p-counts-once.
            if !self.ptr_counted {
                self.count_term()?;
                self.ptr_counted = true;
            }
            let unknown = self.unknown;
            values.ptr = self.validated_name(domain)?;
            if self.unknown > unknown {
                return Ok(TargetName::NoMatch);
            }
        }
        let text = expand::domain_spec(parts, &values);
        Ok(match expand::name(&text) {
            Some(name) => TargetName::Name(Cow::Owned(name)),
            None => TargetName::Invalid(text),
        })
    }

    /// The response to a question, if it is known.
    pub(crate) fn ask(&mut self, name: &Name, rtype: RecordType) -> Checked<Option<&'a Response>> {
        if self.counts.queries >= self.limits.queries {
            return stop(Cause::QueryLimit { limit: self.limits.queries });
        }
        self.counts.queries += 1;
        let question = Question::new(name.clone(), rtype);
        let answers: &'a Answers = self.answers;
        let Some(response) = self.missing.lookup(answers, &question) else {
            self.unknown += 1;
            return Ok(None);
        };
        if let Response::Records(set) = response {
            self.ttl = Some(self.ttl.map_or(set.ttl, |ttl| ttl.min(set.ttl)));
        }
        self.tracer.lookup(|| question, response);
        Ok(Some(response))
    }

    /// RFC 7208 5: "if the DNS server returns an error (RCODE other than 0 or 3) or the query times
    /// out, the mechanism stops and the topmost check_host() returns "temperror"."
    pub(crate) fn failed(
        &self,
        name: &Name,
        rtype: RecordType,
        response: &Response,
    ) -> Checked<()> {
        match response.failure() {
            None => Ok(()),
            Some(failure) => {
                let question = Question::new(name.clone(), rtype);
                stop(Cause::DnsFailure { question, failure })
            }
        }
    }

    /// RFC 7208 4.6.4: "SPF implementations MUST limit the total number of those terms to 10".
    pub(crate) fn count_term(&mut self) -> Checked<()> {
        if self.explaining {
            return Ok(());
        }
        if self.counts.terms >= self.limits.terms {
            return stop(Cause::TermLimit { limit: self.limits.terms });
        }
        self.counts.terms += 1;
        Ok(())
    }

    /// RFC 7208 4.6.4: "SPF implementations SHOULD limit "void lookups" to two."
    ///
    /// Disputed. The same section limits "the number of "terms" for which DNS queries return"
    /// nothing; pyspf, Mail::SPF and viaspf count every query; we count a term once, whatever it
    /// looks up, as the sentence says. Case: void-once-a-term.
    pub(crate) fn count_void(&mut self) -> Checked<()> {
        if self.explaining || std::mem::replace(&mut self.void_counted, true) {
            return Ok(());
        }
        if self.counts.void_lookups >= self.limits.void_lookups {
            return stop(Cause::VoidLookupLimit { limit: self.limits.void_lookups });
        }
        self.counts.void_lookups += 1;
        Ok(())
    }
}

/// RFC 7208 4.5: "discard records that do not begin with a version section".
fn select(response: &Response) -> impl Iterator<Item = &[u8]> {
    response.texts().map(|txt| txt.joined()).filter(|octets| is_spf_record(octets))
}

pub(crate) fn malformed<V>(text: String, error: DomainError) -> Checked<V> {
    stop(Cause::DomainMalformed { text, error })
}

impl Stop {
    /// Names the term where the evaluation stopped, if no deeper one is named.
    fn at(mut self: Box<Stop>, term: impl FnOnce() -> DecidingTerm) -> Box<Stop> {
        self.term.get_or_insert_with(term);
        self
    }

    /// Puts another cause in the place of one that leads to none.
    pub(crate) fn instead_of_none(
        mut self: Box<Stop>,
        cause: impl FnOnce(Box<Cause>) -> Cause,
    ) -> Box<Stop> {
        if self.cause.result() == SpfResult::None {
            self.cause = cause(Box::new(self.cause));
        }
        self
    }
}
