//! What is published for a domain, in the form that the lock file keeps: the SPF tree with all
//! its networks, the keys, the MTA-STS id.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use mailproof_dkim::Sha256;
use mailproof_dns::{Answers, Data, Missing, Name, Question, RecordType, Response};
use mailproof_spf::{DualCidr, Mechanism, is_spf_record};
use mailproof_tag_list::TagList;
use serde::{Deserialize, Serialize};

/// How many SPF records of a tree are followed. Local choice: RFC 7208 4.6.4 allows eleven, and
/// what is wrong with a larger one is told by its findings.
const RECORDS: usize = 64;

/// What is published for one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Published {
    /// Every record of the SPF tree, by its owner.
    pub(crate) spf: BTreeMap<String, String>,
    /// Every network that the tree names, `a` and `mx` resolved.
    pub(crate) networks: BTreeSet<String>,
    /// The SHA-256 of every key (the value of p=), by its selector.
    pub(crate) keys: BTreeMap<String, String>,
    /// The id of the MTA-STS record.
    pub(crate) mta_sts: Option<String>,
    /// The SHA-256 of the MTA-STS policy, where it was had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mta_sts_policy: Option<String>,
}

/// What is published, or `None` where that could not be told for lack of an answer.
pub(crate) fn published(
    domain: &Name,
    selectors: &[Name],
    answers: &Answers,
) -> Result<Option<Published>, Missing> {
    let mut walk = Walk { answers, missing: Missing::new(), failed: false };
    let mut published = Published::default();
    walk.spf(domain, &mut published);
    for selector in selectors {
        let Ok(name) = domain.prepend(&format!("{selector}._domainkey")) else { continue };
        if let Some(key) = walk.text(&name).as_deref().and_then(fingerprint) {
            published.keys.insert(selector.to_string(), key);
        }
    }
    if let Ok(name) = domain.prepend("_mta-sts") {
        let record = walk.text(&name).unwrap_or_default();
        let id = TagList::parse(&record)
            .ok()
            .and_then(|tags| Some(String::from_utf8_lossy(tags.get("id")?.value).into_owned()));
        published.mta_sts = id;
    }
    let Walk { missing, failed, .. } = walk;
    missing.into_result()?;
    Ok((!failed).then_some(published))
}

/// The SHA-256 of the key of a record.
fn fingerprint(record: &[u8]) -> Option<String> {
    let tags = TagList::parse(record).ok()?;
    let key: Vec<u8> =
        tags.get("p")?.value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    Some(digest(&key))
}

/// The SHA-256 in hexadecimal digits.
pub(crate) fn digest(octets: &[u8]) -> String {
    let mut sha256 = Sha256::default();
    sha256.update(octets);
    sha256.finish().iter().map(|octet| format!("{octet:02x}")).collect()
}

struct Walk<'a> {
    answers: &'a Answers,
    missing: Missing,
    failed: bool,
}

