//! DMARC Policy Records (RFC 9989).

use mailproof_dmarc::{ErrorKind, Record, tree_walk};
use mailproof_dns::{Failure, RecordType};

use crate::check::Look;
use crate::finding::Text;
use crate::{Report, Request, hygiene};

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let Ok(name) = request.domain.prepend("_dmarc") else { return };
    if let Some(texts) = look.texts(&name) {
        let records: Vec<&[u8]> =
            texts.iter().map(|txt| txt.joined()).filter(|text| Record::is_record(text)).collect();
        if let [octets] = records.as_slice() {
            let text = Text { name: &name, octets };
            hygiene::text(&mut look.report, text);
            record(&mut look.report, text);
        } else if records.len() > 1 {
            let message = format!("{} DMARC records", records.len());
            look.report.of("DMARC003", &name, RecordType::Txt, message);
        }
    }
    let walk = tree_walk(&request.domain, look.answers);
    let Some(walk) = look.keep(walk) else { return };
    // Whoever asks nobody about the domains above takes it that they have none either.
    let is_told = match &walk.failure {
        Some((failed, failure)) => *failure == Failure::NotRecorded && *failed != request.domain,
        None => true,
    };
    if walk.records.is_empty() && is_told && walk.several.is_none() {
        let message = format!("{} has no DMARC record", request.domain);
        look.report.of("DMARC001", &name, RecordType::Txt, message);
    }
}

pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let Ok(record) = Record::parse(text.octets) else {
        report.at("DMARC001", text, 0..text.octets.len(), "this is no DMARC record");
        return;
    };
    for error in &record.ignored {
        let is_policy = ["p", "sp", "np"]
            .iter()
            .any(|name| record.tag(name).is_some_and(|tag| tag.value_span == error.span));
        match error.kind {
            ErrorKind::InvalidValue if is_policy => {
                report.at("DMARC007", text, error.span.clone(), "this is no policy");
            }
            ErrorKind::UnknownTag => {
                report.at("DMARC018", text, error.span.clone(), "nobody knows this tag");
            }
            _ => {}
        }
    }
    if record.rua.is_empty() {
        let end = text.octets.len();
        report.at("DMARC030", text, end..end, "no address for aggregate reports");
    }
}
