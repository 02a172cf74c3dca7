//! A daemon to talk to, and an MTA that does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    unreachable_pub,
    reason = "tests, not all of which use all of it"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mailproof_milter::{
    Answer, Client, Connection, Decoder, Envelope, HeaderField, Limits, MacroPacket, Modification,
    Packet, Peer, Reply,
};
use tempfile::TempDir;

/// The key that is printed in RFC 8463 A.2, published at `brisbane._domainkey.example.com`.
const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";

pub const ZONE: &str = r#"
brisbane._domainkey.example.com. TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
example.com.          TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.example.com.   TXT "v=DMARC1; p=reject"
down.example.         SERVFAIL
_dmarc.down.example.  SERVFAIL
down._domainkey.example.com. SERVFAIL
out.example.com.      TXT "v=spf1 -all"
soft.example.         TXT "v=spf1 ~all"
broken.example.       TXT "v=spf1 nonsense"
_dmarc.quarantine.example. TXT "v=DMARC1; p=quarantine"
"#;

pub const SIGN: &str = "[[sign.key]]\ndomains = [\"example.com\"]\nselector = \"brisbane\"\n";
pub const REJECT: &str = "[policy.dmarc]\nreject = \"reject\"\n";

pub struct Daemon {
    pub child: Child,
    pub home: TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    pub fn start(more: &str) -> Daemon {
        Daemon::start_with(more, &["--zone"])
    }

    /// Without `--zone`, the name servers of the configuration are asked.
    pub fn start_with(more: &str, zone: &[&str]) -> Daemon {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("zone"), ZONE).unwrap();
        let key = home.path().join("key");
        fs::write(&key, SEED).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        configure(&home, more);
        let log = fs::File::create(home.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_mailproofd"))
            .arg("run")
            .arg("--config")
            .arg(home.path().join("mailproofd.toml"))
            .args(zone)
            .args(zone.iter().map(|_| home.path().join("zone")))
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Daemon { child, home };
        daemon.wait_for("there", || UnixStream::connect(daemon.socket()).is_ok());
        daemon
    }

    pub fn socket(&self) -> PathBuf {
        self.home.path().join("milter.sock")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap()
    }

    pub fn wait_for(&self, what: &str, is: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !is() {
            assert!(Instant::now() < end, "not {what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Until the log has this so often; its thread is behind by a moment.
    pub fn wait_log(&self, text: &str, times: usize) {
        self.wait_for(text, || self.log().matches(text).count() == times);
    }

    pub fn signal(&self, name: &str) {
        let number = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &number]).status().unwrap().success());
    }

    pub fn client(&self, ip: &str) -> Mta {
        let stream = UnixStream::connect(self.socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let decoder = Decoder::new(&Limits::default());
        let mut mta = Mta { stream, client: Client::new(), decoder };
        mta.say(&Packet::Negotiate(mta.client.offer()));
        mta.say(&Packet::Macros(MacroPacket { command: b'C', data: b"j\0mx.example.net\0" }));
        let peer = Peer::Inet(format!("{ip}:25").parse().unwrap());
        mta.say(&Packet::Connect(Connection { host: b"unknown", peer }));
        mta.say(&Packet::Helo(b"out.example.com"));
        mta
    }
}

/// Where the first line of a table begins.
fn first_table(text: &str) -> usize {
    if text.starts_with('[') { 0 } else { text.find("\n[").unwrap_or(text.len()) }
}

pub fn configure(home: &TempDir, more: &str) {
    let path = |name: &str| home.path().join(name).display().to_string();
    let mut more = more.to_owned();
    more = more.replace("selector", &format!("file = {:?}\nselector", path("key")));
    let (head, tables) = more.split_at(first_table(&more));
    let socket = path("milter.sock");
    let log = if tables.contains("[log]") { "" } else { "[log]\nto = \"stderr\"\n" };
    let text = format!("{head}\n[[listener]]\nsocket = \"local:{socket}\"\n{tables}\n{log}");
    fs::write(home.path().join("mailproofd.toml"), text).unwrap();
}

pub struct Mta {
    stream: UnixStream,
    pub client: Client,
    decoder: Decoder,
}

/// What a filter did, in words: `insert 0 Name: value`, `delete 2 Name`, and so on; and its reply.
pub type Heard = (Vec<String>, Option<Reply>);

impl Mta {
    pub fn say(&mut self, packet: &Packet<'_>) -> Heard {
        let mut out = Vec::new();
        let asks = self.client.send(packet, &mut out);
        self.stream.write_all(&out).unwrap();
        let mut done = Vec::new();
        if !asks {
            return (done, None);
        }
        loop {
            while let Some(frame) = self.decoder.frame().unwrap() {
                match self.client.receive(frame).unwrap() {
                    Answer::Reply(reply) => return (done, Some(reply)),
                    Answer::Negotiate(..) => return (done, None),
                    Answer::Modify(change) => done.push(words(&change)),
                    _ => {}
                }
            }
            let octets = self.stream.read(self.decoder.space()).unwrap();
            assert!(octets > 0, "the daemon has closed the connection");
            self.decoder.filled(octets);
        }
    }

    pub fn message(
        &mut self,
        from: &str,
        fields: &[(&str, &str)],
        body: &[&[u8]],
    ) -> (Vec<String>, Reply) {
        self.mail(from);
        self.header(fields);
        self.end(body)
    }

    pub fn mail(&mut self, from: &str) {
        let envelope = |path| Envelope { path, args: b"" };
        self.say(&Packet::MailFrom(envelope(from.as_bytes())));
        self.say(&Packet::RcptTo(envelope(b"<user@example.net>")));
    }

    pub fn header(&mut self, fields: &[(&str, &str)]) {
        for (name, value) in fields {
            let (name, value) = (name.as_bytes(), value.as_bytes());
            self.say(&Packet::Header(HeaderField { name, value }));
        }
        self.say(&Packet::EndOfHeaders);
    }

    pub fn end(&mut self, body: &[&[u8]]) -> (Vec<String>, Reply) {
        for chunk in body {
            self.say(&Packet::Body(chunk));
        }
        self.say(&Packet::Macros(MacroPacket { command: b'E', data: b"i\x004QID\0" }));
        let (done, reply) = self.say(&Packet::EndOfBody(b""));
        (done, reply.unwrap())
    }
}

pub fn words(change: &Modification<'_>) -> String {
    let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
    match change {
        Modification::InsertHeader { index, name, value } => {
            format!("insert {index} {}:{}", text(name), text(value))
        }
        Modification::ChangeHeader { index, name, value: b"" } => {
            format!("delete {index} {}", text(name))
        }
        Modification::Quarantine { reason } => format!("quarantine {}", text(reason)),
        other => panic!("{other:?}"),
    }
}

pub const PLAIN: [(&str, &str); 3] = [
    ("From", " Joe <joe@example.com>"),
    ("Date", " Thu, 1 Jan 2026 00:00:00 +0000"),
    ("Subject", " a\n\tfolded one"),
];

pub fn results(done: &[String]) -> &str {
    done.iter()
        .find(|it| it.starts_with("insert 0 Authentication-Results: mx.example.net;"))
        .unwrap()
}
