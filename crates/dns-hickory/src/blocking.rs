//! For callers without a runtime.

use std::io;

use mailproof_dns::{Answers, Limits, Missing, Question, Resolver, Response, resolve_with};
use tokio::runtime::{Builder, Runtime};

use crate::HickoryResolver;

/// A [`HickoryResolver`] with a runtime of its own on the calling thread.
///
/// It must not be used, nor dropped, within an async runtime.
#[derive(Debug)]
pub struct BlockingResolver {
    runtime: Runtime,
    resolver: HickoryResolver,
}

impl BlockingResolver {
    /// Gives the resolver a runtime.
    ///
    /// # Errors
    /// The system has no means of waiting for I/O left.
    pub fn new(resolver: HickoryResolver) -> io::Result<BlockingResolver> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(BlockingResolver { runtime, resolver })
    }

    /// The response to `question`.
    pub fn lookup(&self, question: &Question) -> Response {
        self.runtime.block_on(self.resolver.lookup(question))
    }

    /// Calls `function` until it has an outcome ([`mailproof_dns::resolve`]).
    pub fn resolve<T>(&self, function: impl FnMut(&Answers) -> Result<T, Missing>) -> T {
        self.resolve_with(&mut Answers::new(), &Limits::default(), function)
    }

    /// As [`BlockingResolver::resolve`], with the answers known before (and kept after) and the
    /// limits named ([`mailproof_dns::resolve_with`]).
    pub fn resolve_with<T>(
        &self,
        answers: &mut Answers,
        limits: &Limits,
        function: impl FnMut(&Answers) -> Result<T, Missing>,
    ) -> T {
        self.runtime.block_on(resolve_with(&self.resolver, answers, limits, function))
    }
}
