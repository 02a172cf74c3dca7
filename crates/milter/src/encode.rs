//! Writing a packet of the MTA.

use crate::frame::{write, write_string};
use crate::packet::{Envelope, HeaderField, MacroPacket, Negotiation, Packet};

impl Packet<'_> {
    /// Appends the octets of the packet to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write(out, self.command(), |out| match self {
            Packet::Negotiate(negotiation) => negotiation.encode(out),
            Packet::Macros(MacroPacket { command, data }) => {
                out.push(*command);
                out.extend_from_slice(data);
            }
            Packet::Connect(connection) => connection.encode(out),
            Packet::Helo(text) | Packet::Unknown(text) => write_string(out, text),
            Packet::MailFrom(Envelope { path, args }) | Packet::RcptTo(Envelope { path, args }) => {
                write_string(out, path);
                out.extend_from_slice(args);
            }
            Packet::Header(HeaderField { name, value }) => {
                write_string(out, name);
                write_string(out, value);
            }
            Packet::Body(chunk) | Packet::EndOfBody(chunk) => out.extend_from_slice(chunk),
            Packet::Data
            | Packet::EndOfHeaders
            | Packet::Abort
            | Packet::Quit
            | Packet::QuitNewConnection => {}
        });
    }
}

impl Negotiation {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.version, self.actions.bits(), self.protocol.bits()] {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}
