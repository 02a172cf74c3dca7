//! The address of a name server, as users write it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// RFC 1035 4.2: "server port 53".
const PORT: u16 = 53;

/// The address of a recursive name server: `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`,
/// `[2001:db8::1]` or `[2001:db8::1]:5353`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameServer(pub SocketAddr);

/// The text is no address of a name server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a name server: write IP, IP:PORT, or [IPv6]:PORT")]
pub struct NameServerError;

impl FromStr for NameServer {
    type Err = NameServerError;

    fn from_str(text: &str) -> Result<NameServer, NameServerError> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return if address.port() == 0 {
                Err(NameServerError)
            } else {
                Ok(NameServer(address))
            };
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let address: IpAddr = match bare {
            Some(address) => address.parse().map(IpAddr::V6).map_err(|_| NameServerError)?,
            None => text.parse().map_err(|_| NameServerError)?,
        };
        Ok(NameServer(SocketAddr::new(address, PORT)))
    }
}

impl fmt::Display for NameServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.port() == PORT { write!(f, "{}", self.0.ip()) } else { write!(f, "{}", self.0) }
    }
}

impl From<SocketAddr> for NameServer {
    fn from(address: SocketAddr) -> NameServer {
        NameServer(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_it() {
        for (text, address, printed) in [
            ("192.0.2.1", "192.0.2.1:53", "192.0.2.1"),
            ("192.0.2.1:5353", "192.0.2.1:5353", "192.0.2.1:5353"),
            ("::1", "[::1]:53", "::1"),
            ("[::1]", "[::1]:53", "::1"),
            ("[::1]:53", "[::1]:53", "::1"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            let server: NameServer = text.parse().unwrap();
            assert_eq!(server.0.to_string(), address);
            assert_eq!(server.to_string(), printed);
        }
        for text in ["", "localhost", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:70000", "[192.0.2.1]"]
        {
            assert_eq!(text.parse::<NameServer>(), Err(NameServerError), "{text:?}");
        }
    }
}
