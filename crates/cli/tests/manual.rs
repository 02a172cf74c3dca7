//! Every tool makes its manual pages and completions, with every option in them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::process::Command;

#[test]
fn pages_and_completions() {
    for (tool, program, pages, word) in [
        ("check-headers", env!("CARGO_BIN_EXE_check-headers"), &["check-headers.1"][..], "sending"),
        (
            "check-dns",
            env!("CARGO_BIN_EXE_check-dns"),
            &["check-dns.1", "check-dns-record.1", "check-dns-explain.1"],
            "zone",
        ),
        ("genkey", env!("CARGO_BIN_EXE_genkey"), &["genkey.1", "genkey-rotate.1"], "selector"),
        ("sign-message", env!("CARGO_BIN_EXE_sign-message"), &["sign-message.1"], "selector"),
        ("spfquery", env!("CARGO_BIN_EXE_spfquery"), &["spfquery.1"], "helo"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let status = Command::new(program).arg("--manual").arg(home.path()).status().unwrap();
        assert!(status.success(), "{tool}");
        let read = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
        for page in pages {
            let text = read(page);
            assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}");
        }
        assert!(read(pages[0]).contains(word), "{tool}");
        for completion in [format!("{tool}.bash"), format!("_{tool}"), format!("{tool}.fish")] {
            assert!(read(&completion).contains(word), "{completion}");
        }
    }
}
