//! A header section from fields that come one by one.

use memchr::memchr_iter;

use crate::header::Header;
use crate::limits::{Limits, TooLarge};
use crate::parse::{self, Parsed};

/// Builds a [`Header`] from fields that come one by one, as a milter gets them.
///
/// One [`push`](HeaderBuilder::push) is one field of the header, whatever its octets are: a value
/// cannot smuggle in a second field.
///
/// ```
/// use mailproof_message::{HeaderBuilder, Limits};
///
/// let mut builder = HeaderBuilder::new(Limits::default());
/// builder.push(b"Subject", b" one\n\ttwo")?;
/// assert_eq!(builder.finish().octets(), b"Subject: one\r\n\ttwo\r\n");
/// # Ok::<(), mailproof_message::TooLarge>(())
/// ```
#[derive(Debug, Clone)]
pub struct HeaderBuilder {
    limits: Limits,
    octets: Vec<u8>,
    parsed: Parsed,
}

impl HeaderBuilder {
    /// A header without fields, to stay within `limits`.
    pub fn new(limits: Limits) -> HeaderBuilder {
        HeaderBuilder { limits, octets: Vec::new(), parsed: Parsed::default() }
    }

    /// Adds the field `name ":" value CRLF`.
    ///
    /// The value is what follows the colon, so it begins with the space that usually stands there:
    /// a milter asks its MTA to leave it (SMFIP_HDR_LEADSPC), or puts one itself. A lone LF before
    /// a space or tab is how a milter writes a fold, and becomes CRLF.
    ///
    /// # Errors
    /// The field or the section would be beyond the limits; the field is then not added.
    pub fn push(&mut self, name: &[u8], value: &[u8]) -> Result<(), TooLarge> {
        let start = self.octets.len();
        if self.parsed.fields.len() >= self.limits.fields {
            return Err(TooLarge::Fields { limit: self.limits.fields });
        }
        // Checked before the copy as well: a fold can only add octets.
        let length = name.len().saturating_add(value.len());
        self.check(start, length)?;
        self.octets.reserve(length + 3);
        self.octets.extend_from_slice(name);
        self.octets.push(b':');
        extend_with_folds(&mut self.octets, value);
        self.octets.extend_from_slice(b"\r\n");
        if let Err(error) = self.check(start, self.octets.len() - start) {
            self.octets.truncate(start);
            return Err(error);
        }
        self.parsed.one_field(&self.octets, start);
        Ok(())
    }

    /// The header, ended by its empty line.
    pub fn finish(mut self) -> Header {
        self.parsed.body = Some(self.octets.len());
        Header::new(self.octets, self.parsed)
    }

    fn check(&self, start: usize, length: usize) -> Result<(), TooLarge> {
        if length > self.limits.field {
            return Err(TooLarge::Field { limit: self.limits.field });
        }
        if start.saturating_add(length) > self.limits.section {
            return Err(TooLarge::Section { limit: self.limits.section });
        }
        Ok(())
    }
}

fn extend_with_folds(octets: &mut Vec<u8>, value: &[u8]) {
    let mut copied = 0;
    for position in memchr_iter(b'\n', value) {
        let before = value.get(copied..position).unwrap_or_default();
        octets.extend_from_slice(before);
        let folds = value.get(position + 1).copied().is_some_and(parse::is_wsp);
        if folds && octets.last() != Some(&b'\r') {
            octets.push(b'\r');
        }
        octets.push(b'\n');
        copied = position + 1;
    }
    octets.extend_from_slice(value.get(copied..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DefectKind;

    fn build(fields: &[(&str, &str)]) -> Header {
        let mut builder = HeaderBuilder::new(Limits::default());
        for (name, value) in fields {
            builder.push(name.as_bytes(), value.as_bytes()).unwrap();
        }
        builder.finish()
    }

    #[test]
    fn as_parsed() {
        let built = build(&[("From", " a@b.example"), ("To", "x,\r\n y,\n\tz"), ("X ", "")]);
        let parsed = Header::parse(built.octets());
        assert_eq!(built.octets(), b"From: a@b.example\r\nTo:x,\r\n y,\r\n\tz\r\nX :\r\n");
        assert!(built.fields().map(|f| f.name()).eq(parsed.fields().map(|f| f.name())));
        assert!(built.has_empty_line());
    }

    #[test]
    fn one_push_is_one_field() {
        let header = build(&[("A", " 1\r\nFrom: evil@a.example\r\n\r\n"), ("B", " 1\nFrom: x")]);
        assert_eq!(header.fields().len(), 2);
        let names: Vec<_> = header.fields().map(|field| field.name()).collect();
        assert_eq!(names, [None, Some(&b"B"[..])]);
        let kinds: Vec<_> = header.defects().iter().map(|defect| defect.kind).collect();
        assert_eq!(kinds, [DefectKind::LineEnd, DefectKind::BareLf]);
    }

    #[test]
    fn limits() {
        let limits = Limits { section: 20, field: 10, fields: 3, ..Limits::default() };
        let mut builder = HeaderBuilder::new(limits);
        assert_eq!(builder.push(b"Name", b" 1234"), Err(TooLarge::Field { limit: 10 }));
        assert_eq!(builder.push(b"a", b" 12345"), Ok(()));
        assert_eq!(builder.push(b"a", b" 123456"), Err(TooLarge::Field { limit: 10 }));
        assert_eq!(builder.push(b"a", b"\n\n 12345"), Err(TooLarge::Field { limit: 10 }));
        assert_eq!(builder.push(b"a", b"12"), Ok(()));
        assert_eq!(builder.push(b"a", b""), Ok(()));
        assert_eq!(builder.push(b"a", b""), Err(TooLarge::Fields { limit: 3 }));
        let mut builder = HeaderBuilder::new(limits);
        for _ in 0..2 {
            builder.push(b"a", b"12345").unwrap();
        }
        assert_eq!(builder.push(b"a", b""), Err(TooLarge::Section { limit: 20 }));
        assert!(builder.finish().check(&limits).is_ok());
    }
}
