//! Reading master files: RFC 1035 5, RFC 2308 4, RFC 3597 5.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use mailproof_dns::{
    Data, MasterFileErrorKind as Kind, Mx, Name, NameError, Question, RecordType, Txt, Zone,
    ZoneLimits,
};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn zone(text: &str) -> Zone {
    Zone::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The errors as `line:column kind`.
fn errors(text: &str) -> Vec<(String, Kind)> {
    let error = Zone::parse(text).unwrap_err();
    let place = |place: mailproof_dns::Place| format!("{}:{}", place.line, place.column);
    error.errors.into_iter().map(|error| (place(error.place), error.kind)).collect()
}

#[track_caller]
fn one_error(text: &str, place: &str, kind: Kind) {
    assert_eq!(errors(text), [(place.to_owned(), kind)], "{text:?}");
}

/// RFC 1035 5.3, without the $INCLUDE.
const RFC_1035: &str = r"
@   IN  SOA     VENERA      Action\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        NS      VAXA
        MX      10      VENERA
        MX      20      VAXA

A       A       26.3.0.103

VENERA  A       10.1.0.52
        A       128.9.0.32

VAXA    A       10.2.0.27
        A       128.9.0.33
";

#[test]
fn the_example_of_rfc_1035_5_3() {
    let mut zone = Zone::new();
    zone.read("ISI.EDU", RFC_1035.as_bytes(), Some(&name("ISI.EDU"))).unwrap();
    let mx = zone.lookup(&Question::new(name("isi.edu"), RecordType::Mx));
    let exchange = |preference, host| Data::Mx(Mx { preference, exchange: name(host) });
    assert_eq!(mx.data(), [exchange(10, "venera.isi.edu"), exchange(20, "vaxa.isi.edu")]);
    let a = zone.lookup(&Question::new(name("vaxa.isi.edu"), RecordType::A));
    assert_eq!(a.data().len(), 2);
    let Data::Other(RecordType::Soa, soa) = &zone.records()[0].data else { panic!("SOA") };
    let expected = b"\x06venera\x03isi\x03edu\0\x0eaction.domains\x03isi\x03edu\0\0\0\0\x14";
    assert!(soa.starts_with(expected));
    assert_eq!(soa.len(), expected.len() + 16);
    assert_eq!(zone.records()[0].place.line, 2);
    assert_eq!(zone.records().len(), 11);

    let include = format!("{RFC_1035}\n$INCLUDE <SUBSYS>ISI-MAILBOXES.TXT\n");
    one_error(&include, "23:1", Kind::Include);
}

#[test]
fn ttl_and_class_in_any_order_and_their_defaults() {
    let zone = zone(
        "a 60 IN TXT x\nb IN 1h30m TXT x\nc TXT x\n$TTL 1d\nd TXT x\ne 5 TXT x\nf class1 TXT x",
    );
    let ttls: Vec<u32> = zone.records().iter().map(|record| record.ttl).collect();
    assert_eq!(ttls, [60, 5400, 5400, 86400, 5, 86400]);
    assert_eq!(Zone::parse("a TXT x").unwrap().records()[0].ttl, 3600);
    one_error("a 2147483648 TXT x", "1:3", Kind::Ttl);
    one_error("a 1x TXT x", "1:3", Kind::Ttl);
    one_error("a 1h30 TXT x", "1:3", Kind::Ttl);
    one_error("a CH TXT x", "1:3", Kind::Class);
    one_error("a CLASS3 TXT x", "1:3", Kind::Class);
}

#[test]
fn owners() {
    let zone = zone(
        "$ORIGIN example.com.\n@ TXT apex\n TXT again\nmail TXT m\n$ORIGIN sub\n@ TXT s\nabs. TXT a",
    );
    let owners: Vec<String> = zone.records().iter().map(|r| r.name.to_string()).collect();
    assert_eq!(
        owners,
        ["example.com", "example.com", "mail.example.com", "sub.example.com", "abs"]
    );
    one_error("\n TXT x", "2:2", Kind::NoOwner);
    let error = Zone::new().read("z", b"a TXT x\n@ TXT x\nb. TXT x\n", None).unwrap_err();
    let kinds: Vec<&Kind> = error.errors.iter().map(|error| &error.kind).collect();
    assert_eq!(kinds, [&Kind::NoOrigin, &Kind::NoOrigin]);
}

#[test]
fn escapes_in_names_and_strings() {
    let zone = zone(
        "a\\.b.c\\000\\255 TXT \"q\\\"q\" b\\ \\;\\065 \"two  spaces\" \"\" \"semi;colon\" (\n ; c\n x)",
    );
    let record = &zone.records()[0];
    assert_eq!(record.name, Name::from_labels([&b"a.b"[..], b"c\0\xff"]).unwrap());
    let expected = ["q\"q", "b ;A", "two  spaces", "", "semi;colon", "x"];
    assert_eq!(record.data, Data::Txt(Txt::from_strings(expected)));
    one_error("a TXT \\25", "1:7", Kind::Escape);
    one_error("a TXT x\\256", "1:8", Kind::Escape);
    one_error("a TXT x\\", "1:8", Kind::Escape);
    one_error("a TXT \"x\\", "1:7", Kind::UnclosedQuote);
}

#[test]
fn text_can_be_as_long_as_the_wire_allows() {
    let string = format!(" \"{}\"", "x".repeat(255));
    let zone = zone(&format!("a TXT {}", string.repeat(255)));
    let Data::Txt(txt) = &zone.records()[0].data else { panic!("TXT") };
    assert_eq!(txt.joined().len(), 255 * 255);
    let text = format!("a TXT {}", string.repeat(256));
    assert_eq!(errors(&text)[0].1, Kind::DataTooLong);
    let long = format!("a TXT {}", "x".repeat(256));
    one_error(&long, "1:7", Kind::StringTooLong { length: 256 });
}

#[test]
fn types_that_are_not_kept_do_no_harm() {
    let zone = zone(
        "a CAA 0 issue \"ca.example\"\nb TYPE65 \\# 3 010203\nc HTTPS 1 . alpn=\"h2,h3\"\n\
         d RRSIG A 8 2 3600 (\n 20260101 20260101 1 d. AAAA== )\ne TYPE16 \\# 3 0261 62\n\
         k RESINFO \"qnamemin\"\nl WALLET \"BTC\" \"x\"\nm DSYNC CDS NOTIFY 53 n.\n\
         f A \\# 4 C0000201\ng SPF \"v=spf1\"\nh TLSA 3 1 1 AB CD\ni DS 1 8 2 ff\nj MX 0 .",
    );
    let exists = |owner| zone.lookup(&Question::txt(name(owner)));
    assert_eq!(exists("a"), mailproof_dns::Response::NoData);
    assert_eq!(exists("b"), mailproof_dns::Response::NoData);
    let data: Vec<&Data> = zone.records().iter().map(|record| &record.data).collect();
    assert_eq!(
        data,
        [
            &Data::txt("ab"),
            &Data::A([192, 0, 2, 1].into()),
            &Data::Other(RecordType::Spf, b"\x06v=spf1".to_vec()),
            &Data::Other(RecordType::Tlsa, vec![3, 1, 1, 0xab, 0xcd]),
            &Data::Other(RecordType::Ds, vec![0, 1, 8, 2, 0xff]),
            &Data::Mx(Mx { preference: 0, exchange: Name::root() }),
        ]
    );
    one_error("a TXTT x", "1:3", Kind::UnknownType);
    one_error("a A \\# 4 c00002", "1:8", Kind::Length { stated: 4, found: 3 });
    one_error("a A \\# 3 c00002", "1:5", Kind::Octets);
    one_error("a TLSA 3 1 1 abc", "1:14", Kind::Hexadecimal);
}

/// BIND and Knot refuse them, and with them the zone.
#[test]
fn quotes_stand_around_texts_only() {
    for (line, at) in [
        ("a CNAME \"b.example.\"", "1:10"),
        ("a A \"192.0.2.1\"", "1:6"),
        ("a AAAA \"::1\"", "1:9"),
        ("a MX \"10\" b", "1:7"),
        ("a MX 10 \"b\"", "1:10"),
        ("a \"300\" TXT x", "1:4"),
        ("$TTL \"300\"", "1:7"),
        ("$ORIGIN \"b.\"", "1:10"),
    ] {
        one_error(line, at, Kind::Quoted);
    }
}

#[test]
fn all_errors_of_a_file_are_found() {
    let text = "a A 192.0.2.256\nb AAAA 192.0.2.1\nc MX ten mx\nd MX 10\ne TXT\nf A 192.0.2.1 x\n\
                g.. A 192.0.2.1\n  A nonsense\nh TXT \"open\ni TXT )\nj TXT fine\n$GENERATE 1\n\
                bücher.example TXT x\nk MX +1 a\nl\nm TXT (never\n closed\n";
    let found = errors(text);
    let expected = [
        ("1:5", Kind::Ipv4),
        ("2:8", Kind::Ipv6),
        ("3:6", Kind::Number { max: 65535 }),
        ("4:8", Kind::Missing("the mail exchange")),
        ("5:6", Kind::Missing("the data")),
        ("6:15", Kind::Extra),
        ("7:1", Kind::Name(NameError::EmptyLabel)),
        ("9:7", Kind::UnclosedQuote),
        ("10:7", Kind::UnopenedParenthesis),
        ("12:1", Kind::UnknownControl),
        ("13:1", Kind::NonAsciiName { a_labels: Some(name("bücher.example")) }),
        ("14:6", Kind::Number { max: 65535 }),
        ("15:1", Kind::MissingType),
        ("16:7", Kind::UnclosedParenthesis),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(at, kind)| (at.to_owned(), kind)).collect();
    assert_eq!(found, expected);
}

#[test]
fn errors_do_not_keep_the_rest_out_and_are_bounded() {
    let mut zone = Zone::with_limits(ZoneLimits { errors: 2, ..ZoneLimits::default() });
    let text = "a A x\nb A x\nc A x\nd. TXT kept\n";
    let error = zone.read("zone.txt", text.as_bytes(), Some(&Name::root())).unwrap_err();
    assert_eq!((error.errors.len(), error.omitted), (2, 1));
    assert_eq!(
        error.to_string(),
        "zone.txt:1:5: not an IPv4 address\nzone.txt:2:5: not an IPv4 address\nand 1 more"
    );
    assert_eq!(zone.records().len(), 1);
    assert_eq!(&text[error.errors[1].span.clone()], "x");
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let mut zone = Zone::with_limits(ZoneLimits { file_octets: 10, ..ZoneLimits::default() });
    zone.read("z", b"a. TXT xyz", None).unwrap();
    let error = zone.read("z", b"a. TXT xyzz", None).unwrap_err();
    assert_eq!(error.errors[0].kind, Kind::FileTooLong { limit: 10 });
    assert_eq!(zone.records().len(), 1);
}

#[test]
fn what_cannot_stand_together() {
    one_error("a CNAME b\na TXT x", "2:1", Kind::CnameAndOther);
    one_error("a TXT x\na CNAME b", "2:1", Kind::CnameAndOther);
    one_error("a CNAME b\na CNAME c", "2:1", Kind::SeveralCnames);
    one_error("a TXT x\na NXDOMAIN", "2:1", Kind::Contradiction);
    one_error("a TXT x\na TXT TIMEOUT", "2:1", Kind::Contradiction);
    one_error("a TIMEOUT\na SERVFAIL", "2:1", Kind::Contradiction);
    zone("a CNAME b\na CNAME b\na RRSIG CNAME 8\na TXT TIMEOUT\na TXT TIMEOUT");
}

#[test]
fn line_ends_and_a_byte_order_mark() {
    let zone = zone("\u{feff}a TXT x\r\nb TXT (\r\n y ; z\r\n)\r\n\r\nc TXT \"z\"");
    assert_eq!(zone.records().len(), 3);
    assert_eq!(zone.records()[2].place.line, 6);
}

#[test]
fn every_octet_of_a_text_has_a_place() {
    let text =
        "a TXT (\"ab\" ; comment\n   \"c\\\"\\100\" e\n) ; end\nb A 192.0.2.1\nc TXT \\# 2 0161\n";
    let zone = zone(text);
    let places = |record: usize| {
        let record = &zone.records()[record];
        (0..9).map_while(|index| zone.place_of_octet(record, index)).collect::<Vec<_>>()
    };
    let found: Vec<String> =
        places(0).iter().map(|place| format!("{}:{}", place.line, place.column)).collect();
    assert_eq!(found, ["1:9", "1:10", "2:5", "2:6", "2:8", "2:14", "2:15"]);
    let c = zone.place_of_octet(&zone.records()[0], 2).unwrap();
    assert_eq!(zone.line(&zone.records()[0], &c).unwrap(), br#"   "c\"\100" e"#);
    assert!(places(1).is_empty());
    assert_eq!(places(2)[0].column, 7);
}
