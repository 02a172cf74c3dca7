//! What holds for every record, zone and order of answers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod case;

use case::Spf;
use mailproof_dns::{Answers, Missing, Question, Zone};
use mailproof_spf::{
    Checker, Limits, Outcome, ReceivedSpf, Record, Request, SpfResult, check_host, parse, parse_all,
};
use mailproof_testkit::cases;
use proptest::prelude::*;

/// The outcome when `choose` picks the one missing question that is answered next, and how many
/// questions were answered.
fn one_by_one(
    zone: &Zone,
    choose: impl Fn(&[Question]) -> usize,
    mut check: impl FnMut(&Answers) -> Result<Outcome, Missing>,
) -> (Outcome, usize) {
    let mut answers = Answers::new();
    loop {
        match check(&answers) {
            Ok(outcome) => return (outcome, answers.len()),
            Err(missing) => {
                let question = missing.questions()[choose(missing.questions())].clone();
                assert!(answers.lookup(&question).is_none(), "{question} is asked again");
                let response = zone.lookup(&question);
                answers.insert(question, response);
            }
        }
    }
}

#[test]
fn one_by_one_is_all_at_once_over_the_corpus() {
    for case in cases::<Spf>("spf") {
        let (request, mut checker) = (case::request(&case), Checker::default());
        let all = case::outcome(&case);
        let first = |_: &[Question]| 0;
        let last = |questions: &[Question]| questions.len() - 1;
        let (outcome, _) = one_by_one(&case.zone, first, |answers| check_host(&request, answers));
        assert_eq!(outcome, all, "{}", case.name);
        let (outcome, _) =
            one_by_one(&case.zone, last, |answers| checker.check_host(&request, answers));
        assert_eq!(outcome, all, "{}", case.name);
        let (outcome, _) =
            one_by_one(&case.zone, last, |answers| Ok(checker.trace(&request, answers)?.0));
        assert_eq!(outcome, all, "{}", case.name);
    }
}

/// No question is for a name that the wire cannot carry or that holds what a sender may not say.
#[test]
fn only_valid_names_are_asked_for() {
    for case in cases::<Spf>("spf") {
        let request = case::request(&case);
        let mut answers = Answers::new();
        while let Err(missing) = check_host(&request, &answers) {
            for question in missing.questions() {
                assert!(question.name.label_count() > 0, "{}: {question}", case.name);
                for label in question.name.labels() {
                    let plain = label.iter().all(|octet| matches!(octet, 0x20..=0x7e));
                    assert!(plain, "{}: {question}", case.name);
                }
                answers.insert(question.clone(), case.zone.lookup(question));
            }
        }
    }
}

#[test]
fn what_is_written_to_a_header_is_safe_and_read_back() {
    for case in cases::<Spf>("spf") {
        let (request, outcome) = (case::request(&case), case::outcome(&case));
        check_field(&ReceivedSpf::new(&request, &outcome));
    }
}

fn check_field(field: &ReceivedSpf) {
    let text = field.to_string();
    for (index, line) in text.split("\r\n").enumerate() {
        assert!(index == 0 || line.starts_with(' '), "{text}");
        assert!(line.len() <= 998 && !line.trim().is_empty(), "{text}");
        assert!(line.bytes().all(|octet| matches!(octet, 0x20..=0x7e)), "{text}");
        let words = line.split_ascii_whitespace().count();
        assert!(line.len() <= 78 || words <= 2 || line.contains('"'), "{text}");
    }
    let read = ReceivedSpf::parse(field.body().as_bytes()).unwrap();
    assert_eq!(read.result, field.result);
    assert_eq!(read.pairs.len(), field.pairs.len());
    assert_eq!(ReceivedSpf::parse(read.body().as_bytes()).unwrap(), read);
}

fn domain_spec() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[!-$&-.0-~]{1,6}",
        "%\\{[slodipvhSLODIPVH](0?[1-9][0-9]{0,10})?[rR]?[-.+,/_=]{0,8}\\}",
        Just("%%".to_owned()),
        Just("%_".to_owned()),
        Just("%-".to_owned()),
    ];
    let end =
        prop_oneof!["\\.[a-z]{1,5}\\.?", "%\\{d[0-9]?\\}".prop_filter("", |e| !e.contains('0'))];
    (prop::collection::vec(part, 0..4), end).prop_map(|(parts, end)| parts.concat() + &end)
}

