//! Who answers questions, and what all connections know already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mailproof_dns::{Question, Resolver, Response, Zone};
use mailproof_dns_hickory::HickoryResolver;

use crate::run::metrics::Metrics;

/// How many responses are kept. Local choice: with two kilobytes for the largest keys, less than the
/// daemon itself takes.
const KEPT: usize = 8192;

/// How long one is kept at most. Local choice: whoever corrects a record with a TTL of a day is not
/// to wait for it.
const LONGEST: u32 = 3600;

/// Whoever answers questions. Clones share what they know.
#[derive(Clone)]
pub(crate) struct Dns {
    source: Source,
    cache: Arc<Cache>,
    metrics: Arc<Metrics>,
}

#[derive(Clone)]
enum Source {
    Network(Arc<HickoryResolver>),
    Zone(Arc<Zone>),
}

impl Dns {
    pub(crate) fn network(resolver: HickoryResolver, metrics: &Arc<Metrics>) -> Dns {
        Dns::of(Source::Network(Arc::new(resolver)), metrics)
    }

    pub(crate) fn zone(zone: Zone, metrics: &Arc<Metrics>) -> Dns {
        Dns::of(Source::Zone(Arc::new(zone)), metrics)
    }

    fn of(source: Source, metrics: &Arc<Metrics>) -> Dns {
        Dns { source, cache: Arc::default(), metrics: Arc::clone(metrics) }
    }

    /// The same, answering with a failure from this time on what it does not know.
    pub(crate) fn until(&self, deadline: Instant) -> Dns {
        let source = match &self.source {
            Source::Network(resolver) => Source::Network(Arc::new(resolver.until(deadline))),
            zone @ Source::Zone(_) => zone.clone(),
        };
        Dns { source, ..self.clone() }
    }

    /// The response, if it is known without asking anybody.
    pub(crate) fn known(&self, question: &Question) -> Option<Response> {
        match &self.source {
            Source::Network(_) => self.cache.get(question, Instant::now()),
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
                let (response, ttl) = resolver.lookup_with_ttl(question).await;
                self.metrics.answer(&response, begin.elapsed());
                self.cache.keep(question, &response, ttl, Instant::now());
                response
            }
            Source::Zone(zone) => zone.lookup(question),
        }
    }
}

/// Responses and how long they hold, a bounded number of them.
#[derive(Default)]
struct Cache {
    generations: Mutex<Generations>,
}

/// What was used lately, and what was used before that and goes next.
#[derive(Default)]
struct Generations {
    recent: HashMap<Question, Kept>,
    older: HashMap<Question, Kept>,
}

struct Kept {
    response: Response,
    until: Instant,
}

impl Cache {
    fn with<T>(&self, work: impl FnOnce(&mut Generations) -> T) -> T {
        // A thread that panicked left the maps whole.
        work(&mut self.generations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn get(&self, question: &Question, now: Instant) -> Option<Response> {
        self.with(|Generations { recent, older }| {
            if let Some(kept) = recent.get(question) {
                return (kept.until > now).then(|| kept.response.clone());
            }
            let (question, kept) = older.remove_entry(question)?;
            let response = (kept.until > now).then(|| kept.response.clone())?;
            recent.insert(question, kept);
            Some(response)
        })
    }

    fn keep(&self, question: &Question, response: &Response, ttl: u32, now: Instant) {
        if ttl == 0 {
            return;
        }
        let until = now + Duration::from_secs(ttl.min(LONGEST).into());
        let kept = Kept { response: response.clone(), until };
        self.with(|Generations { recent, older }| {
            if recent.len() >= KEPT / 2 {
                *older = std::mem::take(recent);
            }
            recent.insert(question.clone(), kept);
        });
    }
}

#[cfg(test)]
mod tests {
    use mailproof_dns::Data;

    use super::*;

    fn question(number: usize) -> Question {
        Question::txt(format!("n{number}.example").parse().unwrap())
    }

    #[test]
    fn what_is_kept_holds_as_long_as_it_says() {
        let (cache, now) = (Cache::default(), Instant::now());
        let texts = Response::records([Data::txt("v=spf1 -all")]);
        cache.keep(&question(1), &texts, 60, now);
        cache.keep(&question(2), &Response::NxDomain, 5, now);
        cache.keep(&question(3), &Response::NoData, 0, now);
        cache.keep(&question(4), &texts, u32::MAX, now);
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(cache.get(&question(1), at(59)), Some(texts));
        assert_eq!(cache.get(&question(1), at(60)), None);
        assert_eq!(cache.get(&question(2), at(4)), Some(Response::NxDomain));
        assert_eq!(cache.get(&question(2), at(5)), None);
        assert_eq!(cache.get(&question(3), now), None);
        assert_eq!(cache.get(&question(4), at(3600)), None);
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let (cache, now) = (Cache::default(), Instant::now());
        for number in 0..10 * KEPT {
            cache.keep(&question(number), &Response::NxDomain, 60, now);
            assert_eq!(cache.get(&question(0), now), Some(Response::NxDomain));
        }
        let kept = cache.with(|it| it.recent.len() + it.older.len());
        assert!(kept <= KEPT + 1, "{kept}");
    }
}
