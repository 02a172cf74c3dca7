//! What a user of `check-dns` meets, beyond the corpus and the transcripts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]

mod schema;
mod xml;

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use mailproof_dns::Zone;
use mailproof_testkit::{Behaviour, Server, testdata};
use serde_json::Value;
use tempfile::TempDir;

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_check-dns"));
    command.stdin(Stdio::null()).env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command
}

fn check_dns(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", text(&output.stdout), text(&output.stderr)))
}

/// The ids of the findings.
fn rules(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

fn hostile() -> PathBuf {
    testdata("records/tool/hostile.zone")
}

fn healthy() -> String {
    testdata("records/tool/healthy.zone").to_str().unwrap().to_owned()
}

fn broken() -> String {
    testdata("records/tool/broken.zone").to_str().unwrap().to_owned()
}

#[test]
fn a_healthy_zone_has_no_finding() {
    let output = check_dns(&["--zone", &healthy(), "--offline", "--selector", "s2026"]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}{}", text(&output.stderr));
    assert!(
        printed.lines().last().unwrap().starts_with("All checks passed in 1 domain, "),
        "{printed}"
    );
}

#[test]
fn findings_point_into_the_zone_file() {
    let output = check_dns(&["--zone", &broken(), "--offline", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let document = json(&output);
    let findings = document["findings"].as_array().unwrap();
    let lookalike = findings.iter().find(|finding| finding["rule"] == "SPF011").unwrap();
    let line = lookalike["line"].as_u64().unwrap() as usize;
    let column = lookalike["column"].as_u64().unwrap() as usize;
    let zone = fs::read_to_string(broken()).unwrap();
    let line = zone.lines().nth(line - 1).unwrap();
    assert!(line[column - 1..].starts_with("ip4="), "{line}");
}

#[test]
fn every_json_obeys_its_schema() {
    for zone in [healthy(), broken(), hostile().to_str().unwrap().to_owned()] {
        let output = check_dns(&["--zone", &zone, "--offline", "--format", "json", "-v"]);
        assert_eq!(schema::breaches("check-dns", &json(&output)), [""; 0]);
        let output = check_dns(&["--zone", &zone, "--offline", "--format", "jsonl", "-v"]);
        let root = fs::read_to_string("../../docs/schema/check-dns.schema.json").unwrap();
        let root: Value = serde_json::from_str(&root).unwrap();
        for line in text(&output.stdout).lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let breaches = schema::breaches_of(&root, &root["$defs"]["line"], "line", &line);
            assert_eq!(breaches, [""; 0]);
        }
    }
}

#[test]
fn sarif_obeys_the_schema_of_oasis() {
    let root = fs::read_to_string(testdata("schema/sarif-2.1.0-rtm.5.json")).unwrap();
    let root: Value = serde_json::from_str(&root).unwrap();
    for zone in [healthy(), broken(), hostile().to_str().unwrap().to_owned()] {
        let output = check_dns(&["--zone", &zone, "--offline", "--format", "sarif", "-v"]);
        let document = json(&output);
        assert_eq!(schema::breaches_of(&root, &root, "sarif", &document), [""; 0]);
    }
    let output = check_dns(&["--zone", &broken(), "--offline", "--format", "sarif"]);
    let document = json(&output);
    let run = &document["runs"][0];
    let result = &run["results"][0];
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], result["ruleId"]);
    assert!(result["locations"][0]["physicalLocation"]["region"]["startLine"].is_u64());
    assert_eq!(result["level"], "error");
}

#[test]
fn junit_obeys_its_schema() {
    for zone in [healthy(), broken(), hostile().to_str().unwrap().to_owned()] {
        let output = check_dns(&["--zone", &zone, "--offline", "--format", "junit", "-v"]);
        let document = xml::parse(text(&output.stdout));
        assert_eq!(xml::breaches(&document), [""; 0]);
        for suite in &document.children {
            assert_eq!(suite.attributes["tests"], suite.children.len().to_string());
            let failures = suite
                .children
                .iter()
                .filter(|case| case.children.iter().any(|child| child.name == "failure"));
            assert_eq!(suite.attributes["failures"], failures.count().to_string());
        }
        xmllint(&output.stdout);
    }
}

