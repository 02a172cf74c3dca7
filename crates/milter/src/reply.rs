//! What a filter says to a packet of the MTA.

use crate::frame::{Frame, write, write_string};
use crate::limits::{MAX_REPLY_LINES, MAX_REPLY_TEXT};
use crate::parse::{PacketError, PacketErrorKind};
use crate::stage::Stage;
use std::fmt;

/// A reply: what becomes of the recipient, the message or the connection.
///
/// At [`Stage::Connect`] and [`Stage::Helo`] it is about the connection, at [`Stage::Rcpt`] a
/// refusal is about one recipient, else about the message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Go on. At the end of the message: take it, with the modifications.
    Continue,
    /// Take the message, or all of the connection, without asking again.
    Accept,
    /// Refuse for good; Postfix says `550 5.7.1 Command rejected`.
    Reject,
    /// Refuse for now; Postfix says `451 4.7.1 Service unavailable - try again later`.
    Tempfail,
    /// Take the message and throw it away. Not about a connection.
    Discard,
    /// No more body chunks, please. Only to one; `Continue` where [`crate::Protocol::SKIP`] was not
    /// agreed upon.
    Skip,
    /// Refuse with this text.
    Smtp(SmtpReply),
    /// End the client's connection with a 421.
    Shutdown,
}

impl Reply {
    /// The name in the logs.
    pub fn keyword(&self) -> &'static str {
        match self {
            Reply::Continue => "continue",
            Reply::Accept => "accept",
            Reply::Reject => "reject",
            Reply::Tempfail => "tempfail",
            Reply::Discard => "discard",
            Reply::Skip => "skip",
            Reply::Smtp(_) => "smtp",
            Reply::Shutdown => "shutdown",
        }
    }

    /// Whether this may be said at `stage`.
    pub fn is_allowed(&self, stage: Stage) -> bool {
        match self {
            Reply::Continue | Reply::Reject | Reply::Tempfail => true,
            Reply::Smtp(_) | Reply::Shutdown => true,
            Reply::Accept => stage != Stage::Unknown,
            Reply::Discard => !matches!(stage, Stage::Connect | Stage::Helo | Stage::Unknown),
            Reply::Skip => stage == Stage::Body,
        }
    }

    /// Appends the octets of the packet to `out`. [`crate::Session::reply`] also looks whether it is
    /// allowed.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (command, text) = match self {
            Reply::Continue => (b'c', None),
            Reply::Accept => (b'a', None),
            Reply::Reject => (b'r', None),
            Reply::Tempfail => (b't', None),
            Reply::Discard => (b'd', None),
            Reply::Skip => (b's', None),
            Reply::Shutdown => (b'4', None),
            Reply::Smtp(reply) => (b'y', Some(&reply.wire)),
        };
        write(out, command, |out| {
            if let Some(text) = text {
                write_string(out, text);
            }
        });
    }

    pub(crate) fn parse(frame: Frame<'_>) -> Result<Option<Reply>, PacketError> {
        let reply = match frame.command {
            b'c' => Reply::Continue,
            b'a' => Reply::Accept,
            b'r' => Reply::Reject,
            b't' => Reply::Tempfail,
            b'd' => Reply::Discard,
            b's' => Reply::Skip,
            b'4' => Reply::Shutdown,
            b'y' => return SmtpReply::parse(frame.data).map(|it| Some(Reply::Smtp(it))),
            _ => return Ok(None),
        };
        if frame.data.is_empty() {
            Ok(Some(reply))
        } else {
            Err(PacketError::new(PacketErrorKind::Trailing, 0..frame.data.len()))
        }
    }
}

/// A negative reply of SMTP (RFC 5321 4.2) with an enhanced status code (RFC 3463), of one line or
/// several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpReply {
    /// The lines with their codes, CRLF between them, `%` doubled.
    wire: Vec<u8>,
}

/// Codes that a filter may not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpReplyError {
    /// Not from 400 to 599: only refusals have a text.
    #[error("reply code {0} is not from 400 to 599")]
    Code(u16),
    /// RFC 2034 4: the class of the enhanced status code is the first digit of the code, and
    /// RFC 3463 2: subject and detail have up to three digits.
    #[error("enhanced status code {}.{}.{} does not go with reply code {code}", enhanced.0, enhanced.1, enhanced.2)]
    Enhanced {
        /// The reply code.
        code: u16,
        /// Class, subject, detail.
        enhanced: (u16, u16, u16),
    },
}