fn term() -> impl Strategy<Value = String> {
    let cidr = prop_oneof![
        3 => Just(String::new()),
        1 => (0..=32_u8).prop_map(|length| format!("/{length}")),
        1 => (0..=128_u8).prop_map(|length| format!("//{length}")),
        1 => (0..=32_u8, 0..=128_u8).prop_map(|(ip4, ip6)| format!("/{ip4}//{ip6}")),
    ];
    let spec = || {
        let spec = prop::option::of(domain_spec());
        spec.prop_map(|spec| spec.map(|spec| format!(":{spec}")).unwrap_or_default())
    };
    let mechanism = prop_oneof![
        Just("all".to_owned()),
        domain_spec().prop_map(|spec| format!("include:{spec}")),
        domain_spec().prop_map(|spec| format!("exists:{spec}")),
        (prop_oneof!["a", "mx", "A", "Mx"], spec(), cidr)
            .prop_map(|(name, spec, cidr)| name + &spec + &cidr),
        spec().prop_map(|spec| format!("ptr{spec}")),
        (any::<[u8; 4]>(), 0..=32_u8)
            .prop_map(|(ip, length)| format!("ip4:{}/{length}", std::net::Ipv4Addr::from(ip))),
        (any::<[u8; 16]>(), 0..=128_u8)
            .prop_map(|(ip, length)| format!("ip6:{}/{length}", std::net::Ipv6Addr::from(ip))),
    ];
    prop_oneof![
        4 => ("[-+~?]?", mechanism).prop_map(|(qualifier, mechanism)| qualifier + &mechanism),
        1 => "[a-z][a-z0-9._-]{0,5}x=[!-$&-~]{0,9}",
    ]
}

fn record() -> impl Strategy<Value = String> {
    let ends = (prop::option::of(domain_spec()), prop::option::of(domain_spec()));
    (prop::collection::vec((term(), " {1,3}"), 0..8), ends, " {0,2}").prop_map(
        |(terms, (redirect, exp), trailing)| {
            let mut text = "v=spf1 ".to_owned();
            terms.iter().for_each(|(term, spaces)| text += &(term.to_owned() + spaces));
            redirect.iter().for_each(|spec| text += &format!("redirect={spec} "));
            exp.iter().for_each(|spec| text += &format!("exp={spec} "));
            text + &trailing
        },
    )
}

/// The names of a small, entangled zone.
const NAMES: [&str; 6] = [
    "a.example",
    "b.example",
    "c.example",
    "d.a.example",
    "1.2.0.192.in-addr.arpa",
    "192.0.2.1.in-addr.a.example",
];

