//! One connection of an MTA, from its first packet to its last.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mailproof_milter::{
    Actions, Decoder, Event, FrameError, Limits, Protocol, Reply, ReplyError, Session,
    SessionError, Wants,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::run::listen::Stream;
use crate::run::log::warn;
use crate::run::message::{Next, message};
use crate::run::sender::{Arriving, Sender};
use crate::run::state::State;
use crate::settings::Role;

/// Why a connection ends before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the MTA is silent for too long")]
    Idle,
    #[error("a message takes too long")]
    Slow,
}

impl Broken {
    /// Which limit is reached, if it is one.
    fn limit(&self) -> Option<&'static str> {
        match self {
            Broken::Frame(_) | Broken::Session(_) => Some("malformed"),
            Broken::Idle => Some("idle"),
            Broken::Slow => Some("message-time"),
            Broken::Reply(_) | Broken::Io(_) => None,
        }
    }
}

/// The two directions of a connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    pub(crate) decoder: Decoder,
    pub(crate) session: Session,
    pub(crate) out: Vec<u8>,
    idle: Duration,
}

impl Wire {
    /// Sends what is to be sent.
    pub(crate) async fn flush(&mut self) -> Result<(), Broken> {
        if !self.out.is_empty() {
            let patience = Instant::now() + self.idle;
            let written = timeout_at(patience, self.stream.write_all(&self.out)).await;
            written.map_err(|_late| Broken::Idle)??;
            self.out.clear();
        }
        Ok(())
    }

    /// Sends what is to be sent and reads more; `false` at the end of the stream.
    pub(crate) async fn more(&mut self, deadline: Option<Instant>) -> Result<bool, Broken> {
        self.flush().await?;
        let idle = Instant::now() + self.idle;
        let (until, late) = match deadline {
            Some(deadline) if deadline < idle => (deadline, Broken::Slow),
            _ => (idle, Broken::Idle),
        };
        let read = self.stream.read(self.decoder.space());
        let octets = timeout_at(until, read).await.map_err(|_late| late)??;
        self.decoder.filled(octets);
        Ok(octets > 0)
    }
}

/// Serves a connection. Whatever the peer does ends here, in a line of the log at most.
pub(crate) async fn serve(
    stream: Box<dyn Stream>,
    roles: &[Role],
    current: watch::Receiver<Arc<State>>,
    stopping: watch::Receiver<bool>,
) {
    let state = Arc::clone(&current.borrow());
    let settings = &state.config.settings.limits;
    let limits = Limits {
        headers: settings.header_fields,
        header_octets: settings.header_octets,
        ..Limits::default()
    };
    let mut wire = Wire {
        stream,
        decoder: Decoder::new(&limits),
        session: Session::new(wants(roles), limits),
        out: Vec::new(),
        idle: settings.idle.into(),
    };
    if let Err(error) = converse(&mut wire, roles, &current, stopping).await {
        if let Some(limit) = error.limit() {
            state.metrics.limits.add([limit]);
        }
        warn(state.log(), "", &format!("connection closed: {error}"));
    }
}

/// Everything is decided at the end of the message, so that the MTA need not wait before.
fn wants(roles: &[Role]) -> Wants {
    let default = Wants::default();
    let unneeded = Protocol::NO_REPLIES | Protocol::NO_UNKNOWN | Protocol::NO_DATA;
    if roles.contains(&Role::Idle) {
        let unneeded = unneeded
            | Protocol::NO_CONNECT
            | Protocol::NO_HELO
            | Protocol::NO_MAIL
            | Protocol::NO_RCPT
            | Protocol::NO_HEADERS
            | Protocol::NO_END_OF_HEADERS
            | Protocol::NO_BODY;
        return Wants { protocol: default.protocol | unneeded, ..default };
    }
    Wants {
        actions: Actions::ADD_HEADERS | Actions::CHANGE_HEADERS,
        if_offered: Actions::QUARANTINE,
        protocol: default.protocol | unneeded,
        ..default
    }
}

/// What is known of the client, and of the message whose header is coming.
struct Incoming<'a> {
    sender: Sender,
    arriving: Option<Arriving>,
    current: &'a watch::Receiver<Arc<State>>,
}

impl Incoming<'_> {
    /// Takes an event outside of a body; a message whose header is complete by it.
    fn take(&mut self, event: &Event<'_>, leading_space: bool) -> Option<Arriving> {
        self.sender.take(event);
        match (event, &mut self.arriving) {
            (Event::MailFrom(envelope), _) => self.begin(envelope.address()),
            (Event::RcptTo(envelope), Some(message)) => message.recipient(envelope.address()),
            (Event::Header(field), Some(message)) => message.field(field, leading_space),
            (Event::HeaderBeyondLimit, Some(message)) => message.is_too_large = true,
            (Event::EndOfHeaders, arriving) => return arriving.take(),
            (Event::Abort | Event::Helo(_) | Event::QuitNewConnection, arriving) => {
                *arriving = None;
            }
            _ => {}
        }
        None
    }

    fn begin(&mut self, mail_from: &[u8]) {
        let state = Arc::clone(&self.current.borrow());
        self.arriving = Some(self.sender.message(state, mail_from));
    }
}

async fn converse(
    wire: &mut Wire,
    roles: &[Role],
    current: &watch::Receiver<Arc<State>>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let mut incoming = Incoming { sender: Sender::default(), arriving: None, current };
    loop {
        let mut complete = None;
        while let Some(frame) = wire.decoder.frame()? {
            let event = wire.session.receive(frame, &mut wire.out)?;
            if event == Event::Quit {
                return wire.flush().await;
            }
            complete = incoming.take(&event, wire.session.leading_space());
            if wire.session.due().is_some() {
                // The end of a message comes here only where nothing else of it is sent.
                let is_end = matches!(event, Event::EndOfMessage(_));
                let reply = if is_end { Reply::Accept } else { Reply::Continue };
                wire.session.reply(&reply, &mut wire.out)?;
            }
            if complete.is_some() {
                break;
            }
        }
        if let Some(complete) = complete {
            match message(wire, roles, complete).await? {
                Next::Message => {}
                Next::Closed => return wire.flush().await,
                Next::Helo(name) => incoming.sender.take(&Event::Helo(&name)),
                Next::Mail(path) => incoming.begin(&path),
                Next::NewClient => incoming.sender.take(&Event::QuitNewConnection),
            }
            continue;
        }
        let more = if let Some(message) = &mut incoming.arriving {
            message.more(wire, roles).await?
        } else {
            // Between two messages the connection may end at any time.
            tokio::select! {
                biased;
                more = wire.more(None) => more?,
                _ = stopping.wait_for(|stop| *stop) => return Ok(()),
            }
        };
        if !more {
            return Ok(());
        }
    }
}
