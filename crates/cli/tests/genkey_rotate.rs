//! A rotation of keys from its first step to its last.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// 2026-11-25T03:00:00Z.
const START: u64 = 1_795_575_600;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const OLD: &str = "2025._domainkey.example.com. TXT \"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n";
const REVOKED: &str = "2025._domainkey.example.com. TXT \"v=DKIM1; k=ed25519; p=\"\n";

struct Home(tempfile::TempDir);

impl Home {
    /// A directory with the old key of example.com, and its tables.
    fn new() -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        fs::create_dir(home.path("keys")).unwrap();
        fs::copy("../../testdata/keys/rfc8463.seed", home.path("keys/2025.private")).unwrap();
        let keys = home.path("keys");
        home.write(
            "KeyTable",
            &format!(
                "# the keys\n2025._domainkey.example.com example.com:2025:{}/2025.private # old\n\
                 other example.org:s:{}/2025.private\n",
                keys.display(),
                keys.display()
            ),
        );
        home.write(
            "SigningTable",
            "*@example.com 2025._domainkey.example.com\n*@example.org other\n",
        );
        home.write("zone", OLD);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn rotate(&self, now: u64, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_genkey"))
            .args(["rotate", "--domain", "example.com", "--zone"])
            .arg(self.path("zone"))
            .args(["--now", &now.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |octets| String::from_utf8(octets).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Publishes what the tool wrote for it.
    fn publish(&self, old: &str) {
        let record = self.read("keys/20261125.txt");
        self.write("zone", &format!("$TTL 7200\n{old}{record}"));
    }

    fn files(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn option(path: &Path, kind: &str) -> String {
    format!("{kind}:{}", path.display())
}

#[test]
fn with_both_tables() {
    let home = Home::new();
    let keys = option(&home.path("KeyTable"), "file");
    let signing = option(&home.path("SigningTable"), "refile");
    let tables = ["--key-table", keys.as_str(), "--signing-table", signing.as_str()];
    let plan = |now| home.rotate(now, &tables);
    let apply = |now| home.rotate(now, &[&tables[..], &["--apply"]].concat());

    // A plan changes nothing.
    let before = home.read("KeyTable") + &home.read("SigningTable");
    let (code, out, err) = plan(START);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("example.com: the key is changed from 2025 to 20261125\n"), "{out}");
    assert!(out.contains("  due    make the new key\n  later  publish its record\n"), "{out}");
    assert_eq!(home.files("keys"), ["2025.private"]);

    // The key is made, and its record is told until it is seen; doing so again changes nothing.
    let (code, out, _) = apply(START);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("20261125._domainkey.example.com.\tIN\tTXT"), "{out}");
    let made = home.read("keys/20261125.private");
    let (_, again, _) = apply(START + HOUR);
    assert_eq!(out, again);
    assert_eq!(home.read("keys/20261125.private"), made);
    let state = "2025._domainkey.example.com.rotation.toml";
    assert_eq!(home.files("keys"), [state, "2025.private", "20261125.private", "20261125.txt"]);
    assert!(made.starts_with("-----BEGIN PRIVATE KEY-----"), "as the old one: Ed25519");

    // Its TTL, two hours, has to pass.
    home.publish(OLD);
    let seen = START + 2 * HOUR;
    let (code, out, err) = apply(seen);
    assert_eq!(code, 0, "{out}");
    assert!(err.contains("the record of 20261125._domainkey.example.com is seen"), "{err}");
    assert!(out.contains("waits  sign with the new key  until 2026-11-25T07:00:00Z"), "{out}");
    assert_eq!(home.read("KeyTable") + &home.read("SigningTable"), before);

    let (code, out, err) = apply(seen + 2 * HOUR);
    assert_eq!(code, 0, "{out}{err}");
    assert!(home.read("KeyTable").ends_with(&format!(
        "20261125._domainkey.example.com example.com:20261125:{}\n",
        home.path("keys/20261125.private").display()
    )));
    assert_eq!(
        home.read("SigningTable"),
        "*@example.com 20261125._domainkey.example.com\n*@example.org other\n"
    );
    assert!(out.contains("waits  revoke the old key     until 2026-12-02T07:00:00Z"), "{out}");

    // A week later the old key is to be revoked.
    let (code, out, _) = apply(seen + 8 * DAY);
    assert_eq!(code, 0, "{out}");
    let revocation =
        "2025._domainkey.example.com.\tIN\tTXT\t( \"v=DKIM1; k=ed25519; \"\n\t  \"p=\"";
    assert!(out.contains(revocation), "{out}");
    home.publish(REVOKED);
    let (_, out, _) = apply(seen + 8 * DAY);
    assert!(out.contains("waits  retire the old key"), "{out}");
    let (code, out, err) = apply(seen + 9 * DAY);
    assert_eq!(code, 0, "{out}");
    assert!(err.contains("2025.private any more: it may be deleted"), "{err}");
    assert!(!home.read("KeyTable").contains("example.com:2025:"));
    assert!(home.read("KeyTable").starts_with("# the keys\nother "), "{}", home.read("KeyTable"));

    // All is done; nothing begins by itself.
    let (code, out, err) = apply(seen + 30 * DAY);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("the key was changed from 2025 to 20261125"), "{out}");
    let (_, out, _) = home.rotate(seen + 30 * DAY, &[&tables[..], &["--again"]].concat());
    assert!(out.contains("the key is changed from 20261125 to 20261225"), "{out}");
}

#[test]
fn with_the_key_table_alone() {
    let home = Home::new();
    let keys = option(&home.path("KeyTable"), "file");
    let apply = |now| home.rotate(now, &["--key-table", &keys, "--apply"]);
    assert_eq!(apply(START).0, 0);
    home.publish(OLD);
    assert_eq!(apply(START).0, 0);
    let (code, out, err) = apply(START + 2 * HOUR);
    assert_eq!(code, 0, "{out}{err}");
    let line = format!(
        "2025._domainkey.example.com example.com:20261125:{}/20261125.private # old\n",
        home.path("keys").display()
    );
    assert!(home.read("KeyTable").contains(&line), "{}", home.read("KeyTable"));
    home.publish("");
    let (_, out, _) = apply(START + 8 * DAY);
    assert!(out.contains("done   revoke the old key"), "taken away is as good: {out}");
    let (code, out, _) = apply(START + 9 * DAY);
    assert!(code == 0 && out.contains("the key was changed"), "{out}");
}

#[test]
fn by_hand() {
    let home = Home::new();
    let keys = home.path("keys");
    let keys = ["--directory", keys.to_str().unwrap()];
    let (code, _, err) = home.rotate(START, &keys);
    assert_eq!(
        (code, err.as_str()),
        (2, "error: name the selector of the old key with --selector\n")
    );
    let first = [&keys[..], &["--selector", "2025", "--apply"]].concat();
    assert_eq!(home.rotate(START, &first).0, 0);
    home.publish(OLD);
    let apply = [&keys[..], &["--apply"]].concat();
    assert_eq!(home.rotate(START, &apply).0, 0);
    let (code, out, _) = home.rotate(START + DAY, &apply);
    assert_eq!(code, 0);
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(out.contains("next Set selector 20261125 and key file"), "{out}");
    let (_, out, _) = home.rotate(START + DAY, &[&apply[..], &["--switched"]].concat());
    assert!(out.contains("done   sign with the new key"), "{out}");
}

#[test]
fn with_a_configuration() {
    for (name, before, after) in [
        (
            "mailproofd.toml",
            "[[sign.key]]\ndomains = [\"example.com\"]\nselector = \"2025\" # s=\nfile = \"KEYS/2025.private\"\n",
            "[[sign.key]]\ndomains = [\"example.com\"]\nselector = \"20261125\" # s=\nfile = \"KEYS/20261125.private\"\n",
        ),
        (
            "opendkim.conf",
            "Domain example.com\nSelector 2025\nKeyFile KEYS/2025.private\n",
            "Domain example.com\nSelector 20261125\nKeyFile KEYS/20261125.private\n",
        ),
    ] {
        let home = Home::new();
        let keys = home.path("keys").display().to_string();
        home.write(name, &before.replace("KEYS", &keys));
        let config = home.path(name);
        let apply = |now| home.rotate(now, &["--config", config.to_str().unwrap(), "--apply"]);
        assert_eq!(apply(START).0, 0);
        home.publish(OLD);
        assert_eq!(apply(START).0, 0);
        assert_eq!(home.read(name), before.replace("KEYS", &keys));
        let (code, out, err) = apply(START + 2 * HOUR);
        assert_eq!(code, 0, "{out}{err}");
        assert_eq!(home.read(name), after.replace("KEYS", &keys));
        home.publish(REVOKED);
        assert_eq!(apply(START + 8 * DAY).0, 0);
        let (code, out, _) = apply(START + 9 * DAY);
        assert!(code == 0 && out.contains("the key was changed"), "{out}");
    }
}

#[test]
fn what_is_not_as_planned() {
    let home = Home::new();
    let keys = option(&home.path("KeyTable"), "file");
    let apply = |now| home.rotate(now, &["--key-table", &keys, "--apply"]);
    assert_eq!(apply(START).0, 0);
    // Another key stands at the new name.
    let other = OLD.replace("2025", "20261125");
    home.write("zone", &(OLD.to_owned() + &other));
    let (code, out, _) = apply(START);
    assert!(code == 1 && out.contains("the record holds another key"), "{code} {out}");
    // The DNS fails.
    home.write("zone", &format!("{OLD}20261125._domainkey.example.com. TXT SERVFAIL\n"));
    let (code, out, _) = apply(START);
    assert!(code == 3 && out.contains("Try again later"), "{code} {out}");
    home.publish(OLD);
    assert_eq!(apply(START).0, 0);
    // The record is gone again before the switch.
    home.write("zone", OLD);
    let (code, out, _) = apply(START + DAY);
    assert!(code == 1 && out.contains("is not as it was"), "{code} {out}");
    assert!(home.read("KeyTable").contains(":2025:"));
    home.publish(OLD);
    let (code, out, _) = apply(START + DAY);
    assert!(code == 0 && out.contains("waits  sign with the new key"), "{out}");
    let (code, ..) = apply(START + DAY + 2 * HOUR);
    assert!(code == 0 && home.read("KeyTable").contains(":20261125:"));
    // Somebody went back to the old key.
    let text = home.read("KeyTable").replace(":20261125:", ":2025:");
    home.write("KeyTable", &text);
    let (code, out, _) = apply(START + 30 * DAY);
    assert!(code == 1 && out.contains("is set to the old key again"), "{out}");
}

#[test]
fn a_name_server_that_takes_no_updates() {
    let home = Home::new();
    let keys = option(&home.path("KeyTable"), "file");
    home.write("tsig", "hmac-sha256:update:c2VjcmV0\n");
    let (listener, tsig) = (std::net::TcpListener::bind("127.0.0.1:0").unwrap(), home.path("tsig"));
    let address = listener.local_addr().unwrap().to_string();
    let update = ["--key-table", &keys, "--update", &address, "--apply", "--tsig-key"];
    let update = [&update[..], &[tsig.to_str().unwrap(), "--query-timeout", "1"]].concat();
    // It accepts, and says nothing; then it is gone.
    for listener in [Some(listener), None] {
        let (code, out, err) = home.rotate(START, &update);
        assert!(code == 3 && out.contains("cannot be reached"), "{code} {out}{err}");
        assert!(out.contains("due    publish its record"), "{out}");
        drop(listener);
    }
    home.write("tsig", "hmac-md5:update:c2VjcmV0\n");
    let (code, out, err) = home.rotate(START, &update);
    assert!(code == 2 && out.is_empty() && err.contains("hmac-md5"), "{code} {out}{err}");
    assert!(!err.contains("c2Vj"));
}

#[test]
fn usage() {
    let home = Home::new();
    let keys = option(&home.path("KeyTable"), "file");
    let table = home.read("KeyTable");
    home.write("KeyTable", &(table + "second example.com:2024:/k/2024.private\n"));
    let (code, _, err) = home.rotate(START, &["--key-table", &keys]);
    assert_eq!(code, 2);
    assert!(
        err.contains(
            "there are several keys for example.com: name one with --selector (2025, 2024)"
        )
    );
    let (code, _, err) = home.rotate(START, &["--key-table", &keys, "--selector", "2023"]);
    assert!(code == 2 && err.contains("no key file for example.com with the selector 2023"));
    let arguments = ["--key-table", &keys, "--selector", "2025", "--new-selector", "2025"];
    let (code, _, err) = home.rotate(START, &arguments);
    assert!(code == 2 && err.contains("2025 is the selector of the old key"), "{err}");
    let (code, _, err) = home.rotate(START, &["--key-table", "csl:a=example.com:s:/k"]);
    assert!(code == 2 && err.contains("cannot be changed here"), "{err}");
}

#[test]
fn as_json() {
    let home = Home::new();
    let keys = option(&home.path("KeyTable"), "file");
    let json = ["--key-table", keys.as_str(), "--apply", "--format", "json"];
    let (code, out, _) = home.rotate(START, &json);
    assert_eq!(code, 0);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema::breaches("genkey-rotate", &document), [""; 0]);
    let rotation = &document["rotations"][0];
    assert_eq!(rotation["steps"][0]["progress"], "done");
    assert_eq!(rotation["steps"][1]["progress"], "due");
    assert_eq!(rotation["publish"]["name"], "20261125._domainkey.example.com");
    let text = rotation["publish"]["text"].as_str().unwrap();
    assert!(text.starts_with("v=DKIM1; h=sha256; k=ed25519; p="), "{text}");
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    let keys = option(&home.path("KeyTable"), "file");
    let mode = |mode| fs::set_permissions(home.path("keys"), fs::Permissions::from_mode(mode));
    mode(0o500).unwrap();
    let may = fs::write(home.path("keys/may"), "").is_ok();
    let (code, _, err) = home.rotate(START, &["--key-table", &keys, "--apply"]);
    mode(0o700).unwrap();
    // Root writes anywhere.
    assert!(may || code == 2 && err.contains("permission denied"), "{err}");
}
