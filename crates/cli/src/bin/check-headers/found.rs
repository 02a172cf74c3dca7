//! What was done to a message whose signature fails, in words.

use mailproof_cli::escape::safe;
use mailproof_dkim::{Diagnosis, Excluded, Finding};

/// The changes that were found, and what was excluded where none was, in sentences that are safe to
/// print.
pub(crate) fn found(diagnosis: &Diagnosis) -> Vec<String> {
    let changes = diagnosis.changes().map(ToString::to_string);
    let mut sentences: Vec<String> = changes.map(|change| safe(&change).to_string()).collect();
    for (half, finding) in [("header", &diagnosis.header), ("body", &diagnosis.body)] {
        match finding {
            Finding::Unexplained(excluded) => sentences.push(unexplained(half, excluded)),
            Finding::OtherKey => sentences.push(safe(&finding.to_string()).to_string()),
            // The changes are told already, and the checks tell the rest.
            Finding::Intact
            | Finding::Explained(_)
            | Finding::Truncated { .. }
            | Finding::NotExamined => {}
        }
    }
    sentences
}

/// What does not explain it, each alone and some in pairs.
fn unexplained(half: &str, excluded: &Excluded) -> String {
    let kinds: Vec<String> =
        excluded.tried.iter().map(|kind| kind.keyword().replace('-', " ")).collect();
    let mut text = format!("no usual change explains the {half}");
    if !kinds.is_empty() {
        text.push_str(&format!("; excluded: {}", kinds.join(", ")));
    }
    if let Some(limit) = excluded.exhausted {
        text.push_str(&format!(" (as far as the limit of {limit} let the search go)"));
    }
    text
}
