//! What holds for every record and every zone.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_dns::{Data, Name, Question, RecordType, Response, Txt, resolve_blocking};
use mailproof_records::{
    Attempt, Document, Kind, Limits, Profile, Report, Request, WeakKeys, WeakKeysError, check,
    check_record,
};
use proptest::prelude::*;

const KINDS: [Kind; 9] = [
    Kind::Spf,
    Kind::Dkim,
    Kind::Dmarc,
    Kind::MtaSts,
    Kind::MtaStsPolicy,
    Kind::TlsRpt,
    Kind::Bimi,
    Kind::Tlsa,
    Kind::Adsp,
];

/// Words of every record, and what breaks them.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "v=spf1",
            " ",
            "  ",
            "-all",
            "all",
            "ip4:",
            "ip4=",
            "192.0.3.1",
            "/24",
            "//64",
            "include:",
            "example.com",
            "redirect=",
            "exp=",
            "%{i}",
            "%{d0}",
            "%",
            "v=DMARC1",
            ";",
            "p=",
            "reject",
            "rua=",
            "mailto:a@example.com",
            "!10m",
            ",",
            "v=DKIM1",
            "k=rsa",
            "k=ed25519",
            "h=sha1",
            "t=y",
            "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "v=STSv1",
            "id=",
            "v=TLSRPTv1",
            "v=BIMI1",
            "l=https://",
            "\"",
            "\\;",
            "\u{a0}",
            "3 1 1",
            "\t",
            "\r\n",
            "version: STSv1",
            "mode: enforce",
            "mx: *.",
            "max_age: 604800",
        ])
        .prop_map(|word| word.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

fn spans_are_inside(report: &Report) {
    for finding in &report.findings {
        if let (Some(span), Some(record)) = (&finding.span, &finding.record) {
            assert!(span.start <= span.end && span.end <= record.len(), "{finding:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_record_never_panics_and_spans_are_inside(octets in record()) {
        let name: Name = "example.com".parse().unwrap();
        for kind in KINDS {
            spans_are_inside(&check_record(kind, &name, &octets, Profile::Sender));
        }
    }

    /// Whatever a list has, it is read, or there is a line that cannot be.
    #[test]
    fn a_list_of_weak_keys_never_panics(words in prop::collection::vec(prop_oneof![
        4 => prop::sample::select(vec![
            "7ca42da076005858388d\n", "FFFFFFFFFFFFFFFFFFFF\r\n", "# comment\n", "#", "\n", "0", " ",
        ]).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..24),
    ], 0..12)) {
        let list = words.concat();
        let lines = list.split_inclusive(|&octet| octet == b'\n').count();
        match WeakKeys::default().add("list", &list, &Limits::default()) {
            Err(WeakKeysError::Line(line)) => prop_assert!((1..=lines).contains(&line)),
            Err(error) => prop_assert_eq!(error, WeakKeysError::Empty),
            Ok(()) => prop_assert!(list.len() >= 20),
        }
    }

    /// Whatever comes over the network, it is judged, and not at any length.
    #[test]
    fn a_document_never_panics(words in prop::collection::vec(prop::sample::select(vec![
        "<svg", " x=\"1\"", " version=\"1.2\"", " href='x'", ">", "/>", "<script/>", "</svg>",
        "<!DOCTYPE a [", "<!ENTITY b 'c'>", "]>", "&b;", "<title>", "<!--", "<![CDATA[", "\u{a0}",
        "mx: a.example", "mode: none", "\n", "\r", ":", "version: STSv1",
    ]), 0..200)) {
        let content = words.concat().into_bytes();
        let document = Document { media_type: String::new(), content };
        let mut request = Request::new("example.com".parse().unwrap());
        request.fetched.logo = Some(Attempt::Came(document.clone()));
        request.fetched.policy = Some(Attempt::Came(document));
        let lookup = |question: &Question| match question.rtype {
            RecordType::Txt => Response::records([Data::Txt(Txt::from_strings([b"v=STSv1; id=1"]))]),
            _ => Response::NoData,
        };
        let report = resolve_blocking(lookup, |answers| check(&request, answers));
        spans_are_inside(&report);
        for id in ["BIMI003", "STS005"] {
            let found = report.findings.iter().filter(|found| found.rule.id == id).count();
            prop_assert!(found <= Limits::default().repeats, "{found} of {id}");
        }
    }

    /// Whatever name is asked, there is an answer: a tree without end.
    #[test]
    fn a_zone_never_panics_and_is_bounded(records in prop::collection::vec(record(), 1..4), seed in any::<u8>()) {
        let request = Request::new("example.com".parse().unwrap());
        let mut asked = 0_usize;
        let lookup = |question: &Question| {
            asked += 1;
            let pick = question.name.labels().flatten().fold(seed, |sum, octet| sum.wrapping_add(*octet));
            match (question.rtype, pick % 5) {
                (_, 0) => Response::NxDomain,
                (RecordType::Txt, _) => {
                    let octets = &records[usize::from(pick) % records.len()];
                    Response::records([Data::Txt(Txt::from_strings(octets.chunks(255)))])
                }
                (RecordType::A, _) => Response::records([Data::A([192, 0, 3, pick].into())]),
                _ => Response::NoData,
            }
        };
        spans_are_inside(&resolve_blocking(lookup, |answers| check(&request, answers)));
        prop_assert!(asked < 1000, "{asked} questions");
    }
}
