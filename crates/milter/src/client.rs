//! The MTA's side of a connection, for tests and load.

use crate::flags::{Actions, Protocol};
use crate::frame::Frame;
use crate::modification::Modification;
use crate::negotiate::{NegotiationError, VERSION};
use crate::packet::{HeaderField, Negotiation, Packet};
use crate::parse::{PacketError, PacketErrorKind, Reader};
use crate::reply::Reply;
use crate::stage::Stage;

/// A packet from a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// `O`: what the filter takes of the offer, and the macros it wants (SETSYMLIST): the number of
    /// the stage and the names, each ended by NUL.
    Negotiate(Negotiation, &'a [u8]),
    /// `p`: more time, please.
    Progress,
    /// A change of the message.
    Modify(Modification<'a>),
    /// The reply.
    Reply(Reply),
}

impl<'a> Answer<'a> {
    /// Reads a packet from a filter.
    ///
    /// # Errors
    /// The command is unknown, or the data is not its own.
    pub fn parse(frame: Frame<'a>) -> Result<Answer<'a>, PacketError> {
        if let Some(reply) = Reply::parse(frame)? {
            return Ok(Answer::Reply(reply));
        }
        if let Some(modification) = Modification::parse(frame)? {
            return Ok(Answer::Modify(modification));
        }
        let mut reader = Reader::new(frame.data);
        let answer = match frame.command {
            b'O' => Answer::Negotiate(Negotiation::parse(&mut reader)?, reader.rest()),
            b'p' => Answer::Progress,
            other => return Err(PacketError::new(PacketErrorKind::Command(other), 0..0)),
        };
        reader.end()?;
        Ok(answer)
    }
}

/// Why a filter's answer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No packet of the protocol.
    #[error(transparent)]
    Packet(#[from] PacketError),
    /// It wants what was not offered.
    #[error(transparent)]
    Negotiation(#[from] NegotiationError),
    /// It answers, and was not asked.
    #[error("packet {} from the filter, which was not asked", [*.0].escape_ascii())]
    NotAsked(u8),
    /// No answer to this.
    #[error("packet {} from the filter is no answer to {stage}", [*command].escape_ascii())]
    NotHere {
        /// The command of the packet.
        command: u8,
        /// What it was asked about.
        stage: Stage,
    },
    /// It changes what it did not agree to change.
    #[error("the filter uses {0}, which was not agreed upon")]
    NotAgreed(Actions),
}

/// The MTA's side of one connection with a filter.
///
/// ```
/// use mailproof_milter::{Client, Frame, Packet, VERSION};
///
/// let mut client = Client::new();
/// let mut out = Vec::new();
/// assert!(client.send(&Packet::Negotiate(client.offer()), &mut out));
/// // … the filter answers over a socket: no HELO, please …
/// client.receive(Frame { command: b'O', data: &[0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 2] })?;
/// out.clear();
/// assert!(!client.send(&Packet::Helo(b"mail.example.org"), &mut out));
/// assert!(out.is_empty());
/// # Ok::<(), mailproof_milter::ClientError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    offer: Negotiation,
    agreed: Option<Negotiation>,
    due: Option<Stage>,
    negotiating: bool,
    skipping: bool,
}

impl Default for Client {
    fn default() -> Client {
        Client::new()
    }
}

impl Client {
    /// A client that offers what Postfix does: all there is.
    pub fn new() -> Client {
        Client::offering(Negotiation {
            version: VERSION,
            actions: Actions::ALL,
            protocol: Protocol::ALL,
        })
    }

    /// A client that offers this.
    pub fn offering(offer: Negotiation) -> Client {
        Client { offer, agreed: None, due: None, negotiating: false, skipping: false }
    }

    /// What is offered.
    pub fn offer(&self) -> Negotiation {
        self.offer
    }

    /// What was agreed upon.
    pub fn agreed(&self) -> Option<&Negotiation> {
        self.agreed.as_ref()
    }

    /// What the filter has been asked about and has not answered.
    pub fn due(&self) -> Option<Stage> {
        self.due
    }

    /// Appends a packet to `out`, or nothing, if the filter does not want it. Whether an answer is
    /// awaited: take it before the next packet.
    ///
    /// The value of a header field is all that follows the colon.
    pub fn send(&mut self, packet: &Packet<'_>, out: &mut Vec<u8>) -> bool {
        let protocol = self.agreed.map_or(Protocol::NONE, |it| it.protocol);
        self.due = None;
        self.negotiating = matches!(packet, Packet::Negotiate(_));
        if matches!(packet, Packet::MailFrom(_) | Packet::Abort) {
            self.skipping = false;
        }
        let Some(stage) = stage(packet) else {
            packet.encode(out);
            return self.negotiating;
        };
        // Data and unknown commands came with version 4 and 3.
        let version = self.agreed.map_or(VERSION, |it| it.version);
        let too_new = match stage {
            Stage::Data => version < 4,
            Stage::Unknown => version < 3,
            _ => false,
        };
        if too_new || !stage.is_sent(protocol) || stage == Stage::Body && self.skipping {
            return false;
        }
        match packet {
            Packet::Header(HeaderField { name, value })
                if !protocol.contains(Protocol::LEADING_SPACE) =>
            {
                let value = value.strip_prefix(b" ").unwrap_or(value);
                Packet::Header(HeaderField { name, value }).encode(out);
            }
            _ => packet.encode(out),
        }
        self.due = Some(stage).filter(|it| it.is_answered(protocol));
        self.due.is_some()
    }

    /// Takes a packet from the filter. The answer is complete with [`Answer::Negotiate`] or
    /// [`Answer::Reply`].
    ///
    /// # Errors
    /// It is no answer to what was asked.
    pub fn receive<'a>(&mut self, frame: Frame<'a>) -> Result<Answer<'a>, ClientError> {
        let command = frame.command;
        let answer = Answer::parse(frame)?;
        if let Answer::Negotiate(wanted, _) = answer {
            if !std::mem::take(&mut self.negotiating) {
                return Err(ClientError::NotAsked(command));
            }
            if wanted.version > self.offer.version
                || !self.offer.actions.contains(wanted.actions)
                || !self.offer.protocol.contains(wanted.protocol)
            {
                return Err(NegotiationError::NotOffered(wanted).into());
            }
            self.agreed = Some(wanted);
            return Ok(answer);
        }
        let (Some(stage), Some(agreed)) = (self.due, &self.agreed) else {
            return Err(ClientError::NotAsked(command));
        };
        match &answer {
            Answer::Modify(_) if stage != Stage::EndOfMessage => {
                return Err(ClientError::NotHere { command, stage });
            }
            Answer::Modify(modification) => {
                let missing = modification.action().without(agreed.actions);
                if !missing.is_empty() {
                    return Err(ClientError::NotAgreed(missing));
                }
            }
            Answer::Reply(reply) if !reply.is_allowed(stage) => {
                return Err(ClientError::NotHere { command, stage });
            }
            Answer::Reply(reply) => {
                self.skipping |= *reply == Reply::Skip;
                self.due = None;
            }
            Answer::Progress | Answer::Negotiate(..) => {}
        }
        Ok(answer)
    }
}

fn stage(packet: &Packet<'_>) -> Option<Stage> {
    Some(match packet {
        Packet::Connect(_) => Stage::Connect,
        Packet::Helo(_) => Stage::Helo,
        Packet::MailFrom(_) => Stage::Mail,
        Packet::RcptTo(_) => Stage::Rcpt,
        Packet::Data => Stage::Data,
        Packet::Unknown(_) => Stage::Unknown,
        Packet::Header(_) => Stage::Header,
        Packet::EndOfHeaders => Stage::EndOfHeaders,
        Packet::Body(_) => Stage::Body,
        Packet::EndOfBody(_) => Stage::EndOfMessage,
        Packet::Negotiate(_)
        | Packet::Macros(_)
        | Packet::Abort
        | Packet::Quit
        | Packet::QuitNewConnection => return None,
    })
}
