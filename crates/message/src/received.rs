//! The trace fields that tell a message's way: Received and Return-Path (RFC 5321 4.4).

use std::net::IpAddr;

use crate::Header;
use crate::header::Field;

/// What a Received field (RFC 5321 4.4: Time-stamp-line) says of one hop, as far as it is legible.
///
/// It is the word of whoever wrote it: only fields above the first that a trusted host did not
/// write can be believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The name that the client gave in HELO or EHLO, the first word after FROM.
    pub helo: Option<String>,
    /// The address of the client, from the TCP-info behind that name.
    pub client: Option<IpAddr>,
    /// The name that the server found for that address, where servers of its kind write it only if
    /// it leads back to the address.
    pub client_name: Option<String>,
    /// The host that received the message, the word after BY; none if there are two.
    pub by: Option<String>,
    /// The reverse-path, where the host writes `(envelope-from <…>)`.
    pub envelope_from: Option<String>,
}

impl Received {
    /// Reads the value of a Received field.
    ///
    /// Besides RFC 5321's form it knows what mail servers write: Postfix and Sendmail
    /// (`from helo (name [192.0.2.1])`), Exim (`from [192.0.2.1] (helo=name)`, `from name
    /// ([192.0.2.1] helo=name)`), qmail (`from name (HELO helo) (192.0.2.1)`), and an address in
    /// parentheses without brackets.
    pub fn parse(value: &[u8]) -> Received {
        let mut received = Received::default();
        let mut clause = Clause::None;
        let mut hosts = 0_usize;
        for token in tokens(value) {
            clause = match (token, clause) {
                (Token::End, _) => break,
                // Whatever a client calls itself, "by" too.
                (Token::Word(word), Clause::From) => {
                    received.client_word(word);
                    Clause::FromInfo
                }
                (Token::Word(word), Clause::By) => {
                    received.by = text(word);
                    Clause::None
                }
                (Token::Word(word), _) if is(word, "from") && received.helo.is_none() => {
                    Clause::From
                }
                (Token::Word(word), _) if is(word, "by") => {
                    hosts += 1;
                    Clause::By
                }
                // A name in HELO may have had spaces.
                (Token::Word(_), clause) => clause,
                (Token::Comment(comment), clause) => {
                    received.exim_envelope(comment);
                    match clause {
                        // The first that tells counts: names in certificates stand behind it.
                        Clause::FromInfo if received.tcp_info(comment) => Clause::None,
                        clause => clause,
                    }
                }
            };
        }
        if hosts > 1 {
            received.by = None;
        }
        received
    }

    fn client_word(&mut self, word: &[u8]) {
        self.client = bracketed(word);
        self.helo = text(word);
    }

    /// RFC 5321 4.4: `TCP-info = address-literal / ( Domain FWS address-literal )`, "Information
    /// derived by server from TCP connection not client EHLO". Whether it tells the address.
    fn tcp_info(&mut self, comment: &[u8]) -> bool {
        let mut words = comment.split(u8::is_ascii_whitespace);
        if let Some(helo) = words
            .clone()
            .find_map(|word| word.strip_prefix(b"helo=").or_else(|| word.strip_prefix(b"HELO=")))
        {
            // The word before was the name then, unless it was the address.
            self.client_name = self.helo.take().filter(|_| self.client.is_none());
            self.helo = text(helo);
        } else if words.next().is_some_and(|word| is(word, "HELO") || is(word, "EHLO")) {
            self.helo = words.next().and_then(text);
        }
        // What stands in brackets is the connection; a bare address counts if nothing else does.
        let Some(client) = bracketed(comment).or_else(|| address(comment)) else { return false };
        self.client = Some(client);
        // Sendmail says "(may be forged)" of a name that does not lead back.
        if self.client_name.is_none() && !comment.contains(&b'(') {
            let name = comment.split(|&octet| octet == b'[').next().unwrap_or_default();
            self.client_name = text(name.trim_ascii()).filter(|_| name.len() < comment.len());
        }
        true
    }

