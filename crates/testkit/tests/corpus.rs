//! Every kind of case in the corpus reads: names, reasons, sections, zones, messages.
#![allow(clippy::unwrap_used, reason = "tests")]

use mailproof_testkit::{Case, read, testdata};
use std::fs;
use toml::Value;

/// Any crate's own part.
#[derive(serde::Deserialize)]
struct Any {
    #[serde(rename = "input")]
    _input: Option<Value>,
    #[serde(rename = "expect")]
    _expect: Value,
}

#[test]
fn every_kind_reads() {
    for entry in fs::read_dir(testdata("")).unwrap() {
        let kind = entry.unwrap().path();
        let has_cases = kind.is_dir()
            && fs::read_dir(&kind)
                .unwrap()
                .any(|file| file.unwrap().path().extension().is_some_and(|end| end == "toml"));
        if has_cases {
            let cases: Vec<Case<Any>> = read(&kind).unwrap_or_else(|error| panic!("{error}"));
            println!("{}: {} cases", kind.display(), cases.len());
        }
    }
}
