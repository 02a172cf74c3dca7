//! The DKIM cases of the corpus through the front door of `check-headers`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use mailproof_testkit::{Answer, Case, run};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dkim {
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    result: String,
    #[serde(rename = "cause")]
    _cause: String,
    #[serde(default)]
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    result: String,
    cause: String,
    domain: Option<String>,
    selector: Option<String>,
    algorithm: Option<String>,
    key_bits: Option<u64>,
    testing: Option<bool>,
}

#[test]
fn check_headers_answers_as_the_corpus_says() {
    let home = tempfile::tempdir().unwrap();
    run("dkim", |case: &Case<Dkim>| {
        let zone = home.path().join(&case.name);
        fs::write(&zone, format!("$ORIGIN .\n{}", case.zone_text)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_check-headers"))
            .args(["--only", "dkim", "--format", "json", "--now"])
            .arg(case.now.unwrap().to_string())
            .arg("--zone")
            .arg(&zone)
            .arg(case.file.with_extension("eml"))
            .output()
            .unwrap();
        fs::remove_file(&zone).unwrap();
        let expect = &case.own.expect;
        let (mut expected, mut got) = (String::new(), String::new());
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let code = output.status.code().unwrap();
        let breaches = schema::breaches("check-headers", &document);
        write!(got, "exit {code}, breaches {breaches:?}").unwrap();
        if expect.result == "none" && document["messages"][0]["error"].is_string() {
            // What has no header field is no message, let alone a signed one.
            return Answer { expected: "exit 2, breaches []".into(), got };
        }
        write!(expected, "exit {}, breaches []", exit_code(&expect.result)).unwrap();
        let signatures = document["messages"][0]["dkim"].as_array().unwrap();
        write!(expected, ", {} signatures", expect.signatures.len()).unwrap();
        write!(got, ", {} signatures", signatures.len()).unwrap();
        for (wanted, found) in expect.signatures.iter().zip(signatures) {
            let mut compare = |name: &str, wanted: Value| {
                write!(expected, ", {name} {wanted}").unwrap();
                write!(got, ", {name} {}", found[name]).unwrap();
            };
            compare("result", wanted.result.as_str().into());
            compare("cause", wanted.cause.as_str().into());
            for (name, wanted) in [
                ("domain", &wanted.domain),
                ("selector", &wanted.selector),
                ("algorithm", &wanted.algorithm),
            ] {
                if let Some(wanted) = wanted {
                    compare(name, wanted.as_str().into());
                }
            }
            if let Some(wanted) = wanted.testing {
                compare("testing", wanted.into());
            }
            if let Some(wanted) = wanted.key_bits {
                compare("key_bits", wanted.into());
            }
        }
        Answer { expected, got }
    });
}

fn exit_code(result: &str) -> i32 {
    match result {
        "pass" => 0,
        "temperror" => 3,
        _ => 1,
    }
}
