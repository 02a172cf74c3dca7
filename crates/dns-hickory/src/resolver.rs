//! The resolver: one question, one response, in bounded time.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use hickory_resolver::Resolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::system_conf::read_system_conf;
use mailproof_dns::{Failure, Question, Reply, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use crate::cache::{Answer, Cache, Found};
use crate::connection::Connections;
use crate::special::is_special;
use crate::udp::Udp;
use crate::{Limits, NameServer, hickory};

/// After how long a question is asked once more, in another way. Local choice: most answers that a
/// name server has to look for are there by then, and a lost packet costs no more.
const SILENCE: Duration = Duration::from_secs(1);
/// How many questions are at a name server and not yet silent. Local choice: half of what waits
/// without loss in the buffer of its socket, on Linux 212,992 octets, of which a short datagram
/// takes 768; what is lost costs [`SILENCE`].
const FRESH: usize = 128;
/// RFC 2181 8: a TTL has "a maximum value of 2147483647".
const MAX_TTL: Duration = Duration::from_secs(0x7fff_ffff);

/// A stub resolver (RFC 1034 5.3.1): asks recursive name servers, and keeps their answers.
///
/// Clones share the cache and the sockets. All of them must be used within one Tokio runtime,
/// which has time and I/O enabled.
#[derive(Clone)]
pub struct HickoryResolver {
    shared: Arc<Shared>,
    deadline: Option<std::time::Instant>,
}

/// What the clones share within one runtime.
struct Shared {
    common: Arc<Common>,
    /// How a question is asked first.
    servers: Vec<Udp>,
    /// Which of them is asked.
    preferred: AtomicUsize,
    /// How it is asked when that brought no answer: of all servers, again, over TCP.
    hickory: OnceLock<Option<Resolver<Connections>>>,
    /// How it is asked when the answer is too long for UDP.
    tcp: OnceLock<Option<Resolver<Connections>>>,
    /// Who waits for a turn waits here, but for the first of them.
    gate: Semaphore,
}

/// What those of several runtimes share.
struct Common {
    config: ResolverConfig,
    options: ResolverOpts,
    cache: Cache,
    turns: Semaphore,
    /// Of those with a turn, these may be [`FRESH`].
    fresh: Semaphore,
    asked: AtomicUsize,
    /// When the first of the questions went out since when nothing has come back.
    silent_since: Mutex<Option<Instant>>,
    /// For one attempt, and for all attempts of one question.
    timeout: Duration,
    patience: Duration,
    kept_at_least: Duration,
}

/// There is nobody to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The system's configuration names no name server that could be read.
    #[error("the system's name servers are not known: {0}")]
    System(String),
    /// The list of name servers is empty.
    #[error("no name server is given")]
    NoNameServer,
    /// hickory-resolver refuses its configuration.
    #[error("the resolver cannot be set up: {0}")]
    Resolver(String),
}

impl HickoryResolver {
    /// A resolver that asks the name servers of the system (`/etc/resolv.conf`).
    ///
    /// # Errors
    /// [`ConfigurationError::System`].
    pub fn system(limits: &Limits) -> Result<HickoryResolver, ConfigurationError> {
        let (config, options) =
            read_system_conf().map_err(|error| ConfigurationError::System(error.to_string()))?;
        let (_, _, servers) = config.into_parts();
        HickoryResolver::build(servers, options, limits)
    }

    /// A resolver that asks these name servers.
    ///
    /// # Errors
    /// [`ConfigurationError::NoNameServer`].
    pub fn with_name_servers(
        servers: &[NameServer],
        limits: &Limits,
    ) -> Result<HickoryResolver, ConfigurationError> {
        let servers = servers.iter().map(|NameServer(address)| {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let connections = connections.map(|mut connection| {
                connection.port = address.port();
                connection
            });
            NameServerConfig::new(address.ip(), true, connections.into())
        });
        HickoryResolver::build(servers.collect(), ResolverOpts::default(), limits)
    }