    fn exim_envelope(&mut self, comment: &[u8]) {
        let Some(path) = comment.trim_ascii().strip_prefix(b"envelope-from ") else { return };
        let path = path.trim_ascii();
        let inner = path.strip_prefix(b"<").and_then(|path| path.strip_suffix(b">"));
        self.envelope_from = Some(String::from_utf8_lossy(inner.unwrap_or(path)).into_owned());
    }
}

/// The reverse-path that the topmost Return-Path field (RFC 5321 4.4) holds, without its angle
/// brackets; empty for the null reverse-path.
pub fn return_path(header: &Header) -> Option<(Field<'_>, String)> {
    let field = header.named("Return-Path").next()?;
    let value = field.value().trim_ascii();
    let inner = value.strip_prefix(b"<")?.strip_suffix(b">")?;
    let path = std::str::from_utf8(inner).ok()?;
    Some((field, path.to_owned()))
}

enum Clause {
    None,
    From,
    FromInfo,
    By,
}

enum Token<'a> {
    Word(&'a [u8]),
    /// What stands between parentheses, inner ones included.
    Comment(&'a [u8]),
    /// The semicolon before the date.
    End,
}

fn tokens(value: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let (token, tail) = match rest.first()? {
            b';' => (Token::End, rest.get(1..)?),
            b'(' => {
                let (comment, tail) = rest.split_at_checked(comment_length(rest))?;
                let inner = comment.get(1..)?;
                (Token::Comment(inner.strip_suffix(b")").unwrap_or(inner)), tail)
            }
            _ => {
                let ends = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b'(' | b';');
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                let (word, tail) = rest.split_at_checked(length)?;
                (Token::Word(word), tail)
            }
        };
        rest = tail;
        Some(token)
    })
}

/// How long the comment is that `octets` begins with; all of them if it does not end.
fn comment_length(octets: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, octet) in octets.iter().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return at + 1,
            b')' => depth -= 1,
            _ => {}
        }
    }
    octets.len()
}

fn is(word: &[u8], keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword.as_bytes())
}

fn text(word: &[u8]) -> Option<String> {
    let word = std::str::from_utf8(word).ok()?;
    (!word.is_empty()).then(|| word.to_owned())
}

/// The first address-literal (RFC 5321 4.1.3) in brackets.
fn bracketed(octets: &[u8]) -> Option<IpAddr> {
    let mut parts = octets.split(|octet| matches!(octet, b'[' | b']'));
    parts.next();
    parts.find_map(address)
}

