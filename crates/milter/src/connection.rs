//! Who has connected to the MTA.

use crate::frame::write_string;
use crate::parse::{PacketError, PacketErrorKind, Reader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

/// The connection information (SMFIC_CONNECT): the client of the MTA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection<'a> {
    /// The verified name of the client, or its address in square brackets.
    pub host: &'a [u8],
    /// Its address.
    pub peer: Peer<'a>,
}

/// The address of a client, by its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer<'a> {
    /// `U`, or no address where one should be: the MTA does not tell.
    Unknown,
    /// `L`: a socket in the file system, with its path.
    Unix(&'a [u8]),
    /// `4`: IPv4.
    Inet(SocketAddrV4),
    /// `6`: IPv6.
    Inet6(SocketAddrV6),
}

impl Peer<'_> {
    /// The IP address, if it is one; an IPv4-mapped address as the IPv4 address that it is.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Peer::Inet(address) => Some(IpAddr::V4(*address.ip())),
            Peer::Inet6(address) => Some(IpAddr::V6(*address.ip()).to_canonical()),
            Peer::Unix(_) | Peer::Unknown => None,
        }
    }

    fn family(&self) -> u8 {
        match self {
            Peer::Unknown => b'U',
            Peer::Unix(_) => b'L',
            Peer::Inet(_) => b'4',
            Peer::Inet6(_) => b'6',
        }
    }
}

impl<'a> Connection<'a> {
    pub(crate) fn parse(reader: &mut Reader<'a>) -> Result<Connection<'a>, PacketError> {
        let host = reader.string()?;
        let start = reader.position();
        let family = reader.octet()?;
        if family == b'U' {
            // Postfix ends here; others send a port and an address that mean nothing.
            reader.skip_rest();
            return Ok(Connection { host, peer: Peer::Unknown });
        }
        let port = reader.port()?;
        let text = reader.string()?;
        // Postfix says `unknown` for the address that a proxy does not tell (XCLIENT), in the family
        // of the proxy. Case: unknown-client.
        let peer = match family {
            b'L' => Peer::Unix(text),
            b'4' => inet(text).map_or(Peer::Unknown, |ip| Peer::Inet(SocketAddrV4::new(ip, port))),
            b'6' => inet6(text)
                .map_or(Peer::Unknown, |ip| Peer::Inet6(SocketAddrV6::new(ip, port, 0, 0))),
            _ => return Err(PacketError::new(PacketErrorKind::Family, start..start + 1)),
        };
        Ok(Connection { host, peer })
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        write_string(out, self.host);
        out.push(self.peer.family());
        match self.peer {
            Peer::Unknown => {}
            Peer::Unix(path) => {
                out.extend_from_slice(&[0, 0]);
                write_string(out, path);
            }
            Peer::Inet(address) => {
                out.extend_from_slice(&address.port().to_be_bytes());
                write_string(out, address.ip().to_string().as_bytes());
            }
            Peer::Inet6(address) => {
                out.extend_from_slice(&address.port().to_be_bytes());
                write_string(out, address.ip().to_string().as_bytes());
            }
        }
    }
}

fn inet(text: &[u8]) -> Option<Ipv4Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Sendmail writes `IPv6:` before the address; a zone (`%eth0`) says nothing beyond the MTA's host.
fn inet6(text: &[u8]) -> Option<Ipv6Addr> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix("IPv6:").unwrap_or(text);
    text.split('%').next()?.parse().ok()
}
