//! `mailproofd run` in a directory of its own, for the tests of its doors.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const ZONE: &str = r#"
pass.example.   TXT "v=spf1 ip4:192.0.2.1 -all"
fail.example.   TXT "v=spf1 -all"
soft.example.   TXT "v=spf1 ~all"
broken.example. TXT "v=spf1 foo:bar"
down.example.   SERVFAIL
"#;

const LOG: &str = "[log]\nto = \"stderr\"\n";

pub(crate) struct Daemon {
    pub(crate) child: Child,
    pub(crate) home: TempDir,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with a command, a configuration and a zone; `@` in the configuration is its home.
pub(crate) fn command(home: &TempDir, name: &str, config: &str) -> Command {
    fs::write(home.path().join("zone"), ZONE).unwrap();
    configure(home, config);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailproofd"));
    let config = home.path().join("mailproofd.toml");
    command.arg(name).arg("--config").arg(config).arg("--zone").arg(home.path().join("zone"));
    command
}

pub(crate) fn configure(home: &TempDir, config: &str) {
    let log = if config.is_empty() || config.contains("[log]") { "" } else { LOG };
    let config = format!("{config}{log}").replace("@/", &format!("{}/", home.path().display()));
    fs::write(home.path().join("mailproofd.toml"), config).unwrap();
}

impl Daemon {
    /// Started, and it says so.
    pub(crate) fn start(config: &str) -> Daemon {
        Daemon::start_as(config, |_| {})
    }

    pub(crate) fn start_as(config: &str, change: impl FnOnce(&mut Command)) -> Daemon {
        let home = tempfile::tempdir().unwrap();
        let log = fs::File::create(home.path().join("log")).unwrap();
        let mut command = command(&home, "run", config);
        command.stderr(log).stdout(Stdio::null());
        change(&mut command);
        let child = command.spawn().unwrap();
        let daemon = Daemon { child, home };
        daemon.wait_for("started", |daemon| daemon.log().contains("started"));
        daemon
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    pub(crate) fn wait_for(&self, what: &str, is: impl Fn(&Daemon) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !is(self) {
            assert!(Instant::now() < end, "not {what}: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Until the log has this so often; its thread is behind by a moment.
    pub(crate) fn told(&self, text: &str, times: usize) {
        self.wait_for(text, |daemon| daemon.log().matches(text).count() == times);
    }

    pub(crate) fn signal(&self, name: &str) {
        let number = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &number]).status().unwrap().success());
    }

    pub(crate) fn connect(&self, name: &str) -> UnixStream {
        patient(UnixStream::connect(self.path(name)).unwrap())
    }
}

pub(crate) fn patient(stream: UnixStream) -> UnixStream {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// A request of the policy protocol as Postfix 3.7 sends it.
pub(crate) fn request(ip: &str, helo: &str, sender: &str, instance: &str) -> String {
    format!(
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n\
         client_address={ip}\nclient_name=unknown\nclient_port=49152\n\
         reverse_client_name=unknown\nserver_address=198.51.100.25\nserver_port=25\n\
         helo_name={helo}\nsender={sender}\nrecipient=user@example.net\nrecipient_count=0\n\
         queue_id=\ninstance={instance}\nsize=1000\netrn_domain=\nstress=\nsasl_method=\n\
         sasl_username=\nsasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\n\
         ccert_pubkey_fingerprint=\nencryption_protocol=\nencryption_cipher=\n\
         encryption_keysize=0\npolicy_context=\n\n"
    )
}

/// The next reply.
pub(crate) fn reply(from: &mut impl Read) -> String {
    let (mut text, mut octet) = (String::new(), [0]);
    while !text.ends_with("\n\n") {
        assert_eq!(from.read(&mut octet).unwrap(), 1, "closed after {text:?}");
        text.push(char::from(octet[0]));
    }
    text.strip_prefix("action=").unwrap().trim_end().to_owned()
}

pub(crate) fn ask(stream: &mut (impl Read + Write), request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    reply(stream)
}

/// Whether the peer closes without a word.
pub(crate) fn is_closed(stream: &mut impl Read) -> bool {
    !matches!(stream.read(&mut [0; 64]), Ok(1..))
}

/// The lines of a stream.
pub(crate) fn lines(stream: impl Read) -> Vec<String> {
    BufReader::new(stream).lines().map_while(Result::ok).collect()
}
