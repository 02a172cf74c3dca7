//! What holds for every field.
#![allow(clippy::unwrap_used, reason = "tests")]

use mailproof_authres::{
    AuthenticationResults, AuthservId, Charset, MethodResult, Removal, removal,
};
use proptest::prelude::*;

/// Any field; its values may hold what no field may.
fn any_field(values: &'static str) -> impl Strategy<Value = AuthenticationResults> {
    let keyword = "[a-zA-Z][a-zA-Z0-9-]{0,8}[a-z]";
    let property = (keyword, keyword, values);
    let properties = prop::collection::vec(property, 0..4);
    let result =
        (keyword, prop::option::of(0..9_u32), keyword, prop::option::of(values), properties);
    let results = prop::collection::vec(result, 0..4);
    ("[!-~]{1,40}", prop::option::of(any::<u32>()), results).prop_map(|(id, version, results)| {
        let results = results.into_iter().map(|(method, method_version, result, reason, rest)| {
            let result = MethodResult::new(method.as_str().into(), result.as_str().into());
            let result = rest.into_iter().fold(result, |result, (ptype, property, value)| {
                result.with(ptype.as_str().into(), &property, value)
            });
            MethodResult { method_version, reason, ..result }
        });
        AuthenticationResults { authserv_id: id, version, results: results.collect() }
    })
}

fn value(field: &str) -> &[u8] {
    field.strip_prefix("Authentication-Results:").unwrap().as_bytes()
}

proptest! {
    #[test]
    fn printed_fields_read_back(field in any_field("[ -~]{0,150}|[a-z.]{0,9}@[a-z.]{1,9}|.{0,20}")) {
        for charset in [Charset::Ascii, Charset::Utf8] {
            let printed = field.to_field(charset);
            let read = AuthenticationResults::parse(value(&printed)).unwrap();
            prop_assert_eq!(read.to_field(charset), printed);
            prop_assert_eq!(read.results.len(), field.results.len());
        }
    }

    #[test]
    fn printable_values_stay(field in any_field("[ -~]{0,99}|[a-z]{1,9}@[a-z]{1,9}|ü{0,9}")) {
        let read = AuthenticationResults::parse(value(&field.to_field(Charset::Utf8))).unwrap();
        prop_assert_eq!(&read, &field);
        prop_assert_eq!(&AuthenticationResults::parse(field.to_string().as_bytes()).unwrap(), &field);
    }

    #[test]
    fn every_line_is_a_line(field in any_field("(?s).{0,900}|\"{900}")) {
        let printed = field.to_field(Charset::Ascii);
        prop_assert!(printed.ends_with("\r\n"));
        for (index, line) in printed.strip_suffix("\r\n").unwrap().split("\r\n").enumerate() {
            prop_assert!(line.len() <= 998 && !line.trim().is_empty());
            prop_assert!(line.bytes().all(|octet| matches!(octet, b' '..=b'~' | b'\t')));
            prop_assert!(index == 0 || line.starts_with([' ', '\t']));
            prop_assert!(line.len() <= 78 || line.split(' ').any(|word| word.len() > 50), "{}", line);
        }
    }

    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&octets);
    }

    #[test]
    fn octets_of_fields(octets in "(example\\.com|spf|=|;|pass|\\.|[()\"\\\\@/ <]|\r\n |\n|none|1|ü|reason)*") {
        check(octets.as_bytes());
    }
}

fn check(octets: &[u8]) {
    let strict = AuthenticationResults::parse(octets);
    let lenient = AuthenticationResults::parse_lenient(octets);
    for defect in &lenient.defects {
        assert!(defect.span.start <= defect.span.end && defect.span.end <= octets.len());
    }
    match &strict {
        Ok(field) => {
            assert_eq!((field, lenient.defects.as_slice()), (&lenient.field, [].as_slice()));
            let ours = AuthservId::new(&field.authserv_id);
            assert_eq!(removal(octets, &[ours]), Removal::Ours);
        }
        Err(error) => {
            assert!(error.span.start <= error.span.end && error.span.end <= octets.len());
            assert!(!lenient.defects.is_empty());
        }
    }
}
