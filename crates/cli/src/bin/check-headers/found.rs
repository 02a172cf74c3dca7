//! What was done to a message whose signature fails, in words.

use mailproof_cli::escape::safe;
use mailproof_dkim::{Diagnosis, Finding};

/// The changes that were found, and what was not found, in sentences that are safe to print.
pub(crate) fn found(diagnosis: &Diagnosis) -> Vec<String> {
    let changes = diagnosis.changes().map(ToString::to_string);
    let mut sentences: Vec<String> = changes.map(|change| safe(&change).to_string()).collect();
    for (half, finding) in [("header", &diagnosis.header), ("body", &diagnosis.body)] {
        match finding {
            Finding::Unexplained(excluded) => {
                let tried = excluded.tried.len();
                sentences.push(format!("no usual change explains the {half} ({tried} were tried)"));
            }
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
