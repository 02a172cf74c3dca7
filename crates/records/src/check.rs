//! All families over one domain, or one record.

use std::sync::Arc;

use mailproof_dmarc::{TreeWalk, tree_walk};
use mailproof_dns::{Answers, Failure, Missing, Name, Question, RecordType, Response, Txt};

use crate::finding::Text;
use crate::{
    Finding, Kind, Profile, Report, Request, Severity, Source, authority, dkim, dmarc, hygiene, mx,
    spf, tls,
};

/// A part of the check, for records of one kind.
type Family = fn(&Request, &mut Look<'_>);

const FAMILIES: [Family; 8] = [
    spf::check,
    dkim::check,
    dmarc::check,
    dmarc::destinations,
    mx::check,
    tls::check,
    hygiene::check,
    authority::check,
];

/// Checks what is published for a domain.
///
/// # Errors
/// The questions that are not answered yet.
pub fn check(request: &Request, answers: &Answers) -> Result<Report, Missing> {
    Examination::new(request.clone()).check(answers)
}

/// As [`check`], for answers that come one after the other: what has had all its answers is not
/// looked at again.
#[derive(Debug, Clone)]
pub struct Examination {
    request: Request,
    /// What each family found, once it missed nothing.
    found: [Option<Report>; FAMILIES.len()],
    shared: Shared,
}

/// What is made once, not every time that somebody asks.
#[derive(Debug, Clone, Default)]
struct Shared {
    /// Names below the domain, by what stands before it.
    names: Vec<(&'static str, Option<Name>)>,
    /// What DMARC finds, once that is known.
    walk: Option<Arc<TreeWalk>>,
}

impl Examination {
    /// The check of a domain, of which nothing is known yet.
    pub fn new(request: Request) -> Examination {
        Examination { request, found: Default::default(), shared: Shared::default() }
    }

    /// What is wrong, as [`check`] tells it. The `answers` must be those of the calls before, and
    /// more.
    ///
    /// # Errors
    /// The questions that are not answered yet.
    pub fn check(&mut self, answers: &Answers) -> Result<Report, Missing> {
        let mut missing = Missing::new();
        for (family, found) in FAMILIES.iter().zip(&mut self.found) {
            if found.is_some() {
                continue;
            }
            let mut look = Look::new(&self.request, answers);
            look.shared = std::mem::take(&mut self.shared);
            family(&self.request, &mut look);
            self.shared = look.shared;
            if look.missing.questions().is_empty() {
                *found = Some(look.report);
            } else {
                missing.merge(look.missing);
            }
        }
        missing.into_result()?;
        let mut report = Report::within(self.request.limits);
        for found in self.found.iter_mut().filter_map(Option::take) {
            report.add(found);
        }
        for finding in &mut report.findings {
            finding.severity = severity(finding, self.request.profile);
        }
        Ok(report)
    }
}

/// What the profile makes of a finding.
fn severity(finding: &Finding, profile: Profile) -> Severity {
    match (profile, finding.rule.id) {
        (Profile::Strict, "DMARC010" | "SPF042")
        | (Profile::Bulk | Profile::Strict, "PTR001" | "PTR002") => Severity::Error,
        (Profile::Receiver, "STS001" | "DNS018") => Severity::Warning,
        (Profile::NoMail, "DKIM007") => Severity::Info,
        _ => finding.severity,
    }
}

/// Checks one record, or one policy, without any DNS.
pub fn check_record(kind: Kind, name: &Name, octets: &[u8], profile: Profile) -> Report {
    let mut report = Report::default();
    let text = Text { name, octets };
    // A policy is a document of lines, and no record.
    if kind != Kind::MtaStsPolicy {
        hygiene::text(&mut report, text);
    }
    match kind {
        Kind::Spf => spf::record(&mut report, text),
        Kind::Dkim => dkim::record(&mut report, text),
        Kind::Dmarc => dmarc::record(&mut report, text),
        Kind::Adsp => report.at("DKIM033", text, 0..octets.len(), "ADSP is Historic"),
        Kind::MtaSts => tls::sts(&mut report, text),
        Kind::MtaStsPolicy => {
            tls::policy(&mut report, name, octets);
        }
        Kind::TlsRpt => tls::rpt(&mut report, text),
        Kind::Bimi => tls::bimi(&mut report, text),
        Kind::Tlsa => tlsa(&mut report, text),
    }
    for finding in &mut report.findings {
        finding.severity = severity(finding, profile);
    }
    report
}

/// Checks an MTA-STS policy (RFC 8461 3.2) without any network, and whether it has these mail
/// exchanges, if there are any.
pub fn check_policy(name: &Name, octets: &[u8], exchanges: &[Name]) -> Report {
    let mut report = Report::default();
    let policy = tls::policy(&mut report, name, octets);
    let exchanges: Vec<&Name> = exchanges.iter().collect();
    tls::covers(&mut report, name, &policy, &exchanges);
    report
}

/// A TLSA record as it stands in a master file: three numbers and hexadecimal digits.
fn tlsa(report: &mut Report, text: Text<'_>) {
    match tlsa_wire(&String::from_utf8_lossy(text.octets)) {
        Some(wire) => tls::tlsa(report, text.name, &wire),
        None => report.of(
            "DANE003",
            text.name,
            RecordType::Tlsa,
            "the record is not three numbers and pairs of hexadecimal digits",
        ),
    }
}

fn tlsa_wire(text: &str) -> Option<Vec<u8>> {
    let mut words = text.split_ascii_whitespace();
    let mut wire: Vec<u8> = Vec::new();
    for _ in 0..3 {
        wire.push(words.next()?.parse().ok()?);
    }
    let digits: Option<Vec<u32>> = words.flat_map(str::chars).map(|c| c.to_digit(16)).collect();
    for pair in digits?.chunks(2) {
        let [high, low] = pair else { return None };
        wire.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(wire)
}

/// The answers, what is missing of them, and what was found so far.
pub(crate) struct Look<'a> {
    pub(crate) answers: &'a Answers,
    pub(crate) missing: Missing,
    pub(crate) report: Report,
    domain: &'a Name,
    shared: Shared,
}

impl<'a> Look<'a> {
    pub(crate) fn new(request: &'a Request, answers: &'a Answers) -> Look<'a> {
        Look {
            answers,
            missing: Missing::new(),
            report: Report::within(request.limits),
            domain: &request.domain,
            shared: Shared::default(),
        }
    }

    /// The domain with `prefix` before it, if that is a name.
    pub(crate) fn below(&mut self, prefix: &'static str) -> Option<Name> {
        let names = &mut self.shared.names;
        if let Some((_, name)) = names.iter().find(|(known, _)| *known == prefix) {
            return name.clone();
        }
        let name = self.domain.prepend(prefix).ok();
        names.push((prefix, name.clone()));
        name
    }

    /// The DNS Tree Walk of DMARC (RFC 9989 4.10) from the domain, if all of it is known.
    pub(crate) fn walk(&mut self) -> Option<Arc<TreeWalk>> {
        if self.shared.walk.is_none() {
            let walk = tree_walk(self.domain, self.answers);
            self.shared.walk = self.keep(walk).map(Arc::new);
        }
        self.shared.walk.clone()
    }

    /// The response, if it is known.
    pub(crate) fn ask(&mut self, name: &Name, rtype: RecordType) -> Option<&'a Response> {
        let question = Question::new(name.clone(), rtype);
        let response = self.missing.lookup(self.answers, &question)?;
        match response.failure() {
            None => Some(response),
            Some(Failure::NotRecorded) => None,
            Some(failure) => {
                self.report.unanswered(&question, failure);
                None
            }
        }
    }

    /// Something could not be had over the network: nothing is known.
    pub(crate) fn lost(&mut self, name: &Name, source: Source, reason: &str) {
        self.report.about("NET001", name, source, format!("{name}: {reason}"));
    }

    /// Whether the answers come from somebody who validates: the root is signed.
    pub(crate) fn validates(&mut self) -> bool {
        let root = self.ask_by_the_way(&Name::root(), RecordType::Soa);
        matches!(root, Some(Response::Records(set)) if set.authenticated)
    }

    /// Whether the name servers failed to answer.
    pub(crate) fn has_failed(&self, name: &Name, rtype: RecordType) -> bool {
        let question = Question::new(name.clone(), rtype);
        let response = self.answers.lookup(&question);
        response.is_some_and(|response| {
            response.failure().is_some_and(|failure| failure != Failure::NotRecorded)
        })
    }

    /// The response, if it is known, to a question that only information hangs on: without an
    /// answer nothing is amiss.
    pub(crate) fn ask_by_the_way(
        &mut self,
        name: &Name,
        rtype: RecordType,
    ) -> Option<&'a Response> {
        self.answer(name, rtype).filter(|response| response.failure().is_none())
    }

    /// The response, if it is known, be it a failure.
    pub(crate) fn answer(&mut self, name: &Name, rtype: RecordType) -> Option<&'a Response> {
        self.missing.lookup(self.answers, &Question::new(name.clone(), rtype))
    }

    /// The text records, if the response is known; what is wrong with any text is noted.
    pub(crate) fn texts(&mut self, name: &Name) -> Option<Vec<&'a Txt>> {
        let texts: Vec<&Txt> = self.ask(name, RecordType::Txt)?.texts().collect();
        Some(texts)
    }

    /// The outcome, or its questions noted.
    pub(crate) fn keep<T>(&mut self, outcome: Result<T, Missing>) -> Option<T> {
        outcome.map_err(|more| self.missing.merge(more)).ok()
    }
}
