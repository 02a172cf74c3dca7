//! The filter's side of a connection.

use crate::event::{Event, ReplyError, SessionError};
use crate::flags::{Actions, Protocol};
use crate::frame::{Frame, write};
use crate::limits::Limits;
use crate::macros::{MacroStage, Macros};
use crate::modification::Modification;
use crate::negotiate::Wants;
use crate::packet::{HeaderField, Negotiation, Packet};
use crate::reply::Reply;
use crate::stage::Stage;

/// Where a session is, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Start,
    Agreed,
    Connected,
    Mail,
    Rcpt,
    Data,
    Headers,
    Body,
    Ended,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::Start => "before the negotiation",
            Place::Agreed => "before a connection",
            Place::Connected => "outside a message",
            Place::Mail => "after MAIL",
            Place::Rcpt => "after RCPT",
            Place::Data => "after DATA",
            Place::Headers => "in the header",
            Place::Body => "after the header",
            Place::Ended => "after the end",
        }
    }
}

/// The filter's side of one connection with an MTA: packets become [`Event`]s, and what the MTA
/// awaits a reply to is replied to, once.
///
/// No reply is awaited to what the flags agreed upon exempt; [`Reply::Continue`] then writes nothing.
/// So a filter answers each event in the same way, whatever the MTA offers.
#[derive(Debug, Clone)]
pub struct Session {
    wants: Wants,
    limits: Limits,
    agreed: Negotiation,
    place: Place,
    due: Option<Stage>,
    /// The message is over; its macros hold until the next packet.
    over: bool,
    macros: Macros,
    headers: usize,
    header_octets: usize,
}

impl Session {
    /// A session at its beginning.
    pub fn new(wants: Wants, limits: Limits) -> Session {
        Session {
            wants,
            limits,
            agreed: Negotiation { version: 0, actions: Actions::NONE, protocol: Protocol::NONE },
            place: Place::Start,
            due: None,
            over: false,
            macros: Macros::default(),
            headers: 0,
            header_octets: 0,
        }
    }

