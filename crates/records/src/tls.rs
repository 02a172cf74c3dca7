//! What protects the way of mail (MTA-STS, TLS reports, DANE), and what is shown of it (BIMI).

use mailproof_dmarc::{Policy, tree_walk};
use mailproof_dns::{Data, Name, RecordType, Response};
use mailproof_tag_list::{Tag, TagList};

use crate::check::Look;
use crate::finding::Text;
use crate::{Report, Request, Severity, hygiene, mx};

type Record = fn(&mut Report, Text<'_>);

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let has_sts = records(domain, ("_mta-sts", b"v=STSv1", "STS002", sts), look);
    let has_rpt = records(domain, ("_smtp._tls", b"v=TLSRPTv1", "RPT001", rpt), look);
    let has_bimi = records(domain, ("default._bimi", b"v=BIMI1", "BIMI001", bimi), look);
    if let (Some(false), Ok(name)) = (has_sts, domain.prepend("_mta-sts")) {
        let message = format!("{domain} has no MTA-STS record");
        look.report.of("STS001", &name, RecordType::Txt, message);
    }
    if let (Some(true), Some(false), Ok(name)) = (has_sts, has_rpt, domain.prepend("_smtp._tls")) {
        let message = format!("{domain} has MTA-STS and no address for TLS reports");
        look.report.of("STS012", &name, RecordType::Txt, message);
    }
    if has_bimi == Some(true) {
        enforced(domain, look);
    }
    exchanges(domain, look);
    report_path(domain, look);
}

/// Whether there are records of a kind; each is checked.
fn records(
    domain: &Name,
    (prefix, start, multiple, record): (&str, &[u8], &str, Record),
    look: &mut Look<'_>,
) -> Option<bool> {
    let name = domain.prepend(prefix).ok()?;
    let texts = look.texts(&name)?;
    let of_kind = |octets: &[u8]| {
        let octets = octets.trim_ascii_start();
        octets.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    let own: Vec<&[u8]> =
        texts.iter().map(|txt| txt.joined()).filter(|octets| of_kind(octets)).collect();
    for octets in &own {
        let text = Text { name: &name, octets };
        hygiene::text(&mut look.report, text);
        record(&mut look.report, text);
    }
    if own.len() > 1 {
        let message = format!("{name} has {} records, and one is allowed", own.len());
        look.report.of(multiple, &name, RecordType::Txt, message);
    }
    Some(!own.is_empty())
}

/// The tags of a record, or what is wrong with it.
fn tags<'a>(report: &mut Report, text: Text<'a>, id: &str) -> Option<TagList<'a>> {
    match TagList::parse(text.octets) {
        Ok(tags) => Some(tags),
        Err(error) => {
            report.at(id, text, error.span, error.kind.to_string());
            None
        }
    }
}

/// The version as RFC 8461 3.1 and RFC 8460 3 want it: records that do not begin with it and a
/// semicolon are discarded. White space before the semicolon is in the grammar all the same.
fn head(report: &mut Report, text: Text<'_>, id: &str, head: &str) {
    let rest = text.octets.trim_ascii_start().strip_prefix(head.as_bytes());
    match rest {
        Some([b';', ..]) => {}
        Some(rest) if rest.trim_ascii_start().starts_with(b";") => {
            let message = "white space stands before the first semicolon";
            report.at(id, text, 0..head.len() + 1, message);
            report.severity(Severity::Warning);
        }
        _ => report.at(
            id,
            text,
            0..text.octets.len().min(head.len()),
            format!("the record does not begin with {head};"),
        ),
    }
}

/// Neither grammar allows white space beside the equals sign.
fn tight(report: &mut Report, text: Text<'_>, id: &str, tag: &Tag<'_>) {
    if tag.name_span.end + 1 != tag.value_span.start && !tag.value.is_empty() {
        let span = tag.name_span.end..tag.value_span.start;
        report.at(id, text, span, "white space stands beside the equals sign");
    }
}

fn span(tag: &Tag<'_>) -> std::ops::Range<usize> {
    tag.value_span.clone()
}

/// RFC 8461 3.1.
pub(crate) fn sts(report: &mut Report, text: Text<'_>) {
    let Some(tags) = tags(report, text, "STS002") else { return };
    head(report, text, "STS002", "v=STSv1");
    let is_sound = |value: &[u8]| {
        (1..=32).contains(&value.len()) && value.iter().all(u8::is_ascii_alphanumeric)
    };
    match tags.get("id") {
        Some(tag) if is_sound(tag.value) => tight(report, text, "STS002", tag),
        Some(tag) => {
            report.at("STS002", text, span(tag), "the id is not 1 to 32 letters and digits");
        }
        None => {
            let end = text.octets.len();
            report.at("STS002", text, end..end, "the record has no id");
        }
    }
}

