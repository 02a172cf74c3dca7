//! Mail exchanges and reverse names.

use std::net::IpAddr;

use mailproof_dns::{Data, Mx, Name, RecordType, Response};
use mailproof_spf::{is_spf_record, reverse_name};

use crate::check::Look;
use crate::{Profile, Request, Severity};

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(response) = look.ask(domain, RecordType::Mx) else { return };
    let all: Vec<&Mx> = response
        .data()
        .iter()
        .filter_map(|data| match data {
            Data::Mx(mx) => Some(mx),
            _ => None,
        })
        .collect();
    let sends = sends(domain, look);
    presence(request, &all, sends, look);
    let (exchanges, left_out) = distinct(domain, &all, look);
    if left_out > 0 {
        let message = format!("of the mail exchanges, {left_out} are not looked at");
        look.report.of("MX014", domain, RecordType::Mx, message);
    }
    let mut addresses: Vec<IpAddr> = Vec::new();
    let mut all_known = true;
    for name in &exchanges {
        match exchange(domain, name, look) {
            Some(found) => addresses.extend(found),
            None => all_known = false,
        }
    }
    let has_ipv6 = addresses.iter().any(IpAddr::is_ipv6);
    if !exchanges.is_empty() && !has_ipv6 && all_known {
        look.report.of("MX013", domain, RecordType::Mx, "no mail exchange has an IPv6 address");
    }
    addresses.truncate(look.report.limits.addresses);
    addresses.extend(&request.must_pass);
    addresses.sort();
    addresses.dedup();
    for address in addresses.into_iter().filter(|address| !is_reserved(*address)) {
        reverse(address, look);
    }
    for (address, name) in request.helo.iter().take(look.report.limits.addresses) {
        greeting(*address, name, look);
    }
}

/// The mail exchanges of a domain, each once and so many of them.
pub(crate) fn exchanges<'a>(domain: &Name, look: &mut Look<'a>) -> Vec<&'a Name> {
    let data = look.ask(domain, RecordType::Mx).map(Response::data).unwrap_or_default();
    let most = look.report.limits.exchanges;
    let mut names: Vec<&Name> = Vec::new();
    for data in data {
        if let Data::Mx(mx) = data
            && mx.exchange != Name::root()
            && names.len() < most
            && !names.contains(&&mx.exchange)
        {
            names.push(&mx.exchange);
        }
    }
    names
}

/// Each mail exchange once, and how many records are not looked at.
fn distinct<'a>(domain: &Name, all: &[&Mx], look: &mut Look<'a>) -> (Vec<&'a Name>, usize) {
    let names = exchanges(domain, look);
    let mut seen: Vec<bool> = vec![false; names.len()];
    let mut left_out = 0;
    for mx in all.iter().filter(|mx| mx.exchange != Name::root()) {
        match names.iter().zip(&mut seen).find(|(name, _)| **name == &mx.exchange) {
            Some((_, seen)) if *seen => {
                let message = format!("{} stands twice", mx.exchange);
                look.report.of("MX009", domain, RecordType::Mx, message);
                look.report.which(Some(&Data::Mx((*mx).clone())));
            }
            Some((_, seen)) => *seen = true,
            None => left_out += 1,
        }
    }
    (names, left_out)
}

/// A finding about the record that names the mail exchange.
fn of_record(id: &str, domain: &Name, exchange: &Name, message: String, look: &mut Look<'_>) {
    look.report.of(id, domain, RecordType::Mx, message);
    let data = look.ask(domain, RecordType::Mx).map(Response::data).unwrap_or_default();
    let names = |data: &&Data| matches!(data, Data::Mx(mx) if mx.exchange == *exchange);
    look.report.which(data.iter().find(names));
}

/// Whether the SPF record lets anybody send, if that is known.
pub(crate) fn sends(domain: &Name, look: &mut Look<'_>) -> Option<bool> {
    let texts = look.texts(domain)?;
    let record = texts.iter().map(|txt| txt.joined()).find(|text| is_spf_record(text))?;
    // RFC 7208 5.1: "Mechanisms after "all" will never be tested."
    let first = record.split(|octet| *octet == b' ').filter(|term| !term.is_empty()).nth(1);
    Some(!first.is_some_and(|term| term.eq_ignore_ascii_case(b"-all")))
}

