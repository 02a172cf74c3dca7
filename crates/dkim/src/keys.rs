//! Parsed key records, kept or not.

use std::sync::Arc;

use crate::record::{KeyError, KeyRecord};

/// Keeps key records parsed between messages: parsing an RSA key costs a fifth of using it.
///
/// The text of a record is the key of the cache, so nothing in it can be out of date: how long a
/// record may be believed is the business of the resolver.
pub trait KeyCache {
    /// [`KeyRecord::parse`] of `record`, done now or before.
    fn key_record(&self, record: &[u8]) -> Arc<Result<KeyRecord, KeyError>>;
}

/// Keeps nothing: every record is parsed when it is used.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

impl KeyCache for NoCache {
    fn key_record(&self, record: &[u8]) -> Arc<Result<KeyRecord, KeyError>> {
        Arc::new(KeyRecord::parse(record))
    }
}
