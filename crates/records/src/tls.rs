//! What protects the way of mail (MTA-STS, TLS reports, DANE), and what is shown of it (BIMI).

mod bimi;
mod dane;
mod logo;
mod policy;
mod sts;

use mailproof_dns::{Name, RecordType};
use mailproof_tag_list::{Tag, TagList};

pub(crate) use self::bimi::bimi;
pub(crate) use self::dane::tlsa;
pub(crate) use self::policy::policy;
pub(crate) use self::sts::covers;
use crate::check::Look;
use crate::finding::Text;
use crate::{Profile, Report, Request, Severity, hygiene, mailbox};

type Record = fn(&mut Report, Text<'_>);

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let has_sts = records(("_mta-sts", b"v=STSv1", "STS002", sts), look);
    let has_rpt = records(("_smtp._tls", b"v=TLSRPTv1", "RPT001", rpt), look);
    let has_bimi = records(("default._bimi", b"v=BIMI1", "BIMI001", bimi), look);
    if let (Some(false), Some(name)) = (has_sts, look.below("_mta-sts")) {
        let message = format!("{domain} has no MTA-STS record");
        look.report.of("STS001", &name, RecordType::Txt, message);
    }
    if let (Some(true), Some(false), Some(name)) = (has_sts, has_rpt, look.below("_smtp._tls")) {
        let message = format!("{domain} has MTA-STS and no address for TLS reports");
        look.report.of("STS012", &name, RecordType::Txt, message);
    }
    let has_mail = request.profile != Profile::NoMail;
    if let (Some(false), Some(false), true, Some(name)) =
        (has_sts, has_rpt, has_mail, look.below("_smtp._tls"))
    {
        let message = format!("{domain} asks for no reports of TLS");
        look.report.of("RPT001", &name, RecordType::Txt, message);
        look.report.severity(Severity::Info);
    }
    if let (Some(false), true, Some(name)) = (has_bimi, has_mail, look.below("default._bimi")) {
        let message = format!("{domain} has no BIMI record");
        look.report.of("BIMI001", &name, RecordType::Txt, message);
        look.report.severity(Severity::Info);
    }
    if has_bimi == Some(true) {
        bimi::enforced(domain, look);
    }
    sts::check(request, has_sts, look);
    dane::exchanges(request, look);
    logo::check(request, look);
    report_path(domain, look);
}

/// Whether there are records of a kind; each is checked.
fn records(
    (prefix, start, multiple, record): (&'static str, &[u8], &str, Record),
    look: &mut Look<'_>,
) -> Option<bool> {
    let name = look.below(prefix)?;
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
        if let Some(fault) = uri_fault(uri) {
            report.at("RPT002", text, start..start + uri.len(), fault);
        }
    }
    if count > 1 {
        report.at("RPT003", text, span(tag), format!("{count} addresses for TLS reports"));
    }
}

/// What is wrong with the URI of a report (RFC 8460 3): mailto or https, whole and encoded.
fn uri_fault(uri: &[u8]) -> Option<&'static str> {
    const NEITHER: &str = "neither mailto:address nor https://host";
    if uri.iter().any(u8::is_ascii_whitespace) {
        return Some("white space stands within the address; a comma stands between two");
    }
    if uri.contains(&b'!') {
        return Some("there are no size limits here, and an exclamation mark is written %21");
    }
    let uri = String::from_utf8_lossy(uri).to_ascii_lowercase();
    let is_host = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    match (uri.strip_prefix("mailto:"), uri.strip_prefix("https://")) {
        // What is percent-encoded may be anything.
        (Some(rest), _) if rest.contains('@') && !rest.contains('%') => {
            mailbox::fault(rest.split('?').next().unwrap_or_default())
        }
        (Some(rest), _) if rest.contains('@') => None,
        (_, Some(rest)) if is_host(rest) => None,
        _ => Some(NEITHER),
    }
}

/// RFC 8460 5.3: reports about a domain that go to the same domain.
fn report_path(domain: &Name, look: &mut Look<'_>) {
    let Some(name) = look.below("_smtp._tls") else { return };
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

/// RFC 8461 4.1, RFC 6125 6.4.3: whether a name, whose first label may be a wildcard, is that of a
/// host.
fn fits(pattern: &str, host: &Name) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            let rest = rest.parse::<Name>().ok();
            host.parent().is_some_and(|parent| Some(parent) == rest)
        }
        None => pattern.parse::<Name>().is_ok_and(|name| name == *host),
    }
}
