//! The field in print.

use std::fmt;

use crate::field::{AuthenticationResults, MethodResult, Property};
use crate::limits::{LINE, VALUE};
use crate::token::{is_domain, is_dot_atom, is_token};

/// Which characters a printed field may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Charset {
    /// ASCII (RFC 5322): every other character is printed as "?".
    #[default]
    Ascii,
    /// UTF-8 (RFC 6532), for messages that are internationalized already.
    Utf8,
}

impl AuthenticationResults {
    /// The whole header field, `Authentication-Results: …` with folds and final CRLF.
    ///
    /// Whatever the values hold, it is one field: values that are no token become quoted-strings,
    /// controls become "?", and each line has 78 characters where it can and never 998.
    pub fn to_field(&self, charset: Charset) -> String {
        let name = "Authentication-Results: ";
        format!("{name}{}\r\n", self.fold(name.len(), charset))
    }

    /// The field's value, folded with CRLF TAB, whose first line begins after `column` characters;
    /// a milter and an ARC-Authentication-Results field print their own beginning.
    pub fn fold(&self, column: usize, charset: Charset) -> String {
        let mut folder = Folder { text: String::new(), column };
        let mut atoms = Atoms::of(self, charset).peekable();
        while let Some(mut atom) = atoms.next() {
            if atoms.peek().is_some_and(|next| next.starts_result) {
                atom.text.push(';');
            }
            folder.put(&atom);
        }
        folder.text
    }
}

/// What no fold divides (but for the spaces in a quoted-string).
struct Atom {
    text: String,
    starts_result: bool,
}

struct Atoms;

impl Atoms {
    /// The authserv-id with its version, then for each result `method=result`, the reason, and
    /// each property.
    fn of(field: &AuthenticationResults, charset: Charset) -> impl Iterator<Item = Atom> {
        let atom = |starts_result| move |text| Atom { text, starts_result };
        let version = field.version.map_or(String::new(), |version| format!(" {version}"));
        let head = value(&field.authserv_id, charset) + &version;
        let none = field.results.is_empty().then(|| "none".to_owned());
        std::iter::once(head).map(atom(false)).chain(none.into_iter().map(atom(true))).chain(
            field.results.iter().flat_map(move |result| {
                let reason = result.reason.iter();
                let reason = reason.map(move |reason| format!("reason={}", value(reason, charset)));
                let properties = result.properties.iter();
                let properties = properties.map(move |item| property(item, charset));
                std::iter::once(method(result))
                    .map(atom(true))
                    .chain(reason.chain(properties).map(atom(false)))
            }),
        )
    }
}

struct Folder {
    text: String,
    column: usize,
}

impl Folder {
    /// Each result gets lines of its own.
    fn put(&mut self, atom: &Atom) {
        let first = self.text.is_empty();
        // A space, and room for the ";" that ends a result.
        let fits = self.column + atom.text.len() < LINE;
        if atom.starts_result || (!first && !fits) {
            self.text.push_str("\r\n\t");
            self.column = 8;
        } else if !first {
            self.text.push(' ');
            self.column += 1;
        }
        if self.column + atom.text.len() <= LINE {
            self.text.push_str(&atom.text);
            self.column += atom.text.len();
            return;
        }
        // Too long for one line: RFC 5322 3.2.4 folds a quoted-string before a space in it. The
        // space stays, so unfolding gives the string back; no line is made of spaces alone.
        for (index, word) in atom.text.split(' ').enumerate() {
            if index > 0 {
                if !word.is_empty() && self.column + 1 + word.len() > LINE {
                    self.text.push_str("\r\n");
                    self.column = 0;
                }
                self.text.push(' ');
                self.column += 1;
            }
            self.text.push_str(word);
            self.column += word.len();
        }
    }
}

impl fmt::Display for AuthenticationResults {
    /// The field's value (RFC 8601 2.2) on one line, in UTF-8.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, atom) in Atoms::of(self, Charset::Utf8).enumerate() {
            match (index, atom.starts_result) {
                (0, _) => {}
                (_, true) => f.write_str("; ")?,
                (_, false) => f.write_str(" ")?,
            }
            f.write_str(&atom.text)?;
        }
        Ok(())
    }
}

impl fmt::Display for MethodResult {
    /// The resinfo (RFC 8601 2.2) on one line, in UTF-8.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&method(self))?;
        if let Some(reason) = &self.reason {
            write!(f, " reason={}", value(reason, Charset::Utf8))?;
        }
        for item in &self.properties {
            write!(f, " {}", property(item, Charset::Utf8))?;
        }
        Ok(())
    }
}

