//! What `mailproofd` prints, to the letter: `tests/cmd/`. `TRYCMD=overwrite` writes it anew.
//!
//! trycmd shows a backslash as a slash.

#[test]
fn transcripts() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}
