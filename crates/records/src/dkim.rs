//! DKIM key records (RFC 6376 3.6.1).

mod modulus;
mod record;
mod weak_keys;

use mailproof_dkim::{KeyRecord, KeyType};
use mailproof_dns::{Data, Name, RecordType, Response};
use mailproof_tag_list::TagList;

pub(crate) use self::record::record;
use self::record::{value, weak};
pub use self::weak_keys::{WeakKeys, WeakKeysError};
use crate::check::Look;
use crate::finding::{Selector, Text};
use crate::{Kind, Profile, Report, Request, Severity, check_record, hygiene, mx};

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

/// A selector that nobody has.
const NOBODY: &str = "mailproof-wildcard-test._domainkey";

/// A year of 365 days, in seconds.
const YEAR: u64 = 365 * 86_400;

/// Checks a DKIM key record without any DNS, as [`check_record`] does, and whether its key is one of
/// these.
pub fn check_key(name: &Name, octets: &[u8], profile: Profile, weak_keys: &WeakKeys) -> Report {
    let mut report = check_record(Kind::Dkim, name, octets, profile);
    weak(&mut report, Text { name, octets }, weak_keys);
    report
}

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let mut keys: Vec<(&Name, Vec<u8>)> = Vec::new();
    let mut types = Vec::new();
    let mut moduli: Vec<(&Name, Vec<u64>)> = Vec::new();
    let selectors = selectors(request, look);
    for selector in &selectors {
        let Some(octets) = selected(request, selector, look) else { continue };
        if let Ok(record) = KeyRecord::parse(octets) {
            types.extend(record.public_key.map(|_| record.key_type));
        }
        seen(selector, octets, look);
        let modulus = value(octets, "p").and_then(|key| modulus::of(&key));
        if let (Some(modulus), true) = (modulus, moduli.len() < look.report.limits.moduli) {
            moduli.push((selector, modulus));
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
    factors(domain, &moduli, look);
    if !types.is_empty() && !types.contains(&KeyType::Rsa) {
        let message = format!("{domain} has no RSA key among the selectors given");
        look.report.of("DKIM030", domain, RecordType::Txt, message);
    }
    around(look);
    // Who sends no mail needs no key.
    if selectors.is_empty() && request.profile != Profile::NoMail {
        unknown(request, look);
    }
}

/// The selectors given, and those that reports name and that are still there: a selector that was
/// in use and is gone was taken out of use.
fn selectors(request: &Request, look: &mut Look<'_>) -> Vec<Name> {
    let mut selectors = request.selectors.clone();
    for selector in request.reports.iter().flat_map(|reports| &reports.seen) {
        let Some(name) = key_name(&request.domain, selector) else { continue };
        let response = look.ask_by_the_way(&name, RecordType::Txt);
        if matches!(response, Some(Response::Records(_))) && !selectors.contains(selector) {
            selectors.push(selector.clone());
        }
    }
    selectors
}

/// A record by itself, and its key in the lists of weak ones.
fn judge(request: &Request, text: Text<'_>, look: &mut Look<'_>) {
    record(&mut look.report, text);
    if let Some(weak_keys) = &request.weak_keys {
        weak(&mut look.report, text, weak_keys);
    }
}

fn key_name(domain: &Name, selector: &Name) -> Option<Name> {
    domain.prepend(&format!("{selector}._domainkey")).ok()
}

/// Notes a selector and its key for the report.
fn seen(selector: &Name, octets: &[u8], look: &mut Look<'_>) {
    let Ok(record) = KeyRecord::parse(octets) else { return };
    let key = match &record.public_key {
        Some(key) if record.key_type == KeyType::Rsa => format!("rsa {}", key.bits()),
        Some(_) => "ed25519".to_owned(),
        None => "revoked".to_owned(),
    };
    look.report.selectors.push(Selector { name: selector.clone(), key });
}

/// Moduli with a common factor: a bad generator, and both keys are broken (DKIM016).
fn factors(domain: &Name, moduli: &[(&Name, Vec<u64>)], look: &mut Look<'_>) {
    for (index, (selector, modulus)) in moduli.iter().enumerate() {
        for (other, earlier) in moduli.iter().take(index) {
            // The same key has a finding of its own.
            if modulus == earlier || !modulus::has_common_factor(modulus, earlier) {
                continue;
            }
            let Some(name) = key_name(domain, selector) else { continue };
            let message =
                format!("the keys of {selector} and {other} have a common factor: both are known");
            look.report.of("DKIM016", &name, RecordType::Txt, message);
        }
    }
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
    hygiene::ttl(&name, response, look);
    let texts: Vec<&[u8]> = response.texts().map(|txt| txt.joined()).collect();
    for txt in response.texts() {
        let text = Text { name: &name, octets: txt.joined() };
        hygiene::text(&mut look.report, text);
        hygiene::boundaries(&mut look.report, text, txt);
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
            judge(request, text, look);
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
                judge(request, Text { name: &name, octets }, look);
            }
            None
        }
    }
}