/// Where it is installed, the real validator has its say.
fn xmllint(document: &[u8]) {
    let schema = testdata("schema/junit-10.xsd");
    let child = Command::new("xmllint")
        .args(["--noout", "--schema"])
        .arg(schema)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return };
    child.stdin.take().unwrap().write_all(document).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn annotations_stay_within_the_limits_of_github() {
    let home = TempDir::new().unwrap();
    let zone = home.path().join("zone");
    let mut lines = String::from("$ORIGIN example.com.\n@ SOA ns hostmaster 1 2 3 4 5\n");
    lines.push_str("example.com. TXT \"v=spf1");
    for number in 0..25 {
        lines.push_str(&format!(" ip4=192.0.2.{number}"));
    }
    lines.push_str(" -all\"\n");
    fs::write(&zone, lines).unwrap();
    let summary = home.path().join("summary.md");
    let output = command()
        .args(["--zone", zone.to_str().unwrap(), "--offline"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    let printed = text(&output.stdout);
    for kind in ["error", "warning", "notice"] {
        let command = format!("::{kind} ");
        let count = printed.lines().filter(|line| line.starts_with(&command)).count();
        assert!(count <= 10, "{count} of {kind}");
    }
    assert_eq!(printed.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    assert!(printed.contains("more, from"), "{printed}");
    assert!(printed.lines().filter(|line| line.contains("SPF011")).count() >= 25);
    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.matches("| error | SPF011 ").count() == 25, "{summary}");
}

#[test]
fn gitlab_has_what_gitlab_asks_for() {
    let output = check_dns(&["--zone", &broken(), "--offline", "--format", "gitlab"]);
    let issues = json(&output);
    let mut fingerprints = Vec::new();
    for issue in issues.as_array().unwrap() {
        assert!(issue["description"].is_string() && issue["check_name"].is_string());
        assert!(["info", "minor", "major"].contains(&issue["severity"].as_str().unwrap()));
        assert!(issue["location"]["lines"]["begin"].is_u64());
        fingerprints.push(issue["fingerprint"].as_str().unwrap());
    }
    let count = fingerprints.len();
    fingerprints.sort_unstable();
    fingerprints.dedup();
    assert_eq!((fingerprints.len(), count > 0), (count, true));
}

#[test]
fn a_dead_resolver_is_temporary_and_nothing_is_missing() {
    let begin = Instant::now();
    let output = check_dns(&[
        "--nameserver",
        "127.0.0.1:1",
        "--timeout",
        "1",
        "--query-timeout",
        "0.3",
        "--format",
        "json",
        "-v",
        "a.example",
        "b.example",
        "c.example",
    ]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let document = json(&output);
    for finding in document["findings"].as_array().unwrap() {
        let title = finding["message"].as_str().unwrap().to_lowercase();
        assert!(!title.contains("missing") && finding["severity"] != "error", "{finding}");
    }
    assert_eq!(document["summary"]["incomplete"], 3);
}

#[test]
fn a_silent_resolver_does_not_take_longer_for_many_domains() {
    // Nobody reads this socket: every question is met with silence.
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let home = TempDir::new().unwrap();
    let list = home.path().join("list");
    let domains: String = (0..2000).map(|number| format!("n{number}.example\n")).collect();
    fs::write(&list, domains).unwrap();
    let begin = Instant::now();
    let output = check_dns(&[
        "--nameserver",
        &address,
        "--timeout",
        "1",
        "--query-timeout",
        "0.5",
        "--domains",
        list.to_str().unwrap(),
        "--format",
        "jsonl",
    ]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output.stdout).lines().count(), 2000);
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}

#[test]
fn what_domains_share_is_asked_once() {
    let zone = "*.d.example. TXT \"v=spf1 include:_spf.provider.example -all\"\n\
                _spf.provider.example. TXT \"v=spf1 ip4:192.0.3.1 -all\"\n";
    let behaviour = Behaviour { delay: Duration::from_millis(20), ..Behaviour::default() };
    let server = Server::start_with(Zone::parse(zone).unwrap(), behaviour).unwrap();
    let home = TempDir::new().unwrap();
    let list = home.path().join("list");
    let domains: String = (0..100).map(|number| format!("n{number}.d.example\n")).collect();
    fs::write(&list, domains).unwrap();
    let begun = Instant::now();
    let output = check_dns(&[
        "--nameserver",
        &server.address().to_string(),
        "--domains",
        list.to_str().unwrap(),
        "--format",
        "jsonl",
    ]);
    let seconds = usize::try_from(begun.elapsed().as_secs()).unwrap();
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 100, "{}", text(&output.stderr));
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line["domain"], format!("n{number}.d.example"));
        assert_eq!(line["complete"], true);
    }
    let mut asked: HashMap<String, usize> = HashMap::new();
    for (_, question) in server.asked() {
        *asked.entry(question.to_string()).or_default() += 1;
    }
    // One asks for all of them, and again only what has had no answer for a second.
    let count = asked["_spf.provider.example TXT"];
    assert!((1..=1 + seconds).contains(&count), "{count} in {seconds} s");
}

