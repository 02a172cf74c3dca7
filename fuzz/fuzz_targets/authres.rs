//! What is read is printed and read again, and what is removed leaves nothing to remove.
#![no_main]

use mailproof_authres::{AuthenticationResults, AuthservId, Charset, Removal, removal, removals};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let reading = AuthenticationResults::parse_lenient(octets);
    match AuthenticationResults::parse(octets) {
        Ok(field) => {
            assert_eq!((&field, reading.defects.as_slice()), (&reading.field, [].as_slice()));
            assert_eq!(removal(octets, &[AuthservId::new(&field.authserv_id)]), Removal::Ours);
            for charset in [Charset::Ascii, Charset::Utf8] {
                let printed = field.fold(0, charset);
                let again = AuthenticationResults::parse(printed.as_bytes()).unwrap();
                assert_eq!(again.fold(0, charset), printed);
                assert_eq!(again.results.len(), field.results.len());
            }
        }
        Err(error) => assert!(octets.get(error.span).is_some() && !reading.defects.is_empty()),
    }
    let ours = [AuthservId::new("example.com"), AuthservId::new("mx.example.org")];
    let mut values: Vec<&[u8]> = octets.split(|octet| *octet == 0).collect();
    for (number, _) in removals(values.iter().copied(), &ours) {
        values.remove(number - 1);
    }
    assert_eq!(removals(values, &ours), []);
});
