//! Reads the configuration again when it is told.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::run::log::{say, warn};
use crate::run::state::{State, now};
use crate::run::{Start, notify};
use crate::settings::Settings;

/// What the daemon is told.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// What OpenDKIM and OpenDMARC take for a reload.
    user: Signal,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: signal(SignalKind::user_defined1())?,
        })
    }

    /// Whether to read the configuration again, and not to stop.
    async fn is_reload(&mut self) -> bool {
        tokio::select! {
            _ = self.terminate.recv() => false,
            _ = self.interrupt.recv() => false,
            _ = self.hangup.recv() => true,
            _ = self.user.recv() => true,
        }
    }
}

/// Until the daemon is to stop: reads the configuration again when it is told. Messages under way
/// are judged by the one they began with; one with an error changes nothing.
pub(crate) async fn reload(
    start: &Start,
    states: &watch::Sender<Arc<State>>,
    mut signals: Signals,
) {
    let began = states.borrow().config.settings.clone();
    while signals.is_reload().await {
        let now_usec = NotifyState::monotonic_usec_now();
        notify(&[NotifyState::Reloading, now_usec.unwrap_or(NotifyState::MonotonicUsec(0))]);
        let old = Arc::clone(&states.borrow());
        match State::load(start, Some(&old)) {
            Ok(new) => {
                let fixed = fixed(&began, &new.config.settings);
                if !fixed.is_empty() {
                    let names = fixed.join(", ");
                    let text = format!("need a restart, the old ones stay: {names}");
                    warn(new.log(), "", &text);
                }
                let new = Arc::new(new);
                // What is told is done: who reads it may count on it.
                states.send_replace(Arc::clone(&new));
                new.metrics.reloads.add(["success"]);
                new.metrics.configured.store(now(), Relaxed);
                say(new.log(), "", "configuration reloaded");
            }
            Err(error) => {
                old.metrics.reloads.add(["failure"]);
                warn(old.log(), "", &format!("the old configuration stays: {error}"));
            }
        }
        notify(&[NotifyState::Ready]);
    }
}

/// What is different and does not count before a restart.
fn fixed(began: &Settings, new: &Settings) -> Vec<&'static str> {
    [
        ("listener", began.listeners != new.listeners),
        ("user", began.user != new.user),
        ("pid-file", began.pid_file != new.pid_file),
        ("metrics", began.metrics != new.metrics),
        ("limits.connections", began.limits.connections != new.limits.connections),
    ]
    .into_iter()
    .filter_map(|(name, is_changed)| is_changed.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_restart_is_named() {
        let began = Settings::default();
        let mut new = began.clone();
        assert!(fixed(&began, &new).is_empty());
        new.dry_run = true;
        new.limits.connections = 7;
        new.user = "nobody".parse().ok();
        assert_eq!(fixed(&began, &new), ["user", "limits.connections"]);
    }
}
