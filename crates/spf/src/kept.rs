//! Parsed records, kept so that a record is parsed once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use mailproof_dns::Name;

use crate::parse::{parse, parse_for};
use crate::record::Record;
use crate::syntax::ParseError;

/// A record as it was parsed.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The domain that publishes it.
    pub(crate) owner: Name,
    /// Its octets, by which it is known again.
    octets: Box<[u8]>,
    pub(crate) parsed: Result<Record, ParseError>,
}

/// A record that is kept for other evaluations, or this one's alone.
#[derive(Debug)]
pub(crate) enum Held {
    Kept(Arc<Kept>),
    Once(Kept),
}

impl Deref for Held {
    type Target = Kept;

    fn deref(&self) -> &Kept {
        match self {
            Held::Kept(kept) => kept,
            Held::Once(kept) => kept,
        }
    }
}

/// The parsed records of the domains seen, known again by their octets: never stale. With a
/// capacity of 0 a record is parsed for one client and forgotten.
#[derive(Debug)]
pub(crate) struct Records {
    kept: HashMap<Name, Arc<Kept>>,
    capacity: usize,
}

impl Records {
    pub(crate) fn new(capacity: usize) -> Records {
        Records { kept: HashMap::new(), capacity }
    }

    pub(crate) fn parse(&mut self, owner: &Name, octets: &[u8], client: IpAddr) -> Held {
        if let Some(kept) = self.kept.get(owner)
            && *kept.octets == *octets
        {
            return Held::Kept(Arc::clone(kept));
        }
        if self.capacity == 0 {
            let parsed = parse_for(octets, client);
            return Held::Once(Kept { owner: owner.clone(), octets: Box::default(), parsed });
        }
        if self.kept.len() >= self.capacity {
            self.kept.clear();
        }
        let kept =
            Arc::new(Kept { owner: owner.clone(), octets: octets.into(), parsed: parse(octets) });
        self.kept.insert(owner.clone(), Arc::clone(&kept));
        Held::Kept(kept)
    }
}
