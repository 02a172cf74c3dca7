//! Zone files before they are published: what they answer for, and what lies outside.

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
    apexes: Vec<Name>,
    /// The domains that the files are about.
    domains: Vec<Name>,
    /// The names below a top that are delegated to other name servers.
    cuts: Vec<Name>,
    /// What is wrong with lines of the files.
    defects: Vec<Defect>,
    /// Selectors, their domains, and which record it is.
    keys: Vec<(Name, Name, usize)>,
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
        let mut apexes: Vec<Name> = Vec::new();
        let mut domains: Vec<Name> = Vec::new();
        let mut files: Vec<&str> =
            zone.records().iter().map(|record| &*record.place.file).collect();
        files.dedup();
        for file in files {
            let records = || zone.records().iter().filter(|record| &*record.place.file == file);
            let soa = records().filter(|record| record.data.rtype() == RecordType::Soa);
            let soa: Vec<Name> = soa.map(|record| record.name.clone()).collect();
            let is_outside =
                |record: &&Record| !soa.iter().any(|top| record.name.is_at_or_below(top));
            let others = tops(records().filter(is_outside));
            domains.extend(if soa.is_empty() { others.iter() } else { soa.iter() }.cloned());
            apexes.extend(soa.iter().cloned());
            apexes.extend(others);
        }
        let delegation =
            |record: &&Record| matches!(record.data, Data::Ns(_)) && !apexes.contains(&record.name);
        let mut cuts: Vec<Name> =
            zone.records().iter().filter(delegation).map(|record| record.name.clone()).collect();
        cuts.dedup();
        let keys = zone.records().iter().enumerate().filter_map(|(index, record)| {
            let is_key = matches!(record.data, Data::Txt(_) | Data::Cname(_));
            let (selector, domain) = key_of(&record.name).filter(|_| is_key)?;
            Some((selector, domain, index))
        });
        let keys = keys.collect();
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
        for (selector, of, record) in &self.keys {
            let is_revoked = self.zone.records().get(*record).is_some_and(|record| {
                texts(record).is_some_and(|text| {
                    KeyRecord::parse(text).is_ok_and(|key| key.public_key.is_none())
                })
            });
            if of == domain && !is_revoked && !selectors.contains(selector) {
                selectors.push(selector.clone());
            }
        }
        selectors
    }

    /// The records of SPF, DKIM and DMARC that are about other names than the domains of the
    /// files: of subdomains, hosts, and what is included.
    pub(crate) fn beside(&self) -> impl Iterator<Item = (Kind, &Name, &[u8])> {
        let records = self.zone.records().iter().filter_map(|record| {
            let text = texts(record)?;
            let owner = &record.name;
            let first = owner.labels().next().unwrap_or_default();
            let (kind, about) = match key_of(owner) {
                Some((_, domain)) => (Kind::Dkim, domain),
                None if first.eq_ignore_ascii_case(b"_dmarc") => (Kind::Dmarc, owner.parent()?),
                None => (Kind::Spf, owner.clone()),
            };
            let start = text.get(..7).unwrap_or_default();
            let is_meant = match kind {
                Kind::Spf => is_spf_record(text),
                Kind::Dmarc => start.eq_ignore_ascii_case(b"v=dmarc"),
                _ => true,
            };
            (is_meant && !self.domains.contains(&about)).then_some((kind, owner, text))
        });
        records.filter(|(_, owner, _)| self.answers_for(owner))
    }

    pub(crate) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether the files answer for the name.
    fn answers_for(&self, name: &Name) -> bool {
        let below = |top: &&Name| name.is_at_or_below(top);
        let apex = self.apexes.iter().filter(below).map(Name::label_count).max();
        let cut = self.cuts.iter().filter(below).map(Name::label_count).max();
        apex > cut
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

/// The owners that are below no other owner: a part of a zone answers for them.
fn tops<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<Name> {
    let mut owners: Vec<Name> = records.map(|record| record.name.clone()).collect();
    owners.sort_by_key(Name::label_count);
    let mut tops: Vec<Name> = Vec::new();
    for owner in owners {
        // A wildcard stands for the names beside it.
        let is_wildcard = owner.labels().next() == Some(b"*");
        let owner = if is_wildcard { owner.parent().unwrap_or(owner) } else { owner };
        if !tops.iter().any(|top| owner.is_at_or_below(top)) {
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
