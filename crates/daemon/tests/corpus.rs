//! The cases of `testdata/config/`: what is found in a configuration, and what it decides; and that
//! it decides the same after it was converted.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;
use std::path::Path;

use mailproof_daemon::postfix::{MainCf, check};
use mailproof_daemon::{
    Client, Config, Decision, Draft, Files, Finding, Severity, Steps, to_toml, toml_file,
};
use mailproof_testkit::{Answer, Case, run, testdata};
use serde::Deserialize;

#[derive(Deserialize)]
struct Own {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
struct Input {
    /// The copy of a host.
    root: String,
    files: Vec<String>,
    postfix: Option<String>,
    #[serde(default)]
    mail: Vec<Mail>,
}

#[derive(Deserialize)]
struct Mail {
    from: String,
    ip: Option<IpAddr>,
    host: Option<String>,
    #[serde(default)]
    auth: bool,
}

#[derive(Deserialize)]
struct Expect {
    findings: Vec<String>,
    #[serde(default)]
    decisions: Vec<String>,
}

fn decisions(config: &Config, mail: &[Mail]) -> Vec<String> {
    let each = mail.iter().map(|mail| {
        let client = Client {
            ip: mail.ip,
            name: mail.host.as_deref(),
            authenticated: mail.auth,
            ..Client::default()
        };
        let by_listener = config.settings.listeners.iter().map(|listener| {
            let mut steps = Steps::default();
            match config.decide(&listener.roles, &client, Some(&mail.from), &[], &mut steps) {
                Decision::Sign(keys) => keys
                    .iter()
                    .map(|key| format!("sign d={} s={}", key.domain, key.selector))
                    .collect::<Vec<_>>()
                    .join(" "),
                Decision::CannotSign(_) => "cannot sign".to_owned(),
                Decision::Verify => "verify".to_owned(),
                Decision::Pass(reason) => format!("pass: {reason}"),
            }
        });
        by_listener.collect::<Vec<_>>().join(", ")
    });
    each.collect()
}

/// As a line of the case: severity, rule and place.
fn line(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!(" {place}")).unwrap_or_default();
    format!("{} {}{place}", finding.severity, finding.rule)
}

fn answer(case: &Case<Own>) -> Answer {
    let Own { input, expect } = &case.own;
    let files = Files::below(testdata("config").join(&input.root));
    let paths: Vec<&Path> = input.files.iter().map(Path::new).collect();
    let draft = Draft::load(&paths, &files).unwrap();
    let (config, resolved) = Config::resolve(draft.settings, &draft.origins, &files);
    let mut findings = draft.findings;
    findings.extend(resolved);
    if let Some(postfix) = &input.postfix {
        let text = files.text(Path::new(postfix)).unwrap();
        let master = files.text(&Path::new(postfix).with_file_name("master.cf")).ok();
        findings.extend(check(&MainCf::parse(postfix, &text), master.as_deref(), &config));
    }
    let mut lines: Vec<String> = findings.iter().map(line).collect();
    lines.sort();
    let mut expected = expect.findings.clone();
    expected.sort();
    let decided = decisions(&config, &input.mail);
    assert_eq!(converted(&config, &findings, &files, &input.mail), decided, "{}", case.name);
    let print = |findings: &[String], decisions: &[String]| {
        format!("{}\n{}\n", findings.join("\n"), decisions.join("\n"))
    };
    Answer { expected: print(&expected, &expect.decisions), got: print(&lines, &decided) }
}

/// The decisions of the same configuration, written as TOML and read again.
fn converted(config: &Config, findings: &[Finding], files: &Files, mail: &[Mail]) -> Vec<String> {
    let text = to_toml(&config.settings, findings).unwrap();
    let (settings, origins) = toml_file::parse("mailproofd.toml", &text).unwrap();
    assert_eq!(settings, config.settings, "{text}");
    let (again, more) = Config::resolve(settings, &origins, files);
    let errors = |findings: &[Finding]| {
        findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    };
    assert!(errors(&more) <= errors(findings), "{more:?}");
    decisions(&again, mail)
}

#[test]
fn corpus() {
    run("config", answer);
}
