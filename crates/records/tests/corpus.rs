//! The cases of `testdata/records/`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod case;

use std::collections::BTreeSet;

use case::Records;
use mailproof_records::{Finding, rules};
use mailproof_testkit::{Answer, Case, cases, run};

#[test]
fn corpus() {
    run("records", |case: &Case<Records>| {
        let report = case::report(case);
        let expect = &case.own.expect;
        let level = expect.level(&case.own.input);
        let found = |id: &str| report.findings.iter().any(|finding| finding.rule.id == id);
        let missing = expect.present.iter().filter(|id| !found(id)).map(|id| format!("no {id}"));
        let wrong = expect.absent.iter().filter(|id| found(id)).map(|id| format!("unwanted {id}"));
        let mut got: Vec<String> = report
            .findings
            .iter()
            .filter(|finding| finding.severity >= level)
            .map(|finding| shown(finding, &expect.findings))
            .chain(missing)
            .chain(wrong)
            .collect();
        let mut expected = expect.findings.clone();
        got.sort();
        expected.sort();
        if let Some(wanted) = expect.spf {
            let is = report.spf.map(|spf| [spf.lookups, spf.void]);
            expected.push(format!("{:?}", Some(wanted)));
            got.push(format!("{is:?}"));
        }
        Answer { expected: expected.join(", "), got: got.join(", ") }
    });
}

/// A finding as the case writes it: with its span if the case has spans for the rule.
fn shown(finding: &Finding, expected: &[String]) -> String {
    let id = finding.rule.id;
    let has_span = expected.iter().any(|text| text.strip_prefix(id).is_some_and(|s| !s.is_empty()));
    match (&finding.span, has_span) {
        (Some(span), true) => format!("{id} {}..{}", span.start, span.end),
        _ => id.to_owned(),
    }
}

/// What is seen only in a zone file, a key file or a lock file: the tests of check-dns have these.
const BY_THE_TOOL: [&str; 5] = ["DNS001", "DNS008", "DKIM025", "SPF071", "STS011"];

#[test]
fn every_rule_is_found_by_a_case_and_missed_by_another() {
    // MAILPROOF_CASE leaves cases out.
    if std::env::var_os("MAILPROOF_CASE").is_some() {
        return;
    }
    let cases = cases::<Records>("records");
    let expects = || cases.iter().map(|case| &case.own.expect);
    let id = |text: &String| text.split(' ').next().unwrap().to_owned();
    let positive: BTreeSet<String> = expects()
        .flat_map(|expect| expect.findings.iter().chain(&expect.present))
        .map(id)
        .collect();
    let negative: BTreeSet<String> = expects().flat_map(|expect| &expect.absent).map(id).collect();
    let without = |set: &BTreeSet<String>| -> Vec<&str> {
        let ids = rules().iter().map(|rule| rule.id).filter(|id| !BY_THE_TOOL.contains(id));
        ids.filter(|id| !set.contains(*id)).collect()
    };
    assert_eq!((without(&positive), without(&negative)), (vec![], vec![]));
}
