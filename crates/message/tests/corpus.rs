//! `testdata/message`: the Author Domain, and the fields of odd header sections.
#![allow(clippy::unwrap_used, reason = "tests")]

use mailproof_message::{Field, Header, author_domain, split};
use mailproof_testkit::{Answer, Case, run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Own {
    #[serde(default)]
    input: Input,
    expect: Expect,
}

/// The value of a single From field, or a header section; else the message beside the case.
#[derive(Default, Deserialize)]
struct Input {
    from: Option<String>,
    header: Option<String>,
}

#[derive(Deserialize)]
struct Expect {
    result: String,
    cause: Option<String>,
    #[serde(default)]
    domains: Vec<String>,
    /// The names of the fields, empty for a malformed one.
    fields: Option<Vec<String>>,
    /// What is wrong, each as `kind@position`.
    defects: Option<Vec<String>>,
}

fn header(case: &Case<Own>) -> Header {
    match &case.own.input {
        Input { from: Some(value), .. } => Header::parse(format!("From: {value}\r\n")),
        Input { header: Some(text), .. } => Header::parse(text.as_bytes()),
        Input { .. } => split(case.message.as_ref().unwrap()).0,
    }
}

fn names<'a>(fields: impl Iterator<Item = Field<'a>>) -> Vec<String> {
    fields.map(|field| field.name().unwrap_or_default().escape_ascii().to_string()).collect()
}

#[test]
fn corpus() {
    run("message", |case: &Case<Own>| {
        let Expect { result, cause, domains, fields, defects } = &case.own.expect;
        let header = header(case);
        let author = author_domain(&header);
        let named = fields.as_ref().map(|_| names(header.fields()));
        let found = defects.as_ref().map(|_| {
            let defects = header.defects().iter();
            defects.map(|it| format!("{}@{}", it.kind.keyword(), it.position)).collect::<Vec<_>>()
        });
        Answer {
            expected: format!("{result} {:?} {domains:?} {fields:?} {defects:?}", cause.as_deref()),
            got: format!(
                "{} {:?} {:?} {named:?} {found:?}",
                author.keyword(),
                author.cause(),
                author.domains()
            ),
        }
    });
}