#[test]
fn a_run_goes_on_where_it_stopped() {
    let zone = Zone::parse("*.d.example. TXT \"v=spf1 -all\"\n").unwrap();
    let server = Server::start(zone).unwrap();
    let home = TempDir::new().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let domains: String = (0..10).map(|number| format!("n{number}.d.example\n")).collect();
    fs::write(path("list"), domains).unwrap();
    let address = server.address().to_string();
    let all = ["--nameserver", &address, "--domains", &path("list"), "--format", "jsonl", "-v"];
    let whole = check_dns(&all);
    let lines: Vec<&str> = text(&whole.stdout).lines().collect();
    // Three lines are done, the fourth is cut off.
    let done = format!("{}\n{}\n{}\n{}", lines[0], lines[1], lines[2], &lines[3][..20]);
    fs::write(path("done"), &done).unwrap();
    let rest = check_dns(&[&all[..], &["--resume", &path("done")]].concat());
    let printed = text(&rest.stdout);
    assert!(printed.starts_with('\n'), "{printed}");
    let domains: Vec<Value> = printed[1..]
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["domain"].clone())
        .collect();
    assert_eq!(domains.len(), 7);
    assert_eq!(domains[0], "n3.d.example");
    let last = |output: &Output| text(&output.stderr).lines().last().unwrap().to_owned();
    assert_eq!(last(&rest), last(&whole));
    assert_eq!(rest.status.code(), whole.status.code());
    fs::write(path("done"), format!("{done}{printed}")).unwrap();
    let nothing = check_dns(&[&all[..], &["--resume", &path("done")]].concat());
    assert_eq!(text(&nothing.stdout), "");
}

#[test]
fn what_is_known_is_not_reported() {
    let home = TempDir::new().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let zone = broken();
    let base = ["--zone", &zone, "--offline", "--format", "json"];
    let first = check_dns(&[&base[..], &["--write-baseline", &path("baseline")]].concat());
    assert_eq!(first.status.code(), Some(1));
    let then = check_dns(&[&base[..], &["--baseline", &path("baseline")]].concat());
    assert_eq!(then.status.code(), Some(0));
    let document = json(&then);
    assert_eq!(rules(&document), [""; 0]);
    assert_eq!(document["summary"]["baseline"], rules(&json(&first)).len());
}

#[test]
fn a_suppression_has_a_reason_and_an_end() {
    let home = TempDir::new().unwrap();
    let manifest = home.path().join("mailproof.toml");
    fs::write(
        &manifest,
        "[[suppress]]\nrule = \"SPF011\"\nreason = \"known\"\nexpires = 2026-12-31\n",
    )
    .unwrap();
    let zone = broken();
    let run = |now: &str| {
        check_dns(&[
            "--zone",
            &zone,
            "--offline",
            "--format",
            "json",
            "--manifest",
            manifest.to_str().unwrap(),
            "--now",
            now,
        ])
    };
    let before = run("2026-12-31T12:00:00Z");
    assert!(!rules(&json(&before)).contains(&"SPF011".to_owned()));
    let after = run("2027-01-01T12:00:00Z");
    assert!(rules(&json(&after)).contains(&"SPF011".to_owned()));
    assert!(text(&after.stderr).contains("the suppression ended on 2026-12-31 (known)"));
}

