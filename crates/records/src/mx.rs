//! Mail exchanges.

use mailproof_dns::{Data, Name, RecordType, Response};

use crate::Request;
use crate::check::Look;

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(response) = look.ask(domain, RecordType::Mx) else { return };
    let exchanges: Vec<&Name> = response
        .data()
        .iter()
        .filter_map(|data| match data {
            Data::Mx(mx) if mx.exchange != Name::root() => Some(&mx.exchange),
            _ => None,
        })
        .collect();
    for exchange in exchanges {
        let alias = look.ask(exchange, RecordType::Cname);
        let is_alias = matches!(alias, Some(Response::Records(_)));
        if is_alias {
            let message = format!("{exchange} is an alias (CNAME)");
            look.report.of("MX006", domain, RecordType::Mx, message);
        }
        let addresses = [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(exchange, rtype));
        let has_none = |response: &Option<&Response>| {
            matches!(response, Some(Response::NoData | Response::NxDomain))
        };
        if !is_alias && addresses.iter().all(has_none) {
            let message = format!("{exchange} has no address");
            look.report.of("MX007", domain, RecordType::Mx, message);
        }
    }
}