fn method(result: &MethodResult) -> String {
    let version = result.method_version.map_or(String::new(), |version| format!("/{version}"));
    format!("{}{version}={}", result.method, result.result)
}

fn property(property: &Property, charset: Charset) -> String {
    let value = pvalue(&property.value, charset);
    format!("{}.{}={value}", property.ptype, property.property)
}

/// RFC 8601 2.2: an "email identity […] MUST use the right-hand portion" of the pvalue, which is
/// `[[local-part] "@"] domain-name`.
fn pvalue(text: &str, charset: Charset) -> String {
    let text = printable(text, charset);
    match text.rsplit_once('@') {
        Some((local, domain)) if is_domain(domain) => {
            if local.is_empty() || is_dot_atom(local) {
                text
            } else {
                format!("{}@{domain}", quoted(local))
            }
        }
        _ => token_or_quoted(text),
    }
}

/// RFC 2045 5.1: a token or a quoted-string.
fn value(text: &str, charset: Charset) -> String {
    token_or_quoted(printable(text, charset))
}

fn token_or_quoted(text: String) -> String {
    if !text.is_empty() && text.bytes().all(is_token) { text } else { quoted(&text) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// The text with "?" for what the field may not have, and cut where a line could grow too long.
fn printable(text: &str, charset: Charset) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if printable.len() + character.len_utf8() > VALUE {
            break;
        }
        let allowed = match charset {
            _ if character.is_ascii() => !character.is_ascii_control(),
            Charset::Ascii => false,
            Charset::Utf8 => !character.is_control() && !is_invisible(character),
        };
        printable.push(if allowed { character } else { '?' });
    }
    printable
}

/// Line separators and what changes the direction of text: a reader would see another value.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Method, Ptype, ResultCode};

    fn printed(value: &str) -> String {
        let result = MethodResult::new(Method::Spf, ResultCode::Pass);
        let field = AuthenticationResults::new("a").with(result.with(Ptype::Smtp, "helo", value));
        let text = field.fold(0, Charset::Ascii);
        text.strip_prefix("a;\r\n\tspf=pass smtp.helo=").unwrap().to_owned()
    }

    #[test]
    fn values_as_the_grammar_wants_them() {
        assert_eq!(printed("mx.example"), "mx.example");
        assert_eq!(printed("a+b=c@mx.example"), "a+b=c@mx.example");
        assert_eq!(printed("@mx.example"), "@mx.example");
        assert_eq!(printed("a b@mx.example"), "\"a b\"@mx.example");
        assert_eq!(printed("2001:db8::1"), "\"2001:db8::1\"");
        assert_eq!(printed(""), "\"\"");
    }

    #[test]
    fn no_value_leaves_its_place() {
        assert_eq!(printed("x\r\nFrom: y"), "\"x??From: y\"");
        assert_eq!(printed("x\0\x7fü"), "\"x???\"");
        assert_eq!(printed("x; dkim=pass"), "\"x; dkim=pass\"");
        assert_eq!(printed("legitimate.com(.attack.com"), "\"legitimate.com(.attack.com\"");
        assert_eq!(printed("\"\\"), "\"\\\"\\\\\"");
        assert_eq!(printed("a\"@b@c.example"), "\"a\\\"@b\"@c.example");
    }

    #[test]
    fn long_values_are_cut_and_folded() {
        let mut field = AuthenticationResults::new("x".repeat(5000));
        field.version = Some(1);
        assert_eq!(field.to_string().len(), VALUE + " 1; none".len());
        let reason = "twelve words that say why ".repeat(5);
        let result = MethodResult::new(Method::Dkim, ResultCode::Fail).reason(reason);
        let field = AuthenticationResults::new("mx.example").with(result).to_field(Charset::Ascii);
        assert!(field.split("\r\n").all(|line| line.len() <= LINE), "{field}");
    }

    #[test]
    fn nothing_done() {
        let field = AuthenticationResults::new("mx.example").to_field(Charset::Ascii);
        assert_eq!(field, "Authentication-Results: mx.example;\r\n\tnone\r\n");
    }

    #[test]
    fn the_direction_of_text_is_not_changed() {
        let mut field = AuthenticationResults::new("a");
        field.authserv_id = "bücher\u{202e}".to_owned();
        assert_eq!(field.fold(0, Charset::Utf8), "\"bücher?\";\r\n\tnone");
    }
}
