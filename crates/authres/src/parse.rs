//! The reader of fields.

use crate::field::{AuthenticationResults, Error, ErrorKind, MethodResult, Property};
use crate::limits::Limits;
use crate::token::Reader;

/// What lenient reading made of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What could be read. The authserv-id is empty if none was found.
    pub field: AuthenticationResults,
    /// What is wrong with the field, in the order found; empty if it is valid.
    pub defects: Vec<Error>,
}

impl AuthenticationResults {
    /// Reads a field's value (RFC 8601 2.2: authres-payload), folds and comments as they came, to
    /// the letter of the grammar.
    ///
    /// Reading a field trusts nothing: what it says is a claim of whoever added it.
    ///
    /// # Errors
    /// The first fault.
    pub fn parse(value: &[u8]) -> Result<AuthenticationResults, Error> {
        AuthenticationResults::parse_with(value, &Limits::default())
    }

    /// [`AuthenticationResults::parse`] with other limits.
    ///
    /// # Errors
    /// As [`AuthenticationResults::parse`].
    pub fn parse_with(value: &[u8], limits: &Limits) -> Result<AuthenticationResults, Error> {
        let mut reader = Reader::new(value, limits, false);
        check_octets(&mut reader)?;
        let mut field = AuthenticationResults::new("");
        payload(&mut reader, &mut field)?;
        Ok(field)
    }

    /// Reads what can be read of a field's value, for people to look at.
    ///
    /// Of a result with a fault the rest is left out, not the readable start; nothing inside a
    /// comment or quoted-string without end is read as a result.
    pub fn parse_lenient(value: &[u8]) -> Reading {
        let limits = Limits::default();
        let value = value.get(..limits.octets + 1).unwrap_or(value);
        let mut reader = Reader::new(value, &limits, true);
        let mut field = AuthenticationResults::new("");
        // A lenient reader overlooks all of `check_octets`.
        let outcome = check_octets(&mut reader).and_then(|()| payload(&mut reader, &mut field));
        let mut defects = reader.defects.unwrap_or_default();
        defects.extend(outcome.err());
        Reading { field, defects }
    }
}

fn check_octets(reader: &mut Reader) -> Result<(), Error> {
    let length = reader.octets.len();
    if length > reader.limits.octets {
        reader.overlook(ErrorKind::TooLong.at(reader.limits.octets..length))?;
    }
    if let Err(error) = str::from_utf8(reader.octets) {
        let start = error.valid_up_to();
        reader.overlook(ErrorKind::InvalidUtf8.at(start..start + 1))?;
    }
    Ok(())
}

/// `[CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS]`.
fn payload(reader: &mut Reader, field: &mut AuthenticationResults) -> Result<(), Error> {
    if let Err(error) = head(reader, field) {
        let no_id = reader.peek() == Some(b'=') && field.version.is_none();
        reader.overlook(error)?;
        if no_id {
            // Some fields have no authserv-id and begin with a result.
            field.authserv_id.clear();
            reader.at = 0;
            resinfo_or_skip(reader, field)?;
        } else {
            reader.skip_result();
        }
    }
    while reader.take(b';') {
        reader.cfws()?;
        if reader.peek().is_none() && !field.results.is_empty() {
            // Disputed. RFC 8601 2.2 has no ";" at the end; so many fields have one that we take
            // it. Case: go-msgauth-semicolon-at-the-end.
            return Ok(());
        }
        if field.results.is_empty() && no_result(reader)? {
            return Ok(());
        }
        if reader.peek().is_none() {
            break;
        }
        resinfo_or_skip(reader, field)?;
    }
    if field.results.is_empty() { Err(reader.here(ErrorKind::NoResult)) } else { Ok(()) }
}

/// `[CFWS] authserv-id [ CFWS authres-version ] [CFWS]`, up to the ";".
fn head(reader: &mut Reader, field: &mut AuthenticationResults) -> Result<(), Error> {
    reader.cfws()?;
    field.authserv_id = reader.value(ErrorKind::NoAuthservId)?;
    reader.cfws()?;
    if reader.peek().is_some_and(|octet| octet != b';') {
        let start = reader.at;
        let version = reader.digits(ErrorKind::InvalidVersion)?;
        reader.cfws()?;
        if reader.peek().is_some_and(|octet| octet != b';') {
            return Err(ErrorKind::InvalidVersion.at(start..reader.at));
        }
        field.version = Some(version);
    }
    Ok(())
}

/// `"none" [CFWS]` and the end (or the one ";" more that a resinfo may have, too).
fn no_result(reader: &mut Reader) -> Result<bool, Error> {
    let start = reader.at;
    let word = reader.run(|octet| octet.is_ascii_alphanumeric());
    if !reader.text(word).eq_ignore_ascii_case("none") {
        reader.at = start;
        return Ok(false);
    }
    reader.cfws()?;
    if matches!(reader.peek(), Some(b'=' | b'/')) {
        // A method may have the name "none".
        reader.at = start;
        return Ok(false);
    }
    if reader.take(b';') {
        reader.cfws()?;
    }
    if reader.peek().is_some() {
        return Err(reader.here(ErrorKind::AfterNone));
    }
    Ok(true)
}

/// A resinfo; lenient reading goes on at the next ";" after a fault.
fn resinfo_or_skip(reader: &mut Reader, field: &mut AuthenticationResults) -> Result<(), Error> {
    let start = reader.at;
    if let Err(error) = resinfo(reader, field) {
        let endless = matches!(
            error.kind,
            ErrorKind::UnterminatedComment
                | ErrorKind::UnterminatedQuotedString
                | ErrorKind::CommentTooDeep
                | ErrorKind::TooManyResults
        );
        reader.overlook(error)?;
        reader.at = if endless { reader.octets.len() } else { start };
        reader.skip_result();
    }
    Ok(())
}

