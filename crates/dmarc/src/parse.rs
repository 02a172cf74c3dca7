//! The reader of records.

use std::ops::Range;

use crate::limits::{TAGS, URIS};
use crate::record::{AlignmentMode, Error, ErrorKind, FailureOptions, Historic, Psd, Record, Tag};
use crate::{Policy, ReportUri};

impl Record {
    /// Reads a DMARC Policy Record (RFC 9989 4.8): the joined strings of a TXT record.
    ///
    /// Only the version decides whether it is one; every other fault is in [`Record::ignored`].
    ///
    /// # Errors
    /// The first tag is not "v=DMARC1".
    pub fn parse(octets: &[u8]) -> Result<Record, Error> {
        let Some(version_end) = version_end(octets) else {
            let end = octets.iter().position(|&octet| octet == b';').unwrap_or(octets.len());
            return Err(ErrorKind::NoVersion.at(0..end));
        };
        let mut record = Record::new();
        let mut start = version_end;
        let mut seen = 0;
        // `start` is at a ";".
        while start < octets.len() {
            let rest = octets.get(start + 1..).unwrap_or_default();
            let length = rest.iter().position(|&octet| octet == b';').unwrap_or(rest.len());
            let spec = trim(octets, start + 1..start + 1 + length);
            start += 1 + length;
            seen += 1;
            if seen > TAGS {
                record.ignored.push(ErrorKind::TooMany.at(spec.start..octets.len()));
                break;
            }
            if spec.is_empty() {
                // RFC 9989 4.8: one dmarc-sep may end the record.
                if start < octets.len() {
                    record.ignored.push(ErrorKind::Empty.at(spec));
                }
                continue;
            }
            match tag(octets, spec) {
                Ok(tag) => record.set(tag),
                Err(error) => record.ignored.push(error),
            }
        }
        Ok(record)
    }

    /// Whether octets begin as a DMARC Policy Record does (RFC 9989 4.10 steps 2 and 6).
    pub fn is_record(octets: &[u8]) -> bool {
        version_end(octets).is_some()
    }

    fn new() -> Record {
        Record {
            policy: None,
            subdomain_policy: None,
            nonexistent_policy: None,
            adkim: AlignmentMode::default(),
            aspf: AlignmentMode::default(),
            testing: false,
            psd: Psd::default(),
            failure_options: FailureOptions::default(),
            rua: Vec::new(),
            ruf: Vec::new(),
            historic: Historic::default(),
            tags: Vec::new(),
            ignored: Vec::new(),
            invalid_subdomain_policy: false,
            invalid_sp: false,
        }
    }

    /// Takes a tag over.
    ///
    /// Disputed. RFC 6376 3.2 makes a list with a repeated tag invalid; RFC 9989 4.8 discards only
    /// "syntax errors in the remainder of the record". Others take the last one, or discard the
    /// record; we take the first, because a domain that repeats "rua" wants DMARC all the same.
    /// Case: duplicate-tag.
    ///
    /// Disputed. By RFC 9989 4.8 a tag without a value is a syntax error, which is "ignored
    /// outright", by 4.10.1 a record that "contains an "sp" or "np" tag that is not valid" is none
    /// without rua; we take an empty sp or np for one that is not valid, because whoever wrote it
    /// meant something else than p. Case: empty-sp.
    fn set(&mut self, tag: Tag) {
        let span = tag.value_span.clone();
        if self.tags.iter().any(|earlier| earlier.name == tag.name) {
            self.ignored.push(ErrorKind::Duplicate.at(tag.name_span.clone()));
            self.tags.push(tag);
            return;
        }
        let value = tag.value.as_str();
        let valid = match tag.name.as_str() {
            "p" => set(&mut self.policy, Policy::from_keyword(value)),
            "sp" => {
                let valid = set(&mut self.subdomain_policy, Policy::from_keyword(value));
                self.invalid_sp |= !valid;
                self.invalid_subdomain_policy |= !valid;
                valid
            }
            "np" => {
                let valid = set(&mut self.nonexistent_policy, Policy::from_keyword(value));
                self.invalid_subdomain_policy |= !valid;
                valid
            }
            "adkim" => replace(&mut self.adkim, alignment_mode(value)),
            "aspf" => replace(&mut self.aspf, alignment_mode(value)),
            "t" => replace(&mut self.testing, word(value, &[("y", true), ("n", false)])),
            "psd" => {
                let words = [("y", Psd::Yes), ("n", Psd::No), ("u", Psd::Undeclared)];
                replace(&mut self.psd, word(value, &words))
            }
            "fo" => self.set_failure_options(value, &span),
            "rua" => {
                self.rua = self.uris(value, &span);
                true
            }
            "ruf" => {
                self.ruf = self.uris(value, &span);
                true
            }
            "pct" | "rf" | "ri" => {
                self.ignored.push(ErrorKind::HistoricTag.at(tag.name_span.clone()));
                self.set_historic(&tag.name, value)
            }
            _ => {
                self.ignored.push(ErrorKind::UnknownTag.at(tag.name_span.clone()));
                true
            }
        };
        if !valid {
            self.ignored.push(ErrorKind::InvalidValue.at(span));
        }
        self.tags.push(tag);
    }

