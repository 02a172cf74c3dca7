//! A request: `name=value` lines, and an empty one.

use std::net::IpAddr;

use tokio::time::Instant;

/// The octets of a line. Local choice: Postfix has 2048 for a line of SMTP (line_length_limit), of
/// which sender and recipient come.
const LINE: usize = 8 << 10;
/// The octets of a request. Local choice: Postfix sends some 30 attributes, about 1 KB.
const REQUEST: usize = 64 << 10;

/// Why it is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a line has more than {LINE} octets")]
    Line,
    #[error("a request has more than {REQUEST} octets")]
    Request,
    #[error("a line is no \"name=value\"")]
    NoAttribute,
    #[error("it is no request of the policy protocol (request=smtpd_access_policy)")]
    Kind,
}

/// What counts of a request. What is not sent is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) kind: String,
    pub(crate) state: String,
    pub(crate) client_address: String,
    pub(crate) helo: String,
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) queue_id: String,
    pub(crate) instance: String,
    pub(crate) sasl_method: String,
}

impl Request {
    fn set(&mut self, name: &[u8], value: &[u8]) {
        let to = match name {
            b"request" => &mut self.kind,
            b"protocol_state" => &mut self.state,
            b"client_address" => &mut self.client_address,
            b"helo_name" => &mut self.helo,
            b"sender" => &mut self.sender,
            b"recipient" => &mut self.recipient,
            b"queue_id" => &mut self.queue_id,
            b"instance" => &mut self.instance,
            b"sasl_method" => &mut self.sasl_method,
            // SMTPD_POLICY_README: "The policy server should ignore attributes that it doesn't know."
            _ => return,
        };
        *to = String::from_utf8_lossy(value).into_owned();
    }

    /// The client; `None` where Postfix knows none.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.client_address.parse().ok()
    }

    /// Whether the client has said MAIL.
    pub(crate) fn has_sender(&self) -> bool {
        !matches!(self.state.as_str(), "CONNECT" | "EHLO" | "HELO")
    }

    /// The domain of the recipient, or the recipient of this host, who has none.
    pub(crate) fn receiver(&self) -> &str {
        self.recipient.rsplit_once('@').map_or(&*self.recipient, |(_, domain)| domain)
    }

    pub(crate) fn key(&self) -> super::Key {
        let Request { instance, client_address, helo, sender, .. } = self.clone();
        (instance, client_address, helo, sender)
    }
}

/// Octets in, requests out.
#[derive(Debug)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    request: Request,
    octets: usize,
    since: Instant,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder { line: Vec::new(), request: Request::default(), octets: 0, since: Instant::now() }
    }
}

impl Decoder {
    /// Whether no request has begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.octets == 0
    }

    /// When the request began.
    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    /// Takes octets: how many, and the request that they complete.
    pub(crate) fn push(&mut self, input: &[u8]) -> Result<(usize, Option<Request>), Malformed> {
        if self.is_empty() {
            self.since = Instant::now();
        }
        let mut used = 0;
        for piece in input.split_inclusive(|&octet| octet == b'\n') {
            used += piece.len();
            self.octets += piece.len();
            if self.octets > REQUEST {
                return Err(Malformed::Request);
            }
            if self.line.len() + piece.len() > LINE {
                return Err(Malformed::Line);
            }
            self.line.extend_from_slice(piece);
            if self.line.ends_with(b"\n") && self.line()? {
                self.octets = 0;
                let request = std::mem::take(&mut self.request);
                return match request.kind == "smtpd_access_policy" {
                    true => Ok((used, Some(request))),
                    false => Err(Malformed::Kind),
                };
            }
        }
        Ok((used, None))
    }

    /// Takes a line: whether it ends the request.
    fn line(&mut self) -> Result<bool, Malformed> {
        let line = self.line.trim_ascii_end();
        if line.is_empty() {
            self.line.clear();
            return Ok(true);
        }
        let equals = line.iter().position(|&octet| octet == b'=').ok_or(Malformed::NoAttribute)?;
        let (name, value) = line.split_at_checked(equals).unwrap_or_default();
        self.request.set(name, value.get(1..).unwrap_or_default());
        self.line.clear();
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &[u8] =
        b"request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a=b@example.com\n\
        recipient=user@example.net\nccert_subject=\nhelo_name=h\xff\r\n\n";

    fn all(decoder: &mut Decoder, mut input: &[u8]) -> Result<Vec<Request>, Malformed> {
        let mut requests = Vec::new();
        while !input.is_empty() {
            let (used, request) = decoder.push(input)?;
            requests.extend(request);
            input = &input[used..];
        }
        Ok(requests)
    }

    #[test]
    fn one_after_the_other_whatever_the_pieces() {
        let two = [ONE, ONE].concat();
        let whole = all(&mut Decoder::default(), &two).unwrap();
        assert_eq!(whole.len(), 2);
        let request = &whole[0];
        assert_eq!(request.sender, "a=b@example.com");
        assert_eq!((request.helo.as_str(), request.receiver()), ("h\u{fffd}", "example.net"));
        let mut decoder = Decoder::default();
        let single: Vec<Request> =
            two.chunks(1).flat_map(|octet| all(&mut decoder, octet).unwrap()).collect();
        assert_eq!(single, whole);
        assert!(decoder.is_empty());
    }

    #[test]
    fn what_is_no_request() {
        let why = |input: &[u8]| all(&mut Decoder::default(), input).unwrap_err();
        assert_eq!(why(b"GET / HTTP/1.1\r\n\r\n"), Malformed::NoAttribute);
        assert_eq!(why(b"\n"), Malformed::Kind);
        assert_eq!(why(b"request=junk\n\n"), Malformed::Kind);
        assert_eq!(why(&[b'x'; LINE + 1]), Malformed::Line);
        assert_eq!(why(&b"x=y\n".repeat(REQUEST / 4 + 1)), Malformed::Request);
    }

    proptest! {
        #[test]
        fn never_more_than_it_may_keep(input in proptest::collection::vec(any::<u8>(), 0..512)) {
            let mut decoder = Decoder::default();
            let _ = all(&mut decoder, &input);
            prop_assert!(decoder.line.len() <= LINE && decoder.octets <= REQUEST);
        }
    }
}
