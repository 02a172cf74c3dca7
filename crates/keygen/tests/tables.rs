//! The cases of `testdata/keygen/published/` and `tables/`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use mailproof_dkim::PrivateKey;
use mailproof_keygen::{DataSetKind, KeyCheck, KeyTable, SigningTable, TableError};
use mailproof_testkit::{Answer, Case, run, testdata};
use serde::Deserialize;

#[derive(Deserialize)]
struct Own<I, E> {
    input: I,
    expect: E,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

#[derive(Deserialize)]
struct Published {
    result: String,
    cause: String,
}

#[test]
fn published() {
    run("keygen/published", |case: &Case<Own<Key, Published>>| {
        let octets = fs::read(testdata("keys").join(&case.own.input.key)).unwrap();
        let key = PrivateKey::parse(&octets).unwrap();
        let (domain, selector) = ("example.com".parse().unwrap(), "s".parse().unwrap());
        let check = KeyCheck::new(&key, domain, selector).unwrap();
        let publication = case.zone.resolve(|answers| check.run(answers));
        let (result, cause) = (publication.result().keyword(), publication.cause.keyword());
        let Published { result: expected, cause: why } = &case.own.expect;
        Answer { expected: format!("{expected}, {why}"), got: format!("{result}, {cause}") }
    });
}

#[derive(Deserialize)]
struct Table {
    table: String,
    kind: String,
    text: String,
    author: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    keys: Vec<String>,
    signers: Vec<String>,
    warnings: Vec<String>,
    error: Option<String>,
}

fn signing(kind: DataSetKind, text: &str, author: &str) -> Result<Said, TableError> {
    let table = SigningTable::parse(kind, text)?;
    let matches = || table.matches(author);
    Ok(Said {
        keys: matches().map(|found| found.key_name).collect(),
        signers: matches().filter_map(|found| found.signer).collect(),
        warnings: table.warnings().iter().map(ToString::to_string).collect(),
        error: None,
    })
}

fn keys(kind: DataSetKind, text: &str, author: &str) -> Result<Said, TableError> {
    let table = KeyTable::parse(kind, text)?;
    let author = author.rsplit('@').next().unwrap().parse().unwrap_or(mailproof_dns::Name::root());
    let keys = table.entries().iter().map(|entry| {
        let file = entry.path(&author).map_or("-".into(), |path| path.display().to_string());
        format!("{} {} {} {file}", entry.name, entry.domain(&author), entry.selector)
    });
    let warnings = table.warnings().iter().map(ToString::to_string).collect();
    Ok(Said { keys: keys.collect(), warnings, ..Said::default() })
}

#[test]
fn tables() {
    run("keygen/tables", |case: &Case<Own<Table, Said>>| {
        let Table { table, kind, text, author } = &case.own.input;
        let kind = match kind.as_str() {
            "csl" => DataSetKind::List,
            "refile" => DataSetKind::Refile,
            _ => DataSetKind::File,
        };
        let author = author.as_deref().unwrap_or_default();
        let said = match table.as_str() {
            "signing" => signing(kind, text, author),
            _ => keys(kind, text, author),
        };
        let said =
            said.unwrap_or_else(|error| Said { error: Some(error.to_string()), ..Said::default() });
        Answer { expected: format!("{:#?}", case.own.expect), got: format!("{said:#?}") }
    });
}
