//! SPF records (RFC 7208).

mod hosts;
mod record;
mod tree;

use std::net::IpAddr;

use mailproof_dns::{Name, RecordType, Response};
use mailproof_spf::{Request as SpfRequest, SpfResult, check_host, is_spf_record};

pub(crate) use self::record::record;
use crate::check::Look;
use crate::finding::Text;
use crate::{Profile, Request, hygiene};

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(texts) = look.texts(domain) else { return };
    let mut records: Vec<&[u8]> = Vec::new();
    for txt in &texts {
        let text = Text { name: domain, octets: txt.joined() };
        if is_spf_record(text.octets) {
            records.push(text.octets);
            hygiene::text(&mut look.report, text);
            hygiene::boundaries(&mut look.report, text, txt);
        } else if text.octets.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"spf2.")) {
            let end = text.octets.len();
            look.report.at("SPF005", text, 0..end, "Sender ID is obsolete");
        } else if resembles(text.octets) {
            hygiene::text(&mut look.report, text);
            let end = text.octets.len().min(7);
            look.report.at("SPF003", text, 0..end, "this is no SPF record for any receiver");
            record::after_version(&mut look.report, text);
        }
    }
    match records.as_slice() {
        [] => {
            let message = format!("{domain} has no SPF record");
            look.report.of("SPF001", domain, RecordType::Txt, message);
            elsewhere(domain, look);
        }
        [octets] => {
            one(request, Text { name: domain, octets }, look);
            hosts::names(request, look);
        }
        several => {
            let message = format!("{domain} has {} SPF records", several.len());
            // The first may be the right one.
            for octets in several.iter().skip(1).take(1) {
                look.report.at("SPF002", Text { name: domain, octets }, 0..6, message.clone());
            }
            for octets in several {
                record(&mut look.report, Text { name: domain, octets });
            }
        }
    }
    if let Some(Response::Records(_)) = look.ask(domain, RecordType::Spf) {
        let message = "the record type SPF is obsolete";
        look.report.of("DNS017", domain, RecordType::Spf, message);
    }
}

/// Whether a text was meant to be an SPF record.
fn resembles(text: &[u8]) -> bool {
    let start: Vec<u8> = text
        .iter()
        .filter(|octet| octet.is_ascii_graphic() && **octet != b'"')
        .take(6)
        .map(u8::to_ascii_lowercase)
        .collect();
    start == b"v=spf1" || start.starts_with(b"spf1") || start == b"v=spf2"
}

/// A record where nobody looks.
fn elsewhere(domain: &Name, look: &mut Look<'_>) {
    for prefix in ["_spf", "spf"] {
        let Ok(name) = domain.prepend(prefix) else { continue };
        for txt in look.texts(&name).unwrap_or_default() {
            if is_spf_record(txt.joined()) {
                let text = Text { name: &name, octets: txt.joined() };
                let message = format!("nobody looks here: {domain} has no record that includes it");
                look.report.at("SPF004", text, 0..txt.joined().len(), message);
            }
        }
    }
}

/// The one record of the domain.
fn one(request: &Request, text: Text<'_>, look: &mut Look<'_>) {
    record(&mut look.report, text);
    if request.profile == Profile::NoMail && !text.octets.eq_ignore_ascii_case(b"v=spf1 -all") {
        let message = "a domain that sends no mail publishes v=spf1 -all";
        look.report.at("SPF035", text, 0..text.octets.len(), message);
    }
    let ends_hard = text.octets.len() > 11 && text.octets.ends_with(b" -all");
    let has_dmarc = look.below("_dmarc").and_then(|name| look.texts(&name));
    if ends_hard && has_dmarc.is_some_and(|texts| !texts.is_empty()) {
        let end = text.octets.len();
        let message = "some receivers refuse on -all before they look at DMARC";
        look.report.at("SPF034", text, end - 4..end, message);
    }
    tree::check(request, text, look);
    for (addresses, must_pass) in [(&request.must_pass, true), (&request.must_not_pass, false)] {
        for address in addresses {
            expectation(request, *address, must_pass, look);
        }
    }
}

fn expectation(request: &Request, address: IpAddr, must_pass: bool, look: &mut Look<'_>) {
    let domain = &request.domain;
    let (helo, sender) = (domain.to_string(), format!("postmaster@{domain}"));
    let spf = SpfRequest::mail_from(address, &helo, &sender).now(request.now);
    let Some(outcome) = look.keep(check_host(&spf, look.answers)) else { return };
    if outcome.result == SpfResult::Temperror || (outcome.result == SpfResult::Pass) == must_pass {
        return;
    }
    let expected = if must_pass { "must pass" } else { "must not pass" };
    let message = format!("{address} {expected}, and gets {}", outcome.result);
    look.report.of("SPF070", domain, RecordType::Txt, message);
}
