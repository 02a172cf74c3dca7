//! The verdicts as JSON; the schema is `docs/schema/spfquery.schema.json`.

use mailproof_dns::Response;
use mailproof_spf::{CheckTrace, Event, Lookup, Outcome, Target, TermTrace, Trace};
use serde::Serialize;

use crate::advice::advice;
use crate::human::why;
use crate::query::Query;

/// The answer to one query.
#[derive(Serialize)]
pub(crate) struct Answer {
    ip: String,
    helo: Option<String>,
    mail_from: Option<String>,
    identity: String,
    result: String,
    cause: &'static str,
    explanation: Option<String>,
    terms: u8,
    void_lookups: u32,
    queries: u32,
    why: Why,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Evaluation>,
}

#[derive(Serialize)]
struct Why {
    text: String,
    advice: Option<String>,
    term: Option<Term>,
}

#[derive(Serialize)]
struct Term {
    owner: String,
    text: String,
    start: usize,
    end: usize,
}

/// A line that is no query.
#[derive(Serialize)]
pub(crate) struct Failed {
    input: String,
    error: String,
}

#[derive(Serialize)]
struct Evaluation {
    check: Option<Check>,
    explanation: Vec<Asked>,
}

#[derive(Serialize)]
struct Check {
    domain: String,
    record: Option<String>,
    lookups: Vec<Asked>,
    terms: Vec<Traced>,
    result: String,
}

#[derive(Serialize)]
struct Traced {
    text: String,
    start: usize,
    end: usize,
    target: Option<String>,
    lookups: Vec<Asked>,
    check: Option<Box<Check>>,
    event: &'static str,
    terms: u8,
    void_lookups: u32,
    queries: u32,
}

#[derive(Serialize)]
struct Asked {
    name: String,
    #[serde(rename = "type")]
    rtype: String,
    response: &'static str,
    records: Vec<String>,
}

impl Failed {
    pub(crate) fn new(input: &str, error: &str) -> Failed {
        Failed { input: input.into(), error: error.into() }
    }
}

impl Answer {
    pub(crate) fn new(query: &Query, outcome: &Outcome, trace: Option<&Trace>) -> Answer {
        Answer {
            ip: query.ip.to_string(),
            helo: query.helo.clone(),
            mail_from: query.mail_from.clone(),
            identity: outcome.identity.to_string(),
            result: outcome.result.to_string(),
            cause: outcome.cause.keyword(),
            explanation: outcome.explanation.as_ref().map(|explanation| explanation.text.clone()),
            terms: outcome.counts.terms,
            void_lookups: outcome.counts.void_lookups,
            queries: outcome.counts.queries,
            why: Why {
                text: why(outcome),
                advice: advice(query, outcome),
                term: outcome.term.as_ref().map(|term| Term {
                    owner: term.owner.to_string(),
                    text: term.text.clone(),
                    start: term.span.start,
                    end: term.span.end,
                }),
            },
            trace: trace.map(|trace| Evaluation {
                check: trace.check.as_ref().map(Check::new),
                explanation: asked(&trace.explanation),
            }),
        }
    }
}

impl Check {
    fn new(check: &CheckTrace) -> Check {
        Check {
            domain: check.domain.to_string(),
            record: check.record.as_deref().map(text),
            lookups: asked(&check.lookups),
            terms: check.terms.iter().map(Traced::new).collect(),
            result: check.result.to_string(),
        }
    }
}

impl Traced {
    fn new(term: &TermTrace) -> Traced {
        Traced {
            text: term.text.clone(),
            start: term.span.start,
            end: term.span.end,
            target: term.target.as_ref().and_then(|target| match target {
                Target::Name(name) => Some(name.to_string()),
                Target::Invalid(octets) => Some(text(octets)),
                Target::LocalPartNotAscii => None,
            }),
            lookups: asked(&term.lookups),
            check: term.check.as_deref().map(|check| Box::new(Check::new(check))),
            event: match term.event {
                Event::Match => "match",
                Event::NoMatch => "no-match",
                Event::Exception => "exception",
                Event::Redirect => "redirect",
            },
            terms: term.counts.terms,
            void_lookups: term.counts.void_lookups,
            queries: term.counts.queries,
        }
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn asked(lookups: &[Lookup]) -> Vec<Asked> {
    let lookups = lookups.iter().map(|Lookup { question, response }| Asked {
        name: question.name.to_string(),
        rtype: question.rtype.to_string(),
        response: match response {
            Response::Records(_) => "records",
            Response::NoData => "nodata",
            Response::NxDomain => "nxdomain",
            Response::Failure(_) => "failure",
        },
        records: response.data().iter().map(ToString::to_string).collect(),
    });
    lookups.collect()
}