    fn build(
        servers: Vec<NameServerConfig>,
        mut options: ResolverOpts,
        limits: &Limits,
    ) -> Result<HickoryResolver, ConfigurationError> {
        if servers.is_empty() {
            return Err(ConfigurationError::NoNameServer);
        }
        let attempts = limits.attempts.max(1);
        options.timeout = limits.timeout;
        // hickory-resolver counts the attempts after the first.
        options.attempts = attempts - 1;
        options.edns0 = true;
        options.preserve_intermediates = true;
        // Mail is authenticated by what domains publish, not by what this host has in a file.
        options.use_hosts_file = ResolveHosts::Never;
        // Answers are kept here.
        options.cache_size = 0;
        // By default hickory-resolver tells no more than a day.
        options.positive_max_ttl = Some(MAX_TTL);
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        // Whether it can be set up is told now.
        let hickory = hickory::set_up(config.clone(), options.clone())?;
        let patience = limits.timeout.saturating_mul(u32::try_from(attempts).unwrap_or(u32::MAX));
        let common = Common {
            config,
            options,
            cache: Cache::new(limits),
            turns: Semaphore::new(limits.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            fresh: Semaphore::new(FRESH),
            asked: AtomicUsize::new(0),
            silent_since: Mutex::default(),
            timeout: limits.timeout,
            patience,
            kept_at_least: limits.kept_at_least,
        };
        let shared = Shared::new(Arc::new(common));
        Ok(HickoryResolver {
            shared: Arc::new(Shared { hickory: OnceLock::from(Some(hickory)), ..shared }),
            deadline: None,
        })
    }

    /// A resolver with the same cache and limits, and sockets of its own, to be used within another
    /// Tokio runtime.
    #[must_use]
    pub fn for_another_runtime(&self) -> HickoryResolver {
        let shared = Shared::new(Arc::clone(&self.shared.common));
        HickoryResolver { shared: Arc::new(shared), deadline: self.deadline }
    }

    /// This resolver, with the same cache, until `deadline`: from then on every response is
    /// [`Failure::Timeout`] at once.
    #[must_use]
    pub fn until(&self, deadline: std::time::Instant) -> HickoryResolver {
        HickoryResolver { shared: Arc::clone(&self.shared), deadline: Some(deadline) }
    }

    /// The response, if the cache has it: nobody is asked.
    pub fn known(&self, question: &Question) -> Option<Response> {
        let known = self.shared.common.cache.known(question, std::time::Instant::now())?;
        Some(known.response)
    }

    async fn answer(&self, question: &Question) -> Answer {
        let failed = || Answer::from(Response::Failure(Failure::Timeout));
        // What is late is not asked for.
        let now = std::time::Instant::now();
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return failed();
        }
        let cache = &self.shared.common.cache;
        let place = match cache.find(question, now) {
            Found::Answer(answer) => return answer,
            Found::Place(place) => place,
        };
        let deadline = self.deadline.map(Instant::from);
        // In a box: every future around it would have room for it, some several times, and is moved
        // for every answer that the cache has.
        let answer = Box::pin(cache.fill(place, deadline, || self.shared.ask(question, deadline)));
        answer.await.unwrap_or_else(failed)
    }

    /// How many questions were asked, those left out that the cache answered.
    pub fn asked(&self) -> usize {
        self.shared.common.asked.load(Ordering::Relaxed)
    }

    /// For how long questions have been asked and nothing has come back.
    pub fn silence(&self) -> Duration {
        let since = *self.shared.common.silent_since();
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Waits until a question that came now would be asked at once.
    ///
    /// One after the other, so that whoever has the turn asks before the next one is let in.
    pub async fn turn(&self) {
        // The semaphore is never closed.
        let _first = self.shared.gate.acquire().await;
        drop(self.shared.common.turn().await);
    }
}

impl Common {
    /// The permission to ask, and that to be among the [`FRESH`]; `None` never, since nobody closes
    /// the semaphores.
    async fn turn(&self) -> Option<(SemaphorePermit<'_>, SemaphorePermit<'_>)> {
        Some((self.turns.acquire().await.ok()?, self.fresh.acquire().await.ok()?))
    }

    fn silent_since(&self) -> MutexGuard<'_, Option<Instant>> {
        // Nothing panics with the lock held.
        self.silent_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_heard(&self) {
        *self.silent_since() = None;
    }

    fn answer(&self, response: Response, ttl: Option<u32>) -> Answer {
        let ttl = Duration::from_secs(ttl.unwrap_or(0).into()).max(self.kept_at_least);
        Answer { response, ttl }
    }

    fn failed(&self, failure: Failure) -> Answer {
        self.answer(Response::Failure(failure), None)
    }
}

impl Shared {
    fn new(common: Arc<Common>) -> Shared {
        let servers = common.config.name_servers().iter().filter_map(|server| {
            let is_udp = |it: &&ConnectionConfig| matches!(it.protocol, ProtocolConfig::Udp);
            let connection = server.connections.iter().find(is_udp)?;
            Some(Udp::new((server.ip, connection.port).into()))
        });
        Shared {
            servers: servers.collect(),
            preferred: AtomicUsize::new(0),
            hickory: OnceLock::new(),
            tcp: OnceLock::new(),
            gate: Semaphore::new(1),
            common,
        }
    }

