//! The milter protocol: how Postfix and Sendmail ask a filter about a message, and what it may
//! answer. Versions 2 to 6, without sockets and without a runtime.
//!
//! - [`Decoder`] cuts the octets of a connection into [`Frame`]s, within [`Limits`].
//! - [`Session`] takes them in their order and makes [`Event`]s of them: a client connects, a message
//!   begins, a header field, a piece of its body, its end. All text is octets: header fields are not
//!   UTF-8, and nobody is asked to guess.
//! - [`Wants`] says once what the filter will do and what it need not be sent or asked. What of it
//!   the MTA offers is agreed upon; a filter works the same with what it does not, only slower.
//! - [`Session::reply`] takes a [`Reply`], and [`Session::modify`] a [`Modification`], each where it
//!   has a place and was agreed upon, and appends the octets to a buffer of the caller. Where the MTA
//!   awaits no reply, [`Reply::Continue`] writes none: so answer every event.
//! - [`Macros`] remembers what the MTA has said, as long as it holds: Postfix says who has logged in
//!   once, not for every message.
//! - [`Client`] is the other side, for tests and load.
//!
//! A filter that adds a field to each message, but for those too large; the sockets are the caller's,
//! here anything that reads and writes:
//!
//! ```
//! use mailproof_milter::{
//!     Actions, Decoder, Event, Limits, Modification, Protocol, Reply, Session, SmtpReply, Wants,
//! };
//! use std::io::{Read, Write};
//!
//! fn serve(mut socket: impl Read + Write) -> Result<(), Box<dyn std::error::Error>> {
//!     let limits = Limits::default();
//!     let mut decoder = Decoder::new(&limits);
//!     let wants = Wants {
//!         actions: Actions::ADD_HEADERS,
//!         protocol: Wants::default().protocol | Protocol::NO_REPLIES,
//!         ..Wants::default()
//!     };
//!     let mut session = Session::new(wants, limits);
//!     let mut out = Vec::new();
//!     let mut size = 0;
//!     loop {
//!         while let Some(frame) = decoder.frame()? {
//!             let reply = match session.receive(frame, &mut out)? {
//!                 Event::MailFrom(_) => {
//!                     size = 0;
//!                     Reply::Continue
//!                 }
//!                 Event::BodyChunk(chunk) => {
//!                     size += chunk.len();
//!                     Reply::Continue
//!                 }
//!                 Event::EndOfMessage(_) if size > 1_000_000 => {
//!                     Reply::Smtp(SmtpReply::new(552, (5, 3, 4), "Message too big")?)
//!                 }
//!                 Event::EndOfMessage(_) => {
//!                     let id = session.macros().get("i").unwrap_or(b"unknown");
//!                     let value = [b" ", id].concat();
//!                     let add = Modification::AddHeader { name: b"X-Seen-As", value: &value };
//!                     session.modify(&add, &mut out)?;
//!                     Reply::Accept
//!                 }
//!                 Event::Quit => return Ok(()),
//!                 _ => Reply::Continue,
//!             };
//!             session.reply(&reply, &mut out)?;
//!             socket.write_all(&out)?;
//!             out.clear();
//!         }
//!         match socket.read(decoder.space())? {
//!             0 => return Ok(()),
//!             octets => decoder.filled(octets),
//!         }
//!     }
//! }
//! # struct Postfix<'a>(&'a [u8], Vec<u8>);
//! # impl Read for Postfix<'_> {
//! #     fn read(&mut self, octets: &mut [u8]) -> std::io::Result<usize> { self.0.read(octets) }
//! # }
//! # impl Write for Postfix<'_> {
//! #     fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> { self.1.write(octets) }
//! #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
//! # }
//! # use mailproof_milter::{Client, Connection, Envelope, MacroPacket, Packet, Peer};
//! # let (mut client, mut sent) = (Client::new(), Vec::new());
//! # let (sender, args) = (Envelope { path: b"<a@example.org>", args: b"" }, &b""[..]);
//! # for packet in [
//! #     Packet::Negotiate(client.offer()),
//! #     Packet::Connect(Connection { host: b"mail.example.org", peer: Peer::Unknown }),
//! #     Packet::MailFrom(sender),
//! #     Packet::RcptTo(Envelope { path: b"<b@example.net>", args }),
//! #     Packet::EndOfHeaders,
//! #     Packet::Body(b"Hi.\r\n"),
//! #     Packet::Macros(MacroPacket { command: b'E', data: b"i\x001A\0" }),
//! #     Packet::EndOfBody(b""),
//! #     Packet::Quit,
//! # ] {
//! #     client.send(&packet, &mut sent);
//! # }
//! # let mut postfix = Postfix(&sent, Vec::new());
//! # serve(&mut postfix).unwrap();
//! # assert!(postfix.1.ends_with(b"\0\0\0\x0fhX-Seen-As\0 1A\0\0\0\0\x01a"), "{}", postfix.1.escape_ascii());
//! ```
//!
//! STANDARDS: none but the behaviour of Sendmail's libmilter and of Postfix (MILTER_README), whose
//! words SMFIC, SMFIR, SMFIF and SMFIP the documentation names. RFC 5321 4.2, RFC 3463 and RFC 2034
//! for reply texts.

mod client;
mod connection;
mod encode;
mod event;
mod flags;
mod frame;
mod limits;
mod macros;
mod modification;
mod negotiate;
mod packet;
mod parse;
mod reply;
mod session;
mod stage;

pub use client::{Answer, Client, ClientError};
pub use connection::{Connection, Peer};
pub use event::{Event, ReplyError, SessionError};
pub use flags::{Actions, Protocol};
pub use frame::{Decoder, Frame, FrameError};
pub use limits::{Limits, MAX_CHUNK};
pub use macros::{MacroStage, Macros, Pairs};
pub use modification::{Modification, ModificationError};
pub use negotiate::{MIN_VERSION, NegotiationError, VERSION, Wants};
pub use packet::{Envelope, HeaderField, MacroPacket, Negotiation, Packet};
pub use parse::{PacketError, PacketErrorKind};
pub use reply::{Reply, SmtpReply, SmtpReplyError};
pub use session::Session;
pub use stage::Stage;
