//! What holds for every record and every message.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use mailproof_dmarc::{
    Discovery, DmarcResult, Identifier, Limits, Outcome, Record, Request, evaluate, evaluate_with,
    walk_names,
};
use mailproof_dns::{Answers, Data, Failure, Missing, Name, Question, Response};
use proptest::prelude::*;

/// Few labels, so that names meet.
fn any_name() -> impl Strategy<Value = Name> {
    let label = prop::sample::select(vec!["a", "b", "example", "com"]);
    prop::collection::vec(label, 1..11).prop_map(|labels| Name::from_labels(labels).unwrap())
}

fn any_record() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "v=DMARC1; p=none",
        "v=DMARC1; p=reject; sp=none; np=quarantine",
        "v=DMARC1; p=quarantine; adkim=s; aspf=s",
        "v=DMARC1; p=reject; psd=y",
        "v=DMARC1; p=reject; psd=n; np=none",
        "v=DMARC1; p=reject; t=y; aspf=s",
        "v=DMARC1; sp=block; rua=mailto:a@example.com",
        "v=DMARC1",
        "v=spf1 -all",
    ])
    .prop_map(str::to_owned)
}

fn any_response() -> impl Strategy<Value = Response> {
    let records = prop::collection::vec(any_record(), 1..3);
    let records = records.prop_map(|records| Response::records(records.iter().map(Data::txt)));
    prop_oneof![
        4 => records,
        2 => Just(Response::NoData),
        2 => Just(Response::NxDomain),
        1 => Just(Response::Failure(Failure::ServFail)),
    ]
}

fn any_identifier() -> impl Strategy<Value = Identifier> {
    (any_name(), any::<bool>(), prop::bool::weighted(0.8)).prop_map(|(name, spf, authenticated)| {
        let identifier = if spf { Identifier::spf(name) } else { Identifier::dkim(name) };
        Identifier { authenticated, ..identifier }
    })
}

fn any_request() -> impl Strategy<Value = Request> {
    let authors = prop::collection::vec(any_name(), 0..4);
    let identifiers = prop::collection::vec(any_identifier(), 0..5);
    (authors, identifiers, any::<bool>()).prop_map(|(authors, identifiers, psl)| Request {
        identifiers,
        discovery: if psl { Discovery::PublicSuffixList } else { Discovery::TreeWalk },
        ..Request::new(authors)
    })
}

/// A DNS of these responses; every name asked for has one of them.
#[derive(Debug)]
struct Dns(Vec<Response>);

impl Dns {
    fn lookup(&self, question: &Question) -> Response {
        let text = question.name.to_string();
        let sum = text.bytes().fold(7_usize, |sum, octet| sum * 31 % 1009 + usize::from(octet));
        self.0[sum % self.0.len()].clone()
    }

    /// All that is missing in each round, or only the first question.
    fn resolve(&self, all: bool, f: impl Fn(&Answers) -> Result<Outcome, Missing>) -> Outcome {
        let mut answers = Answers::new();
        for _ in 0..2000 {
            match f(&answers) {
                Ok(outcome) => return outcome,
                Err(missing) => {
                    assert!(!missing.questions().is_empty());
                    for question in missing.into_questions() {
                        assert!(answers.lookup(&question).is_none(), "{question:?} again");
                        answers.insert(question.clone(), self.lookup(&question));
                        if !all {
                            break;
                        }
                    }
                }
            }
        }
        panic!("no end")
    }
}

fn any_dns() -> impl Strategy<Value = Dns> {
    prop::collection::vec(any_response(), 1..12).prop_map(Dns)
}

fn is_final(outcome: &Outcome) -> bool {
    matches!(outcome.result, DmarcResult::Pass | DmarcResult::Fail | DmarcResult::None)
}

