//! The answers of one run: what many domains share is asked once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mailproof_dns::{Question, Response};
use tokio::sync::OnceCell;

/// How many answers are kept. What is asked for again stays; names of one domain only are
/// forgotten when the next thousands of domains come. Local choice: some tens of megabytes.
const KEPT: usize = 1 << 16;

type Cell = Arc<OnceCell<Response>>;

/// Answers, and questions on their way: whoever asks the same meanwhile waits for that answer.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    generations: Mutex<Generations>,
}

/// Two generations: when the young one is full, it becomes the old one, and the old one goes.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Question, Cell>,
    old: HashMap<Question, Cell>,
}

impl Cache {
    /// The answer kept, or that of `ask`; an `Err` of it is given to this caller only.
    pub(crate) async fn lookup(
        &self,
        question: &Question,
        ask: impl Future<Output = Result<Response, Response>> + Send,
    ) -> Response {
        let cell = self.cell(question);
        match cell.get_or_try_init(|| ask).await {
            Ok(response) => response.clone(),
            Err(response) => response,
        }
    }

    fn cell(&self, question: &Question) -> Cell {
        // A panic of another thread leaves the maps whole.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        if let Some(cell) = young.get(question) {
            return Arc::clone(cell);
        }
        if young.len() >= KEPT / 2 {
            *old = std::mem::take(young);
        }
        let cell = old.remove(question).unwrap_or_default();
        young.insert(question.clone(), Arc::clone(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use mailproof_dns::Failure;
    use tokio::runtime::Builder;

    use super::*;

    fn question(index: usize) -> Question {
        Question::txt(format!("n{index}.example").parse().unwrap())
    }

    #[test]
    fn what_is_known_is_not_asked() {
        let cache = Cache::default();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let first = cache.lookup(&question(1), async { Ok(Response::NxDomain) }).await;
            let second = cache.lookup(&question(1), async { Ok(Response::NoData) }).await;
            assert_eq!((first, second), (Response::NxDomain, Response::NxDomain));
            let late = Response::Failure(Failure::Timeout);
            let failed = cache.lookup(&question(2), async { Err(late.clone()) }).await;
            let again = cache.lookup(&question(2), async { Ok(Response::NoData) }).await;
            assert_eq!((failed, again), (late.clone(), Response::NoData));
        });
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::default();
        for index in 0..2 * KEPT {
            cache.cell(&question(index));
            cache.cell(&question(0));
        }
        let generations = cache.generations.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= KEPT);
        assert!(generations.young.contains_key(&question(0)));
    }
}
