//! What is counted, and how it is told (Prometheus text format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mailproof::Verdict;
use mailproof::spf::SpfResult;
use mailproof_dns::{Failure, Response};

use crate::decide::Decision;
use crate::run::state::now;
use crate::settings::Action;

/// All counters. They live as long as the process; a reload keeps them.
pub(crate) struct Metrics {
    /// Connections, by what the listener is for.
    pub(crate) connections: Family<1>,
    /// Connections that are open.
    pub(crate) open_connections: AtomicU64,
    /// Messages, by what is done with them: by role and by action.
    pub(crate) messages: Family<2>,
    /// How long a message takes from the end of its body to the reply.
    pub(crate) message_seconds: Histogram,
    /// Results, by method and result.
    pub(crate) results: Family<2>,
    /// Answers of the policy service, by action.
    pub(crate) policy_requests: Family<1>,
    /// Questions to the resolver, by what came of them.
    pub(crate) dns_questions: Family<1>,
    /// How long an answer takes.
    pub(crate) dns_seconds: Histogram,
    /// Limits that were reached.
    pub(crate) limits: Family<1>,
    /// Reloads, by result.
    pub(crate) reloads: Family<1>,
    /// When the configuration at work was read.
    pub(crate) configured: AtomicU64,
    started: u64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let now = now();
        Metrics {
            connections: Family::new(
                "connections_total",
                "Connections that were accepted.",
                ["listener"],
                &[["milter"], ["policy"]],
            ),
            open_connections: AtomicU64::new(0),
            messages: Family::new(
                "messages_total",
                "Messages that were answered, by what was done with them.",
                ["role", "action"],
                &[["sign", "accept"], ["verify", "accept"]],
            ),
            message_seconds: Histogram::new(
                "message_seconds",
                "From the end of a message to the answer.",
            ),
            results: Family::new(
                "results_total",
                "Results of SPF, DKIM (of each signature), ARC and DMARC.",
                ["method", "result"],
                &[],
            ),
            policy_requests: Family::new(
                "policy_requests_total",
                "Requests to the policy service, by the answer.",
                ["action"],
                &[["dunno"], ["prepend"], ["reject"], ["defer"]],
            ),
            dns_questions: Family::new(
                "dns_questions_total",
                "Questions to the DNS, those left out that the cache answers, by the answer.",
                ["answer"],
                &[["records"], ["nxdomain"], ["nodata"], ["timeout"], ["servfail"]],
            ),
            dns_seconds: Histogram::new("dns_seconds", "From a question to its answer."),
            limits: Family::new(
                "limits_total",
                "Limits that were reached.",
                ["limit"],
                &[
                    ["accept"],
                    ["connections"],
                    ["header"],
                    ["idle"],
                    ["malformed"],
                    ["message-time"],
                ],
            ),
            reloads: Family::new(
                "reloads_total",
                "Times that the configuration was read again.",
                ["result"],
                &[["success"], ["failure"]],
            ),
            configured: AtomicU64::new(now),
            started: now,
        }
    }
}

impl Metrics {
    /// Counts a result of SPF.
    pub(crate) fn spf(&self, result: SpfResult) {
        let result = match result {
            SpfResult::None => "none",
            SpfResult::Neutral => "neutral",
            SpfResult::Pass => "pass",
            SpfResult::Fail => "fail",
            SpfResult::Softfail => "softfail",
            SpfResult::Temperror => "temperror",
            SpfResult::Permerror => "permerror",
        };
        self.results.add(["spf", result]);
    }

    /// Counts a message that was answered.
    pub(crate) fn message(&self, decision: Option<&Decision>, action: Action, took: Duration) {
        let role = match decision {
            Some(Decision::Sign(_) | Decision::CannotSign(_)) => "sign",
            Some(Decision::Verify) => "verify",
            Some(Decision::Pass(_)) => "pass",
            None => "none",
        };
        let action = match action {
            Action::Accept => "accept",
            Action::Quarantine => "quarantine",
            Action::Tempfail => "tempfail",
            Action::Reject => "reject",
            Action::Discard => "discard",
        };
        self.messages.add([role, action]);
        self.message_seconds.observe(took);
    }

    /// Counts the results of a message.
    pub(crate) fn verdict(&self, verdict: &Verdict) {
        if let Some(outcome) = verdict.spf.as_ref().and_then(|spf| spf.mail_from.as_ref()) {
            self.spf(outcome.result);
        }
        if verdict.dkim.signatures.is_empty() {
            self.results.add(["dkim", "none"]);
        }
        for signature in &verdict.dkim.signatures {
            self.results.add(["dkim", signature.result().keyword()]);
        }
        self.results.add(["arc", verdict.arc.result().keyword()]);
        self.results.add(["dmarc", verdict.dmarc.result.keyword()]);
    }

    /// Counts an answer of the DNS.
    pub(crate) fn answer(&self, response: &Response, took: Duration) {
        let word = match response {
            Response::Records(_) => "records",
            Response::NxDomain => "nxdomain",
            Response::NoData => "nodata",
            Response::Failure(Failure::Timeout) => "timeout",
            Response::Failure(_) => "servfail",
        };
        self.dns_questions.add([word]);
        self.dns_seconds.observe(took);
    }
}

