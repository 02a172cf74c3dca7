//! The history: what aggregate reports (RFC 9990) are made of, in the lines of OpenDMARC 1.4.

use std::fmt::{Display, Write as _};

use mailproof::Verdict;
use mailproof::arc::ChainStatus;
use mailproof::dkim::DkimResult;
use mailproof::dmarc::{self, AlignmentMode, DmarcResult, Mechanism};
use mailproof::spf::SpfResult;
use mailproof_dns::Name;

use crate::run::log::{Logger, warn};
use crate::run::queue::{Queue, Sink};
use crate::run::sender::Arriving;
use crate::settings::{self, Action};

/// The file, and whoever writes it. No message waits for it, and none fails for it.
pub(crate) struct History {
    settings: settings::History,
    queue: Queue,
}

/// What is recorded of a message besides its verdict.
pub(crate) struct Recorded<'a> {
    /// The queue id.
    pub(crate) job: &'a str,
    /// The name of the MTA.
    pub(crate) reporter: &'a str,
    /// In seconds since 1970-01-01 UTC.
    pub(crate) received: u64,
    pub(crate) action: Action,
}

impl History {
    /// `None` if the system has no thread left.
    pub(crate) fn open(settings: &settings::History) -> Option<History> {
        let queue = Queue::start("history", Sink::File(settings.file.clone()))?;
        Some(History { settings: settings.clone(), queue })
    }

    pub(crate) fn settings(&self) -> &settings::History {
        &self.settings
    }

    /// Records a message, if it is one of those that are.
    pub(crate) fn record(
        &self,
        message: &Recorded<'_>,
        verdict: &Verdict,
        arriving: &Arriving,
        log: &Logger,
    ) {
        let config = &arriving.state.config;
        let is_left_out = |to: &String| config.history_not_to.contains_address(bare(to));
        let (recipients, is_policed) =
            (&arriving.recipients, verdict.dmarc.policy_record.is_some());
        if !recipients.is_empty() && recipients.iter().all(is_left_out)
            || !(is_policed || self.settings.all)
        {
            return;
        }
        self.queue.push(block(message, verdict, arriving).into_bytes());
        let lost = self.queue.take_lost();
        if lost > 0 {
            let file = self.settings.file.display();
            warn(log, "", &format!("{lost} messages are missing from the history: {file}"));
        }
    }
}

/// An address without angle brackets.
fn bare(address: &str) -> &str {
    address.trim_start_matches('<').trim_end_matches('>')
}

fn block(message: &Recorded<'_>, verdict: &Verdict, arriving: &Arriving) -> String {
    let mut text = String::with_capacity(512);
    // What comes from outside must not make a line of its own.
    let mut line = |name: &str, values: &[&dyn Display]| {
        text.push_str(name);
        for value in values {
            let value = value.to_string();
            let printable = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
            text.push(' ');
            text.extend(value.chars().map(printable));
        }
        text.push('\n');
    };
    let none = "";
    line("job", &[&message.job]);
    line("reporter", &[&message.reporter]);
    line("received", &[&message.received]);
    let ip = arriving.ip.map(|ip| ip.to_canonical().to_string());
    line("ipaddr", &[&ip.as_deref().unwrap_or("127.0.0.1")]);
    let dmarc = &verdict.dmarc;
    let from = name(dmarc.author_domain.as_ref());
    line("from", &[&from]);
    let sender = bare(&arriving.mail_from).rsplit_once('@').map_or(none, |(_, domain)| domain);
    line("mfrom", &[&sender]);
    for signature in &verdict.dkim.signatures {
        let selector = signature.selector.as_ref().map_or("-".to_owned(), ToString::to_string);
        let domain = name(signature.domain.as_ref());
        line("dkim", &[&domain, &selector, &dkim_code(signature.result())]);
    }
    let spf = verdict.spf.as_ref();
    let spf = spf.map(|spf| spf.mail_from.as_ref().unwrap_or(&spf.helo).result);
    line("spf", &[&spf.map_or(-1, spf_code)]);
    policy(dmarc, &from, &mut line);
    let aligned = |mechanism: Mechanism| {
        let is = |(identifier, alignment): &(dmarc::Identifier, dmarc::Alignment)| {
            identifier.mechanism == mechanism && identifier.authenticated && alignment.is_aligned()
        };
        if dmarc.identifiers.iter().any(is) { 4 } else { 5 }
    };
    line("align_dkim", &[&aligned(Mechanism::Dkim)]);
    line("align_spf", &[&aligned(Mechanism::Spf)]);
    chain(verdict, &mut line);
    line("action", &[&action_code(message.action)]);
    text
}

