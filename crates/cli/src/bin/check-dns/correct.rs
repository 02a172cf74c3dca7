//! The record as it should be, where the finding says enough to write it down.

use std::ops::Range;

use mailproof_cli::escape::visible;

/// What to put in place of the octets at fault; `None` where only the publisher can know.
pub(crate) fn replacement(rule: &str, record: &[u8], span: &Range<usize>) -> Option<String> {
    let fault = std::str::from_utf8(record.get(span.clone())?).ok()?;
    Some(match rule {
        "SPF011" => match fault.split_once(['=', ':'])? {
            (name @ ("redirect" | "exp"), value) => format!("{name}={value}"),
            ("all", _) => "-all".to_owned(),
            (name @ ("a" | "mx" | "ptr"), "") => name.to_owned(),
            (name, value) => format!("{name}:{value}"),
        },
        "SPF013" => fault.replace([',', ';'], " ").trim_end().to_owned(),
        "SPF020" => fault.trim_start_matches(['+', '-', '~', '?']).to_owned(),
        "SPF030" | "SPF031" => "-all".to_owned(),
        "SPF032" if fault.is_empty() => " ~all".to_owned(),
        "SPF007" | "SPF012" | "SPF026" | "SPF036" | "SPF037" | "SPF039" | "SPF043" | "SPF045"
        | "SPF047" | "SPF049" | "SPF050" | "SPF064" => String::new(),
        "DMARC013" if fault.is_empty() => "; np=reject".to_owned(),
        "DNS003" => fault.trim_start_matches('\\').to_owned(),
        "DNS007" => String::new(),
        _ => return None,
    })
}

/// The longest record that is written anew. Local choice: nobody pastes more.
const LONGEST: usize = 4096;

/// The whole record with the replacement, if it can be pasted as it is.
pub(crate) fn corrected(record: &[u8], span: &Range<usize>, replacement: &str) -> Option<String> {
    if record.len() > LONGEST {
        return None;
    }
    let (before, after) = (record.get(..span.start)?, record.get(span.end..)?);
    let mut text = [before, replacement.as_bytes(), after].concat();
    if replacement.is_empty() {
        // What is taken out leaves no second space behind.
        let front = before.strip_suffix(b" ").unwrap_or(before);
        let is_edge = before.is_empty() || after.is_empty() || !after.starts_with(b" ");
        text = if is_edge { text.trim_ascii().to_vec() } else { [front, after].concat() };
    }
    if replacement.starts_with(';') {
        let front = before.trim_ascii_end();
        let front = front.strip_suffix(b";").unwrap_or(front);
        text = [front, replacement.as_bytes(), after].concat();
    }
    Some(visible(&text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correct(rule: &str, record: &str, fault: &str) -> Option<String> {
        let start = record.rfind(fault).unwrap();
        let span = start..start + fault.len();
        let replacement = replacement(rule, record.as_bytes(), &span)?;
        corrected(record.as_bytes(), &span, &replacement)
    }

    #[test]
    fn records_to_paste() {
        for (rule, record, fault, whole) in [
            ("SPF011", "v=spf1 ip4=192.0.3.1 -all", "ip4=192.0.3.1", "v=spf1 ip4:192.0.3.1 -all"),
            (
                "SPF011",
                "v=spf1 redirect:a.example",
                "redirect:a.example",
                "v=spf1 redirect=a.example",
            ),
            ("SPF013", "v=spf1 mx, -all", "mx,", "v=spf1 mx -all"),
            ("SPF030", "v=spf1 mx +all", "+all", "v=spf1 mx -all"),
            ("SPF036", "v=spf1 -all mx", "mx", "v=spf1 -all"),
            ("SPF045", "v=spf1 ptr mx -all", "ptr", "v=spf1 mx -all"),
            ("SPF032", "v=spf1 mx", "", "v=spf1 mx ~all"),
            ("DMARC013", "v=DMARC1; p=reject;", "", "v=DMARC1; p=reject; np=reject"),
            ("DNS007", " v=spf1 -all", " ", "v=spf1 -all"),
        ] {
            let record_end = record.len();
            let got = if fault.is_empty() {
                let span = record_end..record_end;
                let replacement = replacement(rule, record.as_bytes(), &span).unwrap();
                corrected(record.as_bytes(), &span, &replacement)
            } else if rule == "DNS007" {
                let replacement = replacement(rule, record.as_bytes(), &(0..1)).unwrap();
                corrected(record.as_bytes(), &(0..1), &replacement)
            } else {
                correct(rule, record, fault)
            };
            assert_eq!(got.as_deref(), Some(whole), "{rule}");
        }
        assert_eq!(correct("SPF015", "v=spf1 ip4:192.0.3.300 -all", "192.0.3.300"), None);
    }
}
