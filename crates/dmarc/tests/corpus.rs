//! The cases of `testdata/dmarc/`.
#![allow(clippy::panic, reason = "tests")]

use mailproof_dmarc::{
    Alignment, Destination, Discovery, Identifier, Outcome, Record, Rejection, Report, Request,
    evaluate, report_destination,
};
use mailproof_dns::Name;
use mailproof_testkit::{Answer, Case, run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Own<I, E> {
    input: I,
    expect: E,
}

fn discoveries(word: Option<&String>) -> &'static [Discovery] {
    match word.map(String::as_str) {
        None => &[Discovery::TreeWalk],
        Some("psl") => &[Discovery::PublicSuffixList],
        Some("both") => &[Discovery::TreeWalk, Discovery::PublicSuffixList],
        Some(other) => panic!("no discovery: {other}"),
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[derive(Deserialize)]
struct Message {
    author: Vec<String>,
    /// The MAIL FROM domain that passed SPF.
    spf: Option<String>,
    /// The domains whose signatures are valid.
    #[serde(default)]
    dkim: Vec<String>,
    /// The domains of identifiers with a temporary error.
    undecided_spf: Option<String>,
    #[serde(default)]
    undecided_dkim: Vec<String>,
    /// "psl" for RFC 7489, "both" where that must give the same.
    discovery: Option<String>,
}

/// What is not stated is not compared.
#[derive(Debug, PartialEq, Deserialize)]
struct Verdict {
    result: String,
    cause: String,
    policy: Option<String>,
    disposition: Option<String>,
    policy_domain: Option<String>,
    organizational_domain: Option<String>,
    /// Each as "spf example.com relaxed".
    aligned: Option<Vec<String>>,
    queries: Option<Vec<String>>,
    authres: Option<String>,
}

#[test]
fn messages() {
    run("dmarc/message", |case: &Case<Own<Message, Verdict>>| {
        let input = &case.own.input;
        let mut request = Request::new(input.author.iter().map(|author| name(author)));
        let spf = |domain: &String| Identifier::spf(name(domain));
        let dkim = |domain: &String| Identifier::dkim(name(domain));
        request.identifiers.extend(input.spf.iter().map(spf));
        request.identifiers.extend(input.dkim.iter().map(dkim));
        request.identifiers.extend(input.undecided_spf.iter().map(spf).map(Identifier::undecided));
        request
            .identifiers
            .extend(input.undecided_dkim.iter().map(dkim).map(Identifier::undecided));
        let discoveries = discoveries(input.discovery.as_ref()).iter();
        let verdicts = discoveries.map(|&discovery| {
            let request = Request { discovery, ..request.clone() };
            let outcome = case.zone.resolve(|answers| evaluate(&request, answers));
            format!("{:#?}", verdict(&outcome, &case.own.expect))
        });
        let expected = format!("{:#?}", case.own.expect);
        let different = verdicts.clone().find(|verdict| *verdict != expected);
        Answer { got: different.unwrap_or_else(|| expected.clone()), expected }
    });
}

fn verdict(outcome: &Outcome, expect: &Verdict) -> Verdict {
    // What is expected anywhere is shown; "-" is for nothing.
    fn shown(expected: &Option<String>, got: Option<String>) -> Option<String> {
        expected.as_ref().map(|_| got.unwrap_or_else(|| "-".to_owned()))
    }
    let alignment = |(identifier, alignment): &(Identifier, Alignment)| {
        format!("{identifier} {alignment:?}").to_lowercase()
    };
    let policy_domain = outcome.policy_record.as_ref().map(|found| found.domain.to_string());
    let organizational = outcome.organizational_domain.as_ref().map(Name::to_string);
    let disposition = outcome.disposition(Rejection::default()).to_string();
    let aligned = || outcome.identifiers.iter().map(alignment).collect();
    let queries = || outcome.queries.iter().map(Name::to_string).collect();
    Verdict {
        result: outcome.result.to_string(),
        cause: outcome.cause.keyword().to_owned(),
        policy: shown(&expect.policy, outcome.policy.map(|policy| policy.to_string())),
        disposition: shown(&expect.disposition, Some(disposition)),
        policy_domain: shown(&expect.policy_domain, policy_domain),
        organizational_domain: shown(&expect.organizational_domain, organizational),
        aligned: expect.aligned.as_ref().map(|_| aligned()),
        queries: expect.queries.as_ref().map(|_| queries()),
        authres: shown(&expect.authres, Some(outcome.authres().to_string())),
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Reading {
    /// The record as a receiver understands it.
    record: Option<String>,
    /// The policies for the domain, existing and non-existent subdomains.
    policies: Option<String>,
    /// Each as "unknown-tag: x".
    ignored: Vec<String>,
    error: Option<String>,
}

#[test]
fn records() {
    run("dmarc/record", |case: &Case<Own<String, Reading>>| Answer {
        expected: format!("{:#?}", case.own.expect),
        got: format!("{:#?}", reading(&case.own.input)),
    });
}

fn reading(text: &str) -> Reading {
    let record = match Record::parse(text.as_bytes()) {
        Ok(record) => record,
        Err(error) => {
            let error = Some(error.kind.keyword().to_owned());
            return Reading { error, ..Reading::default() };
        }
    };
    let policies = record.policies().map_or("-".to_owned(), |policies| {
        format!("{} {} {}", policies.domain, policies.subdomains, policies.nonexistent)
    });
    let ignored = record.ignored.iter().map(|error| {
        let part = text.get(error.span.clone()).unwrap_or("?");
        format!("{}: {part}", error.kind.keyword())
    });
    Reading {
        record: Some(record.to_string()),
        policies: Some(policies),
        ignored: ignored.collect(),
        error: None,
    }
}

#[derive(Deserialize)]
struct Reports {
    policy_domain: String,
    /// The URI in the record of the policy domain.
    rua: Option<String>,
    ruf: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Where {
    destination: String,
    #[serde(default)]
    uris: Vec<String>,
}

#[test]
fn reports() {
    run("dmarc/report", |case: &Case<Own<Reports, Where>>| {
        let input = &case.own.input;
        let (report, tag, uri) = match (&input.rua, &input.ruf) {
            (Some(uri), None) => (Report::Aggregate, "rua", uri),
            (None, Some(uri)) => (Report::Failure, "ruf", uri),
            _ => panic!("one of rua and ruf"),
        };
        let record = Record::parse(format!("v=DMARC1; {tag}={uri}").as_bytes());
        let uris = record.map(|record| [record.rua, record.ruf].concat()).unwrap_or_default();
        let uri = uris.first().unwrap_or_else(|| panic!("no URI: {uri}"));
        let domain = name(&input.policy_domain);
        let destination = case.zone.resolve(|answers| {
            report_destination(&domain, uri, report, Discovery::TreeWalk, answers)
        });
        let uris = match &destination {
            Destination::Overridden(uris) => uris.iter().map(|uri| uri.uri.clone()).collect(),
            _ => Vec::new(),
        };
        let got = Where { destination: destination.keyword().to_owned(), uris };
        Answer { expected: format!("{:?}", case.own.expect), got: format!("{got:?}") }
    });
}
