//! What to do next about a result that is not pass.

use mailproof_spf::{Cause, Outcome, SpfResult};

use crate::query::Query;

/// What to do next, if there is something to do.
pub(crate) fn advice(query: &Query, outcome: &Outcome) -> Option<String> {
    let ip = query.ip;
    let version = if ip.is_ipv4() { "ip4" } else { "ip6" };
    let domain = outcome.domain.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(match &outcome.cause {
        Cause::Match { .. } | Cause::NoMatch if outcome.result != SpfResult::Pass => format!(
            "If {ip} sends for {domain}, the domain's record needs {version}:{ip}, or the include \
             that its mail provider names. If the mail was forwarded, this is to be expected."
        ),
        Cause::Match { .. } | Cause::NoMatch => return None,
        Cause::DomainMalformed { .. } => "Nothing can be looked up for such a domain.".into(),
        Cause::DomainNotFound { .. } => {
            "Look for a mistake in the spelling; mail from a domain that does not exist cannot be \
             answered."
                .into()
        }
        Cause::NoRecord { domain } => format!(
            "Publish a TXT record at {domain} that begins with v=spf1; \"v=spf1 -all\" if it sends \
             no mail."
        ),
        Cause::DnsFailure { question, .. } => {
            format!("Try again later. If it lasts, look at the name servers of {}.", question.name)
        }
        Cause::SeveralRecords { domain, .. } => {
            format!("Put the terms into one record at {domain}, and take the others away.")
        }
        Cause::SyntaxError { domain, .. } => {
            format!("Mend the record of {domain}: one error makes all of it useless.")
        }
        Cause::RecordTooLong { domain, .. } => format!("Shorten the record of {domain}."),
        Cause::IncludeNone { .. } | Cause::RedirectNone { .. } => {
            "Take the term away, or have the domain it names publish a record.".into()
        }
        Cause::TermLimit { .. } => {
            "Take away includes that are not needed, or put addresses in place of a, mx and \
             include; --trace shows what each costs."
                .into()
        }
        Cause::VoidLookupLimit { .. } => {
            "Take away the terms whose names have no addresses; --trace shows which.".into()
        }
        Cause::MxLimit { name, .. } => {
            format!("Name the addresses in place of mx:{name}, or publish fewer mail exchanges.")
        }
        Cause::QueryLimit { .. } => {
            "Put addresses in place of mx and a; --trace shows what each costs.".into()
        }
        _ => return None,
    })
}
