//! What can be wrong with any text record.

use crate::Report;
use crate::finding::Text;

/// Quotes, escapes and octets that belong into no mail record.
pub(crate) fn text(report: &mut Report, text: Text<'_>) {
    let octets = text.octets;
    if octets.starts_with(b"\"") || octets.windows(3).any(|part| part == b"\" \"") {
        report.at("DNS002", text, 0..1, "quotes are part of the text");
    }
    let escaped = octets.windows(2).position(|part| matches!(part, [b'\\', b';' | b'"']));
    if let Some(at) = escaped {
        report.at("DNS003", text, at..at + 2, "a backslash is part of the text");
    }
    let is_foreign = |octet: &u8| !matches!(octet, b'\t' | 0x20..=0x7e);
    if let Some(at) = octets.iter().position(is_foreign) {
        let rest = octets.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|octet| is_foreign(octet)).count();
        let part = String::from_utf8_lossy(rest.get(..length).unwrap_or_default());
        let code = part.chars().next().map_or(0, u32::from);
        report.at("DNS006", text, at..at + length, format!("U+{code:04X} is not printable ASCII"));
    }
}
