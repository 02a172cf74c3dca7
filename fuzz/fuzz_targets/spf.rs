//! A record is printed and read again; any zone and any macro is evaluated within the limits, alike
//! in whatever order the answers come, and what leaves is safe.
#![no_main]

use mailproof_dns::{Answers, Data, Question, Response, resolve_blocking};
use mailproof_fuzz::Lines;
use mailproof_spf::{
    Checker, Limits, Outcome, ReceivedSpf, Request, check_host, parse, parse_all,
    parse_explain_string,
};

fn read(octets: &[u8]) {
    match (parse(octets), parse_all(octets)) {
        (Ok(record), Ok(all)) => {
            assert_eq!(record, all);
            let printed = record.to_string();
            assert_eq!(parse(printed.as_bytes()).unwrap().to_string(), printed);
        }
        (Err(error), Err(errors)) => {
            assert_eq!(errors.first(), Some(&error));
            assert!(errors.into_iter().all(|error| octets.get(error.span).is_some()));
        }
        (one, all) => panic!("{one:?} {all:?}"),
    }
    if let Ok(text) = parse_explain_string(octets) {
        assert_eq!(parse_explain_string(text.to_string().as_bytes()).unwrap(), text);
    }
}

/// One answer at a time, with the parsed records kept.
fn one_by_one(request: &Request, lookup: impl Fn(&Question) -> Response) -> Outcome {
    let (mut answers, mut checker) = (Answers::new(), Checker::default());
    loop {
        match checker.check_host(request, &answers) {
            Ok(outcome) => return outcome,
            Err(missing) => {
                let question = missing.into_questions().pop().unwrap();
                answers.insert(question.clone(), lookup(&question));
            }
        }
    }
}

fn evaluate(request: &Request, lookup: impl Fn(&Question) -> Response) {
    let limits = Limits::default();
    let is_plain = |octet: &u8| (b' '..=b'~').contains(octet);
    let checked = |question: &Question| {
        assert!(question.name.labels().flatten().all(is_plain), "{question}");
        lookup(question)
    };
    let outcome = resolve_blocking(checked, |answers| check_host(request, answers));
    assert_eq!(outcome, one_by_one(request, &lookup));
    assert!(outcome.counts.terms <= limits.terms && outcome.counts.queries <= limits.queries);
    if let Some(explanation) = &outcome.explanation {
        assert!(explanation.text.len() <= limits.explanation_octets);
        assert!(explanation.text.as_bytes().iter().all(is_plain));
    }
    let field = ReceivedSpf::new(request, &outcome);
    assert!(field.to_string().split("\r\n").flat_map(str::as_bytes).all(is_plain));
    assert_eq!(ReceivedSpf::parse(field.body().as_bytes()).unwrap().result, outcome.result);
}

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let zone = Lines(octets.split(|octet| *octet == b'\n').collect());
    zone.0.iter().for_each(|line| read(line));
    let first = zone.0.first().copied().unwrap_or_default();
    let sender = format!("{}@a.example", String::from_utf8_lossy(first));
    let request = Request::mail_from([192, 0, 2, 1].into(), "mail.example.com", &sender);
    evaluate(&request, |question| zone.lookup(question));
    // The line as an argument and as an explanation, in which letters differ.
    let record = [b"v=spf1 -exists:".as_slice(), first, b" exp=exp.example -all"].concat();
    evaluate(&request, |question| match question.name.to_string().as_str() {
        "a.example" => Response::records([Data::txt(&record)]),
        "exp.example" => Response::records([Data::txt(first)]),
        _ => zone.lookup(question),
    });
});
