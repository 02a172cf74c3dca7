//! The history of messages.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::value::Item;

/// What aggregate reports are made of: a block of lines for each message that was verified, as
/// HistoryFile of OpenDMARC has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct History {
    /// The file that is appended to.
    pub file: PathBuf,
    /// Whether messages are recorded for whose author no DMARC record applies, too.
    #[serde(default)]
    pub all: bool,
    /// Messages to these recipients alone are not recorded.
    #[serde(default)]
    pub not_to: Vec<Item>,
}
