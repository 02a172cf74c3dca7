//! Sealers that a receiver trusts (RFC 8617 7.2.1).

use mailproof_authres::{AuthenticationResults, Method, Ptype, ResultCode};
use mailproof_dns::Name;
use mailproof_message::{Field, Header};

use crate::outcome::Outcome;
use crate::set::{ArcAuthenticationResults, ChainStatus};

/// The domains whose word on a message counts: a local list, empty by default.
///
/// RFC 8617 9.4: "Recipients are cautioned to treat every Sealer of the ARC Chain with suspicion."
/// A chain that passes says who sealed, not who can be believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedSealers {
    domains: Vec<Name>,
}

/// What a DMARC processor may take into account for its local policy (RFC 8617 7.2.1). It changes
/// the disposition of a message and never the DMARC result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The sealer of instance 1, who saw the message as its author's domain sent it.
    pub first_sealer: Name,
    /// The sealer that handed the message on to us.
    pub last_sealer: Name,
    /// The comment for the reason `local_policy` of an aggregate report (RFC 8617 7.2.2).
    pub comment: String,
}

impl TrustedSealers {
    /// The sealers with exactly these domains (d=).
    pub fn new(domains: impl IntoIterator<Item = Name>) -> TrustedSealers {
        TrustedSealers { domains: domains.into_iter().collect() }
    }

    /// Whether this sealer is in the list.
    pub fn contains(&self, domain: &Name) -> bool {
        self.domains.contains(domain)
    }

    /// Whether the chain gives reason to override the policy of `author_domain`: it passes, *every*
    /// sealer of it is trusted, the newest message signature signs From, and the first set says that
    /// DMARC passed for that very domain.
    ///
    /// One trusted sealer is not enough: a list seals honestly what an attacker sealed before it.
    pub fn dmarc_override(
        &self,
        outcome: &Outcome,
        header: &Header,
        author_domain: &Name,
    ) -> Option<Override> {
        let trusted = |signer: &Name| self.contains(signer);
        let (first, last) = (outcome.sets.first()?, outcome.sets.last()?);
        let newest = last.message_signature.as_ref().ok()?;
        let all_trusted = outcome.sets.iter().all(|set| trusted(&set.seal.signature.domain));
        if outcome.result() != ChainStatus::Pass
            || !all_trusted
            || !trusted(&newest.signature.domain)
            || newest.signature.signed_fields.count(b"from") == 0
            || header.named("From").count() != 1
        {
            return None;
        }
        let [results, ..] = first.places;
        let remote_ip = dmarc_pass(&header.fields().nth(results)?, author_domain)?;
        Some(Override {
            first_sealer: first.seal.signature.domain.clone(),
            last_sealer: last.seal.signature.domain.clone(),
            comment: comment(outcome, remote_ip.as_deref()),
        })
    }
}

/// Whether an ARC-Authentication-Results field says that DMARC passed for a domain; if so, the
/// address that it says the message came from, if it does.
fn dmarc_pass(field: &Field<'_>, author_domain: &Name) -> Option<Option<String>> {
    let span = ArcAuthenticationResults::parse(field.value()).ok()?.payload_span;
    // Real fields have words of their own, such as "action=none".
    let results = AuthenticationResults::parse_lenient(field.value().get(span)?).field.results;
    let property = |method: &Method, ptype: &Ptype, name: &str| {
        let result = results.iter().find(|result| result.method == *method)?;
        let property = result
            .properties
            .iter()
            .find(|property| property.ptype == *ptype && property.property.as_str() == name)?;
        Some((result.result.clone(), property.value.clone()))
    };
    let (result, from) = property(&Method::Dmarc, &Ptype::Header, "from")?;
    let passes = result == ResultCode::Pass && from.parse().ok().as_ref() == Some(author_domain);
    passes.then(|| property(&Method::Arc, &Ptype::Smtp, "remote-ip").map(|(_, ip)| ip))
}

/// RFC 8617 7.2.2: "arc=pass as[2].d=d2.example as[2].s=s2 as[1].d=d1.example as[1].s=s3
/// remote-ip[1]=2001:DB8::1A".
fn comment(outcome: &Outcome, remote_ip: Option<&str>) -> String {
    let mut comment = format!("arc={}", outcome.result());
    for set in outcome.sets.iter().rev() {
        let (instance, signature) = (set.instance(), &set.seal.signature);
        comment.push_str(&format!(
            " as[{instance}].d={} as[{instance}].s={}",
            signature.domain, signature.selector
        ));
    }
    if let Some(ip) = remote_ip.and_then(|ip| ip.parse::<std::net::IpAddr>().ok()) {
        comment.push_str(&format!(" remote-ip[1]={ip}"));
    }
    comment
}
