//! Who holds the domain, and whether its name servers say the same.

use std::collections::HashSet;

use mailproof_dns::{Data, Name, Question, RecordType, Response};

use crate::check::Look;
use crate::fetched::{Attempt, Refusal, Registration, Server};
use crate::{Request, Severity, Source};

/// States of a registration that is being taken back (RFC 8056 2).
const ENDING: [&str; 2] = ["pending delete", "redemption period"];

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    for (domain, attempt) in &request.fetched.registrations {
        match attempt {
            Attempt::Came(registration) => self::registration(request, domain, registration, look),
            Attempt::Refused(Refusal::Status(404)) => {
                let message = format!("{domain} is not registered: anybody may register it");
                look.report.about("DNS020", domain, Source::Registration, message);
                look.report.severity(Severity::Error);
            }
            // Registries answer a few questions a minute: what they do not say is no trouble.
            Attempt::Refused(_) | Attempt::Lost(_) => {}
        }
    }
    servers(&request.fetched.servers, look);
}

fn registration(
    request: &Request,
    domain: &Name,
    registration: &Registration,
    look: &mut Look<'_>,
) {
    let ending = registration.states.iter().find(|state| ENDING.contains(&state.as_str()));
    let left = registration.ends.map(|ends| ends.checked_sub(request.now));
    let (message, severity) = match (ending, left) {
        (Some(state), _) => {
            (format!("the registration of {domain} is in state {state}"), Severity::Error)
        }
        (None, Some(None)) => (format!("the registration of {domain} has ended"), Severity::Error),
        (None, Some(Some(left))) if left < request.limits.registration_end.as_secs() => {
            let days = left / 86_400;
            (format!("the registration of {domain} ends in {days} days"), Severity::Warning)
        }
        _ => return,
    };
    look.report.about("DNS020", domain, Source::Registration, message);
    look.report.severity(severity);
}

/// RFC 1034 4.2.2: all name servers of a zone have the same.
fn servers(servers: &[Server], look: &mut Look<'_>) {
    let Some((first, others)) = servers.split_first() else { return };
    let mut questions: Vec<&Question> =
        first.answers.iter().map(|(question, _)| question).collect();
    questions.sort_by_key(|question| question.to_string());
    for question in questions {
        let known = first.answers.lookup(question).filter(|known| known.failure().is_none());
        let Some(known) = known else { continue };
        for server in others {
            let Some(response) = server.answers.lookup(question) else { continue };
            if response.failure().is_none() && !is_same(known, response) {
                let id = if question.rtype == RecordType::Mx { "MX012" } else { "DNS010" };
                let message = format!(
                    "{} ({}) and {} ({}) have different records",
                    first.name, first.address, server.name, server.address
                );
                look.report.of(id, &question.name, question.rtype, message);
                break;
            }
        }
    }
}

/// Whether two responses hold the same records, in whatever order.
fn is_same(one: &Response, other: &Response) -> bool {
    let set = |response: &Response| -> HashSet<Data> { response.data().iter().cloned().collect() };
    set(one) == set(other)
}
