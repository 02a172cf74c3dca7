//! The spans of a tag list lie in it and hold what the tags hold.
#![no_main]

use mailproof_tag_list::TagList;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| match TagList::parse(octets) {
    Ok(tags) => {
        for tag in tags.iter() {
            assert_eq!(&octets[tag.name_span.clone()], tag.name.as_bytes());
            assert_eq!(&octets[tag.value_span.clone()], tag.value);
            assert_eq!(tags.get(tag.name).map(|found| found.value), Some(tag.value));
        }
    }
    Err(error) => assert!(octets.get(error.span).is_some()),
});
