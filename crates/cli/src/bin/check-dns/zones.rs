//! Zone files before they are published: what they answer for, and what lies outside.

use std::collections::{HashMap, HashSet};
use std::iter::successors;
use std::path::Path;

use mailproof_cli::exit::Trouble;
use mailproof_dkim::KeyRecord;
use mailproof_dns::{Data, Failure, Name, Question, Record, RecordSet, RecordType, Response, Zone};

use mailproof_records::Kind;
use mailproof_spf::is_spf_record;

use crate::zone_file::{self, Defect};

/// How many aliases (CNAME) are followed out of a zone, as resolvers do.
const ALIASES: usize = 16;

/// The zone files, and the names that they answer for.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    zone: Zone,
    /// The tops of the zones, and of what stands in the files beside them.
    apexes: HashSet<Name>,
    /// The domains that the files are about.
    domains: Vec<Name>,
    /// The names below a top that are delegated to other name servers.
    cuts: HashSet<Name>,
    /// What is wrong with lines of the files.
    defects: Vec<Defect>,
    /// The selectors of each domain, and which record it is.
    keys: HashMap<Name, Vec<(Name, usize)>>,
}

/// What the zone files say to a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// This.
    Response(Response),
    /// Ask the DNS for the question; the aliases lead to it.
    Elsewhere(Question, Vec<Name>),
}

impl Zones {
    /// Reads the files; each argument is `[ORIGIN=]FILE`.
    pub(crate) fn read(
        arguments: &[impl AsRef<Path>],
        origin: Option<&Name>,
    ) -> Result<Zones, Trouble> {
        let mut zone = Zone::new();
        let mut defects = Vec::new();
        for argument in arguments {
            defects.extend(zone_file::read(&mut zone, argument.as_ref(), origin)?);
        }
        Ok(Zones { defects, ..Zones::new(zone) })
    }

    pub(crate) fn new(zone: Zone) -> Zones {
        let mut apexes = HashSet::new();
        let mut domains: Vec<Name> = Vec::new();
        for file in zone.records().chunk_by(|one, next| one.place.file == next.place.file) {
            let soa = file.iter().filter(|record| record.data.rtype() == RecordType::Soa);
            let soa: Vec<Name> = soa.map(|record| record.name.clone()).collect();
            apexes.extend(soa.iter().cloned());
            let is_outside = |record: &&Record| !is_below(&record.name, &apexes);
            let others = tops(file.iter().filter(is_outside));
            domains.extend(if soa.is_empty() { others.iter() } else { soa.iter() }.cloned());
            apexes.extend(others);
        }
        let delegations = zone
            .records()
            .iter()
            .filter(|record| matches!(record.data, Data::Ns(_)) && !apexes.contains(&record.name));
        let cuts = delegations.map(|record| record.name.clone()).collect();
        let mut keys: HashMap<Name, Vec<(Name, usize)>> = HashMap::new();
        for (index, record) in zone.records().iter().enumerate() {
            let is_key = matches!(record.data, Data::Txt(_) | Data::Cname(_));
            if let Some((selector, domain)) = key_of(&record.name).filter(|_| is_key) {
                keys.entry(domain).or_default().push((selector, index));
            }
        }
        Zones { zone, apexes, domains, cuts, defects: Vec::new(), keys }
    }

    /// The domains that the files are about, in their order: the owners of SOA records, or of a
    /// file without any, the names that are below no other.
    pub(crate) fn domains(&self) -> &[Name] {
        &self.domains
    }

    /// What is wrong with lines of the files, and has a rule.
    pub(crate) fn defects(&self) -> &[Defect] {
        &self.defects
    }

    /// The selectors for which the files have a key, or an alias that leads to one. A key that is
    /// revoked is in use no longer.
    pub(crate) fn selectors(&self, domain: &Name) -> Vec<Name> {
        let mut selectors = Vec::new();
        for (selector, record) in self.keys.get(domain).into_iter().flatten() {
            let text = self.zone.records().get(*record).and_then(texts);
            let key = text.and_then(|text| KeyRecord::parse(text).ok());
            let is_revoked = key.is_some_and(|key| key.public_key.is_none());
            if !is_revoked && !selectors.contains(selector) {
                selectors.push(selector.clone());
            }
        }
        selectors
    }

