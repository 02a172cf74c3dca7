//! DKIM key records (RFC 6376 3.6.1).

use mailproof_dkim::{KeyErrorKind, KeyFormError, KeyRecord, KeyType, VerifyingKey};
use mailproof_dns::{Data, Name, RecordType, Response};
use mailproof_tag_list::{Tag, TagList};

use crate::check::Look;
use crate::finding::Text;
use crate::{Report, Request, Severity, hygiene};

/// Selectors that mail software uses by default; looked at when none is known.
const COMMON: [&str; 8] =
    ["default", "mail", "dkim", "google", "selector1", "selector2", "s1", "k1"];

/// Providers, by the end of their mail exchanges' names, and their selectors.
const PROVIDERS: [(&str, &[&str]); 4] = [
    ("google.com", &["google"]),
    ("mail.protection.outlook.com", &["selector1", "selector2"]),
    ("messagingengine.com", &["fm1", "fm2", "fm3"]),
    ("protonmail.ch", &["protonmail", "protonmail2", "protonmail3"]),
];

/// A year, and what is before the year 10000.
const YEAR: u64 = 365 * 86_400;

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let mut keys: Vec<(&Name, Vec<u8>)> = Vec::new();
    let mut types = Vec::new();
    for selector in &request.selectors {
        let Some(octets) = selected(request, selector, look) else { continue };
        if let Ok(record) = KeyRecord::parse(octets) {
            types.extend(record.public_key.map(|_| record.key_type));
        }
        let Some(key) = value(octets, "p").filter(|key| !key.is_empty()) else { continue };
        if let Some((other, _)) = keys.iter().find(|(_, known)| *known == key)
            && let Some(name) = key_name(domain, selector)
        {
            let message = format!("{selector} has the same key as {other}");
            look.report.of("DKIM017", &name, RecordType::Txt, message);
        }
        keys.push((selector, key));
    }
    if !types.is_empty() && !types.contains(&KeyType::Rsa) {
        let message = format!("{domain} has no RSA key among the selectors given");
        look.report.of("DKIM030", domain, RecordType::Txt, message);
    }
    around(domain, look);
    if request.selectors.is_empty() {
        unknown(domain, look);
    }
}

fn key_name(domain: &Name, selector: &Name) -> Option<Name> {
    domain.prepend(&format!("{selector}._domainkey")).ok()
}

/// The value of a tag, white space taken out.
fn value(record: &[u8], tag: &str) -> Option<Vec<u8>> {
    let tags = TagList::parse(record).ok()?;
    let value = tags.get(tag)?.value;
    Some(value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect())
}

/// A selector that is in use; its record.
fn selected<'a>(request: &Request, selector: &Name, look: &mut Look<'a>) -> Option<&'a [u8]> {
    let name = key_name(&request.domain, selector)?;
    let response = look.ask(&name, RecordType::Txt)?;
    if let Response::Records(set) = response
        && let Some(target) = set.aliases.last()
    {
        let message = format!("{selector} is an alias of {target}");
        look.report.of("DKIM032", &name, RecordType::Txt, message);
    }
    let texts: Vec<&[u8]> = response.texts().map(|txt| txt.joined()).collect();
    for octets in &texts {
        hygiene::text(&mut look.report, Text { name: &name, octets });
    }
    match texts.as_slice() {
        [] => {
            let alias = look.ask(&name, RecordType::Cname)?;
            match alias.data() {
                [Data::Cname(target)] => {
                    let message = format!("{selector} is an alias of {target}, which has no key");
                    look.report.of("DKIM028", &name, RecordType::Cname, message);
                }
                _ => {
                    let message = format!("selector {selector} has no key record");
                    look.report.of("DKIM001", &name, RecordType::Txt, message);
                }
            }
            None
        }
        [octets] => {
            let text = Text { name: &name, octets };
            record(&mut look.report, text);
            age(request, selector, text, look);
            Some(octets)
        }
        several => {
            let message = format!("selector {selector} has {} records", several.len());
            look.report.of("DKIM004", &name, RecordType::Txt, message);
            None
        }
    }
}

