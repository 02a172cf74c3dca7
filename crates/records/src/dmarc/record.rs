//! One DMARC Policy Record by itself (RFC 9989 4.7, 4.8).

use std::ops::Range;

use mailproof_dmarc::{
    AlignmentMode, ErrorKind, Policies, Policy, Psd, Record, Tag,
    public_suffix_organizational_domain,
};
use mailproof_dns::Name;

use crate::finding::Text;
use crate::{Report, Severity, mailbox};

/// The tags of RFC 9989 4.7.
const TAGS: [&str; 12] =
    ["v", "p", "sp", "np", "adkim", "aspf", "fo", "rua", "ruf", "psd", "t", "pct"];

/// One record by itself.
pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let end = text.octets.len();
    let record = match Record::parse(text.octets) {
        Ok(record) => record,
        Err(error) => return unversioned(report, text, error.span),
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
        // RFC 9989 10.2: failure reports are not for public suffixes.
        if record.psd == Psd::Yes {
            let message = "a public suffix must not ask for failure reports: they are about others";
            report.at("DMARC040", text, tag.name_span.clone(), message);
            report.severity(Severity::Warning);
        }
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

/// A record that does not begin as one, over `span`. Where only the semicolon is missing, what is
/// wrong with the rest is told too.
pub(crate) fn unversioned(report: &mut Report, text: Text<'_>, span: Range<usize>) {
    const VERSION: &[u8] = b"v=DMARC1";
    let has_space = matches!(text.octets.get(VERSION.len()), Some(b' ' | b'\t'));
    if !has_space || !text.octets.starts_with(VERSION) {
        report.at("DMARC004", text, span, "the record does not begin with v=DMARC1");
        return;
    }
    report.at("DMARC004", text, span, "a semicolon is missing after v=DMARC1");
    let mut octets = text.octets.to_vec();
    if let Some(space) = octets.get_mut(VERSION.len()) {
        *space = b';';
    }
    if Record::is_record(&octets) {
        let before = report.findings.len();
        record(report, Text { name: text.name, octets: &octets });
        for finding in report.findings.iter_mut().skip(before) {
            finding.record = Some(text.octets.to_vec());
        }
    }
}

/// What a receiver ignores.
fn ignored(
    report: &mut Report,
    text: Text<'_>,
    record: &Record,
    kind: ErrorKind,
    span: Range<usize>,
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
        (ErrorKind::HistoricTag, _) => historic(report, text, record, span),
        // Whoever ignores the tag does not mind its value.
        (ErrorKind::InvalidValue, "pct" | "rf" | "ri") => {}
        (ErrorKind::InvalidValue, "t" | "psd") => {
            report.at("DMARC005", text, span, format!("{name} does not have this value"));
            report.severity(Severity::Warning);
        }
        (ErrorKind::NoEquals, _) if text.octets.get(span.clone()).is_some_and(is_address) => {
            report.at("DMARC031", text, span, "a comma, no semicolon, stands between addresses");
        }
        (ErrorKind::Duplicate, _) => report.at("DMARC006", text, span, kind.to_string()),
        (ErrorKind::InvalidUri, _) => report.at("DMARC031", text, span, kind.to_string()),
        (ErrorKind::SizeLimit, _) => report.at("DMARC033", text, span, kind.to_string()),
        _ => report.at("DMARC005", text, span, kind.to_string()),
    }
}

/// Whether what stands between semicolons is an address, and not a tag with a colon.
fn is_address(octets: &[u8]) -> bool {
    let start = octets.get(..4).unwrap_or_default().to_ascii_lowercase();
    octets.contains(&b'@') && !matches!(start.as_slice(), b"rua:" | b"ruf:")
}

/// A tag of RFC 7489 that RFC 9989 removed.
fn historic(report: &mut Report, text: Text<'_>, record: &Record, span: Range<usize>) {
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
        // RFC 9989 4.7: without p a record counts as p=none if it has an address for reports.
        if record.policies().is_some() {
            report.at("DMARC008", text, end..end, "the record has no p");
        } else {
            let message = "the record has no p, nor an address for reports: it is no policy at all";
            report.at("DMARC008", text, end..end, message);
            report.severity(Severity::Error);
        }
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
            } else if let Some(fault) =
                uri.address().map_or(Some("this is not one address"), |one| mailbox::fault(&one))
            {
                report.at("DMARC031", text, uri.span.clone(), fault);
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
