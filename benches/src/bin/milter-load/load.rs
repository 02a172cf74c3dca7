//! The load: an MTA with many connections, on one thread.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mailproof_milter::{
    Answer, Client, Connection, Decoder, Envelope, HeaderField, Limits, MAX_CHUNK, MacroPacket,
    Packet, Peer, Reply,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::LocalSet;

use crate::mail::{End, MTA, Mail};
use crate::process;

/// Postfix sends what it has when a reply is awaited, or when there is this much (VSTREAM_BUFSIZE).
const BUFFER: usize = 4096;

/// A message that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// A load on one daemon.
pub(crate) struct Load<'a> {
    pub(crate) socket: &'a Path,
    /// The process whose time is taken.
    pub(crate) pid: u32,
    /// Sent in turn.
    pub(crate) mails: &'a [Mail],
    pub(crate) connections: usize,
    /// How many messages a connection carries.
    pub(crate) kept: usize,
    pub(crate) until: Until,
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time.
    Time(Duration),
    /// After this many messages.
    Messages(usize),
}

/// What a load has shown.
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures {
    pub(crate) messages: usize,
    pub(crate) seconds: f64,
    /// In microseconds, sorted: from the connection, or MAIL, to the reply.
    pub(crate) latencies: Vec<u32>,
    /// Seconds of processor time of the daemon, and of this program.
    pub(crate) daemon: f64,
    pub(crate) client: f64,
    /// What was wrong, or lost.
    pub(crate) wrong: Vec<String>,
}

impl Figures {
    pub(crate) fn rate(&self) -> f64 {
        self.messages as f64 / self.seconds
    }

    /// Microseconds of the daemon for each message.
    pub(crate) fn cost(&self) -> f64 {
        self.daemon / self.messages.max(1) as f64 * 1e6
    }

    /// The latency in milliseconds that this part of the messages does not exceed.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let at = (self.latencies.len().saturating_sub(1) as f64 * part).round() as usize;
        self.latencies.get(at).map_or(f64::NAN, |it| f64::from(*it) / 1e3)
    }
}

/// What the connections of one load share.
struct Shared {
    begun: Cell<usize>,
    figures: RefCell<Figures>,
    end: Option<Instant>,
    most: usize,
}

impl Shared {
    /// The number of the next message, if there is to be one.
    fn next(&self) -> Option<usize> {
        let number = self.begun.get();
        if number >= self.most || self.end.is_some_and(|end| Instant::now() >= end) {
            return None;
        }
        self.begun.set(number + 1);
        Some(number)
    }
}

impl Load<'_> {
    /// Runs it.
    pub(crate) fn run(&self) -> Figures {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(self.run_here())
    }

    /// Runs it beside whatever else the runtime has to do.
    pub(crate) async fn run_here(&self) -> Figures {
        let begin = Instant::now();
        let (end, most) = match self.until {
            Until::Time(time) => (Some(begin + time), usize::MAX),
            Until::Messages(most) => (None, most),
        };
        let shared =
            Rc::new(Shared { begun: Cell::new(0), figures: RefCell::default(), end, most });
        let (daemon, client) = (process::cpu(self.pid), on_processor());
        let tasks = LocalSet::new();
        for _ in 0..self.connections {
            let (shared, socket) = (Rc::clone(&shared), self.socket.to_owned());
            let (mails, kept) = (self.mails.to_vec(), self.kept);
            tasks.spawn_local(async move { connections(&shared, &socket, &mails, kept).await });
        }
        tasks.await;
        let mut figures = shared.figures.take();
        figures.seconds = begin.elapsed().as_secs_f64();
        figures.client = on_processor() - client;
        figures.daemon = process::cpu(self.pid) - daemon;
        figures.latencies.sort_unstable();
        figures
    }
}

/// Seconds of this thread on a processor.
pub(crate) fn on_processor() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// One connection after the other.
async fn connections(shared: &Shared, socket: &Path, mails: &[Mail], kept: usize) {
    let mut mta: Option<Mta> = None;
    let mut left = 0;
    while let Some(number) = shared.next() {
        let mail = &mails[number % mails.len()];
        let begin = Instant::now();
        let done = tokio::time::timeout(PATIENCE, async {
            if mta.as_ref().is_none_or(|mta| mta.client_of != mail.client) {
                if let Some(old) = mta.take() {
                    old.quit().await;
                }
                mta = Some(Mta::connect(socket, mail).await?);
                left = kept;
            }
            match &mut mta {
                Some(mta) => mta.deliver(mail, number).await,
                None => Ok(()),
            }
        });
        let outcome = done.await.unwrap_or_else(|_late| Err("lost: no reply".into()));
        let micros = begin.elapsed().as_micros().try_into().unwrap_or(u32::MAX);
        let is_good = outcome.is_ok();
        {
            let mut figures = shared.figures.borrow_mut();
            figures.messages += 1;
            figures.latencies.push(micros);
            figures.wrong.extend(outcome.err());
        }
        left -= 1;
        if left == 0 || !is_good || mail.end == End::Break {
            match mta.take() {
                Some(mta) if is_good && mail.end != End::Break => mta.quit().await,
                // It breaks off.
                gone => drop(gone),
            }
        }
    }
    if let Some(mta) = mta {
        mta.quit().await;
    }
}

