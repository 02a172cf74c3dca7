//! Reading a packet from the MTA.

use crate::connection::Connection;
use crate::flags::{Actions, Protocol};
use crate::frame::Frame;
use crate::packet::{Envelope, HeaderField, MacroPacket, Negotiation, Packet};
use std::ops::Range;

/// Why the data of a packet is not what its command asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at {}..{} of the packet", span.start, span.end)]
pub struct PacketError {
    /// What is wrong.
    pub kind: PacketErrorKind,
    /// Where, in [`Frame::data`].
    pub span: Range<usize>,
}

impl PacketError {
    pub(crate) fn new(kind: PacketErrorKind, span: Range<usize>) -> PacketError {
        PacketError { kind, span }
    }
}

/// What can be wrong with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketErrorKind {
    /// A command that the protocol does not have.
    #[error("unknown command {}", [*.0].escape_ascii())]
    Command(u8),
    /// The data ends before something that must be there.
    #[error("the data ends too early")]
    TooShort,
    /// A string is not ended by NUL.
    #[error("a string without its NUL")]
    Unterminated,
    /// There is more than the packet can hold.
    #[error("more data than expected")]
    Trailing,
    /// A family of addresses that the protocol does not have.
    #[error("unknown address family")]
    Family,
    /// A reply text that is not `ddd text`, of class 4 or 5, on every line.
    #[error("malformed reply text")]
    ReplyText,
}

impl<'a> Packet<'a> {
    /// Reads the data of a packet from the MTA.
    ///
    /// # Errors
    /// The command is unknown, or the data is not its own.
    pub fn parse(frame: Frame<'a>) -> Result<Packet<'a>, PacketError> {
        let mut reader = Reader::new(frame.data);
        let packet = match frame.command {
            b'O' => {
                let negotiation = Negotiation::parse(&mut reader)?;
                reader.skip_rest();
                Packet::Negotiate(negotiation)
            }
            b'D' => {
                let command = reader.octet()?;
                let at = reader.position();
                let data = reader.rest();
                if data.last().is_some_and(|&last| last != 0) {
                    return Err(PacketError::new(
                        PacketErrorKind::Unterminated,
                        at..at + data.len(),
                    ));
                }
                Packet::Macros(MacroPacket { command, data })
            }
            b'C' => Packet::Connect(Connection::parse(&mut reader)?),
            b'H' => Packet::Helo(reader.string()?),
            b'M' => Packet::MailFrom(Envelope::parse(&mut reader)?),
            b'R' => Packet::RcptTo(Envelope::parse(&mut reader)?),
            b'T' => Packet::Data,
            b'U' => Packet::Unknown(reader.string()?),
            b'L' => Packet::Header(HeaderField { name: reader.string()?, value: reader.string()? }),
            b'N' => Packet::EndOfHeaders,
            b'B' => Packet::Body(reader.rest()),
            b'E' => Packet::EndOfBody(reader.rest()),
            b'A' => Packet::Abort,
            b'Q' => Packet::Quit,
            b'K' => Packet::QuitNewConnection,
            other => return Err(PacketError::new(PacketErrorKind::Command(other), 0..0)),
        };
        reader.end()?;
        Ok(packet)
    }
}

impl Negotiation {
    pub(crate) fn parse(reader: &mut Reader<'_>) -> Result<Negotiation, PacketError> {
        Ok(Negotiation {
            version: reader.number()?,
            actions: Actions::from_bits(reader.number()?),
            protocol: Protocol::from_bits(reader.number()?),
        })
    }
}

impl<'a> Envelope<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Envelope<'a>, PacketError> {
        let path = reader.string()?;
        let at = reader.position();
        let args = reader.rest();
        match args.last() {
            None | Some(0) => Ok(Envelope { path, args }),
            Some(_) => Err(PacketError::new(PacketErrorKind::Unterminated, at..at + args.len())),
        }
    }
}

/// Takes the parts of a packet from its front.
pub(crate) struct Reader<'a> {
    left: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Reader<'a> {
        Reader { left: data, length: data.len() }
    }

    pub(crate) fn position(&self) -> usize {
        self.length - self.left.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(crate) fn octet(&mut self) -> Result<u8, PacketError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn port(&mut self) -> Result<u16, PacketError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn number(&mut self) -> Result<u32, PacketError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// The octets before the next NUL.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], PacketError> {
        let end = memchr::memchr(0, self.left);
        let parts = end.and_then(|end| self.left.split_at_checked(end));
        let Some((string, [_, left @ ..])) = parts else {
            return Err(self.error(PacketErrorKind::Unterminated));
        };
        self.left = left;
        Ok(string)
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    pub(crate) fn skip_rest(&mut self) {
        self.left = &[];
    }

    pub(crate) fn end(&self) -> Result<(), PacketError> {
        if self.is_empty() { Ok(()) } else { Err(self.error(PacketErrorKind::Trailing)) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PacketError> {
        let Some((&array, left)) = self.left.split_first_chunk() else {
            return Err(self.error(PacketErrorKind::TooShort));
        };
        self.left = left;
        Ok(array)
    }

    fn error(&self, kind: PacketErrorKind) -> PacketError {
        PacketError::new(kind, self.position()..self.length)
    }
}
