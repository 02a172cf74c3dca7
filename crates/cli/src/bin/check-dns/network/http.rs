//! One document by HTTPS: no redirects, a certificate that is valid, so many octets and no more.

use std::io;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use mailproof_dns::Name;
use mailproof_records::{Attempt, Document, Refusal};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::connect::words;
use super::{Visit, trust, within};

/// The most octets of a head. Local choice: what servers take of clients.
const HEAD: usize = 16_384;

/// What is asked for.
struct Place {
    host: Name,
    port: Option<u16>,
    uri: Uri,
}

impl Visit<'_> {
    /// What stands at a URI.
    pub(super) async fn get(&self, uri: &str, accept: &str, most: usize) -> Attempt<Document> {
        let place = match place(uri) {
            Ok(place) => place,
            Err(reason) => return Attempt::Refused(Refusal::Protocol(reason)),
        };
        // The semaphore is never closed.
        let Ok(_permit) = self.network.permits.acquire().await else {
            return Attempt::Lost("too many hosts".to_owned());
        };
        within(self.deadline(), async {
            match self.stream(&place).await {
                Ok(stream) => exchange(stream, &place, accept, most).await,
                Err(attempt) => attempt,
            }
        })
        .await
    }

    async fn stream(&self, place: &Place) -> Result<TlsStream<TcpStream>, Attempt<Document>> {
        let port = place.port.unwrap_or(self.network.ports.https);
        let stream = self.connect(&place.host, port).await.map_err(Attempt::Lost)?;
        let name = ServerName::try_from(place.host.to_string()).map_err(|_| {
            Attempt::Refused(Refusal::Protocol(format!("{} is no host name", place.host)))
        })?;
        let connector = TlsConnector::from(Arc::clone(&self.network.trust.strict));
        connector.connect(name, stream).await.map_err(|error| tls_trouble(&error))
    }
}

/// What a failed handshake means.
pub(super) fn tls_trouble<T>(error: &io::Error) -> Attempt<T> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => Attempt::Refused(match trust::refused(error) {
            Some(reason) => Refusal::Certificate(reason),
            None => Refusal::Protocol(format!("TLS: {error}")),
        }),
        None => Attempt::Lost(words(error)),
    }
}

/// The parts of a URI of https.
fn place(text: &str) -> Result<Place, String> {
    let uri: Uri = text.parse().map_err(|error| format!("no URI: {error}"))?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("https"));
    let authority = authority.ok_or("not a URI of https")?;
    if authority.as_str().contains('@') {
        return Err("a user stands in the URI".to_owned());
    }
    let host: Name = authority.host().parse().map_err(|error| format!("its host: {error}"))?;
    let port = authority.port_u16();
    Ok(Place { host, port, uri })
}

async fn exchange(
    stream: TlsStream<TcpStream>,
    place: &Place,
    accept: &str,
    most: usize,
) -> Attempt<Document> {
    let mut builder = http1::Builder::new();
    let (mut sender, connection) =
        match builder.max_buf_size(HEAD).handshake(TokioIo::new(stream)).await {
            Ok(both) => both,
            Err(error) => return http_trouble(&error),
        };
    let path = place.uri.path_and_query().map_or("/", |path| path.as_str());
    let host = place.uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("mailproof-check-dns/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, accept)
        .body(Empty::<Bytes>::new());
    let Ok(request) = request else {
        return Attempt::Refused(Refusal::Protocol("no URI that can be asked for".to_owned()));
    };
    let exchange = async {
        match sender.send_request(request).await {
            Ok(response) => document(response, most).await,
            Err(error) => http_trouble(&error),
        }
    };
    let (mut exchange, mut connection) = (std::pin::pin!(exchange), std::pin::pin!(connection));
    let mut is_open = true;
    loop {
        tokio::select! {
            attempt = &mut exchange => return attempt,
            _ = &mut connection, if is_open => is_open = false,
        }
    }
}

async fn document(response: Response<Incoming>, most: usize) -> Attempt<Document> {
    // RFC 8461 3.3: "only valid if the HTTP response code is 200 (OK)".
    match response.status() {
        StatusCode::OK => {}
        // What a server cannot do now it may do later.
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            return Attempt::Lost(format!("status {}", status.as_u16()));
        }
        status => return Attempt::Refused(Refusal::Status(status.as_u16())),
    }
    let media_type = response.headers().get(CONTENT_TYPE).map(|value| value.as_bytes());
    let media_type = String::from_utf8_lossy(media_type.unwrap_or_default()).into_owned();
    let mut body = response.into_body();
    let mut content = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return http_trouble(&error),
        };
        let Some(data) = frame.data_ref() else { continue };
        if content.len() + data.len() > most {
            return Attempt::Refused(Refusal::TooLarge(most));
        }
        content.extend_from_slice(data);
    }
    Attempt::Came(Document { media_type, content })
}

fn http_trouble<T>(error: &hyper::Error) -> Attempt<T> {
    if error.is_parse() {
        return Attempt::Refused(Refusal::Protocol(format!("HTTP: {error}")));
    }
    Attempt::Lost(format!("HTTP: {error}"))
}
