//! The MTA-STS policy and the mail exchanges, as they were met over the network (RFC 8461 3.3, 4).

use mailproof_dns::{Name, RecordType, Response};

use super::fits;
use super::policy::{Mode, Policy};
use crate::check::Look;
use crate::fetched::{Attempt, Document, Presented, Refusal, Session};
use crate::{Report, Request, Severity, Source, mx};

pub(super) fn check(request: &Request, has_record: Option<bool>, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(host) = look.below("mta-sts") else { return };
    if has_record == Some(true) && has_no_address(&host, look) {
        let message = format!("{domain} has an MTA-STS record, and {host} has no address");
        look.report.about("STS010", &host, Source::Policy, message);
    }
    let mut mode = None;
    match (&request.fetched.policy, has_record) {
        (Some(Attempt::Came(document)), Some(true)) => {
            mode = came(domain, &host, document, look).mode;
        }
        (Some(Attempt::Came(document)), Some(false)) if is_policy(document) => {
            let message = format!("{host} has a policy, and {domain} has no MTA-STS record");
            look.report.about("STS010", &host, Source::Policy, message);
        }
        (Some(Attempt::Refused(Refusal::Status(404 | 410))), Some(true)) => {
            let message = format!("{domain} has an MTA-STS record, and {host} has no policy");
            look.report.about("STS010", &host, Source::Policy, message);
        }
        (Some(Attempt::Refused(refusal)), Some(true)) => {
            let message = format!("the policy cannot be had: {refusal}");
            look.report.about("STS003", &host, Source::Policy, message);
        }
        (Some(Attempt::Lost(reason)), Some(true)) => look.lost(&host, Source::Policy, reason),
        _ => {}
    }
    for (exchange, attempt) in &request.fetched.exchanges {
        session(request, exchange, attempt, mode, look);
    }
}

fn has_no_address(host: &Name, look: &mut Look<'_>) -> bool {
    let responses = [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(host, rtype));
    let is_none = |response: &Option<&Response>| {
        matches!(response, Some(Response::NxDomain | Response::NoData))
    };
    responses.iter().all(is_none)
}

/// Whether a document is meant to be a policy; a host for everything answers with its website.
fn is_policy(document: &Document) -> bool {
    document.content.trim_ascii_start().starts_with(b"version:")
}

fn came<'a>(domain: &Name, host: &Name, document: &'a Document, look: &mut Look<'_>) -> Policy<'a> {
    let media_type = document.media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("text/plain") {
        let message = format!("the media type is {media_type:?}, and text/plain is needed");
        look.report.about("STS004", host, Source::Policy, message);
    }
    let policy = super::policy(&mut look.report, host, &document.content);
    let exchanges = mx::exchanges(domain, look);
    covers(&mut look.report, host, &policy, &exchanges);
    policy
}

/// Whether a policy has these mail exchanges, and no others.
pub(crate) fn covers(report: &mut Report, host: &Name, policy: &Policy<'_>, exchanges: &[&Name]) {
    if policy.mode == Some(Mode::None) || policy.patterns.is_empty() {
        return;
    }
    for exchange in exchanges {
        if !policy.patterns.iter().any(|pattern| pattern.fits(exchange)) {
            let message = format!("no mx of the policy is {exchange}");
            report.about("STS006", host, Source::Policy, message);
            if policy.mode != Some(Mode::Enforce) {
                report.severity(Severity::Warning);
            }
        }
    }
    for pattern in &policy.patterns {
        if !exchanges.is_empty() && !exchanges.iter().any(|exchange| pattern.fits(exchange)) {
            let message = format!("no mail exchange is {}", pattern.text);
            pattern.report(report, "STS007", host, message);
        }
    }
}

/// What a mail exchange said and presented.
fn session(
    request: &Request,
    exchange: &Name,
    attempt: &Attempt<Session>,
    mode: Option<Mode>,
    look: &mut Look<'_>,
) {
    match attempt {
        Attempt::Lost(reason) => look.lost(exchange, Source::Exchange, reason),
        Attempt::Refused(refusal) => {
            let message = format!("{exchange}: {refusal}");
            told(exchange, message, mode, Severity::Warning, look);
        }
        Attempt::Came(Session::Plain) => {
            let message = format!("{exchange} does not offer STARTTLS");
            told(exchange, message, mode, Severity::Warning, look);
        }
        Attempt::Came(Session::Tls(presented)) => {
            if let Some(fault) = &presented.fault {
                let message =
                    format!("{exchange} presents a certificate that is not valid: {fault}");
                told(exchange, message, mode, Severity::Info, look);
            } else if !presented.names.iter().any(|name| fits(name, exchange)) {
                let names = some(&presented.names);
                let message = format!("{exchange} presents a certificate for {names}");
                told(exchange, message, mode, Severity::Info, look);
            } else {
                ends(request, exchange, presented, look);
            }
        }
    }
}

/// A finding that is as bad as the policy makes it.
fn told(
    exchange: &Name,
    message: String,
    mode: Option<Mode>,
    otherwise: Severity,
    look: &mut Look<'_>,
) {
    look.report.about("STS013", exchange, Source::Exchange, message);
    look.report.severity(match mode {
        Some(Mode::Enforce) => Severity::Error,
        Some(Mode::Testing) => Severity::Warning,
        Some(Mode::None) | None => otherwise,
    });
}

fn ends(request: &Request, exchange: &Name, presented: &Presented, look: &mut Look<'_>) {
    let Some(left) = presented.ends.map(|ends| ends.saturating_sub(request.now)) else { return };
    if request.now > 0 && left < look.report.limits.certificate_end.as_secs() {
        let message = format!("the certificate of {exchange} ends in {} days", left / 86_400);
        look.report.about("STS013", exchange, Source::Exchange, message);
        look.report.severity(Severity::Warning);
    }
}

/// The first of many names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 3;
    match (names.len(), names.len().saturating_sub(SHOWN)) {
        (0, _) => "no name".to_owned(),
        (_, 0) => names.join(", "),
        (_, more) => {
            let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
            format!("{} and {more} more", shown.join(", "))
        }
    }
}
