//! The cases of `testdata/keygen/`. Those of `opendkim/` are for the tool: they have its options.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;

use mailproof_keygen::{Form, KeyPair, KeyText, Owner, Record, Tags};
use mailproof_testkit::{Answer, Case, run, testdata};
use serde::Deserialize;

#[derive(Deserialize)]
struct Own {
    input: Input,
    /// The text of each form, by its keyword.
    expect: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Input {
    key: String,
    selector: String,
    domain: String,
    origin: Option<String>,
    /// Where a CNAME record points, in place of the key.
    cname: Option<String>,
    ttl: Option<u32>,
    note: Option<String>,
    hash_algorithms: Option<String>,
    #[serde(default)]
    testing: bool,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    email_only: bool,
    #[serde(default)]
    revoked: bool,
}

fn record(input: &Input) -> Record {
    let key = KeyPair::parse(&fs::read(testdata("keys").join(&input.key)).unwrap()).unwrap();
    let (selector, domain) = (input.selector.parse().unwrap(), input.domain.parse().unwrap());
    let owner = match &input.origin {
        Some(zone) => Owner::of_key_in(&selector, &domain, &zone.parse().unwrap()).unwrap(),
        None => Owner::of_key(&selector, Some(&domain)),
    };
    let tags = Tags {
        note: input.note.clone(),
        hash_algorithms: input.hash_algorithms.as_ref().map(|list| list.parse().unwrap()),
        testing: input.testing,
        strict: input.strict,
        email_only: input.email_only,
    };
    let text = match input.revoked {
        true => KeyText::revoked(key.key_type()),
        false => KeyText::new(&tags, &key),
    };
    let mut record = match &input.cname {
        Some(target) => Record::cname(owner, target.parse().unwrap()),
        None => Record::txt(owner, text),
    };
    record.ttl = input.ttl.unwrap_or(record.ttl);
    record
}

#[test]
fn forms() {
    run("keygen/forms", |case: &Case<Own>| {
        let records = [record(&case.own.input)];
        let text = |form: Form| (form.keyword().to_owned(), form.print(&records).unwrap());
        let got: BTreeMap<String, String> = Form::ALL.into_iter().map(text).collect();
        let list = |texts: &BTreeMap<String, String>| {
            texts.iter().map(|(form, text)| format!("\n== {form}\n{text}")).collect::<String>()
        };
        Answer { expected: list(&case.own.expect), got: list(&got) }
    });
}
