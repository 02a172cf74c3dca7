//! DKIM key records (RFC 6376 3.6.1).

use std::ops::Range;

use mailproof_dkim::{KeyErrorKind, KeyFormError, KeyRecord, KeyType, VerifyingKey};
use mailproof_dns::{Data, Name, RecordType, Response};
use mailproof_tag_list::{Tag, TagList};

use crate::check::Look;
use crate::finding::Text;
use crate::{Profile, Report, Request, Severity, hygiene};

/// Selectors that mail software uses by default; looked at when none is known.
const COMMON: [&str; 8] =
    ["default", "mail", "dkim", "google", "selector1", "selector2", "s1", "k1"];

/// Providers: the end of their mail exchanges' names, what SPF includes, and their selectors.
const PROVIDERS: [(&str, &[u8], &[&str]); 4] = [
    ("google.com", b"include:_spf.google.com", &["google"]),
    (
        "mail.protection.outlook.com",
        b"include:spf.protection.outlook.com",
        &["selector1", "selector2"],
    ),
    ("messagingengine.com", b"include:spf.messagingengine.com", &["fm1", "fm2", "fm3"]),
    ("protonmail.ch", b"include:_spf.protonmail.ch", &["protonmail", "protonmail2", "protonmail3"]),
];

/// The keys in examples of RFC 6376 C and RFC 8463 A.1, by the start of their moduli in base64.
const PUBLISHED: [&[u8]; 2] =
    [b"DwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/z", b"DkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5"];

/// A year of 365 days, in seconds.
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
    // Who sends no mail needs no key.
    if request.selectors.is_empty() && request.profile != Profile::NoMail {
        unknown(domain, look);
    }
}

fn key_name(domain: &Name, selector: &Name) -> Option<Name> {
    domain.prepend(&format!("{selector}._domainkey")).ok()
}

/// The value of a tag, white space taken out.
fn value(record: &[u8], tag: &str) -> Option<Vec<u8>> {
    let tags = TagList::parse(record).ok()?;
    Some(value_of(tags.get(tag)?))
}

fn value_of(tag: &Tag<'_>) -> Vec<u8> {
    tag.value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
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
            let before = look.report.findings.len();
            record(&mut look.report, text);
            for finding in look.report.findings.iter_mut().skip(before) {
                if finding.rule.id == "DKIM007" {
                    finding.severity = Severity::Error;
                }
            }
            age(request, selector, text, look);
            unused(request, selector, text, look);
            Some(octets)
        }
        several => {
            let message = format!("selector {selector} has {} records", several.len());
            look.report.of("DKIM004", &name, RecordType::Txt, message);
            for octets in several.iter().filter(|octets| value(octets, "p").is_some()) {
                record(&mut look.report, Text { name: &name, octets });
            }
            None
        }
    }
}

