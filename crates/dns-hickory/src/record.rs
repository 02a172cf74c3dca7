//! Between the types of hickory-proto and ours.

use hickory_resolver::lookup::Lookup;
use hickory_resolver::proto::rr::{self, RData};
use hickory_resolver::proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
use mailproof_dns::{
    Data, Failure, Mx, Name, Question, RecordSet, RecordType, Response, Txt, ZoneLimits,
};

/// The name as hickory-proto has it.
pub(crate) fn to_hickory(name: &Name) -> Option<rr::Name> {
    let mut name = rr::Name::from_labels(name.labels()).ok()?;
    // Absolute, so that no search list applies.
    name.set_fqdn(true);
    Some(name)
}

fn from_hickory(name: &rr::Name) -> Option<Name> {
    Name::from_labels(name.iter()).ok()
}

/// The response that an answer with records is; a failure if it does not answer the question.
pub(crate) fn response(question: &Question, asked: &rr::Name, lookup: &Lookup) -> Response {
    records(question, asked, lookup).map_or(Response::Failure(Failure::ServFail), Response::Records)
}

fn records(question: &Question, asked: &rr::Name, lookup: &Lookup) -> Option<RecordSet> {
    let answers = lookup.answers();
    let mut owner = asked;
    let mut set = RecordSet {
        records: Vec::new(),
        ttl: u32::MAX,
        aliases: Vec::new(),
        // An answer put together from several messages is authenticated by none.
        authenticated: lookup.message().metadata.authentic_data && lookup.query().name() == asked,
    };
    if question.rtype != RecordType::Cname {
        while let Some((target, ttl)) = alias(answers, owner) {
            if set.aliases.len() >= ZoneLimits::default().aliases {
                return None;
            }
            set.aliases.push(from_hickory(target)?);
            set.ttl = set.ttl.min(ttl);
            owner = target;
        }
    }
    let rtype = rr::RecordType::from(question.rtype.code());
    for record in answers {
        if record.name == *owner && record.record_type() == rtype {
            set.records.push(data(question.rtype, &record.data)?);
            set.ttl = set.ttl.min(record.ttl);
        }
    }
    (!set.records.is_empty()).then_some(set)
}

fn alias<'a>(answers: &'a [rr::Record], owner: &rr::Name) -> Option<(&'a rr::Name, u32)> {
    answers.iter().find_map(|record| match &record.data {
        RData::CNAME(target) if record.name == *owner => Some((&target.0, record.ttl)),
        _ => None,
    })
}

fn data(rtype: RecordType, data: &RData) -> Option<Data> {
    Some(match data {
        RData::A(address) => Data::A(address.0),
        RData::AAAA(address) => Data::Aaaa(address.0),
        RData::CNAME(name) => Data::Cname(from_hickory(&name.0)?),
        RData::NS(name) => Data::Ns(from_hickory(&name.0)?),
        RData::PTR(name) => Data::Ptr(from_hickory(&name.0)?),
        RData::MX(mx) => {
            Data::Mx(Mx { preference: mx.preference, exchange: from_hickory(&mx.exchange)? })
        }
        RData::TXT(txt) => Data::Txt(Txt::from_strings(&txt.txt_data)),
        other => {
            let mut octets = Vec::new();
            let mut encoder = BinEncoder::new(&mut octets);
            encoder.set_name_encoding(NameEncoding::Uncompressed);
            other.emit(&mut encoder).ok()?;
            Data::Other(rtype, octets)
        }
    })
}