/// A key that no report knows of; one that is revoked is not to be in use.
fn unused(request: &Request, selector: &Name, text: Text<'_>, look: &mut Look<'_>) {
    let Some(reports) = &request.reports else { return };
    let seconds = reports.end.saturating_sub(reports.begin);
    if seconds >= look.report.limits.reports.as_secs()
        && !is_revoked(text.octets)
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

/// Whether somebody else answers for everything below `_domainkey`, who then is named.
fn delegation(look: &mut Look<'_>) {
    let Some(node) = look.below("_domainkey") else { return };
    // RFC 8020: what does not exist is neither.
    if matches!(look.ask(&node, RecordType::Txt), None | Some(Response::NxDomain)) {
        return;
    }
    for rtype in [RecordType::Cname, RecordType::Ns] {
        let Some(response) = look.ask_by_the_way(&node, rtype) else { continue };
        let message = match response.data().first() {
            Some(Data::Cname(target)) => format!("{node} is an alias of {target}"),
            Some(Data::Ns(server)) => format!("{node} is delegated to {server}"),
            _ => continue,
        };
        look.report.of("DKIM032", &node, rtype, message);
        return;
    }
}

/// What stands beside the selectors.
fn around(look: &mut Look<'_>) {
    delegation(look);
    let Some(node) = look.below("_domainkey") else { return };
    // RFC 8020: below a name that does not exist there is nothing.
    if matches!(look.ask(&node, RecordType::Txt), None | Some(Response::NxDomain)) {
        return;
    }
    for (prefix, id, message) in [
        ("_adsp._domainkey", "DKIM033", "ADSP is Historic: DMARC replaces it"),
        ("_domainkey", "DKIM034", "DomainKeys is Historic"),
        ("_report._domainkey", "DKIM035", "failure reports for DKIM are asked for"),
    ] {
        let Some(name) = look.below(prefix) else { continue };
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
    every_selector(look);
}

/// RFC 4592: a key that a wildcard gives to every selector.
fn every_selector(look: &mut Look<'_>) {
    // RFC 4592 2.2.1: where a name does not exist, no wildcard beside it has answered. One of them
    // may be an alias whose target does not exist (RFC 6604 3).
    let beside = ["_adsp._domainkey", "_report._domainkey"];
    let is_open = beside.map(|prefix| {
        let name = look.below(prefix)?;
        Some(!matches!(look.ask(&name, RecordType::Txt)?, Response::NxDomain))
    });
    if is_open.contains(&None) || is_open == [Some(false); 2] {
        return;
    }
    let Some(name) = look.below(NOBODY) else { return };
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
fn unknown(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(node) = look.below("_domainkey") else { return };
    // Who sends no mail needs no key.
    let needs_key = mx::sends(domain, look) != Some(false);
    // RFC 8020: below a name that does not exist there is nothing.
    match look.ask(&node, RecordType::Txt) {
        Some(Response::NxDomain) if needs_key => {
            let message =
                format!("{node} does not exist, so there is no key whatever the selector");
            look.report.of("DKIM003", &node, RecordType::Txt, message);
            return;
        }
        None | Some(Response::NxDomain) => return,
        Some(_) => {}
    }
    let provider = provider(domain, look);
    let provided: &[&str] = provider.map_or(&[], |(_, selectors)| selectors);
    let mut found = 0;
    let mut is_provided = false;
    let mut all_known = true;
    let mut judged: Vec<&[u8]> = Vec::new();
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
            let octets = txt.joined();
            if let Ok(selector) = selector.parse() {
                seen(&selector, octets, look);
            }
            // DKIM031 tells of a wildcard; what is wrong with its key is told once.
            let is_told = (judged.contains(&octets) || is_revoked(octets))
                && hygiene::is_everywhere(octets, NOBODY, look);
            if !is_told {
                judged.push(octets);
                let text = Text { name: &name, octets };
                hygiene::text(&mut look.report, text);
                judge(request, text, look);
            }
        }
    }
    if !needs_key {
        return;
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

fn is_revoked(octets: &[u8]) -> bool {
    KeyRecord::parse(octets).is_ok_and(|record| record.public_key.is_none())
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
