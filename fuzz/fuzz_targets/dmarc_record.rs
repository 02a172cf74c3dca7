//! A DMARC record is read, printed and read again as the same policy; what is wrong says where.
#![no_main]

use mailproof_dmarc::Record;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| match Record::parse(octets) {
    Ok(record) => {
        assert!(record.ignored.iter().all(|error| octets.get(error.span.clone()).is_some()));
        for tag in &record.tags {
            assert_eq!(&octets[tag.value_span.clone()], tag.value.as_bytes());
        }
        let printed = record.to_string();
        let again = Record::parse(printed.as_bytes()).unwrap();
        assert_eq!((again.to_string(), again.ignored.len()), (printed, 0));
        assert_eq!(again.policies(), record.policies());
        assert_eq!((again.adkim, again.aspf, again.psd), (record.adkim, record.aspf, record.psd));
        assert_eq!((again.rua.len(), again.ruf.len()), (record.rua.len(), record.ruf.len()));
    }
    Err(error) => assert!(octets.get(error.span).is_some()),
});