/// A selector that is a date says how old its key is.
fn age(request: &Request, selector: &Name, text: Text<'_>, look: &mut Look<'_>) {
    let selector = selector.to_string();
    let digits: String = selector.chars().filter(char::is_ascii_digit).take(8).collect();
    let (Some(year), Some(month)) = (digits.get(..4), digits.get(4..6)) else { return };
    let (Ok(year), Ok(month)) = (year.parse::<u64>(), month.parse::<u64>()) else { return };
    if !(2000..3000).contains(&year) || !(1..=12).contains(&month) || request.now == 0 {
        return;
    }
    let made = (year - 1970) * YEAR + (year - 1969) / 4 * 86_400 + (month - 1) * YEAR / 12;
    if request.now > made + YEAR + YEAR / 12 {
        let end = text.octets.len();
        let message = format!("the selector {selector} is a date more than a year ago");
        look.report.at("DKIM026", text, 0..end, message);
    }
}

/// What stands beside the selectors.
fn around(domain: &Name, look: &mut Look<'_>) {
    for (prefix, id, message) in [
        ("_adsp._domainkey", "DKIM033", "ADSP is Historic: DMARC replaces it"),
        ("_domainkey", "DKIM034", "DomainKeys is Historic"),
        ("_report._domainkey", "DKIM035", "failure reports for DKIM are asked for"),
    ] {
        let Ok(name) = domain.prepend(prefix) else { continue };
        for txt in look.texts(&name).unwrap_or_default() {
            let octets = txt.joined();
            let is_it = match id {
                "DKIM033" => octets
                    .trim_ascii_start()
                    .get(..4)
                    .is_some_and(|start| start.eq_ignore_ascii_case(b"dkim")),
                "DKIM034" => octets.windows(2).any(|part| part == b"o=" || part == b"t="),
                _ => octets.windows(2).any(|part| part == b"r=" || part == b"ra"),
            };
            if is_it {
                look.report.at(id, Text { name: &name, octets }, 0..octets.len(), message);
            }
        }
    }
    let Ok(name) = domain.prepend("mailproof-wildcard-test._domainkey") else { return };
    for txt in look.texts(&name).unwrap_or_default() {
        let Ok(record) = KeyRecord::parse(txt.joined()) else { continue };
        let text = Text { name: &name, octets: txt.joined() };
        look.report.at("DKIM031", text, 0..txt.joined().len(), "every selector has this key");
        if record.public_key.is_none() {
            look.report.severity(Severity::Info);
        }
    }
}

/// No selector is known.
fn unknown(domain: &Name, look: &mut Look<'_>) {
    let Ok(node) = domain.prepend("_domainkey") else { return };
    // RFC 8020: below a name that does not exist there is nothing.
    match look.ask(&node, RecordType::Txt) {
        Some(Response::NxDomain) => {
            let message =
                format!("{node} does not exist, so there is no key whatever the selector");
            look.report.of("DKIM003", &node, RecordType::Txt, message);
            return;
        }
        Some(_) => {}
        None => return,
    }
    let exchanges = look.ask(domain, RecordType::Mx).map(Response::data).unwrap_or_default();
    let provider = PROVIDERS.iter().find(|(host, _)| {
        let host: Option<Name> = host.parse().ok();
        exchanges.iter().any(|data| match (data, &host) {
            (Data::Mx(mx), Some(host)) => mx.exchange.is_at_or_below(host),
            _ => false,
        })
    });
    let mut found = false;
    let mut all_known = true;
    let provided: &[&str] = provider.map_or(&[], |(_, selectors)| selectors);
    for selector in COMMON.iter().chain(provided) {
        let Ok(name) = domain.prepend(&format!("{selector}._domainkey")) else { continue };
        match look.texts(&name) {
            None => all_known = false,
            Some(texts) => {
                // A wildcard may have answered with something else.
                let keys = texts.into_iter().filter(|txt| value(txt.joined(), "p").is_some());
                for txt in keys {
                    found = true;
                    let text = Text { name: &name, octets: txt.joined() };
                    hygiene::text(&mut look.report, text);
                    record(&mut look.report, text);
                }
            }
        }
    }
    if let (Some((host, selectors)), false, true) = (provider, found, all_known) {
        let message = format!("mail goes to {host}, and {} has no key", selectors.join(", "));
        look.report.of("DKIM029", &node, RecordType::Txt, message);
    } else if !found && all_known {
        let message =
            "no key was found under common selectors, which does not mean that there is none";
        look.report.of("DKIM002", &node, RecordType::Txt, message);
    }
}

