//! `packaging/mailproofd.toml` explains every setting, with its default.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use mailproof_daemon::settings::{Listener, Settings};
use mailproof_daemon::toml_file::parse;
use mailproof_testkit::testdata;
use toml::{Table, Value};

fn sample() -> String {
    fs::read_to_string(testdata("../packaging/mailproofd.toml")).unwrap()
}

/// The sample with every setting in it switched on.
fn switched_on() -> String {
    let is_setting = |line: &str| {
        let name = line.split(" = ").next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_lowercase() || c == '-';
        line.starts_with('[') || (line.contains(" = ") && name.chars().all(plain))
    };
    let on = |line: &str| match line.strip_prefix('#').filter(|line| is_setting(line)) {
        Some(setting) => format!("{setting}\n"),
        None => format!("{line}\n"),
    };
    sample().lines().map(on).collect()
}

fn keys(prefix: &str, table: &Table, into: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => keys(&format!("{path}."), inner, into),
            _ => {
                into.insert(path);
            }
        }
    }
}

#[test]
fn it_is_the_default_as_it_stands() {
    let (settings, _) = parse("mailproofd.toml", &sample()).unwrap();
    let socket = "local:/var/spool/postfix/mailproofd/milter.sock".parse().unwrap();
    let expected = Settings { listeners: vec![Listener::new(socket)], ..Settings::default() };
    assert_eq!(settings, expected);
}

#[test]
fn it_has_every_setting_and_no_other() {
    let text = switched_on();
    parse("mailproofd.toml", &text).unwrap_or_else(|finding| panic!("{finding:?}"));
    let (mut named, mut there) = (BTreeSet::new(), BTreeSet::new());
    keys("", &text.parse().unwrap(), &mut named);
    keys("", &Table::try_from(Settings::default()).unwrap(), &mut there);
    let missing: Vec<_> = there.difference(&named).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn its_comments_tell_the_defaults() {
    // Those that have no default are examples.
    let examples = [
        "user",
        "pid-file",
        "listener",
        "sign.mta-names",
        "sign.fields",
        "sign.oversign",
        "sign.expire",
        "log.socket",
        "spf-service.authserv-id",
    ];
    let table: Table = switched_on().parse().unwrap();
    let default = Table::try_from(Settings::default()).unwrap();
    for (section, value) in &default {
        let Some(shown) = table.get(section) else { panic!("{section}") };
        let pairs: Vec<(String, &Value, Option<&Value>)> = match (value, shown) {
            (Value::Table(inner), Value::Table(shown)) => inner
                .iter()
                .map(|(key, value)| (format!("{section}.{key}"), value, shown.get(key)))
                .collect(),
            _ => vec![(section.clone(), value, Some(shown))],
        };
        for (path, value, shown) in pairs {
            if !examples.contains(&path.as_str()) {
                assert_eq!(Some(value), shown, "{path}");
            }
        }
    }
}

#[test]
fn the_manual_has_every_command() {
    let home = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mailproofd"));
    assert!(command.arg("--manual").arg(home.path()).status().unwrap().success());
    let read = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
    assert!(read("mailproofd.8").contains(".TH mailproofd 8"));
    for name in ["run", "policy", "check-config", "why", "convert"] {
        let mentioned = format!("mailproofd\\-{}(8)", name.replace('-', "\\-"));
        assert!(read("mailproofd.8").contains(&mentioned), "{name}");
        let page = read(&format!("mailproofd-{name}.8"));
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    for name in ["mailproofd.bash", "_mailproofd", "mailproofd.fish"] {
        assert!(read(name).contains("check-config"), "{name}");
    }
}
