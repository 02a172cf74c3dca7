//! The sockets that Postfix connects to.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use crate::run::RunError;
use crate::settings::{Listener, Role};
use crate::value::{Endpoint, Family, Host};

/// All sockets, open.
pub(crate) struct Sockets {
    pub(crate) list: Vec<Socket>,
    /// Those in the file system, to be removed at the end.
    pub(crate) paths: Vec<PathBuf>,
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

/// A connection, of whatever kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Socket {
    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.kind {
            Kind::Unix(listener) => Box::new(listener.accept().await?.0),
            Kind::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }
}

impl Sockets {
    pub(crate) async fn open(listeners: &[Listener]) -> Result<Sockets, RunError> {
        let mut sockets = Sockets { list: Vec::new(), paths: Vec::new() };
        for listener in listeners {
            let kind = open(listener).await.map_err(|error| RunError::Socket {
                socket: listener.socket.to_string(),
                reason: error.to_string(),
            })?;
            sockets.list.push(Socket { roles: listener.roles.clone(), kind });
            if let Endpoint::Local(path) = &listener.socket {
                sockets.paths.push(path.clone());
            }
        }
        Ok(sockets)
    }
}

async fn open(listener: &Listener) -> io::Result<Kind> {
    match &listener.socket {
        Endpoint::Local(path) => {
            remove_stale(path)?;
            let socket = UnixListener::bind(path)?;
            fs::set_permissions(path, fs::Permissions::from_mode(listener.mode.0))?;
            Ok(Kind::Unix(socket))
        }
        Endpoint::Inet { family, port, host } => {
            let socket = match (host, family) {
                (Some(Host::Address(address)), _) => TcpListener::bind((*address, *port)).await,
                (Some(Host::Name(name)), _) => TcpListener::bind((name.as_str(), *port)).await,
                (None, Family::V4) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).await,
                (None, Family::V6) => TcpListener::bind((Ipv6Addr::UNSPECIFIED, *port)).await,
            };
            socket.map(Kind::Tcp)
        }
        Endpoint::Systemd(_) => Err(io::Error::other("sockets of systemd are not taken yet")),
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

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("s");
        let listener = Listener::new(Endpoint::Local(path.clone()));
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let sockets = Sockets::open(std::slice::from_ref(&listener)).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        let busy = Sockets::open(std::slice::from_ref(&listener)).await.err().unwrap();
        assert!(busy.to_string().ends_with("another process listens there"), "{busy}");
        drop(sockets);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(Sockets::open(&[listener]).await.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}
