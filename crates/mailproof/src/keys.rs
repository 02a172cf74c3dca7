//! Verifying keys, kept parsed between messages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mailproof_dkim::{KeyCache, KeyError, KeyRecord};

use crate::text_hash::TextHash;

type Parsed = Arc<Result<KeyRecord, KeyError>>;

/// DKIM key records (RFC 6376 3.6.1) parsed before, a bounded number of them.
///
/// A record is found again by its text, so what is kept is never out of date: how long a record may
/// be believed is the business of the resolver.
#[derive(Debug)]
pub struct KeyRecords {
    generations: Mutex<Generations>,
    capacity: usize,
}

/// How many octets the records have, each on average, that are kept. Local choice: those of RSA keys
/// of 4096 bits have 800, and a sender may write 8 kB.
const OCTETS: usize = 1024;

/// What was used lately, and what was used before that and goes next.
#[derive(Debug, Default)]
struct Generations {
    recent: HashMap<Box<[u8]>, Parsed, TextHash>,
    /// The octets of the recent ones.
    octets: usize,
    older: HashMap<Box<[u8]>, Parsed, TextHash>,
}

impl KeyRecords {
    /// Keeps up to `capacity` records; none if it is 0.
    pub fn new(capacity: usize) -> KeyRecords {
        KeyRecords { generations: Mutex::default(), capacity }
    }

    /// How many records are kept now.
    pub fn len(&self) -> usize {
        self.with(|generations| generations.recent.len() + generations.older.len())
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with<T>(&self, work: impl FnOnce(&mut Generations) -> T) -> T {
        // A thread that panicked left the maps whole.
        work(&mut self.generations.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyCache for KeyRecords {
    fn key_record(&self, record: &[u8]) -> Parsed {
        let half = self.capacity / 2;
        if let Some(parsed) = self.with(|generations| generations.take(record, half)) {
            return parsed;
        }
        // Not under the lock: a record of a large key takes a while.
        let parsed: Parsed = Arc::new(KeyRecord::parse(record));
        self.with(|generations| generations.keep(record.into(), &parsed, half));
        parsed
    }
}

impl Generations {
    fn take(&mut self, record: &[u8], half: usize) -> Option<Parsed> {
        if let Some(parsed) = self.recent.get(record) {
            return Some(Arc::clone(parsed));
        }
        let (record, parsed) = self.older.remove_entry(record)?;
        self.keep(record, &parsed, half);
        Some(parsed)
    }

    fn keep(&mut self, record: Box<[u8]>, parsed: &Parsed, half: usize) {
        if half == 0 {
            return;
        }
        if self.recent.len() >= half || self.octets + record.len() > half * OCTETS {
            self.older = std::mem::take(&mut self.recent);
            self.octets = 0;
        }
        self.octets += record.len();
        self.recent.insert(record, Arc::clone(parsed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_records_are_fewer() {
        let keys = KeyRecords::new(8);
        for number in 0..100 {
            let long = [text(number), vec![b' '; 1500]].concat();
            let first = keys.key_record(&long);
            assert!(Arc::ptr_eq(&first, &keys.key_record(&long)));
            let octets = |generations: &mut Generations| {
                let Generations { recent, older, .. } = generations;
                recent.keys().chain(older.keys()).map(|record| record.len()).sum::<usize>()
            };
            assert!(keys.with(octets) <= 8 * OCTETS);
        }
        assert_eq!(keys.len(), 4);
    }

    fn text(number: usize) -> Vec<u8> {
        format!("v=DKIM1; n={number}; p=").into_bytes()
    }

    #[test]
    fn a_record_is_parsed_once() {
        let keys = KeyRecords::new(8);
        let first = keys.key_record(&text(1));
        assert!(Arc::ptr_eq(&first, &keys.key_record(&text(1))));
        assert_eq!(keys.len(), 1);
        let none = KeyRecords::new(0);
        assert!(!Arc::ptr_eq(&none.key_record(&text(1)), &none.key_record(&text(1))));
        assert!(none.is_empty());
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let keys = KeyRecords::new(8);
        let used = keys.key_record(&text(0));
        for number in 1..1000 {
            keys.key_record(&text(number));
            assert!(Arc::ptr_eq(&used, &keys.key_record(&text(0))));
            assert!(keys.len() <= 8);
        }
        let kept = keys.key_record(&text(1));
        assert!(Arc::strong_count(&kept) == 2);
    }
}
