//! What protects the way of mail: MTA-STS, TLS reports, DANE.

use mailproof_dns::{Data, Name, RecordType};
use mailproof_tag_list::TagList;

use crate::check::Look;
use crate::finding::Text;
use crate::{Report, Request};

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    type Record = fn(&mut Report, Text<'_>);
    let kinds: [(&str, &[u8], Record); 2] =
        [("_mta-sts", b"v=STSv1", sts), ("_smtp._tls", b"v=TLSRPTv1", rpt)];
    for (prefix, start, record) in kinds {
        let Ok(name) = domain.prepend(prefix) else { continue };
        for txt in look.texts(&name).unwrap_or_default() {
            let octets = txt.joined();
            if octets.starts_with(start) {
                record(&mut look.report, Text { name: &name, octets });
            }
        }
    }
    let exchanges = look.ask(domain, RecordType::Mx);
    for data in exchanges.map(|response| response.data()).unwrap_or_default() {
        let Data::Mx(mx) = data else { continue };
        if mx.exchange != Name::root() {
            dane(&mx.exchange, look);
        }
    }
}

/// RFC 8461 3.1.
pub(crate) fn sts(report: &mut Report, text: Text<'_>) {
    let tags = TagList::parse(text.octets).ok();
    let id = tags.as_ref().and_then(|tags| tags.get("id"));
    let is_sound = |value: &[u8]| {
        (1..=32).contains(&value.len()) && value.iter().all(u8::is_ascii_alphanumeric)
    };
    match id {
        Some(tag) if is_sound(tag.value) => {}
        Some(tag) => {
            report.at(
                "STS002",
                text,
                tag.value_span.clone(),
                "the id is not 1 to 32 letters and digits",
            );
        }
        None => {
            let end = text.octets.len();
            report.at("STS002", text, end..end, "the record has no id");
        }
    }
}

/// RFC 8460 3.
pub(crate) fn rpt(report: &mut Report, text: Text<'_>) {
    let tags = TagList::parse(text.octets).ok();
    match tags.as_ref().and_then(|tags| tags.get("rua")) {
        None => {
            let end = text.octets.len();
            report.at("RPT001", text, end..end, "the record has no rua");
        }
        Some(tag) => {
            let value = tag.value.to_ascii_lowercase();
            if !value.starts_with(b"mailto:") && !value.starts_with(b"https:") {
                report.at("RPT002", text, tag.value_span.clone(), "neither mailto: nor https:");
            }
        }
    }
}

/// RFC 7672 3.1.
fn dane(exchange: &Name, look: &mut Look<'_>) {
    let alias = look.ask(exchange, RecordType::Cname);
    let alias = alias.and_then(|response| match response.data() {
        [Data::Cname(target)] => Some(target.clone()),
        _ => None,
    });
    for host in std::iter::once(exchange.clone()).chain(alias) {
        let Ok(name) = host.prepend("_25._tcp") else { continue };
        let response = look.ask(&name, RecordType::Tlsa);
        for data in response.map(|response| response.data()).unwrap_or_default() {
            let Data::Other(RecordType::Tlsa, wire) = data else { continue };
            let [usage, selector, matching, rest @ ..] = wire.as_slice() else { continue };
            if *usage < 2 {
                let message = format!("usage {usage} is not for SMTP");
                look.report.of("DANE002", &name, RecordType::Tlsa, message);
            }
            let length = match matching {
                1 => 32,
                2 => 64,
                _ => rest.len(),
            };
            if *usage > 3 || *selector > 1 || *matching > 2 || rest.len() != length {
                let message = format!(
                    "{usage} {selector} {matching} with {} octets is no TLSA record",
                    rest.len()
                );
                look.report.of("DANE003", &name, RecordType::Tlsa, message);
            }
        }
    }
}
