//! What a session tells the filter, and why it may refuse to go on.

use crate::connection::Connection;
use crate::flags::Actions;
use crate::modification::ModificationError;
use crate::negotiate::NegotiationError;
use crate::packet::{Envelope, HeaderField, Negotiation};
use crate::parse::PacketError;
use crate::stage::Stage;

/// What has happened, in the order of an SMTP session. Borrows from the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Agreed; the MTA has been told. Nothing to reply.
    Negotiated(Negotiation),
    /// [`crate::Session::macros`] knows more. Nothing to reply.
    Macros,
    /// A client has connected to the MTA.
    Connect(Connection<'a>),
    /// HELO or EHLO, perhaps again, after STARTTLS.
    Helo(&'a [u8]),
    /// A message begins, whatever was before.
    MailFrom(Envelope<'a>),
    /// A recipient. With [`crate::Protocol::REJECTED_RCPT`] also one that the MTA has rejected: macro
    /// `{rcpt_mailer}` is then `error`.
    RcptTo(Envelope<'a>),
    /// DATA. Not with version 2.
    Data,
    /// A command that the MTA does not know. Not with version 2.
    Unknown(&'a [u8]),
    /// A header field.
    Header(HeaderField<'a>),
    /// A header field beyond [`crate::Limits::headers`] or [`crate::Limits::header_octets`], to be replied to as
    /// any other. The message is the filter's to judge.
    HeaderBeyondLimit,
    /// The end of the header. Always comes, unless [`crate::Protocol::NO_END_OF_HEADERS`] was asked for.
    EndOfHeaders,
    /// A piece of the body; CRLF may be cut in two.
    BodyChunk(&'a [u8]),
    /// The end of the message, with the last piece of its body, which Postfix leaves empty. Now is
    /// the time for [`crate::Session::modify`]; a reply is always awaited.
    EndOfMessage(&'a [u8]),
    /// The message will not be finished, or is already: Postfix says so after each. Nothing to reply.
    Abort,
    /// The MTA closes. Nothing to reply; nothing more comes.
    Quit,
    /// The next client of the MTA comes over the same connection. Nothing to reply.
    QuitNewConnection,
}

/// Why a packet has no place in the session. The connection is of no more use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// No packet of the protocol.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// Nothing to agree upon.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    /// A packet that cannot come now.
    #[error("packet {} out of order, {place}", [*command].escape_ascii())]
    OutOfOrder {
        /// The command of the packet.
        command: u8,
        /// Where the session is.
        place: &'static str,
    },
    /// The peer did not wait for a reply, or the caller forgot it.
    #[error("packet {} while the reply to {stage} is due", [*command].escape_ascii())]
    Unanswered {
        /// The command of the packet.
        command: u8,
        /// What has not been replied to.
        stage: Stage,
    },
    /// Macros beyond [`crate::Limits::macro_octets`].
    #[error("macros of more than {limit} octets")]
    MacrosTooLarge {
        /// The limit in octets.
        limit: usize,
    },
}

/// Why a reply or a modification was not written. The session is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The MTA awaits no reply, so only [`crate::Reply::Continue`] can be said, which writes nothing.
    #[error("the MTA awaits no reply")]
    NotDue,
    /// Not a reply to this.
    #[error("{reply} is no reply to {stage}")]
    NotHere {
        /// [`crate::Reply::keyword`], or what else was tried.
        reply: &'static str,
        /// What the MTA awaits a reply to.
        stage: Stage,
    },
    /// It was not agreed upon.
    #[error("{0} was not agreed upon")]
    NotAgreed(Actions),
    /// It would say something else than what is meant.
    #[error(transparent)]
    Modification(#[from] ModificationError),
}
