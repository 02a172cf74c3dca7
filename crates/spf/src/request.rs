//! The arguments of `check_host` (RFC 7208 4.1), read from the SMTP session.

use std::fmt;
use std::net::IpAddr;

use mailproof_dns::{Name, NameError};

use crate::macro_string::toplabel;

/// RFC 5321 4.5.3.1.4: a command line has 512 octets; a longer identity came through no SMTP.
const MAX_IDENTITY: usize = 512;

/// The identity that is checked (RFC 7208 2.3, 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The argument of HELO or EHLO.
    Helo,
    /// The reverse-path.
    MailFrom,
}

impl fmt::Display for Identity {
    /// The keyword of Received-SPF (RFC 7208 9.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Identity::Helo => "helo",
            Identity::MailFrom => "mailfrom",
        })
    }
}

/// Why the `<domain>` of a request is not one that can be checked (RFC 7208 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// The reverse-path is no Mailbox (RFC 5321 4.1.2).
    #[error("the reverse-path is not an address")]
    ReversePath,
    /// RFC 7208 4.3: an address literal (RFC 5321 4.1.3).
    #[error("an address literal is not a domain name")]
    AddressLiteral,
    /// RFC 7208 4.3: not a valid domain name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// RFC 7208 4.3, 5321 4.1.2: a domain has letters, digits, hyphens (and underscores).
    #[error("the domain name has an octet that no domain of a mail address has")]
    Octet,
    /// RFC 7208 4.3: "is not a multi-label domain name".
    #[error("the domain name has only one label")]
    SingleLabel,
    /// RFC 7208 7.1: a top label is not all digits: an address without brackets.
    #[error("the last label of the domain name is no top-level domain")]
    TopLabel,
}

/// The arguments of `check_host` (RFC 7208 4.1) and what else macros can show.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub(crate) ip: IpAddr,
    pub(crate) identity: Identity,
    pub(crate) helo: &'a str,
    pub(crate) reverse_path: Option<&'a str>,
    pub(crate) local_part: &'a str,
    pub(crate) domain_text: &'a str,
    pub(crate) domain: Result<Name, DomainError>,
    pub(crate) receiver: Option<&'a str>,
    pub(crate) now: u64,
}

impl<'a> Request<'a> {
    /// The HELO identity (RFC 7208 2.3): the sender is `postmaster@` the argument of HELO or EHLO.
    pub fn helo(ip: IpAddr, helo: &'a str) -> Request<'a> {
        Request {
            // RFC 7208 5: an IPv4-mapped client is an IPv4 client.
            ip: ip.to_canonical(),
            identity: Identity::Helo,
            helo,
            reverse_path: None,
            local_part: "postmaster",
            domain_text: helo,
            domain: domain(helo),
            receiver: None,
            now: 0,
        }
    }

    /// The MAIL FROM identity (RFC 7208 2.4): the reverse-path of the MAIL command, with or
    /// without its angle brackets, empty where it is null.
    ///
    /// A source route is ignored (RFC 5321 4.1.1.3). A text without `@` is a domain.
    pub fn mail_from(ip: IpAddr, helo: &'a str, reverse_path: &'a str) -> Request<'a> {
        let path = reverse_path.strip_prefix('<').and_then(|path| path.strip_suffix('>'));
        let path = path.unwrap_or(reverse_path);
        let (local_part, domain_text, domain) = match mailbox(path) {
            // RFC 7208 2.4: "When the reverse-path is null, this document defines the "MAIL FROM"
            // identity to be the mailbox composed of the local-part "postmaster" and the "HELO"
            // identity".
            _ if path.is_empty() => ("postmaster", helo, domain(helo)),
            // RFC 7208 4.3: "If the <sender> has no local-part, substitute the string "postmaster"
            // for the local-part."
            Some(("", text)) => ("postmaster", text, domain(text)),
            Some((local_part, text)) => (local_part, text, domain(text)),
            None => ("postmaster", path, Err(DomainError::ReversePath)),
        };
        Request {
            ip: ip.to_canonical(),
            identity: Identity::MailFrom,
            helo,
            reverse_path: Some(path),
            local_part,
            domain_text,
            domain,
            receiver: None,
            now: 0,
        }
    }

    /// Names the receiving host, for `%{r}` and Received-SPF.
    #[must_use]
    pub fn receiver(mut self, receiver: &'a str) -> Request<'a> {
        self.receiver = Some(receiver);
        self
    }

    /// Names the time, in seconds since 1970-01-01 UTC, for `%{t}`.
    #[must_use]
    pub fn now(mut self, now: u64) -> Request<'a> {
        self.now = now;
        self
    }

    /// The client's address; IPv4 where it was IPv4-mapped.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Which identity is checked.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The domain of the identity.
    ///
    /// # Errors
    /// Why it has none that can be checked: the result will be none.
    pub fn domain(&self) -> Result<&Name, DomainError> {
        self.domain.as_ref().map_err(|error| *error)
    }
}

