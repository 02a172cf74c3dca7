//! Recordings: what is written reads back, and what does not answer its question is an error.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_dns::{
    Answers, Data, Failure, MasterFileErrorKind as Kind, Name, Question, RecordSet, RecordType,
    Recording, Response, Zone,
};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

const TEXT: &str = "\
$QUESTION down.example. TXT
down.example. TXT SERVFAIL
$QUESTION gone.example. MX
gone.example. MX NXDOMAIN
$QUESTION here.example. A
here.example. A NODATA
$QUESTION slow.example. AAAA
slow.example. AAAA TIMEOUT
$QUESTION www.example. TXT AD
www.example. 300 IN CNAME web.example.
web.example. 300 IN TXT \"a \\\"b\\\" ;\" \"\\000\\255\"
web.example. 300 IN TXT \"c\"
";

#[test]
fn every_kind_of_response_is_written_and_read() {
    let recording = Recording::parse(TEXT).unwrap();
    let lookup = |owner, rtype| recording.lookup(&Question::new(name(owner), rtype));
    let failed = Response::Failure;
    assert_eq!(lookup("down.example", RecordType::Txt), failed(Failure::ServFail));
    assert_eq!(lookup("slow.example", RecordType::Aaaa), failed(Failure::Timeout));
    assert_eq!(lookup("gone.example", RecordType::Mx), Response::NxDomain);
    assert_eq!(lookup("here.example", RecordType::A), Response::NoData);
    assert_eq!(lookup("here.example", RecordType::Aaaa), failed(Failure::NotRecorded));
    let Response::Records(set) = lookup("www.example", RecordType::Txt) else { panic!("records") };
    assert_eq!((set.ttl, set.authenticated, set.records.len()), (300, true, 2));
    assert_eq!(set.aliases, [name("web.example")]);
    assert_eq!(recording.to_string(), TEXT);
}

#[test]
fn a_zone_reads_a_recording() {
    let zone = Zone::parse(TEXT).unwrap();
    for (question, response) in Recording::parse(TEXT).unwrap().answers().iter() {
        let mut response = response.clone();
        if let Response::Records(set) = &mut response {
            set.authenticated = false;
        }
        assert_eq!(zone.lookup(question), response, "{question}");
    }
}

#[test]
fn what_was_never_asked_is_not_written() {
    let mut answers = Answers::new();
    let question = Question::txt(name("a.example"));
    answers.insert(question, Response::Failure(Failure::Budget));
    assert_eq!(Recording::from(answers).to_string(), "");
}

#[test]
fn lines_that_answer_nothing_are_errors() {
    for (text, kind) in [
        ("a TXT x", Kind::NotOfQuestion),
        ("$QUESTION a TXT\nb TXT x\na TXT x", Kind::NotOfQuestion),
        ("$QUESTION a TXT\na TXT x\na A 192.0.2.1", Kind::NotOfQuestion),
        ("$QUESTION a TXT\na TXT x\na CNAME b", Kind::NotOfQuestion),
        ("$QUESTION a TXT\na TXT NODATA\na TXT x", Kind::NotOfQuestion),
        ("$QUESTION a TXT\na A NODATA\na TXT x", Kind::NotOfQuestion),
        ("$QUESTION a TXT\na CAA x\na TXT x", Kind::NotOfQuestion),
        ("$QUESTION a TXT\n", Kind::Missing("the answer")),
        ("$QUESTION a TXT\na CNAME b\n", Kind::Missing("the answer")),
        ("$QUESTION a TXT\na TXT x\n$QUESTION a TXT\na TXT y", Kind::Contradiction),
        ("$QUESTION a CAA\n", Kind::UnknownType),
        ("$QUESTION a TXT XX\n", Kind::Extra),
    ] {
        let error = Recording::parse(text).unwrap_err();
        assert_eq!(error.errors[0].kind, kind, "{text:?}");
        assert_eq!(error.errors.len(), 1, "{text:?}");
    }
}

#[test]
fn a_question_for_the_alias_itself() {
    let question = Question::new(name("a"), RecordType::Cname);
    let set = RecordSet {
        records: vec![Data::Cname(name("b"))],
        ttl: 1,
        aliases: Vec::new(),
        authenticated: false,
    };
    let answers: Answers = [(question, Response::Records(set))].into_iter().collect();
    let text = Recording::from(answers.clone()).to_string();
    assert_eq!(Recording::parse(&text).unwrap().answers(), &answers);
}
