//! What can be wrong with any record of a domain.

use mailproof_dmarc::public_suffix_organizational_domain;
use mailproof_dns::{Data, Failure, Name, RecordType, Response, Txt};

use crate::check::Look;
use crate::finding::Text;
use crate::{Report, Request, Severity};

/// Quotes, escapes, white space and octets that belong into no mail record.
pub(crate) fn text(report: &mut Report, text: Text<'_>) {
    let octets = text.octets;
    if octets.starts_with(b"\"") || octets.windows(3).any(|part| part == b"\" \"") {
        report.at("DNS002", text, 0..1, "quotes are part of the text");
    }
    let escaped = octets.windows(2).position(|part| matches!(part, [b'\\', b';' | b'"']));
    if let Some(at) = escaped {
        report.at("DNS003", text, at..at + 2, "a backslash is part of the text");
    }
    let is_foreign = |octet: &u8| !matches!(octet, b'\t' | 0x20..=0x7e);
    if let Some(at) = octets.iter().position(is_foreign) {
        let rest = octets.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|octet| is_foreign(octet)).count();
        let part = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
        let code = part.chars().next().map_or(0, u32::from);
        report.at("DNS006", text, at..at + length, format!("U+{code:04X} is not printable ASCII"));
    }
    let end = octets.len();
    let (front, back) = (octets.trim_ascii_start().len(), octets.trim_ascii_end().len());
    if front < end {
        report.at("DNS007", text, 0..end - front, "white space before the record");
        report.severity(Severity::Error);
    } else if back < end {
        report.at("DNS007", text, back..end, "white space behind the record");
    }
}

/// A term or tag that ends where a string ends: is a space or a semicolon missing?
pub(crate) fn boundaries(report: &mut Report, text: Text<'_>, txt: &Txt) {
    const TERMS: [&[u8]; 12] = [
        b"ip4:",
        b"ip6:",
        b"include:",
        b"a:",
        b"mx",
        b"-all",
        b"~all",
        b"?all",
        b"exists:",
        b"ptr",
        b"redirect=",
        b"exp=",
    ];
    const TAGS: [&[u8]; 17] = [
        b"k=", b"p=", b"h=", b"s=", b"t=", b"n=", b"sp=", b"np=", b"rua=", b"ruf=", b"fo=",
        b"adkim=", b"aspf=", b"pct=", b"psd=", b"rf=", b"ri=",
    ];
    let is_spf = mailproof_spf::is_spf_record(text.octets);
    let mut at = 0_usize;
    for string in txt.strings() {
        let before = text.octets.get(..at).unwrap_or_default();
        let (begins, is_apart, what) = if is_spf {
            let begins = TERMS.iter().any(|start| string.starts_with(start));
            (begins, before.ends_with(b" "), "space")
        } else {
            // The end of a key may look like a tag: "s=" is base64, too.
            let begins = TAGS.iter().any(|start| string.starts_with(start)) && string.len() > 3;
            (begins, before.trim_ascii_end().ends_with(b";"), "semicolon")
        };
        if begins && at > 0 && !is_apart {
            let message = format!("no {what} stands between this and the string before");
            report.at("DNS005", text, at..at + string.len().min(4), message);
        }
        at += string.len();
    }
}

/// DNS016: how long resolvers keep what is published.
pub(crate) fn ttl(name: &Name, response: &Response, look: &mut Look<'_>) {
    if let Response::Records(set) = response
        && !(300..=86_400).contains(&set.ttl)
    {
        let message = format!("the TTL is {} seconds", set.ttl);
        look.report.of("DNS016", name, RecordType::Txt, message);
    }
}

/// What stands around the records of the domain.
pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    // What is registered below a public suffix is a domain of its own.
    let below = domain.prepend("a").ok();
    if below.is_some_and(|below| public_suffix_organizational_domain(&below) == below) {
        let message = format!("{domain} is a public suffix");
        look.report.of("DNS019", domain, RecordType::Txt, message);
    }
    wildcard(domain, look);
    misplaced(look);
    at_apex(domain, look);
    doubled(domain, look);
    size(domain, look);
    alias(look);
    secure(domain, look);
}

/// RFC 4035 3.2.3: a resolver that validates says which answers are authentic.
fn secure(domain: &Name, look: &mut Look<'_>) {
    let validates = look.validates();
    let Some(Response::Records(set)) = look.ask(domain, RecordType::Txt) else { return };
    if validates && !set.authenticated {
        let message = format!("{domain} is not signed");
        look.report.of("DNS018", domain, RecordType::Txt, message);
    }
}

