//! The drivers: ask what is missing, call again.

use std::future::Future;

use futures_util::StreamExt;
use futures_util::stream;

use crate::{Answers, Limits, Missing, Question, Response};

/// Whoever answers questions: a stub resolver, a cache before one, a fixed set.
///
/// It follows aliases (CNAME), bounds the time of a query, and tells NXDOMAIN, NODATA and
/// failure apart. Caching is its business.
pub trait Resolver {
    /// The response to `question`; never an error, since failure is a response.
    fn lookup(&self, question: &Question) -> impl Future<Output = Response> + Send;
}

/// Calls `function` until it has an outcome, asking the `resolver` what it misses, the questions
/// of one round in parallel, within the default [`Limits`].
///
/// `function` must be a pure function of the answers: one that names questions already answered
/// is called for ever.
pub async fn resolve<R: Resolver, T>(
    resolver: &R,
    function: impl FnMut(&Answers) -> Result<T, Missing>,
) -> T {
    resolve_with(resolver, &mut Answers::new(), &Limits::default(), function).await
}

/// As [`resolve`], with the answers known before (and kept after) and the limits named.
pub async fn resolve_with<R: Resolver, T>(
    resolver: &R,
    answers: &mut Answers,
    limits: &Limits,
    mut function: impl FnMut(&Answers) -> Result<T, Missing>,
) -> T {
    let mut budget = Budget::new(limits);
    loop {
        let missing = match function(answers) {
            Ok(outcome) => return outcome,
            Err(missing) => missing,
        };
        let questions = budget.round(answers, missing);
        let responses: Vec<(Question, Response)> = stream::iter(questions)
            .map(|question| async move {
                let response = resolver.lookup(&question).await;
                (question, response)
            })
            .buffer_unordered(limits.concurrency.max(1))
            .collect()
            .await;
        answers.extend(
            responses
                .into_iter()
                .map(|(question, response)| (question, budget.left.admit(response))),
        );
    }
}

/// As [`resolve`], for a blocking `lookup`, one question after the other.
pub fn resolve_blocking<T>(
    lookup: impl FnMut(&Question) -> Response,
    function: impl FnMut(&Answers) -> Result<T, Missing>,
) -> T {
    resolve_blocking_with(lookup, &mut Answers::new(), &Limits::default(), function)
}

/// As [`resolve_blocking`], with the answers known before (and kept after) and the limits named.
pub fn resolve_blocking_with<T>(
    mut lookup: impl FnMut(&Question) -> Response,
    answers: &mut Answers,
    limits: &Limits,
    mut function: impl FnMut(&Answers) -> Result<T, Missing>,
) -> T {
    let mut budget = Budget::new(limits);
    loop {
        let missing = match function(answers) {
            Ok(outcome) => return outcome,
            Err(missing) => missing,
        };
        for question in budget.round(answers, missing) {
            let response = budget.left.admit(lookup(&question));
            answers.insert(question, response);
        }
    }
}

struct Budget {
    left: Limits,
}

impl Budget {
    fn new(limits: &Limits) -> Budget {
        Budget { left: *limits }
    }

    /// The questions to ask in this round; none, and the answers exhausted, when it is used up.
    fn round(&mut self, answers: &mut Answers, missing: Missing) -> Vec<Question> {
        let Limits { rounds, queries, .. } = &mut self.left;
        let mut questions = missing.into_questions();
        if *rounds == 0 || questions.len() > *queries || answers.is_exhausted() {
            // What still fits is asked, in the order named, so that the cut is the same every time.
            let left = if *rounds == 0 { 0 } else { *queries };
            questions.truncate(left);
            answers.exhaust();
        }
        *rounds = rounds.saturating_sub(1);
        *queries -= questions.len();
        questions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Data, Failure, Name};

    fn question(index: usize) -> Question {
        let name: Name = format!("n{index}.example").parse().unwrap();
        Question::txt(name)
    }

    /// Reads `depth` names one after the other; how many failed, and how.
    fn chain(depth: usize) -> impl Fn(&Answers) -> Result<Vec<Failure>, Missing> {
        move |answers| {
            let mut failures = Vec::new();
            for index in 0..depth {
                failures.extend(answers.require(&question(index))?.failure());
            }
            Ok(failures)
        }
    }

    fn yes(_: &Question) -> Response {
        Response::records([Data::txt("yes")])
    }

    #[test]
    fn rounds_are_bounded() {
        assert_eq!(resolve_blocking(yes, chain(40)), []);
        assert_eq!(resolve_blocking(yes, chain(41)), [Failure::Budget]);
    }

    #[test]
    fn queries_are_bounded_and_what_fits_is_asked() {
        let wide = |answers: &Answers| {
            let mut missing = Missing::new();
            let answered =
                (0..150).filter_map(|i| missing.lookup(answers, &question(i))).collect::<Vec<_>>();
            missing.into_result()?;
            Ok(answered.iter().filter(|response| response.failure().is_none()).count())
        };
        assert_eq!(resolve_blocking(yes, wide), 100);
    }

    #[test]
    fn octets_are_bounded() {
        let long = Response::records([Data::txt("x".repeat(60_000))]);
        let wide = |answers: &Answers| {
            let mut missing = Missing::new();
            let answered =
                (0..50).filter_map(|i| missing.lookup(answers, &question(i))).collect::<Vec<_>>();
            missing.into_result()?;
            let failed = answered.iter().filter_map(|response| response.failure());
            let failed: Vec<Failure> = failed.collect();
            assert!(failed.iter().all(|&failure| failure == Failure::Budget), "{failed:?}");
            Ok(answered.len() - failed.len())
        };
        assert_eq!(resolve_blocking(|_| long.clone(), wide), 17);
        assert_eq!(resolve_blocking(yes, wide), 50);
    }

    #[test]
    fn a_question_is_asked_once() {
        let mut asked = Vec::new();
        let lookup = |question: &Question| {
            asked.push(question.clone());
            Response::NxDomain
        };
        resolve_blocking(lookup, |answers| {
            let mut missing = Missing::new();
            missing.lookup(answers, &question(1));
            missing.lookup(answers, &question(1));
            missing.merge(answers.require(&question(2)).err().unwrap_or_default());
            missing.into_result()
        });
        assert_eq!(asked, [question(1), question(2)]);
    }
}
