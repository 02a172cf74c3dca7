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
        _ if tags.get("l").is_some_and(|tag| tag.value.is_empty()) => {
            report.at("BIMI001", text, 0..end, "the domain declines to have a logo shown");
            report.severity(Severity::Info);
        }
        _ => report.at("BIMI005", text, end..end, "the logo has no certificate"),
    }
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
