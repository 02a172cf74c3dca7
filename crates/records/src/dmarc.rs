//! DMARC Policy Records (RFC 9989).

mod record;
mod reports;

use mailproof_dmarc::{
    Policies, Policy, Psd, Record, TreeWalk, public_suffix_organizational_domain,
};
use mailproof_dns::{Failure, Name, RecordType, Response};

pub(crate) use self::record::record;
use crate::check::Look;
use crate::finding::{Effective, Text};
use crate::{Profile, Request, Severity, hygiene, mx};

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(name) = look.below("_dmarc") else { return };
    published(domain, &name, look);
    elsewhere(domain, look);
    let Some(walk) = look.walk() else { return };
    let Some((owner, record)) = walk.records.first().cloned() else {
        if walk.failure.is_none() {
            let rfc7489 = older(domain, look);
            look.report.dmarc = Some(Effective { owner: None, rfc9989: None, rfc7489 });
        }
        missing(request, &walk, &name, look);
        return;
    };
    if owner != *domain {
        let tag = if record.tag("sp").is_some() { "sp" } else { "p" };
        let message = format!("the policy is {tag} of {owner}");
        look.report.of("DMARC002", &name, RecordType::Txt, message);
        too_deep(domain, &name, look);
    }
    let policies = record.policies();
    let effective = policies.map(|policies| {
        let policy = if owner == *domain { policies.domain } else { policies.subdomains };
        if record.testing { policy.one_level_below() } else { policy }
    });
    // What stands above a record of its own does not change the policy.
    if walk.failure.is_none() || owner == *domain {
        let rfc7489 = older(domain, look);
        look.report.dmarc =
            Some(Effective { owner: Some(owner.clone()), rfc9989: effective, rfc7489 });
    }
    let is_known = walk.failure.is_none();
    expectations(request, &name, (policies, effective, is_known), look);
    organization(domain, &walk, &name, look);
    boundary(domain, &walk, &name, look);
    if owner == *domain {
        subdomain_policy(&walk, &name, look);
    }
    if matches!(effective, Some(Policy::Quarantine | Policy::Reject)) {
        mechanisms(request, &name, look);
    }
}

/// Where the reports go that the domain's own record asks for: apart, since their answers come
/// last.
pub(crate) fn destinations(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(name) = look.below("_dmarc") else { return };
    let Some(walk) = look.walk() else { return };
    if let Some((owner, record)) = walk.records.first()
        && owner == domain
    {
        reports::destinations(domain, record, &name, look);
    }
}

/// The policy in force, against what the domain is for.
fn expectations(
    request: &Request,
    name: &Name,
    (policies, effective, is_known): (Option<Policies>, Option<Policy>, bool),
    look: &mut Look<'_>,
) {
    let domain = &request.domain;
    if let (Some(expected), true) = (request.policy, is_known)
        && effective != Some(expected)
    {
        let found = effective.map_or("none at all", Policy::keyword);
        let message = format!("{} must be in force, and {found} is", expected.keyword());
        look.report.of("DMARC050", name, RecordType::Txt, message);
    }
    let is_weak = |policies: Policies| {
        let Policies { domain, subdomains, nonexistent } = policies;
        [domain, subdomains, nonexistent].iter().any(|policy| *policy != Policy::Reject)
    };
    if request.profile == Profile::NoMail
        && (effective != Some(Policy::Reject) || policies.is_some_and(is_weak))
    {
        let message = format!("{domain} sends no mail, and not everything in its name is rejected");
        look.report.of("DMARC044", name, RecordType::Txt, message);
    }
    if request.has_people && effective == Some(Policy::Reject) {
        let message = format!("people write with addresses of {domain}, and the policy is reject");
        look.report.of("DMARC046", name, RecordType::Txt, message);
    }
}