fn zone() -> impl Strategy<Value = String> {
    let name = prop::sample::select(&NAMES[..]);
    let target = prop_oneof![
        3 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => Just("%{i}.%{v}.%{d}".to_owned()),
        1 => Just("%{p}".to_owned()),
    ];
    let term = prop_oneof![
        target.clone().prop_map(|name| format!("include:{name}")),
        target.clone().prop_map(|name| format!("-include:{name}")),
        target.clone().prop_map(|name| format!("a:{name}")),
        target.clone().prop_map(|name| format!("mx:{name}")),
        target.clone().prop_map(|name| format!("~exists:{name}")),
        prop_oneof![Just("ptr"), Just("mx"), Just("-ip4:192.0.2.1"), Just("?all")]
            .prop_map(str::to_owned),
        prop_oneof![Just("ip4:198.51.100.0/24"), Just("ip6:2001:db8::/32"), Just("ip6:1::/129")]
            .prop_map(str::to_owned),
    ];
    let text = (prop::collection::vec(term, 0..12), prop::option::of(target)).prop_map(
        |(terms, redirect)| {
            let redirect = redirect.map(|name| format!(" redirect={name} exp={name}"));
            format!("TXT \"v=spf1 {}{}\"", terms.join(" "), redirect.unwrap_or_default())
        },
    );
    let other = prop::sample::select(&NAMES[..]);
    let data = prop_oneof![
        6 => text,
        2 => other.clone().prop_map(|name| format!("MX 10 {name}")),
        2 => other.clone().prop_map(|name| format!("PTR {name}")),
        1 => Just("A 192.0.2.1".to_owned()),
        1 => Just("A 192.0.2.2".to_owned()),
        1 => Just("MX TIMEOUT".to_owned()),
    ];
    prop::collection::vec((name, data), 0..14)
        .prop_map(|lines| lines.iter().map(|(name, data)| format!("{name} {data}\n")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_record_is_read_back(text in record()) {
        let first = parse(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error} {:?}", &text[error.span.clone()])))?;
        let printed = first.to_string();
        let second: Record = printed.parse().unwrap();
        prop_assert_eq!(&second.to_string(), &printed);
        prop_assert_eq!(second.terms.len(), first.terms.len());
        for (one, other) in first.directives().zip(second.directives()) {
            prop_assert_eq!((one.qualifier, &one.mechanism), (other.qualifier, &other.mechanism));
        }
        for (one, other) in first.modifiers().zip(second.modifiers()) {
            prop_assert_eq!(&one.kind, &other.kind);
        }
        for directive in first.directives() {
            prop_assert!(!text[directive.span.clone()].contains(' '));
        }
    }

    #[test]
    fn every_octet_string_is_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        check_errors(&octets)?;
        check_errors(&[&b"v=spf1 "[..], &octets].concat())?;
    }

    #[test]
    fn every_damaged_record_is_read_or_refused(text in record(), at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut octets = text.into_bytes();
        let at = at.index(octets.len());
        octets[at] = octet;
        check_errors(&octets)?;
    }

    #[test]
    fn any_zone_is_evaluated_within_the_limits(text in zone(), sender in "[a-c@.%{}\"é ]{0,12}") {
        let zone = Zone::parse(&text);
        prop_assume!(zone.is_ok());
        let zone = zone.unwrap();
        let path = format!("{sender}@a.example");
        for path in ["x@a.example", path.as_str()] {
            let request = Request::mail_from([192, 0, 2, 1].into(), "b.example", path);
            let (all, asked) = all_at_once(&zone, &request);
            let (one, _) = one_by_one(&zone, |_| 0, |answers| check_host(&request, answers));
            prop_assert_eq!(&all, &one);
            let mut checker = Checker::default();
            let kept = zone.resolve(|answers| checker.check_host(&request, answers));
            prop_assert_eq!(&all, &kept);
            let limits = Limits::default();
            prop_assert!(all.counts.terms <= limits.terms);
            prop_assert!(all.counts.queries <= limits.queries);
            prop_assert!(asked <= 100, "{} questions", asked);
            check_field(&ReceivedSpf::new(&request, &all));
        }
    }

    #[test]
    fn any_field_is_safe_and_read_back(
        comment in prop::option::of(".{0,300}"),
        pairs in prop::collection::vec((".{0,20}", ".{0,300}"), 0..6),
    ) {
        check_field(&ReceivedSpf { result: SpfResult::Pass, comment, pairs });
    }

    #[test]
    fn any_octets_are_a_field_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ReceivedSpf::parse(&octets);
        let _ = ReceivedSpf::parse(&[&b"pass "[..], &octets].concat());
    }
}

fn check_errors(octets: &[u8]) -> Result<(), TestCaseError> {
    match (parse(octets), parse_all(octets)) {
        (Ok(one), Ok(all)) => prop_assert_eq!(one, all),
        (Err(error), Err(errors)) => {
            prop_assert_eq!(&error, &errors[0]);
            prop_assert!(errors.iter().all(|error| octets.get(error.span.clone()).is_some()));
            prop_assert!(errors.is_sorted_by_key(|error| error.span.start));
        }
        (one, all) => prop_assert!(false, "{:?} {:?}", one, all),
    }
    Ok(())
}

fn all_at_once(zone: &Zone, request: &Request<'_>) -> (Outcome, usize) {
    let mut answers = Answers::new();
    loop {
        match check_host(request, &answers) {
            Ok(outcome) => return (outcome, answers.len()),
            Err(missing) => {
                for question in missing.into_questions() {
                    let response = zone.lookup(&question);
                    answers.insert(question, response);
                }
            }
        }
    }
}
