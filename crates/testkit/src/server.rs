//! A small DNS server on loopback that answers from a [`Zone`]: for tests of what really sends
//! queries, and for measuring how it copes with slow answers.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mailproof_dns::{Question, Zone};

use crate::wire::{self, Query};

/// How the server behaves.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// How long every answer takes; answers do not wait for each other.
    pub delay: Duration,
    /// Answer every query with this RCODE (RFC 1035 4.1.1) and nothing else.
    pub rcode: Option<u8>,
    /// Set AD in the answers to queries that have AD (RFC 6840 5.7).
    pub authenticated: bool,
    /// Follow aliases as a recursive resolver does; else answer with the first alias only.
    pub follow_aliases: bool,
    /// Put an SOA record into negative answers, so that they can be cached (RFC 2308 5).
    pub soa: bool,
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour {
            delay: Duration::ZERO,
            rcode: None,
            authenticated: false,
            follow_aliases: true,
            soa: true,
        }
    }
}

/// A DNS server (RFC 1035 4.2, UDP and TCP on one port of loopback) that runs until dropped.
///
/// A line `name TIMEOUT` of the zone means no answer, `name SERVFAIL` that RCODE. A UDP answer
/// that is longer than the client takes is cut and has TC set.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    zone: Zone,
    behaviour: Behaviour,
    asked: Mutex<Vec<(Transport, Question)>>,
    stopped: AtomicBool,
}

/// How a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// RFC 1035 4.2.1.
    Udp,
    /// RFC 1035 4.2.2.
    Tcp,
}

impl Server {
    /// Starts a server of this zone.
    ///
    /// # Errors
    /// No port on loopback is free.
    pub fn start(zone: Zone) -> io::Result<Server> {
        Server::start_with(zone, Behaviour::default())
    }

    /// As [`Server::start`], with the behaviour named.
    ///
    /// # Errors
    /// No port on loopback is free.
    pub fn start_with(zone: Zone, behaviour: Behaviour) -> io::Result<Server> {
        Server::start_at((Ipv4Addr::LOCALHOST, 0).into(), zone, behaviour)
    }

    /// As [`Server::start_with`], at this address: programs that take no port ask at port 53.
    ///
    /// # Errors
    /// The address is not free, or not for everybody.
    pub fn start_at(address: SocketAddr, zone: Zone, behaviour: Behaviour) -> io::Result<Server> {
        let (udp, tcp) = bind(address)?;
        let address = udp.local_addr()?;
        let asked = Mutex::default();
        let state = Arc::new(State { zone, behaviour, asked, stopped: AtomicBool::new(false) });
        let (udp_state, tcp_state) = (Arc::clone(&state), Arc::clone(&state));
        let threads = vec![
            thread::spawn(move || serve_udp(udp, &udp_state)),
            thread::spawn(move || serve_tcp(&tcp, &tcp_state)),
        ];
        Ok(Server { address, state, threads })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many queries have come, those left without an answer included.
    pub fn queries(&self) -> usize {
        self.asked().len()
    }

    /// The questions that have come, in order, and how.
    pub fn asked(&self) -> Vec<(Transport, Question)> {
        self.state.asked.lock().map(|asked| asked.clone()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        // Both threads wait for input: give them some. A thread that is already gone needs none.
        let _ = TcpStream::connect(self.address);
        let _ = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.send_to(&[], self.address));
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A UDP and a TCP socket on the same port.
fn bind(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..20 {
        let tcp = TcpListener::bind(address)?;
        match UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn serve_udp(socket: UdpSocket, state: &Arc<State>) {
    let socket = Arc::new(socket);
    let mut buffer = [0; 4096];
    while let Ok((length, client)) = socket.recv_from(&mut buffer) {
        if state.stopped.load(Ordering::Relaxed) {
            return;
        }
        let query = buffer.get(..length).unwrap_or_default();
        let Some((query, answer)) = state.answer(query, Transport::Udp) else {
            continue;
        };
        let answer = if answer.len() > query.payload { query.truncated() } else { answer };
        let socket = Arc::clone(&socket);
        // A client that has gone away is none of the server's business.
        state.send(move || drop(socket.send_to(&answer, client)));
    }
}

fn serve_tcp(listener: &TcpListener, state: &Arc<State>) {
    while let Ok((stream, _)) = listener.accept() {
        if state.stopped.load(Ordering::Relaxed) {
            return;
        }
        let state = Arc::clone(state);
        thread::spawn(move || serve_stream(stream, &state));
    }
}

/// RFC 1035 4.2.2: "The message is prefixed with a two byte length field".
fn serve_stream(mut stream: TcpStream, state: &State) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut query).is_err() || state.stopped.load(Ordering::Relaxed) {
            return;
        }
        let Some((_, answer)) = state.answer(&query, Transport::Tcp) else {
            continue;
        };
        let Ok(length) = u16::try_from(answer.len()) else {
            return;
        };
        let message = [&length.to_be_bytes()[..], &answer].concat();
        thread::sleep(state.behaviour.delay);
        if stream.write_all(&message).is_err() {
            return;
        }
    }
}

impl State {
    /// The query and the answer to it; `None` where there is to be none.
    fn answer(&self, query: &[u8], transport: Transport) -> Option<(Query, Vec<u8>)> {
        let query = Query::read(query)?;
        if let (Some(question), Ok(mut asked)) = (&query.question, self.asked.lock()) {
            asked.push((transport, question.clone()));
        }
        let answer = wire::answer(&query, &self.zone, &self.behaviour)?;
        Some((query, answer))
    }

    fn send(&self, send: impl FnOnce() + Send + 'static) {
        let delay = self.behaviour.delay;
        if delay.is_zero() {
            return send();
        }
        thread::spawn(move || {
            thread::sleep(delay);
            send();
        });
    }
}