/// A key that no report knows of; one that is revoked is not to be in use.
fn unused(request: &Request, selector: &Name, text: Text<'_>, look: &mut Look<'_>) {
    let Some(reports) = &request.reports else { return };
    let seconds = reports.end.saturating_sub(reports.begin);
    let is_revoked = KeyRecord::parse(text.octets).is_ok_and(|record| record.public_key.is_none());
    if seconds >= look.report.limits.reports.as_secs()
        && !is_revoked
        && !reports.seen.contains(selector)
    {
        let days = seconds / 86_400;
        let message = format!("selector {selector} is in no report of {days} days");
        look.report.at("DKIM027", text, 0..text.octets.len(), message);
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
    // The month of the selector does not count.
    let months = request.now.saturating_sub(made) / (YEAR / 12);
    if months > 6 {
        let end = text.octets.len();
        let message = format!("by its selector {selector} the key is {months} months old");
        look.report.at("DKIM026", text, 0..end, message);
        if months > 12 {
            look.report.severity(Severity::Warning);
        }
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
            let has = |names: &[&str]| {
                let tags = TagList::parse(octets);
                tags.is_ok_and(|tags| names.iter().any(|name| tags.get(name).is_some()))
            };
            // A wildcard may have answered with a key.
            let is_it = match id {
                "DKIM033" => has(&["dkim"]),
                "DKIM034" => !has(&["p"]) && has(&["o", "t", "r"]),
                _ => !has(&["p"]) && has(&["ra", "rp", "rr", "rs"]),
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
    let provider = provider(domain, look);
    let provided: &[&str] = provider.map_or(&[], |(_, selectors)| selectors);
    let mut found = 0;
    let mut is_provided = false;
    let mut all_known = true;
    let others = COMMON.iter().filter(|selector| !provided.contains(selector));
    for selector in others.chain(provided) {
        let Ok(name) = domain.prepend(&format!("{selector}._domainkey")) else { continue };
        let Some(texts) = look.texts(&name) else {
            all_known = false;
            continue;
        };
        // A wildcard may have answered with something else.
        for txt in texts.into_iter().filter(|txt| value(txt.joined(), "p").is_some()) {
            found += 1;
            is_provided |= provided.contains(selector);
            let text = Text { name: &name, octets: txt.joined() };
            hygiene::text(&mut look.report, text);
            record(&mut look.report, text);
        }
    }
    if let (Some((host, selectors)), false, true) = (provider, is_provided, all_known) {
        let message =
            format!("{host} has a part in the mail, and {} has no key", selectors.join(", "));
        look.report.of("DKIM029", &node, RecordType::Txt, message);
    } else if found == 0 && all_known {
        let message =
            "no key was found under common selectors, which does not mean that there is none";
        look.report.of("DKIM002", &node, RecordType::Txt, message);
    }
}

/// The provider that MX or SPF names, and its selectors.
fn provider(domain: &Name, look: &mut Look<'_>) -> Option<(&'static str, &'static [&'static str])> {
    let exchanges = look.ask(domain, RecordType::Mx).map(Response::data).unwrap_or_default();
    let texts = look.texts(domain).unwrap_or_default();
    let provider = PROVIDERS.iter().find(|(host, include, _)| {
        let host: Option<Name> = host.parse().ok();
        let takes = exchanges.iter().any(|data| match (data, &host) {
            (Data::Mx(mx), Some(host)) => mx.exchange.is_at_or_below(host),
            _ => false,
        });
        let mut terms = texts.iter().flat_map(|txt| txt.joined().split(|&octet| octet == b' '));
        takes || terms.any(|term| term.eq_ignore_ascii_case(include))
    })?;
    Some((provider.0, provider.2))
}

/// One record by itself.
pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let end = text.octets.len();
    let tags = match TagList::parse(text.octets) {
        Ok(tags) => tags,
        Err(error) => {
            let (id, span, message) = match entity(text.octets) {
                Some(span) => ("DKIM008", span, "an HTML entity is part of the text".to_owned()),
                None => ("DKIM022", error.span, error.kind.to_string()),
            };
            report.at(id, text, span, message);
            return;
        }
    };
    for tag in tags.iter() {
        self::tag(report, text, tag);
    }
    if end > 450 {
        report.at("DKIM036", text, 450..end, format!("the record has {end} octets"));
    }
    public_key(report, text, &tags, text.octets);
}

/// The version, the type and the key, in `octets` that are the text but for its version.
fn public_key(report: &mut Report, text: Text<'_>, tags: &TagList<'_>, octets: &[u8]) {
    let error = match (KeyRecord::parse(octets), tags.get("p")) {
        (Ok(KeyRecord { public_key: None, .. }), Some(tag)) => {
            let span = tag.name_span.start..tag.value_span.end;
            report.at("DKIM007", text, span, "p= is empty: the key is revoked");
            return;
        }
        (Ok(KeyRecord { public_key: Some(key), .. }), Some(tag)) => {
            self::key(report, text, tag, &key);
            return;
        }
        (Ok(_), None) => return,
        (Err(error), _) => error,
    };
    let p: Vec<u8> = value(octets, "p").unwrap_or_default();
    let mut message = error.kind.to_string();
    let id = match &error.kind {
        KeyErrorKind::MissingKey => "DKIM006",
        KeyErrorKind::KeyNotBase64 if is_cut(&p) => {
            "the base64 of p= ends in the middle".clone_into(&mut message);
            "DKIM009"
        }
        KeyErrorKind::KeyNotBase64 => "DKIM008",
        KeyErrorKind::UnknownKeyType(kind) => {
            let kind: String = kind.chars().take(40).collect();
            message = format!("key type k={kind} is not known");
            "DKIM012"
        }
        KeyErrorKind::KeyForm { key_type, form } => match (key_type, p.len()) {
            (KeyType::Rsa, 43 | 44) => {
                "32 octets are no RSA key; k=ed25519 is missing".clone_into(&mut message);
                "DKIM012"
            }
            (KeyType::Ed25519, 90..) => {
                "this is no Ed25519 key, of 44 characters; is it an RSA key?"
                    .clone_into(&mut message);
                "DKIM012"
            }
            _ => form_rule(*form),
        },
        _ => "DKIM005",
    };
    if let ("DKIM009", Some(length)) = (id, der_length(&p)) {
        let there = p.iter().filter(|&&octet| octet != b'=').count() * 3 / 4;
        if there < length {
            message = format!("the key is cut: it has {there} of its {length} octets");
        }
    }
    if id == "DKIM005" {
        "the version is DKIM1, and the first tag".clone_into(&mut message);
    }
    report.at(id, text, error.span, message);
    // What else is wrong can be seen without the version: under a name that nobody knows.
    // A version with "=" in it has swallowed the next tag.
    let version = tags.get("v").filter(|version| !version.value.contains(&b'='));
    if let ("DKIM005", Some(version)) = (id, version) {
        let unused = [b'x', b'y', b'z'].into_iter().find(|name| {
            str::from_utf8(std::slice::from_ref(name)).is_ok_and(|name| tags.get(name).is_none())
        });
        let mut without = octets.to_vec();
        if let (Some(place), Some(name)) = (without.get_mut(version.name_span.start), unused) {
            *place = name;
            public_key(report, text, tags, &without);
        }
    }
}

/// Where an entity of HTML stands.
fn entity(octets: &[u8]) -> Option<Range<usize>> {
    [&b"&#"[..], b"&amp;", b"&quot;", b"&equals;", b"&plus;"].iter().find_map(|entity| {
        let start = octets.windows(entity.len()).position(|part| part == *entity)?;
        let rest = octets.get(start..)?;
        let length = rest.iter().position(|&octet| octet == b';').map_or(rest.len(), |at| at + 1);
        Some(start..start + length)
    })
}

/// Whether this was base64 before its end was lost: one character is left of a group of four.
fn is_cut(base64: &[u8]) -> bool {
    let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/".contains(octet);
    base64.len() % 4 == 1 && base64.iter().all(is_letter)
}

/// How many octets the DER says that it has: 30 82 and two octets, in base64.
fn der_length(base64: &[u8]) -> Option<usize> {
    let digit = |octet: &u8| match octet {
        b'A'..=b'Z' => Some(usize::from(octet - b'A')),
        b'a'..=b'z' => Some(usize::from(octet - b'a') + 26),
        b'0'..=b'9' => Some(usize::from(octet - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Option<Vec<usize>> = base64.get(..6)?.iter().map(digit).collect();
    let head = digits?.into_iter().fold(0, |head, digit| head << 6 | digit) >> 4;
    (head >> 16 == 0x3082).then_some((head & 0xffff) + 4)
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
        3072..=4096 => {
            report.at("DKIM015", text, span.clone(), message);
            report.severity(Severity::Info);
        }
        _ => {}
    }
    let letters = value_of(tag);
    if PUBLISHED.iter().any(|known| letters.windows(known.len()).any(|part| part == *known)) {
        let message = "the private key stands in the examples of an RFC";
        report.at("DKIM016", text, span.clone(), message);
    }
    // A SubjectPublicKeyInfo has the object identifier of rsaEncryption near its start, in one
    // of the three ways in which octets fall into groups of base64.
    let head = letters.get(..40).unwrap_or(&letters);
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
