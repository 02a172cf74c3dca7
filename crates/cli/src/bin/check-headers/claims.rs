//! What fields of the message claim, which nothing here takes for true.

use std::fmt;

use mailproof::authres::AuthenticationResults;
use mailproof_cli::escape::visible;
use mailproof_message::Header;
use serde::Serialize;

use crate::envelope::line_number;

/// How many claims are told.
const MOST: usize = 10;

/// Results that somebody wrote into the message.
#[derive(Serialize)]
pub(crate) struct Claim {
    /// The name of the field.
    field: &'static str,
    /// On which line of the message it begins, from 1.
    line: usize,
    /// Who claims; empty if nobody is named.
    authserv_id: String,
    /// What, each as "method=result".
    results: Vec<String>,
}

/// Safe to print: what, who claims, the field, its line.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim { field, line, authserv_id, results } = self;
        let results = results.join(", ");
        let results = if results.is_empty() { "nothing legible" } else { &results };
        let by = if authserv_id.is_empty() { "nobody" } else { authserv_id };
        let (results, by) = (visible(results.as_bytes()), visible(by.as_bytes()));
        write!(f, "{results} by {by} ({field} in line {line}), not verified here")
    }
}

/// The claims of the Authentication-Results and ARC-Authentication-Results fields (RFC 8601 7.1:
/// anybody may have written them), top to bottom.
pub(crate) fn claims(header: &Header) -> Vec<Claim> {
    let names = ["Authentication-Results", "ARC-Authentication-Results"];
    let fields = header.fields().filter_map(|field| {
        let name = names.into_iter().find(|name| field.is(name))?;
        let value = match name.starts_with("ARC") {
            // RFC 8617 4.1.1: the instance comes first.
            true => field.value().splitn(2, |&octet| octet == b';').nth(1).unwrap_or_default(),
            false => field.value(),
        };
        let claimed = AuthenticationResults::parse_lenient(value).field;
        let results = claimed.results.iter().map(|one| format!("{}={}", one.method, one.result));
        Some(Claim {
            field: name,
            line: line_number(header, &field),
            results: results.collect(),
            authserv_id: claimed.authserv_id,
        })
    });
    fields.take(MOST).collect()
}