#[test]
fn drift_from_the_lock_file_is_reported() {
    let home = TempDir::new().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let zone = fs::read_to_string(healthy()).unwrap();
    fs::write(path("zone"), &zone).unwrap();
    let (file, lock) = (path("zone"), path("lock"));
    let arguments = ["--zone", &file, "--offline", "--format", "json", "--lock", &lock];
    let run = |more: &[&str]| json(&check_dns(&[&arguments[..], more].concat()));
    assert!(!rules(&run(&[])).contains(&"SPF071".to_owned()));
    let written = fs::read_to_string(&lock).unwrap();
    assert!(!rules(&run(&[])).contains(&"SPF071".to_owned()));
    let changed = zone.replace("ip4:192.0.3.0/28", "ip4:192.0.3.0/27");
    assert_ne!(zone, changed);
    fs::write(path("zone"), changed).unwrap();
    let drifted = run(&[]);
    let drift = &drifted["findings"][0];
    assert_eq!((&drift["rule"], &drift["line"]), (&"SPF071".into(), &10.into()), "{drifted}");
    assert_eq!(fs::read_to_string(&lock).unwrap(), written);
    run(&["--update-lock"]);
    assert_ne!(fs::read_to_string(&lock).unwrap(), written);
    assert!(!rules(&run(&[])).contains(&"SPF071".to_owned()));
}

#[test]
fn what_is_outside_the_zone_is_asked_for() {
    let home = TempDir::new().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let zone = "$ORIGIN a.example.\n@ SOA ns hostmaster 1 2 3 4 5\n\
                @ TXT \"v=spf1 include:_spf.provider.example -all\"\n";
    fs::write(path("zone"), zone).unwrap();
    let outside = "_spf.provider.example. TXT \"v=spf1 ip4=192.0.3.1 -all\"\n\
                   a.example. TXT \"never asked\"\n";
    let server = Server::start(Zone::parse(outside).unwrap()).unwrap();
    let address = server.address().to_string();
    let zone = path("zone");
    let live = check_dns(&[
        "--zone",
        &zone,
        "--nameserver",
        &address,
        "--record",
        &path("answers"),
        "--format",
        "json",
        "--select",
        "SPF",
    ]);
    let asked: Vec<String> =
        server.asked().into_iter().map(|(_, question)| question.name.to_string()).collect();
    assert!(asked.contains(&"_spf.provider.example".to_owned()));
    assert!(!asked.iter().any(|name| name.ends_with("a.example")), "{asked:?}");
    let replayed = check_dns(&[
        "--zone",
        &zone,
        "--replay",
        &path("answers"),
        "--format",
        "json",
        "--select",
        "SPF",
    ]);
    assert_eq!(text(&live.stdout), text(&replayed.stdout));
}

#[test]
fn hostile_zones_are_bounded_and_escaped() {
    let zone = hostile().to_str().unwrap().to_owned();
    for format in ["full", "concise", "json", "sarif", "junit", "github", "gitlab", "markdown"] {
        let begin = Instant::now();
        let output = check_dns(&["--zone", &zone, "--offline", "--format", format, "-v"]);
        assert!(begin.elapsed() < Duration::from_secs(10), "{format}: {:?}", begin.elapsed());
        assert!(output.status.code().is_some_and(|code| code != 101), "{format}");
        let printed = text(&output.stdout);
        assert!(!printed.contains(['\x1b', '\u{202e}', '\u{9b}', '\x07']), "{format}");
        assert!(printed.len() < 4 << 20, "{format}: {} octets", printed.len());
        assert!(!printed.lines().any(|line| line.starts_with("::set-output")), "{format}");
    }
}