proptest! {
    #[test]
    fn one_by_one_is_all_at_once(request in any_request(), dns in any_dns()) {
        let evaluate = |answers: &Answers| evaluate(&request, answers);
        prop_assert_eq!(dns.resolve(true, evaluate), dns.resolve(false, evaluate));
    }

    /// A failure of the DNS never turns one final result into another.
    #[test]
    fn failures_decide_nothing(request in any_request(), dns in any_dns(), broken in 0_usize..12) {
        let mut worse = dns.0.clone();
        let index = broken % worse.len();
        worse[index] = Response::Failure(Failure::Timeout);
        let before = dns.resolve(true, |answers| evaluate(&request, answers));
        let after = Dns(worse).resolve(true, |answers| evaluate(&request, answers));
        if is_final(&before) && is_final(&after) {
            prop_assert_eq!(before.result, after.result);
        }
    }

    /// An identifier whose authentication is open never turns pass to fail or the other way.
    #[test]
    fn open_identifiers_decide_nothing(request in any_request(), dns in any_dns(), one in any_name()) {
        let before = dns.resolve(true, |answers| evaluate(&request, answers));
        let more = request.clone().with(Identifier::dkim(one).undecided());
        let after = dns.resolve(true, |answers| evaluate(&more, answers));
        if is_final(&before) && is_final(&after) {
            prop_assert_eq!(before.result, after.result);
        }
        prop_assert_eq!(after.result == DmarcResult::Pass, before.result == DmarcResult::Pass);
    }

    /// More identifiers never make a message worse than it is, unless the DNS fails.
    #[test]
    fn a_pass_stays(request in any_request(), dns in any_dns(), one in any_name()) {
        let before = dns.resolve(true, |answers| evaluate(&request, answers));
        let more = request.clone().with(Identifier::dkim(one));
        let after = dns.resolve(true, |answers| evaluate(&more, answers));
        if before.result == DmarcResult::Pass {
            prop_assert_eq!(after.result, DmarcResult::Pass);
        }
    }

    #[test]
    fn what_is_foreseen_changes_nothing(request in any_request(), dns in any_dns()) {
        let limits = Limits { foreseen: 0, ..Limits::default() };
        let foreseeing = dns.resolve(true, |answers| evaluate(&request, answers));
        let not = dns.resolve(true, |answers| evaluate_with(&request, answers, &limits));
        prop_assert_eq!(foreseeing, not);
    }

    #[test]
    fn a_walk_has_eight_names(name in any_name()) {
        let names = walk_names(&name);
        prop_assert!(names.len() <= 8 && names[0] == name);
        prop_assert!(names.iter().all(|ancestor| name.is_at_or_below(ancestor)));
    }

    #[test]
    fn any_octets(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&octets);
    }

    #[test]
    fn octets_of_records(
        rest in "(; ?|=|,| |p|sp|np|none|reject|rua|ruf|mailto:a@b\\.c|!10m|fo|psd|[a-z0-9:!ü])*"
    ) {
        check(format!("v=DMARC1;{rest}").as_bytes());
    }
}

fn check(octets: &[u8]) {
    let record = match Record::parse(octets) {
        Ok(record) => record,
        Err(error) => {
            assert!(error.span.end <= octets.len());
            return;
        }
    };
    let spans = record.ignored.iter().map(|error| &error.span);
    let uris = record.rua.iter().chain(&record.ruf).map(|uri| &uri.span);
    for span in spans.chain(uris) {
        assert!(span.start <= span.end && span.end <= octets.len());
    }
    for tag in &record.tags {
        assert_eq!(&octets[tag.value_span.clone()], tag.value.as_bytes());
    }
    let printed = record.to_string();
    let again = Record::parse(printed.as_bytes()).unwrap();
    assert!(again.ignored.is_empty(), "{printed}");
    assert_eq!(again.to_string(), printed);
    assert_eq!(again.policies(), record.policies());
    assert_eq!((again.adkim, again.aspf, again.psd), (record.adkim, record.aspf, record.psd));
    assert_eq!((again.rua.len(), again.ruf.len()), (record.rua.len(), record.ruf.len()));
}
