//! One question by hickory-resolver: of all name servers, again, along the aliases, over TCP.

use hickory_resolver::config::{ResolverConfig, ResolverOpts};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr;
use hickory_resolver::{Resolver, lookup::Lookup};
use mailproof_dns::{Data, Failure, Name, Question, RecordType, Response, ZoneLimits};

use crate::ConfigurationError;
use crate::connection::Connections;
use crate::record::{response, to_hickory};

/// hickory-resolver for these name servers.
pub(crate) fn set_up(
    config: ResolverConfig,
    options: ResolverOpts,
) -> Result<Resolver<Connections>, ConfigurationError> {
    Resolver::builder_with_config(config, Connections::default())
        .with_options(options)
        .build()
        .map_err(|error| ConfigurationError::Resolver(error.to_string()))
}

/// What hickory-resolver says, and for how many seconds it may be kept.
pub(crate) async fn answer(
    resolver: &Resolver<Connections>,
    question: &Question,
) -> (Response, Option<u32>) {
    match lookup(resolver, question).await {
        Found::Answer(response, ttl) => (response, ttl),
        Found::NoDataOrAliasLoop => (confirm_no_data(resolver, &question.name).await, None),
    }
}

async fn lookup(resolver: &Resolver<Connections>, question: &Question) -> Found {
    let Some(name) = to_hickory(&question.name) else {
        return Found::Answer(Response::Failure(Failure::ServFail), None);
    };
    let rtype = rr::RecordType::from(question.rtype.code());
    let result = resolver.lookup(name.clone(), rtype).await;
    found(question, &name, result)
}

/// Where NODATA came without an SOA record, hickory-resolver may only have given up following
/// aliases: a loop of them is a failure, not an absence.
async fn confirm_no_data(resolver: &Resolver<Connections>, name: &Name) -> Response {
    let mut seen = vec![name.clone()];
    while let Some(owner) = seen.last() {
        let question = Question::new(owner.clone(), RecordType::Cname);
        let target = match lookup(resolver, &question).await {
            Found::Answer(Response::Failure(failure), _) => return Response::Failure(failure),
            Found::Answer(Response::Records(set), _) => set.records.into_iter().next(),
            Found::Answer(..) | Found::NoDataOrAliasLoop => None,
        };
        let Some(Data::Cname(target)) = target else {
            return Response::NoData;
        };
        if seen.contains(&target) || seen.len() > ZoneLimits::default().aliases {
            break;
        }
        seen.push(target);
    }
    Response::Failure(Failure::ServFail)
}

enum Found {
    /// A response, and how many seconds it may be kept.
    Answer(Response, Option<u32>),
    NoDataOrAliasLoop,
}

fn found(question: &Question, name: &rr::Name, result: Result<Lookup, NetError>) -> Found {
    let failed = |failure| Found::Answer(Response::Failure(failure), None);
    let no_records = match result {
        Ok(lookup) => {
            let response = response(question, name, &lookup);
            let ttl = match &response {
                Response::Records(set) => Some(set.ttl),
                _ => None,
            };
            return Found::Answer(response, ttl);
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(no_records))) => no_records,
        Err(NetError::Timeout) => return failed(Failure::Timeout),
        // RCODEs other than 0 and 3, answers that cannot be read, no way to the server.
        Err(_) => return failed(Failure::ServFail),
    };
    let ttl = no_records.negative_ttl;
    match no_records.response_code {
        ResponseCode::NXDomain => Found::Answer(Response::NxDomain, ttl),
        ResponseCode::NoError if no_records.soa.is_none() => Found::NoDataOrAliasLoop,
        ResponseCode::NoError => Found::Answer(Response::NoData, ttl),
        _ => failed(Failure::ServFail),
    }
}