/// RFC 8460 3.
pub(crate) fn rpt(report: &mut Report, text: Text<'_>) {
    let Some(tags) = tags(report, text, "RPT001") else { return };
    head(report, text, "RPT001", "v=TLSRPTv1");
    let Some(tag) = tags.get("rua") else {
        let end = text.octets.len();
        report.at("RPT001", text, end..end, "the record has no rua");
        return;
    };
    tight(report, text, "RPT001", tag);
    let mut at = tag.value_span.start;
    let mut count = 0;
    for part in tag.value.split(|&octet| octet == b',') {
        count += 1;
        let start = at + part.len() - part.trim_ascii_start().len();
        at += part.len() + 1;
        let uri = part.trim_ascii();
        if !is_report_uri(uri) {
            let message = "neither mailto:address nor https://host";
            report.at("RPT002", text, start..start + uri.len(), message);
        }
    }
    if count > 1 {
        report.at("RPT003", text, span(tag), format!("{count} addresses for TLS reports"));
    }
}

/// RFC 8460 3: mailto and https.
fn is_report_uri(uri: &[u8]) -> bool {
    let uri = uri.to_ascii_lowercase();
    let is_host = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_alphanumeric);
    let has_address =
        |rest: &[u8]| rest.iter().position(|octet| *octet == b'@').is_some_and(|at| at > 0);
    uri.strip_prefix(b"mailto:").is_some_and(has_address)
        || uri.strip_prefix(b"https://").is_some_and(|rest| is_host(rest) || rest.starts_with(b"["))
}

/// BIMI 4.3.
pub(crate) fn bimi(report: &mut Report, text: Text<'_>) {
    let Some(tags) = tags(report, text, "BIMI001") else { return };
    let first = tags.iter().next();
    if !first.is_some_and(|tag| tag.name == "v" && tag.value == b"BIMI1") {
        let end = first.map_or(text.octets.len(), |tag| tag.value_span.end);
        report.at("BIMI001", text, 0..end, "the record does not begin with v=BIMI1");
    }
    let end = text.octets.len();
    let is_https =
        |value: &[u8]| value.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"https://"));
    match tags.get("l") {
        None => report.at("BIMI001", text, end..end, "the record has no l"),
        Some(tag) if tag.value.is_empty() || is_https(tag.value) => {}
        Some(tag) => report.at("BIMI001", text, span(tag), "l is no https URI"),
    }
    match tags.get("a") {
        Some(tag) if is_https(tag.value) => {}
        Some(tag) if !tag.value.is_empty() => {
            report.at("BIMI001", text, span(tag), "a is no https URI");
        }
        _ if tags.get("l").is_some_and(|tag| tag.value.is_empty()) => {}
        _ => report.at("BIMI005", text, end..end, "the logo has no certificate"),
    }
}

/// BIMI 7.1: the policy of DMARC has to be enforced.
fn enforced(domain: &Name, look: &mut Look<'_>) {
    let walk = tree_walk(domain, look.answers);
    let Some(walk) = look.keep(walk) else { return };
    if walk.failure.is_some() {
        return;
    }
    let weak = |policy: Policy| policy == Policy::None;
    let is_enforced = walk.records.first().is_some_and(|(_, record)| {
        record.policies().is_some_and(|policies| {
            !record.testing && !weak(policies.domain) && !weak(policies.subdomains)
        })
    });
    if let (false, Ok(name)) = (is_enforced, domain.prepend("default._bimi")) {
        let message = format!("the DMARC policy of {domain} is not enforced");
        look.report.of("BIMI002", &name, RecordType::Txt, message);
    }
}

/// RFC 8460 5.3: reports about a domain that go to the same domain.
fn report_path(domain: &Name, look: &mut Look<'_>) {
    let Ok(name) = domain.prepend("_smtp._tls") else { return };
    for txt in look.texts(&name).unwrap_or_default() {
        let text = Text { name: &name, octets: txt.joined() };
        if !text.octets.starts_with(b"v=TLSRPTv1") {
            continue;
        }
        let Ok(tags) = TagList::parse(text.octets) else { continue };
        let Some(tag) = tags.get("rua") else { continue };
        let goes_home = |uri: &[u8]| {
            let uri = String::from_utf8_lossy(uri).to_ascii_lowercase();
            let host = uri
                .trim()
                .strip_prefix("mailto:")
                .and_then(|uri| uri.split('?').next()?.rsplit_once('@')?.1.parse::<Name>().ok());
            host.is_some_and(|host| host.is_at_or_below(domain))
        };
        if tag.value.split(|&octet| octet == b',').all(goes_home) {
            let message = format!("all reports go to {domain} itself");
            look.report.at("RPT004", text, span(tag), message);
        }
    }
}