/// `methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]`, up to the ";".
fn resinfo(reader: &mut Reader, field: &mut AuthenticationResults) -> Result<(), Error> {
    reader.cfws()?;
    let method = reader.keyword(ErrorKind::InvalidMethod)?;
    let method = reader.text(method).as_str().into();
    reader.cfws()?;
    let mut method_version = None;
    if reader.take(b'/') {
        reader.cfws()?;
        method_version = Some(reader.digits(ErrorKind::InvalidMethodVersion)?);
        reader.cfws()?;
    }
    equals(reader)?;
    let result = reader.keyword(ErrorKind::InvalidResult)?;
    if !matches!(reader.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'(' | b';')) {
        return Err(ErrorKind::InvalidResult.at(result.start..reader.at + 1));
    }
    let result = reader.text(result).as_str().into();
    if field.results.len() >= reader.limits.results {
        return Err(reader.here(ErrorKind::TooManyResults));
    }
    let result = MethodResult { method_version, ..MethodResult::new(method, result) };
    field.results.push(result);
    let Some(result) = field.results.last_mut() else { return Ok(()) };
    reader.cfws()?;
    while !matches!(reader.peek(), None | Some(b';')) {
        detail(reader, result)?;
    }
    Ok(())
}

/// A reasonspec or a propspec, with the CFWS after it.
fn detail(reader: &mut Reader, result: &mut MethodResult) -> Result<(), Error> {
    let ptype = reader.keyword(ErrorKind::InvalidPtype)?;
    let name = reader.text(ptype.clone());
    reader.cfws()?;
    if name.eq_ignore_ascii_case("reason") && reader.peek() != Some(b'.') {
        if result.reason.is_some() || !result.properties.is_empty() {
            reader.overlook(ErrorKind::InvalidPtype.at(ptype))?;
        }
        equals(reader)?;
        result.reason = Some(reader.value(ErrorKind::InvalidValue)?);
        if !reader.cfws()? && !matches!(reader.peek(), None | Some(b';')) {
            return Err(reader.here(ErrorKind::NoSpace));
        }
        return Ok(());
    }
    if !reader.take(b'.') {
        if reader.peek() != Some(b'=') {
            return Err(reader.here(ErrorKind::NoDot));
        }
        // Some add "action=none", which has no ptype.
        reader.overlook(reader.here(ErrorKind::NoDot))?;
        equals(reader)?;
        reader.pvalue()?;
        reader.cfws()?;
        return Ok(());
    }
    reader.cfws()?;
    let property = reader.keyword(ErrorKind::InvalidProperty)?;
    let property = reader.text(property).as_str().into();
    reader.cfws()?;
    equals(reader)?;
    let value = reader.pvalue()?;
    reader.cfws()?;
    if result.properties.len() >= reader.limits.results {
        return Err(reader.here(ErrorKind::TooManyResults));
    }
    result.properties.push(Property { ptype: name.as_str().into(), property, value });
    Ok(())
}

fn equals(reader: &mut Reader) -> Result<(), Error> {
    if !reader.take(b'=') {
        return Err(reader.here(ErrorKind::NoEquals));
    }
    reader.cfws()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(value: &str) -> Option<ErrorKind> {
        AuthenticationResults::parse(value.as_bytes()).err().map(|error| error.kind)
    }

    #[test]
    fn the_limits_are_reached() {
        let limits = Limits::default();
        let results = |count: usize| format!("a{}", "; spf=pass".repeat(count));
        assert_eq!(kind(&results(limits.results)), None);
        assert_eq!(kind(&results(limits.results + 1)), Some(ErrorKind::TooManyResults));
        let properties = |count: usize| format!("a; spf=pass{}", " a.b=c".repeat(count));
        assert_eq!(kind(&properties(limits.results)), None);
        assert_eq!(kind(&properties(limits.results + 1)), Some(ErrorKind::TooManyResults));
        let octets = |count: usize| format!("{:1$}", "a; spf=pass", count);
        assert_eq!(kind(&octets(limits.octets)), None);
        assert_eq!(kind(&octets(limits.octets + 1)), Some(ErrorKind::TooLong));
        let comment = |depth: usize| format!("a {}{}; none", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(kind(&comment(limits.comment_depth)), None);
        assert_eq!(kind(&comment(limits.comment_depth + 1)), Some(ErrorKind::CommentTooDeep));
    }

    #[test]
    fn an_escape_at_the_end_ends_nothing() {
        let error = AuthenticationResults::parse(b"a (\\").unwrap_err();
        assert_eq!((error.kind, error.span), (ErrorKind::UnterminatedComment, 2..4));
        let error = AuthenticationResults::parse(b"\"\\").unwrap_err();
        assert_eq!((error.kind, error.span), (ErrorKind::UnterminatedQuotedString, 0..2));
        assert_eq!(kind("a (\\\0); none"), Some(ErrorKind::Control));
    }

    #[test]
    fn lenient_reading_is_bounded_too() {
        let reading = AuthenticationResults::parse_lenient(&b"a; =x;".repeat(100_000));
        assert!(reading.defects.len() <= Limits::default().results + 1);
        let reading = AuthenticationResults::parse_lenient(&b"a; spf=pass;".repeat(100_000));
        assert!(reading.field.results.len() <= Limits::default().results);
    }
}
