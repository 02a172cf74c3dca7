//! The resolver: one question, one response, in bounded time.

use std::fmt;
use std::time::{Duration, Instant};

use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr;
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Resolver, lookup::Lookup};
use mailproof_dns::{Data, Failure, Name, Question, RecordType, Response, ZoneLimits};

use crate::connection::Connections;
use crate::record::{response, to_hickory};
use crate::{Limits, NameServer};

/// A stub resolver (RFC 1034 5.3.1): asks recursive name servers, and keeps their answers.
///
/// Clones share the cache and the sockets. All of them must be used within one Tokio runtime,
/// which has time and I/O enabled.
#[derive(Clone)]
pub struct HickoryResolver {
    resolver: Resolver<Connections>,
    /// For all attempts of one question.
    patience: Duration,
    deadline: Option<Instant>,
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
        options.cache_size = limits.cached_responses;
        options.edns0 = true;
        options.preserve_intermediates = true;
        // Mail is authenticated by what domains publish, not by what this host has in a file.
        options.use_hosts_file = ResolveHosts::Never;
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let resolver = Resolver::builder_with_config(config, Connections::default())
            .with_options(options)
            .build()
            .map_err(|error| ConfigurationError::Resolver(error.to_string()))?;
        let patience = limits.timeout.saturating_mul(u32::try_from(attempts).unwrap_or(u32::MAX));
        Ok(HickoryResolver { resolver, patience, deadline: None })
    }

    /// This resolver, with the same cache, until `deadline`: from then on every response is
    /// [`Failure::Timeout`] at once.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> HickoryResolver {
        HickoryResolver { deadline: Some(deadline), ..self.clone() }
    }

    /// One question, its aliases followed by the name server or by hickory-resolver.
    async fn ask(&self, question: &Question) -> Reply {
        let failed = |failure| Reply::Response(Response::Failure(failure), 0);
        let Some(name) = to_hickory(&question.name) else {
            return failed(Failure::ServFail);
        };
        let left = self.deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let patience = self.patience.min(left.unwrap_or(self.patience));
        if patience.is_zero() {
            return failed(Failure::Timeout);
        }
        let rtype = rr::RecordType::from(question.rtype.code());
        let lookup = self.resolver.lookup(name.clone(), rtype);
        match tokio::time::timeout(patience, lookup).await {
            Err(_elapsed) => failed(Failure::Timeout),
            Ok(result) => reply(question, &name, result),
        }
    }

    /// Where NODATA came without an SOA record, hickory-resolver may only have given up following
    /// aliases: a loop of them is a failure, not an absence.
    async fn confirm_no_data(&self, name: &Name) -> (Response, u32) {
        let mut seen = vec![name.clone()];
        while let Some(owner) = seen.last() {
            let question = Question::new(owner.clone(), RecordType::Cname);
            let target = match self.ask(&question).await {
                Reply::Response(Response::Failure(failure), _) => {
                    return (Response::Failure(failure), 0);
                }
                Reply::Response(Response::Records(set), _) => set.records.into_iter().next(),
                Reply::Response(..) | Reply::NoDataOrAliasLoop => None,
            };
            let Some(Data::Cname(target)) = target else {
                // RFC 2308 5: "Negative responses without SOA records SHOULD NOT be cached".
                return (Response::NoData, 0);
            };
            if seen.contains(&target) || seen.len() > ZoneLimits::default().aliases {
                break;
            }
            seen.push(target);
        }
        (Response::Failure(Failure::ServFail), 0)
    }

    /// As [`mailproof_dns::Resolver::lookup`], and for how many seconds the response may be kept:
    /// by the TTL of its records, or of the SOA record where there are none (RFC 2308 5); 0 for a
    /// failure.
    pub async fn lookup_with_ttl(&self, question: &Question) -> (Response, u32) {
        match self.ask(question).await {
            Reply::Response(response, ttl) => (response, ttl),
            Reply::NoDataOrAliasLoop => self.confirm_no_data(&question.name).await,
        }
    }
}

impl mailproof_dns::Resolver for HickoryResolver {
    async fn lookup(&self, question: &Question) -> Response {
        self.lookup_with_ttl(question).await.0
    }
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver")
            .field("patience", &self.patience)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

enum Reply {
    /// And for how many seconds it may be kept.
    Response(Response, u32),
    NoDataOrAliasLoop,
}

fn reply(question: &Question, name: &rr::Name, result: Result<Lookup, NetError>) -> Reply {
    let failed = |failure| Reply::Response(Response::Failure(failure), 0);
    let no_records = match result {
        Ok(lookup) => {
            let response = response(question, name, &lookup);
            let ttl = match &response {
                Response::Records(set) => set.ttl,
                Response::NoData | Response::NxDomain | Response::Failure(_) => 0,
            };
            return Reply::Response(response, ttl);
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(no_records))) => no_records,
        Err(NetError::Timeout) => return failed(Failure::Timeout),
        // RCODEs other than 0 and 3, answers that cannot be read, no way to the server.
        Err(_) => return failed(Failure::ServFail),
    };
    let ttl = no_records.negative_ttl.unwrap_or(0);
    match no_records.response_code {
        ResponseCode::NXDomain => Reply::Response(Response::NxDomain, ttl),
        ResponseCode::NoError if no_records.soa.is_none() => Reply::NoDataOrAliasLoop,
        ResponseCode::NoError => Reply::Response(Response::NoData, ttl),
        _ => failed(Failure::ServFail),
    }
}
