//! What is done about the results: the policy, applied.

use mailproof::authres::Removal;
use mailproof::dkim::{Cause, DkimResult};
use mailproof::dmarc::{Disposition, DmarcResult, Rejection};
use mailproof::message::{AuthorDomain, Header};
use mailproof::spf::SpfResult;
use mailproof::{Verdict, authres};
use mailproof_milter::SmtpReply;

use crate::settings::{Action, AuthservId, Policy, TemporaryAction, Verify};

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

/// RFC 5322 3.6: what stands once, and RFC 9989 5.3.1: several authors.
fn form(policy: &Policy, header: &Header, verdict: &Verdict) -> Option<Ruling> {
    const ONCE: [&str; 8] =
        ["Sender", "Reply-To", "To", "Cc", "Message-ID", "In-Reply-To", "References", "Subject"];
    let count = |name| header.named(name).count();
    let wrong = ["From", "Date"].into_iter().find(|name| count(*name) != 1);
    let wrong = wrong.or_else(|| ONCE.into_iter().find(|name| count(*name) > 1));
    if let (Some(name), true) = (wrong, policy.required_headers != Action::Accept) {
        let reason = format!("the message has {} {name} fields (RFC 5322 3.6)", count(name));
        return Some(Ruling::new(policy.required_headers, (6, 0), reason));
    }
    matches!(verdict.author_domain, AuthorDomain::Several(_)).then(|| {
        let reason = "From names authors of several domains";
        Ruling::new(policy.multiple_authors, (7, 1), reason)
    })
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
    // RFC 7372 3.2: X.7.23 and X.7.24; RFC 7208 8.6: 4.4.3.
    let (action, status) = match outcome.result {
        SpfResult::Fail => (spf.fail, (7, 23)),
        SpfResult::Softfail => (spf.softfail, (7, 23)),
        SpfResult::Permerror => (spf.permerror, (7, 24)),
        SpfResult::Temperror => (temporary(spf.temperror), (4, 3)),
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
    let values = header.named("Authentication-Results").map(|field| field.value());
    if verify.remove_all_results {
        return (1..=values.count()).rev().collect();
    }
    let others = verify.remove_results_of.iter().map(|name| match name {
        AuthservId::Name(name) => name,
        AuthservId::HostName => host,
        AuthservId::Mta => ours,
    });
    let names: Vec<_> = std::iter::once(ours).chain(others).map(authres::AuthservId::new).collect();
    let removals: Vec<(usize, Removal)> = authres::removals(values, &names);
    removals.into_iter().map(|(number, _)| number).collect()
}
