//! Answers from name servers.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use mailproof_dns::{Answers, Limits, Missing, resolve_with};
use mailproof_dns_hickory::{HickoryResolver, Limits as QueryLimits, NameServer};
use tokio::runtime::{Builder, Runtime};

use crate::dns_options::DnsOptions;
use crate::exit::Trouble;

/// How many queries are under way at a time.
const CONCURRENCY: usize = 64;

/// A resolver that asks the `name_servers`, or those of the system if there are none, within these
/// limits.
///
/// # Errors
/// There is nobody to ask, in a sentence that says what to do.
pub fn resolver(
    name_servers: &[NameServer],
    limits: &QueryLimits,
) -> Result<HickoryResolver, String> {
    let resolver = if name_servers.is_empty() {
        HickoryResolver::system(limits)
    } else {
        HickoryResolver::with_name_servers(name_servers, limits)
    };
    resolver.map_err(|error| format!("{error}; name one with --nameserver, or give a --zone file"))
}

/// The name servers, not asked yet or with a resolver set up.
#[derive(Debug)]
pub(crate) struct Network {
    name_servers: Vec<NameServer>,
    /// For all answers about one input.
    timeout: Duration,
    /// For one answer.
    query_timeout: Duration,
    resolver: Option<(Runtime, HickoryResolver)>,
}

impl Network {
    pub(crate) fn new(options: &DnsOptions) -> Network {
        Network {
            name_servers: options.nameserver.clone(),
            timeout: options.timeout,
            query_timeout: options.query_timeout,
            resolver: None,
        }
    }

    fn set_up(&self) -> Result<(Runtime, HickoryResolver), Trouble> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Trouble::Usage(format!("cannot wait for the network: {error}")))?;
        let limits = QueryLimits { timeout: self.query_timeout, ..QueryLimits::default() };
        let resolver = resolver(&self.name_servers, &limits).map_err(Trouble::Usage)?;
        Ok((runtime, resolver))
    }

    fn resolver(&mut self) -> Result<&(Runtime, HickoryResolver), Trouble> {
        if self.resolver.is_none() {
            self.resolver = Some(self.set_up()?);
        }
        self.resolver.as_ref().ok_or_else(|| Trouble::Usage("no resolver".into()))
    }

    pub(crate) fn resolve<T>(
        &mut self,
        function: impl FnMut(&Answers) -> Result<T, Missing>,
    ) -> Result<(T, Answers), Trouble> {
        let timeout = self.timeout;
        let (runtime, resolver) = self.resolver()?;
        let resolver = resolver.until(Instant::now() + timeout);
        let (mut answers, limits) = (Answers::new(), Limits::default());
        let outcome = runtime.block_on(resolve_with(&resolver, &mut answers, &limits, function));
        Ok((outcome, answers))
    }

    pub(crate) fn resolve_each<Q, T>(
        &mut self,
        queries: &[Q],
        function: impl Fn(&Q, &Answers) -> Result<T, Missing>,
    ) -> Result<Vec<(T, Answers)>, Trouble> {
        let timeout = self.timeout;
        let (runtime, resolver) = self.resolver()?;
        let function = &function;
        let each = stream::iter(queries).map(|query| async move {
            let resolver = resolver.until(Instant::now() + timeout);
            let (mut answers, limits) = (Answers::new(), Limits::default());
            let function = |answers: &Answers| function(query, answers);
            let outcome = resolve_with(&resolver, &mut answers, &limits, function).await;
            (outcome, answers)
        });
        Ok(runtime.block_on(each.buffered(CONCURRENCY).collect()))
    }
}
