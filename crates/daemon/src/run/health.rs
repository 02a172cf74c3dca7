//! Metrics and health, by HTTP, for those who watch the daemon.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::run::metrics::Metrics;

/// Connections at a time. Local choice: one or two programs ask, every few seconds.
const CONNECTIONS: usize = 16;
/// The octets of a request's head. Local choice: a GET without cookies has a few hundred.
const HEAD: usize = 16 << 10;
/// How long a connection lasts, one request and its reply. Local choice.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves until it is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    stopping: watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (metrics, stopping) = (Arc::clone(&metrics), stopping.clone());
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let reply = reply(request.method(), request.uri().path(), &metrics, &stopping);
                async { Ok::<_, Infallible>(reply) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_buf_size(HEAD)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            let _late_or_broken = timeout(PATIENCE, connection).await;
            drop(permit);
        });
    }
}

fn reply(
    method: &Method,
    path: &str,
    metrics: &Metrics,
    stopping: &watch::Receiver<bool>,
) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (method, path) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics.to_string())
        }
        // The process is there; and, it takes mail.
        (&Method::GET | &Method::HEAD, "/health") => (StatusCode::OK, "text/plain", "ok\n".into()),
        (&Method::GET | &Method::HEAD, "/ready") => match *stopping.borrow() {
            true => (StatusCode::SERVICE_UNAVAILABLE, "text/plain", "stopping\n".into()),
            false => (StatusCode::OK, "text/plain", "ok\n".into()),
        },
        (_, "/metrics" | "/health" | "/ready") => {
            (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET only\n".into())
        }
        _ => (StatusCode::NOT_FOUND, "text/plain", "/metrics, /health, /ready\n".into()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
