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
    /// The octets of all of them.
    octets: usize,
    capacity: usize,
}

/// How many octets the records have, each on average, that are kept. Local choice: most have less
/// than 200, and a record made for it takes 60 times its octets when it is parsed.
const OCTETS: usize = 256;

impl Records {
    pub(crate) fn new(capacity: usize) -> Records {
        Records { kept: HashMap::new(), octets: 0, capacity }
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
        self.octets += octets.len();
        if self.kept.len() >= self.capacity || self.octets > self.capacity * OCTETS {
            self.kept.clear();
            self.octets = octets.len();
        }
        let kept =
            Arc::new(Kept { owner: owner.clone(), octets: octets.into(), parsed: parse(octets) });
        self.kept.insert(owner.clone(), Arc::clone(&kept));
        Held::Kept(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_records_and_in_octets() {
        let client = IpAddr::from([192, 0, 2, 1]);
        let mut records = Records::new(100);
        let long = format!("v=spf1{} -all", " x=".repeat(1300));
        for text in ["v=spf1 -all", &long] {
            let mut most = 0;
            for number in 0..1000 {
                let owner: Name = format!("d{number}.example").parse().unwrap();
                let held = records.parse(&owner, text.as_bytes(), client);
                assert!(matches!(records.parse(&owner, text.as_bytes(), client), Held::Kept(_)));
                assert!(matches!(held, Held::Kept(_)));
                most = most.max(records.kept.len());
                let octets: usize = records.kept.values().map(|kept| kept.octets.len()).sum();
                assert!(records.kept.len() <= 100 && octets <= 100 * OCTETS, "{octets}");
            }
            assert_eq!(most, if text == long { 100 * OCTETS / long.len() } else { 100 });
        }
    }

    #[test]
    fn a_record_longer_than_all_of_them_is_kept_alone() {
        let mut records = Records::new(1);
        let long = format!("v=spf1{} -all", " x=".repeat(1300));
        let owner: Name = "d.example".parse().unwrap();
        records.parse(&owner, long.as_bytes(), IpAddr::from([192, 0, 2, 1]));
        assert_eq!(records.kept.len(), 1);
    }
}
