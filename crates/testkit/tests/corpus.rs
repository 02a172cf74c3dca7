//! Every kind of case in the corpus reads, and the cases that comments name are there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use mailproof_testkit::{Case, read, testdata};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use toml::Value;

/// Any crate's own part.
#[derive(serde::Deserialize)]
struct Any {
    #[serde(rename = "input")]
    _input: Option<Value>,
    #[serde(rename = "expect")]
    _expect: Value,
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// Below it are manifests of check-dns, which are no cases.
const MANIFESTS: &str = "records/guides";

/// The names of the cases below a directory.
fn collect_names(directory: &Path, names: &mut BTreeSet<String>) {
    let entries = entries(directory);
    if entries.iter().any(|path| is(path, "toml")) {
        let cases: Vec<Case<Any>> = read(directory).unwrap_or_else(|error| panic!("{error}"));
        names.extend(cases.into_iter().map(|case| case.name));
    }
    for path in entries.iter().filter(|path| path.is_dir()) {
        if path.ends_with("private") || path.ends_with(MANIFESTS) {
            continue;
        }
        collect_names(path, names);
    }
}

/// Calls `line` with every line of the Rust files below.
fn lines(directory: &Path, line: &mut impl FnMut(&Path, &str)) {
    for path in entries(directory) {
        if path.is_dir() {
            lines(&path, line);
        } else if is(&path, "rs") {
            fs::read_to_string(&path).unwrap().lines().for_each(|text| line(&path, text));
        }
    }
}

#[test]
fn every_kind_reads_and_every_case_named_in_a_comment_exists() {
    let mut names = BTreeSet::new();
    collect_names(&testdata(""), &mut names);
    let mut missing = String::new();
    for package in entries(&testdata("../crates")) {
        lines(&package.join("src"), &mut |path, line| {
            let named = line.split_once("//").and_then(|(_, comment)| comment.split_once("Case: "));
            if let Some(name) = named.and_then(|(_, rest)| rest.strip_suffix('.'))
                && !names.contains(name)
            {
                missing += &format!("\n{}: {name}", path.display());
            }
        });
    }
    assert!(missing.is_empty(), "comments name cases that do not exist:{missing}");
}
