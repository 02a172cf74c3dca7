//! Who answers questions, for all connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mailproof_dns::{Question, Resolver, Response, Zone};
use mailproof_dns_hickory::HickoryResolver;

use crate::run::metrics::Metrics;

/// Whoever answers questions. Clones share what they know.
#[derive(Clone)]
pub(crate) struct Dns {
    source: Source,
    metrics: Arc<Metrics>,
}

#[derive(Clone)]
enum Source {
    Network(HickoryResolver),
    Zone(Arc<Zone>),
}

impl Dns {
    pub(crate) fn network(resolver: HickoryResolver, metrics: &Arc<Metrics>) -> Dns {
        Dns::of(Source::Network(resolver), metrics)
    }

    pub(crate) fn zone(zone: Zone, metrics: &Arc<Metrics>) -> Dns {
        Dns::of(Source::Zone(Arc::new(zone)), metrics)
    }

    fn of(source: Source, metrics: &Arc<Metrics>) -> Dns {
        Dns { source, metrics: Arc::clone(metrics) }
    }

    /// The same, answering with a failure from this time on what it does not know.
    pub(crate) fn until(&self, deadline: Instant) -> Dns {
        let source = match &self.source {
            Source::Network(resolver) => Source::Network(resolver.until(deadline)),
            zone @ Source::Zone(_) => zone.clone(),
        };
        Dns { source, ..self.clone() }
    }

    /// The response, if it is known without asking anybody.
    pub(crate) fn known(&self, question: &Question) -> Option<Response> {
        match &self.source {
            Source::Network(resolver) => resolver.known(question),
            Source::Zone(zone) => {
                let response = zone.lookup(question);
                self.metrics.answer(&response, Duration::ZERO);
                Some(response)
            }
        }
    }
}

impl Resolver for Dns {
    async fn lookup(&self, question: &Question) -> Response {
        if let Some(response) = self.known(question) {
            return response;
        }
        match &self.source {
            Source::Network(resolver) => {
                let begin = Instant::now();
                let response = resolver.lookup(question).await;
                self.metrics.answer(&response, begin.elapsed());
                response
            }
            Source::Zone(zone) => zone.lookup(question),
        }
    }
}