/// One record by itself.
pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let end = text.octets.len();
    let tags = match TagList::parse(text.octets) {
        Ok(tags) => tags,
        Err(error) => {
            report.at("DKIM022", text, error.span, error.kind.to_string());
            return;
        }
    };
    for tag in tags.iter() {
        self::tag(report, text, tag);
    }
    if end > 450 {
        report.at("DKIM036", text, 450..end, format!("the record has {end} octets"));
    }
    let p = tags.get("p");
    match KeyRecord::parse(text.octets) {
        Ok(record) => match (record.public_key, p) {
            (None, Some(tag)) => {
                report.at(
                    "DKIM007",
                    text,
                    tag.name_span.start..tag.value_span.end,
                    "p= is empty: the key is revoked",
                );
            }
            (Some(key), Some(tag)) => self::key(report, text, tag, &key),
            _ => {}
        },
        Err(error) => {
            let id = match &error.kind {
                KeyErrorKind::MissingKey => "DKIM006",
                KeyErrorKind::KeyNotBase64 => "DKIM008",
                KeyErrorKind::UnknownKeyType(_) => "DKIM012",
                KeyErrorKind::KeyForm { form, .. } => form_rule(*form),
                _ => "DKIM005",
            };
            report.at(id, text, error.span, error.kind.to_string());
        }
    }
}

fn form_rule(form: KeyFormError) -> &'static str {
    match form {
        KeyFormError::NotRsa => "DKIM012",
        KeyFormError::Exponent | KeyFormError::Modulus => "DKIM016",
        KeyFormError::Length | KeyFormError::Point => "DKIM011",
        _ => "DKIM009",
    }
}

fn key(report: &mut Report, text: Text<'_>, tag: &Tag<'_>, key: &VerifyingKey) {
    if key.key_type() != KeyType::Rsa {
        return;
    }
    let span = tag.value_span.clone();
    let bits = key.bits();
    let message = format!("an RSA key of {bits} bits");
    match bits {
        0..1024 => report.at("DKIM013", text, span.clone(), message),
        1024..2048 => report.at("DKIM014", text, span.clone(), message),
        4097.. => report.at("DKIM015", text, span.clone(), message),
        _ => {}
    }
    // A SubjectPublicKeyInfo has the object identifier of rsaEncryption near its start, in one
    // of the three ways in which octets fall into groups of base64.
    let head: Vec<u8> =
        tag.value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).take(40).collect();
    let is_info = [&b"KoZIhvcNAQEB"[..], b"qGSIb3DQEBAQ", b"BgkqhkiG9w0B"]
        .iter()
        .any(|oid| head.windows(oid.len()).any(|part| part == *oid));
    if !is_info {
        report.at("DKIM010", text, span, "a bare RSAPublicKey, which some verifiers do not read");
    }
}

fn tag(report: &mut Report, text: Text<'_>, tag: &Tag<'_>) {
    let span = tag.name_span.start..tag.value_span.end;
    let has = |wanted: &[&[u8]]| {
        tag.value.split(|&octet| octet == b':').any(|member| {
            wanted.iter().any(|value| member.trim_ascii().eq_ignore_ascii_case(value))
        })
    };
    match tag.name {
        "v" | "k" | "p" => {}
        "h" if !has(&[b"sha256"]) => report.at("DKIM018", text, span, "h= does not name sha256"),
        "s" if !has(&[b"*", b"email"]) => {
            report.at("DKIM019", text, span, "s= names neither * nor email");
            if has(&[b"tlsrpt"]) {
                report.severity(Severity::Info);
            }
        }
        "t" => {
            if has(&[b"y"]) {
                report.at("DKIM020", text, span.clone(), "the key says that DKIM is being tested");
            }
            if has(&[b"s"]) {
                report.at("DKIM021", text, span, "signatures of subdomains fail");
            }
        }
        "g" | "q" | "c" => {
            report.at("DKIM023", text, span, "RFC 6376 has no such tag in key records");
            if tag.name == "g" && tag.value != b"*" {
                report.severity(Severity::Warning);
            }
        }
        "h" | "s" | "n" => {}
        _ => report.at("DKIM024", text, span, "nobody knows this tag"),
    }
}
