//! print∘parse of names, text records and recordings; no input panics or takes long.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_dns::{
    Answers, Data, Failure, Mx, Name, Question, RecordSet, RecordType, Recording, Response, Txt,
    Zone,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn a_name() -> impl Strategy<Value = Name> {
    let label = prop_oneof![
        4 => "[a-z0-9_-]{1,12}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 1..20),
        1 => Just(b"*".to_vec()),
    ];
    vec(label, 0..5).prop_map(|labels| Name::from_labels(labels).unwrap())
}

fn a_text() -> impl Strategy<Value = Txt> {
    vec(vec(any::<u8>(), 0..40), 1..4).prop_map(Txt::from_strings)
}

fn a_rtype() -> impl Strategy<Value = RecordType> {
    proptest::sample::select(RecordType::ALL.to_vec())
}

fn data_of(rtype: RecordType) -> BoxedStrategy<Data> {
    match rtype {
        RecordType::A => any::<[u8; 4]>().prop_map(|octets| Data::A(octets.into())).boxed(),
        RecordType::Aaaa => any::<[u8; 16]>().prop_map(|octets| Data::Aaaa(octets.into())).boxed(),
        RecordType::Cname => a_name().prop_map(Data::Cname).boxed(),
        RecordType::Ns => a_name().prop_map(Data::Ns).boxed(),
        RecordType::Ptr => a_name().prop_map(Data::Ptr).boxed(),
        RecordType::Mx => (any::<u16>(), a_name())
            .prop_map(|(preference, exchange)| Data::Mx(Mx { preference, exchange }))
            .boxed(),
        RecordType::Txt => a_text().prop_map(Data::Txt).boxed(),
        _ => vec(any::<u8>(), 0..40).prop_map(move |octets| Data::Other(rtype, octets)).boxed(),
    }
}

fn a_response(rtype: RecordType) -> impl Strategy<Value = Response> {
    let set = (vec(data_of(rtype), 1..4), 0..=0x7fff_ffff_u32, vec(a_name(), 0..3), any::<bool>())
        .prop_map(move |(records, ttl, aliases, authenticated)| {
            // The answer to a question for an alias is the alias itself.
            let aliases = if rtype == RecordType::Cname { Vec::new() } else { aliases };
            Response::Records(RecordSet { records, ttl, aliases, authenticated })
        });
    prop_oneof![
        4 => set,
        1 => Just(Response::NoData),
        1 => Just(Response::NxDomain),
        1 => Just(Response::Failure(Failure::ServFail)),
        1 => Just(Response::Failure(Failure::Timeout)),
    ]
}

fn some_answers() -> impl Strategy<Value = Answers> {
    let answer = (a_name(), a_rtype()).prop_flat_map(|(name, rtype)| {
        a_response(rtype).prop_map(move |response| (Question::new(name.clone(), rtype), response))
    });
    vec(answer, 0..12).prop_map(|answers| answers.into_iter().collect())
}

/// Text that gets past the first word.
fn almost_a_file() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => proptest::sample::select(vec![
            "\n", "\n", " ", "\t", "(", ")", "\"", ";", "\\", "\r\n", "@", ".", "a", "b.example.",
            "*", "$ORIGIN", "$TTL", "$QUESTION", "$INCLUDE", "IN", "CH", "1h", "3600", "A", "AAAA",
            "TXT", "MX", "CNAME", "SOA", "TLSA", "CAA", "TYPE65", "TYPE16", "\\#", "4", "0a0b",
            "192.0.2.1", "2001:db8::1", "10", "SERVFAIL", "TIMEOUT", "NXDOMAIN", "NODATA", "\\255",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn read_everything(octets: &[u8]) {
    let mut zone = Zone::new();
    let read = zone.read("z", octets, Some(&Name::root()));
    if let Err(error) = read {
        assert!(!error.errors.is_empty());
        assert!(!error.to_string().is_empty());
        for error in error.errors {
            assert!(error.span.start <= octets.len());
        }
    }
    for record in zone.records() {
        let question = Question::new(record.name.clone(), record.data.rtype());
        assert!(zone.records_of(&question).contains(&record));
        if let Data::Txt(txt) = &record.data {
            let length = txt.joined().len();
            assert!(zone.place_of_octet(record, length).is_some());
        }
    }
    let _ = Recording::read("z", octets);
}

proptest! {
    #[test]
    fn a_name_reads_back(name in a_name(), data in a_name()) {
        let root = name == Name::root();
        let owner = if root { ".".to_owned() } else { format!("{name}.") };
        let zone = Zone::parse(&format!("{owner} PTR {}", Data::Ptr(data.clone()))).unwrap();
        prop_assert_eq!(&zone.records()[0].name, &name);
        prop_assert_eq!(&zone.records()[0].data, &Data::Ptr(data));
    }

    #[test]
    fn a_text_reads_back_and_every_octet_is_found(txt in a_text()) {
        let text = format!("a TXT {txt}");
        let zone = Zone::parse(&text).unwrap();
        let record = &zone.records()[0];
        prop_assert_eq!(&record.data, &Data::Txt(txt.clone()));
        for (index, &octet) in txt.joined().iter().enumerate() {
            let place = zone.place_of_octet(record, index).unwrap();
            let written = &text.as_bytes()[place.offset..];
            let expected = if written[0] == b'\\' && written[1].is_ascii_digit() {
                std::str::from_utf8(&written[1..4]).unwrap().parse().unwrap()
            } else {
                written[usize::from(written[0] == b'\\')]
            };
            prop_assert_eq!(octet, expected);
        }
        prop_assert_eq!(Txt::from_wire(&txt.to_wire()), Some(txt));
    }

    #[test]
    fn a_recording_reads_back(answers in some_answers()) {
        let text = Recording::from(answers.clone()).to_string();
        let recording = Recording::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(recording.answers(), &answers);
    }

    #[test]
    fn arbitrary_octets_are_read(octets in vec(any::<u8>(), 0..400)) {
        read_everything(&octets);
    }

    #[test]
    fn almost_files_are_read(octets in almost_a_file()) {
        read_everything(&octets);
    }
}

/// Each of these would take minutes if it were quadratic.
#[test]
fn a_lot_of_anything_is_read_in_one_go() {
    let deep = format!("{}.", "a.".repeat(126));
    for piece in [
        "(",
        ")",
        "\"",
        "\"\" ",
        "\\",
        ";",
        "\n",
        " ",
        "a",
        "a ",
        ".",
        "a TXT (\n",
        "a TXT \"\n",
        "x)\n",
        "a TXT x\n",
        " x\n",
        "a TXT x ( ",
        "a TXT x\na CNAME b\n",
        "\\256",
        "a TXT \\",
        "é",
        "$TTL\n",
        "a CNAME a\n",
        "a SERVFAIL\n",
        "a NXDOMAIN\n",
        "a TLSA 1 1 1 ",
        "a TXT ( \"é\"\n",
        "$QUESTION a TXT\na TXT x\n",
        &deep,
        &format!("{deep} TXT x\n"),
    ] {
        let text = piece.repeat((1 << 17) / piece.len());
        let mut zone = Zone::new();
        let _ = zone.read("z", text.as_bytes(), Some(&Name::root()));
        let _ = zone.lookup(&Question::txt(format!("b.{deep}").parse().unwrap_or(Name::root())));
        let _ = Recording::read("z", text.as_bytes());
    }
}
