//! A key record is read or refused, and a refusal says where.
#![no_main]

use mailproof_dkim::KeyRecord;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| if let Err(error) = KeyRecord::parse(octets) {
    assert!(octets.get(error.span).is_some());
});
