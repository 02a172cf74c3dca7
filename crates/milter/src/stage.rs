//! What a reply answers.

use crate::flags::Protocol;
use std::fmt;

/// The packet of the MTA that a reply is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The connection information.
    Connect,
    /// HELO or EHLO.
    Helo,
    /// An unknown command.
    Unknown,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// A header field.
    Header,
    /// The end of the header.
    EndOfHeaders,
    /// A body chunk.
    Body,
    /// The end of the message: modifications, then the reply.
    EndOfMessage,
}

impl Stage {
    /// The flag under which packets of this stage are not sent; the end of the message always is.
    pub(crate) fn unsent(self) -> Protocol {
        match self {
            Stage::Connect => Protocol::NO_CONNECT,
            Stage::Helo => Protocol::NO_HELO,
            Stage::Unknown => Protocol::NO_UNKNOWN,
            Stage::Mail => Protocol::NO_MAIL,
            Stage::Rcpt => Protocol::NO_RCPT,
            Stage::Data => Protocol::NO_DATA,
            Stage::Header => Protocol::NO_HEADERS,
            Stage::EndOfHeaders => Protocol::NO_END_OF_HEADERS,
            Stage::Body => Protocol::NO_BODY,
            Stage::EndOfMessage => Protocol::NONE,
        }
    }

    /// The flag under which packets of this stage are not replied to; the end of the message always
    /// is.
    pub(crate) fn unanswered(self) -> Protocol {
        match self {
            Stage::Connect => Protocol::NO_REPLY_CONNECT,
            Stage::Helo => Protocol::NO_REPLY_HELO,
            Stage::Unknown => Protocol::NO_REPLY_UNKNOWN,
            Stage::Mail => Protocol::NO_REPLY_MAIL,
            Stage::Rcpt => Protocol::NO_REPLY_RCPT,
            Stage::Data => Protocol::NO_REPLY_DATA,
            Stage::Header => Protocol::NO_REPLY_HEADER,
            Stage::EndOfHeaders => Protocol::NO_REPLY_END_OF_HEADERS,
            Stage::Body => Protocol::NO_REPLY_BODY,
            Stage::EndOfMessage => Protocol::NONE,
        }
    }

    /// Whether a reply is awaited under these flags.
    pub(crate) fn is_answered(self, protocol: Protocol) -> bool {
        let flag = self.unanswered();
        flag.is_empty() || !protocol.contains(flag)
    }

    /// Whether packets are sent under these flags.
    pub(crate) fn is_sent(self, protocol: Protocol) -> bool {
        let flag = self.unsent();
        flag.is_empty() || !protocol.contains(flag)
    }
}

/// The command of SMTP, or what else the MTA has sent.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Connect => "the connection",
            Stage::Helo => "HELO",
            Stage::Unknown => "an unknown command",
            Stage::Mail => "MAIL",
            Stage::Rcpt => "RCPT",
            Stage::Data => "DATA",
            Stage::Header => "a header field",
            Stage::EndOfHeaders => "the end of the header",
            Stage::Body => "a body chunk",
            Stage::EndOfMessage => "the end of the message",
        })
    }
}