/// A connection of an MTA with the daemon.
pub(crate) struct Mta {
    stream: UnixStream,
    client: Client,
    decoder: Decoder,
    out: Vec<u8>,
    /// All frames since the last message began.
    heard: Vec<u8>,
    client_of: std::net::SocketAddrV4,
}

impl Mta {
    /// Connects for the client of this message.
    pub(crate) async fn connect(socket: &Path, mail: &Mail) -> Result<Mta, String> {
        let stream = UnixStream::connect(socket).await.map_err(|error| format!("lost: {error}"))?;
        let mut mta = Mta {
            stream,
            client: Client::new(),
            decoder: Decoder::new(&Limits::default()),
            out: Vec::with_capacity(2 * BUFFER),
            heard: Vec::new(),
            client_of: mail.client,
        };
        mta.say(&Packet::Negotiate(mta.client.offer())).await?;
        let macros = format!(
            "j\0{MTA}\0{{daemon_name}}\0{MTA}\0{{daemon_addr}}\0127.0.0.1\0v\0Postfix 3.7.11\0\
             _\0mail.example.org [192.0.2.17]\0"
        );
        mta.say_macros(b'C', macros.as_bytes()).await?;
        let host = b"mail.example.org";
        let peer = Peer::Inet(mail.client);
        mta.say(&Packet::Connect(Connection { host, peer })).await?;
        mta.say(&Packet::Helo(b"mail.example.org")).await?;
        Ok(mta)
    }

    /// A message to its end, and whether what was heard is right.
    pub(crate) async fn deliver(&mut self, mail: &Mail, number: usize) -> Result<(), String> {
        self.heard.clear();
        self.say_macros(b'M', b"{mail_addr}\0alice@example.org\0{mail_host}\0example.org\0")
            .await?;
        let sender = Envelope { path: mail.sender, args: b"SIZE=2500\0" };
        let mut early = self.say(&Packet::MailFrom(sender)).await?;
        self.say_macros(b'R', b"{rcpt_addr}\0bob@example.net\0{rcpt_host}\0example.net\0").await?;
        let recipient = Envelope { path: b"<bob@example.net>", args: b"" };
        early = early.or(self.say(&Packet::RcptTo(recipient)).await?);
        let id = format!("i\x004{number:010X}\0");
        self.say_macros(b'T', id.as_bytes()).await?;
        early = early.or(self.say(&Packet::Data).await?);
        // Here smtpd(8) hands the connection over to cleanup(8).
        self.flush().await?;
        for (name, value) in &mail.fields {
            early = early.or(self.say(&Packet::Header(HeaderField { name, value })).await?);
        }
        self.say_macros(b'N', id.as_bytes()).await?;
        early = early.or(self.say(&Packet::EndOfHeaders).await?);
        for chunk in mail.body.chunks(MAX_CHUNK) {
            if early.is_none() {
                early = early.or(self.say(&Packet::Body(chunk)).await?);
            }
        }
        match mail.end {
            End::Reply => {}
            End::Abort => {
                self.say(&Packet::Abort).await?;
                return self.flush().await;
            }
            End::Break => return self.flush().await,
        }
        if early.is_none() {
            self.say_macros(b'E', id.as_bytes()).await?;
            early = self.say(&Packet::EndOfBody(b"")).await?;
        }
        let reply = early.ok_or("nothing was asked")?;
        self.say(&Packet::Abort).await?;
        mail.expected.check(&self.heard, reply)
    }

    async fn quit(mut self) {
        let _sent = self.say(&Packet::Quit).await;
        let _sent = self.flush().await;
    }

    async fn say_macros(&mut self, command: u8, data: &[u8]) -> Result<(), String> {
        self.say(&Packet::Macros(MacroPacket { command, data })).await.map(drop)
    }

    /// Says this. The command of the reply, unless it is to go on.
    async fn say(&mut self, packet: &Packet<'_>) -> Result<Option<u8>, String> {
        if self.client.send(packet, &mut self.out) {
            self.flush().await?;
            return self.hear().await;
        }
        if self.out.len() >= BUFFER {
            self.flush().await?;
        }
        Ok(None)
    }

    async fn flush(&mut self) -> Result<(), String> {
        if !self.out.is_empty() {
            let sent = self.stream.write_all(&self.out).await;
            sent.map_err(|error| format!("lost: {error}"))?;
            self.out.clear();
        }
        Ok(())
    }

    async fn hear(&mut self) -> Result<Option<u8>, String> {
        loop {
            while let Some(frame) = self.decoder.frame().map_err(|error| error.to_string())? {
                let answer = self.client.receive(frame).map_err(|error| error.to_string())?;
                match answer {
                    Answer::Negotiate(..) => return Ok(None),
                    Answer::Reply(Reply::Continue | Reply::Skip) => return Ok(None),
                    _ => {}
                }
                frame.encode(&mut self.heard);
                if let Answer::Reply(_) = answer {
                    return Ok(Some(frame.command));
                }
            }
            let read = self.stream.read(self.decoder.space()).await;
            match read.map_err(|error| format!("lost: {error}"))? {
                0 => return Err("lost: the daemon has closed the connection".into()),
                octets => self.decoder.filled(octets),
            }
        }
    }
}
