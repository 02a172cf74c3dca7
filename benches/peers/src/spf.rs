//! The answers of a zone for the peers that check SPF.

use async_trait::async_trait;
use mail_auth::{
    DnssecStatus, RecordSet,
    dns::cache::{DnsCache, ResolverCache},
    dns::{Mx, Negative, TxtRecord, TxtRecordParser},
    spf::SpfRecord,
};
use mailproof_dns::{Answers, Data, Question, Response};
use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Instant,
};
use viaspf::lookup::{Lookup, LookupError, LookupResult, Name};

/// A cache of mail-auth that is full and stays so.
pub struct Full<K, V>(HashMap<K, V>);

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Full<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

/// A cache of mail-auth that parses the record each time it is asked for it.
pub struct Parsing(HashMap<Box<str>, Vec<u8>>);

impl ResolverCache<Box<str>, TxtRecord> for Parsing {
    fn get<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).map(|octets| parsed(octets))
    }

    fn remove<Q>(&self, _: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: TxtRecord, _: Instant) {}
}

fn parsed(octets: &[u8]) -> TxtRecord {
    TxtRecord::Spf(Arc::new(SpfRecord::parse(octets).expect("an SPF record")))
}

type Answer<T> = Result<RecordSet<T>, Negative>;

/// The DNS of mail-auth, with the text records in `T`.
pub struct MailAuth<T> {
    txt: T,
    mx: Full<Box<str>, Answer<Mx>>,
    ipv4: Full<Box<str>, Answer<Ipv4Addr>>,
    ipv6: Full<Box<str>, Answer<Ipv6Addr>>,
    ptr: Full<IpAddr, Answer<Box<str>>>,
}

impl<T: ResolverCache<Box<str>, TxtRecord>> DnsCache for MailAuth<T> {
    type Txt = T;
    type Mx = Full<Box<str>, Answer<Mx>>;
    type Ipv4 = Full<Box<str>, Answer<Ipv4Addr>>;
    type Ipv6 = Full<Box<str>, Answer<Ipv6Addr>>;
    type Ptr = Full<IpAddr, Answer<Box<str>>>;

    fn txt(&self) -> Option<&T> {
        Some(&self.txt)
    }

    fn mx(&self) -> Option<&Self::Mx> {
        Some(&self.mx)
    }

    fn ipv4(&self) -> Option<&Self::Ipv4> {
        Some(&self.ipv4)
    }

    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.ipv6)
    }

    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&self.ptr)
    }
}

impl MailAuth<Full<Box<str>, TxtRecord>> {
    /// The records parsed before.
    #[must_use]
    pub fn kept(answers: &Answers) -> Self {
        with(answers, Full(texts(answers).map(|(name, octets)| (name, parsed(octets))).collect()))
    }
}

impl MailAuth<Parsing> {
    /// The records parsed every time.
    #[must_use]
    pub fn parsing(answers: &Answers) -> Self {
        let texts = texts(answers).map(|(name, octets)| (name, octets.to_vec()));
        with(answers, Parsing(texts.collect()))
    }
}

fn with<T>(answers: &Answers, txt: T) -> MailAuth<T> {
    MailAuth {
        txt,
        mx: Full(
            all(answers, |data| match data {
                Data::Mx(mx) => Some(Mx {
                    exchanges: [format!("{}.", mx.exchange).into()].into(),
                    preference: mx.preference,
                }),
                _ => None,
            })
            .collect(),
        ),
        ipv4: Full(all(answers, address).collect()),
        ipv6: Full(HashMap::new()),
        ptr: Full(HashMap::new()),
    }
}

fn address(data: &Data) -> Option<Ipv4Addr> {
    match data {
        Data::A(address) => Some(*address),
        _ => None,
    }
}

fn all<T>(
    answers: &Answers,
    read: impl Fn(&Data) -> Option<T>,
) -> impl Iterator<Item = (Box<str>, Answer<T>)> {
    lists(answers, read).map(|(name, records)| {
        let dnssec_status = DnssecStatus::Indeterminate;
        (name.into(), Ok(RecordSet { records: records.into(), dnssec_status }))
    })
}

fn lists<T>(
    answers: &Answers,
    read: impl Fn(&Data) -> Option<T>,
) -> impl Iterator<Item = (String, Vec<T>)> {
    answers.iter().filter_map(move |(Question { name, .. }, response): (_, &Response)| {
        let records: Vec<T> = response.data().iter().filter_map(&read).collect();
        (!records.is_empty()).then(|| (format!("{name}."), records))
    })
}

fn texts(answers: &Answers) -> impl Iterator<Item = (Box<str>, &[u8])> {
    answers.iter().flat_map(|(question, response)| {
        let name: Box<str> = format!("{}.", question.name).into();
        response.texts().map(move |txt| (name.clone(), txt.joined()))
    })
}

/// The DNS of viaspf.
pub struct ViaSpf {
    txt: HashMap<String, Vec<String>>,
    mx: HashMap<String, Vec<Name>>,
    a: HashMap<String, Vec<Ipv4Addr>>,
}

impl ViaSpf {
    /// The answers as viaspf asks for them.
    #[must_use]
    pub fn new(answers: &Answers) -> Self {
        let text = |data: &Data| match data {
            Data::Txt(txt) => Some(String::from_utf8_lossy(txt.joined()).into_owned()),
            _ => None,
        };
        let exchange = |data: &Data| match data {
            Data::Mx(mx) => Some(Name::new(&mx.exchange.to_string()).expect("a name")),
            _ => None,
        };
        Self {
            txt: lists(answers, text).collect(),
            mx: lists(answers, exchange).collect(),
            a: lists(answers, address).collect(),
        }
    }
}

fn found<T: Clone>(map: &HashMap<String, Vec<T>>, name: &Name) -> LookupResult<Vec<T>> {
    map.get(name.as_str()).cloned().ok_or(LookupError::NoRecords)
}

#[async_trait]
impl Lookup for ViaSpf {
    async fn lookup_a<'l, 'a>(&'l self, name: &'a Name) -> LookupResult<Vec<Ipv4Addr>> {
        found(&self.a, name)
    }

    async fn lookup_aaaa<'l, 'a>(&'l self, _: &'a Name) -> LookupResult<Vec<Ipv6Addr>> {
        Err(LookupError::NoRecords)
    }

    async fn lookup_mx<'l, 'a>(&'l self, name: &'a Name) -> LookupResult<Vec<Name>> {
        found(&self.mx, name)
    }

    async fn lookup_txt<'l, 'a>(&'l self, name: &'a Name) -> LookupResult<Vec<String>> {
        found(&self.txt, name)
    }

    async fn lookup_ptr<'l>(&'l self, _: IpAddr) -> LookupResult<Vec<Name>> {
        Err(LookupError::NoRecords)
    }
}