    /// The records of SPF, DKIM and DMARC that are about other names than the domains of the
    /// files: of subdomains, hosts, and what is included.
    pub(crate) fn beside(&self) -> impl Iterator<Item = (Kind, &Name, &[u8])> {
        let domains: HashSet<&Name> = self.domains.iter().collect();
        let records = self.zone.records().iter().filter_map(move |record| {
            let text = texts(record)?;
            let owner = &record.name;
            let first = owner.labels().next().unwrap_or_default();
            let (kind, about) = match key_of(owner) {
                Some((_, domain)) => (Kind::Dkim, domain),
                None if first.eq_ignore_ascii_case(b"_dmarc") => (Kind::Dmarc, owner.parent()?),
                None if first.eq_ignore_ascii_case(b"_domainkey") => (Kind::Dkim, owner.clone()),
                None => (Kind::Spf, owner.clone()),
            };
            let start = text.get(..7).unwrap_or_default();
            let is_meant = match kind {
                Kind::Spf => is_spf_record(text),
                Kind::Dmarc => start.eq_ignore_ascii_case(b"v=dmarc"),
                // DomainKeys had its policy there.
                _ if about == *owner => start.eq_ignore_ascii_case(b"v=dkim1"),
                _ => true,
            };
            (is_meant && !domains.contains(&about)).then_some((kind, owner, text))
        });
        records.filter(|(_, owner, _)| self.answers_for(owner))
    }

    /// The top of the zone that the name is in.
    pub(crate) fn top(&self, name: &Name) -> Option<Name> {
        above(name).find(|name| self.apexes.contains(name))
    }

    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether the files answer for the name: the nearest that is above it is a top.
    fn answers_for(&self, name: &Name) -> bool {
        let is_either = |name: &Name| self.apexes.contains(name) || self.cuts.contains(name);
        above(name).find(is_either).is_some_and(|nearest| self.apexes.contains(&nearest))
    }

    /// What the files say.
    pub(crate) fn lookup(&self, question: &Question) -> Said {
        let mut aliases = Vec::new();
        let mut name = question.name.clone();
        loop {
            if !self.answers_for(&name) {
                return Said::Elsewhere(Question::new(name, question.rtype), aliases);
            }
            let response = self.zone.lookup(&Question::new(name.clone(), question.rtype));
            if response != Response::NxDomain {
                return Said::Response(with_aliases(response, aliases));
            }
            // An alias whose target no file knows: it may lead out of the zones.
            let alias = self.zone.lookup(&Question::new(name, RecordType::Cname));
            match alias.data() {
                [Data::Cname(target)] if aliases.len() < ALIASES => {
                    aliases.push(target.clone());
                    name = target.clone();
                }
                [Data::Cname(_)] => return Said::Response(Response::Failure(Failure::ServFail)),
                _ => return Said::Response(response),
            }
        }
    }
}

/// The response with the aliases that led to the question before its own.
pub(crate) fn with_aliases(response: Response, mut aliases: Vec<Name>) -> Response {
    match response {
        Response::Records(set) if !aliases.is_empty() => {
            aliases.extend(set.aliases);
            Response::Records(RecordSet { aliases, ..set })
        }
        response => response,
    }
}

fn texts(record: &Record) -> Option<&[u8]> {
    match &record.data {
        Data::Txt(txt) => Some(txt.joined()),
        _ => None,
    }
}

/// The selector and the domain of a name of RFC 6376 3.6.2.1; `_adsp` is none, nor a wildcard.
fn key_of(name: &Name) -> Option<(Name, Name)> {
    let mut labels = Vec::new();
    let mut at = name.clone();
    loop {
        let label = at.labels().next()?.to_vec();
        at = at.parent()?;
        if label.eq_ignore_ascii_case(b"_domainkey") {
            break;
        }
        if label.starts_with(b"_") || label == b"*" {
            return None;
        }
        labels.push(label);
    }
    let selector = Name::from_labels(labels).ok().filter(|selector| *selector != Name::root())?;
    Some((selector, at))
}

/// The name and all names above it.
fn above(name: &Name) -> impl Iterator<Item = Name> {
    successors(Some(name.clone()), Name::parent)
}

/// Whether the name is one of these, or below one.
fn is_below(name: &Name, tops: &HashSet<Name>) -> bool {
    above(name).any(|name| tops.contains(&name))
}

