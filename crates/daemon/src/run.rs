//! `mailproofd run`: the milter and the policy service at work.
//!
//! A connection is a task; a message is judged by the configuration that held when it began.

mod accept;
mod action;
mod ahead;
mod connection;
mod dns;
mod health;
mod history;
mod listen;
mod log;
mod message;
mod metrics;
mod plan;
mod policy_service;
mod privileges;
mod queue;
mod reload;
mod sender;
mod state;
mod tell;
mod work;

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailproof_dns::Zone;
use nix::unistd::geteuid;
use sd_notify::NotifyState;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::run::accept::Door;
use crate::run::listen::Sockets;
use crate::run::log::{say, warn};
use crate::run::privileges::Ids;
use crate::run::reload::{Signals, reload};
use crate::run::state::State;
use crate::settings::Settings;

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
    /// The daemon cannot become who it is to be.
    #[error("{0}")]
    User(String),
    /// The system refuses what every daemon needs.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Runs until SIGTERM or SIGINT: the messages under way are finished. SIGHUP and SIGUSR1 read the
/// configuration again; one with an error changes nothing.
///
/// # Errors
/// It cannot start.
pub fn run(start: &Start) -> Result<(), RunError> {
    privileges::raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (state, open) = {
        let _inside = runtime.enter();
        let state = Arc::new(State::load(start, None)?);
        let open = Open::with(&state.config.settings)?;
        (state, open)
    };
    runtime.block_on(daemon(start, state, open))
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

/// What is opened as who starts the daemon, mostly root.
struct Open {
    sockets: Sockets,
    metrics: Option<TcpListener>,
}

impl Open {
    /// Opens everything, and becomes who the daemon is to be.
    fn with(settings: &Settings) -> Result<Open, RunError> {
        let account = settings.user.as_ref();
        let user = account.filter(|_| geteuid().is_root()).map(Ids::of).transpose();
        let sockets = Sockets::open(&settings.listeners, user.map_err(RunError::User)?)?;
        let listen = |metrics: &crate::settings::Metrics| {
            TcpListener::bind(metrics.listen).map_err(|error| RunError::Socket {
                socket: format!("metrics.listen {}", metrics.listen),
                reason: error.to_string(),
            })
        };
        let metrics = settings.metrics.as_ref().map(listen).transpose()?;
        if let Some(path) = &settings.pid_file {
            write_pid(path).map_err(|error| {
                RunError::Configuration(format!("pid-file {}: {error}", path.display()))
            })?;
        }
        account.map_or(Ok(()), privileges::change_to).map_err(RunError::User)?;
        Ok(Open { sockets, metrics })
    }
}

/// A new file: nobody who may write to its directory leads us to another one.
fn write_pid(path: &Path) -> std::io::Result<()> {
    let _there_is_none = fs::remove_file(path);
    let mut file = fs::File::create_new(path)?;
    writeln!(file, "{}", std::process::id())
}

/// Tells systemd, if it listens.
fn notify(states: &[NotifyState<'_>]) {
    let _nobody = sd_notify::notify(states);
}

async fn daemon(start: &Start, state: Arc<State>, open: Open) -> Result<(), RunError> {
    let signals = Signals::new()?;
    let settings = &state.config.settings;
    let connections = Arc::new(Semaphore::new(settings.limits.connections.max(1)));
    let (stop, stopping) = watch::channel(false);
    let (states, current) = watch::channel(Arc::clone(&state));
    let mut listeners = JoinSet::new();
    for socket in &open.sockets.list {
        let door = Door {
            socket: socket.accepting()?,
            roles: socket.roles.clone().into(),
            connections: Arc::clone(&connections),
            current: current.clone(),
            stopping: stopping.clone(),
        };
        listeners.spawn(door.serve());
    }
    let mut watchers = JoinSet::new();
    if let Some(listener) = open.metrics {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        watchers.spawn(health::serve(listener, Arc::clone(&state.metrics), stopping.clone()));
    }
    watchers.spawn(watchdog());
    for name in &open.sockets.unused {
        let text = format!("no listener takes the socket {name:?} of systemd");
        warn(state.log(), "", &text);
    }
    if geteuid().is_root() {
        warn(state.log(), "", "it runs as root: set user");
    }
    say(state.log(), "", "started");
    notify(&[NotifyState::Ready]);
    reload(start, &states, signals).await;
    notify(&[NotifyState::Stopping]);
    // Nobody may connect any more; who is connected finishes the message.
    let Open { sockets: Sockets { list, paths, .. }, .. } = open;
    drop(list);
    stop.send_replace(true);
    while listeners.join_next().await.is_some() {}
    for path in paths.iter().chain(&state.config.settings.pid_file) {
        let _gone = fs::remove_file(path);
    }
    say(current.borrow().log(), "", "stopped");
    Ok(())
}

/// Tells systemd that the daemon lives, if it asks (`WatchdogSec=`).
async fn watchdog() {
    let Some(period) = sd_notify::watchdog_enabled() else { return };
    loop {
        notify(&[NotifyState::Watchdog]);
        tokio::time::sleep(period / 2).await;
    }
}