    /// Takes a packet from the MTA. What it must be told at once, the answer to its offer, is
    /// appended to `out`.
    ///
    /// # Errors
    /// The packet is none, or has no place here: close the connection.
    pub fn receive<'a>(
        &mut self,
        frame: Frame<'a>,
        out: &mut Vec<u8>,
    ) -> Result<Event<'a>, SessionError> {
        let packet = Packet::parse(frame)?;
        if std::mem::take(&mut self.over) {
            self.macros.forget_from(MacroStage::Mail);
        }
        let hurried = matches!(packet, Packet::Abort | Packet::Quit | Packet::QuitNewConnection);
        if let Some(stage) = self.due.filter(|_| !hurried) {
            return Err(SessionError::Unanswered { command: frame.command, stage });
        }
        let Some(place) = self.next_place(&packet) else {
            return Err(SessionError::OutOfOrder {
                command: frame.command,
                place: self.place.name(),
            });
        };
        let event = self.event(packet, out)?;
        self.place = place;
        Ok(event)
    }

    /// What a packet leads to, `None` where it is out of order.
    fn next_place(&self, packet: &Packet<'_>) -> Option<Place> {
        let place = self.lifted();
        let in_header = (Place::Rcpt..=Place::Headers).contains(&place);
        // A header without its end leads to the body only where the end is not sent.
        let no_end = !Stage::EndOfHeaders.is_sent(self.agreed.protocol);
        let in_body = place == Place::Body || in_header && no_end;
        let (allowed, next) = match packet {
            Packet::Negotiate(_) => (self.place == Place::Start, Place::Agreed),
            Packet::Macros(_) => (self.place >= Place::Agreed, self.place),
            Packet::Connect(_) => (self.place == Place::Agreed, Place::Connected),
            // HELO and MAIL amid a message end it, as in libmilter.
            Packet::Helo(_) => (place >= Place::Connected, Place::Connected),
            Packet::MailFrom(_) => (place >= Place::Connected, Place::Mail),
            Packet::Unknown(_) => (place >= Place::Connected, self.place),
            Packet::RcptTo(_) => ((Place::Mail..=Place::Rcpt).contains(&place), Place::Rcpt),
            Packet::Data => (place == Place::Rcpt, Place::Data),
            Packet::Header(_) => (in_header, Place::Headers),
            Packet::EndOfHeaders => (in_header, Place::Body),
            Packet::Body(_) | Packet::EndOfBody(_) => (in_body, Place::Body),
            Packet::Abort => (self.place >= Place::Agreed, self.place.min(Place::Connected)),
            Packet::QuitNewConnection => (self.place >= Place::Agreed, Place::Agreed),
            Packet::Quit => (true, Place::Ended),
        };
        (allowed && self.place != Place::Ended).then_some(next)
    }

    /// Where the session is, past the packets that are not sent at all.
    fn lifted(&self) -> Place {
        let unsent = |stage: Stage| !stage.is_sent(self.agreed.protocol);
        let mut place = self.place;
        if place == Place::Agreed && unsent(Stage::Connect) {
            place = Place::Connected;
        }
        if place == Place::Connected && unsent(Stage::Mail) {
            place = Place::Mail;
        }
        if place == Place::Mail && unsent(Stage::Rcpt) {
            place = Place::Rcpt;
        }
        place
    }

    fn event<'a>(
        &mut self,
        packet: Packet<'a>,
        out: &mut Vec<u8>,
    ) -> Result<Event<'a>, SessionError> {
        Ok(match packet {
            Packet::Negotiate(offer) => {
                self.agreed = self.wants.answer(offer)?;
                self.wants.encode(&self.agreed, out);
                Event::Negotiated(self.agreed)
            }
            Packet::Macros(macros) => {
                if !self.macros.remember(&macros, &self.limits) {
                    return Err(SessionError::MacrosTooLarge { limit: self.limits.macro_octets });
                }
                Event::Macros
            }
            Packet::Connect(connection) => {
                self.at(Stage::Connect, Some(MacroStage::Connect), Event::Connect(connection))
            }
            Packet::Helo(name) => {
                self.end_message();
                self.at(Stage::Helo, Some(MacroStage::Helo), Event::Helo(name))
            }
            Packet::MailFrom(sender) => {
                self.end_message();
                self.at(Stage::Mail, Some(MacroStage::Mail), Event::MailFrom(sender))
            }
            Packet::RcptTo(recipient) => {
                self.at(Stage::Rcpt, Some(MacroStage::Rcpt), Event::RcptTo(recipient))
            }
            Packet::Data => self.at(Stage::Data, Some(MacroStage::Data), Event::Data),
            Packet::Unknown(text) => self.at(Stage::Unknown, None, Event::Unknown(text)),
            Packet::Header(field) => {
                let event = self.header(field);
                self.at(Stage::Header, None, event)
            }
            Packet::EndOfHeaders => {
                let macros = Some(MacroStage::EndOfHeaders);
                self.at(Stage::EndOfHeaders, macros, Event::EndOfHeaders)
            }
            Packet::Body(chunk) => self.at(Stage::Body, None, Event::BodyChunk(chunk)),
            Packet::EndOfBody(chunk) => {
                let macros = Some(MacroStage::EndOfMessage);
                self.at(Stage::EndOfMessage, macros, Event::EndOfMessage(chunk))
            }
            Packet::Abort => {
                self.end_message();
                self.macros.forget_from(MacroStage::Mail);
                Event::Abort
            }
            Packet::Quit => {
                self.end_message();
                Event::Quit
            }
            Packet::QuitNewConnection => {
                self.end_message();
                self.macros.forget_from(MacroStage::Connect);
                Event::QuitNewConnection
            }
        })
    }

    fn at<'a>(&mut self, stage: Stage, macros: Option<MacroStage>, event: Event<'a>) -> Event<'a> {
        if let Some(reached) = macros {
            self.macros.reach(reached);
        }
        self.over = false;
        self.due = Some(stage).filter(|it| it.is_answered(self.agreed.protocol));
        event
    }

    fn header<'a>(&mut self, field: HeaderField<'a>) -> Event<'a> {
        self.headers = self.headers.saturating_add(1);
        let octets = field.name.len() + field.value.len() + b":\r\n".len();
        self.header_octets = self.header_octets.saturating_add(octets);
        if self.headers > self.limits.headers || self.header_octets > self.limits.header_octets {
            Event::HeaderBeyondLimit
        } else {
            Event::Header(field)
        }
    }

    /// What the MTA awaits a reply to, if it does. [`Reply::is_allowed`] says which it may be.
    pub fn due(&self) -> Option<Stage> {
        self.due
    }

    /// Replies to the last event, appending to `out`. Where the MTA awaits no reply
    /// [`Reply::Continue`] writes nothing.
    ///
    /// # Errors
    /// No reply is due, or not this one; nothing is appended.
    pub fn reply(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Result<(), ReplyError> {
        let Some(stage) = self.due else {
            return if *reply == Reply::Continue { Ok(()) } else { Err(ReplyError::NotDue) };
        };
        if !reply.is_allowed(stage) {
            return Err(ReplyError::NotHere { reply: reply.keyword(), stage });
        }
        if *reply == Reply::Skip && !self.agreed.protocol.contains(Protocol::SKIP) {
            Reply::Continue.encode(out);
        } else {
            reply.encode(out);
        }
        self.due = None;
        let goes_on = matches!(reply, Reply::Continue | Reply::Skip);
        let of_one_recipient = stage == Stage::Rcpt
            && matches!(reply, Reply::Reject | Reply::Tempfail | Reply::Smtp(_));
        let of_message = stage >= Stage::Mail && !of_one_recipient;
        if stage == Stage::EndOfMessage || of_message && !goes_on {
            self.end_message();
        }
        Ok(())
    }

    /// Changes the message, between [`Event::EndOfMessage`] and the reply, appending to `out`.
    ///
    /// # Errors
    /// It is not the time, it was not agreed upon, or it would say something else to the MTA; nothing
    /// is appended.
    pub fn modify(
        &mut self,
        modification: &Modification<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), ReplyError> {
        match self.due {
            Some(Stage::EndOfMessage) => {}
            Some(stage) => return Err(ReplyError::NotHere { reply: "a modification", stage }),
            None => return Err(ReplyError::NotDue),
        }
        let missing = modification.action().without(self.agreed.actions);
        if !missing.is_empty() {
            return Err(ReplyError::NotAgreed(missing));
        }
        Ok(modification.encode(self.leading_space(), out)?)
    }

    /// Asks the MTA for more time to reply (SMFIR_PROGRESS), appending to `out`. Say it well before
    /// its timeout, 30 s in Postfix, 300 s at the end of the message.
    ///
    /// # Errors
    /// No reply is due.
    pub fn progress(&self, out: &mut Vec<u8>) -> Result<(), ReplyError> {
        if self.due.is_none() {
            return Err(ReplyError::NotDue);
        }
        write(out, b'p', |_| {});
        Ok(())
    }

    /// The macros that hold now. Those of a message hold until the first packet after its end, so
    /// that its queue id may still be logged.
    pub fn macros(&self) -> &Macros {
        &self.macros
    }

    /// What was agreed upon; version 0 and nothing before [`Event::Negotiated`].
    pub fn agreed(&self) -> &Negotiation {
        &self.agreed
    }

    /// Whether [`HeaderField::value`] has the space after the colon.
    pub fn leading_space(&self) -> bool {
        self.agreed.protocol.contains(Protocol::LEADING_SPACE)
    }

    fn end_message(&mut self) {
        self.due = None;
        self.over = true;
        self.place = self.place.min(Place::Connected);
        (self.headers, self.header_octets) = (0, 0);
    }
}
