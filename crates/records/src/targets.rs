//! What can be had over the network for a domain.

use mailproof_dmarc::public_suffix_organizational_domain;
use mailproof_dns::{Answers, Data, Missing, Name, Question, RecordType, Response};
use mailproof_spf::{Mechanism, is_spf_record, parse};
use mailproof_tag_list::TagList;

use crate::check::Look;
use crate::{Request, mx};

/// What to fetch, for [`crate::Fetched`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Targets {
    /// The host of the MTA-STS policy (RFC 8461 3.2).
    pub policy: Option<Name>,
    /// The mail exchanges.
    pub exchanges: Vec<Name>,
    /// The URI of the BIMI logo.
    pub logo: Option<String>,
    /// The URI of its certificate.
    pub mark: Option<String>,
    /// Domains whose registration matters: that of the domain, and those that its SPF record
    /// trusts.
    pub registrations: Vec<Name>,
    /// The name servers of the zone.
    pub servers: Vec<Name>,
    /// What each of them is to be asked.
    pub questions: Vec<Question>,
}

/// What there is to fetch for a domain.
///
/// # Errors
/// The questions that are not answered yet.
pub fn targets(request: &Request, answers: &Answers) -> Result<Targets, Missing> {
    let mut look = Look::new(request, answers);
    let domain = &request.domain;
    let (logo, mark) = indicator(domain, &mut look);
    let mut questions = vec![
        Question::new(domain.clone(), RecordType::Txt),
        Question::new(domain.clone(), RecordType::Mx),
    ];
    let below = domain.prepend("_dmarc").ok();
    questions.extend(below.map(|name| Question::new(name, RecordType::Txt)));
    let targets = Targets {
        policy: policy_host(domain, &mut look),
        exchanges: mx::exchanges(domain, &mut look).into_iter().cloned().collect(),
        logo,
        mark,
        registrations: registrations(domain, &mut look),
        servers: servers(domain, &mut look),
        questions,
    };
    look.missing.into_result()?;
    Ok(targets)
}

/// The host of the policy, if there is a policy or could be one.
fn policy_host(domain: &Name, look: &mut Look<'_>) -> Option<Name> {
    let host = domain.prepend("mta-sts").ok()?;
    has_address(&host, look).then_some(host)
}

fn has_address(host: &Name, look: &mut Look<'_>) -> bool {
    let responses = [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(host, rtype));
    responses.into_iter().flatten().any(|response| matches!(response, Response::Records(_)))
}

/// The logo and its certificate.
fn indicator(domain: &Name, look: &mut Look<'_>) -> (Option<String>, Option<String>) {
    let Ok(name) = domain.prepend("default._bimi") else { return (None, None) };
    let texts = look.texts(&name).unwrap_or_default();
    let Some(tags) = texts.iter().find_map(|txt| {
        let tags = TagList::parse(txt.joined()).ok()?;
        (tags.get("v")?.value == b"BIMI1").then_some(tags)
    }) else {
        return (None, None);
    };
    let uri = |tag: &str| {
        let text = str::from_utf8(tags.get(tag)?.value).ok()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    (uri("l"), uri("a"))
}

fn registrations(domain: &Name, look: &mut Look<'_>) -> Vec<Name> {
    let most = look.report.limits.registrations;
    let mut names = vec![public_suffix_organizational_domain(domain)];
    let texts = look.texts(domain).unwrap_or_default();
    let record = texts.iter().map(|txt| txt.joined()).find(|text| is_spf_record(text));
    let Some(Ok(record)) = record.map(parse) else { return names };
    let includes = record.directives().filter_map(|directive| match &directive.mechanism {
        Mechanism::Include(_) => directive.mechanism.domain_spec()?.literal(),
        _ => None,
    });
    let redirect = record.redirect().and_then(|(spec, _)| spec.literal());
    for target in includes.chain(redirect) {
        let Ok(target) = target.parse::<Name>() else { continue };
        let name = public_suffix_organizational_domain(&target);
        if names.len() < most && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The name servers of the zone that the domain is in.
fn servers(domain: &Name, look: &mut Look<'_>) -> Vec<Name> {
    let most = look.report.limits.servers;
    let mut zone = Some(domain.clone());
    while let Some(name) = zone.filter(|name| name.label_count() > 1) {
        let Some(response) = look.ask_by_the_way(&name, RecordType::Ns) else {
            return Vec::new();
        };
        let servers = response.data().iter().filter_map(|data| match data {
            Data::Ns(name) => Some(name.clone()),
            _ => None,
        });
        let servers: Vec<Name> = servers.take(most).collect();
        if !servers.is_empty() {
            return servers;
        }
        zone = name.parent();
    }
    Vec::new()
}
