//! Where the reports go (RFC 9990 4).

use mailproof_dmarc::{
    Destination, Discovery, Record, ReportUri, public_suffix_organizational_domain,
    report_destination,
};
use mailproof_dns::{Data, Name, RecordType, Response};

use crate::Severity;
use crate::check::Look;
use crate::finding::Text;

/// Whether the reports arrive.
pub(super) fn destinations(domain: &Name, record: &Record, name: &Name, look: &mut Look<'_>) {
    let Some(octets) = look
        .texts(name)
        .unwrap_or_default()
        .into_iter()
        .map(|txt| txt.joined())
        .find(|text| Record::is_record(text))
    else {
        return;
    };
    let text = Text { name, octets };
    for (uris, kind) in [
        (&record.rua, mailproof_dmarc::Report::Aggregate),
        (&record.ruf, mailproof_dmarc::Report::Failure),
    ] {
        for uri in uris {
            let host = uri.host();
            let answer = report_destination(domain, uri, kind, Discovery::TreeWalk, look.answers);
            match look.keep(answer) {
                Some(Destination::NotAuthorized) => {
                    let Some(host) = &host else { continue };
                    let joined = format!("{domain}._report._dmarc");
                    match host.prepend(&joined) {
                        Ok(needed) => {
                            let message = format!("{host} has no record at {needed}");
                            look.report.at("DMARC036", text, uri.span.clone(), message);
                            if kind == mailproof_dmarc::Report::Failure {
                                look.report.severity(Severity::Warning);
                            }
                        }
                        Err(_) => {
                            let message =
                                format!("the name that would let {host} agree is too long");
                            look.report.at("DMARC037", text, uri.span.clone(), message);
                        }
                    }
                }
                Some(Destination::OverriddenElsewhere) => {
                    let message = "the destination names another host, and gets no reports";
                    look.report.at("DMARC038", text, uri.span.clone(), message);
                }
                _ => {}
            }
            if let (Some(_), Some(host)) = (uri.address(), &host) {
                takes_mail(domain, text, (uri, host), look);
            }
        }
    }
}

/// RFC 5321 5.1: mail goes to the MX records, or to the address records where there is none.
fn takes_mail(
    domain: &Name,
    text: Text<'_>,
    (uri, host): (&ReportUri, &Name),
    look: &mut Look<'_>,
) {
    let Some(response) = look.ask(host, RecordType::Mx) else { return };
    let takes = match response {
        Response::Records(set) => set
            .records
            .iter()
            .any(|data| matches!(data, Data::Mx(mx) if mx.exchange != Name::root())),
        Response::NxDomain => false,
        _ => {
            let addresses = [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(host, rtype));
            addresses.iter().any(|response| {
                response.is_none_or(|response| matches!(response, Response::Records(_)))
            })
        }
    };
    if !takes {
        look.report.at("DMARC039", text, uri.span.clone(), format!("{host} takes no mail"));
        // Nobody registers a name within the organization itself.
        let [own, theirs] = [domain, host].map(public_suffix_organizational_domain);
        if matches!(response, Response::NxDomain) && own != theirs {
            look.report.severity(Severity::Error);
        }
    }
}
