//! The sockets that Postfix connects to.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use nix::sys::stat::{Mode, umask};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::run::RunError;
use crate::run::privileges::Ids;
use crate::settings::{Listener, Role};
use crate::value::{Endpoint, Family, Host};

/// All sockets, open.
pub(crate) struct Sockets {
    pub(crate) list: Vec<Socket>,
    /// Those in the file system, to be removed at the end.
    pub(crate) paths: Vec<PathBuf>,
    /// The sockets of systemd that no listener takes.
    pub(crate) unused: Vec<String>,
}

/// An open socket.
pub(crate) struct Socket {
    pub(crate) roles: Vec<Role>,
    kind: Kind,
}

enum Kind {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// A socket that takes connections.
pub(crate) enum Accepting {
    Unix(tokio::net::UnixListener),
    Tcp(tokio::net::TcpListener),
}

/// A connection, of whatever kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Socket {
    /// Takes connections from now on, within a runtime.
    pub(crate) fn accepting(&self) -> io::Result<Accepting> {
        Ok(match &self.kind {
            Kind::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Accepting::Unix(tokio::net::UnixListener::from_std(listener.try_clone()?)?)
            }
            Kind::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Accepting::Tcp(tokio::net::TcpListener::from_std(listener.try_clone()?)?)
            }
        })
    }
}

impl Accepting {
    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Accepting::Unix(listener) => Box::new(listener.accept().await?.0),
            Accepting::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }
}

/// What systemd hands over (`sd_listen_fds`), by name.
#[derive(Default)]
struct Handed(Vec<(String, Kind)>);

impl Handed {
    fn from_environment() -> Handed {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':').map(str::to_owned);
        let mut sockets = ListenFd::from_env();
        let mut handed = Vec::new();
        for index in 0..sockets.len() {
            let name = names.next().unwrap_or_default();
            if let Ok(Some(listener)) = sockets.take_unix_listener(index) {
                handed.push((name, Kind::Unix(listener)));
            } else if let Ok(Some(listener)) = sockets.take_tcp_listener(index) {
                handed.push((name, Kind::Tcp(listener)));
            }
        }
        Handed(handed)
    }

    /// Those of a name, or all that are left.
    fn take(&mut self, name: Option<&str>) -> Vec<Kind> {
        let all = std::mem::take(&mut self.0);
        let is_asked = |it: &(String, Kind)| name.is_none_or(|name| it.0 == name);
        let (taken, left) = all.into_iter().partition(is_asked);
        self.0 = left;
        taken.into_iter().map(|(_, kind)| kind).collect()
    }
}

impl Sockets {
    /// Opens all; `user` is who owns those in the file system where nobody else is named.
    pub(crate) fn open(listeners: &[Listener], user: Option<Ids>) -> Result<Sockets, RunError> {
        let mut sockets = Sockets { list: Vec::new(), paths: Vec::new(), unused: Vec::new() };
        let mut handed = Handed::from_environment();
        // What has a name is not for who takes the rest.
        let rest = |listener: &&Listener| listener.socket == Endpoint::Systemd(None);
        let (last, first): (Vec<_>, Vec<_>) = listeners.iter().partition(rest);
        for listener in first.into_iter().chain(last) {
            let kinds = open(listener, user, &mut handed).map_err(|error| RunError::Socket {
                socket: listener.socket.to_string(),
                reason: explain(&error, &listener.socket),
            })?;
            for kind in kinds {
                sockets.list.push(Socket { roles: listener.roles.clone(), kind });
            }
            if let Endpoint::Local(path) = &listener.socket {
                sockets.paths.push(path.clone());
            }
        }
        sockets.unused = handed.0.into_iter().map(|(name, _)| name).collect();
        Ok(sockets)
    }
}

fn open(listener: &Listener, user: Option<Ids>, handed: &mut Handed) -> io::Result<Vec<Kind>> {
    let kind = match &listener.socket {
        Endpoint::Local(path) => {
            let owner = match &listener.owner {
                Some(account) => Some(Ids::of(account).map_err(io::Error::other)?),
                None => user,
            };
            remove_stale(path)?;
            // Nobody connects before owner and mode are as they should be.
            let mask = umask(Mode::from_bits_truncate(0o177));
            let socket = UnixListener::bind(path);
            umask(mask);
            let socket = socket?;
            if let Some(Ids { user, group }) = owner {
                chown(path, Some(user.as_raw()), Some(group.as_raw()))?;
            }
            fs::set_permissions(path, fs::Permissions::from_mode(listener.mode.0))?;
            Kind::Unix(socket)
        }
        Endpoint::Inet { family, port, host } => {
            Kind::Tcp(TcpListener::bind(&*addresses(*family, *port, host.as_ref())?)?)
        }
        Endpoint::Systemd(name) => {
            let kinds = handed.take(name.as_deref());
            if kinds.is_empty() {
                return Err(io::Error::other(
                    "systemd hands over no such socket (Sockets= of the service, and \
                     FileDescriptorName= of the socket)",
                ));
            }
            return Ok(kinds);
        }
    };
    Ok(vec![kind])
}

/// The addresses of a port, one of which is taken.
fn addresses(family: Family, port: u16, host: Option<&Host>) -> io::Result<Vec<SocketAddr>> {
    let any: IpAddr = match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    };
    match host {
        None => Ok(vec![(any, port).into()]),
        Some(Host::Address(address)) => Ok(vec![(*address, port).into()]),
        Some(Host::Name(name)) => {
            let all: Vec<SocketAddr> = (name.as_str(), port).to_socket_addrs()?.collect();
            let is_asked = |address: &&SocketAddr| address.is_ipv4() == any.is_ipv4();
            Ok(all.iter().filter(is_asked).copied().collect())
        }
    }
}

/// What is wrong, for people.
fn explain(error: &io::Error, socket: &Endpoint) -> String {
    let directory = match socket {
        Endpoint::Local(path) => path.parent().map(Path::display),
        _ => None,
    };
    match (error.kind(), directory) {
        (io::ErrorKind::NotFound, Some(directory)) => {
            format!("there is no directory {directory}; make it, for the user of the daemon")
        }
        (io::ErrorKind::PermissionDenied, Some(directory)) => {
            format!("nothing may be made in {directory} by the user that starts the daemon")
        }
        _ => error.to_string(),
    }
}

/// Removes the socket of a daemon that is gone. What is no socket, or has somebody listening, stays.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::other("there is a file that is no socket"));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(io::Error::other("another process listens there")),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_socket_is_replaced_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s");
        let listener = Listener::new(Endpoint::Local(path.clone()));
        let open = || Sockets::open(std::slice::from_ref(&listener), None);
        drop(UnixListener::bind(&path).unwrap());
        let sockets = open().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        let busy = open().err().unwrap();
        assert!(busy.to_string().ends_with("another process listens there"), "{busy}");
        drop(sockets);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(open().is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn what_cannot_be_opened() {
        for (socket, reason) in [
            ("local:/nowhere/at/all/s", "there is no directory /nowhere/at/all"),
            ("systemd:milter", "systemd hands over no such socket"),
            ("inet:25@192.0.2.1", "annot assign requested address"),
        ] {
            let listener = Listener::new(socket.parse().unwrap());
            let error = Sockets::open(&[listener], None).err().unwrap().to_string();
            assert!(error.starts_with(socket) || socket.starts_with("inet"), "{error}");
            assert!(error.contains(reason), "{error}");
        }
        let local = addresses(Family::V4, 1, Some(&Host::Name("localhost".into()))).unwrap();
        assert!(local.iter().all(SocketAddr::is_ipv4));
    }
}
