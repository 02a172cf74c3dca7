//! The fields of a header section tile it: no octet is lost, none is in two of them.
#![no_main]

use mailproof_message::{author_domain, split};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let (header, body) = split(octets);
    let fields: Vec<u8> = header.fields().flat_map(|field| field.octets().to_vec()).collect();
    assert_eq!(fields, header.octets());
    assert!(octets.starts_with(header.octets()) && octets.ends_with(body));
    let _ = author_domain(&header);
});