/// An address alone; RFC 5321 4.1.3 writes `IPv6:` before one of version 6, not everyone does.
fn address(octets: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(octets.trim_ascii()).ok()?;
    let tagged = text.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    let text = if tagged { text.get(5..)? } else { text };
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> (Option<String>, Option<String>, Option<String>) {
        let Received { helo, client, by, .. } = Received::parse(value.as_bytes());
        (helo, client.map(|client| client.to_string()), by)
    }

    fn hop(helo: &str, client: &str, by: &str) -> (Option<String>, Option<String>, Option<String>) {
        (Some(helo.into()), Some(client.into()), Some(by.into()))
    }

    #[test]
    fn what_mail_servers_write() {
        // Postfix.
        assert_eq!(
            parse(
                " from mx.example.org (host.example.org [192.0.2.1])\r\n\t(using TLSv1.3)\r\n\tby \
                 mail.example.net (Postfix) with ESMTPS id 1\r\n\tfor <a@b>; Fri, 11 Jul 2003"
            ),
            hop("mx.example.org", "192.0.2.1", "mail.example.net")
        );
        assert_eq!(
            parse("from h (unknown [IPv6:2001:db8::1]) by m with ESMTP id 1; x"),
            hop("h", "2001:db8::1", "m")
        );
        // Sendmail.
        assert_eq!(
            parse("from h (r.example [192.0.2.1] (may be forged)) by m (8.15/8.15) with ESMTP; x"),
            hop("h", "192.0.2.1", "m")
        );
        // Exim.
        assert_eq!(
            parse("from [192.0.2.1] (helo=h.example) by m with esmtp (Exim 4.9) id 1; x"),
            hop("h.example", "192.0.2.1", "m")
        );
        assert_eq!(
            parse("from r.example ([192.0.2.1] helo=h.example) by m with esmtps id 1; x"),
            hop("h.example", "192.0.2.1", "m")
        );
        // qmail.
        assert_eq!(
            parse("from unknown (HELO h.example) (192.0.2.1)\r\n  by m with SMTP; x"),
            hop("h.example", "192.0.2.1", "m")
        );
        // Exchange.
        assert_eq!(
            parse("from A.example (192.0.2.1) by B.example (198.51.100.1) with Microsoft SMTP; x"),
            hop("A.example", "192.0.2.1", "B.example")
        );
    }

    #[test]
    fn what_is_not_there_is_not_made_up() {
        assert_eq!(parse("by mail.example.net (Postfix, from userid 0) id 1; x").1, None);
        assert_eq!(parse(""), (None, None, None));
        assert_eq!(parse("from"), (None, None, None));
        assert_eq!(parse("from ((((((").1, None);
        // The client names itself; an address in that name is not where it is.
        assert_eq!(
            parse("from [10.0.0.1] (unknown [192.0.2.1]) by m; x"),
            hop("[10.0.0.1]", "192.0.2.1", "m")
        );
        // Postfix shows what a client's certificate says, and its HELO with spaces.
        assert_eq!(
            parse("from h (unknown [192.0.2.1]) (Client CN \"x [203.0.113.9]\" helo=y) by m; x"),
            hop("h", "192.0.2.1", "m")
        );
        assert_eq!(
            parse("from x ?y [203.0.113.9]? (unknown [192.0.2.1]) by m; x"),
            hop("x", "192.0.2.1", "m")
        );
        assert_eq!(parse("from by (unknown [192.0.2.1]) by m; x"), hop("by", "192.0.2.1", "m"));
        assert_eq!(parse("from x by m (unknown [192.0.2.1]) by m; x").2, None);
        // After the semicolon comes the date.
        assert_eq!(parse("from a; (x [192.0.2.1]) by b").1, None);
    }

    #[test]
    fn the_name_of_the_client() {
        let name = |value: &str| Received::parse(value.as_bytes()).client_name;
        let r = Some("r.example".to_owned());
        assert_eq!(name("from h (r.example [192.0.2.1]) by m; x"), r);
        assert_eq!(name("from r.example ([192.0.2.1] helo=h) by m; x"), r);
        // Nobody has checked these.
        assert_eq!(name("from h (r.example [192.0.2.1] (may be forged)) by m; x"), None);
        assert_eq!(name("from r.example (HELO h) (192.0.2.1) by m; x"), None);
        assert_eq!(name("from [192.0.2.1] (helo=h) by m; x"), None);
        assert_eq!(name("from r.example (192.0.2.1) by m; x"), None);
        assert_eq!(name("from r.example by m; x"), None);
    }

    #[test]
    fn the_reverse_path() {
        let exim = Received::parse(b"from a ([192.0.2.1]) by m (envelope-from <j@example.com>) id");
        assert_eq!(exim.envelope_from.as_deref(), Some("j@example.com"));
        let path = |text: &str| return_path(&Header::parse(text)).map(|(_, path)| path);
        assert_eq!(path("Return-Path: <j@example.com>\r\n\r\n").as_deref(), Some("j@example.com"));
        assert_eq!(path("Return-Path: <>\r\n\r\n").as_deref(), Some(""));
        assert_eq!(path("Return-Path: j@example.com\r\n\r\n"), None);
        assert_eq!(path("From: a@b\r\n\r\n"), None);
    }
}
