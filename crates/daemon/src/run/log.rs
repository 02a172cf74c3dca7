//! The log: a line for each thing that happens, on standard error, which systemd keeps in its journal.

use std::io::Write as _;

use mailproof_cli::escape::safe;

use crate::settings::{Log, LogFormat, LogTarget};

/// Writes a line; `id` is the queue id, empty where there is none. OpenDKIM and OpenDMARC write the
/// same form, `QUEUEID: text`.
pub(crate) fn say(log: &Log, id: &str, text: &str) {
    if log.to == LogTarget::None {
        return;
    }
    let line = match log.format {
        LogFormat::Text if id.is_empty() => format!("{}: {}\n", log.name, safe(text)),
        LogFormat::Text => format!("{}: {}: {}\n", log.name, safe(id), safe(text)),
        LogFormat::Json => format!("{}\n", serde_json::json!({ "queue_id": id, "message": text })),
    };
    // There is nobody left to tell that the log cannot be written.
    let _lost = std::io::stderr().lock().write_all(line.as_bytes());
}
