//! Takes connections, as many at a time as there may be.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::run::listen::{Accepting, Stream};
use crate::run::log::warn;
use crate::run::state::State;
use crate::run::{connection, policy_service};
use crate::settings::Role;

/// How long messages under way may take after SIGTERM. Local choice: less than the 90 s that systemd
/// waits before it kills.
const FAREWELL: Duration = Duration::from_secs(60);
/// How often the same trouble is told. Local choice.
const SELDOM: Duration = Duration::from_secs(60);

/// A socket at work.
pub(crate) struct Door {
    pub(crate) socket: Accepting,
    pub(crate) roles: Arc<[Role]>,
    /// What all sockets together may have open.
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) current: watch::Receiver<Arc<State>>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// When something was told last.
#[derive(Default)]
struct Told(Option<Instant>);

impl Told {
    fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|last| last.elapsed() > SELDOM);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
    }
}

impl Door {
    /// Takes connections until the daemon is to stop, then waits for those under way.
    pub(crate) async fn serve(self) {
        let mut stopping = self.stopping.clone();
        let (mut tasks, mut failed, mut full) =
            (JoinSet::new(), Told::default(), Fullness::default());
        loop {
            let accepted = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                accepted = self.accept(&mut full) => accepted,
                // Finished tasks are taken away meanwhile.
                Some(_) = tasks.join_next() => continue,
            };
            match accepted {
                Ok((permit, stream)) => {
                    let (roles, current) = (Arc::clone(&self.roles), self.current.clone());
                    let stopping = self.stopping.clone();
                    tasks.spawn(async move {
                        serve(stream, &roles, current, stopping).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    let state = Arc::clone(&self.current.borrow());
                    state.metrics.limits.add(["accept"]);
                    if failed.is_due() {
                        warn(state.log(), "", &format!("cannot accept: {error}"));
                    }
                    // Out of file descriptors, mostly: some will be free again.
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(self);
        let rest = async { while tasks.join_next().await.is_some() {} };
        let _late = timeout(FAREWELL, rest).await;
    }

    async fn accept(
        &self,
        full: &mut Fullness,
    ) -> io::Result<(OwnedSemaphorePermit, Box<dyn Stream>)> {
        let connections = Arc::clone(&self.connections);
        let permit = match connections.try_acquire_owned() {
            Ok(permit) => {
                full.is_full = false;
                permit
            }
            Err(_none_is_free) => {
                self.is_full(full);
                // The others wait in the queue of the socket.
                let connections = Arc::clone(&self.connections);
                connections.acquire_owned().await.map_err(io::Error::other)?
            }
        };
        Ok((permit, self.socket.accept().await?))
    }

    fn is_full(&self, full: &mut Fullness) {
        if std::mem::replace(&mut full.is_full, true) {
            return;
        }
        let state = Arc::clone(&self.current.borrow());
        state.metrics.limits.add(["connections"]);
        if full.told.is_due() {
            let most = state.config.settings.limits.connections;
            let text = format!("limits.connections: {most} are open, others wait");
            warn(state.log(), "", &text);
        }
    }
}

#[derive(Default)]
struct Fullness {
    is_full: bool,
    told: Told,
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
