//! What the peers need around them: caches that know one key.

pub mod spf;

use mail_auth::{
    dkim::DomainKey,
    dns::cache::{DnsCache, NoCache, ResolverCache},
    dns::{TxtRecord, TxtRecordParser},
};
use std::{borrow::Borrow, hash::Hash, io, sync::Arc, time::Instant};

/// The DNS of mail-auth with one key, parsed before.
pub struct OneKey {
    name: Box<str>,
    record: TxtRecord,
}

impl OneKey {
    /// `name` is absolute, with the final dot.
    #[must_use]
    pub fn new(name: &str, record: &str) -> Self {
        let key = DomainKey::parse(record.as_bytes()).expect("the record is a key record");
        Self { name: name.into(), record: TxtRecord::DomainKey(Arc::new(key)) }
    }
}

impl ResolverCache<Box<str>, TxtRecord> for OneKey {
    fn get<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        (self.name.borrow() == name).then(|| self.record.clone())
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

impl DnsCache for OneKey {
    type Txt = Self;
    type Mx = NoCache;
    type Ipv4 = NoCache;
    type Ipv6 = NoCache;
    type Ptr = NoCache;

    fn txt(&self) -> Option<&Self> {
        Some(self)
    }

    fn mx(&self) -> Option<&NoCache> {
        None
    }

    fn ipv4(&self) -> Option<&NoCache> {
        None
    }

    fn ipv6(&self) -> Option<&NoCache> {
        None
    }

    fn ptr(&self) -> Option<&NoCache> {
        None
    }
}

/// The DNS of viadkim, with one key record for every name.
#[derive(Clone)]
pub struct OneRecord(pub Arc<str>);

impl viadkim::verifier::LookupTxt for OneRecord {
    type Answer = Vec<io::Result<Vec<u8>>>;
    type Query<'a> = std::future::Ready<io::Result<Self::Answer>>;

    fn lookup_txt(&self, _: &str) -> Self::Query<'_> {
        std::future::ready(Ok(vec![Ok(self.0.as_bytes().to_vec())]))
    }
}
