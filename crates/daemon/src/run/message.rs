//! One message, from the end of its header to the reply.

use std::time::Instant;

use mailproof::Verifier;
use mailproof::message::{Header, HeaderBuilder, Limits};
use mailproof_milter::{Event, Reply};

use crate::decide::{Decision, Steps};
use crate::run::ahead::Ahead;
use crate::run::connection::{Broken, Wire};
use crate::run::plan::Plan;
use crate::run::sender::{Arriving, author, mta};
use crate::run::state::now;
use crate::run::tell::Tell;
use crate::run::work::{Work, load};
use crate::settings::Role;

/// What comes after a message.
pub(crate) enum Next {
    /// Another one, perhaps.
    Message,
    /// The end of the connection.
    Closed,
    /// HELO amid the message, which ends it.
    Helo(Vec<u8>),
    /// MAIL amid the message, which ends it.
    Mail(Vec<u8>),
    /// Another client.
    NewClient,
}

/// Serves a message whose header is complete.
pub(crate) async fn message(
    wire: &mut Wire,
    roles: &[Role],
    mut arriving: Arriving,
) -> Result<Next, Broken> {
    let empty = HeaderBuilder::new(Limits::default());
    let header = std::mem::replace(&mut arriving.header, empty).finish();
    let idle = Ahead::new(arriving.state.dns().clone());
    let mut ahead = std::mem::replace(&mut arriving.ahead, idle);
    let (arriving, state) = (&arriving, &arriving.state);
    let receiver = state.receiver(mta(wire.session.macros()));
    let settings = &state.config.settings;
    let mut steps = if settings.log.why { Steps::kept() } else { Steps::default() };
    let decision = decide(wire, roles, arriving, &header, &mut steps);
    let keys = load(decision.as_ref(), state);
    let now = now();
    let mut work = Work::begin(decision.as_ref(), &keys, &header, arriving, &receiver, now);
    if let Some(next) = body(wire, &mut work, &mut ahead, arriving).await? {
        return Ok(next);
    }
    let macros = wire.session.macros();
    let id = String::from_utf8_lossy(macros.get("i").unwrap_or_default()).into_owned();
    let mta = mta(macros).map(str::to_owned);
    let tell = Tell { log: state.log(), id: &id, mta: mta.as_deref() };
    let begin = Instant::now();
    tell.why(steps.list());
    let plan = match work {
        _ if arriving.is_too_large => Plan::too_large(),
        Work::Pass(reason) => Plan::pass(reason, roles, &header, &receiver, state),
        Work::CannotSign(hindrance) => Plan::cannot_sign(&hindrance, &tell, state),
        Work::Sign(signer) => Plan::sign(*signer, &keys, &tell, &header, &receiver, state),
        Work::Verify(verifier, seal) => {
            let mut verification = verifier.finish();
            let patience = settings.dns.message_timeout.into();
            let verdict = ahead.finish(patience, |answers| verification.verify(answers)).await;
            state.metrics.verdict(&verdict);
            Plan::verify(&verdict, seal, arriving, &tell, &header, now)
        }
    };
    plan.apply(wire, &tell, state)?;
    wire.flush().await?;
    state.metrics.message(decision.as_ref(), plan.action(), begin.elapsed());
    if arriving.is_too_large {
        state.metrics.limits.add(["header"]);
    }
    Ok(Next::Message)
}

/// What is done with the message; `None` if its header is too large to know.
fn decide(
    wire: &Wire,
    roles: &[Role],
    arriving: &Arriving,
    header: &Header,
    steps: &mut Steps,
) -> Option<Decision> {
    if arriving.is_too_large {
        return None;
    }
    let author = author(header);
    let recipients: Vec<&str> = arriving.recipients.iter().map(String::as_str).collect();
    let config = &arriving.state.config;
    Some(arriving.with_client(wire.session.macros(), |client| {
        config.decide(roles, client, author.as_deref(), &recipients, steps)
    }))
}

/// Hashes the body as it comes, and has the DNS asked meanwhile. What ends the message before its
/// time, if anything does.
async fn body(
    wire: &mut Wire,
    work: &mut Work<'_>,
    ahead: &mut Ahead,
    arriving: &Arriving,
) -> Result<Option<Next>, Broken> {
    let mut is_foreseen = false;
    loop {
        while let Some(frame) = wire.decoder.frame()? {
            let mut next = None;
            let mut reply = Reply::Continue;
            match wire.session.receive(frame, &mut wire.out)? {
                Event::BodyChunk(chunk) => {
                    work.body(chunk);
                    if work.is_decided() {
                        reply = Reply::Skip;
                    }
                }
                Event::EndOfMessage(chunk) => {
                    work.body(chunk);
                    return Ok(None);
                }
                Event::Abort => next = Some(Next::Message),
                Event::Helo(name) => next = Some(Next::Helo(name.to_vec())),
                Event::MailFrom(envelope) => next = Some(Next::Mail(envelope.address().to_vec())),
                Event::QuitNewConnection => next = Some(Next::NewClient),
                Event::Quit => next = Some(Next::Closed),
                _ => {}
            }
            if wire.session.due().is_some() {
                wire.session.reply(&reply, &mut wire.out)?;
            }
            if next.is_some() {
                return Ok(next);
            }
        }
        let more = match work {
            Work::Verify(verifier, _) if !is_foreseen => {
                more_ahead(wire, verifier, ahead, arriving, &mut is_foreseen).await?
            }
            _ => wire.more(Some(arriving.deadline)).await?,
        };
        if !more {
            return Ok(Some(Next::Closed));
        }
    }
}

/// Reads more. Only where that has to wait, the DNS is asked.
async fn more_ahead(
    wire: &mut Wire,
    verifier: &Verifier<'_>,
    ahead: &mut Ahead,
    arriving: &Arriving,
    is_foreseen: &mut bool,
) -> Result<bool, Broken> {
    let deadline = Some(arriving.deadline);
    // A flush that is broken off would send twice.
    wire.flush().await?;
    tokio::select! {
        biased;
        more = wire.more(deadline) => return more,
        () = ahead.run(|answers| verifier.foresee(answers)) => *is_foreseen = true,
    }
    wire.more(deadline).await
}
