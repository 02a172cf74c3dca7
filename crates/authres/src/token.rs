//! The tokens of the field (RFC 5322 3.2, RFC 2045 5.1, RFC 5321 4.1.2), for strict and lenient
//! reading alike.

use std::ops::Range;

use crate::field::{Error, ErrorKind};
use crate::limits::Limits;

/// The octets and how far they are read.
pub(crate) struct Reader<'a> {
    pub(crate) octets: &'a [u8],
    pub(crate) at: usize,
    pub(crate) limits: &'a Limits,
    /// Lenient reading notes here what it overlooks; strict reading stops.
    pub(crate) defects: Option<Vec<Error>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(value: &'a [u8], limits: &'a Limits, lenient: bool) -> Reader<'a> {
        // The line end of the field, of either kind: as in folds.
        let octets = match value {
            [octets @ .., b'\r', b'\n'] | [octets @ .., b'\n'] => octets,
            octets => octets,
        };
        Reader { octets, at: 0, limits, defects: lenient.then(Vec::new) }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    /// Takes `octet` if it is next.
    pub(crate) fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// The octets of this span as text.
    pub(crate) fn text(&self, span: Range<usize>) -> String {
        String::from_utf8_lossy(self.octets.get(span).unwrap_or_default()).into_owned()
    }

    /// Whether nothing but whitespace stands in this span.
    pub(crate) fn is_blank(&self, span: Range<usize>) -> bool {
        self.octets.get(span).unwrap_or_default().trim_ascii().is_empty()
    }

    /// The octets of this span as text without the comments that have an end.
    pub(crate) fn text_without_comments(&mut self, span: Range<usize>) -> String {
        let mut kept = Vec::with_capacity(span.len());
        self.at = span.start;
        let mut endless = false;
        while let Some(octet) = self.peek().filter(|_| self.at < span.end) {
            let start = self.at;
            if octet == b'(' && !endless {
                endless = self.comment().is_err();
                if !endless {
                    continue;
                }
            }
            self.at = start + 1;
            kept.push(octet);
        }
        String::from_utf8_lossy(&kept).into_owned()
    }

    /// The span of the octets from here that `belongs`, which are taken.
    pub(crate) fn run(&mut self, belongs: impl Fn(u8) -> bool) -> Range<usize> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&octet| !belongs(octet)).unwrap_or(rest.len());
        self.at += length;
        self.at - length..self.at
    }

    /// This kind of error, at the octet that is next.
    pub(crate) fn here(&self, kind: ErrorKind) -> Error {
        kind.at(self.at..self.octets.len().min(self.at + 1))
    }

    /// Notes a defect that lenient reading overlooks.
    ///
    /// # Errors
    /// The defect itself in strict reading.
    pub(crate) fn overlook(&mut self, defect: Error) -> Result<(), Error> {
        match &mut self.defects {
            Some(defects) => {
                if defects.len() < self.limits.results {
                    defects.push(defect);
                }
                Ok(())
            }
            None => Err(defect),
        }
    }

    /// Takes `[CFWS]` (RFC 5322 3.2.2) and says whether there was any.
    pub(crate) fn cfws(&mut self) -> Result<bool, Error> {
        let start = self.at;
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\r' | b'\n') => self.fold()?,
                Some(b'(') => self.comment()?,
                _ => return Ok(self.at > start),
            }
        }
    }

    /// Takes the CRLF of a fold. A lone CR, or a line end without WSP, is a defect.
    ///
    /// Disputed. RFC 5322 2.2.3 folds with CRLF; files have lone LF, milters hand over folds with
    /// it, and other readers take both; so do we, because no other reading is possible.
    /// Case: fold-with-lf-alone.
    fn fold(&mut self) -> Result<(), Error> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let length = match rest {
            [b'\r', b'\n', b' ' | b'\t', ..] => 2,
            [b'\n', b' ' | b'\t', ..] => 1,
            _ => 0,
        };
        if length > 0 {
            self.at += length;
            return Ok(());
        }
        self.overlook(self.here(ErrorKind::LineBreak))?;
        self.at += 1;
        Ok(())
    }

    /// Takes a comment with the comments in it; a loop, so that depth costs no stack.
    fn comment(&mut self) -> Result<(), Error> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                None => return Err(ErrorKind::UnterminatedComment.at(start..self.at)),
                Some(b'\r' | b'\n') => {
                    self.fold()?;
                    continue;
                }
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        None | Some(b'\r' | b'\n') => continue,
                        Some(octet) => self.check_control(octet)?,
                    }
                }
                Some(octet) => self.check_control(octet)?,
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
            if depth > self.limits.comment_depth {
                return Err(ErrorKind::CommentTooDeep.at(start..self.at));
            }
        }
    }

    /// Notes a control character, which `octet` at the place that is next may be.
    fn check_control(&mut self, octet: u8) -> Result<(), Error> {
        if is_control(octet) { self.overlook(self.here(ErrorKind::Control)) } else { Ok(()) }
    }

    /// Takes a quoted-string (RFC 5322 3.2.4, RFC 6532 3.2), whose quote is next, and returns what
    /// it means: without quotes, escapes and the CRLF of folds.
    pub(crate) fn quoted_string(&mut self) -> Result<String, Error> {
        let start = self.at;
        self.at += 1;
        let mut content = Vec::new();
        loop {
            let octet = match self.peek() {
                None => return Err(ErrorKind::UnterminatedQuotedString.at(start..self.at)),
                Some(b'\r' | b'\n') => {
                    self.fold()?;
                    continue;
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(octet) => octet,
                        None => continue,
                    }
                }
                Some(octet) => octet,
            };
            self.check_control(octet)?;
            content.push(octet);
            self.at += 1;
        }
        self.at += 1;
        Ok(String::from_utf8_lossy(&content).into_owned())
    }

    /// Takes a Keyword (RFC 5321 4.1.2: `*( ALPHA / DIGIT / "-" ) Let-dig`).
    pub(crate) fn keyword(&mut self, otherwise: ErrorKind) -> Result<Range<usize>, Error> {
        let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        let span = self.run(is_letter);
        let keyword = self.octets.get(span.clone()).unwrap_or_default();
        if keyword.is_empty() {
            return Err(self.here(otherwise));
        }
        // Real fields say "perm_fail".
        if keyword.contains(&b'_') || keyword.ends_with(b"-") {
            self.overlook(otherwise.at(span.clone()))?;
        }
        Ok(span)
    }

    /// Takes 1*DIGIT.
    pub(crate) fn digits(&mut self, otherwise: ErrorKind) -> Result<u32, Error> {
        let span = self.run(|octet| octet.is_ascii_digit());
        match self.text(span.clone()).parse() {
            Ok(number) => Ok(number),
            Err(_) if span.is_empty() => Err(self.here(otherwise)),
            Err(_) => Err(otherwise.at(span)),
        }
    }

    /// Takes a value (RFC 2045 5.1): a token or a quoted-string.
    pub(crate) fn value(&mut self, otherwise: ErrorKind) -> Result<String, Error> {
        if self.peek() == Some(b'"') {
            return self.quoted_string();
        }
        let span = self.run(is_token);
        if span.is_empty() { Err(self.here(otherwise)) } else { Ok(self.text(span)) }
    }

    /// Takes a pvalue without the CFWS around it: `value / [[local-part] "@"] domain-name`.
    pub(crate) fn pvalue(&mut self) -> Result<String, Error> {
        if self.peek() == Some(b'"') {
            let mut value = self.quoted_string()?;
            if self.peek() == Some(b'@') {
                let domain = self.run(is_address);
                let text = self.text(domain.clone());
                if !is_domain(text.trim_start_matches('@')) {
                    self.overlook(ErrorKind::InvalidValue.at(domain))?;
                }
                value.push_str(&text);
            }
            return Ok(value);
        }
        let span = if self.defects.is_some() {
            // Real fields hold URIs, IPv6 addresses and base64 without quotes.
            self.run(|octet| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b'"'))
        } else {
            let span = self.run(is_address);
            let ends =
                matches!(self.peek(), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'('));
            if !ends {
                return Err(ErrorKind::InvalidValue.at(span.start..self.at + 1));
            }
            span
        };
        let text = self.text(span.clone());
        let valid = match text.rsplit_once('@') {
            Some((local, domain)) => (local.is_empty() || is_dot_atom(local)) && is_domain(domain),
            None => !text.is_empty() && text.bytes().all(is_token),
        };
        if !valid {
            let span = if span.is_empty() { self.here(ErrorKind::InvalidValue).span } else { span };
            self.overlook(ErrorKind::InvalidValue.at(span))?;
        }
        Ok(text)
    }

    /// Goes to the next ";" that is in no comment and no quoted-string.
    pub(crate) fn skip_result(&mut self) {
        let known = self.defects.as_ref().map_or(0, Vec::len);
        while let Some(octet) = self.peek() {
            let inside = match octet {
                b';' => break,
                b'(' => self.comment(),
                b'"' => self.quoted_string().map(drop),
                _ => {
                    self.at += 1;
                    Ok(())
                }
            };
            if inside.is_err() {
                self.at = self.octets.len();
            }
        }
        if let Some(defects) = &mut self.defects {
            defects.truncate(known);
        }
    }
}

