//! The SPF cases of the corpus through the front door of `spfquery`, with a real DNS server on
//! loopback: the public suite of RFC 7208 among them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use mailproof_testkit::{Answer, Case, Server, cases, run};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Spf {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
struct Input {
    ip: String,
    helo: String,
    mail_from: Option<String>,
    receiver: Option<String>,
}

#[derive(Deserialize)]
struct Expect {
    result: OneOf,
    cause: String,
    /// The kind of a syntax error, of which spfquery has the sentence only.
    #[serde(rename = "error")]
    _error: Option<String>,
    /// The owner of the record and the term that decided, as `example.com: -all`.
    term: Option<String>,
    /// Empty: there is none.
    explanation: Option<String>,
    terms: Option<u64>,
    void_lookups: Option<u64>,
    queries: Option<u64>,
}

/// The results a case accepts.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOf {
    One(String),
    Several(Vec<String>),
}

#[test]
fn spfquery_answers_as_the_corpus_says() {
    let answers = answers(&cases("spf"));
    run("spf", |case: &Case<Spf>| {
        let (expect, found) = (&case.own.expect, &answers[&case.name]);
        let accepted = match &expect.result {
            OneOf::One(result) => std::slice::from_ref(result),
            OneOf::Several(results) => results,
        };
        let result = accepted.iter().find(|result| found["result"] == ***result);
        let result = result.unwrap_or(&accepted[0]);
        let mut pairs =
            vec![("result", Value::from(result.as_str())), ("cause", expect.cause.as_str().into())];
        pairs.extend(expect.explanation.as_ref().map(|text| {
            let none = text.is_empty();
            ("explanation", if none { Value::Null } else { text.as_str().into() })
        }));
        pairs.extend(expect.terms.map(|terms| ("terms", terms.into())));
        pairs.extend(expect.void_lookups.map(|lookups| ("void_lookups", lookups.into())));
        pairs.extend(expect.queries.map(|queries| ("queries", queries.into())));
        let term = &found["why"]["term"];
        let term = match (term["owner"].as_str(), term["text"].as_str()) {
            (Some(owner), Some(text)) => format!("{owner}: {text}"),
            _ => String::new(),
        };
        let got = pairs.iter().map(|(name, _)| format!("{name} {}", found[name]));
        let expected = pairs.iter().map(|(name, wanted)| format!("{name} {wanted}"));
        let (mut expected, mut got): (String, String) = (expected.collect(), got.collect());
        if let Some(wanted) = &expect.term {
            expected.push_str(wanted);
            got.push_str(&term);
        }
        Answer { expected, got }
    });
}

/// What spfquery says about each case, by name; one run for all that share their DNS.
fn answers(cases: &[Case<Spf>]) -> BTreeMap<String, Value> {
    let mut runs: BTreeMap<_, Vec<&Case<Spf>>> = BTreeMap::new();
    for case in cases {
        let key = (&case.zone_text, &case.own.input.receiver, case.now.unwrap_or_default());
        runs.entry(key).or_default().push(case);
    }
    let mut answers = BTreeMap::new();
    for ((_, receiver, now), cases) in runs {
        let server = Server::start(cases[0].zone.clone()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_spfquery"));
        command.args(["--file", "-", "--format", "json", "--trace", "--query-timeout", "0.5"]);
        command.args(["--nameserver", &server.address().to_string(), "--now", &now.to_string()]);
        command.args(receiver.iter().flat_map(|receiver| ["--receiver", receiver]));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        for Case { own: Spf { input, .. }, .. } in &cases {
            let line = json!({"ip": input.ip, "helo": input.helo, "mail_from": input.mail_from});
            writeln!(stdin, "{line}").unwrap();
        }
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(schema::breaches("spfquery", &document), [""; 0]);
        let results = document["results"].as_array().unwrap();
        assert_eq!(results.len(), cases.len());
        let names = cases.iter().map(|case| case.name.clone());
        answers.extend(names.zip(results.iter().cloned()));
    }
    answers
}
