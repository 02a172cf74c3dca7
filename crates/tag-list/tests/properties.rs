//! What holds for every list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_tag_list::TagList;
use proptest::prelude::*;

fn parts<'a>(list: &TagList<'a>) -> Vec<(&'a str, &'a [u8])> {
    list.iter().map(|tag| (tag.name, tag.value)).collect()
}

fn check(octets: &[u8]) {
    let list = match TagList::parse(octets) {
        Ok(list) => list,
        Err(error) => {
            assert!(error.span.start <= error.span.end && error.span.end <= octets.len());
            return;
        }
    };
    let mut end = 0;
    for tag in &list {
        assert!(end <= tag.name_span.start);
        assert_eq!(&octets[tag.name_span.clone()], tag.name.as_bytes());
        assert_eq!(&octets[tag.value_span.clone()], tag.value);
        assert!(tag.raw_span.start <= tag.value_span.start);
        assert!(tag.value_span.end <= tag.raw_span.end);
        assert_eq!(octets[tag.raw_span.start - 1], b'=');
        assert!(matches!(octets.get(tag.raw_span.end), None | Some(b';')));
        end = tag.raw_span.end;
    }
    let printed = list.to_string();
    assert_eq!(parts(&TagList::parse(printed.as_bytes()).unwrap()), parts(&list));
}

proptest! {
    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&octets);
    }

    #[test]
    fn octets_of_lists(octets in "([a-c][a-z0-9_]{0,2}|[ \t=;\r\n]|\r\n |=|;|[!-~]{0,9}|ü)*") {
        check(octets.as_bytes());
    }

    #[test]
    fn lists(list in "([a-z][a-z0-9_]{3,5}( |\r\n\t)?= ?[!-:<-~]{0,9}( [a-z]|\r\n [a-z])?;){1,9}") {
        check(list.as_bytes());
    }
}