impl Display for Metrics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = |f: &mut Formatter<'_>, name: &str, kind: &str, help: &str| {
            write!(f, "# HELP mailproofd_{name} {help}\n# TYPE mailproofd_{name} {kind}\n")
        };
        head(f, "build_info", "gauge", "The version that runs.")?;
        writeln!(f, "mailproofd_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))?;
        for (name, help, value) in [
            ("start_time_seconds", "When the process was started.", self.started),
            (
                "configuration_time_seconds",
                "When the configuration at work was read.",
                self.configured.load(Relaxed),
            ),
            ("open_connections", "Connections that are open.", self.open_connections.load(Relaxed)),
        ] {
            head(f, name, "gauge", help)?;
            writeln!(f, "mailproofd_{name} {value}")?;
        }
        self.connections.fmt(f)?;
        self.messages.fmt(f)?;
        self.message_seconds.fmt(f)?;
        self.results.fmt(f)?;
        self.policy_requests.fmt(f)?;
        self.dns_questions.fmt(f)?;
        self.dns_seconds.fmt(f)?;
        self.limits.fmt(f)?;
        self.reloads.fmt(f)
    }
}

/// A counter for each combination of the values of its labels, all of them words of the program, so
/// that no stranger makes more.
pub(crate) struct Family<const L: usize> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; L],
    counts: Mutex<BTreeMap<[&'static str; L], u64>>,
}

impl<const L: usize> Family<L> {
    fn new(
        name: &'static str,
        help: &'static str,
        labels: [&'static str; L],
        known: &[[&'static str; L]],
    ) -> Family<L> {
        let counts = known.iter().map(|values| (*values, 0)).collect();
        Family { name, help, labels, counts: Mutex::new(counts) }
    }

    /// Counts one.
    pub(crate) fn add(&self, values: [&'static str; L]) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(values).or_default();
        *count = count.saturating_add(1);
    }
}

impl<const L: usize> Display for Family<L> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Family { name, help, .. } = self;
        write!(f, "# HELP mailproofd_{name} {help}\n# TYPE mailproofd_{name} counter\n")?;
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (values, count) in counts {
            let pairs = self.labels.iter().zip(values);
            let pairs: Vec<_> =
                pairs.map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            writeln!(f, "mailproofd_{name}{{{}}} {count}", pairs.join(","))?;
        }
        Ok(())
    }
}

/// Up to how many microseconds, in print.
const BUCKETS: [(u64, &str); 10] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (5_000_000, "5"),
    (20_000_000, "20"),
];

/// How long something takes.
pub(crate) struct Histogram {
    name: &'static str,
    help: &'static str,
    /// One for each bucket, and one beyond.
    counts: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
}

impl Histogram {
    fn new(name: &'static str, help: &'static str) -> Histogram {
        Histogram { name, help, counts: Default::default(), microseconds: AtomicU64::new(0) }
    }

    /// Counts one.
    pub(crate) fn observe(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|(most, _)| took <= *most).unwrap_or(BUCKETS.len());
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        self.microseconds.fetch_add(took, Relaxed);
    }
}

impl Display for Histogram {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Histogram { name, help, counts, .. } = self;
        write!(f, "# HELP mailproofd_{name} {help}\n# TYPE mailproofd_{name} histogram\n")?;
        let mut sum = 0;
        let bounds = BUCKETS.iter().map(|(_, bound)| *bound).chain(["+Inf"]);
        for (bound, count) in bounds.zip(counts) {
            sum += count.load(Relaxed);
            writeln!(f, "mailproofd_{name}_bucket{{le=\"{bound}\"}} {sum}")?;
        }
        let micros = self.microseconds.load(Relaxed);
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
        writeln!(f, "mailproofd_{name}_sum {seconds}.{rest:06}")?;
        writeln!(f, "mailproofd_{name}_count {sum}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text() {
        let metrics = Metrics::default();
        metrics.messages.add(["verify", "accept"]);
        metrics.spf(SpfResult::Pass);
        for took in [Duration::from_micros(700), Duration::from_millis(40), Duration::from_secs(60)]
        {
            metrics.dns_seconds.observe(took);
        }
        let text = metrics.to_string();
        for line in [
            "mailproofd_messages_total{role=\"verify\",action=\"accept\"} 1",
            "mailproofd_messages_total{role=\"sign\",action=\"accept\"} 0",
            "mailproofd_results_total{method=\"spf\",result=\"pass\"} 1",
            "mailproofd_dns_seconds_bucket{le=\"0.0005\"} 0",
            "mailproofd_dns_seconds_bucket{le=\"0.001\"} 1",
            "mailproofd_dns_seconds_bucket{le=\"20\"} 2",
            "mailproofd_dns_seconds_bucket{le=\"+Inf\"} 3",
            "mailproofd_dns_seconds_sum 60.040700",
            "mailproofd_dns_seconds_count 3",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
        assert!(text.ends_with('\n'));
        let heads = text.lines().filter(|line| line.starts_with("# TYPE")).count();
        assert_eq!(heads, 13);
    }
}
