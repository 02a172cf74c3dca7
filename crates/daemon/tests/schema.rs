//! The JSON of `mailproofd check-config` is as its schema says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, reason = "tests")]

#[path = "../../cli/tests/schema/mod.rs"]
mod schema;

use std::process::Command;

#[test]
fn check_config() {
    for guide in ["guide-1", "guide-3", "guide-4", "guide-5"] {
        let run = Command::new(env!("CARGO_BIN_EXE_mailproofd"))
            .args(["check-config", "--format", "json", "--postfix", "/etc/postfix/main.cf"])
            .args(["--root", &format!("../../testdata/config/{guide}"), "/etc/opendkim.conf"])
            .output()
            .unwrap();
        let document = serde_json::from_slice(&run.stdout).unwrap();
        let breaches = schema::breaches("mailproofd-check-config", &document);
        assert!(breaches.is_empty(), "{breaches:?}");
    }
}