/// The policy by RFC 7489 6.6.3: of the domain, else of the Organizational Domain of the list of
/// public suffixes; "t" and "np" are not known.
fn older(domain: &Name, look: &mut Look<'_>) -> Option<Policy> {
    let organization = public_suffix_organizational_domain(domain);
    for owner in [domain, &organization] {
        let name = owner.prepend("_dmarc").ok()?;
        let texts = look.texts(&name)?;
        let mut records =
            texts.iter().map(|txt| txt.joined()).filter(|text| Record::is_record(text));
        let Some(text) = records.next() else { continue };
        // RFC 7489 6.6.3: with several records "policy discovery terminates".
        if records.next().is_some() {
            return None;
        }
        let record = Record::parse(text).ok()?;
        // RFC 7489 6.3: "p" is required; without it there is no policy.
        record.tag("p")?;
        let policies = record.policies()?;
        let subdomains = record.subdomain_policy.unwrap_or(policies.domain);
        return Some(if owner == domain { policies.domain } else { subdomains });
    }
    None
}

/// RFC 9989 4.7: "psd=n" says where the organization begins, whoever publishes above it.
fn boundary(domain: &Name, walk: &TreeWalk, name: &Name, look: &mut Look<'_>) {
    let is_organization = public_suffix_organizational_domain(domain) == *domain;
    let Some(record) = walk.record_at(domain).filter(|_| is_organization) else { return };
    let above = walk.records.iter().find(|(owner, _)| owner != domain);
    if let (Some((above, _)), None) = (above, record.tag("psd"))
        && record.psd != Psd::No
    {
        let message = format!("{above} publishes a record too: psd=n would end the walk here");
        look.report.of("DMARC041", name, RecordType::Txt, message);
        look.report.severity(Severity::Info);
    }
}

/// What stands at `_dmarc`.
fn published(domain: &Name, name: &Name, look: &mut Look<'_>) {
    let Some(response) = look.ask(name, RecordType::Txt) else { return };
    if let Response::Records(set) = response
        && let Some(target) = set.aliases.last()
    {
        let message = format!("_dmarc is an alias of {target}");
        look.report.of("DMARC047", name, RecordType::Txt, message);
    }
    hygiene::ttl(name, response, look);
    for txt in response.texts() {
        hygiene::boundaries(&mut look.report, Text { name, octets: txt.joined() }, txt);
    }
    let texts: Vec<&[u8]> = response.texts().map(|txt| txt.joined()).collect();
    let records: Vec<&[u8]> =
        texts.iter().copied().filter(|text| Record::is_record(text)).collect();
    for octets in texts.iter().filter(|text| !Record::is_record(text)) {
        let text = Text { name, octets };
        hygiene::text(&mut look.report, text);
        if resembles(octets) {
            let end = octets.iter().position(|&octet| octet == b';').unwrap_or(octets.len());
            record::unversioned(&mut look.report, text, 0..end);
        }
    }
    match records.as_slice() {
        [] => {}
        [octets] => {
            let text = Text { name, octets };
            hygiene::text(&mut look.report, text);
            record(&mut look.report, text);
            levels(domain, text, look);
        }
        several => {
            let message = format!("{name} has {} DMARC records", several.len());
            look.report.of("DMARC003", name, RecordType::Txt, message);
            // What is weak in a record that nobody follows is nothing to tell.
            let before = look.report.findings.len();
            for octets in several {
                record(&mut look.report, Text { name, octets });
            }
            let others = look.report.findings.split_off(before);
            let errors = others.into_iter().filter(|one| one.severity == Severity::Error);
            look.report.findings.extend(errors);
        }
    }
}

fn resembles(octets: &[u8]) -> bool {
    let start: Vec<u8> = octets
        .iter()
        .filter(|octet| !b"\" \t".contains(octet))
        .take(7)
        .map(u8::to_ascii_lowercase)
        .collect();
    start == b"v=dmarc" || start.starts_with(b"dmarc") || start.starts_with(b"p=")
}

/// A record at the domain itself.
fn elsewhere(domain: &Name, look: &mut Look<'_>) {
    for txt in look.texts(domain).unwrap_or_default() {
        let octets = txt.joined();
        if Record::is_record(octets) {
            let text = Text { name: domain, octets };
            look.report.at("DMARC049", text, 0..octets.len(), "nobody looks for DMARC here");
        }
    }
}

