//! The primary name server that takes updates.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_keygen::{TsigKey, Update, UpdateError};
use zeroize::Zeroizing;

/// RFC 1035 4.1.1.
const SERVFAIL: u8 = 2;

/// A name server, and the key it takes updates with.
pub(super) struct Server {
    address: SocketAddr,
    key: TsigKey,
    timeout: Duration,
}

impl Server {
    pub(super) fn new(
        address: SocketAddr,
        key: &Path,
        timeout: Duration,
    ) -> Result<Server, Trouble> {
        let trouble = |reason: String| Trouble::input(key.to_string_lossy(), reason);
        let text = fs::read_to_string(key).map(Zeroizing::new);
        let text = text.map_err(|error| trouble(reason(&error)))?;
        let key = TsigKey::parse(&text).map_err(|error| trouble(error.to_string()))?;
        Ok(Server { address, key, timeout })
    }

    /// Changes the zone; `Some` says why it may be otherwise the next time.
    ///
    /// # Errors
    /// The server does not take the update, or the key.
    pub(super) fn update(&self, update: &Update) -> Result<Option<String>, Trouble> {
        // The time of the signature is the clock's, whatever the rotation goes by.
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = u16::try_from(clock().subsec_nanos() & 0xffff).unwrap_or_default();
        let request = update.request(Some(&self.key), id, clock().as_secs());
        let response = match self.exchange(request.octets()) {
            Ok(response) => response,
            Err(error) => {
                let why = match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => "no answer in time".to_owned(),
                    _ => reason(&error),
                };
                let address = self.address;
                return Ok(Some(format!("the name server at {address} cannot be reached: {why}")));
            }
        };
        match request.outcome(&response, clock().as_secs()) {
            Ok(()) => Ok(None),
            Err(error @ UpdateError::Refused(SERVFAIL)) => Ok(Some(error.to_string())),
            Err(error) => Err(Trouble::input(self.address.to_string(), error)),
        }
    }

    /// RFC 1035 4.2.2: each message after its length.
    fn exchange(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, self.timeout)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        let length = u16::try_from(request.len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes(), request].concat())?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut response = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut response)?;
        Ok(response)
    }
}