fn policy(outcome: &dmarc::Outcome, from: &str, line: &mut impl FnMut(&str, &[&dyn Display])) {
    let record = outcome.policy_record.as_ref();
    let domain = record.map_or_else(|| from.to_owned(), |found| found.domain.to_string());
    line("pdomain", &[&domain]);
    let code = match (outcome.result, outcome.policy) {
        (DmarcResult::Pass, _) => 15,
        (_, Some(dmarc::Policy::Reject)) if outcome.result == DmarcResult::Fail => 16,
        (_, Some(dmarc::Policy::Quarantine)) if outcome.result == DmarcResult::Fail => 17,
        (_, Some(_)) => 18,
        (_, None) => 14,
    };
    line("policy", &[&code]);
    let record = record.map(|found| &found.record);
    let uris = record.map_or(&[][..], |record| &record.rua);
    for uri in uris {
        line("rua", &[&uri.uri]);
    }
    if uris.is_empty() {
        line("rua", &[&"-"]);
    }
    let pct = record.and_then(|record| record.historic.pct).unwrap_or(100);
    line("pct", &[&pct]);
    let mode = |mode: Option<AlignmentMode>| match mode {
        Some(AlignmentMode::Strict) => b's',
        Some(AlignmentMode::Relaxed) | None => b'r',
    };
    line("adkim", &[&mode(record.map(|record| record.adkim))]);
    line("aspf", &[&mode(record.map(|record| record.aspf))]);
    let letter = |policy: Option<dmarc::Policy>| match policy {
        Some(dmarc::Policy::None) => b'n',
        Some(dmarc::Policy::Quarantine) => b'q',
        Some(dmarc::Policy::Reject) => b'r',
        None => 0,
    };
    line("p", &[&letter(record.and_then(|record| record.policy))]);
    line("sp", &[&letter(record.and_then(|record| record.subdomain_policy))]);
}

/// `arc_policy`: 0 a chain that made a difference, 1 one that made none, 2 none that passes.
fn chain(verdict: &Verdict, line: &mut impl FnMut(&str, &[&dyn Display])) {
    let status = verdict.arc.result();
    let (code, policy) = match (status, &verdict.arc_override) {
        (ChainStatus::Pass, Some(_)) => (0, 0),
        (ChainStatus::Pass, None) => (0, 1),
        // OpenDMARC writes so for a message without a chain, too.
        (ChainStatus::Fail | ChainStatus::None, _) => (7, 2),
    };
    line("arc", &[&code]);
    let mut sets = String::new();
    for set in &verdict.arc.sets {
        let separator = if sets.is_empty() { "" } else { ", " };
        let seal = &set.seal.signature;
        let _endless = write!(
            sets,
            r#"{separator}{{ "i": {}, "d":"{}", "s":"{}", "ip":"" }}"#,
            set.instance(),
            seal.domain,
            seal.selector
        );
    }
    line("arc_policy", &[&policy, &format_args!("json:[{sets}]")]);
}

fn name(name: Option<&Name>) -> String {
    name.map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn spf_code(result: SpfResult) -> i8 {
    match result {
        SpfResult::Pass => 0,
        SpfResult::Softfail => 2,
        SpfResult::Neutral => 3,
        SpfResult::Temperror => 4,
        SpfResult::Permerror => 5,
        SpfResult::None => 6,
        SpfResult::Fail => 7,
    }
}

fn dkim_code(result: DkimResult) -> i8 {
    match result {
        DkimResult::Pass => 0,
        DkimResult::Neutral => 3,
        DkimResult::Temperror => 4,
        DkimResult::Permerror => 5,
        DkimResult::None => 6,
        DkimResult::Fail => 7,
        DkimResult::Policy => 8,
    }
}

fn action_code(action: Action) -> i8 {
    match action {
        Action::Reject => 0,
        Action::Discard => 1,
        Action::Accept => 2,
        Action::Tempfail => 3,
        Action::Quarantine => 4,
    }
}
