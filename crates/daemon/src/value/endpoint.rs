//! Where a listener is, in the spellings of milters.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// A socket: `local:PATH`, `unix:PATH`, `inet:PORT[@HOST]`, `inet6:PORT[@HOST]` or
/// `systemd[:NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// In the file system.
    Local(PathBuf),
    /// A port.
    Inet {
        /// Of IPv4 or of IPv6; an address decides for itself.
        family: Family,
        /// The port.
        port: u16,
        /// The host; without it, all addresses of the family.
        host: Option<Host>,
    },
    /// Handed over by systemd (`LISTEN_FDS`): all that have no other listener, or those of this
    /// `FileDescriptorName`.
    Systemd(Option<String>),
}

/// The family of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The host of a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address.
    Address(IpAddr),
    /// A name that the system knows.
    Name(String),
}

/// Why a text is no socket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// No kind that we know.
    #[error("expected local:PATH, inet:PORT@HOST, inet6:PORT@HOST or systemd")]
    Kind,
    /// The spelling of Postfix, which has the host first.
    #[error("that is the spelling of Postfix; here it is {0}")]
    Postfix(String),
    /// No port.
    #[error("{0:?} is no port")]
    Port(String),
    /// No host.
    #[error("{0:?} is neither a name nor an address")]
    Host(String),
    /// No path.
    #[error("expected a path that begins with a slash")]
    Path,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        let path = |path: &str| match path.starts_with('/') && !path.ends_with('/') {
            true => Ok(Endpoint::Local(path.into())),
            false => Err(EndpointError::Path),
        };
        if text.starts_with('/') {
            return path(text);
        }
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "local" | "unix" => path(rest),
            "inet" => inet(Family::V4, kind, rest),
            "inet6" => inet(Family::V6, kind, rest),
            "systemd" => Ok(Endpoint::Systemd((!rest.is_empty()).then(|| rest.to_owned()))),
            _ => Err(EndpointError::Kind),
        }
    }
}

fn inet(family: Family, kind: &str, text: &str) -> Result<Endpoint, EndpointError> {
    let (port, host) = match text.split_once('@') {
        Some((port, host)) => (port, Some(host)),
        None => (text, None),
    };
    let port = match port.parse::<u16>() {
        Ok(number) if number > 0 => number,
        _ => {
            let postfix = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
            return Err(match postfix {
                Some((host, port)) => EndpointError::Postfix(format!("{kind}:{port}@{host}")),
                None => EndpointError::Port(port.to_owned()),
            });
        }
    };
    Ok(Endpoint::Inet { family, port, host: host.map(self::host).transpose()? })
}

fn host(text: &str) -> Result<Host, EndpointError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse() {
        return Ok(Host::Address(address));
    }
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
    match !text.is_empty() && text.bytes().all(is_name) {
        true => Ok(Host::Name(text.to_owned())),
        false => Err(EndpointError::Host(text.to_owned())),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Local(path) => write!(f, "local:{}", path.display()),
            Endpoint::Inet { family, port, host } => {
                let kind = match family {
                    Family::V4 => "inet",
                    Family::V6 => "inet6",
                };
                write!(f, "{kind}:{port}")?;
                match host {
                    Some(Host::Address(address)) => write!(f, "@[{address}]"),
                    Some(Host::Name(name)) => write!(f, "@{name}"),
                    None => Ok(()),
                }
            }
            Endpoint::Systemd(None) => f.write_str("systemd"),
            Endpoint::Systemd(Some(name)) => write!(f, "systemd:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings() {
        let print = |text: &str| text.parse::<Endpoint>().map(|endpoint| endpoint.to_string());
        for (text, expected) in [
            ("local:/run/m.sock", "local:/run/m.sock"),
            ("unix:/run/m.sock", "local:/run/m.sock"),
            ("/run/m.sock", "local:/run/m.sock"),
            ("inet:8891@localhost", "inet:8891@localhost"),
            ("inet:8891@127.0.0.1", "inet:8891@[127.0.0.1]"),
            ("inet6:8891@[::1]", "inet6:8891@[::1]"),
            ("inet:8891", "inet:8891"),
            ("systemd", "systemd"),
            ("systemd:milter", "systemd:milter"),
        ] {
            assert_eq!(print(text).as_deref(), Ok(expected));
        }
        for (text, error) in [
            ("inet:127.0.0.1:8891", EndpointError::Postfix("inet:8891@127.0.0.1".into())),
            ("inet:x", EndpointError::Port("x".into())),
            ("inet:0", EndpointError::Port("0".into())),
            ("inet:1@a b", EndpointError::Host("a b".into())),
            ("local:m.sock", EndpointError::Path),
            ("8891@localhost", EndpointError::Kind),
        ] {
            assert_eq!(print(text), Err(error));
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(text in "(local|inet6?|systemd|unix)?:?[0-9a-z@:/.\\[\\]]{0,20}") {
            if let Ok(endpoint) = text.parse::<Endpoint>() {
                prop_assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
            }
        }
    }
}
