//! Questions to the DNS that are asked while the message is still coming.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use mailproof_dns::{
    Answers, Failure, Limits, Missing, Question, Resolver as _, Response, resolve_with,
};
use tokio::time::{Instant, timeout_at};

use crate::run::dns::Dns;

type Lookup = Pin<Box<dyn Future<Output = (Question, Response)> + Send>>;

/// What is asked and known for one message.
pub(crate) struct Ahead {
    dns: Dns,
    answers: Answers,
    /// What may still be asked.
    limits: Limits,
    /// Never locked: it lets others share what a message is while its futures, which cannot be
    /// shared, are polled by one alone.
    asked: Mutex<FuturesUnordered<Lookup>>,
    /// Questions that wait until others are answered.
    queued: Vec<Question>,
}

impl Ahead {
    pub(crate) fn new(dns: Dns) -> Ahead {
        Ahead {
            dns,
            answers: Answers::new(),
            limits: Limits::default(),
            asked: Mutex::default(),
            queued: Vec::new(),
        }
    }

    /// Asks what `foresee` misses, until it misses nothing or the budget of the message is spent. If
    /// it is dropped before, what is under way stays so.
    pub(crate) async fn run(&mut self, foresee: impl Fn(&Answers) -> Result<(), Missing>) {
        loop {
            while let Some((question, response)) = self.asked().next().await {
                self.keep(question, response);
                self.ask();
            }
            let Err(missing) = foresee(&self.answers) else { return };
            if !self.take(missing) {
                return;
            }
        }
    }

    /// What `function` says, whose questions are answered within this time, or as failures.
    pub(crate) async fn finish<T>(
        mut self,
        patience: Duration,
        mut function: impl FnMut(&Answers) -> Result<T, Missing>,
    ) -> T {
        let deadline = Instant::now() + patience;
        while let Ok(Some((question, response))) = timeout_at(deadline, self.asked().next()).await {
            self.keep(question, response);
            self.ask();
        }
        // Who was asked in time and has not answered is not asked again.
        for question in self.queued.drain(..) {
            self.answers.insert(question, Response::Failure(Failure::Timeout));
        }
        // What is known costs no future.
        loop {
            let missing = match function(&self.answers) {
                Ok(outcome) => return outcome,
                Err(missing) => missing,
            };
            if !self.answer(&missing) {
                break;
            }
        }
        let dns = self.dns.until(deadline.into_std());
        resolve_with(&dns, &mut self.answers, &self.limits, function).await
    }

    /// Answers what is known, if that is all that is missing and within the budget.
    fn answer(&mut self, missing: &Missing) -> bool {
        let questions = missing.questions();
        if self.limits.rounds == 0 || questions.len() > self.limits.queries {
            return false;
        }
        let known: Option<Vec<Response>> =
            questions.iter().map(|question| self.dns.known(question)).collect();
        let Some(known) = known else { return false };
        self.limits.rounds -= 1;
        self.limits.queries -= questions.len();
        for (question, response) in questions.iter().zip(known) {
            self.keep(question.clone(), response);
        }
        true
    }

    fn keep(&mut self, question: Question, response: Response) {
        self.answers.insert(question, self.limits.admit(response));
    }

    /// Takes the questions of a round; whether the budget allows it. If not, the end of the message
    /// will find that out again, and which method has to do without.
    fn take(&mut self, missing: Missing) -> bool {
        if self.answer(&missing) {
            return true;
        }
        let questions = missing.into_questions();
        if self.limits.rounds == 0 || questions.len() > self.limits.queries {
            return false;
        }
        self.limits.rounds -= 1;
        self.limits.queries -= questions.len();
        self.queued = questions;
        self.queued.reverse();
        self.ask();
        true
    }

    fn asked(&mut self) -> &mut FuturesUnordered<Lookup> {
        self.asked.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&mut self) {
        while self.asked().len() < self.limits.concurrency
            && let Some(question) = self.queued.pop()
        {
            let dns = self.dns.clone();
            self.asked().push(Box::pin(async move {
                let response = dns.lookup(&question).await;
                (question, response)
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mailproof_dns::Zone;

    use super::*;

    /// Reads names one after the other; how many are there.
    fn chain(depth: usize) -> impl Fn(&Answers) -> Result<usize, Missing> {
        move |answers| {
            let mut there = 0;
            for index in 0..depth {
                let question = Question::txt(format!("n{index}.example").parse().unwrap());
                there += usize::from(answers.require(&question)?.failure().is_none());
            }
            Ok(there)
        }
    }

    #[tokio::test]
    async fn what_is_foreseen_and_what_is_not_share_a_budget() {
        let zone = || {
            let zone = Zone::parse("n0.example TXT yes").unwrap();
            Dns::zone(zone, &Arc::default())
        };
        for (foreseen, rounds, found) in [(0, 40, 40), (10, 40, 40), (40, 41, 40), (60, 60, 40)] {
            let mut ahead = Ahead::new(zone());
            ahead.run(|answers| chain(foreseen)(answers).map(|_| ())).await;
            let patience = Duration::from_secs(1);
            assert_eq!(ahead.finish(patience, chain(rounds)).await, found, "{foreseen} {rounds}");
        }
    }
}
