//! TLSA records of mail exchanges (RFC 6698, RFC 7672).

use mailproof_dns::{Data, Name, RecordType, Response};
use sha2::{Digest as _, Sha256, Sha512};

use super::fits;
use crate::check::Look;
use crate::fetched::{Attempt, Presented, Session};
use crate::{Report, Request, Source, mx};

/// RFC 7672: TLSA records of the mail exchanges.
pub(super) fn exchanges(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let exchanges = mx::exchanges(domain, look);
    let with: Vec<Option<bool>> =
        exchanges.iter().map(|exchange| exchange_records(request, exchange, look)).collect();
    let all_known = with.iter().all(Option::is_some);
    if all_known && with.contains(&Some(true)) && with.contains(&Some(false)) {
        let message = "some mail exchanges have TLSA records and some have not";
        look.report.of("DANE008", domain, RecordType::Mx, message);
    }
}

/// Whether a mail exchange has TLSA records.
fn exchange_records(request: &Request, exchange: &Name, look: &mut Look<'_>) -> Option<bool> {
    let alias = look.ask(exchange, RecordType::Cname);
    let alias = alias.and_then(|response| match response.data() {
        [Data::Cname(target)] => Some(target.clone()),
        _ => None,
    });
    let is_alias = alias.is_some();
    let mut has_any = false;
    for host in std::iter::once(exchange.clone()).chain(alias) {
        let name = host.prepend("_25._tcp").ok()?;
        let Some(response) = look.ask(&name, RecordType::Tlsa) else {
            denial(&host, &name, look);
            return None;
        };
        let Response::Records(set) = response else { continue };
        has_any = true;
        for data in &set.records {
            if let Data::Other(RecordType::Tlsa, wire) = data {
                let before = look.report.findings.len();
                tlsa(&mut look.report, &name, wire);
                for finding in look.report.findings.iter_mut().skip(before) {
                    finding.which = Some(data.clone());
                }
            }
        }
        presented(request, exchange, (&name, &set.records), look);
        if !set.authenticated && look.validates() {
            let message = format!("{name} is not protected by DNSSEC");
            look.report.of("DANE001", &name, RecordType::Tlsa, message);
        }
        if set.records.len() == 1 {
            let message = format!("{name} has one TLSA record");
            look.report.of("DANE007", &name, RecordType::Tlsa, message);
        }
        if is_alias {
            let message = format!("{exchange} is an alias");
            look.report.of("DANE010", &name, RecordType::Tlsa, message);
        }
    }
    Some(has_any)
}

/// RFC 7672 3: what the mail exchange presents has to fit one of the records.
fn presented(
    request: &Request,
    exchange: &Name,
    (name, records): (&Name, &[Data]),
    look: &mut Look<'_>,
) {
    let session = request.fetched.exchanges.iter().find(|(host, _)| host == exchange);
    let Some((_, Attempt::Came(session))) = session else { return };
    let wires = records.iter().filter_map(|data| match data {
        Data::Other(RecordType::Tlsa, wire) => Some(wire.as_slice()),
        _ => None,
    });
    // RFC 7672 3.1.3: records of other usages are unusable.
    let usable: Vec<&[u8]> = wires.filter(|wire| matches!(wire, [2 | 3, ..])).collect();
    let message = match session {
        _ if usable.is_empty() => return,
        Session::Plain => format!("{exchange} has TLSA records, and does not offer STARTTLS"),
        Session::Tls(presented) if !usable.iter().any(|wire| is_fit(wire, presented, exchange)) => {
            format!("{exchange} presents nothing that fits its TLSA records")
        }
        Session::Tls(_) => return,
    };
    look.report.about("DANE006", name, Source::Record(RecordType::Tlsa), message);
}

/// Whether the certificates presented fit a record.
fn is_fit(wire: &[u8], presented: &Presented, exchange: &Name) -> bool {
    let [usage, selector, matching, association @ ..] = wire else { return false };
    // RFC 7672 3.1.1: DANE-EE is about the key alone; 3.1.2: DANE-TA is about the name, too.
    let (count, has_name) = match usage {
        3 => (1, true),
        _ => (usize::MAX, presented.names.iter().any(|name| fits(name, exchange))),
    };
    has_name
        && presented.certificates.iter().take(count).any(|certificate| {
            let octets = if *selector == 0 { &certificate.whole } else { &certificate.key };
            match matching {
                0 => octets == association,
                1 => Sha256::digest(octets).as_slice() == association,
                2 => Sha512::digest(octets).as_slice() == association,
                _ => false,
            }
        })
}

/// RFC 7672 2.1.2: where the address is secure and the TLSA lookup fails, senders defer.
fn denial(host: &Name, name: &Name, look: &mut Look<'_>) {
    let is_secure = [RecordType::A, RecordType::Aaaa].into_iter().any(
        |rtype| matches!(look.ask(host, rtype), Some(Response::Records(set)) if set.authenticated),
    );
    if is_secure && look.has_failed(name, RecordType::Tlsa) {
        let message = format!("{host} is secure, and the lookup of {name} fails");
        look.report.of("DANE009", name, RecordType::Tlsa, message);
    }
}

/// One TLSA record (RFC 6698 2.1).
pub(crate) fn tlsa(report: &mut Report, name: &Name, wire: &[u8]) {
    let [usage, selector, matching, rest @ ..] = wire else {
        report.of("DANE003", name, RecordType::Tlsa, "the record is too short");
        return;
    };
    let length = match matching {
        1 => 32,
        2 => 64,
        _ => rest.len(),
    };
    let shown = format!("{usage} {selector} {matching}");
    if *usage > 3 || *selector > 1 || *matching > 2 || rest.len() != length || rest.is_empty() {
        let message = format!("{shown} with {} octets is no TLSA record", rest.len());
        report.of("DANE003", name, RecordType::Tlsa, message);
    } else if *usage < 2 {
        report.of("DANE002", name, RecordType::Tlsa, format!("usage {usage} is not for SMTP"));
    } else if *matching == 0 {
        let message = format!("{shown} holds the whole certificate or key");
        report.of("DANE004", name, RecordType::Tlsa, message);
    } else if !matches!((usage, selector, matching), (3, 1, 1) | (2, 0 | 1, 1)) {
        // RFC 7672 3.1 names 2 0 1; 2 1 1 also outlives a renewed certificate.
        let message = format!("{shown} is neither 3 1 1, 2 0 1 nor 2 1 1");
        report.of("DANE005", name, RecordType::Tlsa, message);
    }
}