/// The owners that are below no other owner, in the order of their lengths: a part of a zone
/// answers for them.
fn tops<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<Name> {
    let mut owners: Vec<Name> = records.map(|record| record.name.clone()).collect();
    owners.sort_by_key(Name::label_count);
    let (mut tops, mut known) = (Vec::new(), HashSet::new());
    for owner in owners {
        // A wildcard stands for the names beside it.
        let is_wildcard = owner.labels().next() == Some(b"*");
        let owner = if is_wildcard { owner.parent().unwrap_or(owner) } else { owner };
        if !is_below(&owner, &known) {
            known.insert(owner.clone());
            tops.push(owner);
        }
    }
    tops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn zones(text: &str) -> Zones {
        Zones::new(Zone::parse(text).unwrap())
    }

    const ZONE: &str = "example.com. SOA ns hostmaster 1 2 3 4 5\nexample.com. TXT \"v=spf1 -all\"\n\
        sub.example.com. NS ns.example.net.\nkey.example.com. CNAME key.provider.example.\n\
        inner.example.com. CNAME gone.example.com.\n";

    #[test]
    fn the_zone_answers_for_what_is_below_its_soa() {
        let zones = zones(&format!("{ZONE}1.2.0.192.in-addr.arpa. PTR example.com.\n"));
        assert!(zones.answers_for(&name("1.2.0.192.in-addr.arpa")));
        assert_eq!(zones.domains(), [name("example.com")]);
        for (text, answers) in [
            ("example.com", true),
            ("gone.example.com", true),
            ("sub.example.com", false),
            ("a.sub.example.com", false),
            ("com", false),
            ("example.net", false),
        ] {
            assert_eq!(zones.answers_for(&name(text)), answers, "{text}");
        }
        assert_eq!(
            zones.lookup(&Question::txt(name("gone.example.com"))),
            Said::Response(Response::NxDomain)
        );
    }

    #[test]
    fn an_alias_may_lead_out_of_the_zone() {
        let zones = zones(ZONE);
        let target = name("key.provider.example");
        assert_eq!(
            zones.lookup(&Question::txt(name("key.example.com"))),
            Said::Elsewhere(Question::txt(target.clone()), vec![target.clone()])
        );
        assert_eq!(
            zones.lookup(&Question::txt(name("inner.example.com"))),
            Said::Response(Response::NxDomain)
        );
        let response = with_aliases(Response::records([Data::txt("x")]), vec![target.clone()]);
        assert!(matches!(response, Response::Records(set) if set.aliases == [target]));
    }

    #[test]
    fn a_part_of_a_zone_answers_for_its_owners() {
        let zones = zones(
            "a.example.com. TXT x\nb.a.example.com. TXT y\n*.w.example. TXT z\n\
             1.2.0.192.in-addr.arpa. PTR a.example.com.\n",
        );
        let tops = ["a.example.com", "w.example", "1.2.0.192.in-addr.arpa"].map(name);
        assert_eq!(zones.apexes.len(), tops.len());
        assert!(tops.iter().all(|top| zones.apexes.contains(top)));
        assert!(!zones.answers_for(&name("example.com")));
    }

    #[test]
    fn keys_and_records_beside_the_domain() {
        let zones = zones(&format!(
            "{ZONE}a.b._domainkey.example.com. TXT \"v=DKIM1; p=MII\"\n\
             old._domainkey.example.com. TXT \"v=DKIM1; p=\"\n\
             far._domainkey.example.com. CNAME far.provider.example.\n\
             _adsp._domainkey.example.com. TXT \"dkim=all\"\n\
             *._domainkey.example.com. TXT \"v=DKIM1; p=\"\n\
             s._domainkey.news.example.com. TXT \"v=DKIM1; p=MII\"\n\
             _dmarc.news.example.com. TXT \"v=DMARC1; p=rejct\"\n\
             _spf.example.com. TXT \"v=spf1 +all\"\nwww.example.com. TXT \"hello\"\n\
             a.sub.example.com. TXT \"v=spf1 +all\"\n"
        ));
        assert_eq!(zones.selectors(&name("example.com")), [name("a.b"), name("far")]);
        assert_eq!(zones.selectors(&name("news.example.com")), [name("s")]);
        let beside: Vec<String> =
            zones.beside().map(|(kind, owner, _)| format!("{kind:?} {owner}")).collect();
        let expected = [
            "Dkim s._domainkey.news.example.com",
            "Dmarc _dmarc.news.example.com",
            "Spf _spf.example.com",
        ];
        assert_eq!(beside, expected);
    }

    #[test]
    fn a_loop_of_aliases_ends() {
        let zones = zones("a.example. CNAME b.example.\nb.example. CNAME a.example.\n");
        let said = zones.lookup(&Question::txt(name("a.example")));
        assert_eq!(said, Said::Response(Response::Failure(Failure::ServFail)));
    }
}
