//! What a user of `genkey check` meets, beyond the transcripts.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bd\
                   OKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4h\
                   stT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";
/// The RSA key of 512 bits in `testdata/keys`.
const RSA_512: &str = "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALvRJzo8rJDxgebowXAV9g3CNCAkiMous/u/jsnvA9Cm0pB/EQWNC\
                       B5pGAIP5H3yVuV8uc52QOKY205HN/l+S9MCAwEAAQ==";

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

/// Those that `opendkim-testkey` calls "key OK" are among them.
#[test]
fn one_key_against_one_record() {
    let home = Home::new();
    let (rsa, ed25519) = (home.key("rfc8463-rsa.pem"), home.key("rfc8463.seed"));
    let good = format!("v=DKIM1; k=rsa; p={RSA}");
    for (key, text, code, said) in [
        (&rsa, good.clone(), 0, "s._domainkey.example.com: published (rsa, 1024 bits)\n"),
        (&ed25519, format!("v=DKIM1; k=ed25519; p={ED25519}"), 0, "published (ed25519)\n"),
        (&rsa, "v=DKIM1; k=rsa; p=!!!!".into(), 1, "is not base64"),
        (&rsa, "v=DKIM1; k=rsa; p=AAAA".into(), 1, "is no RSA key in DER"),
        (&rsa, format!("v=DKIM1; k=rsa; p={RSA_512}"), 1, "the key has 512 bits"),
        (&rsa, format!("v=DKIM1; k=rsa; t=y; p={RSA}"), 1, "t=y (testing)"),
        (&rsa, format!("v=DKIM1; k=rsa; h=sha1; p={RSA}"), 1, "does not allow sha256"),
        (&rsa, format!("v=DKIM1; k=rsa; s=tlsrpt; p={RSA}"), 1, "is not for email"),
        (&rsa, format!("v=DKIM2; k=rsa; p={RSA}"), 1, "v=DKIM2"),
        (&rsa, "v=DKIM1; k=rsa; p=".into(), 1, "has been revoked"),
        (&rsa, "what is this".into(), 1, "key record"),
        (&rsa, format!("v=DKIM1; k=ed25519; p={ED25519}"), 1, "of type ed25519"),
        (&ed25519, good.clone(), 1, "of type rsa"),
        // The octets are right, but not as a key of this type.
        (&ed25519, format!("v=DKIM1; k=rsa; p={ED25519}"), 1, "of type rsa"),
        (&ed25519, "v=DKIM1; k=ed25519; p=AAAA".into(), 1, "32 octets"),
    ] {
        let arguments = [key.to_str().unwrap(), "-d", "example.com", "-s", "s"];
        let (exit, out, err) = home.check(&arguments, &record("s", &text));
        assert_eq!(exit, code, "{text}: {out}{err}");
        assert!(out.contains(said), "{text}: {out}");
    }
    let arguments = [ed25519.to_str().unwrap(), "-d", "example.com", "-s", "s"];
    let two = record("s", &good) + &record("s", "v=spf1 -all");
    for (zone, code, said) in [
        ("", 1, "not published\n"),
        ("s._domainkey.example.com. A 192.0.2.1\n", 1, "the name has no text record"),
        ("s._domainkey.example.com. TXT SERVFAIL\n", 3, "could not tell"),
        ("s._domainkey.example.com. TXT TIMEOUT\n", 3, "Try again later"),
        (&two, 1, "there are 2 text records"),
    ] {
        let (exit, out, err) = home.check(&arguments, zone);
        assert_eq!(exit, code, "{zone}: {out}{err}");
        assert!(out.replace(" (ed25519)", "").contains(said), "{zone}: {out}");
    }
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
