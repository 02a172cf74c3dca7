//! What is had over the network beside the DNS, with `--network`: policies, certificates, logos,
//! registrations, and what each name server says. Everything is bounded: time, octets, addresses
//! and connections; and nobody is made to connect to addresses that are not public.

mod connect;
mod http;
mod mark;
mod name_servers;
mod options;
mod registry;
mod smtp;
mod trust;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mailproof_cli::exit::Trouble;
use mailproof_dns::Name;
use mailproof_records::{Attempt, Document, Fetched, Limits, Mark, Targets};
use tokio::sync::{OnceCell, Semaphore};

use self::options::Ports;
pub(crate) use self::options::{NetworkOptions, Part};
use self::registry::Registries;
use self::trust::Trust;
use crate::dns::Asker;

/// How many hosts are talked with at a time. Local choice: as many as a machine notices.
const HOSTS: usize = 64;

/// Everything that a visit needs; set up once.
#[derive(Debug)]
pub(crate) struct Network {
    parts: Vec<Part>,
    timeout: Duration,
    ports: Ports,
    /// Whether to connect to addresses that are not public, too.
    is_private: bool,
    trust: Trust,
    bootstrap: String,
    registries: OnceCell<Option<Registries>>,
    permits: Semaphore,
    /// Seconds since 1970.
    now: u64,
}

/// The visit for one domain.
struct Visit<'a> {
    network: &'a Network,
    asker: &'a Asker<'a>,
    limits: Limits,
}

impl Network {
    /// What the options say, the authorities that are trusted read; `None` without `--network`.
    pub(crate) fn new(options: &NetworkOptions, now: u64) -> Result<Option<Network>, Trouble> {
        if options.network.is_empty() {
            return Ok(None);
        }
        Ok(Some(Network {
            parts: options.network.clone(),
            timeout: options.network_timeout,
            ports: Ports::new(&options.network_port),
            is_private: options.network_private,
            trust: Trust::new(&options.network_ca, now)?,
            bootstrap: options.network_rdap.clone(),
            registries: OnceCell::new(),
            permits: Semaphore::new(HOSTS),
            now,
        }))
    }

    /// Whether this is to be had.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Fetches what there is to fetch for a domain.
    pub(crate) async fn fetch(
        &self,
        targets: &Targets,
        limits: Limits,
        asker: &Asker<'_>,
    ) -> Fetched {
        let visit = Visit { network: self, asker, limits };
        let (https, smtp) = (self.has(Part::Https), self.has(Part::Smtp));
        let exchanges = targets.exchanges.iter().filter(|_| smtp).map(|host| visit.exchange(host));
        let domains = targets.registrations.iter().filter(|_| self.has(Part::Rdap));
        let domains = domains.map(|domain| visit.registration(domain));
        let servers = targets.servers.iter().filter(|_| self.has(Part::Ns));
        let servers = servers.map(|server| visit.server(server, &targets.questions));
        let documents = async {
            let policy = targets.policy.as_ref().filter(|_| https);
            let logo = targets.logo.as_ref().filter(|_| https);
            let mark = targets.mark.as_ref().filter(|_| https);
            (visit.policy(policy).await, visit.logo(logo).await, visit.mark(mark).await)
        };
        let ((policy, logo, mark), exchanges, registrations, servers) =
            tokio::join!(documents, join_all(exchanges), join_all(domains), join_all(servers));
        Fetched {
            policy,
            logo,
            mark,
            exchanges,
            registrations,
            servers: servers.into_iter().flatten().collect(),
        }
    }
}

impl Visit<'_> {
    /// RFC 8461 3.2: the host mta-sts, and the "well-known" path mta-sts.txt.
    async fn policy(&self, host: Option<&Name>) -> Option<Attempt<Document>> {
        let host = host?;
        let uri = format!("https://{host}/.well-known/mta-sts.txt");
        Some(self.get(&uri, "text/plain", self.limits.policy).await)
    }

    async fn logo(&self, uri: Option<&String>) -> Option<Attempt<Document>> {
        let attempt = self.get(uri?, "image/svg+xml", self.limits.logo).await;
        Some(match attempt {
            Attempt::Came(document) => Attempt::Came(Document {
                content: mark::uncompressed(&document.content, self.limits.logo)
                    .unwrap_or(document.content),
                ..document
            }),
            other => other,
        })
    }

    async fn mark(&self, uri: Option<&String>) -> Option<Attempt<Mark>> {
        let attempt = self.get(uri?, "application/x-pem-file", self.limits.mark).await;
        Some(match attempt {
            Attempt::Came(document) => {
                match mark::read(&document.content, self.limits.logo, self.network.now) {
                    Ok(mark) => Attempt::Came(mark),
                    Err(refusal) => Attempt::Refused(refusal),
                }
            }
            Attempt::Refused(refusal) => Attempt::Refused(refusal),
            Attempt::Lost(reason) => Attempt::Lost(reason),
        })
    }

    /// The time from which on a host is waited for no longer.
    fn deadline(&self) -> tokio::time::Instant {
        (Instant::now() + self.network.timeout).into()
    }
}

/// What came of `work` before the deadline.
async fn within<T>(
    deadline: tokio::time::Instant,
    work: impl Future<Output = Attempt<T>>,
) -> Attempt<T> {
    match tokio::time::timeout_at(deadline, work).await {
        Ok(attempt) => attempt,
        Err(_) => Attempt::Lost("timeout".to_owned()),
    }
}
