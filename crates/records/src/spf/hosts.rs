//! Who the hosts are that pass.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::LazyLock;

use ipnet::Ipv4Net;
use mailproof_dns::{Data, Name, RecordType, Response};
use mailproof_spf::{Record, is_spf_record, parse_explain_string};

use crate::check::Look;
use crate::finding::Text;
use crate::{Profile, Request, Severity};

/// Whose customers share addresses: their records pass for every customer alike.
const SHARED: [&str; 20] = [
    "_spf.google.com",
    "spf.protection.outlook.com",
    "amazonses.com",
    "sendgrid.net",
    "mailgun.org",
    "servers.mcsv.net",
    "spf.mandrillapp.com",
    "spf.mtasv.net",
    "spf.mailjet.com",
    "spf.sendinblue.com",
    "spf.brevo.com",
    "sparkpostmail.com",
    "_spf.salesforce.com",
    "mktomail.com",
    "mail.zendesk.com",
    "helpscoutemail.com",
    "zoho.com",
    "zohomail.com",
    "spf.messagingengine.com",
    "_spf.mlsend.com",
];

static PROVIDERS: LazyLock<Vec<Name>> =
    LazyLock::new(|| SHARED.iter().filter_map(|name| name.parse().ok()).collect());

/// Networks of content delivery networks, as they publish them.
const FRONTS: [(&str, [u8; 4], u8); 16] = [
    ("Cloudflare", [104, 16, 0, 0], 13),
    ("Cloudflare", [104, 24, 0, 0], 14),
    ("Cloudflare", [108, 162, 192, 0], 18),
    ("Cloudflare", [141, 101, 64, 0], 18),
    ("Cloudflare", [162, 158, 0, 0], 15),
    ("Cloudflare", [172, 64, 0, 0], 13),
    ("Cloudflare", [173, 245, 48, 0], 20),
    ("Cloudflare", [188, 114, 96, 0], 20),
    ("Cloudflare", [190, 93, 240, 0], 20),
    ("Cloudflare", [197, 234, 240, 0], 22),
    ("Cloudflare", [198, 41, 128, 0], 17),
    ("Fastly", [146, 75, 0, 0], 17),
    ("Fastly", [151, 101, 0, 0], 16),
    ("Fastly", [199, 232, 0, 0], 16),
    ("GitHub Pages", [185, 199, 108, 0], 22),
    ("Vercel", [76, 76, 21, 0], 24),
];

/// An include that every customer of a provider has.
pub(super) fn shared(text: Text<'_>, target: &Name, span: &Range<usize>, look: &mut Look<'_>) {
    if PROVIDERS.iter().any(|provider| target.is_at_or_below(provider)) {
        let message = format!("{target} passes for every customer of that provider");
        look.report.at("SPF063", text, span.clone(), message);
    }
}

/// The mechanism a of a domain whose website is behind a content delivery network.
pub(super) fn web_front(
    text: Text<'_>,
    responses: [Option<&Response>; 2],
    span: &Range<usize>,
    look: &mut Look<'_>,
) {
    let addresses = responses.into_iter().flatten().flat_map(Response::data);
    let front = addresses
        .filter_map(|data| match data {
            Data::A(address) => Some(*address),
            _ => None,
        })
        .find_map(|address| Some((address, front(address)?)));
    if let Some((address, operator)) = front {
        let message = format!("{address} is a web front of {operator}, and sends no mail");
        look.report.at("SPF066", text, span.clone(), message);
    }
}

fn front(address: Ipv4Addr) -> Option<&'static str> {
    FRONTS.iter().find_map(|(operator, network, length)| {
        let network = Ipv4Net::new(Ipv4Addr::from(*network), *length).ok()?;
        network.contains(&address).then_some(*operator)
    })
}

/// How many IPv4 addresses the networks have together, each counted once.
pub(super) fn addresses(networks: Vec<Ipv4Net>) -> u64 {
    let size = |network: Ipv4Net| 1_u64 << (32 - u32::from(network.prefix_len().min(32)));
    Ipv4Net::aggregate(&networks).into_iter().map(size).sum()
}

/// Many networks that are large together.
pub(super) fn total(text: Text<'_>, addresses: u64, look: &mut Look<'_>) {
    let is_told = |id: &str| matches!(id, "SPF060" | "SPF061");
    let limits = look.report.limits;
    if addresses <= limits.ipv4_addresses
        || look.report.findings.iter().any(|found| is_told(found.rule.id))
    {
        return;
    }
    let message = format!("{addresses} IPv4 addresses pass in the whole tree");
    look.report.at("SPF061", text, 0..text.octets.len(), message);
    if addresses > limits.ipv4_addresses_error {
        look.report.severity(Severity::Error);
    }
}

/// RFC 7208 6.2: one text of ASCII, with macros that are well-formed, or there is no explanation.
pub(super) fn explanation(text: Text<'_>, record: &Record, look: &mut Look<'_>) {
    let Some((spec, span)) = record.explanation() else { return };
    let Some(target) = spec.literal().and_then(|name| name.parse::<Name>().ok()) else { return };
    let Some(texts) = look.texts(&target) else { return };
    let message = match texts.as_slice() {
        [one] => match parse_explain_string(one.joined()) {
            Ok(_) => return,
            Err(error) => format!("the text of {target} is not well-formed: {error}"),
        },
        several => format!("{target} has {} texts, and one is needed", several.len()),
    };
    look.report.at("SPF039", text, span.clone(), message);
    look.report.severity(Severity::Warning);
}

/// RFC 7208 10.1.2 and 3.5: names besides the domain that mail may claim to come from.
pub(super) fn names(request: &Request, look: &mut Look<'_>) {
    if request.profile == Profile::NoMail {
        return;
    }
    let domain = &request.domain;
    let exchanges = look.ask(domain, RecordType::Mx).map(Response::data).unwrap_or_default();
    let exchanges = exchanges.iter().filter_map(|data| match data {
        Data::Mx(mx) if mx.exchange.is_at_or_below(domain) => Some(&mx.exchange),
        _ => None,
    });
    let exchanges: Vec<&Name> = exchanges.take(look.report.limits.exchanges).collect();
    for exchange in exchanges.iter().filter(|name| **name != domain) {
        if has_record(exchange, look) == Some(false) {
            let message = format!("{exchange} may greet as itself, and has no SPF record");
            look.report.of("SPF067", exchange, RecordType::Txt, message);
        }
    }
    let Some(web) = look.below("www") else { return };
    let address = look.ask_by_the_way(&web, RecordType::A);
    if !matches!(address, Some(Response::Records(_))) || exchanges.contains(&&web) {
        return;
    }
    if has_record(&web, look) == Some(false) {
        let message = format!("{web} exists and has no SPF record");
        look.report.of("SPF068", &web, RecordType::Txt, message);
    }
}

fn has_record(name: &Name, look: &mut Look<'_>) -> Option<bool> {
    let response = look.ask_by_the_way(name, RecordType::Txt)?;
    Some(response.texts().any(|txt| is_spf_record(txt.joined())))
}