impl SmtpReply {
    /// A reply such as `550 5.7.1 text`.
    ///
    /// Any text is safe, also what a stranger has published in the DNS: each line of it becomes one
    /// or several lines of the reply that are short enough, what is no printable ASCII becomes `?`,
    /// and lines beyond the 32nd are dropped.
    ///
    /// ```
    /// use mailproof_milter::SmtpReply;
    ///
    /// let reply = SmtpReply::new(550, (5, 7, 23), "SPF fail\n100% of \u{fc}s\r\n")?;
    /// assert_eq!(reply.to_string(), "550-5.7.23 SPF fail\r\n550 5.7.23 100% of ?s");
    /// # Ok::<(), mailproof_milter::SmtpReplyError>(())
    /// ```
    ///
    /// # Errors
    /// The codes are not those of a refusal, or not of one class.
    pub fn new(
        code: u16,
        enhanced: (u16, u16, u16),
        text: &str,
    ) -> Result<SmtpReply, SmtpReplyError> {
        let (class, subject, detail) = enhanced;
        if !(400..=599).contains(&code) {
            return Err(SmtpReplyError::Code(code));
        }
        if code / 100 != class || subject > 999 || detail > 999 {
            return Err(SmtpReplyError::Enhanced { code, enhanced });
        }
        let safe: Vec<String> = text.lines().map(safe_line).collect();
        let mut lines: Vec<&str> =
            safe.iter().flat_map(|line| pieces(line)).take(MAX_REPLY_LINES).collect();
        let last = lines.pop().unwrap_or_default();
        let mut wire = String::new();
        for line in lines {
            wire += &format!("{code}-{class}.{subject}.{detail} {line}\r\n");
        }
        wire += &format!("{code} {class}.{subject}.{detail} {last}");
        // The MTA reads `%%` as `%`, as printf does.
        Ok(SmtpReply { wire: wire.replace('%', "%%").into_bytes() })
    }

    /// The reply code.
    pub fn code(&self) -> u16 {
        let digits = self.wire.get(..3).and_then(|it| std::str::from_utf8(it).ok());
        digits.and_then(|it| it.parse().ok()).unwrap_or_default()
    }

    fn parse(data: &[u8]) -> Result<SmtpReply, PacketError> {
        let malformed = |kind| PacketError::new(kind, 0..data.len());
        let Some((0, wire)) = data.split_last() else {
            return Err(malformed(PacketErrorKind::Unterminated));
        };
        let mut lines = wire.split(|&octet| octet == b'\n').peekable();
        while let Some(line) = lines.next() {
            let is_last = lines.peek().is_none();
            let good = matches!(line, [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', mark, ..]
                if *mark == if is_last { b' ' } else { b'-' })
                && line.get(..3) == wire.get(..3)
                && line.ends_with(b"\r") != is_last
                && !line.contains(&0);
            if !good {
                return Err(malformed(PacketErrorKind::ReplyText));
            }
        }
        Ok(SmtpReply { wire: wire.to_vec() })
    }
}

/// The lines, CRLF between them.
impl fmt::Display for SmtpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.wire).replace("%%", "%"))
    }
}

/// RFC 5321 4.2: `textstring = 1*(%d09 / %d32-126)`.
fn safe_line(line: &str) -> String {
    let printable = |it: char| if it == '\t' || (' '..='~').contains(&it) { it } else { '?' };
    line.trim_end().chars().map(printable).collect()
}

/// The line, cut where it would be too long.
fn pieces(mut line: &str) -> impl Iterator<Item = &str> {
    let mut first = true;
    std::iter::from_fn(move || {
        if line.is_empty() && !first {
            return None;
        }
        first = false;
        let (piece, rest) = line.split_at_checked(MAX_REPLY_TEXT).unwrap_or((line, ""));
        line = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_bounded() {
        let reply = SmtpReply::new(451, (4, 7, 1), &"x".repeat(1000)).unwrap().to_string();
        assert_eq!(reply.lines().map(str::len).collect::<Vec<_>>(), [500, 500, 30]);
        let reply = SmtpReply::new(451, (4, 7, 1), &"y\n".repeat(1000)).unwrap().to_string();
        assert_eq!(reply.lines().count(), MAX_REPLY_LINES);
        assert!(reply.ends_with("\r\n451 4.7.1 y"));
        assert_eq!(SmtpReply::new(550, (5, 0, 0), "").unwrap().to_string(), "550 5.0.0 ");
    }

    #[test]
    fn codes_of_refusals_only() {
        assert_eq!(SmtpReply::new(250, (2, 0, 0), ""), Err(SmtpReplyError::Code(250)));
        assert!(SmtpReply::new(550, (4, 7, 1), "").is_err());
        assert!(SmtpReply::new(550, (5, 7, 1000), "").is_err());
        assert_eq!(SmtpReply::new(599, (5, 7, 999), "").unwrap().code(), 599);
    }

    #[test]
    fn what_is_no_reply_text() {
        for bad in [
            &b"550 5.7.1 no"[..],
            b"\0",
            b"250 ok\0",
            b"550\0",
            b"550-5.7.1 a\0",
            b"550 5.7.1 a\r\n550 5.7.1 b\0",
            b"550-5.7.1 a\r\n451 4.7.1 b\0",
            b"550-5.7.1 a\n550 5.7.1 b\0",
        ] {
            assert!(SmtpReply::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