/// A name that nobody has.
const NOBODY: &str = "mailproof-wildcard-test";

/// RFC 4592: a wildcard answers for a name that nobody has.
fn wildcard(domain: &Name, look: &mut Look<'_>) {
    // RFC 4592 2.2.1: where a name does not exist, no wildcard beside it has answered.
    if look.below("_mta-sts").and_then(|name| exists(&name, look)) == Some(true) {
        let Some(name) = look.below(NOBODY) else { return };
        let Some(texts) = look.texts(&name) else { return };
        if !texts.is_empty() {
            let message = format!("a text record answers for every name below {domain}");
            look.report.of("DNS012", domain, RecordType::Txt, message);
            return;
        }
    }
    for prefix in ["_dmarc", "_mta-sts"] {
        let Some(node) = look.below(prefix) else { continue };
        // RFC 8020: below a name that does not exist there is nothing.
        match look.ask(&node, RecordType::Txt) {
            None | Some(Response::NxDomain) => continue,
            Some(_) => {}
        }
        let Ok(name) = node.prepend(NOBODY) else { continue };
        let response = look.ask_by_the_way(&name, RecordType::Txt);
        if response.is_some_and(|response| response.texts().next().is_some()) {
            let message = format!("a text record answers for every name below {node}");
            look.report.of("DNS012", &node, RecordType::Txt, message);
        }
    }
}

/// Whether a wildcard gives this text to every name (RFC 4592), and so to one that nobody has.
pub(crate) fn is_everywhere(octets: &[u8], nobody: &'static str, look: &mut Look<'_>) -> bool {
    let Some(name) = look.below(nobody) else { return false };
    let texts = look.texts(&name).unwrap_or_default();
    texts.iter().any(|txt| txt.joined() == octets)
}

/// Whether the name exists, if that is known: an alias whose target does not exist has the same
/// response as a name that does not (RFC 6604 3).
fn exists(name: &Name, look: &mut Look<'_>) -> Option<bool> {
    let is_name = |response: &Response| !matches!(response, Response::NxDomain);
    let text = look.ask(name, RecordType::Txt)?;
    Some(is_name(text) || is_name(look.ask_by_the_way(name, RecordType::Cname)?))
}

/// Records of another kind than is looked for.
fn misplaced(look: &mut Look<'_>) {
    for (prefix, own) in
        [("_dmarc", &b"v=dmarc"[..]), ("_mta-sts", b"v=sts"), ("_smtp._tls", b"v=tlsrpt")]
    {
        let Some(name) = look.below(prefix) else { continue };
        for txt in look.texts(&name).unwrap_or_default() {
            let start: Vec<u8> = txt.joined().iter().take(9).map(u8::to_ascii_lowercase).collect();
            let text = Text { name: &name, octets: txt.joined() };
            let whole = 0..txt.joined().len();
            let kind = [("SPF", &b"v=spf1"[..]), ("DKIM", b"v=dkim1"), ("DMARC", b"v=dmarc1")]
                .into_iter()
                .find(|(_, version)| start.starts_with(version) && !version.starts_with(own));
            if let Some((kind, _)) = kind {
                // What a wildcard says everywhere was not put here, and is passed over (RFC 8461
                // 3.1, RFC 8460 3): DNS012 tells of it.
                if is_everywhere(txt.joined(), NOBODY, look) {
                    continue;
                }
                let message = format!("this is a record of {kind}");
                look.report.at("DNS013", text, whole, message);
            } else if !start.starts_with(own) && !start.starts_with(b"v=") {
                let message = "this has nothing to do with the name";
                look.report.at("DNS014", text, whole, message);
            }
        }
    }
}

/// Records at the domain that are looked for at names below it, as DMARC049 is for DMARC.
fn at_apex(domain: &Name, look: &mut Look<'_>) {
    const KINDS: [(&str, &[u8], &str); 4] = [
        ("DKIM", b"v=dkim1", "SELECTOR._domainkey"),
        ("MTA-STS", b"v=stsv1", "_mta-sts"),
        ("TLS reports", b"v=tlsrptv1", "_smtp._tls"),
        ("BIMI", b"v=bimi1", "default._bimi"),
    ];
    for txt in look.texts(domain).unwrap_or_default() {
        let octets = txt.joined();
        let start: Vec<u8> = octets.iter().take(10).map(u8::to_ascii_lowercase).collect();
        if let Some((kind, _, place)) = KINDS.iter().find(|(_, own, _)| start.starts_with(own)) {
            let message = format!("this is a record of {kind}, for {place}.{domain}");
            look.report.at("DNS013", Text { name: domain, octets }, 0..octets.len(), message);
            look.report.severity(Severity::Warning);
        }
    }
}