#[test]
fn a_domain_that_nothing_is_known_of_has_not_passed() {
    let output = check_dns(&["--zone", &healthy(), "--offline", "elsewhere.example"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("elsewhere.example: it lies outside the zone files"));
}

#[test]
fn a_sample_message_names_domain_and_selector() {
    let home = TempDir::new().unwrap();
    let message = home.path().join("sample.eml");
    let field = "DKIM-Signature: v=1; a=rsa-sha256; d=healthy.example; s=other; h=from;\r\n \
                 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=AAAA\r\nFrom: a@b.example\r\n\r\n";
    fs::write(&message, field).unwrap();
    let output = check_dns(&[
        "--zone",
        &healthy(),
        "--offline",
        "--format",
        "json",
        "--message",
        message.to_str().unwrap(),
    ]);
    let document = json(&output);
    assert_eq!(document["domains"][0]["domain"], "healthy.example");
    let missing = document["findings"].as_array().unwrap().iter().any(|finding| {
        finding["rule"] == "DKIM001" && finding["name"] == "other._domainkey.healthy.example"
    });
    assert!(missing, "{document}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = command()
        .args(["rules", "--format", "markdown"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn init_writes_a_manifest_that_holds() {
    let home = TempDir::new().unwrap();
    let manifest = home.path().join("mailproof.toml");
    let (zone, path) = (healthy(), manifest.to_str().unwrap());
    let arguments = ["init", "healthy.example", "--zone", &zone, "--selector", "s2026"];
    let output = check_dns(&[&arguments[..], &["--output", path]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let written = fs::read_to_string(&manifest).unwrap();
    assert!(written.contains("[domains.\"healthy.example\"]"), "{written}");
    assert!(written.contains("dmarc = \"reject\""), "{written}");
    assert!(written.contains("selectors = [\"s2026\"]"), "{written}");
    let again = check_dns(&[&arguments[..], &["--output", path]].concat());
    assert_eq!(again.status.code(), Some(2));
    let checked = check_dns(&["--manifest", path, "--zone", &zone, "--offline"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
}

#[test]
fn the_git_hook_stops_a_commit_of_a_broken_zone() {
    let home = TempDir::new().unwrap();
    let git = |arguments: &[&str]| {
        let programs = Path::new(env!("CARGO_BIN_EXE_check-dns")).parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap();
        Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(arguments)
            .current_dir(home.path())
            .env("PATH", format!("{}:{path}", programs.display()))
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .output()
    };
    // Where git is not installed there are no commits to stop.
    let Ok(output) = git(&["init", "-q"]) else { return };
    assert!(output.status.success());
    let hook = home.path().join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::copy("../../packaging/pre-commit/check-dns", &hook).unwrap();
    let commit = |zone: &str, name: &str| {
        fs::create_dir_all(home.path().join("zones")).unwrap();
        fs::copy(zone, home.path().join("zones").join(name)).unwrap();
        git(&["add", "."]).unwrap();
        git(&["commit", "-q", "-m", "zone"]).unwrap()
    };
    let output = commit(&healthy(), "db.healthy.example");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let output = commit(&broken(), "broken.zone");
    assert!(!output.status.success());
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(said.contains("zones/broken.zone:8:"), "{said}");
}

/// The last step of the action, done as a runner does it: its script in bash, its inputs in the
/// environment, the program where the step before installs it.
fn github_action(inputs: &[(&str, &str)]) -> (Option<i32>, String, TempDir) {
    let action = fs::read_to_string("../../packaging/github-action/action.yml").unwrap();
    let (_, step) = action.split_once("    - id: check\n").unwrap();
    let (environment, script) = step.split_once("      run: |\n").unwrap();
    let home = TempDir::new().unwrap();
    let programs = home.path().join(".cache/check-dns/bin");
    fs::create_dir_all(&programs).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_check-dns"), programs.join("check-dns"))
        .unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(home.path());
    bash.env("HOME", home.path()).env("GITHUB_ACTIONS", "true").stdin(Stdio::null());
    for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        bash.env(name, home.path().join(name));
    }
    for line in environment.lines() {
        if let Some((variable, input)) = line.trim().split_once(": ${{ inputs.") {
            let value = inputs.iter().find(|(name, _)| input.trim_end_matches(" }}") == *name);
            bash.env(variable, value.map_or("", |(_, value)| value));
        }
    }
    let output = bash.output().unwrap();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    (output.status.code(), said, home)
}

#[test]
fn the_github_action_annotates_and_fails() {
    let (code, said, home) = github_action(&[
        ("zones", &broken()),
        ("offline", "true"),
        ("sarif", "findings.sarif"),
        // What is written into an input is never run.
        ("arguments", "--verbose --ignore $(touch${IFS}run)"),
    ]);
    assert_eq!(code, Some(2), "{said}");
    assert!(!home.path().join("run").exists(), "{said}");
    let (code, said, home) =
        github_action(&[("zones", &broken()), ("offline", "true"), ("sarif", "findings.sarif")]);
    assert_eq!(code, Some(1), "{said}");
    let read = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
    assert!(said.contains("::error file=") && said.contains(",line=8,"), "{said}");
    assert_eq!(read("GITHUB_OUTPUT"), "exit-code=1\n");
    assert!(read("GITHUB_STEP_SUMMARY").contains("SPF"));
    let sarif: Value = serde_json::from_str(&read("findings.sarif")).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let (code, said, _) = github_action(&[("zones", &healthy()), ("offline", "true")]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn the_templates_name_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let template = fs::read_to_string("../../packaging/gitlab/check-dns.gitlab-ci.yml").unwrap();
    assert!(template.contains(&format!("default: {version}\n")));
    let page = fs::read_to_string("../../docs/check-dns.md").unwrap();
    assert!(page.contains(&format!("packaging/github-action@v{version}\n")));
}

/// One guide: its zone, its manifest, and what must be found.
fn guide(zone: &Path) {
    let expected = fs::read_to_string(zone.with_extension("expected")).unwrap();
    let manifest = zone.with_extension("toml");
    let output = check_dns(&[
        "--zone",
        zone.to_str().unwrap(),
        "--manifest",
        manifest.to_str().unwrap(),
        "--offline",
        "--format",
        "json",
        "-v",
    ]);
    let document = json(&output);
    let mut found: Vec<(String, bool)> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let word = |key: &str| finding[key].as_str().unwrap();
            let line = format!("{} {} {}", word("rule"), word("name"), word("rrtype"));
            (line, word("severity") == "error")
        })
        .collect();
    let name = zone.display();
    for line in expected.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let before = found.len();
        found.retain(|(found, _)| found != line);
        assert!(found.len() < before, "{name}: {line} is not among {found:#?}");
    }
    let errors: Vec<&String> =
        found.iter().filter(|(_, is_error)| *is_error).map(|(line, _)| line).collect();
    assert!(errors.is_empty(), "{name}: right parts raise {errors:#?}");
}

#[test]
fn every_mistake_of_the_guides_is_found() {
    let mut zones: Vec<PathBuf> = fs::read_dir(testdata("records/guides"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zone"))
        .collect();
    zones.sort();
    assert!(zones.len() >= 5);
    zones.iter().for_each(|zone| guide(zone));
}

#[test]
fn reports_greetings_people_and_thresholds() {
    let home = TempDir::new().unwrap();
    let zone = "$ORIGIN example.com.\n@ SOA ns1 h 1 1 1 1 1\n@ TXT \"v=spf1 ip4:9.9.0.0/20 -all\"\n\
                _dmarc TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"\n\
                s1._domainkey TXT \"v=DKIM1; k=ed25519; \" \
                \"p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\nmail A 9.9.9.9\n";
    let report = "<feedback><report_metadata><date_range><begin>1700000000</begin>\
                  <end>1700900000</end></date_range></report_metadata>\
                  <policy_published><domain>example.com</domain></policy_published>\
                  <record><auth_results><dkim><domain>example.com</domain>\
                  <selector>s1</selector><result>pass</result></dkim></auth_results></record>\
                  </feedback>";
    let manifest = "fail-on = 'never'\nspf-ipv4-prefix = 24\n[domains.'example.com']\n\
                    people = true\nhelo = { '9.9.9.9' = 'mail.example.com' }\n\
                    dmarc-reports = ['report.xml']\n";
    for (name, content) in [("zone", zone), ("report.xml", report), ("mailproof.toml", manifest)] {
        fs::write(home.path().join(name), content).unwrap();
    }
    let run = |arguments: &[&str]| {
        let common = ["--zone", "zone", "--offline", "--format", "json", "-v"];
        let output = command().current_dir(home.path()).args(common).args(arguments).output();
        json(&output.unwrap())
    };
    let document = run(&[]);
    let found = rules(&document);
    for rule in ["SPF061", "DMARC046"] {
        assert!(found.contains(&rule.to_owned()), "{rule} is not in {found:?}");
    }
    for rule in ["PTR004", "DKIM027", "DKIM001", "DKIM002"] {
        assert!(!found.contains(&rule.to_owned()), "{rule} is in {found:?}");
    }
    let domain = &document["domains"][0];
    assert_eq!(domain["selectors"][0]["selector"], "s1");
    assert_eq!(domain["selectors"][0]["key"], "ed25519");
    assert_eq!(domain["dmarc"]["rfc9989"], "reject");
    assert_eq!(domain["spf"]["tree"][0]["name"], "example.com");
    let found = rules(&run(&["--helo", "9.9.9.8=mail.example.com"]));
    assert!(found.contains(&"PTR004".to_owned()), "{found:?}");
}

/// What a zone file says of keys and of other names than its top is checked without being asked
/// for: whoever publishes it publishes all of it.
#[test]
fn all_of_a_zone_file_is_looked_at() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("zone").to_str().unwrap().to_owned();
    let zone = fs::read_to_string(healthy()).unwrap();
    fs::write(
        &path,
        format!(
            "{zone}\
             cut._domainkey TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDZ\"\n\
             old._domainkey TXT \"v=DKIM1; p=\"\n\
             news TXT \"v=spf1 ip4=192.0.3.1 ~all\"\n\
             _dmarc.news TXT \"v=DMARC1; p=rejct\"\n\
             cut._domainkey.news TXT \"v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDZ\"\n\
             www TXT \"v=spf1 -all\"\n"
        ),
    )
    .unwrap();
    let output = check_dns(&["--zone", &path, "--offline", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let document = json(&output);
    assert_eq!(rules(&document), ["DKIM009", "DKIM009", "DMARC007", "SPF011"]);
    let lines = zone.lines().count() as u64;
    let findings = document["findings"].as_array().unwrap();
    let at: Vec<u64> = findings.iter().map(|one| one["line"].as_u64().unwrap() - lines).collect();
    assert_eq!(at, [5, 1, 4, 3]);
    // Who names a domain is told of that one.
    let output = check_dns(&["--zone", &path, "--offline", "--format", "json", "healthy.example"]);
    assert!(!rules(&json(&output)).contains(&"SPF011".to_owned()));
}

/// What nobody can ask for, and a zone file shows.
#[test]
fn keys_in_the_wrong_place_of_a_zone_file_are_found() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("zone").to_str().unwrap().to_owned();
    let key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let wrong = format!(
        "{}two._domainkey.healthy.example TXT \"{key}\"\n\
         _domainkey.three TXT \"{key}\"\n\
         four._domainkey TXT \"{key}\"\n\
         _domainkey.news TXT \"o=~\"\n",
        fs::read_to_string(healthy()).unwrap()
    );
    fs::write(&path, wrong).unwrap();
    let output = check_dns(&["--zone", &path, "--offline", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let document = json(&output);
    let findings = document["findings"].as_array().unwrap();
    let errors: Vec<[&str; 2]> = findings
        .iter()
        .filter(|finding| finding["severity"] == "error")
        .map(|finding| ["rule", "name"].map(|key| finding[key].as_str().unwrap()))
        .collect();
    let expected = [
        ["DNS004", "two._domainkey.healthy.example.healthy.example"],
        ["DNS013", "_domainkey.three.healthy.example"],
    ];
    assert_eq!(errors, expected);
}

/// Of several records of one name and type the one at fault is pointed at, not the first.
#[test]
fn the_record_at_fault_is_pointed_at() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("zone").to_str().unwrap().to_owned();
    let zone = "$ORIGIN a.example.\n\
                @ SOA ns hostmaster 1 2 3 4 5\n\
                @ TXT \"site-verification=1\"\n\
                @ TXT \"v=spf1 mx -all\"\n\
                @ TXT \"v=spf1 a -all\"\n\
                @ MX 10 mx1\n\
                @ MX 20 192.0.2.9.\n\
                @ MX 30 mx2\n\
                @ MX 40 mx3\n\
                @ MX 50 mx1\n\
                mx1 A 8.8.8.8\n\
                mx2 CNAME mx1\n\
                mx3 A 10.0.0.1\n\
                _25._tcp.mx1 TLSA 3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\
                _25._tcp.mx1 TLSA 3 1 1 abcd\n";
    fs::write(&path, zone).unwrap();
    let document = json(&check_dns(&["--zone", &path, "--offline", "--format", "json", "-v"]));
    let line = |rule: &str| {
        let findings = document["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["rule"] == rule).map(|found| found["line"].clone())
    };
    for (rule, expected) in
        [("SPF002", 5), ("MX005", 7), ("MX006", 8), ("MX011", 9), ("MX009", 10), ("DANE003", 15)]
    {
        assert_eq!(line(rule), Some(expected.into()), "{rule}");
    }
}

#[test]
fn a_manifest_has_the_selectors_of_the_zone_file() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("zone").to_str().unwrap().to_owned();
    let zone = fs::read_to_string(healthy()).unwrap().replace("s2026.", "unusual.");
    fs::write(&path, zone.replace("s2026", "unusual")).unwrap();
    let output = check_dns(&["init", "healthy.example", "--zone", &path, "-o", "-"]);
    assert!(text(&output.stdout).contains("selectors = [\"unusual\"]"), "{output:?}");
}
