//! A mail exchange greeted, and asked for TLS (RFC 5321, RFC 3207); no mail is sent.

use std::net::IpAddr;
use std::sync::Arc;

use mailproof_dns::Name;
use mailproof_records::{Attempt, Refusal, Session};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::connect::words;
use super::http::tls_trouble;
use super::{Visit, within};

/// The most octets of a reply. Local choice: RFC 5321 4.5.3.1.5 allows lines of 512, and a server
/// has some twenty extensions.
const REPLY: usize = 16_384;

impl Visit<'_> {
    /// What a mail exchange says and presents.
    pub(super) async fn exchange(&self, host: &Name) -> (Name, Attempt<Session>) {
        // The semaphore is never closed.
        let permit = self.network.permits.acquire().await;
        let attempt = within(self.deadline(), async {
            match self.session(host).await {
                Ok(session) => Attempt::Came(session),
                Err(attempt) => attempt,
            }
        })
        .await;
        drop(permit);
        (host.clone(), attempt)
    }

    async fn session(&self, host: &Name) -> Result<Session, Attempt<Session>> {
        let stream = self.connect(host, self.network.ports.smtp).await.map_err(Attempt::Lost)?;
        let mut smtp = Smtp { stream, ahead: Vec::new() };
        smtp.expect("220").await?;
        let literal = match smtp.stream.local_addr().map(|local| local.ip()) {
            Ok(IpAddr::V4(address)) => format!("[{address}]"),
            Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Err(error) => return Err(Attempt::Lost(words(&error))),
        };
        smtp.send(&format!("EHLO {literal}\r\n")).await?;
        let extensions = smtp.expect("250").await?;
        let is_offered = extensions.lines().any(|line| {
            line.get(4..).is_some_and(|word| word.trim_end().eq_ignore_ascii_case("STARTTLS"))
        });
        if !is_offered {
            smtp.quit().await;
            return Ok(Session::Plain);
        }
        smtp.send("STARTTLS\r\n").await?;
        smtp.expect("220").await?;
        if !smtp.ahead.is_empty() {
            let reason = "text follows the reply to STARTTLS, as if it were protected".to_owned();
            return Err(Attempt::Refused(Refusal::Protocol(reason)));
        }
        let name = ServerName::try_from(host.to_string())
            .map_err(|_| Attempt::Refused(Refusal::Protocol(format!("{host} is no host name"))))?;
        let connector = TlsConnector::from(Arc::clone(&self.network.trust.curious));
        let mut stream =
            connector.connect(name, smtp.stream).await.map_err(|error| tls_trouble(&error))?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let presented = self.network.trust.judge(chain);
        // Whoever does not take the farewell has said all that is asked.
        let _ = stream.write_all(b"QUIT\r\n").await;
        let _ = stream.shutdown().await;
        Ok(Session::Tls(presented))
    }
}

struct Smtp {
    stream: TcpStream,
    /// What came behind the last reply.
    ahead: Vec<u8>,
}

impl Smtp {
    async fn send(&mut self, line: &str) -> Result<(), Attempt<Session>> {
        let sent = self.stream.write_all(line.as_bytes()).await;
        sent.map_err(|error| Attempt::Lost(words(&error)))
    }

    async fn quit(mut self) {
        let _ = self.stream.write_all(b"QUIT\r\n").await;
    }

    /// The reply, if it has this code; any other may be another the next time.
    async fn expect(&mut self, code: &str) -> Result<String, Attempt<Session>> {
        let reply = self.reply().await?;
        if reply.starts_with(code) {
            return Ok(reply);
        }
        let first: String = reply.lines().next().unwrap_or_default().chars().take(80).collect();
        Err(Attempt::Lost(format!("the mail exchange says: {first}")))
    }

    /// RFC 5321 4.2.1: lines with the code and a hyphen, and a last one with a space.
    async fn reply(&mut self) -> Result<String, Attempt<Session>> {
        loop {
            if let Some(end) = end_of_reply(&self.ahead) {
                let rest = self.ahead.split_off(end);
                let reply = std::mem::replace(&mut self.ahead, rest);
                return Ok(String::from_utf8_lossy(&reply).into_owned());
            }
            if self.ahead.len() > REPLY {
                let reason = format!("a reply of more than {REPLY} octets");
                return Err(Attempt::Refused(Refusal::Protocol(reason)));
            }
            match self.stream.read_buf(&mut self.ahead).await {
                Ok(0) => return Err(Attempt::Lost("the connection was closed".to_owned())),
                Ok(_) => {}
                Err(error) => return Err(Attempt::Lost(words(&error))),
            }
        }
    }
}

/// Where a whole reply ends.
fn end_of_reply(octets: &[u8]) -> Option<usize> {
    let mut start = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        start += line.len();
        if line.ends_with(b"\n") && line.get(3) != Some(&b'-') {
            return Some(start);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_reply_ends() {
        for (text, end) in [
            ("", None),
            ("220 mx", None),
            ("220 mx\r\n", Some(8)),
            ("250-mx\r\n250-STARTTLS\r\n", None),
            ("250-mx\r\n250 STARTTLS\r\nmore", Some(22)),
            ("\n", Some(1)),
        ] {
            assert_eq!(end_of_reply(text.as_bytes()), end, "{text}");
        }
    }
}