    fn set_historic(&mut self, name: &str, value: &str) -> bool {
        match name {
            "pct" => set(&mut self.historic.pct, value.parse().ok().filter(|pct| *pct <= 100)),
            "ri" => set(&mut self.historic.ri, value.parse().ok()),
            _ => {
                let mut formats = value.split(':');
                let afrf = formats.all(|format| format.trim().eq_ignore_ascii_case("afrf"));
                self.historic.afrf = Some(afrf);
                afrf
            }
        }
    }

    /// RFC 9989 4.8: dmarc-fo. RFC 7489 let "0" stand beside "1"; what that asks for is "1".
    fn set_failure_options(&mut self, value: &str, span: &Range<usize>) -> bool {
        let mut options = FailureOptions::default();
        let mut all = false;
        for option in value.split(':').map(str::trim) {
            match option {
                "0" => all = true,
                "1" => options.any = true,
                "d" | "D" => options.dkim = true,
                "s" | "S" => options.spf = true,
                _ => return false,
            }
        }
        if all && options.any {
            self.ignored.push(ErrorKind::OptionConflict.at(span.clone()));
        }
        self.failure_options = options;
        true
    }

    /// RFC 9989 4.8: dmarc-urilist. What is no URI is left out.
    fn uris(&mut self, value: &str, span: &Range<usize>) -> Vec<ReportUri> {
        let mut uris = Vec::new();
        let mut start = span.start;
        for (index, part) in value.split(',').enumerate() {
            let text = part.trim_matches([' ', '\t']);
            let before = part.len() - part.trim_start_matches([' ', '\t']).len();
            let span = start + before..start + before + text.len();
            start += part.len() + 1;
            if index >= URIS {
                self.ignored.push(ErrorKind::TooMany.at(span));
                break;
            }
            match ReportUri::parse(text, span.clone()) {
                Some(uri) => {
                    if uri.size_limit.is_some() {
                        self.ignored
                            .push(ErrorKind::SizeLimit.at(span.start + uri.uri.len()..span.end));
                    }
                    uris.push(uri);
                }
                None => self.ignored.push(ErrorKind::InvalidUri.at(span)),
            }
        }
        uris
    }
}

/// Where `dmarc-version = "v" equals %s"DMARC1"` ends (RFC 9989 4.8), with the whitespace before
/// the ";" that follows.
fn version_end(octets: &[u8]) -> Option<usize> {
    let rest = octets.strip_prefix(b"v").or_else(|| octets.strip_prefix(b"V"))?;
    let rest = skip_wsp(rest).strip_prefix(b"=")?;
    let rest = skip_wsp(skip_wsp(rest).strip_prefix(b"DMARC1")?);
    matches!(rest.first(), None | Some(b';')).then(|| octets.len() - rest.len())
}

