//! `mailproofd run`: the milter at work.
//!
//! A connection is a task; a message is judged by the configuration that held when it began.

mod action;
mod ahead;
mod connection;
mod dns;
mod history;
mod listen;
mod log;
mod message;
mod metrics;
mod plan;
mod policy_service;
mod queue;
mod sender;
mod state;
mod tell;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use mailproof_dns::Zone;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::run::listen::{Socket, Sockets, Stream};
use crate::run::log::{say, warn};
use crate::run::state::{State, now};
use crate::settings::Role;

/// How long messages under way may take after SIGTERM. Local choice: less than the 90 s that systemd
/// waits before it kills.
const FAREWELL: Duration = Duration::from_secs(60);

/// What the daemon is started with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The files of the configuration.
    pub files: Vec<PathBuf>,
    /// The records that answer all questions in place of the DNS, for tests.
    pub zone: Option<Zone>,
}

/// Why the daemon does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The configuration cannot be used; a sentence for each reason.
    #[error("{0}")]
    Configuration(String),
    /// A socket cannot be opened.
    #[error("{socket}: {reason}")]
    Socket {
        /// Which, as it is written.
        socket: String,
        /// Why.
        reason: String,
    },
    /// The system refuses what every daemon needs.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Runs until SIGTERM or SIGINT: the messages under way are finished. SIGHUP reads the configuration
/// again; one with an error changes nothing.
///
/// # Errors
/// It cannot start.
pub fn run(start: &Start) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(daemon(start))
}

/// Serves one client of the policy protocol on standard input and output, as spawn(8) of Postfix
/// starts it, until that ends.
///
/// # Errors
/// It cannot start.
pub fn policy(start: &Start) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let state = {
        let _inside = runtime.enter();
        Arc::new(State::load_policy(start)?)
    };
    let (_states, current) = watch::channel(state);
    let (_stop, stopping) = watch::channel(false);
    let client = tokio::io::join(tokio::io::stdin(), tokio::io::stdout());
    runtime.block_on(policy_service::serve(client, current, stopping));
    // A thread may still wait for standard input.
    runtime.shutdown_background();
    Ok(())
}

async fn daemon(start: &Start) -> Result<(), RunError> {
    let state = Arc::new(State::load(start, None)?);
    let (terminate, interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let hangup = signal(SignalKind::hangup())?;
    let settings = &state.config.settings;
    let sockets = Sockets::open(&settings.listeners).await?;
    if let Some(path) = &settings.pid_file {
        let number = format!("{}\n", std::process::id());
        std::fs::write(path, number).map_err(|error| {
            RunError::Configuration(format!("pid-file {}: {error}", path.display()))
        })?;
    }
    let connections = Arc::new(Semaphore::new(settings.limits.connections.max(1)));
    let (stop, stopping) = watch::channel(false);
    let (states, current) = watch::channel(Arc::clone(&state));
    let mut listeners = JoinSet::new();
    for socket in sockets.list {
        let (limit, current, stopping) =
            (Arc::clone(&connections), current.clone(), stopping.clone());
        listeners.spawn(accept(socket, limit, current, stopping));
    }
    say(state.log(), "", "started");
    reload(start, &states, [terminate, interrupt], hangup).await;
    // Nobody may connect any more; who is connected finishes the message.
    stop.send_replace(true);
    while listeners.join_next().await.is_some() {}
    for path in &sockets.paths {
        let _gone = std::fs::remove_file(path);
    }
    if let Some(path) = &state.config.settings.pid_file {
        let _gone = std::fs::remove_file(path);
    }
    say(current.borrow().log(), "", "stopped");
    Ok(())
}

/// Until the daemon is to stop: reads the configuration again when it is told.
async fn reload(
    start: &Start,
    states: &watch::Sender<Arc<State>>,
    [mut terminate, mut interrupt]: [Signal; 2],
    mut hangup: Signal,
) {
    loop {
        tokio::select! {
            _ = terminate.recv() => return,
            _ = interrupt.recv() => return,
            _ = hangup.recv() => {}
        }
        let old = Arc::clone(&states.borrow());
        match State::load(start, Some(&old)) {
            Ok(new) => {
                if new.config.settings.listeners != old.config.settings.listeners {
                    say(new.log(), "", "other listeners need a restart; the old ones stay");
                }
                say(new.log(), "", "configuration reloaded");
                new.metrics.reloads.add(["success"]);
                new.metrics.configured.store(now(), Relaxed);
                states.send_replace(Arc::new(new));
            }
            Err(error) => {
                old.metrics.reloads.add(["failure"]);
                let text = format!("the old configuration stays: {error}");
                warn(old.log(), "", &text);
            }
        }
    }
}

/// Takes connections until the daemon is to stop, then waits for those under way.
async fn accept(
    socket: Socket,
    connections: Arc<Semaphore>,
    current: watch::Receiver<Arc<State>>,
    mut stopping: watch::Receiver<bool>,
) {
    let roles: Arc<[_]> = socket.roles.clone().into();
    let mut tasks = JoinSet::new();
    loop {
        let free = Arc::clone(&connections).acquire_owned();
        let accepted = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            // Beyond the limit the others wait in the queue of the socket.
            accepted = async { (free.await, socket.accept().await) } => accepted,
            // Finished tasks are taken away meanwhile.
            Some(_) = tasks.join_next() => continue,
        };
        match accepted {
            (Ok(permit), Ok(stream)) => {
                let (roles, current) = (Arc::clone(&roles), current.clone());
                let stopping = stopping.clone();
                tasks.spawn(async move {
                    serve(stream, &roles, current, stopping).await;
                    drop(permit);
                });
            }
            (_, Err(error)) => {
                warn(current.borrow().log(), "", &format!("cannot accept: {error}"));
                // Out of file descriptors, mostly: some will be free again.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            (Err(_closed), _) => break,
        }
    }
    drop(socket);
    let rest = async { while tasks.join_next().await.is_some() {} };
    let _late = tokio::time::timeout(FAREWELL, rest).await;
}

/// Serves a connection in the roles of its listener.
async fn serve(
    stream: Box<dyn Stream>,
    roles: &[Role],
    current: watch::Receiver<Arc<State>>,
    stopping: watch::Receiver<bool>,
) {
    let metrics = Arc::clone(&current.borrow().metrics);
    metrics.open_connections.fetch_add(1, Relaxed);
    if roles.contains(&Role::Policy) {
        metrics.connections.add(["policy"]);
        policy_service::serve(stream, current, stopping).await;
    } else {
        metrics.connections.add(["milter"]);
        connection::serve(stream, roles, current, stopping).await;
    }
    metrics.open_connections.fetch_sub(1, Relaxed);
}