impl<'a> Walk<'a> {
    fn data(&mut self, name: &Name, rtype: RecordType) -> &'a [Data] {
        let question = Question::new(name.clone(), rtype);
        match self.missing.lookup(self.answers, &question) {
            Some(Response::Failure(_)) => {
                self.failed = true;
                &[]
            }
            Some(response) => response.data(),
            None => &[],
        }
    }

    /// The first text record of a name.
    fn text(&mut self, name: &Name) -> Option<Vec<u8>> {
        self.data(name, RecordType::Txt).iter().find_map(|data| match data {
            Data::Txt(txt) => Some(txt.joined().to_vec()),
            _ => None,
        })
    }

    fn spf(&mut self, domain: &Name, published: &mut Published) {
        let mut ahead = vec![domain.clone()];
        while let Some(owner) = ahead.pop() {
            let key = owner.to_string();
            if published.spf.contains_key(&key) || published.spf.len() >= RECORDS {
                continue;
            }
            let record = self.data(&owner, RecordType::Txt).iter().find_map(|data| match data {
                Data::Txt(txt) if is_spf_record(txt.joined()) => Some(txt.joined()),
                _ => None,
            });
            let Some(record) = record else { continue };
            published.spf.insert(key, mailproof_cli::escape::visible(record).to_string());
            let Ok(record) = mailproof_spf::parse(record) else { continue };
            for directive in record.directives() {
                self.mechanism(&owner, &directive.mechanism, &mut ahead, published);
            }
            let redirect = record.redirect().and_then(|(spec, _)| spec.literal()?.parse().ok());
            ahead.extend(redirect);
        }
    }

    fn mechanism(
        &mut self,
        owner: &Name,
        mechanism: &Mechanism,
        ahead: &mut Vec<Name>,
        published: &mut Published,
    ) {
        let target = match mechanism.domain_spec() {
            // A name with macros is another for every message.
            Some(spec) => spec.literal().and_then(|text| text.parse::<Name>().ok()),
            None => Some(owner.clone()),
        };
        let networks: Vec<IpNet> = match (mechanism, target) {
            (Mechanism::Ip4(ip4), _) => vec![IpNet::V4(ip4.network.trunc())],
            (Mechanism::Ip6(ip6), _) => vec![IpNet::V6(ip6.network.trunc())],
            (Mechanism::Include(_), Some(target)) => {
                ahead.push(target);
                Vec::new()
            }
            (Mechanism::A(a), Some(target)) => self.networks(&target, a.cidr),
            (Mechanism::Mx(mx), Some(target)) => {
                let exchanges = self.data(&target, RecordType::Mx).iter();
                let exchanges: Vec<Name> = exchanges
                    .filter_map(|data| match data {
                        Data::Mx(mx) => Some(mx.exchange.clone()),
                        _ => None,
                    })
                    .take(10)
                    .collect();
                exchanges.iter().flat_map(|exchange| self.networks(exchange, mx.cidr)).collect()
            }
            _ => Vec::new(),
        };
        published.networks.extend(networks.iter().map(ToString::to_string));
    }

    fn networks(&mut self, name: &Name, cidr: DualCidr) -> Vec<IpNet> {
        let mut networks = Vec::new();
        for rtype in [RecordType::A, RecordType::Aaaa] {
            for data in self.data(name, rtype) {
                let network = match data {
                    Data::A(address) => IpNet::new(IpAddr::V4(*address), cidr.ip4),
                    Data::Aaaa(address) => IpNet::new(IpAddr::V6(*address), cidr.ip6),
                    _ => continue,
                };
                networks.extend(network.map(|network| network.trunc()));
            }
        }
        networks
    }
}

#[cfg(test)]
mod tests {
    use mailproof_dns::Zone;

    use super::*;

    #[test]
    fn the_whole_tree() {
        let zone = Zone::parse(
            "example.com. TXT \"v=spf1 mx include:_a.example.net a:w.example.com/24 ~all\"\n\
             example.com. MX 10 m.example.com.\nm.example.com. A 192.0.2.1\n\
             w.example.com. A 198.51.100.77\n\
             _a.example.net. TXT \"v=spf1 ip6:2001:db8::/32 redirect=_a.example.net\"\n\
             s._domainkey.example.com. TXT \"v=DKIM1; p=YQ = =\"\n\
             _mta-sts.example.com. TXT \"v=STSv1; id=7;\"\n",
        )
        .unwrap();
        let domain: Name = "example.com".parse().unwrap();
        let selectors = ["s".parse().unwrap(), "t".parse().unwrap()];
        let published = zone.resolve(|answers| published(&domain, &selectors, answers)).unwrap();
        assert_eq!(published.spf.keys().collect::<Vec<_>>(), ["_a.example.net", "example.com"]);
        let networks: Vec<&str> = published.networks.iter().map(String::as_str).collect();
        assert_eq!(networks, ["192.0.2.1/32", "198.51.100.0/24", "2001:db8::/32"]);
        assert_eq!((published.keys.len(), published.keys["s"].len()), (1, 64));
        assert_eq!(published.mta_sts.as_deref(), Some("7"));
    }

    #[test]
    fn what_could_not_be_told() {
        let zone = Zone::parse("example.com. TXT SERVFAIL\n").unwrap();
        let domain: Name = "example.com".parse().unwrap();
        assert_eq!(zone.resolve(|answers| published(&domain, &[], answers)), None);
    }
}
