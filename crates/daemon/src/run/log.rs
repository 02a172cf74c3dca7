//! The log: an [`Entry`] for each thing that happens, as a line of text, as JSON or as fields of the
//! journal.
//!
//! Nobody who logs ever waits: lines go through a bounded queue to a thread that writes them, and
//! those beyond it are counted and left out.

mod form;

use std::fmt::{self, Display};
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use crate::run::log::form::Form;
use crate::run::queue::{Queue, Sink};
use crate::settings::{Log, LogTarget};

/// How grave an entry is (RFC 3164 4.1.1, table 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warning,
    Notice,
    Info,
}

impl Level {
    fn code(self) -> u8 {
        match self {
            Level::Error => 3,
            Level::Warning => 4,
            Level::Notice => 5,
            Level::Info => 6,
        }
    }

    fn keyword(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
            Level::Info => "info",
        }
    }
}

/// Something that happens. What comes from outside need not be escaped: all of it is, later.
pub(crate) struct Entry<'a> {
    pub(crate) level: Level,
    /// What it is, in a stable word.
    pub(crate) event: &'static str,
    /// The queue id, empty where there is none.
    pub(crate) id: &'a str,
    /// The same for people, and for tools that know the older daemons.
    pub(crate) text: fmt::Arguments<'a>,
    /// What is told as fields, in JSON and in the journal; their names in lower case.
    pub(crate) fields: &'a [(&'static str, &'a dyn Display)],
}

/// Where entries go. Clones share everything.
#[derive(Clone)]
pub(crate) struct Logger {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Log,
    form: Form,
    /// `None` if nothing is to be logged.
    queue: Option<Queue>,
}

const JOURNAL: &str = "/run/systemd/journal/socket";
const SYSLOG: &str = "/dev/log";

impl Logger {
    /// A log as it is set. Where it goes need not be there yet.
    pub(crate) fn open(settings: &Log) -> Logger {
        let place = |usual: &str| settings.socket.clone().unwrap_or_else(|| usual.into());
        let target = target(settings.to);
        let (form, sink) = match target {
            LogTarget::Journal => (Form::Journal, Some(Sink::socket(place(JOURNAL)))),
            LogTarget::Syslog => (Form::Syslog, Some(Sink::socket(place(SYSLOG)))),
            LogTarget::Stderr | LogTarget::Auto => (Form::Stderr, Some(Sink::Stderr)),
            LogTarget::None => (Form::Stderr, None),
        };
        let queue = sink.and_then(|sink| Queue::start("log", sink));
        Logger { inner: Arc::new(Inner { settings: settings.clone(), form, queue }) }
    }

    /// This one, if it is set so; else another.
    pub(crate) fn reopen(&self, settings: &Log) -> Logger {
        if self.inner.settings == *settings { self.clone() } else { Logger::open(settings) }
    }

    /// What is to be told.
    pub(crate) fn settings(&self) -> &Log {
        &self.inner.settings
    }

    /// Writes an entry.
    pub(crate) fn write(&self, entry: &Entry<'_>) {
        let Inner { settings, form, queue: Some(queue) } = &*self.inner else { return };
        let is_taken = queue.push(form.line(settings, entry));
        let lost = if is_taken { queue.take_lost() } else { 0 };
        if lost > 0 {
            let entry = Entry {
                level: Level::Warning,
                event: "log-lost",
                id: "",
                text: format_args!("{lost} lines of the log were lost"),
                fields: &[("lines", &lost)],
            };
            if !queue.push(form.line(settings, &entry)) {
                queue.lose(lost);
            }
        }
    }
}

/// Where it goes, if that is left to us.
fn target(set: LogTarget) -> LogTarget {
    if set != LogTarget::Auto || io::stderr().is_terminal() {
        return set;
    }
    // systemd.exec(5): it is set where standard error is the journal.
    if std::env::var_os("JOURNAL_STREAM").is_some() && Path::new(JOURNAL).exists() {
        LogTarget::Journal
    } else if Path::new(SYSLOG).exists() {
        LogTarget::Syslog
    } else {
        LogTarget::Stderr
    }
}

/// Writes a line; `id` is the queue id, empty where there is none.
pub(crate) fn say(log: &Logger, id: &str, text: &str) {
    tell(log, Level::Info, "note", id, text);
}

/// Writes a line about what somebody should look at.
pub(crate) fn warn(log: &Logger, id: &str, text: &str) {
    tell(log, Level::Warning, "warning", id, text);
}

fn tell(log: &Logger, level: Level, event: &'static str, id: &str, text: &str) {
    log.write(&Entry { level, event, id, text: format_args!("{text}"), fields: &[] });
}