fn is_control(octet: u8) -> bool {
    (octet < b' ' && octet != b'\t') || octet == 0x7f
}

/// RFC 2045 5.1: `token = 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>`.
///
/// Disputed. RFC 8601 2.5 lets an authserv-id "be expressed in UTF-8" in an EAI message without
/// saying where its grammar does; we take UTF-8 in every token. Case: dkim-verifier-eai-authserv-id.
pub(crate) fn is_token(octet: u8) -> bool {
    !octet.is_ascii()
        || (octet.is_ascii_graphic()
            && !matches!(
                octet,
                b'(' | b')'
                    | b'<'
                    | b'>'
                    | b'@'
                    | b','
                    | b';'
                    | b':'
                    | b'\\'
                    | b'"'
                    | b'/'
                    | b'['
                    | b']'
                    | b'?'
                    | b'='
            ))
}

/// RFC 5322 3.2.3 atext, as RFC 6532 3.2 extends it.
fn is_atext(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || !octet.is_ascii() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet)
}

/// What a token or an unquoted address is made of.
fn is_address(octet: u8) -> bool {
    is_atext(octet) || matches!(octet, b'.' | b'@')
}

/// RFC 5322 3.2.3 dot-atom-text.
///
/// Disputed. RFC 8601 2.2 takes local-part from RFC 5322 3.4.1, whose atext has "="; some read a
/// token of RFC 2045 5.1 there, which has none, and refuse what VERP and SRS make; we read it,
/// because the grammar does. Case: gmail-verp-local-part.
///
/// Disputed. RFC 5322 3.4.1 has no dot at the ends and no two in a row; real addresses do
/// (`a..b@example.com`), and what stands before a domain decides nothing.
pub(crate) fn is_dot_atom(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| is_atext(octet) || octet == b'.')
}

/// RFC 6376 3.5: `domain-name = sub-domain 1*("." sub-domain)`, where RFC 5321 4.1.2 says
/// `sub-domain = Let-dig [Ldh-str]`; one label suffices, and "_" passes, because real names have it.
pub(crate) fn is_domain(text: &str) -> bool {
    text.split('.').all(|label| {
        let edge = |octet: Option<&u8>| octet.is_some_and(|octet| *octet != b'-');
        let octets = label.as_bytes();
        edge(octets.first())
            && edge(octets.last())
            && octets.iter().all(|octet| {
                octet.is_ascii_alphanumeric() || !octet.is_ascii() || matches!(octet, b'-' | b'_')
            })
    })
}