    /// The answer to one question, in time; `None` if the deadline comes before.
    async fn ask(&self, question: &Question, deadline: Option<Instant>) -> Option<Answer> {
        let answer = Box::pin(self.ask_in_turn(question, deadline)).await;
        answer.or_else(|| {
            // What ended before the deadline has had all its time, and has failed for everybody.
            let is_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
            (!is_late).then(|| self.common.failed(Failure::Timeout))
        })
    }

    /// The answer to one question; `None` if there is none in the time for it.
    async fn ask_in_turn(&self, question: &Question, deadline: Option<Instant>) -> Option<Answer> {
        let common = &*self.common;
        let patience = |now: Instant| {
            let end = now + common.patience;
            deadline.map_or(end, |deadline| deadline.min(end))
        };
        // So long for a turn, and as long again for the answer: that others are silent says nothing
        // of this one.
        let (_turn, fresh) = timeout_at(patience(Instant::now()), common.turn()).await.ok()??;
        let now = Instant::now();
        let end = patience(now);
        common.asked.fetch_add(1, Ordering::Relaxed);
        common.silent_since().get_or_insert(now);
        let preferred = self.preferred.load(Ordering::Relaxed);
        let server = self.servers.get(preferred).filter(|_| !is_special(&question.name));
        let Some(server) = server else {
            return self.ask_hickory(self.hickory(), question, end).await;
        };
        let mut first = std::pin::pin!(server.ask(question));
        let silence = now + SILENCE.min(common.timeout / 2);
        let reply = timeout_at(silence.min(end), &mut first).await;
        // Whatever waits longer waits for others than this name server.
        drop(fresh);
        let reply = match reply {
            Ok(reply) => {
                if reply.is_ok() {
                    common.is_heard();
                }
                reply
            }
            Err(_) if end <= silence => return None,
            Err(_silence) => {
                let next = (preferred + 1) % self.servers.len().max(1);
                self.preferred.store(next, Ordering::Relaxed);
                tokio::select! {
                    // What comes late is as good.
                    Ok(Reply::Response { response, ttl }) = first => {
                        common.is_heard();
                        return Some(common.answer(response, ttl));
                    }
                    answer = self.ask_hickory(self.hickory(), question, end) => return answer,
                }
            }
        };
        match reply {
            Ok(Reply::Response { response, ttl }) => Some(common.answer(response, ttl)),
            Ok(Reply::Truncated) => self.ask_hickory(self.tcp(), question, end).await,
            Ok(Reply::Inconclusive) | Err(_) => {
                self.ask_hickory(self.hickory(), question, end).await
            }
        }
    }

    fn hickory(&self) -> Option<&Resolver<Connections>> {
        let Common { config, options, .. } = &*self.common;
        let hickory = || hickory::set_up(config.clone(), options.clone()).ok();
        self.hickory.get_or_init(hickory).as_ref()
    }

    /// The resolver that asks over TCP.
    fn tcp(&self) -> Option<&Resolver<Connections>> {
        let tcp = self.tcp.get_or_init(|| {
            let mut servers = self.common.config.name_servers().to_vec();
            for server in &mut servers {
                let is_tcp = |it: &ConnectionConfig| matches!(it.protocol, ProtocolConfig::Tcp);
                server.connections.retain(is_tcp);
            }
            let config = ResolverConfig::from_parts(None, Vec::new(), servers);
            hickory::set_up(config, self.common.options.clone()).ok()
        });
        tcp.as_ref()
    }

    /// One question, its aliases followed by the name server or by hickory-resolver; `None` if
    /// there is no answer at the `end`.
    ///
    /// In a box: it is rare, and what it needs has some kilobytes, which every question would
    /// carry with it.
    fn ask_hickory<'a>(
        &'a self,
        resolver: Option<&'a Resolver<Connections>>,
        question: &'a Question,
        end: Instant,
    ) -> Pin<Box<dyn Future<Output = Option<Answer>> + Send + 'a>> {
        Box::pin(async move {
            let common = &*self.common;
            let Some(resolver) = resolver else { return Some(common.failed(Failure::ServFail)) };
            let answer = timeout_at(end, hickory::answer(resolver, question)).await;
            let (response, ttl) = answer.ok()?;
            // A failure may be that of the way to the server.
            if response.failure().is_none() {
                common.is_heard();
            }
            Some(common.answer(response, ttl))
        })
    }
}

impl mailproof_dns::Resolver for HickoryResolver {
    async fn lookup(&self, question: &Question) -> Response {
        self.answer(question).await.response
    }
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver")
            .field("servers", &self.shared.servers)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod agreement;
