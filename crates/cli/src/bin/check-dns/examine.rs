//! One domain, examined: the library's findings, and what is published now.

use std::net::IpAddr;
use std::time::Duration;

use mailproof_cli::instant::Instant;
use mailproof_dns::{Answers, Data, Missing, Name, Question, RecordType, Response};
use mailproof_keygen::{KeyCheck, PublicationCause};
use mailproof_records::{Attempt, Examination, Fetched, Profile, Report, Request, targets};

use crate::dns::Asker;
use crate::domains::Job;
use crate::manifest::Host;
use crate::network::Network;
use crate::published::{Published, digest, published};

/// What holds for every domain of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) now: Instant,
    /// Whether the lock file wants to know what is published.
    pub(crate) locks: bool,
    /// What is had beside the DNS, if anything.
    pub(crate) network: Option<&'a Network>,
}

/// What was found out about a domain.
#[derive(Debug)]
pub(crate) struct Examined {
    pub(crate) report: Report,
    /// `None` where nobody asked, or it could not be told.
    pub(crate) published: Option<Published>,
    /// Hosts that must pass SPF, and have no address.
    pub(crate) unresolved: Vec<String>,
    /// Selectors whose private key is not the one published.
    pub(crate) other_keys: Vec<Name>,
}

/// Examines the domain of a job: by the DNS, and where that is asked for by the network.
pub(crate) async fn examine(
    job: &Job,
    circumstances: Circumstances<'_>,
    asker: &Asker<'_>,
    answers: &mut Answers,
) -> Examined {
    let mut known = Known::default();
    let mut pass = Pass::new(job, circumstances, &known);
    let examined = asker.resolve(answers, |answers| pass.domain(answers)).await;
    known.slow = asker.slow();
    let is_slow = known.slow.iter().map(|(_, time)| *time).sum::<Duration>()
        > examined.report.limits.spf_time;
    if let Some(network) = circumstances.network {
        let request = request(job, circumstances);
        let targets = asker.resolve(answers, |answers| targets(&request, answers)).await;
        // What the network takes is not taken from the DNS.
        let asker = asker.anew();
        // In a box: it is large, and most runs do without.
        known.fetched = Box::pin(network.fetch(&targets, request.limits, &asker)).await;
    } else if !is_slow {
        return examined;
    }
    let mut pass = Pass::new(job, circumstances, &known);
    asker.resolve(answers, |answers| pass.domain(answers)).await
}

/// What is known beside the answers.
#[derive(Debug, Default)]
struct Known {
    fetched: Fetched,
    slow: Vec<(Question, Duration)>,
}

/// What is asked about the domain, hosts aside.
fn request(job: &Job, circumstances: Circumstances<'_>) -> Request {
    let settings = &job.settings;
    let mut request = Request::new(job.domain.clone());
    request.profile = settings.profile.unwrap_or(Profile::Sender);
    request.selectors.clone_from(&settings.selectors);
    request.policy = settings.dmarc;
    request.helo.clone_from(&settings.helo);
    request.has_people = settings.people == Some(true);
    request.reports = job.reports.clone();
    request.weak_keys.clone_from(&job.weak_keys);
    request.now = circumstances.now.0;
    request.limits = settings.limits.onto(request.limits);
    request
}

/// A domain, looked at with ever more answers.
struct Pass<'a> {
    job: &'a Job,
    circumstances: Circumstances<'a>,
    known: &'a Known,
    /// Under way once the addresses of all hosts are known.
    examination: Option<Examination>,
    unresolved: Vec<String>,
}

