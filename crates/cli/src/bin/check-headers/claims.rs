//! What fields of the message claim, which nothing here takes for true.

use mailproof::authres::AuthenticationResults;
use mailproof_cli::escape::visible;
use mailproof_message::Header;

use crate::envelope::line;

/// How many claims are told.
const MOST: usize = 10;

/// Results that somebody wrote into the message.
pub(crate) struct Claim {
    /// Safe to print: the field, its line, who claims, and what.
    pub(crate) text: String,
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
        let results = results.collect::<Vec<_>>().join(", ");
        let results = if results.is_empty() { "nothing legible" } else { results.as_str() };
        let by =
            if claimed.authserv_id.is_empty() { "nobody" } else { claimed.authserv_id.as_str() };
        Some(Claim {
            text: format!(
                "{} by {} ({name} in {}), not verified here",
                visible(results.as_bytes()),
                visible(by.as_bytes()),
                line(header, &field),
            ),
        })
    });
    fields.take(MOST).collect()
}
