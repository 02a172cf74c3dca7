//! What the tools print, to the letter: `tests/cmd/`. `TRYCMD=overwrite` writes it anew.
//!
//! trycmd shows a backslash as a slash: `/r/n` there is `\r\n` on the terminal.

#[test]
fn transcripts() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}