impl<'a> Pass<'a> {
    fn new(job: &'a Job, circumstances: Circumstances<'a>, known: &'a Known) -> Pass<'a> {
        Pass { job, circumstances, known, examination: None, unresolved: Vec::new() }
    }

    fn domain(&mut self, answers: &Answers) -> Result<Examined, Missing> {
        let mut missing = Missing::new();
        let report = match &mut self.examination {
            Some(examination) => examination.check(answers),
            None => self.begin(answers, &mut missing),
        };
        let report = keep(&mut missing, report);
        let Pass { job, circumstances, known, .. } = self;
        let published = if circumstances.locks {
            let published = published(&job.domain, &job.settings.selectors, answers);
            keep(&mut missing, published).flatten().map(|published| Published {
                mta_sts_policy: policy_digest(&known.fetched),
                ..published
            })
        } else {
            None
        };
        let other_keys = keep(&mut missing, other_keys(job, answers)).unwrap_or_default();
        match report {
            Some(report) if missing.questions().is_empty() => {
                let unresolved = self.unresolved.clone();
                Ok(Examined { report, published, unresolved, other_keys })
            }
            _ => Err(missing),
        }
    }

    /// The first look, with the addresses of the hosts as far as they are known.
    fn begin(&mut self, answers: &Answers, missing: &mut Missing) -> Result<Report, Missing> {
        let mut hosts = Hosts { answers, missing: Missing::new(), unresolved: Vec::new() };
        let settings = &self.job.settings;
        let mut request = request(self.job, self.circumstances);
        request.must_pass = hosts.addresses(&settings.must_pass);
        self.unresolved = std::mem::take(&mut hosts.unresolved);
        // A host without an address does not pass.
        request.must_not_pass = hosts.addresses(&settings.must_not_pass);
        request.fetched = self.known.fetched.clone();
        request.slow.clone_from(&self.known.slow);
        let mut examination = Examination::new(request);
        let report = examination.check(answers);
        if hosts.missing.questions().is_empty() {
            self.examination = Some(examination);
        }
        missing.merge(hosts.missing);
        report
    }
}

/// The SHA-256 of the MTA-STS policy, if that came.
fn policy_digest(fetched: &Fetched) -> Option<String> {
    match &fetched.policy {
        Some(Attempt::Came(document)) => Some(digest(&document.content)),
        _ => None,
    }
}

/// The selectors whose private key is not the one published.
fn other_keys(job: &Job, answers: &Answers) -> Result<Vec<Name>, Missing> {
    let mut other_keys = Vec::new();
    for (selector, key) in &job.keys {
        // A name that is too long has no record, which is told by its own rule.
        let Ok(check) = KeyCheck::new(key, job.domain.clone(), selector.clone()) else { continue };
        if check.run(answers)?.cause == PublicationCause::OtherKey {
            other_keys.push(selector.clone());
        }
    }
    Ok(other_keys)
}

/// The outcome, or its questions noted.
fn keep<T>(missing: &mut Missing, outcome: Result<T, Missing>) -> Option<T> {
    outcome.map_err(|more| missing.merge(more)).ok()
}

/// The addresses of the hosts that the manifest names.
struct Hosts<'a> {
    answers: &'a Answers,
    missing: Missing,
    unresolved: Vec<String>,
}

impl Hosts<'_> {
    fn addresses(&mut self, hosts: &[Host]) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for host in hosts {
            let name = match host {
                Host::Address(address) => {
                    addresses.push(*address);
                    continue;
                }
                Host::Name(name) => name,
            };
            let before = addresses.len();
            let mut is_known = true;
            for rtype in [RecordType::A, RecordType::Aaaa] {
                let question = Question::new(name.clone(), rtype);
                let response = self.missing.lookup(self.answers, &question);
                is_known &= response.is_some_and(|response| response.failure().is_none());
                let data = response.map(Response::data).unwrap_or_default();
                addresses.extend(data.iter().filter_map(|data| match data {
                    Data::A(address) => Some(IpAddr::V4(*address)),
                    Data::Aaaa(address) => Some(IpAddr::V6(*address)),
                    _ => None,
                }));
            }
            if is_known && addresses.len() == before {
                self.unresolved.push(name.to_string());
            }
        }
        addresses
    }
}