/// RFC 9989 4.8: `dmarc-tag = 1*ALPHA equals 1*dmarc-value`.
///
/// Disputed. The names of tags are case-sensitive in RFC 6376 3.2 and ABNF literals, so caseless,
/// in RFC 9989 4.8; we take them in any case, because nobody means another tag by "P".
/// Case: capital-tag-names.
fn tag(octets: &[u8], spec: Range<usize>) -> Result<Tag, Error> {
    let text = octets.get(spec.clone()).unwrap_or_default();
    let Some(equals) = text.iter().position(|&octet| octet == b'=') else {
        return Err(ErrorKind::NoEquals.at(spec));
    };
    let name_span = trim(octets, spec.start..spec.start + equals);
    let value_span = trim(octets, spec.start + equals + 1..spec.end);
    let name = octets.get(name_span.clone()).unwrap_or_default();
    if name.is_empty() || !name.iter().all(u8::is_ascii_alphabetic) {
        return Err(ErrorKind::InvalidName.at(name_span));
    }
    let value = octets.get(value_span.clone()).unwrap_or_default();
    if !value.iter().all(|octet| (b' '..=b'~').contains(octet)) {
        return Err(ErrorKind::InvalidOctet.at(value_span));
    }
    let lossy = |octets| String::from_utf8_lossy(octets).into_owned();
    let mut name = lossy(name);
    name.make_ascii_lowercase();
    Ok(Tag { name, value: lossy(value), name_span, value_span })
}

fn alignment_mode(value: &str) -> Option<AlignmentMode> {
    word(value, &[("r", AlignmentMode::Relaxed), ("s", AlignmentMode::Strict)])
}

/// What the word means, in any case (RFC 9989 4.8: ABNF literals).
fn word<T: Copy>(value: &str, words: &[(&str, T)]) -> Option<T> {
    words.iter().find(|(word, _)| value.eq_ignore_ascii_case(word)).map(|(_, meaning)| *meaning)
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    *place = value;
    place.is_some()
}

fn replace<T>(place: &mut T, value: Option<T>) -> bool {
    let valid = value.is_some();
    if let Some(value) = value {
        *place = value;
    }
    valid
}

fn is_wsp(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

fn skip_wsp(octets: &[u8]) -> &[u8] {
    let length = octets.iter().position(|&octet| !is_wsp(octet)).unwrap_or(octets.len());
    octets.get(length..).unwrap_or_default()
}

/// `span` without the whitespace at its ends; an empty one stands where it began.
fn trim(octets: &[u8], span: Range<usize>) -> Range<usize> {
    let within = octets.get(span.clone()).unwrap_or_default();
    let Some(first) = within.iter().position(|&octet| !is_wsp(octet)) else {
        return span.start..span.start;
    };
    let after = within.iter().rposition(|&octet| !is_wsp(octet)).map_or(first, |last| last + 1);
    span.start + first..span.start + after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Record {
        Record::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_limits_are_reached() {
        let tags = |count: usize| format!("v=DMARC1{}; p=reject", ";x=y".repeat(count));
        assert_eq!(parse(&tags(TAGS - 1)).policy, Some(Policy::Reject));
        assert_eq!(parse(&tags(TAGS)).policy, None);
        let uris = |count: usize| format!("v=DMARC1; rua={}", "x:y,".repeat(count));
        let rua = parse(&uris(URIS + 5)).rua;
        assert_eq!(rua.len(), URIS);
    }

    #[test]
    fn what_is_ignored_is_bounded() {
        let many = |part: &str| parse(&format!("v=DMARC1{}", part.repeat(10_000))).ignored.len();
        assert!(many(";") <= TAGS + 1);
        assert!(many(";=") <= TAGS + 1);
        assert!(many(";pct=x") <= 2 * TAGS + 1);
        assert!(parse(&format!("v=DMARC1;rua={}", ",".repeat(10_000))).ignored.len() <= URIS + 1);
    }

    #[test]
    fn spans() {
        let record = parse("v=DMARC1; p = reject ; rua = mailto:a@b.example , x");
        let tag = record.tag("p").unwrap();
        assert_eq!((tag.name_span.clone(), tag.value_span.clone()), (10..11, 14..20));
        assert_eq!(record.rua.first().unwrap().span, 29..47);
        assert_eq!(record.ignored, [ErrorKind::InvalidUri.at(50..51)]);
    }
}
