//! Connections to hosts, found by the same DNS as everything else.

use std::io;
use std::net::{IpAddr, SocketAddr};

use mailproof_dns::{Data, Name, Question, RecordType, Resolver as _, Response};
use mailproof_records::is_reserved;
use tokio::net::TcpStream;

use super::Visit;

/// How many addresses of a host are tried. Local choice: two of each family.
const ADDRESSES: usize = 4;
/// Into how many shares the time for a host is divided, one for each connection. Local choice.
const SHARES: u32 = 3;

impl Visit<'_> {
    /// A connection to the first address that takes one, or why there is none.
    pub(super) async fn connect(&self, host: &Name, port: u16) -> Result<TcpStream, String> {
        let mut why = "no address".to_owned();
        for address in self.addresses(host).await? {
            if is_forbidden(address) && !self.network.is_private {
                why = format!("{address} is not public, and is left alone (--network-private)");
                continue;
            }
            let connection = TcpStream::connect(SocketAddr::new(address, port));
            // An address that is silent leaves time for the next.
            why = match tokio::time::timeout(self.network.timeout / SHARES, connection).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => format!("{address} port {port}: {}", words(&error)),
                Err(_) => format!("{address} port {port}: timeout"),
            };
        }
        Err(why)
    }

    /// The addresses of a host, those of IPv4 first: networks without IPv6 are many.
    pub(super) async fn addresses(&self, host: &Name) -> Result<Vec<IpAddr>, String> {
        let mut addresses = Vec::new();
        let mut failure = None;
        for rtype in [RecordType::A, RecordType::Aaaa] {
            let question = Question::new(host.clone(), rtype);
            let response = self.asker.lookup(&question).await;
            if let Response::Failure(failed) = response {
                failure = Some(format!("{question}: {failed}"));
            }
            let found = response.data().iter().filter_map(|data| match data {
                Data::A(address) => Some(IpAddr::V4(*address)),
                Data::Aaaa(address) => Some(IpAddr::V6(*address)),
                _ => None,
            });
            addresses.extend(found.take(ADDRESSES / 2));
        }
        match failure {
            Some(failure) if addresses.is_empty() => Err(failure),
            _ => Ok(addresses),
        }
    }
}

/// Whether an address leads, or may lead, into a network of one's own: what is published must not
/// make a checker talk to what only it can reach.
pub(super) fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => is_reserved(address),
        IpAddr::V6(inner) => {
            // RFC 6052 and RFC 3056: addresses with an IPv4 address in them.
            let translated = match inner.segments() {
                [0x64, 0xff9b, .., high, low] | [0x2002, high, low, ..] => Some((high, low)),
                [0, 0, 0, 0, 0, 0, high, low] => Some((high, low)),
                _ => None,
            };
            let embedded = translated.map(|(high, low)| {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                IpAddr::from([a, b, c, d])
            });
            is_reserved(address) || embedded.is_some_and(is_reserved)
        }
    }
}

/// What went wrong, in words that are the same everywhere.
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        io::ErrorKind::TimedOut => "timeout".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_alone() {
        for address in [
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "::",
        ] {
            assert!(is_forbidden(address.parse().unwrap()), "{address}");
        }
        for address in ["9.9.9.9", "2620:fe::fe", "64:ff9b::909:909"] {
            assert!(!is_forbidden(address.parse().unwrap()), "{address}");
        }
    }
}