fn missing(request: &Request, walk: &TreeWalk, name: &Name, look: &mut Look<'_>) {
    // Whoever asks nobody about the domains above takes it that they have none either.
    let is_told = match &walk.failure {
        Some((failed, failure)) => *failure == Failure::NotRecorded && *failed != request.domain,
        None => true,
    };
    if !is_told || walk.several.is_some() {
        return;
    }
    let message = format!("{} has no DMARC record", request.domain);
    look.report.of("DMARC001", name, RecordType::Txt, message);
    too_deep(&request.domain, name, look);
    let Ok(other) = request.domain.prepend("dmarc") else { return };
    for txt in look.texts(&other).unwrap_or_default() {
        let octets = txt.joined();
        if Record::is_record(octets) {
            let text = Text { name: &other, octets };
            look.report.at("DMARC049", text, 0..octets.len(), "the name begins with _dmarc");
        }
    }
}

fn too_deep(domain: &Name, name: &Name, look: &mut Look<'_>) {
    if domain.label_count() > 8 {
        let message = format!("{domain} has more than eight labels, and no record of its own");
        look.report.of("DMARC042", name, RecordType::Txt, message);
    }
}

/// What is said of names that do not exist, which "np" is for, and after it "sp" and "p".
fn levels(domain: &Name, text: Text<'_>, look: &mut Look<'_>) {
    let Ok(record) = Record::parse(text.octets) else { return };
    let is_weak = record.policies().is_none_or(|found| found.nonexistent != Policy::Reject);
    let is_organization = public_suffix_organizational_domain(domain) == *domain;
    if is_organization && is_weak && record.tag("np").is_none() {
        let end = text.octets.len();
        let message = "np=reject would protect names that do not exist";
        look.report.at("DMARC013", text, end..end, message);
    }
}

/// RFC 9989 4.7: "sp" and "np" of what is no Organizational Domain are ignored.
fn subdomain_policy(walk: &TreeWalk, name: &Name, look: &mut Look<'_>) {
    let Some(organization) = walk.organizational_domain() else { return };
    if organization == walk.start {
        return;
    }
    let Some(record) = walk.record_at(&walk.start) else { return };
    let texts = look.texts(name).unwrap_or_default();
    let Some(octets) =
        texts.into_iter().map(|txt| txt.joined()).find(|text| Record::is_record(text))
    else {
        return;
    };
    for name_of_tag in ["sp", "np"] {
        if let Some(tag) = record.tag(name_of_tag) {
            let span = tag.name_span.start..tag.value_span.end;
            let message = format!("{name_of_tag} counts at {organization} only");
            look.report.at("DMARC014", Text { name, octets }, span, message);
        }
    }
}

/// Whether both mechanisms are there for a policy that is enforced.
fn mechanisms(request: &Request, name: &Name, look: &mut Look<'_>) {
    let domain = &request.domain;
    if request.profile == Profile::NoMail || mx::sends(domain, look) == Some(false) {
        return;
    }
    let has_spf = look
        .texts(domain)
        .map(|texts| texts.iter().any(|txt| mailproof_spf::is_spf_record(txt.joined())));
    let node = look.below("_domainkey");
    let node = node.and_then(|node| look.ask(&node, RecordType::Txt));
    let lacking = match (has_spf, node) {
        (Some(false), _) => "SPF",
        (_, Some(Response::NxDomain)) => "DKIM",
        _ => return,
    };
    let message = format!("{domain} has no {lacking}, and forwarding or a change breaks the other");
    look.report.of("DMARC045", name, RecordType::Txt, message);
}

/// RFC 9989 and RFC 7489 may see different Organizational Domains.
fn organization(domain: &Name, walk: &TreeWalk, name: &Name, look: &mut Look<'_>) {
    let Some(new) = walk.organizational_domain() else { return };
    let old = public_suffix_organizational_domain(domain);
    if new != old {
        let message = format!("RFC 9989 sees {new}, RFC 7489 sees {old}");
        look.report.of("DMARC043", name, RecordType::Txt, message);
    }
}
