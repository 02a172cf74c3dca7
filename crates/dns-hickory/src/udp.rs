//! Questions over UDP, many on one socket.
//!
//! hickory-resolver opens a socket and starts a task for each query, ten times what the query
//! itself costs. Here a socket serves a few dozen questions, and then another one, with another
//! port, takes its place.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mailproof_dns::{MessageErrorKind, Question, Reply};
use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// How many questions a socket sends, and for how long. Local choices: RFC 5452 9.2 wants "an
/// unpredictable source port for outgoing queries from the range of available ports"; whoever
/// looks for an open port to forge answers to finds it closed when he has found it.
const QUESTIONS: usize = 64;
const LIFE: Duration = Duration::from_secs(1);
/// The longest datagram that is read whole; the queries ask for 1232 octets at most.
const DATAGRAM: usize = 4096;
/// Random octets are fetched from the system by so many.
const RANDOM: usize = 256;

/// A name server, asked over UDP.
#[derive(Debug)]
pub(crate) struct Udp {
    server: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The socket for the next question. Those before it live as long as somebody waits.
    socket: Option<Arc<Socket>>,
    /// Questions that it has sent.
    sent: usize,
    since: Instant,
    random: [u8; RANDOM],
    used: usize,
}

/// A socket and the task that reads from it.
#[derive(Debug)]
struct Socket {
    io: Arc<UdpSocket>,
    waiting: Arc<Waiting>,
    reader: AbortHandle,
}

/// Who waits for an answer, a few dozen at most; `None` when the socket is of no use.
type Waiting = Mutex<Option<Vec<Waiter>>>;

#[derive(Debug)]
struct Waiter {
    /// That of the query.
    id: u16,
    question: Question,
    reply: oneshot::Sender<Reply>,
}

/// A place among those who wait, given back when it is dropped before the reply.
struct Place<'a> {
    socket: &'a Socket,
    id: u16,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics with the lock held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Udp {
    pub(crate) fn new(server: SocketAddr) -> Udp {
        let state = State {
            socket: None,
            sent: 0,
            since: Instant::now(),
            random: [0; RANDOM],
            used: RANDOM,
        };
        Udp { server, state: Mutex::new(state) }
    }

    /// What the name server says. Waits for ever if it says nothing.
    pub(crate) async fn ask(&self, question: &Question) -> io::Result<Reply> {
        let (socket, id, reply) = self.send_with(question)?;
        let place = Place { socket: &socket, id };
        socket.io.send(&question.to_message(id)).await?;
        let reply = reply.await;
        // Whoever has the reply has left the place already.
        std::mem::forget(place);
        reply.map_err(|_closed| io::ErrorKind::ConnectionReset.into())
    }

    /// The socket for the next question, and a place there.
    fn send_with(
        &self,
        question: &Question,
    ) -> io::Result<(Arc<Socket>, u16, oneshot::Receiver<Reply>)> {
        let mut state = lock(&self.state);
        let is_worn = state.sent >= QUESTIONS || state.since.elapsed() >= LIFE;
        if let Some(socket) = state.socket.take().filter(|_| !is_worn)
            && let Some((id, reply)) = state.place(&socket, question)?
        {
            state.socket = Some(Arc::clone(&socket));
            return Ok((socket, id, reply));
        }
        let socket = Arc::new(Socket::open(self.server)?);
        (state.sent, state.since) = (0, Instant::now());
        let Some((id, reply)) = state.place(&socket, question)? else {
            return Err(io::ErrorKind::ConnectionReset.into());
        };
        state.socket = Some(Arc::clone(&socket));
        Ok((socket, id, reply))
    }
}

impl State {
    /// An id that no question on this socket has; `None` if the socket is of no use.
    fn place(
        &mut self,
        socket: &Socket,
        question: &Question,
    ) -> io::Result<Option<(u16, oneshot::Receiver<Reply>)>> {
        loop {
            // Fetched without the lock that the reader needs.
            let id = self.random()?;
            let mut waiting = lock(&socket.waiting);
            let Some(waiting) = waiting.as_mut() else { return Ok(None) };
            if waiting.iter().all(|waiter| waiter.id != id) {
                let (sender, reply) = oneshot::channel();
                waiting.push(Waiter { id, question: question.clone(), reply: sender });
                self.sent += 1;
                return Ok(Some((id, reply)));
            }
        }
    }

    /// RFC 5452 9.2: "an unpredictable query ID for outgoing queries, utilizing the full range
    /// available (0-65535)".
    fn random(&mut self) -> io::Result<u16> {
        loop {
            if let Some(octets) = self.random.get(self.used..).and_then(<[u8]>::first_chunk) {
                self.used += octets.len();
                return Ok(u16::from_be_bytes(*octets));
            }
            getrandom::fill(&mut self.random).map_err(io::Error::from)?;
            self.used = 0;
        }
    }
}

impl Socket {
    /// A socket with a port that the system chooses at random (RFC 6056), connected, so that
    /// nobody but the server is heard.
    fn open(server: SocketAddr) -> io::Result<Socket> {
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = std::net::UdpSocket::bind(any)?;
        socket.connect(server)?;
        socket.set_nonblocking(true)?;
        let io = Arc::new(UdpSocket::from_std(socket)?);
        let waiting = Arc::new(Mutex::new(Some(Vec::with_capacity(QUESTIONS))));
        let reader = tokio::spawn(read(Arc::clone(&io), Arc::clone(&waiting))).abort_handle();
        Ok(Socket { io, waiting, reader })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = lock(&self.socket.waiting).as_mut() {
            waiting.retain(|waiter| waiter.id != self.id);
        }
    }
}

/// Gives every datagram to whom it answers, until the socket fails.
async fn read(io: Arc<UdpSocket>, waiting: Arc<Waiting>) {
    let mut datagram = vec![0; DATAGRAM];
    // An error is that of all: ICMP says that nobody is there, or the way is closed.
    while let Ok(length) = io.recv(&mut datagram).await {
        deliver(&waiting, datagram.get(..length).unwrap_or_default());
    }
    // Whoever waits hears of it by the end of his channel.
    *lock(&waiting) = None;
}

fn deliver(waiting: &Waiting, message: &[u8]) {
    let mut waiting = lock(waiting);
    let (Some(waiting), Some(id)) = (waiting.as_mut(), message.first_chunk()) else { return };
    let id = u16::from_be_bytes(*id);
    let Some(at) = waiting.iter().position(|waiter| waiter.id == id) else { return };
    let Some(waiter) = waiting.get(at) else { return };
    let reply = match Reply::read(message, id, &waiter.question) {
        Ok(reply) => reply,
        // RFC 5452 9.1: what does not match is no answer; the true one may yet come.
        Err(error) if error.kind == MessageErrorKind::Foreign => return,
        // Another way of asking may bring what can be read.
        Err(_) => Reply::Inconclusive,
    };
    // Nobody waits any more: nothing is lost.
    let _ = waiting.swap_remove(at).reply.send(reply);
}
