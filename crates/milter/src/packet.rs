//! What an MTA sends.

use crate::connection::Connection;
use crate::flags::{Actions, Protocol};
use crate::macros::{MacroStage, Pairs};

/// A packet from the MTA. All text is octets, as the client of the MTA has sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet<'a> {
    /// `O`: what the MTA offers.
    Negotiate(Negotiation),
    /// `D`: macros for the packet that follows.
    Macros(MacroPacket<'a>),
    /// `C`: a client has connected.
    Connect(Connection<'a>),
    /// `H`: HELO or EHLO, with its argument.
    Helo(&'a [u8]),
    /// `M`: MAIL FROM.
    MailFrom(Envelope<'a>),
    /// `R`: RCPT TO.
    RcptTo(Envelope<'a>),
    /// `T`: DATA.
    Data,
    /// `U`: a command that the MTA does not know.
    Unknown(&'a [u8]),
    /// `L`: a header field.
    Header(HeaderField<'a>),
    /// `N`: the end of the header section.
    EndOfHeaders,
    /// `B`: a piece of the body, at most [`crate::MAX_CHUNK`] octets.
    Body(&'a [u8]),
    /// `E`: the end of the body, perhaps with a last piece of it.
    EndOfBody(&'a [u8]),
    /// `A`: the message will not be finished.
    Abort,
    /// `Q`: the connection ends.
    Quit,
    /// `K`: the client's connection ends; the next client comes over the same connection.
    QuitNewConnection,
}

impl Packet<'_> {
    /// The letter of the protocol.
    pub fn command(&self) -> u8 {
        match self {
            Packet::Negotiate(_) => b'O',
            Packet::Macros(_) => b'D',
            Packet::Connect(_) => b'C',
            Packet::Helo(_) => b'H',
            Packet::MailFrom(_) => b'M',
            Packet::RcptTo(_) => b'R',
            Packet::Data => b'T',
            Packet::Unknown(_) => b'U',
            Packet::Header(_) => b'L',
            Packet::EndOfHeaders => b'N',
            Packet::Body(_) => b'B',
            Packet::EndOfBody(_) => b'E',
            Packet::Abort => b'A',
            Packet::Quit => b'Q',
            Packet::QuitNewConnection => b'K',
        }
    }
}

/// The version, actions and protocol flags that one side names (SMFIC_OPTNEG).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiation {
    /// The version of the protocol.
    pub version: u32,
    /// What may be done to a message.
    pub actions: Actions,
    /// What is sent, and what is replied to.
    pub protocol: Protocol,
}

/// The macros that go with the packet `command`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MacroPacket<'a> {
    /// The command of the packet that follows.
    pub command: u8,
    /// Names and values, each ended by NUL.
    pub data: &'a [u8],
}

impl<'a> MacroPacket<'a> {
    /// The stage they belong to; `None` for packets whose macros nobody remembers.
    pub fn stage(&self) -> Option<MacroStage> {
        MacroStage::of(self.command)
    }

    /// Names and values, a name as it came: `j`, `{auth_type}`.
    pub fn iter(&self) -> Pairs<'a> {
        Pairs::new(self.data)
    }
}

impl<'a> IntoIterator for &MacroPacket<'a> {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Pairs<'a>;

    fn into_iter(self) -> Pairs<'a> {
        self.iter()
    }
}

/// An address of the envelope with its ESMTP parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The path as the client wrote it, usually in angle brackets.
    pub path: &'a [u8],
    /// The parameters, each ended by NUL.
    pub args: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// The address without angle brackets: Postfix has none around those of local mail. Empty for the
    /// null reverse-path.
    pub fn address(&self) -> &'a [u8] {
        let bare = self.path.strip_prefix(b"<").and_then(|it| it.strip_suffix(b">"));
        bare.unwrap_or(self.path)
    }

    /// The ESMTP parameters, as `SIZE=1000`.
    pub fn args(&self) -> impl Iterator<Item = &'a [u8]> {
        let args = self.args.strip_suffix(b"\0").unwrap_or(self.args);
        args.split(|&octet| octet == 0).filter(|it| !it.is_empty())
    }

    /// The value of an ESMTP parameter, empty if it has none. Keywords are in any case.
    pub fn arg(&self, keyword: &str) -> Option<&'a [u8]> {
        self.args().find_map(|arg| {
            let mut parts = arg.splitn(2, |&octet| octet == b'=');
            let name = parts.next()?;
            name.eq_ignore_ascii_case(keyword.as_bytes()).then(|| parts.next().unwrap_or_default())
        })
    }
}

/// A header field, as it stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderField<'a> {
    /// The name.
    pub name: &'a [u8],
    /// What follows the colon, of any octets but NUL; folds are a single LF and the white space after
    /// it. Without [`Protocol::LEADING_SPACE`] one leading space is missing.
    pub value: &'a [u8],
}
