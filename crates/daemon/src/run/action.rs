//! What is done about the results: the policy, applied.

use mailproof::authres::Removal;
use mailproof::dkim::{Cause, DkimResult};
use mailproof::dmarc::{Disposition, DmarcResult, Rejection};
use mailproof::message::{AuthorDomain, Header, Malformed, NoAuthor};
use mailproof::spf::SpfResult;
use mailproof::{Verdict, authres};
use mailproof_milter::SmtpReply;

use crate::settings::{Action, AuthservId, Policy, TemporaryAction, Verify};

/// The field that tells of a verdict (RFC 8601 2.2).
pub(crate) const RESULTS: &str = "Authentication-Results";

/// What becomes of a message, and why. The codes are for refusals.
#[derive(Debug, Clone)]
pub(crate) struct Ruling {
    pub(crate) action: Action,
    pub(crate) reason: String,
    /// Subject and detail of the enhanced status code.
    status: (u16, u16),
}

impl Ruling {
    pub(crate) fn new(action: Action, status: (u16, u16), reason: impl Into<String>) -> Ruling {
        Ruling { action, reason: reason.into(), status }
    }

    /// The reply of a refusal: `None` for what is no refusal.
    pub(crate) fn reply(&self) -> Option<SmtpReply> {
        let (code, class) = match self.action {
            Action::Reject => (550, 5),
            Action::Tempfail => (451, 4),
            Action::Accept | Action::Quarantine | Action::Discard => return None,
        };
        SmtpReply::new(code, (class, self.status.0, self.status.1), &self.reason).ok()
    }
}

/// How hard an action is, for the choice among several.
fn weight(action: Action) -> u8 {
    match action {
        Action::Accept => 0,
        Action::Quarantine => 1,
        Action::Tempfail => 2,
        Action::Discard => 3,
        Action::Reject => 4,
    }
}

fn temporary(action: TemporaryAction) -> Action {
    match action {
        TemporaryAction::Accept => Action::Accept,
        TemporaryAction::Quarantine => Action::Quarantine,
        TemporaryAction::Tempfail => Action::Tempfail,
    }
}

/// The hardest of what the rules say, of several alike the first.
pub(crate) fn ruling(policy: &Policy, header: &Header, verdict: &Verdict) -> Option<Ruling> {
    let rulings = [
        form(policy, header, verdict),
        dmarc(policy, verdict),
        spf(policy, verdict),
        dkim(policy, verdict),
    ];
    let mut hardest: Option<Ruling> = None;
    for ruling in rulings.into_iter().flatten() {
        let least = hardest.as_ref().map_or(0, |kept| weight(kept.action));
        if weight(ruling.action) > least {
            hardest = Some(ruling);
        }
    }
    hardest
}

/// RFC 5322 3.6: what stands once, and RFC 9989 5.3.1: several authors. The words are OpenDMARC's.
fn form(policy: &Policy, header: &Header, verdict: &Verdict) -> Option<Ruling> {
    const ONCE: [&str; 9] = [
        "Sender",
        "Reply-To",
        "To",
        "Cc",
        "Bcc",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Subject",
    ];
    let count = |name| header.named(name).count();
    let several = |domains: &str| {
        let reason = format!("multi-valued From field detected ({domains})");
        Some(Ruling::new(policy.multiple_authors, (7, 1), reason))
    };
    if policy.required_headers != Action::Accept {
        let fault = if let Some(name) = ["From", "Date"].into_iter().find(|it| count(it) != 1) {
            Some(format!("not exactly one {name} field"))
        } else if let Some(name) = ONCE.into_iter().find(|it| count(it) > 1) {
            Some(format!("multiple {name} fields"))
        } else {
            match &verdict.author_domain {
                AuthorDomain::Malformed(Malformed::TooManyDomains { .. }) => None,
                AuthorDomain::Malformed(why) => Some(why.to_string()),
                AuthorDomain::None(why @ NoAuthor::EmptyField) => Some(why.to_string()),
                _ => None,
            }
        };
        if let Some(fault) = fault {
            let reason = format!("RFC5322 requirement error: {fault}");
            return Some(Ruling::new(policy.required_headers, (6, 0), reason));
        }
    }
    match &verdict.author_domain {
        AuthorDomain::Several(domains) => several(&domains.join(", ")),
        AuthorDomain::Malformed(why @ Malformed::TooManyDomains { .. }) => {
            several(&why.to_string())
        }
        _ => None,
    }
}

