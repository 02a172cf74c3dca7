//! Answers that are kept, and questions on their way: whoever asks the same meanwhile waits for
//! that answer.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use mailproof_dns::{Question, Response};
use tokio::sync::OnceCell;
use tokio::time;

use crate::Limits;

/// A response, and how long it may be kept.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    pub(crate) ttl: Duration,
}

impl From<Response> for Answer {
    /// A response that is not to be kept.
    fn from(response: Response) -> Answer {
        Answer { response, ttl: Duration::ZERO }
    }
}

#[derive(Debug)]
struct Kept {
    response: Response,
    since: Instant,
    until: Instant,
}

impl Kept {
    /// The answer, with what is left of its time.
    fn answer(&self, now: Instant) -> Answer {
        Answer {
            response: aged(&self.response, now.duration_since(self.since)),
            ttl: self.until.saturating_duration_since(now),
        }
    }
}

type Cell = Arc<OnceCell<Kept>>;

/// There was no answer at the deadline.
struct Late;

/// What the cache has for a question.
pub(crate) enum Found {
    Answer(Answer),
    Place(Place),
}

/// The place of an answer that is on its way or is to be asked for; without one it is not kept.
pub(crate) struct Place(Option<Cell>);

#[derive(Debug)]
pub(crate) struct Cache {
    /// Of each generation, in answers and in octets.
    most: usize,
    most_octets: usize,
    longest: Duration,
    generations: Mutex<Generations>,
}

/// Two generations: when the young one is full, it becomes the old one, and the old one goes. What
/// is asked for again stays.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Question, Cell>,
    /// About how much the answers of the young ones take.
    octets: usize,
    old: HashMap<Question, Cell>,
}

impl Cache {
    pub(crate) fn new(limits: &Limits) -> Cache {
        Cache {
            most: limits.cached_responses.div_ceil(2),
            most_octets: limits.cached_octets / 2,
            longest: limits.kept_at_most,
            generations: Mutex::default(),
        }
    }

    /// The answer kept, with what is left of its time, or the place for it.
    pub(crate) fn find(&self, question: &Question, now: Instant) -> Found {
        if self.most == 0 {
            return Found::Place(Place(None));
        }
        let cell = self.cell(question, now);
        match cell.get() {
            Some(kept) => Found::Answer(kept.answer(now)),
            None => Found::Place(Place(Some(cell))),
        }
    }

    /// The answer kept, as [`Cache::find`], for those who would not ask.
    pub(crate) fn known(&self, question: &Question, now: Instant) -> Option<Answer> {
        let cell = self.with(|generations| generations.known(self, question, now))?;
        Some(cell.get()?.answer(now))
    }

