//! DMARC Policy Records (RFC 9989).

use mailproof_dmarc::{
    AlignmentMode, Destination, Discovery, ErrorKind, Policies, Policy, Psd, Record, ReportUri,
    Tag, TreeWalk, public_suffix_organizational_domain, report_destination, tree_walk,
};
use mailproof_dns::{Data, Failure, Name, RecordType, Response};

use crate::check::Look;
use crate::finding::Text;
use crate::{Profile, Report, Request, Severity, hygiene};

/// The tags of RFC 9989 4.7.
const TAGS: [&str; 12] =
    ["v", "p", "sp", "np", "adkim", "aspf", "fo", "rua", "ruf", "psd", "t", "pct"];

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Ok(name) = domain.prepend("_dmarc") else { return };
    published(domain, &name, look);
    elsewhere(domain, look);
    let walk = tree_walk(domain, look.answers);
    let Some(walk) = look.keep(walk) else { return };
    let Some((owner, record)) = walk.records.first().cloned() else {
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
    if let (Some(expected), true) = (request.policy, walk.failure.is_none())
        && effective != Some(expected)
    {
        let found = effective.map_or("none at all", Policy::keyword);
        let message = format!("{} must be in force, and {found} is", expected.keyword());
        look.report.of("DMARC050", &name, RecordType::Txt, message);
    }
    let is_weak = |policies: Policies| {
        let Policies { domain, subdomains, nonexistent } = policies;
        [domain, subdomains, nonexistent].iter().any(|policy| *policy != Policy::Reject)
    };
    if request.profile == Profile::NoMail
        && (effective != Some(Policy::Reject) || policies.is_some_and(is_weak))
    {
        let message = format!("{domain} sends no mail, and not everything in its name is rejected");
        look.report.of("DMARC044", &name, RecordType::Txt, message);
    }
    if request.has_people && effective == Some(Policy::Reject) {
        let message = format!("people write with addresses of {domain}, and the policy is reject");
        look.report.of("DMARC046", &name, RecordType::Txt, message);
    }
    organization(domain, &walk, &name, look);
    if owner == *domain {
        subdomain_policy(&walk, &name, look);
    }
    if matches!(effective, Some(Policy::Quarantine | Policy::Reject)) {
        mechanisms(request, &name, look);
    }
    if owner == *domain {
        destinations(domain, &record, &name, look);
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
    let texts: Vec<&[u8]> = response.texts().map(|txt| txt.joined()).collect();
    let records: Vec<&[u8]> =
        texts.iter().copied().filter(|text| Record::is_record(text)).collect();
    for octets in texts.iter().filter(|text| !Record::is_record(text)) {
        let text = Text { name, octets };
        hygiene::text(&mut look.report, text);
        if resembles(octets) {
            let end = octets.iter().position(|&octet| octet == b';').unwrap_or(octets.len());
            look.report.at("DMARC004", text, 0..end, "the record does not begin with v=DMARC1");
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

/// One record by itself.
pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let end = text.octets.len();
    let record = match Record::parse(text.octets) {
        Ok(record) => record,
        Err(error) => {
            report.at("DMARC004", text, error.span, "the record does not begin with v=DMARC1");
            return;
        }
    };
    for error in &record.ignored {
        ignored(report, text, &record, error.kind, error.span.clone());
    }
    for tag in &record.tags {
        glued(report, text, tag);
    }
    policy(report, text, &record);
    for (name, mode) in [("adkim", record.adkim), ("aspf", record.aspf)] {
        if let (Some(tag), AlignmentMode::Strict) = (record.tag(name), mode) {
            let message = format!("{name}=s: subdomains do not align");
            report.at("DMARC020", text, tag.name_span.start..tag.value_span.end, message);
        }
    }
    if let (Some(tag), None) = (record.tag("fo"), record.tag("ruf")) {
        let span = tag.name_span.start..tag.value_span.end;
        report.at("DMARC022", text, span, "fo is ignored, since there is no ruf");
    }
    if let Some(tag) = record.tag("ruf") {
        report.at("DMARC040", text, tag.name_span.clone(), "failure reports hold parts of mail");
    }
    if record.psd == Psd::Yes
        && !is_public_suffix(text.name)
        && let Some(tag) = record.tag("psd")
    {
        let span = tag.name_span.start..tag.value_span.end;
        report.at("DMARC041", text, span, "psd=y is for public suffixes alone");
    }
    if end > 450 {
        report.at("DMARC048", text, 450..end, format!("the record has {end} octets"));
    }
    uris(report, text, &record);
}

/// What a receiver ignores.
fn ignored(
    report: &mut Report,
    text: Text<'_>,
    record: &Record,
    kind: ErrorKind,
    span: std::ops::Range<usize>,
) {
    let tag = record
        .tags
        .iter()
        .find(|tag| tag.name_span.start <= span.start && span.end <= tag.value_span.end);
    let name = tag.map_or("", |tag| tag.name.as_str());
    match (kind, name) {
        (ErrorKind::InvalidValue | ErrorKind::InvalidOctet, "p" | "sp" | "np") => {
            let effect = match record.policies() {
                Some(_) => "the record counts as p=none",
                None => "the record is no policy at all",
            };
            let message = format!("{name} is not none, quarantine or reject: {effect}");
            report.at("DMARC007", text, span, message);
        }
        (ErrorKind::InvalidValue | ErrorKind::InvalidOctet, "adkim" | "aspf") => {
            report.at("DMARC019", text, span, format!("{name} is neither r nor s"));
        }
        (ErrorKind::InvalidValue | ErrorKind::OptionConflict, "fo") => {
            report.at("DMARC021", text, span, kind.to_string());
        }
        (ErrorKind::UnknownTag, _) => {
            let written = text.octets.get(span.clone()).unwrap_or_default();
            let written = String::from_utf8_lossy(written).to_ascii_lowercase();
            let near = TAGS.iter().find(|known| known.len() > 1 && is_near(&written, known));
            let message = match near {
                Some(known) => format!("nobody knows this tag; is {known} meant?"),
                None => "nobody knows this tag".to_owned(),
            };
            report.at("DMARC018", text, span, message);
            report.severity(if near.is_some() { Severity::Warning } else { Severity::Info });
        }
        (ErrorKind::HistoricTag, _) => {
            let is_pct = text.octets.get(span.clone()).is_some_and(|octets| {
                octets.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(b"pct"))
            });
            match record.historic.pct {
                Some(pct) if is_pct && pct < 100 => {
                    let message = format!("pct={pct} is ignored now: the policy is for all mail");
                    report.at("DMARC016", text, span, message);
                }
                _ => {
                    let id = if is_pct { "DMARC016" } else { "DMARC017" };
                    report.at(id, text, span, "RFC 9989 removed this tag");
                }
            }
        }
        // Whoever ignores the tag does not mind its value.
        (ErrorKind::InvalidValue, "pct" | "rf" | "ri") => {}
        (ErrorKind::InvalidValue, "t" | "psd") => {
            report.at("DMARC005", text, span, format!("{name} does not have this value"));
            report.severity(Severity::Warning);
        }
        (ErrorKind::NoEquals, _)
            if text.octets.get(span.clone()).is_some_and(|octets| octets.contains(&b'@')) =>
        {
            report.at("DMARC031", text, span, "a comma, no semicolon, stands between addresses");
        }
        (ErrorKind::Duplicate, _) => report.at("DMARC006", text, span, kind.to_string()),
        (ErrorKind::InvalidUri, _) => report.at("DMARC031", text, span, kind.to_string()),
        (ErrorKind::SizeLimit, _) => report.at("DMARC033", text, span, kind.to_string()),
        _ => report.at("DMARC005", text, span, kind.to_string()),
    }
}

/// Two tags that became one, a value in quotes, and options said twice.
fn glued(report: &mut Report, text: Text<'_>, tag: &Tag) {
    let span = tag.value_span.clone();
    if tag.value.starts_with(['"', '\'']) {
        report.at("DMARC005", text, span.clone(), "quotes stand round the value");
    }
    let mut at = span.start;
    for word in tag.value.split([' ', '\t']) {
        let name = word.split('=').next().unwrap_or_default();
        let is_tag = TAGS.iter().any(|known| name.eq_ignore_ascii_case(known));
        if at > span.start && is_tag && word.len() > name.len() {
            let message = format!("no semicolon stands before {name}=");
            report.at("DMARC005", text, at..at + word.len(), message);
        }
        at += word.len() + 1;
    }
    if tag.name == "fo" {
        let mut options: Vec<&str> = tag.value.split(':').map(str::trim).collect();
        let count = options.len();
        options.sort_unstable();
        options.dedup();
        if options.len() < count {
            report.at("DMARC021", text, span, "an option stands here twice");
        }
    }
}

/// Whether names below the domain, of this name or of this `_dmarc`, are registered by others.
fn is_public_suffix(name: &Name) -> bool {
    let is_node = name.labels().next().is_some_and(|label| label.eq_ignore_ascii_case(b"_dmarc"));
    let domain = if is_node { name.parent() } else { Some(name.clone()) };
    let below = domain.and_then(|domain| domain.prepend("a").ok());
    below.is_some_and(|below| public_suffix_organizational_domain(&below) == below)
}

/// One letter changed, put in, left out, or two neighbours swapped.
fn is_near(word: &str, known: &str) -> bool {
    let (word, known) = (word.as_bytes(), known.as_bytes());
    let same = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let front = same(word, known);
    let rest = |octets: &[u8], skip: usize| octets.get(front + skip..).unwrap_or_default().to_vec();
    let (word_rest, known_rest) = (rest(word, 0), rest(known, 0));
    word != known
        && (rest(word, 1) == rest(known, 1)
            || rest(word, 1) == known_rest
            || word_rest == rest(known, 1)
            || (word_rest.len() == known_rest.len()
                && rest(word, 2) == rest(known, 2)
                && word_rest.first() == known_rest.get(1)
                && word_rest.get(1) == known_rest.first()))
}

fn policy(report: &mut Report, text: Text<'_>, record: &Record) {
    let end = text.octets.len();
    let Some(p) = record.tag("p") else {
        report.at("DMARC008", text, end..end, "the record has no p");
        return;
    };
    let is_second =
        record.tags.iter().find(|tag| tag.name != "v").is_some_and(|tag| tag.name == "p");
    if !is_second {
        report.at("DMARC009", text, p.name_span.clone(), "p is not right after the version");
    }
    let span = p.name_span.start..p.value_span.end;
    match record.policies() {
        // Another policy that counts as none has its own finding.
        Some(Policies { domain: Policy::None, .. }) if record.policy != Some(Policy::None) => {}
        Some(Policies { domain: Policy::None, .. }) => {
            if record.rua.is_empty() {
                report.at("DMARC011", text, span, "p=none without rua does nothing");
            } else {
                report.at("DMARC010", text, span, "mail that fails is delivered as before");
            }
        }
        Some(policies) => {
            let rank = |policy: Policy| {
                [Policy::None, Policy::Quarantine, Policy::Reject]
                    .iter()
                    .position(|one| *one == policy)
            };
            for (name, policy) in
                [("sp", record.subdomain_policy), ("np", record.nonexistent_policy)]
            {
                let (Some(tag), Some(policy)) = (record.tag(name), policy) else { continue };
                if rank(policy) < rank(policies.domain) {
                    let span = tag.name_span.start..tag.value_span.end;
                    let message = format!("{name} is weaker than p");
                    report.at("DMARC012", text, span, message);
                }
            }
        }
        None => {}
    }
    if let (Some(tag), true) = (record.tag("t"), record.testing) {
        let effective = record.policies().map(|policies| policies.domain.one_level_below());
        let effective = effective.map_or("none", Policy::keyword);
        let span = tag.name_span.start..tag.value_span.end;
        report.at("DMARC015", text, span, format!("the policy in force is {effective}"));
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
    if request.profile == Profile::NoMail {
        return;
    }
    let has_spf = look
        .texts(domain)
        .map(|texts| texts.iter().any(|txt| mailproof_spf::is_spf_record(txt.joined())));
    let node = domain.prepend("_domainkey").ok();
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

fn uris(report: &mut Report, text: Text<'_>, record: &Record) {
    if record.rua.is_empty() && record.policy != Some(Policy::None) {
        let end = text.octets.len();
        report.at("DMARC030", text, end..end, "no address for aggregate reports");
    }
    for uris in [&record.rua, &record.ruf] {
        let mut seen: Vec<String> = Vec::new();
        for uri in uris {
            if !uri.scheme().eq_ignore_ascii_case("mailto") {
                report.at(
                    "DMARC032",
                    text,
                    uri.span.clone(),
                    "receivers have to support mailto only",
                );
            } else if uri.address().is_none() {
                report.at("DMARC031", text, uri.span.clone(), "this is not one address");
            }
            let key = uri.uri.to_ascii_lowercase();
            if seen.contains(&key) {
                report.at("DMARC035", text, uri.span.clone(), "this address stands here twice");
            }
            seen.push(key);
        }
        if let Some(third) = uris.get(2) {
            report.at("DMARC034", text, third.span.clone(), "more than two report addresses");
        }
    }
}

/// Whether the reports arrive.
fn destinations(domain: &Name, record: &Record, name: &Name, look: &mut Look<'_>) {
    let Some(octets) = look
        .texts(name)
        .unwrap_or_default()
        .into_iter()
        .map(|txt| txt.joined())
        .find(|text| Record::is_record(text))
    else {
        return;
    };
    let text = Text { name, octets };
    for (uris, kind) in [
        (&record.rua, mailproof_dmarc::Report::Aggregate),
        (&record.ruf, mailproof_dmarc::Report::Failure),
    ] {
        for uri in uris {
            let answer = report_destination(domain, uri, kind, Discovery::TreeWalk, look.answers);
            match look.keep(answer) {
                Some(Destination::NotAuthorized) => {
                    let Some(host) = uri.host() else { continue };
                    let joined = format!("{domain}._report._dmarc");
                    match host.prepend(&joined) {
                        Ok(needed) => {
                            let message = format!("{host} has no record at {needed}");
                            look.report.at("DMARC036", text, uri.span.clone(), message);
                            if kind == mailproof_dmarc::Report::Failure {
                                look.report.severity(Severity::Warning);
                            }
                        }
                        Err(_) => {
                            let message =
                                format!("the name that would let {host} agree is too long");
                            look.report.at("DMARC037", text, uri.span.clone(), message);
                        }
                    }
                }
                Some(Destination::OverriddenElsewhere) => {
                    let message = "the destination names another host, and gets no reports";
                    look.report.at("DMARC038", text, uri.span.clone(), message);
                }
                _ => {}
            }
            takes_mail(domain, text, uri, look);
        }
    }
}

/// RFC 5321 5.1: mail goes to the MX records, or to the address records where there is none.
fn takes_mail(domain: &Name, text: Text<'_>, uri: &ReportUri, look: &mut Look<'_>) {
    if uri.address().is_none() {
        return;
    }
    let Some(host) = uri.host() else { return };
    let Some(response) = look.ask(&host, RecordType::Mx) else { return };
    let takes = match response {
        Response::Records(set) => set
            .records
            .iter()
            .any(|data| matches!(data, Data::Mx(mx) if mx.exchange != Name::root())),
        Response::NxDomain => false,
        _ => {
            let addresses = [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(&host, rtype));
            addresses.iter().any(|response| {
                response.is_none_or(|response| matches!(response, Response::Records(_)))
            })
        }
    };
    if !takes {
        look.report.at("DMARC039", text, uri.span.clone(), format!("{host} takes no mail"));
        // Nobody registers a name within the organization itself.
        let [own, theirs] = [domain, &host].map(public_suffix_organizational_domain);
        if matches!(response, Response::NxDomain) && own != theirs {
            look.report.severity(Severity::Error);
        }
    }
}
