//! The daemons, each started here with a configuration of its own.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mailproof_benches::dkim::{DOMAIN, KEY_NAME, SELECTOR};

use crate::mail::MTA;

/// Where the name server is: the older daemons know no port but 53.
pub(crate) const NAME_SERVER: &str = "127.0.0.153";

/// A directory that is removed at the end, with what the daemons need.
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new() -> Home {
        let path = std::env::temp_dir().join(format!("milter-load-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        let home = Home(path);
        home.write("resolv.conf", &format!("nameserver {NAME_SERVER}\n"));
        let key = home.write("key.pem", include_str!("../../../../testdata/keys/rsa-2048.pem"));
        fs::set_permissions(key, Permissions::from_mode(0o600)).expect("it is ours");
        home
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("it can be written");
        path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// A daemon that runs until dropped.
pub(crate) struct Daemon {
    pub(crate) socket: PathBuf,
    log: PathBuf,
    child: Child,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it has ended, if it has.
    pub(crate) fn end(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        Some(format!("it has ended, {status}"))
    }

    /// How many lines it has logged.
    pub(crate) fn log_lines(&self) -> usize {
        fs::read(&self.log).unwrap_or_default().iter().filter(|it| **it == b'\n').count()
    }

    /// Ours, with the default configuration and these lines.
    pub(crate) fn mailproofd(
        home: &Home,
        name: &str,
        program: &Path,
        more: &str,
    ) -> Result<Daemon, String> {
        let socket = home.path(&format!("{name}.sock"));
        let file = home.write(
            &format!("{name}.toml"),
            &format!(
                "[[listener]]\nsocket = \"local:{}\"\n\
                 [log]\nto = \"stderr\"\n\
                 [dns]\nname-servers = [\"{NAME_SERVER}\"]\ntimeout = 1\nmessage-timeout = 3\n\
                 [[sign.key]]\ndomains = [\"{DOMAIN}\"]\nselector = \"{SELECTOR}\"\nfile = \"{}\"\n\
                 {more}",
                socket.display(),
                home.path("key.pem").display(),
            ),
        );
        if !program.is_file() {
            return Err(format!("{} is not built", program.display()));
        }
        let arguments = [OsStr::new("run"), OsStr::new("--config"), file.as_os_str()];
        Daemon::start(home, name, Command::new(program).args(arguments), socket)
    }

    /// OpenDKIM as Debian has it. It takes the key from a file, since its libunbound asks no name
    /// server on loopback unless a file tells it to, which ends it (exit status 2) when two
    /// connections read it at a time.
    pub(crate) fn opendkim(
        home: &Home,
        name: &str,
        mode: &str,
        record: &str,
    ) -> Result<Daemon, String> {
        let socket = home.path(&format!("{name}.sock"));
        let keys = home.write("keys", &format!("{KEY_NAME} {record}\n"));
        let file = home.write(
            &format!("{name}.conf"),
            &format!(
                "Syslog no\nMode {mode}\nDomain {DOMAIN}\nSelector {SELECTOR}\nKeyFile {}\n\
                 RequireSafeKeys no\nCanonicalization relaxed/relaxed\nAuthservID {MTA}\n\
                 AlwaysAddARHeader yes\nTestPublicKeys {}\n",
                home.path("key.pem").display(),
                keys.display(),
            ),
        );
        let program = installed("/usr/sbin/opendkim")?;
        let mut command = Command::new(program);
        command.args(["-f", "-x"]).arg(file).arg("-p").arg(format!("local:{}", socket.display()));
        Daemon::start(home, name, &mut command, socket)
    }

    /// OpenDMARC as Debian has it. It has no cache, and asks whom the system asks.
    pub(crate) fn opendmarc(home: &Home, name: &str) -> Result<Daemon, String> {
        let socket = home.path(&format!("{name}.sock"));
        let file = home.write(
            &format!("{name}.conf"),
            &format!(
                "Syslog false\nAuthservID {MTA}\nTrustedAuthservIDs {MTA}\nRejectFailures false\n"
            ),
        );
        let mut command = in_our_dns(home, installed("/usr/sbin/opendmarc")?);
        command.args(["-f", "-c"]).arg(file).arg("-p").arg(format!("local:{}", socket.display()));
        Daemon::start(home, name, &mut command, socket)
    }

    fn start(
        home: &Home,
        name: &str,
        command: &mut Command,
        socket: PathBuf,
    ) -> Result<Daemon, String> {
        let log = home.path(&format!("{name}.log"));
        let file = File::create(&log).map_err(|error| error.to_string())?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn();
        let child = child.map_err(|error| format!("{name} does not start: {error}"))?;
        let daemon = Daemon { socket, log, child };
        let end = Instant::now() + Duration::from_secs(20);
        while UnixStream::connect(&daemon.socket).is_err() {
            if Instant::now() > end {
                let log = fs::read_to_string(&daemon.log).unwrap_or_default();
                return Err(format!("{name} does not listen: {log}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(daemon)
    }
}

pub(crate) fn installed(path: &str) -> Result<&Path, String> {
    let path = Path::new(path);
    if path.exists() { Ok(path) } else { Err(format!("{} is not installed", path.display())) }
}

/// A program that asks our name server: it sees another `/etc/resolv.conf`, for which one must be
/// root.
pub(crate) fn in_our_dns(home: &Home, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    command.args(["--mount", "sh", "-c", script]).arg(home.path("resolv.conf")).arg(program);
    command
}
