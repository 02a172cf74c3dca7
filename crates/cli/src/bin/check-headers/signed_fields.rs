//! The header fields that a signature names.

use mailproof_cli::escape::visible;
use mailproof_dkim::{Signature, selected_fields};
use mailproof_message::Header;

/// The names in h=, each once and in its order, escaped.
pub(crate) struct SignedFields {
    /// Those of which the message has a field.
    pub(crate) present: Vec<String>,
    /// Those of which it has none: taken out since, or signed to be absent (RFC 6376 5.4).
    pub(crate) missing: Vec<String>,
}

impl SignedFields {
    /// The names in h= of the signature in field number `place` of `header`.
    pub(crate) fn of(header: &Header, place: usize, signature: &Signature) -> SignedFields {
        let mut names = SignedFields { present: Vec::new(), missing: Vec::new() };
        let selected = selected_fields(header, &signature.signed_fields, Some(place));
        for (name, field) in signature.signed_fields.iter().zip(selected) {
            let name = visible(name).to_string();
            match field {
                Some(_) if !names.present.contains(&name) => names.present.push(name),
                None if !names.present.contains(&name) && !names.missing.contains(&name) => {
                    names.missing.push(name);
                }
                _ => {}
            }
        }
        names
    }
}
