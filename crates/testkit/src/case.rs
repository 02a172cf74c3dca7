use mailproof_dns::Zone;
use std::fs;
use std::path::PathBuf;

/// One case of the corpus: what all kinds of cases share, and the crate's own part.
#[derive(Debug, Clone)]
pub struct Case<C> {
    /// The name, unique among the cases of one kind.
    pub name: String,
    /// What the case shows, in a sentence.
    pub why: String,
    /// The section that decides, as `6376 3.4.5`.
    pub rfc: String,
    /// Where the case comes from, with its licence, when it is not ours.
    pub source: Option<String>,
    /// The DNS of the case; without a `zone` no name exists.
    pub zone: Zone,
    /// The zone as the text of a master file (RFC 1035 5), for programs that read one.
    pub zone_text: String,
    /// The time of the case, seconds since 1970-01-01 UTC.
    pub now: Option<u64>,
    /// The octets of the message beside the case.
    pub message: Option<Vec<u8>>,
    /// The file the case stands in.
    pub file: PathBuf,
    /// The crate's own part: `input` and `expect`.
    pub own: C,
}

impl<C> Case<C> {
    /// The octets of another file beside the case.
    ///
    /// # Panics
    ///
    /// Panics when the file cannot be read: a broken corpus is a failing test.
    #[expect(clippy::panic, reason = "a broken corpus is a failing test")]
    pub fn beside(&self, file_name: &str) -> Vec<u8> {
        let path = self.file.with_file_name(file_name);
        match fs::read(&path) {
            Ok(octets) => octets,
            Err(error) => panic!("{}, case {}: {error}", path.display(), self.name),
        }
    }
}
