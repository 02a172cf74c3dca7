//! Whether reports may go to another organization (RFC 9990 4, RFC 9991 5, RFC 7489 7.1).

use mailproof_dns::{Answers, Failure, Missing, Name, Question};

use crate::suffix::public_suffix_organizational_domain;
use crate::walk::{Reader, merge};
use crate::{Discovery, Record, ReportUri};

/// Which report is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Report {
    /// An aggregate report, which "rua" asks for.
    Aggregate,
    /// A failure report, which "ruf" asks for.
    Failure,
}

/// Whether a report may be sent to a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// The host belongs to the organization of the record.
    SameOrganization,
    /// The other organization takes such reports, where the record says.
    Authorized,
    /// It takes them at these URIs instead, which have the same host.
    Overridden(Vec<ReportUri>),
    /// It does not say that it takes them: "the URI MUST be ignored".
    NotAuthorized,
    /// It names a URI with another host: "MUST NOT generate a report to either".
    OverriddenElsewhere,
    /// The URI has no host to ask.
    NoHost,
    /// The DNS failed: to be tried again, not to be sent.
    DnsFailure(Failure),
}

impl Destination {
    /// A stable word, in kebab case.
    pub fn keyword(&self) -> &'static str {
        match self {
            Destination::SameOrganization => "same-organization",
            Destination::Authorized => "authorized",
            Destination::Overridden(_) => "overridden",
            Destination::NotAuthorized => "not-authorized",
            Destination::OverriddenElsewhere => "overridden-elsewhere",
            Destination::NoHost => "no-host",
            Destination::DnsFailure(_) => "dns-failure",
        }
    }
}

/// Whether a report about mail under the record of `policy_domain` may be sent to `uri`, which
/// stands in that record (RFC 9990 4).
///
/// # Errors
/// The questions that are not answered yet.
pub fn report_destination(
    policy_domain: &Name,
    uri: &ReportUri,
    report: Report,
    discovery: Discovery,
    answers: &Answers,
) -> Result<Destination, Missing> {
    // "Extract the host portion of the authority component of the URI."
    let Some(host) = uri.host() else { return Ok(Destination::NoHost) };
    if host == *policy_domain {
        return Ok(Destination::SameOrganization);
    }
    // "Prepend the string '_report._dmarc'. Prepend the domain name from which the policy was
    // retrieved". "If the length of the constructed name exceed DNS limits, a positive
    // determination of the external reporting relationship cannot be made".
    let labels = policy_domain.labels().chain([&b"_report"[..], b"_dmarc"]).chain(host.labels());
    let agreement = Name::from_labels(labels).ok().map(Question::txt);
    let same = same_organization(policy_domain, &host, discovery, answers);
    // Foresee: where the list of public suffixes sees two organizations, the walk seldom sees one.
    let same = same.map_err(|missing| match &agreement {
        Some(question) if !is_same_by_suffix(policy_domain, &host) => {
            merge(missing, [question.clone()], answers)
        }
        _ => missing,
    })?;
    match same {
        Ok(true) => return Ok(Destination::SameOrganization),
        Ok(false) => {}
        Err(failure) => return Ok(Destination::DnsFailure(failure)),
    }
    let Some(agreement) = agreement else { return Ok(Destination::NotAuthorized) };
    let response = answers.require(&agreement)?;
    if let Some(failure) = response.failure() {
        return Ok(Destination::DnsFailure(failure));
    }
    let records = response.texts().filter_map(|txt| Record::parse(txt.joined()).ok());
    let mut authorized = false;
    for record in records {
        authorized = true;
        let uris = match report {
            Report::Aggregate => record.rua,
            Report::Failure => record.ruf,
        };
        // "the overriding URI MUST use the same destination host".
        if uris.iter().any(|uri| uri.host().as_ref() != Some(&host)) {
            return Ok(Destination::OverriddenElsewhere);
        }
        if !uris.is_empty() {
            return Ok(Destination::Overridden(uris));
        }
    }
    Ok(if authorized { Destination::Authorized } else { Destination::NotAuthorized })
}

fn is_same_by_suffix(policy_domain: &Name, host: &Name) -> bool {
    let [one, other] = [policy_domain, host].map(public_suffix_organizational_domain);
    one == other
}

fn same_organization(
    policy_domain: &Name,
    host: &Name,
    discovery: Discovery,
    answers: &Answers,
) -> Result<Result<bool, Failure>, Missing> {
    if discovery == Discovery::PublicSuffixList {
        return Ok(Ok(is_same_by_suffix(policy_domain, host)));
    }
    let mut reader = Reader::new(answers);
    let (one, other) = match (reader.walk(policy_domain), reader.walk(host)) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(mut missing), Err(more)) => {
            missing.merge(more);
            return Err(missing);
        }
        (Err(missing), Ok(_)) | (Ok(_), Err(missing)) => return Err(missing),
    };
    Ok(match (one.organizational_domain(), other.organizational_domain()) {
        (Some(one), Some(other)) => Ok(one == other),
        _ => Err(one.failure.or(other.failure).map_or(Failure::ServFail, |(_, failure)| failure)),
    })
}