    /// The answer for this place: that of `ask`, if nobody else is asking; `None` if there is none
    /// at the deadline, and then another asks.
    ///
    /// `ask` itself ends at the deadline, so that one question needs one timer.
    pub(crate) async fn fill<F: Future<Output = Option<Answer>>>(
        &self,
        place: Place,
        deadline: Option<time::Instant>,
        ask: impl FnOnce() -> F,
    ) -> Option<Answer> {
        let Place(Some(cell)) = place else { return ask().await };
        let asks = AtomicBool::new(false);
        let kept = pin!(cell.get_or_try_init(|| {
            asks.store(true, Ordering::Relaxed);
            let ask = ask();
            async {
                let (answer, since) = (ask.await.ok_or(Late)?, Instant::now());
                let until = since + answer.ttl.min(self.longest);
                Ok::<Kept, Late>(Kept { response: answer.response, since, until })
            }
        }));
        let kept = match deadline {
            None => kept.await,
            Some(deadline) => by(deadline, &asks, kept).await,
        };
        let kept = kept.ok()?;
        if asks.load(Ordering::Relaxed) {
            self.with(|generations| generations.octets += kept.response.size());
        }
        Some(kept.answer(Instant::now()))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Generations) -> T) -> T {
        // Nothing panics with the lock held.
        change(&mut self.generations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The place of the answer: with one that is good still, one on its way, or none yet.
    fn cell(&self, question: &Question, now: Instant) -> Cell {
        self.with(|generations| match generations.known(self, question, now) {
            Some(cell) => cell,
            None => generations.add(self, question, Cell::default()),
        })
    }
}

impl Generations {
    /// The place that there is, unless its answer is too old. It is among the young from now on.
    fn known(&mut self, cache: &Cache, question: &Question, now: Instant) -> Option<Cell> {
        let is_good = |cell: &Cell| cell.get().is_none_or(|kept| now < kept.until);
        if let Some(cell) = self.young.get(question) {
            return is_good(cell).then(|| Arc::clone(cell));
        }
        let cell = self.old.remove(question).filter(is_good)?;
        Some(self.add(cache, question, cell))
    }

    fn add(&mut self, cache: &Cache, question: &Question, cell: Cell) -> Cell {
        if self.young.len() >= cache.most || self.octets >= cache.most_octets {
            self.old = std::mem::take(&mut self.young);
            self.octets = 0;
        }
        self.octets += cell.get().map_or(0, |kept| kept.response.size());
        self.young.insert(question.clone(), Arc::clone(&cell));
        cell
    }
}

/// What `kept` comes to, or that it is late, unless it ends by itself, as it does when it `asks`.
async fn by<T>(
    deadline: time::Instant,
    asks: &AtomicBool,
    mut kept: Pin<&mut impl Future<Output = Result<T, Late>>>,
) -> Result<T, Late> {
    let mut end = pin!(None);
    poll_fn(|context| {
        if let Poll::Ready(kept) = kept.as_mut().poll(context) {
            return Poll::Ready(kept);
        }
        if asks.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        if end.is_none() {
            end.set(Some(time::sleep_until(deadline)));
        }
        match end.as_mut().as_pin_mut() {
            Some(end) => end.poll(context).map(|()| Err(Late)),
            None => Poll::Pending,
        }
    })
    .await
}

/// The response with what is left of its TTL.
fn aged(response: &Response, age: Duration) -> Response {
    let mut response = response.clone();
    if let Response::Records(set) = &mut response {
        set.ttl = set.ttl.saturating_sub(u32::try_from(age.as_secs()).unwrap_or(u32::MAX));
    }
    response
}

#[cfg(test)]
mod tests {
    use mailproof_dns::{Data, Failure};
    use tokio::runtime::Builder;

    use super::*;

    fn question(index: usize) -> Question {
        Question::txt(format!("n{index}.example").parse().unwrap())
    }

    fn answer(response: Response, seconds: u64) -> Answer {
        Answer { response, ttl: Duration::from_secs(seconds) }
    }

    fn cache(cached_responses: usize, cached_octets: usize) -> Cache {
        Cache::new(&Limits { cached_responses, cached_octets, ..Limits::default() })
    }

    async fn lookup(
        cache: &Cache,
        question: &Question,
        ask: impl Future<Output = Answer>,
    ) -> Answer {
        match cache.find(question, Instant::now()) {
            Found::Answer(answer) => answer,
            Found::Place(place) => {
                let answer = cache.fill(place, None, || async { Some(ask.await) }).await;
                answer.expect("there is no deadline")
            }
        }
    }

    /// The place of an answer that nobody has yet.
    fn place(cache: &Cache, question: &Question) -> Place {
        match cache.find(question, Instant::now()) {
            Found::Place(place) => place,
            Found::Answer(_) => panic!("there is an answer"),
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn what_may_be_kept_is_kept() {
        run(async {
            let cache = cache(10, 1 << 20);
            let failed = Response::Failure(Failure::ServFail);
            for (index, seconds, first, second) in [
                (1, 60, Response::NxDomain, Response::NxDomain),
                (2, 0, Response::NxDomain, Response::NoData),
                (3, 0, failed, Response::NoData),
            ] {
                let question = question(index);
                let asked =
                    lookup(&cache, &question, async { answer(first.clone(), seconds) }).await;
                assert_eq!(asked.response, first);
                let again = async { answer(Response::NoData, 60) };
                assert_eq!(lookup(&cache, &question, again).await.response, second);
            }
        });
    }

    #[test]
    fn one_asks_and_the_others_wait_even_for_what_is_not_kept() {
        run(async {
            let cache = cache(10, 1 << 20);
            let question = question(1);
            let slow = async {
                tokio::task::yield_now().await;
                answer(Response::Failure(Failure::ServFail), 0)
            };
            let other = async { answer(Response::NoData, 60) };
            let (first, second) =
                tokio::join!(lookup(&cache, &question, slow), lookup(&cache, &question, other));
            assert_eq!(first.response, Response::Failure(Failure::ServFail));
            assert_eq!(second.response, first.response);
        });
    }

    #[test]
    fn who_gives_up_lets_another_ask() {
        run(async {
            let cache = cache(10, 1 << 20);
            let question = question(1);
            {
                let mut never = std::pin::pin!(lookup(&cache, &question, std::future::pending()));
                let once = std::future::poll_fn(|context| {
                    assert!(never.as_mut().poll(context).is_pending());
                    std::task::Poll::Ready(())
                });
                once.await;
            }
            let answer = lookup(&cache, &question, async { answer(Response::NoData, 60) }).await;
            assert_eq!(answer.response, Response::NoData);
        });
    }

    #[test]
    fn who_is_late_lets_another_ask() {
        run(async {
            let cache = cache(10, 1 << 20);
            let question = question(1);
            let place = || place(&cache, &question);
            let late = async {
                tokio::task::yield_now().await;
                None
            };
            let first = cache.fill(place(), None, || late);
            let second = cache.fill(place(), None, || async { Some(answer(Response::NoData, 60)) });
            let (first, second) = tokio::join!(first, second);
            assert!(first.is_none());
            assert_eq!(second.unwrap().response, Response::NoData);
        });
    }

    #[test]
    fn who_waits_for_another_waits_to_his_deadline() {
        run(async {
            let cache = cache(10, 1 << 20);
            let question = question(1);
            let place = || place(&cache, &question);
            let (send, receive) = tokio::sync::oneshot::channel();
            let asks = async {
                receive.await.unwrap();
                Some(answer(Response::NoData, 60))
            };
            let first = cache.fill(place(), None, || asks);
            let deadline = time::Instant::now() + Duration::from_millis(20);
            let second = async {
                let answer = cache.fill(place(), Some(deadline), || async { None }).await;
                assert!(time::Instant::now() >= deadline);
                send.send(()).unwrap();
                answer
            };
            let (first, second) = tokio::join!(first, second);
            assert_eq!(first.unwrap().response, Response::NoData);
            assert!(second.is_none());
        });
    }

    #[test]
    fn the_cache_is_bounded_in_answers_and_in_octets() {
        let cache = cache(1000, usize::MAX);
        for index in 0..5000 {
            cache.cell(&question(index), Instant::now());
            cache.cell(&question(0), Instant::now());
        }
        cache.with(|generations| {
            assert!(generations.young.len() + generations.old.len() <= 1000);
            assert!(generations.young.contains_key(&question(0)));
        });
        run(async {
            let cache = self::cache(1000, 1 << 20);
            for index in 0..100 {
                let large = Response::records([Data::txt("x".repeat(50_000))]);
                lookup(&cache, &question(index), async { answer(large, 60) }).await;
            }
            cache.with(|generations| {
                let kept = generations.young.len() + generations.old.len();
                assert!((10..=24).contains(&kept), "{kept}");
            });
        });
    }

    #[test]
    fn what_is_known_is_found_without_asking() {
        run(async {
            let cache = cache(10, 1 << 20);
            let (known, now) =
                (|index| cache.known(&question(index), Instant::now()), Instant::now());
            assert!(known(0).is_none());
            cache.with(|generations| assert!(generations.young.is_empty()));
            // One is on its way, and is not known.
            let _place = place(&cache, &question(1));
            assert!(known(1).is_none());
            lookup(&cache, &question(0), async { answer(Response::NoData, 60) }).await;
            // It stays, since it is used.
            for index in 10..100 {
                place(&cache, &question(index));
                assert_eq!(known(0).map(|answer| answer.response), Some(Response::NoData));
            }
            assert!(cache.known(&question(0), now + Duration::from_secs(61)).is_none());
        });
    }

    #[test]
    fn the_ttl_grows_less() {
        let response = Response::records([Data::txt("x")]);
        let Response::Records(set) = aged(&response, Duration::from_secs(100)) else { panic!() };
        assert_eq!(set.ttl, 3500);
    }
}
