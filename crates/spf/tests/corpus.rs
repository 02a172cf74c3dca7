//! The cases of `testdata/spf/`.

mod case;

use case::Spf;
use mailproof_testkit::{Answer, Case, run};

/// What a case says about an outcome, as one line; what it does not say is left out of both.
#[test]
fn corpus() {
    run("spf", |case: &Case<Spf>| {
        let outcome = case::outcome(case);
        let expect = &case.own.expect;
        let (mut expected, mut got) = (Vec::new(), Vec::new());
        let mut compare = |name: &str, wanted: Option<String>, is: String| {
            if let Some(wanted) = wanted {
                expected.push(format!("{name} {wanted:?}"));
                got.push(format!("{name} {is:?}"));
            }
        };
        let result = outcome.result.to_string();
        compare("result", Some(expect.result.nearest(&result)), result);
        compare("cause", Some(expect.cause.clone()), outcome.cause.keyword().to_owned());
        compare("error", expect.error.clone(), case::syntax_error(&outcome.cause));
        let text = outcome.explanation.map(|explanation| explanation.text).unwrap_or_default();
        compare("explanation", expect.explanation.clone(), text);
        let term = outcome.term.map(|term| format!("{}: {}", term.owner, term.text));
        compare("term", expect.term.clone(), term.unwrap_or_default());
        let counts = outcome.counts;
        compare("terms", expect.terms.map(|n| n.to_string()), counts.terms.to_string());
        let voids = counts.void_lookups.to_string();
        compare("void lookups", expect.void_lookups.map(|n| n.to_string()), voids);
        compare("queries", expect.queries.map(|n| n.to_string()), counts.queries.to_string());
        Answer { expected: expected.join(", "), got: got.join(", ") }
    });
}