/// Whether there are mail exchanges as the domain needs them.
fn presence(request: &Request, all: &[&Mx], sends: Option<bool>, look: &mut Look<'_>) {
    let domain = &request.domain;
    let nulls = all.iter().filter(|mx| mx.exchange == Name::root());
    let is_null = nulls.clone().count() > 0;
    if is_null && (all.len() > 1 || nulls.clone().any(|mx| mx.preference != 0)) {
        let message = "a null MX stands alone, with preference 0".to_owned();
        of_record("MX002", domain, &Name::root(), message, look);
    }
    if is_null && sends == Some(true) {
        let message = format!("{domain} takes no mail, and its SPF record lets hosts send");
        of_record("MX003", domain, &Name::root(), message, look);
    }
    let is_silent = request.profile == Profile::NoMail || sends == Some(false);
    if all.is_empty() && is_silent && has_address(domain, look) {
        let message = format!("{domain} has an address and no null MX");
        look.report.of("MX004", domain, RecordType::Mx, message);
    } else if all.is_empty() && !is_silent {
        look.report.of("MX001", domain, RecordType::Mx, format!("{domain} has no MX record"));
        if sends.is_none() {
            look.report.severity(Severity::Info);
        }
    }
    if let ([only], false) = (all, is_null) {
        let message = format!("{} is the only mail exchange", only.exchange);
        look.report.of("MX010", domain, RecordType::Mx, message);
    }
}

/// RFC 5321 5.1: without an MX record mail goes to the address of the domain.
fn has_address(domain: &Name, look: &mut Look<'_>) -> bool {
    let responses = [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(domain, rtype));
    responses.into_iter().flatten().any(|response| !response.data().is_empty())
}

/// Whether a name is an address in words, and the zone may stand behind it: "192.0.2.1" without
/// a dot at the end is a name within the zone.
fn is_address(exchange: &Name, domain: &Name) -> bool {
    // How an address begins, and few names do.
    let first = exchange.labels().next().and_then(|label| label.first().copied());
    if !first.is_some_and(|octet| octet.is_ascii_hexdigit() || octet == b':') {
        return false;
    }
    let text = exchange.to_string().to_ascii_lowercase();
    let text = text.trim_end_matches('.');
    let end = domain.to_string().to_ascii_lowercase();
    let within = text.strip_suffix(end.trim_end_matches('.')).and_then(|s| s.strip_suffix('.'));
    [Some(text), within].into_iter().flatten().any(|text| text.parse::<IpAddr>().is_ok())
}

/// RFC 5321 4.1.2: letters, digits and hyphens, no hyphen at an end.
fn is_host_label(label: &[u8]) -> bool {
    label.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
        && !label.starts_with(b"-")
        && !label.ends_with(b"-")
}

/// One mail exchange; its addresses, if they are known.
fn exchange(domain: &Name, exchange: &Name, look: &mut Look<'_>) -> Option<Vec<IpAddr>> {
    if is_address(exchange, domain) {
        let message = format!("{exchange} is an address, not a name");
        of_record("MX005", domain, exchange, message, look);
        return Some(Vec::new());
    }
    if exchange.label_count() < 2 || !exchange.labels().all(is_host_label) {
        let message = format!("{exchange} is no host name");
        of_record("MX008", domain, exchange, message, look);
    }
    let alias = look.ask(exchange, RecordType::Cname);
    if matches!(alias, Some(Response::Records(_))) {
        let message = format!("{exchange} is an alias (CNAME)");
        of_record("MX006", domain, exchange, message, look);
    }
    let responses = [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(exchange, rtype));
    let mut addresses = Vec::new();
    for data in responses.iter().flatten().flat_map(|response| response.data()) {
        match data {
            Data::A(address) => addresses.push(IpAddr::V4(*address)),
            Data::Aaaa(address) => addresses.push(IpAddr::V6(*address)),
            _ => {}
        }
    }
    if let Some(address) = addresses.iter().find(|address| is_reserved(**address)) {
        let message = format!("{exchange} has {address}, which is not public");
        of_record("MX011", domain, exchange, message, look);
    }
    let is_known = responses.iter().all(Option::is_some);
    if is_known && addresses.is_empty() {
        let message = format!("{exchange} has no address");
        of_record("MX007", domain, exchange, message, look);
    }
    is_known.then_some(addresses)
}

