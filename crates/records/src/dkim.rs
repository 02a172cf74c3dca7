//! DKIM key records (RFC 6376 3.6.1).

use mailproof_dkim::{KeyErrorKind, KeyRecord, KeyType};
use mailproof_dns::RecordType;
use mailproof_tag_list::TagList;

use crate::check::Look;
use crate::finding::Text;
use crate::{Report, Request, hygiene};

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    for selector in &request.selectors {
        let Ok(name) = domain.prepend(&format!("{selector}._domainkey")) else { continue };
        let Some(texts) = look.texts(&name) else { continue };
        for txt in &texts {
            hygiene::text(&mut look.report, Text { name: &name, octets: txt.joined() });
        }
        match texts.as_slice() {
            [] => {
                let message = format!("selector {selector} has no key record");
                look.report.of("DKIM001", &name, RecordType::Txt, message);
            }
            [txt] => record(&mut look.report, Text { name: &name, octets: txt.joined() }),
            several => {
                let message = format!("selector {selector} has {} records", several.len());
                look.report.of("DKIM004", &name, RecordType::Txt, message);
            }
        }
    }
    if let Ok(name) = domain.prepend("_adsp._domainkey") {
        for txt in look.texts(&name).unwrap_or_default() {
            let text = Text { name: &name, octets: txt.joined() };
            look.report.at(
                "DKIM033",
                text,
                0..txt.joined().len(),
                "ADSP is Historic: DMARC replaces it",
            );
        }
    }
}

pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let record = match KeyRecord::parse(text.octets) {
        Ok(record) => record,
        Err(error) => {
            let id = match error.kind {
                KeyErrorKind::MissingKey => "DKIM006",
                KeyErrorKind::KeyNotBase64 => "DKIM008",
                KeyErrorKind::KeyForm { .. } => "DKIM009",
                _ => "DKIM005",
            };
            report.at(id, text, error.span, error.kind.to_string());
            return;
        }
    };
    let tags = TagList::parse(text.octets).ok();
    let span = |tag: &str| {
        let value = tags.as_ref().and_then(|tags| tags.get(tag)).map(|tag| tag.value_span.clone());
        value.unwrap_or(0..text.octets.len())
    };
    if record.testing {
        report.at("DKIM020", text, span("t"), "the key says that DKIM is being tested");
    }
    match record.public_key {
        None => report.at("DKIM007", text, span("p"), "the key is revoked: p= is empty"),
        Some(key) if key.key_type() == KeyType::Rsa && key.bits() < 1024 => {
            report.at("DKIM013", text, span("p"), format!("an RSA key of {} bits", key.bits()));
        }
        Some(key) if key.key_type() == KeyType::Rsa && key.bits() < 2048 => {
            report.at("DKIM014", text, span("p"), format!("an RSA key of {} bits", key.bits()));
        }
        Some(_) => {}
    }
}
