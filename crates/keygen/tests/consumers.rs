//! The forms of `testdata/keygen/forms/` given to the programs they are for, where these are
//! installed; what is not is told on standard error.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::process::{Command, Output, Stdio};

use mailproof_testkit::cases;
use serde::Deserialize;
use tempfile::NamedTempFile;

#[derive(Deserialize)]
struct Own {
    #[serde(rename = "input")]
    _input: toml::Table,
    expect: BTreeMap<String, String>,
}

/// What a zone has to have beside the records.
const ZONE: &str = "$ORIGIN example.com.\n$TTL 3600\n\
                    @ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A 192.0.2.1\n";
/// The functions of a dnscontrol configuration.
const DNSCONTROL: &str = "\"use strict\";
function TTL(seconds) { return seconds; }
function TXT(name, text, ttl) { return [name, text, ttl]; }
function CNAME(name, target, ttl) { return [name, target, ttl]; }
function D_EXTEND(zone, ...records) {
  if (zone !== \"example.com\" || records.length !== 1) throw zone;
  process.stdout.write(records[0][1] + \"\\n\");
}
";

/// What the program says of each text in this form; nothing, if it is not installed.
fn each(form: &str, program: &str, run: impl Fn(&str) -> std::io::Result<Output>) {
    for case in cases::<Own>("keygen/forms") {
        let name = &case.name;
        match run(case.own.expect.get(form).unwrap()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                eprintln!("SKIPPED: {program} is not installed, so nobody reads the form {form}");
                return;
            }
            output => {
                let output = output.unwrap();
                assert!(output.status.success(), "{form}, case {name}: {output:?}");
                if form == "dnscontrol" {
                    let text = String::from_utf8(output.stdout).unwrap();
                    let expected = case.own.expect.get("single-line").unwrap();
                    assert_eq!(text.trim_end().trim_end_matches('.'), expected.trim_end());
                }
            }
        }
    }
}

fn with_input(program: &str, arguments: &[&str], input: &str) -> std::io::Result<Output> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().unwrap().write_all(input.as_bytes())?;
    child.wait_with_output()
}

#[test]
fn zones() {
    for form in ["bind", "nsd"] {
        for program in ["named-checkzone", "nsd-checkzone"] {
            each(form, program, |text| {
                let mut file = NamedTempFile::new().unwrap();
                file.write_all(format!("{ZONE}{text}").as_bytes()).unwrap();
                Command::new(program).arg("example.com").arg(file.path()).output()
            });
        }
    }
}

#[test]
fn terraform() {
    each("terraform", "terraform", |text| {
        with_input("terraform", &["fmt", "-check", "-diff", "-"], text)
    });
}

#[test]
fn dnscontrol() {
    each("dnscontrol", "node", |text| with_input("node", &["-"], &format!("{DNSCONTROL}{text}")));
}
