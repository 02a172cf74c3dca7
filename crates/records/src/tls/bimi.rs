//! Brand Indicators for Message Identification.

use mailproof_dmarc::Policy;
use mailproof_dns::{Name, RecordType};

use super::{span, tags};
use crate::check::Look;
use crate::finding::Text;
use crate::{Report, Severity};

/// BIMI 4.3.
pub(crate) fn bimi(report: &mut Report, text: Text<'_>) {
    let Some(tags) = tags(report, text, "BIMI001") else { return };
    let first = tags.iter().next();
    if !first.is_some_and(|tag| tag.name == "v" && tag.value == b"BIMI1") {
        let end = first.map_or(text.octets.len(), |tag| tag.value_span.end);
        report.at("BIMI001", text, 0..end, "the record does not begin with v=BIMI1");
    }
    let end = text.octets.len();
    match tags.get("l") {
        None => report.at("BIMI001", text, end..end, "the record has no l"),
        Some(tag) if tag.value.is_empty() || is_https(tag.value) => {}
        Some(tag) => report.at("BIMI001", text, span(tag), "l is no https URI"),
    }
    if let Some(tag) = tags.get("l").filter(|tag| is_https(tag.value) && is_picture(tag.value)) {
        report.at("BIMI003", text, span(tag), "the logo is no SVG, by the end of its name");
    }
    match tags.get("a") {
        Some(tag) if is_https(tag.value) => {}
        Some(tag) if !tag.value.is_empty() => {
            report.at("BIMI001", text, span(tag), "a is no https URI");
        }
        _ if tags.get("l").is_some_and(|tag| tag.value.is_empty()) => {
            report.at("BIMI001", text, 0..end, "the domain declines to have a logo shown");
            report.severity(Severity::Info);
        }
        _ => report.at("BIMI005", text, end..end, "the logo has no certificate"),
    }
}

/// One URI: RFC 3986 2 has no white space, and a comma before another scheme makes two.
fn is_https(uri: &[u8]) -> bool {
    let uri = uri.to_ascii_lowercase();
    let is_second = uri.windows(9).any(|part| part == b",https://");
    uri.starts_with(b"https://") && uri.iter().all(u8::is_ascii_graphic) && !is_second
}

/// Whether the path ends as those of pictures made of pixels do.
fn is_picture(uri: &[u8]) -> bool {
    let path = uri.split(|octet| b"?#".contains(octet)).next().unwrap_or_default();
    let path = path.to_ascii_lowercase();
    let endings: [&[u8]; 5] = [b".png", b".jpg", b".jpeg", b".gif", b".webp"];
    endings.iter().any(|ending| path.ends_with(ending))
}

/// BIMI 7.1: the policy of DMARC has to be enforced.
pub(super) fn enforced(domain: &Name, look: &mut Look<'_>) {
    let Some(walk) = look.walk() else { return };
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
