//! Mail exchanges and reverse names.

use std::net::IpAddr;

use mailproof_dns::{Data, Mx, Name, RecordType, Response};
use mailproof_spf::{is_spf_record, reverse_name};

use crate::check::Look;
use crate::{Profile, Request};

/// How many mail exchanges are looked at. Local choice: more than senders try.
pub(crate) const EXCHANGES: usize = 32;

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
    let mut addresses: Vec<IpAddr> = request.must_pass.clone();
    let mut seen: Vec<&Name> = Vec::new();
    let mut has_ipv6 = false;
    let mut all_known = true;
    for mx in all.iter().filter(|mx| mx.exchange != Name::root()).take(EXCHANGES) {
        if seen.contains(&&mx.exchange) {
            let message = format!("{} stands twice", mx.exchange);
            look.report.of("MX009", domain, RecordType::Mx, message);
            continue;
        }
        seen.push(&mx.exchange);
        match exchange(domain, &mx.exchange, look) {
            Some(found) => {
                has_ipv6 |= found.iter().any(IpAddr::is_ipv6);
                addresses.extend(found);
            }
            None => all_known = false,
        }
    }
    if !seen.is_empty() && !has_ipv6 && all_known {
        look.report.of("MX013", domain, RecordType::Mx, "no mail exchange has an IPv6 address");
    }
    addresses.sort();
    addresses.dedup();
    for address in addresses.into_iter().filter(|address| !is_reserved(*address)) {
        reverse(address, look);
    }
}

/// Whether the SPF record lets anybody send, if that is known.
fn sends(domain: &Name, look: &mut Look<'_>) -> Option<bool> {
    let texts = look.texts(domain)?;
    let record = texts.iter().map(|txt| txt.joined()).find(|text| is_spf_record(text))?;
    Some(!record.eq_ignore_ascii_case(b"v=spf1 -all"))
}

/// Whether there are mail exchanges as the domain needs them.
fn presence(request: &Request, all: &[&Mx], sends: Option<bool>, look: &mut Look<'_>) {
    let domain = &request.domain;
    let nulls = all.iter().filter(|mx| mx.exchange == Name::root());
    let is_null = nulls.clone().count() > 0;
    if is_null && (all.len() > 1 || nulls.clone().any(|mx| mx.preference != 0)) {
        let message = "a null MX stands alone, with preference 0";
        look.report.of("MX002", domain, RecordType::Mx, message);
    }
    if is_null && sends == Some(true) {
        let message = format!("{domain} takes no mail, and its SPF record lets hosts send");
        look.report.of("MX003", domain, RecordType::Mx, message);
    }
    if all.is_empty() && sends == Some(true) {
        look.report.of("MX001", domain, RecordType::Mx, format!("{domain} has no MX record"));
    }
    let is_silent = request.profile == Profile::NoMail || sends == Some(false);
    if all.is_empty() && is_silent {
        let message = format!("{domain} has no null MX");
        look.report.of("MX004", domain, RecordType::Mx, message);
    }
    if let ([only], false) = (all, is_null) {
        let message = format!("{} is the only mail exchange", only.exchange);
        look.report.of("MX010", domain, RecordType::Mx, message);
    }
}

/// One mail exchange; its addresses, if they are known.
fn exchange(domain: &Name, exchange: &Name, look: &mut Look<'_>) -> Option<Vec<IpAddr>> {
    if exchange.to_string().parse::<IpAddr>().is_ok() {
        let message = format!("{exchange} is an address, not a name");
        look.report.of("MX005", domain, RecordType::Mx, message);
        return Some(Vec::new());
    }
    let is_host =
        |label: &[u8]| label.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    if exchange.label_count() < 2 || !exchange.labels().all(is_host) {
        let message = format!("{exchange} is no host name");
        look.report.of("MX008", domain, RecordType::Mx, message);
    }
    let alias = look.ask(exchange, RecordType::Cname);
    let is_alias = matches!(alias, Some(Response::Records(_)));
    if is_alias {
        let message = format!("{exchange} is an alias (CNAME)");
        look.report.of("MX006", domain, RecordType::Mx, message);
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
    for address in addresses.iter().filter(|address| is_reserved(**address)) {
        let message = format!("{exchange} has {address}, which is not public");
        look.report.of("MX011", domain, RecordType::Mx, message);
    }
    let is_known = responses.iter().all(Option::is_some);
    if is_known && addresses.is_empty() && !is_alias {
        let message = format!("{exchange} has no address");
        look.report.of("MX007", domain, RecordType::Mx, message);
    }
    is_known.then_some(addresses)
}

/// RFC 6890: addresses that are not public.
pub(crate) fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_broadcast()
                || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || (first == 0x2001 && second == 0xdb8)
        }
    }
}

/// The reverse name of an address that sends.
fn reverse(address: IpAddr, look: &mut Look<'_>) {
    let Some(name) = reverse_name(address) else { return };
    let Some(response) = look.ask(&name, RecordType::Ptr) else { return };
    let names: Vec<&Name> = response
        .data()
        .iter()
        .filter_map(|data| match data {
            Data::Ptr(name) => Some(name),
            _ => None,
        })
        .take(10)
        .collect();
    let Some(first) = names.first() else {
        let message = format!("{address} has no reverse name");
        look.report.of("PTR001", &name, RecordType::Ptr, message);
        return;
    };
    if names.len() > 1 {
        let message = format!("{address} has {} reverse names", names.len());
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
    let text = first.to_string();
    let IpAddr::V4(v4) = address else { return };
    let octets = v4.octets().map(|octet| octet.to_string());
    let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).collect();
    if octets.iter().filter(|octet| parts.contains(&octet.as_str())).count() >= 3 {
        let message = format!("{address} is {first}, a name made of the address");
        look.report.of("PTR003", &name, RecordType::Ptr, message);
    }
}