/// Checks where a record of SPF or DKIM stands that was read in the zone of `domain`: what a zone
/// file shows, and nobody can ask for.
pub fn check_owner(domain: &Name, owner: &Name, octets: &[u8]) -> Report {
    let mut report = Report::default();
    let text = Text { name: owner, octets };
    let is_node =
        owner.labels().next().is_some_and(|label| label.eq_ignore_ascii_case(b"_domainkey"));
    if let Some(meant) = without_double(domain, owner) {
        let message = format!("this was meant to be at {meant}");
        report.at("DNS004", text, 0..octets.len(), message);
    } else if is_node && octets.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"v=DKIM1"))
    {
        let message = "this is a record of DKIM, and the selector stands before _domainkey";
        report.at("DNS013", text, 0..octets.len(), message);
    }
    report
}

/// The name without the second domain at its end.
fn without_double(domain: &Name, owner: &Name) -> Option<Name> {
    let twice = Name::from_labels(domain.labels().chain(domain.labels())).ok()?;
    let count = owner.label_count().checked_sub(domain.label_count())?;
    let is_double = domain.label_count() > 1 && owner.is_at_or_below(&twice);
    is_double.then(|| Name::from_labels(owner.labels().take(count)).ok())?
}

/// The zone typed after the name, in a form that adds it.
fn doubled(domain: &Name, look: &mut Look<'_>) {
    let Ok(name) = domain.prepend(&format!("_dmarc.{domain}")) else { return };
    let Some(right) = look.below("_dmarc") else { return };
    let Some(texts) = look.texts(&right) else { return };
    if !texts.is_empty() {
        return;
    }
    for txt in look.texts(&name).unwrap_or_default() {
        if txt.joined().starts_with(b"v=DMARC1") {
            let text = Text { name: &name, octets: txt.joined() };
            let message = format!("this was meant to be at {right}");
            look.report.at("DNS004", text, 0..txt.joined().len(), message);
        }
    }
}

/// The text records of the domain together.
fn size(domain: &Name, look: &mut Look<'_>) {
    let Some(response) = look.ask(domain, RecordType::Txt) else { return };
    let octets: usize = response.texts().map(|txt| txt.wire_len() + 12).sum();
    if octets > 1232 {
        let message = format!("the text records of {domain} have {octets} octets together");
        look.report.of("DNS015", domain, RecordType::Txt, message);
    }
    ttl(domain, response, look);
}

/// Aliases of the names where records are looked for.
fn alias(look: &mut Look<'_>) {
    for prefix in ["_dmarc", "_mta-sts", "_smtp._tls"] {
        let Some(name) = look.below(prefix) else { continue };
        // An alias that leads to a record is a good one, and whoever says nothing will not tell of
        // one; one that leads in a circle is a failure of the server.
        match look.answer(&name, RecordType::Txt) {
            Some(Response::NxDomain | Response::NoData | Response::Failure(Failure::ServFail)) => {}
            _ => continue,
        }
        let Some(response) = look.ask_by_the_way(&name, RecordType::Cname) else { continue };
        let [Data::Cname(target)] = response.data() else { continue };
        if let Some(back) = circle(&name, target, look) {
            let message = format!("{name} is an alias that leads in a circle, by {back}");
            look.report.of("DNS009", &name, RecordType::Cname, message);
        } else if matches!(look.ask(&name, RecordType::Txt), Some(Response::NxDomain)) {
            let registrable = public_suffix_organizational_domain(target);
            let is_free =
                matches!(look.ask(&registrable, RecordType::Ns), Some(Response::NxDomain));
            let message = if is_free {
                format!("{name} is an alias of {target}, and anybody may register {registrable}")
            } else {
                format!("{name} is an alias of {target}, which does not exist")
            };
            look.report.of("DNS009", &name, RecordType::Cname, message);
        }
    }
}

/// The alias that leads back to one before it, if there is one within as many as resolvers follow.
fn circle(name: &Name, target: &Name, look: &mut Look<'_>) -> Option<Name> {
    const ALIASES: usize = 8;
    let mut passed = vec![name.clone()];
    let mut next = target.clone();
    while passed.len() < ALIASES {
        let here = next;
        if passed.contains(&here) {
            return passed.pop();
        }
        let response = look.ask_by_the_way(&here, RecordType::Cname)?;
        let [Data::Cname(target)] = response.data() else { return None };
        next = target.clone();
        passed.push(here);
    }
    None
}
