//! What `input` and `expect` of a case in `testdata/records/` hold.
#![allow(unreachable_pub, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod fetched;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mailproof_dns::{Name, Question, Response, resolve_blocking};
use mailproof_records::{
    Examination, Kind, Limits, Policy, Profile, Report, Request, Selectors, Severity, WeakKeys,
    check, check_key, check_policy, check_record,
};
use mailproof_testkit::Case;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Records {
    pub input: Input,
    pub expect: Expect,
}

/// A domain, or with `kind` one record by itself.
#[derive(Deserialize)]
pub struct Input {
    #[serde(default = "example")]
    pub domain: String,
    pub kind: Option<String>,
    pub record: Option<Octets>,
    pub profile: Option<String>,
    #[serde(default)]
    pub selectors: Vec<String>,
    #[serde(default)]
    pub must_pass: Vec<IpAddr>,
    #[serde(default)]
    pub must_not_pass: Vec<IpAddr>,
    pub policy: Option<String>,
    /// A list of weak keys.
    pub weak_keys: Option<String>,
    /// The mail exchanges of a policy.
    #[serde(default)]
    pub exchanges: Vec<String>,
    /// Names given with EHLO, by address.
    #[serde(default)]
    pub helo: BTreeMap<IpAddr, String>,
    #[serde(default)]
    pub people: bool,
    pub reports: Option<Reports>,
    /// How many seconds the text records of these names took.
    #[serde(default)]
    pub slow: BTreeMap<String, u64>,
    #[serde(default)]
    pub fetched: fetched::Facts,
    /// Names whose answers are protected by DNSSEC.
    #[serde(default)]
    pub secure: Vec<String>,
}

fn example() -> String {
    "example.com".to_owned()
}

/// Selectors of aggregate reports, and the days that these are of.
#[derive(Deserialize)]
pub struct Reports {
    pub selectors: Vec<String>,
    pub days: u64,
}

/// A text, or the octets of what is none; `repeat` makes it long.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Octets {
    Text(String),
    Hex { hex: String },
    Long { start: String, repeat: String, times: usize, end: String },
}

#[derive(Deserialize)]
pub struct Expect {
    /// Every finding of the level or above, as `SPF011` or, with its span, `SPF011 7..20`.
    pub findings: Vec<String>,
    /// Without it `info` for one record, `warning` for a domain.
    pub level: Option<String>,
    /// Rules that find something at any level.
    #[serde(default)]
    pub present: Vec<String>,
    /// Rules that find nothing at any level.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Terms that cause lookups, and lookups that give nothing.
    pub spf: Option<[usize; 2]>,
}

impl Octets {
    fn octets(&self) -> Vec<u8> {
        match self {
            Octets::Text(text) => text.clone().into_bytes(),
            Octets::Hex { hex } => (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2).unwrap(), 16).unwrap())
                .collect(),
            Octets::Long { start, repeat, times, end } => {
                [start, &repeat.repeat(*times), end].map(String::as_str).concat().into_bytes()
            }
        }
    }
}

impl Input {
    fn profile(&self) -> Profile {
        match self.profile.as_deref() {
            None | Some("sender") => Profile::Sender,
            Some("bulk") => Profile::Bulk,
            Some("no-mail") => Profile::NoMail,
            Some("receiver") => Profile::Receiver,
            Some("strict") => Profile::Strict,
            Some(other) => panic!("{other} is no profile"),
        }
    }

    fn weak_keys(&self) -> Option<WeakKeys> {
        let mut weak_keys = WeakKeys::default();
        weak_keys.add("list", self.weak_keys.as_ref()?.as_bytes(), &Limits::default()).unwrap();
        Some(weak_keys)
    }

    fn kind(&self) -> Option<Kind> {
        Some(match self.kind.as_deref()? {
            "spf" => Kind::Spf,
            "dkim" => Kind::Dkim,
            "dmarc" => Kind::Dmarc,
            "mta-sts" => Kind::MtaSts,
            "mta-sts-policy" => Kind::MtaStsPolicy,
            "tls-rpt" => Kind::TlsRpt,
            "bimi" => Kind::Bimi,
            "tlsa" => Kind::Tlsa,
            "adsp" => Kind::Adsp,
            other => panic!("{other} is no kind of record"),
        })
    }
}

impl Expect {
    /// Findings below it do not count.
    pub fn level(&self, input: &Input) -> Severity {
        match (self.level.as_deref(), &input.kind) {
            (Some("error"), _) => Severity::Error,
            (Some("warning"), _) | (None, None) => Severity::Warning,
            (Some("info"), _) | (None, Some(_)) => Severity::Info,
            (Some(other), _) => panic!("{other} is no level"),
        }
    }
}

pub fn report(case: &Case<Records>) -> Report {
    let input = &case.own.input;
    let domain: Name = input.domain.parse().unwrap();
    if let Some(kind) = input.kind() {
        let octets = input.record.as_ref().unwrap().octets();
        if !input.exchanges.is_empty() {
            let exchanges: Vec<Name> =
                input.exchanges.iter().map(|name| name.parse().unwrap()).collect();
            return check_policy(&domain, &octets, &exchanges);
        }
        if let Some(weak_keys) = input.weak_keys() {
            assert_eq!(kind, Kind::Dkim);
            return check_key(&domain, &octets, input.profile(), &weak_keys);
        }
        return check_record(kind, &domain, &octets, input.profile());
    }
    let mut request = Request::new(domain);
    request.profile = input.profile();
    request.selectors = input.selectors.iter().map(|name| name.parse().unwrap()).collect();
    request.must_pass.clone_from(&input.must_pass);
    request.must_not_pass.clone_from(&input.must_not_pass);
    request.policy = input.policy.as_deref().map(|policy| match policy {
        "none" => Policy::None,
        "quarantine" => Policy::Quarantine,
        "reject" => Policy::Reject,
        other => panic!("{other} is no policy"),
    });
    request.weak_keys = input.weak_keys().map(Arc::new);
    request.now = case.now.unwrap_or_default();
    request.helo =
        input.helo.iter().map(|(address, name)| (*address, name.parse().unwrap())).collect();
    request.has_people = input.people;
    request.reports = input.reports.as_ref().map(|reports| Selectors {
        seen: reports.selectors.iter().map(|name| name.parse().unwrap()).collect(),
        begin: 1_700_000_000,
        end: 1_700_000_000 + reports.days * 86_400,
    });
    let slow = input.slow.iter();
    request.slow = slow
        .map(|(name, seconds)| {
            (Question::txt(name.parse().unwrap()), Duration::from_secs(*seconds))
        })
        .collect();
    request.fetched = input.fetched.fetched();
    let secure: Vec<Name> = input.secure.iter().map(|name| name.parse().unwrap()).collect();
    let lookup = |question: &Question| {
        let mut response = case.zone.lookup(question);
        if let Response::Records(set) = &mut response {
            set.authenticated |= secure.contains(&question.name);
        }
        response
    };
    let report = resolve_blocking(lookup, |answers| check(&request, answers));
    // What is found does not depend on when it was looked at.
    let mut examination = Examination::new(request);
    let found = resolve_blocking(lookup, |answers| examination.check(answers));
    assert_eq!(found, report, "{}", case.name);
    report
}
