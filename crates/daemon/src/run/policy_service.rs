//! The policy protocol of Postfix (SMTPD_POLICY_README): SPF at RCPT TO, for `check_policy_service`.
//!
//! A request is lines `name=value` and an empty one; the reply is `action=…` and an empty line. A
//! connection has one request after another. On trouble the connection is closed without a reply,
//! as the README says, and Postfix tries once more and then defers.

mod action;
mod check;
mod request;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::run::log::{say, warn};
use crate::run::policy_service::action::Action;
use crate::run::policy_service::check::check;
use crate::run::policy_service::request::{Decoder, Malformed, Request};
use crate::run::state::State;

/// How long a request may take from its first octet to its last. Local choice: Postfix itself waits
/// 100 s for a reply (smtpd_policy_service_timeout) and sends a request in one go.
const REQUEST_TIME: Duration = Duration::from_secs(100);

/// Why a connection ends before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it ends amid a request")]
    Cut,
    #[error("a request takes too long")]
    Slow,
    #[error("the client takes no reply")]
    Deaf,
}

impl Broken {
    /// Which limit is reached, if it is one.
    fn limit(&self) -> Option<&'static str> {
        match self {
            Broken::Malformed(_) => Some("malformed"),
            Broken::Slow => Some("message-time"),
            Broken::Deaf => Some("idle"),
            Broken::Io(_) | Broken::Cut => None,
        }
    }
}

/// Serves a connection. Whatever the peer does ends here, in a line of the log at most.
pub(crate) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    current: watch::Receiver<Arc<State>>,
    stopping: watch::Receiver<bool>,
) {
    if let Err(error) = converse(&mut stream, &current, stopping).await {
        let state = Arc::clone(&current.borrow());
        if let Some(limit) = error.limit() {
            state.metrics.limits.add([limit]);
        }
        warn(state.log(), "", &format!("policy connection closed: {error}"));
    }
}

async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    current: &watch::Receiver<Arc<State>>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let mut decoder = Decoder::default();
    let mut answered = None;
    let mut buffer = vec![0; 4096];
    loop {
        let idle = current.borrow().config.settings.limits.idle.into();
        let octets = if decoder.is_empty() {
            // Between two requests the connection may end at any time. That Postfix keeps one for
            // longer than we want to is no trouble: it opens another.
            tokio::select! {
                biased;
                read = timeout_at(Instant::now() + idle, stream.read(&mut buffer)) => {
                    let Ok(octets) = read else { return Ok(()) };
                    octets?
                }
                _ = stopping.wait_for(|stop| *stop) => return Ok(()),
            }
        } else {
            let until = decoder.since() + REQUEST_TIME.min(idle);
            timeout_at(until, stream.read(&mut buffer)).await.map_err(|_late| Broken::Slow)??
        };
        if octets == 0 {
            return if decoder.is_empty() { Ok(()) } else { Err(Broken::Cut) };
        }
        let mut rest = buffer.get(..octets).unwrap_or_default();
        while !rest.is_empty() {
            let (used, request) = decoder.push(rest)?;
            rest = rest.get(used..).unwrap_or_default();
            let Some(request) = request else { continue };
            let state = Arc::clone(&current.borrow());
            let reply = answer(&request, &mut answered, &state).await;
            let patience = Instant::now() + REQUEST_TIME.min(idle);
            let written = timeout_at(patience, async {
                stream.write_all(reply.as_bytes()).await?;
                stream.flush().await
            });
            written.await.map_err(|_late| Broken::Deaf)??;
        }
    }
}

/// A message that was answered, and what the next question about it gets.
type Answered = (Key, Action);

/// What tells messages apart: `instance`, and, since it is a stranger's promise, what counts for
/// SPF.
type Key = (String, String, String, String);

/// The reply to a request. Of the recipients of a message the first decides for all.
async fn answer(request: &Request, answered: &mut Option<Answered>, state: &State) -> String {
    let settings = &state.config.settings;
    let key = request.key();
    let action = match answered {
        Some((kept, action)) if *kept == key && !key.0.is_empty() => action.clone(),
        _ => {
            let action = check(request, state).await;
            let would = if settings.dry_run { "would be: " } else { "" };
            if action.is_refusal() || (settings.log.success && action != Action::Dunno) {
                say(state.log(), &request.queue_id, &format!("{would}{action}"));
            }
            let again = match &action {
                // The field stands above the message already.
                Action::Prepend(_) => Action::Dunno,
                other => other.clone(),
            };
            *answered = Some((key, again));
            action
        }
    };
    state.metrics.policy_requests.add([action.keyword()]);
    let action = if settings.dry_run { Action::Dunno } else { action };
    format!("action={action}\n\n")
}
