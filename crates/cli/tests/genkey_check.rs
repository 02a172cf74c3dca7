//! What a user of `genkey check` meets, beyond the transcripts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mailproof_testkit::{Answer, Case, run};
use serde::Deserialize;
use serde_json::Value;

const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bd\
                   OKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4h\
                   stT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A copy of a test key with a safe mode.
    fn key(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::copy(Path::new("../../testdata/keys").join(name), &path).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        path
    }

    /// The exit code, standard output and standard error with the records of `zone`.
    fn check(&self, arguments: &[&str], zone: &str) -> (i32, String, String) {
        let zone = self.write("zone", zone);
        let output = Command::new(env!("CARGO_BIN_EXE_genkey"))
            .arg("check")
            .args(arguments)
            .arg("--zone")
            .arg(zone)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

fn record(selector: &str, text: &str) -> String {
    let (first, rest) = text.split_at(text.len() / 2);
    format!("{selector}._domainkey.example.com. TXT \"{first}\" \"{rest}\"\n")
}

#[derive(Deserialize)]
struct Published {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
struct Input {
    key: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expect {
    result: String,
    cause: String,
}

/// Those that `opendkim-testkey` calls "key OK" are among them.
#[test]
fn the_cases_of_the_corpus() {
    let home = Home::new();
    run("keygen/published", |case: &Case<Published>| {
        let key = home.key(&case.own.input.key);
        let arguments = [key.to_str().unwrap(), "-d", "example.com", "-s", "s"];
        let zone = format!("$ORIGIN .\n{}", case.zone_text);
        let (exit, out, _) = home.check(&[&arguments[..], &["--format", "json"]].concat(), &zone);
        let document: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(schema::breaches("genkey-check", &document), [""; 0]);
        let (got, expect) = (&document["keys"][0], &case.own.expect);
        let code = match expect.result.as_str() {
            "published" => 0,
            "unknown" => 3,
            _ => 1,
        };
        // For reading it is the same.
        assert_eq!(home.check(&arguments, &zone).0, exit, "{}", case.name);
        Answer {
            expected: format!("{code} {} {}", expect.result, expect.cause),
            got: format!(
                "{exit} {} {}",
                got["result"].as_str().unwrap(),
                got["cause"].as_str().unwrap()
            ),
        }
    });
}

#[test]
fn another_key() {
    let home = Home::new();
    let key = home.key("rsa-2048.pem");
    let arguments = [key.to_str().unwrap(), "-d", "example.com"];
    let zone = record("default", &format!("v=DKIM1; k=rsa; p={RSA}"));
    let (exit, out, err) = home.check(&arguments, &zone);
    assert_eq!((exit, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("the record holds another key"), "{out}");
}

#[test]
fn testing_may_be_allowed() {
    let home = Home::new();
    let key = home.key("rfc8463.seed");
    let arguments = [key.to_str().unwrap(), "-d", "example.com", "--allow-testing"];
    let zone = record("default", &format!("v=DKIM1; k=ed25519; t=y; p={ED25519}"));
    let (exit, out, _) = home.check(&arguments, &zone);
    assert_eq!(exit, 0, "{out}");
}

#[test]
fn a_key_that_cannot_be_read() {
    let home = Home::new();
    let small = home.key("rsa-512.pem");
    for (key, said) in [
        (home.path("missing").as_path(), "no such file"),
        (small.as_path(), "512 bits"),
        (home.path("").as_path(), "directory"),
    ] {
        let (exit, out, err) = home.check(&[key.to_str().unwrap(), "-d", "example.com"], "");
        assert_eq!(exit, 2, "{out}{err}");
        assert!(out.contains("not checked") && out.contains(said), "{out}");
    }
}

#[test]
fn a_whole_key_table() {
    let home = Home::new();
    let (rsa, ed25519) = (home.key("rfc8463-rsa.pem"), home.key("rfc8463.seed"));
    let keys = format!(
        "one example.com:one:{rsa}\n\
         two example.com:two:{ed25519}\n\
         three example.com:three:{ed25519}\n\
         gone example.com:gone:/nowhere/gone.private\n\
         any %:any:{ed25519}\n",
        rsa = rsa.display(),
        ed25519 = ed25519.display()
    );
    let keys = home.write("KeyTable", &keys);
    let signing = home.write("SigningTable", "*@example.com one\n*@example.org any\n* fourth\n");
    let zone = record("one", &format!("v=DKIM1; k=rsa; p={RSA}"))
        + &record("two", &format!("v=DKIM1; k=ed25519; p={ED25519}"))
        + &record("any", &format!("v=DKIM1; k=ed25519; p={ED25519}"));
    let signing = format!("refile:{}", signing.display());
    let arguments = ["--key-table", keys.to_str().unwrap(), "--signing-table", &signing];
    let (exit, out, err) = home.check(&arguments, &zone);
    assert_eq!(exit, 2, "{out}");
    assert!(out.starts_with("3 of 7 keys are good\n"), "{out}");
    assert!(out.contains("any._domainkey.example.org: not published"), "{out}");
    assert!(out.contains("/nowhere/gone.private: no such file"), "{out}");
    assert!(out.contains("line 3 of the SigningTable names it"), "{out}");
    assert_eq!(err.matches("1024 bits").count(), 1, "{err}");

    let (_, out, _) = home.check(&[&arguments[..], &["--format", "json"]].concat(), &zone);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema::breaches("genkey-check", &document), [""; 0]);
    let causes: Vec<&Value> =
        document["keys"].as_array().unwrap().iter().map(|key| &key["cause"]).collect();
    let (verified, no_key) = (&Value::from("verified"), &Value::from("no-record"));
    let null = &Value::Null;
    assert_eq!(causes, [verified, verified, no_key, null, verified, no_key, null]);
}

#[test]
fn a_key_table_for_any_author_needs_a_domain() {
    let home = Home::new();
    let key = home.key("rfc8463.seed");
    let table = home.write("KeyTable", &format!("any %:s:{}\n", key.display()));
    let table = table.to_str().unwrap();
    let (exit, out, _) = home.check(&["--key-table", table], "");
    assert_eq!(exit, 2, "{out}");
    assert!(out.contains("the domain of the author (%): name it with"), "{out}");
    let zone = record("s", &format!("v=DKIM1; k=ed25519; p={ED25519}"));
    let (exit, out, _) = home.check(&["--key-table", table, "-d", "example.com"], &zone);
    assert_eq!(exit, 0, "{out}");
}
