//! DNS messages (RFC 1035 4.1) as far as [`crate::server`] needs them; names are not compressed.

use mailproof_dns::{Data, Failure, Name, Question, RecordType, Response, Zone};

use crate::server::Behaviour;

const HEADER: usize = 12;
/// RFC 1035 2.3.4.
const UDP_PAYLOAD: usize = 512;

const NO_ERROR: u8 = 0;
const SERVER_FAILURE: u8 = 2;
const NAME_ERROR: u8 = 3;

/// A query that came.
pub(crate) struct Query {
    id: [u8; 2],
    recursion_desired: bool,
    /// RFC 6840 5.7: the client wants to know whether the data is authenticated.
    wants_ad: bool,
    /// The question section as it came.
    section: Vec<u8>,
    name: Name,
    /// `None` for a type that no zone has records of.
    pub(crate) question: Option<Question>,
    /// How long a UDP answer may be.
    pub(crate) payload: usize,
}

impl Query {
    /// Reads a query; `None` if it is none with exactly one question.
    pub(crate) fn read(message: &[u8]) -> Option<Query> {
        let (header, mut rest) = message.split_first_chunk::<HEADER>()?;
        let [id_high, id_low, flags, more_flags, 0, 1, ..] = *header else {
            return None;
        };
        let mut labels: Vec<&[u8]> = Vec::new();
        let after_name = loop {
            let (&length, after) = rest.split_first()?;
            if length == 0 {
                break after;
            }
            let (label, after) = after.split_at_checked(usize::from(length))?;
            labels.push(label);
            rest = after;
        };
        let (fields, additional) = after_name.split_first_chunk::<4>()?;
        let [type_high, type_low, ..] = *fields;
        let code = u16::from_be_bytes([type_high, type_low]);
        let rtype = RecordType::ALL.into_iter().find(|rtype| rtype.code() == code);
        let name = Name::from_labels(labels).ok()?;
        let section = message.get(HEADER..message.len() - additional.len())?;
        Some(Query {
            id: [id_high, id_low],
            recursion_desired: flags & 1 != 0,
            wants_ad: more_flags & 0x20 != 0,
            section: section.to_vec(),
            question: rtype.map(|rtype| Question::new(name.clone(), rtype)),
            name,
            payload: payload(additional).unwrap_or(UDP_PAYLOAD).max(UDP_PAYLOAD),
        })
    }

    /// The answer that does not fit.
    pub(crate) fn truncated(&self) -> Vec<u8> {
        let mut message = self.header(NO_ERROR, [0; 2], false);
        if let Some(flags) = message.get_mut(2) {
            *flags |= 2;
        }
        message
    }

    /// The header and the question section, with the numbers of answer and authority records.
    fn header(&self, rcode: u8, counts: [u16; 2], authenticated: bool) -> Vec<u8> {
        let flags = 0x80 | u8::from(self.recursion_desired);
        // RA, and AD where it is asked for.
        let more_flags = 0x80 | if authenticated && self.wants_ad { 0x20 } else { 0 } | rcode;
        let mut message = vec![self.id[0], self.id[1], flags, more_flags, 0, 1];
        message.extend(counts.into_iter().flat_map(u16::to_be_bytes));
        message.extend([0, 0]);
        message.extend_from_slice(&self.section);
        message
    }
}

/// The payload size of an OPT record (RFC 6891 6.1.2), if the query has one.
fn payload(additional: &[u8]) -> Option<usize> {
    let [0, 0, 41, high, low, ..] = *additional else {
        return None;
    };
    Some(usize::from(u16::from_be_bytes([high, low])))
}

/// The answer to a query; `None` if there is to be none.
pub(crate) fn answer(query: &Query, zone: &Zone, behaviour: &Behaviour) -> Option<Vec<u8>> {
    let failed = |rcode| Some(query.header(rcode, [0; 2], false));
    if let Some(rcode) = behaviour.rcode {
        return failed(rcode);
    }
    let rtype = query.question.as_ref().map(|question| question.rtype);
    let aliases = match rtype {
        Some(RecordType::Cname) => Vec::new(),
        _ => aliases(zone, &query.name, behaviour.follow_aliases),
    };
    let mut records: Vec<Vec<u8>> = Vec::new();
    let mut owner = &query.name;
    for (target, ttl) in &aliases {
        records.push(record(owner, *ttl, &Data::Cname(target.clone())));
        owner = target;
    }
    let is_partial = !behaviour.follow_aliases && !aliases.is_empty();
    let response = match &query.question {
        Some(question) if !is_partial => zone.lookup(question),
        _ => Response::NoData,
    };
    let rcode = match response {
        Response::Records(set) => {
            records.extend(set.records.iter().map(|data| record(owner, set.ttl, data)));
            let counts = [u16::try_from(records.len()).ok()?, 0];
            let header = query.header(NO_ERROR, counts, behaviour.authenticated);
            return Some([header, records.concat()].concat());
        }
        Response::NoData => NO_ERROR,
        Response::NxDomain => NAME_ERROR,
        Response::Failure(Failure::Timeout) => return None,
        Response::Failure(_) => return failed(SERVER_FAILURE),
    };
    let answers = u16::try_from(records.len()).ok()?;
    let has_soa = behaviour.soa && !is_partial;
    if has_soa {
        records.push(soa());
    }
    let header = query.header(rcode, [answers, u16::from(has_soa)], behaviour.authenticated);
    Some([header, records.concat()].concat())
}

/// The targets of the aliases at `name` with their TTLs, as far as a resolver would go.
fn aliases(zone: &Zone, name: &Name, follow: bool) -> Vec<(Name, u32)> {
    let mut aliases: Vec<(Name, u32)> = Vec::new();
    let most = if follow { 16 } else { 1 };
    while aliases.len() < most {
        let owner = aliases.last().map_or(name, |(target, _)| target);
        let question = Question::new(owner.clone(), RecordType::Cname);
        let Response::Records(set) = zone.lookup(&question) else {
            break;
        };
        let Some(Data::Cname(target)) = set.records.first() else {
            break;
        };
        aliases.push((target.clone(), set.ttl));
    }
    aliases
}

/// An SOA record of the root with a minimum of one minute.
fn soa() -> Vec<u8> {
    let names = [0, 0];
    let numbers = [1, 3600, 600, 86400, 60_u32].map(u32::to_be_bytes).concat();
    let data = Data::Other(RecordType::Soa, [&names[..], &numbers].concat());
    record(&Name::root(), 60, &data)
}

fn record(owner: &Name, ttl: u32, data: &Data) -> Vec<u8> {
    let octets = match data {
        Data::A(address) => address.octets().to_vec(),
        Data::Aaaa(address) => address.octets().to_vec(),
        Data::Cname(target) | Data::Ns(target) | Data::Ptr(target) => name(target),
        Data::Mx(mx) => [&mx.preference.to_be_bytes()[..], &name(&mx.exchange)].concat(),
        Data::Txt(txt) => txt.to_wire(),
        Data::Other(_, octets) => octets.clone(),
        // A kind of data added later has no octets until it is added here.
        _ => Vec::new(),
    };
    let mut record = name(owner);
    record.extend(data.rtype().code().to_be_bytes());
    record.extend([0, 1]);
    record.extend(ttl.to_be_bytes());
    record.extend(u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend(octets);
    record
}

fn name(name: &Name) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in name.labels() {
        octets.extend(u8::try_from(label.len()));
        octets.extend_from_slice(label);
    }
    octets.push(0);
    octets
}