/// The local-part and the domain of a path without its angle brackets; `None` if it is no Mailbox.
///
/// More local-parts are let through than RFC 5321 has: empty, with spaces, with dots in a row, with
/// commas.
/// None of them makes the domain ambiguous.
fn mailbox(path: &str) -> Option<(&str, &str)> {
    if path.len() > MAX_IDENTITY {
        return None;
    }
    // RFC 5321 4.1.2: A-d-l = At-domain *( "," At-domain ), a colon after it.
    let routed = path.starts_with('@').then(|| path.split_once(':')).flatten();
    let mailbox = routed.map_or(path, |(_, mailbox)| mailbox);
    let (local_part, domain) = if mailbox.starts_with('"') {
        let end = quoted_string(mailbox)?;
        let (local_part, rest) = mailbox.split_at_checked(end)?;
        (local_part, rest.strip_prefix('@')?)
    } else {
        let (local_part, domain) = mailbox.rsplit_once('@').unwrap_or(("", mailbox));
        // Disputed. RFC 5321 4.1.2 wants ",", ";" and ":" quoted; some refuse the address then, and
        // find none; we look at the domain, as RFC 7208 4.3 does and pyspf and Mail::SPF too,
        // because else a comma would save a forger from a fail. Case: local-part-comma.
        let special = |c: char| {
            matches!(c, '(' | ')' | '<' | '>' | '@' | '\\' | '"' | '[' | ']') || c.is_control()
        };
        if local_part.contains(special) {
            return None;
        }
        (local_part, domain)
    };
    Some((local_part, domain))
}

/// Where the quoted-string at the beginning of `text` ends.
fn quoted_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if c.is_control() => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(index + 1),
            _ => {}
        }
    }
    None
}

/// The domain of an identity, checked as RFC 7208 4.3 says before anything is looked up.
fn domain(text: &str) -> Result<Name, DomainError> {
    if text.starts_with('[') {
        return Err(DomainError::AddressLiteral);
    }
    if text.len() > MAX_IDENTITY {
        return Err(NameError::TooLong.into());
    }
    let name: Name = text.parse()?;
    let mut last: &[u8] = b"";
    let mut count = 0;
    for label in name.labels() {
        if !label.iter().all(|&o| o.is_ascii_alphanumeric() || o == b'-' || o == b'_') {
            return Err(DomainError::Octet);
        }
        last = label;
        count += 1;
    }
    match count {
        0 | 1 => Err(DomainError::SingleLabel),
        _ if !toplabel(last) => Err(DomainError::TopLabel),
        _ => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> (String, Result<String, DomainError>) {
        let request = Request::mail_from([192, 0, 2, 1].into(), "mail.example.com", path);
        let domain = request.domain().map(ToString::to_string);
        (request.local_part.to_owned(), domain)
    }

    fn ok(local_part: &str, domain: &str) -> (String, Result<String, DomainError>) {
        (local_part.to_owned(), Ok(domain.to_owned()))
    }

    #[test]
    fn what_is_a_mailbox() {
        assert_eq!(of("a@example.com"), ok("a", "example.com"));
        assert_eq!(of("<a@Example.com.>"), ok("a", "example.com"));
        assert_eq!(of(""), ok("postmaster", "mail.example.com"));
        assert_eq!(of("<>"), ok("postmaster", "mail.example.com"));
        assert_eq!(of("@example.com"), ok("postmaster", "example.com"));
        assert_eq!(of("example.com"), ok("postmaster", "example.com"));
        assert_eq!(of("\"a@b\"@example.com"), ok("\"a@b\"", "example.com"));
        assert_eq!(of("<@a.example,@b.example:c@example.com>"), ok("c", "example.com"));
        assert_eq!(of("a@bücher.example"), ok("a", "xn--bcher-kva.example"));
    }

    #[test]
    fn what_is_none() {
        let why = |path| of(path).1.unwrap_err();
        assert_eq!(why("(any@example.com"), DomainError::ReversePath);
        assert_eq!(why("a@b@example.com"), DomainError::ReversePath);
        assert_eq!(why("\"a\"b@example.com"), DomainError::ReversePath);
        assert_eq!(why("a@example.com(x.example"), DomainError::Octet);
        assert_eq!(why("a@[192.0.2.1]"), DomainError::AddressLiteral);
        assert_eq!(why("a@192.0.2.1"), DomainError::TopLabel);
        assert_eq!(why("a@example"), DomainError::SingleLabel);
        assert_eq!(why("a@a..example"), DomainError::Name(NameError::EmptyLabel));
        assert_eq!(why(&"a".repeat(600)), DomainError::ReversePath);
    }

    #[test]
    fn an_ipv4_mapped_client_is_an_ipv4_client() {
        let request = Request::helo("::ffff:192.0.2.1".parse().unwrap(), "mail.example.com");
        assert_eq!(request.ip().to_string(), "192.0.2.1");
    }
}