fn dmarc(policy: &Policy, verdict: &Verdict) -> Option<Ruling> {
    let dmarc = &policy.dmarc;
    let author = verdict.dmarc.author_domain.as_ref().map(ToString::to_string).unwrap_or_default();
    if verdict.dmarc.result == DmarcResult::Temperror {
        let reason = format!("the DNS of {author} does not answer for now");
        return Some(Ruling::new(temporary(dmarc.temporary), (4, 3), reason));
    }
    let action = match verdict.disposition(Rejection::Reject) {
        Disposition::None => return None,
        Disposition::Quarantine => dmarc.quarantine,
        Disposition::Reject => dmarc.reject,
    };
    // RFC 7372 3.4: X.7.26, multiple authentication checks failed.
    Some(Ruling::new(action, (7, 26), dmarc.text.replace("%s", &author)))
}

fn spf(policy: &Policy, verdict: &Verdict) -> Option<Ruling> {
    let outcome = verdict.spf.as_ref()?.mail_from.as_ref()?;
    let domain = outcome.domain.as_ref().map(ToString::to_string).unwrap_or_default();
    let spf = &policy.spf;
    // RFC 7372 3.2: X.7.24 is "Used in place of 4.4.3 or 5.5.2, as described in Sections 8.6 and
    // 8.7 of RFC 7208".
    let (action, status) = match outcome.result {
        SpfResult::Fail => (spf.fail, (7, 23)),
        SpfResult::Softfail => (spf.softfail, (7, 23)),
        SpfResult::Permerror => (spf.permerror, (7, 24)),
        SpfResult::Temperror => (temporary(spf.temperror), (7, 24)),
        SpfResult::None | SpfResult::Neutral | SpfResult::Pass => return None,
    };
    Some(Ruling::new(action, status, format!("SPF of {domain}: {}", outcome.result)))
}

fn dkim(policy: &Policy, verdict: &Verdict) -> Option<Ruling> {
    let (signatures, dkim) = (&verdict.dkim.signatures, &policy.dkim);
    let has = |result| signatures.iter().any(|signature| signature.result() == result);
    if has(DkimResult::Pass) {
        return None;
    }
    // RFC 7372 3.1: X.7.20, no passing signature.
    let (action, status, reason) = if signatures.is_empty() {
        (dkim.no_signature, (7, 20), "no DKIM signature")
    } else if has(DkimResult::Temperror) {
        (temporary(dkim.dns_error), (4, 3), "the DNS of the signer does not answer for now")
    } else if signatures.iter().any(|signature| matches!(signature.cause, Cause::NoKey { .. })) {
        (dkim.key_not_found, (7, 20), "no key for the DKIM signature")
    } else {
        (dkim.bad_signature, (7, 20), "no DKIM signature is good")
    };
    Some(Ruling::new(action, status, reason))
}

/// Which Authentication-Results fields are removed, numbered as a milter does, the last first.
pub(crate) fn removals(header: &Header, ours: &str, host: &str, verify: &Verify) -> Vec<usize> {
    let values = || header.named(RESULTS).map(|field| field.value());
    if verify.remove_all_results {
        return (1..=values().count()).rev().collect();
    }
    let others = || {
        verify.remove_results_of.iter().map(|name| match name {
            AuthservId::Name(name) => name,
            AuthservId::HostName => host,
            AuthservId::Mta => ours,
        })
    };
    // RemoveARFrom of OpenDKIM has ".example.com" for all names below it.
    let (below, exact): (Vec<&str>, Vec<&str>) =
        std::iter::once(ours).chain(others()).partition(|name| name.starts_with('.'));
    let names: Vec<_> = exact.into_iter().map(authres::AuthservId::new).collect();
    let removals: Vec<(usize, Removal)> = authres::removals(values(), &names);
    let mut numbers: Vec<usize> = removals.into_iter().map(|(number, _)| number).collect();
    if !below.is_empty() {
        let below: Vec<String> = below.into_iter().map(str::to_ascii_lowercase).collect();
        let is_below = |value: &[u8]| {
            let reading = authres::AuthenticationResults::parse_lenient(value);
            let name = reading.field.authserv_id.to_ascii_lowercase();
            below.iter().any(|end| name.trim_end_matches('.').ends_with(end))
        };
        let more = values().zip(1..).filter(|(value, _)| is_below(value));
        numbers.extend(more.map(|(_, number)| number));
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
    }
    numbers
}
