//! The payload of an ARC-Authentication-Results field (RFC 8617 4.1.1).

use mailproof_authres::{AuthenticationResults, AuthservId, Charset};
use mailproof_message::Header;

use crate::set::ArcField;
use crate::token::semicolon;

/// "the combined authres-payload with all of the authentication results from within the
/// participating ADMD, regardless of how many Authentication-Results header fields are attached to
/// the message" (RFC 8617 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    octets: Vec<u8>,
}

impl Payload {
    /// Of results that are at hand as types: the way for whoever verifies and seals in one place.
    pub fn of(results: &AuthenticationResults, charset: Charset) -> Payload {
        let column = ArcField::AuthenticationResults.name().len() + ": i=00; ".len();
        Payload { octets: results.fold(column, charset).into_bytes() }
    }

    /// Combines what the message's Authentication-Results fields of `ours` say, top to bottom, with
    /// their comments; `None` if there is none.
    ///
    /// Only for a sealer behind a border that has removed forged fields (RFC 8601 5,
    /// [`mailproof_authres::removal`]): whatever names `ours` is taken for ours.
    pub fn combined(header: &Header, ours: &AuthservId) -> Option<Payload> {
        let mut octets = Vec::new();
        let mut all: Option<AuthenticationResults> = None;
        for field in header.named("Authentication-Results") {
            let value = field.value();
            let reading = AuthenticationResults::parse_lenient(value);
            let results = &reading.field;
            if !ours.matches(&results.authserv_id) || !results.is_supported() {
                continue;
            }
            let printed;
            let value = if reading.defects.is_empty() && !has_lone_lf(value) {
                value.trim_ascii()
            } else {
                // Not as it came: what cannot be read, or is no line end in mail, must not reach the
                // field that is sealed.
                printed = results.fold(0, Charset::Utf8);
                printed.as_bytes()
            };
            if octets.is_empty() {
                octets.extend_from_slice(value);
            } else if let (false, Some(end)) = (results.results.is_empty(), semicolon(value)) {
                octets.extend_from_slice(value.get(end..).unwrap_or_default());
            }
            match &mut all {
                Some(all) => all.results.extend(reading.field.results),
                None => all = Some(reading.field),
            }
        }
        let all = all?;
        // Together they can be what neither is: "none" with results, ";" twice.
        let is_sound = AuthenticationResults::parse(&octets).is_ok();
        Some(if is_sound { Payload { octets } } else { Payload::of(&all, Charset::Utf8) })
    }

    /// The whole header field for an instance, with its final CRLF.
    pub(crate) fn to_field(&self, instance: u8) -> Vec<u8> {
        let start = format!("{}: i={instance}; ", ArcField::AuthenticationResults);
        [start.as_bytes(), &self.octets, b"\r\n"].concat()
    }
}

/// Whether a fold has LF alone, which `authres` takes for one.
fn has_lone_lf(value: &[u8]) -> bool {
    let mut before = 0;
    value.iter().any(|&octet| std::mem::replace(&mut before, octet) != b'\r' && octet == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combined(values: &[&str]) -> String {
        let fields = values.iter().map(|value| format!("Authentication-Results: {value}\r\n"));
        let header = Header::parse(fields.collect::<String>());
        let payload = Payload::combined(&header, &AuthservId::new("mx")).unwrap();
        let text = String::from_utf8(payload.octets).unwrap();
        assert!(AuthenticationResults::parse(text.as_bytes()).is_ok(), "{text}");
        text
    }

    #[test]
    fn what_is_combined_is_a_payload() {
        assert_eq!(
            combined(&["mx; spf=pass (c)", "mx 1 (;);\r\n dkim=none"]),
            "mx; spf=pass (c);\r\n dkim=none"
        );
        assert_eq!(combined(&["mx; none", "mx; spf=pass"]), "mx;\r\n\tspf=pass");
        assert_eq!(combined(&["mx; none", "mx; none"]), "mx; none");
        assert_eq!(
            combined(&["mx; spf=pass;", "mx; dkim=none"]),
            "mx;\r\n\tspf=pass;\r\n\tdkim=none"
        );
        assert_eq!(combined(&["mx; spf=pass; (c)", "mx; dkim=none"]).matches(';').count(), 2);
        // A line end that is none in mail does not reach the field.
        assert_eq!(combined(&["mx;\n spf=pass"]), "mx;\r\n\tspf=pass");
    }
}