/// RFC 7672: TLSA records of the mail exchanges.
fn exchanges(domain: &Name, look: &mut Look<'_>) {
    let exchanges = mx::exchanges(domain, look);
    let with: Vec<Option<bool>> =
        exchanges.iter().map(|exchange| exchange_records(exchange, look)).collect();
    let all_known = with.iter().all(Option::is_some);
    if all_known && with.contains(&Some(true)) && with.contains(&Some(false)) {
        let message = "some mail exchanges have TLSA records and some have not";
        look.report.of("DANE008", domain, RecordType::Mx, message);
    }
}

/// Whether a mail exchange has TLSA records.
fn exchange_records(exchange: &Name, look: &mut Look<'_>) -> Option<bool> {
    let alias = look.ask(exchange, RecordType::Cname);
    let alias = alias.and_then(|response| match response.data() {
        [Data::Cname(target)] => Some(target.clone()),
        _ => None,
    });
    let is_alias = alias.is_some();
    let mut has_any = false;
    for host in std::iter::once(exchange.clone()).chain(alias) {
        let name = host.prepend("_25._tcp").ok()?;
        let Some(response) = look.ask(&name, RecordType::Tlsa) else {
            denial(&host, &name, look);
            return None;
        };
        let Response::Records(set) = response else { continue };
        has_any = true;
        for data in &set.records {
            if let Data::Other(RecordType::Tlsa, wire) = data {
                tlsa(&mut look.report, &name, wire);
            }
        }
        if !set.authenticated && look.validates() {
            let message = format!("{name} is not protected by DNSSEC");
            look.report.of("DANE001", &name, RecordType::Tlsa, message);
        }
        if set.records.len() == 1 {
            let message = format!("{name} has one TLSA record");
            look.report.of("DANE007", &name, RecordType::Tlsa, message);
        }
        if is_alias {
            let message = format!("{exchange} is an alias");
            look.report.of("DANE010", &name, RecordType::Tlsa, message);
        }
    }
    Some(has_any)
}

/// RFC 7672 2.1.2: where the address is secure and the TLSA lookup fails, senders defer.
fn denial(host: &Name, name: &Name, look: &mut Look<'_>) {
    let is_secure = [RecordType::A, RecordType::Aaaa].into_iter().any(
        |rtype| matches!(look.ask(host, rtype), Some(Response::Records(set)) if set.authenticated),
    );
    if is_secure && look.has_failed(name, RecordType::Tlsa) {
        let message = format!("{host} is secure, and the lookup of {name} fails");
        look.report.of("DANE009", name, RecordType::Tlsa, message);
    }
}

/// One TLSA record (RFC 6698 2.1).
pub(crate) fn tlsa(report: &mut Report, name: &Name, wire: &[u8]) {
    let [usage, selector, matching, rest @ ..] = wire else {
        report.of("DANE003", name, RecordType::Tlsa, "the record is too short");
        return;
    };
    let length = match matching {
        1 => 32,
        2 => 64,
        _ => rest.len(),
    };
    let shown = format!("{usage} {selector} {matching}");
    if *usage > 3 || *selector > 1 || *matching > 2 || rest.len() != length || rest.is_empty() {
        let message = format!("{shown} with {} octets is no TLSA record", rest.len());
        report.of("DANE003", name, RecordType::Tlsa, message);
    } else if *usage < 2 {
        report.of("DANE002", name, RecordType::Tlsa, format!("usage {usage} is not for SMTP"));
    } else if *matching == 0 {
        let message = format!("{shown} holds the whole certificate or key");
        report.of("DANE004", name, RecordType::Tlsa, message);
    } else if !matches!((usage, selector, matching), (3, 1, 1) | (2, 0 | 1, 1)) {
        // RFC 7672 3.1 names 2 0 1; 2 1 1 also outlives a renewed certificate.
        let message = format!("{shown} is neither 3 1 1, 2 0 1 nor 2 1 1");
        report.of("DANE005", name, RecordType::Tlsa, message);
    }
}
