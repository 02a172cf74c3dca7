//! A bounded queue of what is to be written, and the thread that writes it.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How many lines wait at most. Local choice: some seconds of busy mail, a megabyte or so.
const LINES: usize = 4096;

/// How often a line is tried, and how long after the last time: as long as a syslogd, or whoever
/// rotates a file, needs.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// How many octets of lines are written at once, where lines have no ends but their own.
const BATCH: usize = 64 << 10;

/// How long lines gather once all there were are written. Local choice: nobody sees it, and who logs
/// under load need not wake the thread for each line.
const REST: Duration = Duration::from_millis(5);

/// How long the last lines may take when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Where lines go.
pub(crate) enum Sink {
    Stderr,
    /// The end of a file, whole or not at all.
    File(PathBuf),
    /// A datagram each to whoever listens there by then: he may come and go.
    Socket(Option<UnixDatagram>, PathBuf),
}

impl Sink {
    pub(crate) fn socket(path: PathBuf) -> Sink {
        let socket = UnixDatagram::unbound().and_then(|socket| {
            socket.set_write_timeout(Some(Duration::from_secs(1)))?;
            Ok(socket)
        });
        Sink::Socket(socket.ok(), path)
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        match self {
            Sink::Stderr => io::stderr().lock().write_all(line),
            Sink::File(path) => append(path, line),
            Sink::Socket(None, _) => Err(io::ErrorKind::NotConnected.into()),
            Sink::Socket(Some(socket), path) => socket.send_to(line, path).map(|_octets| ()),
        }
    }

    fn is_stream(&self) -> bool {
        match self {
            Sink::Stderr | Sink::File(_) => true,
            Sink::Socket(..) => false,
        }
    }

    /// Writes a line, with patience if the one before was written.
    fn insist(&self, line: &[u8], was_written: bool) -> bool {
        let attempts = if was_written { ATTEMPTS } else { 1 };
        for attempt in 0..attempts {
            if attempt > 0 {
                thread::sleep(PAUSE);
            }
            match self.write(line) {
                Ok(()) => return true,
                // Standard error is nobody's who will come again.
                Err(_) if matches!(self, Sink::Stderr) => return false,
                Err(_) => {}
            }
        }
        false
    }
}

/// Appends to a file that others may take away at any time, under the lock that opendmarc-import
/// takes too. It is opened anew each time, since its name may belong to another file by now.
fn append(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o640).open(path)?;
    file.lock()?;
    let before = file.metadata()?.len();
    file.write_all(octets).inspect_err(|_full| {
        // Half a block would spoil the next one.
        let _worse = file.set_len(before);
    })
}

/// Lines on their way.
pub(crate) struct Queue {
    /// `None` at the end only.
    lines: Option<SyncSender<Vec<u8>>>,
    lost: Arc<AtomicU64>,
    /// Closed when the thread has ended.
    ended: Mutex<Receiver<()>>,
}

impl Queue {
    /// `None` if the system has no thread left.
    pub(crate) fn start(name: &str, sink: Sink) -> Option<Queue> {
        let (lines, queued) = sync_channel::<Vec<u8>>(LINES);
        let (ending, ended) = channel::<()>();
        let lost = Arc::new(AtomicU64::new(0));
        let losing = Arc::clone(&lost);
        let write = move || {
            let _ending = ending;
            let mut was_written = true;
            while let Ok(first) = queued.recv() {
                let mut next = Some(first);
                while let Some(mut batch) = next {
                    let mut lines = 1;
                    while sink.is_stream()
                        && batch.len() < BATCH
                        && let Ok(line) = queued.try_recv()
                    {
                        batch.extend_from_slice(&line);
                        lines += 1;
                    }
                    was_written = sink.insist(&batch, was_written);
                    if !was_written {
                        losing.fetch_add(lines, Ordering::Relaxed);
                    }
                    next = queued.try_recv().ok();
                }
                thread::sleep(REST);
            }
        };
        thread::Builder::new().name(name.into()).spawn(write).ok()?;
        Some(Queue { lines: Some(lines), lost, ended: Mutex::new(ended) })
    }

    /// Takes a line, if there is room.
    pub(crate) fn push(&self, line: Vec<u8>) -> bool {
        let is_taken = self.lines.as_ref().is_some_and(|lines| lines.try_send(line).is_ok());
        if !is_taken {
            self.lose(1);
        }
        is_taken
    }

    /// How many lines were lost since this was asked last.
    pub(crate) fn take_lost(&self) -> u64 {
        // Mostly none: a load is cheaper than a swap.
        match self.lost.load(Ordering::Relaxed) {
            0 => 0,
            _ => self.lost.swap(0, Ordering::Relaxed),
        }
    }

    pub(crate) fn lose(&self, lines: u64) {
        self.lost.fetch_add(lines, Ordering::Relaxed);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.lines = None;
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let _late = ended.recv_timeout(FAREWELL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(socket: &UnixDatagram) -> String {
        let mut octets = [0; 64];
        let length = socket.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_syslogd_that_starts_again_gets_what_was_said_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        let listener = UnixDatagram::bind(&path).unwrap();
        let queue = Queue::start("log", Sink::socket(path.clone())).unwrap();
        assert!(queue.push(b"one".to_vec()));
        assert_eq!(receive(&listener), "one");
        drop(listener);
        std::fs::remove_file(&path).unwrap();
        assert!(queue.push(b"two".to_vec()) && queue.push(b"three".to_vec()));
        let listener = UnixDatagram::bind(&path).unwrap();
        assert_eq!((receive(&listener), receive(&listener)), ("two".into(), "three".into()));
        assert_eq!(queue.take_lost(), 0);
    }

    #[test]
    fn nobody_waits_for_the_log() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("log");
        // It listens and never reads.
        let _listener = UnixDatagram::bind(&path).unwrap();
        let queue = Queue::start("log", Sink::socket(path)).unwrap();
        let taken = (0..100_000).filter(|_| queue.push(vec![b'x'; 100])).count();
        assert!(taken < 100_000);
        assert!(queue.take_lost() > 0);
        assert_eq!(queue.take_lost(), 0);
    }

    #[test]
    fn a_file_is_appended_to_and_may_be_moved() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("history");
        append(&path, b"one\n").unwrap();
        append(&path, b"two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        std::fs::rename(&path, home.path().join("old")).unwrap();
        append(&path, b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        assert!(append(home.path(), b"x").is_err());
    }
}