/// Whether an address is not public (RFC 6890 2.2).
pub fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || address.is_multicast()
                || first == 0
                || first >= 240
                || (first == 100 && second & 0xc0 == 64)
                || (first == 192 && second == 0 && third == 0)
                || (first == 198 && second & 0xfe == 18)
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || address.to_ipv4_mapped().is_some()
                || (first == 0x2001 && second == 0xdb8)
        }
    }
}

/// The reverse name of an address that sends.
fn reverse(address: IpAddr, look: &mut Look<'_>) {
    let Some(name) = reverse_name(address) else { return };
    let Some(response) = look.ask(&name, RecordType::Ptr) else { return };
    let names = || {
        response.data().iter().filter_map(|data| match data {
            Data::Ptr(name) => Some(name),
            _ => None,
        })
    };
    let (count, names) =
        (names().count(), names().take(look.report.limits.reverse_names).collect::<Vec<_>>());
    let Some(first) = names.first() else {
        let message = format!("{address} has no reverse name");
        look.report.of("PTR001", &name, RecordType::Ptr, message);
        return;
    };
    if count > 1 {
        let message = format!("{address} has {count} reverse names");
        look.report.of("PTR005", &name, RecordType::Ptr, message);
    }
    let rtype = if address.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
    let mut is_confirmed = false;
    for host in &names {
        // What is not known may confirm.
        let Some(response) = look.ask(host, rtype) else { return };
        is_confirmed |= response.data().iter().any(|data| match data {
            Data::A(found) => IpAddr::V4(*found) == address,
            Data::Aaaa(found) => IpAddr::V6(*found) == address,
            _ => false,
        });
    }
    if !is_confirmed {
        let message = format!("{address} is {first}, which does not have this address");
        look.report.of("PTR002", &name, RecordType::Ptr, message);
    }
    if is_generic(address, first) {
        let message = format!("{address} is {first}, a name as dial-up lines have");
        look.report.of("PTR003", &name, RecordType::Ptr, message);
    }
}

/// RFC 5321 4.1.4: the name of EHLO should be one of the host.
fn greeting(address: IpAddr, helo: &Name, look: &mut Look<'_>) {
    let rtype = if address.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
    let Some(response) = look.ask(helo, rtype) else { return };
    let has_address = response.data().iter().any(|data| match data {
        Data::A(found) => IpAddr::V4(*found) == address,
        Data::Aaaa(found) => IpAddr::V6(*found) == address,
        _ => false,
    });
    if !has_address {
        let message = format!("{address} greets as {helo}, which does not have this address");
        look.report.of("PTR004", helo, rtype, message);
        return;
    }
    let Some(reverse) = reverse_name(address) else { return };
    let Some(response) = look.ask(&reverse, RecordType::Ptr) else { return };
    let mut names = response.data().iter().filter_map(|data| match data {
        Data::Ptr(name) => Some(name),
        _ => None,
    });
    // Without a reverse name there is a finding of its own.
    if !response.data().is_empty() && !names.any(|name| name == helo) {
        let message = format!("{address} greets as {helo}, and its reverse name is another");
        look.report.of("PTR004", &reverse, RecordType::Ptr, message);
    }
}

/// Whether a reverse name is made of the address, or says what kind of line it is.
fn is_generic(address: IpAddr, name: &Name) -> bool {
    const WORDS: [&str; 10] =
        ["dsl", "adsl", "vdsl", "dhcp", "dyn", "dynamic", "pool", "pools", "dialup", "ppp"];
    let text = name.to_string().to_ascii_lowercase();
    // The last two labels are a provider's name.
    let host = text.trim_end_matches('.').rsplitn(3, '.').nth(2).unwrap_or_default();
    let mut words = host.split(|c: char| !c.is_ascii_alphabetic());
    if words.any(|word| WORDS.contains(&word)) {
        return true;
    }
    let IpAddr::V4(address) = address else { return false };
    let numbers: Vec<Option<u8>> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect();
    let mut octets = address.octets().map(Some);
    let stands = |octets: &[Option<u8>]| {
        octets.windows(3).any(|part| numbers.windows(3).any(|window| window == part))
    };
    let is_forward = stands(&octets);
    octets.reverse();
    is_forward || stands(&octets)
}
