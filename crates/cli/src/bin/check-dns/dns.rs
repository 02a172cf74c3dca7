//! Where the answers come from: zone files first, and for what lies outside them a recording, the
//! network, or nobody.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use mailproof_cli::dns_options::DnsOptions;
use mailproof_cli::dns_source::read_recording;
use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_cli::network;
use mailproof_dns::{
    Answers, Failure, Limits, Missing, Name, Question, Recording, Resolver, Response, resolve_with,
};
use mailproof_dns_hickory::{HickoryResolver, Limits as QueryLimits};

use crate::workers::{self, AsyncWork};
use crate::zones::{Said, Zones, with_aliases};

/// How many questions are on their way at a time. Local choice: a resolver commonly looks for 512 or
/// 1024 answers at a time and passes over what comes beyond, and questions whose name servers are
/// silent are asked twice.
const QUESTIONS: usize = 256;
/// What of the answers is kept for the domains that follow. Local choice: what is asked for again
/// stays, names of one domain only are forgotten when the next thousands of domains come.
const KEPT: usize = 1 << 14;
const KEPT_OCTETS: usize = 12 << 20;
/// A run sees one state of the DNS: longer than any run, and in reach of the clock.
const RUN: Duration = Duration::from_secs(86_400);

/// From when on the time of an answer is noted. Local choice: a hundredth of what RFC 7208 4.6.4
/// gives to all of them.
const SLOW: Duration = Duration::from_millis(200);
/// So many domains do not keep each other waiting. Local choice.
const ALONE: usize = 8;

/// What one domain may cost. Local choice: an SPF record of ten includes has some fifty names, the
/// selectors tried and the mail exchanges with their addresses and certificates add a hundred.
const LIMITS: Limits = Limits { rounds: 64, queries: 1000, concurrency: 32, octets: 4 << 20 };

/// Everything that answers questions.
#[derive(Debug)]
pub(crate) struct Dns {
    zones: Zones,
    outside: Outside,
    /// Where the answers are to be written, and those so far.
    recording: Option<(PathBuf, Mutex<Answers>)>,
    timeout: Duration,
}

/// Who answers for what the zone files do not.
#[derive(Debug)]
enum Outside {
    Nobody,
    Recording(Recording),
    Network(Box<Network>),
}

/// The name servers, set up when the first question comes.
#[derive(Debug)]
struct Network {
    options: DnsOptions,
    resolver: OnceLock<Result<HickoryResolver, String>>,
}

impl Dns {
    /// Reads the files that the options name; the network is not touched before a question comes.
    pub(crate) fn new(
        options: &DnsOptions,
        origin: Option<&Name>,
        offline: bool,
    ) -> Result<Dns, Trouble> {
        check(options, offline)?;
        let outside = match &options.replay {
            Some(path) => Outside::Recording(read_recording(path)?),
            None if offline => Outside::Nobody,
            None => Outside::Network(Box::new(Network {
                options: options.clone(),
                resolver: OnceLock::new(),
            })),
        };
        Ok(Dns {
            zones: Zones::read(&options.zone, origin)?,
            outside,
            recording: options.record.clone().map(|path| (path, Mutex::default())),
            timeout: options.timeout,
        })
    }

    /// Whether nobody is asked for what the zone files do not say.
    pub(crate) fn asks_nobody(&self) -> bool {
        matches!(self.outside, Outside::Nobody)
    }

    pub(crate) fn zones(&self) -> &Zones {
        &self.zones
    }

    /// How many questions were sent to the network.
    pub(crate) fn sent(&self) -> usize {
        self.resolver().map_or(0, HickoryResolver::asked)
    }

    /// The resolver, if a question has come.
    fn resolver(&self) -> Option<&HickoryResolver> {
        match &self.outside {
            Outside::Network(network) => network.resolver.get()?.as_ref().ok(),
            Outside::Nobody | Outside::Recording(_) => None,
        }
    }

    /// Calls `function` for each job with somebody to ask, many jobs at a time; `done` gets the
    /// outcomes in the order of the jobs, each as soon as it and all before it are there.
    pub(crate) fn each<J: Send, T: Send>(
        &self,
        jobs: impl Iterator<Item = J>,
        function: impl AsyncFn(&J, &Asker<'_>, &mut Answers) -> T + Sync,
        mut done: impl FnMut(J, T, &Asked) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let examining = Examining { dns: self, function, under_way: AtomicUsize::new(0) };
        workers::each(jobs, OnceLock::new, examining, |(job, outcome, asked)| {
            self.keep(&asked.answers);
            done(job, outcome, &asked)
        })?;
        self.network_trouble().map_or(Ok(()), Err)
    }

    /// Keeps the answers for the recording, if one was asked for.
    fn keep(&self, answers: &Answers) {
        if let Some((_, kept)) = &self.recording {
            let new = answers.iter();
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(new.map(|(question, response)| (question.clone(), response.clone())));
        }
    }

    /// Why the resolver could not be set up, if it was needed.
    fn network_trouble(&self) -> Option<Trouble> {
        let Outside::Network(network) = &self.outside else { return None };
        let error = network.resolver.get()?.as_ref().err()?;
        Some(Trouble::Usage(error.clone()))
    }

    /// Writes the recording, if one was asked for; to be called at the end of the run.
    pub(crate) fn finish(self) -> Result<(), Trouble> {
        let Some((path, answers)) = self.recording else { return Ok(()) };
        let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        fs::write(&path, Recording::from(answers).to_string())
            .map_err(|error| Trouble::input(path.to_string_lossy(), reason(&error)))
    }
}

/// That the options do not contradict each other. Unlike elsewhere a zone file answers for its
/// zone alone, so name servers or a recording may stand beside it.
fn check(options: &DnsOptions, offline: bool) -> Result<(), Trouble> {
    let server = !options.nameserver.is_empty();
    let contradiction = match (server, offline, options.replay.is_some(), options.record.is_some())
    {
        (true, true, _, _) => "--offline and --nameserver exclude each other",
        (true, _, true, _) => {
            "--replay and --nameserver exclude each other: with a recording nothing is asked"
        }
        (_, _, true, true) => {
            "--replay and --record exclude each other: the recording exists already"
        }
        _ => return Ok(()),
    };
    Err(Trouble::Usage(contradiction.into()))
}

/// The resolver of one thread, set up when the first question comes.
type Mine = OnceLock<Option<HickoryResolver>>;

/// What was asked about a domain.
#[derive(Debug)]
pub(crate) struct Asked {
    /// How many questions were answered.
    pub(crate) lookups: usize,
    /// Those without a usable answer, in no order.
    pub(crate) failures: Vec<(Question, Failure)>,
    /// All of them, for the recording.
    answers: Answers,
}

/// The work that there is for a domain.
struct Examining<'a, F> {
    dns: &'a Dns,
    function: F,
    /// How many domains are under way.
    under_way: AtomicUsize,
}

impl<J, T, F> AsyncWork<J, Mine, (J, T, Asked)> for Examining<'_, F>
where
    F: AsyncFn(&J, &Asker<'_>, &mut Answers) -> T + Sync,
{
    async fn work(&self, mine: &Mine, job: J) -> (J, T, Asked) {
        // The time of a domain begins when those before it do not keep its questions waiting.
        if let Some(Some(resolver)) = mine.get() {
            resolver.turn().await;
        }
        // Among many domains a question waits for others, and its time says nothing.
        let is_alone = self.under_way.fetch_add(1, Ordering::Relaxed) < ALONE;
        let deadline = Instant::now() + self.dns.timeout;
        let asker = Asker { dns: self.dns, mine, deadline, is_alone, slow: Mutex::default() };
        let mut answers = Answers::new();
        let outcome = (self.function)(&job, &asker, &mut answers).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        let failures = answers.iter().filter_map(|(question, response)| {
            response.failure().map(|failure| (question.clone(), failure))
        });
        let (lookups, failures) = (answers.len(), failures.collect());
        // Whatever nobody needs any more goes here, not in the one thread that writes.
        let answers = if self.dns.recording.is_some() { answers } else { Answers::new() };
        (job, outcome, Asked { lookups, failures, answers })
    }
}

/// The answers for one domain.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    dns: &'a Dns,
    mine: &'a Mine,
    deadline: Instant,
    /// Whether few domains are under way.
    is_alone: bool,
    /// The questions whose answers took long.
    slow: Mutex<Vec<(Question, Duration)>>,
}

impl Resolver for Asker<'_> {
    async fn lookup(&self, question: &Question) -> Response {
        let (question, aliases) = match self.dns.zones.lookup(question) {
            Said::Response(response) => return response,
            Said::Elsewhere(question, aliases) => (question, aliases),
        };
        let response = match &self.dns.outside {
            Outside::Nobody => Response::Failure(Failure::NotRecorded),
            Outside::Recording(recording) => recording.lookup(&question),
            Outside::Network(network) => self.ask(network, &question).await,
        };
        with_aliases(response, aliases)
    }
}

impl Asker<'_> {
    /// Calls `function` until it has an outcome.
    pub(crate) async fn resolve<T>(
        &self,
        answers: &mut Answers,
        function: impl FnMut(&Answers) -> Result<T, Missing>,
    ) -> T {
        resolve_with(self, answers, &LIMITS, function).await
    }

    /// The questions whose answers took long, and how long.
    pub(crate) fn slow(&self) -> Vec<(Question, Duration)> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same answers, for as long again.
    pub(crate) fn anew(&self) -> Asker<'_> {
        Asker { deadline: Instant::now() + self.dns.timeout, slow: Mutex::default(), ..*self }
    }

    async fn ask(&self, network: &Network, question: &Question) -> Response {
        let timeout = Response::Failure(Failure::Timeout);
        let all = || network.resolver().as_ref().ok();
        let mine = self.mine.get_or_init(|| all().map(HickoryResolver::for_another_runtime));
        let Some(resolver) = mine else { return timeout };
        // Silence for so long, from whoever was asked, means that nobody is there.
        if resolver.silence() >= self.dns.timeout {
            return timeout;
        }
        let begun = self.is_alone.then(Instant::now);
        let response = resolver.until(self.deadline).lookup(question).await;
        let time = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        if time >= SLOW {
            let mut slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
            slow.push((question.clone(), time));
        }
        response
    }
}

impl Network {
    /// What the resolvers of all threads share, set up when the first question comes.
    fn resolver(&self) -> &Result<HickoryResolver, String> {
        let limits = QueryLimits {
            timeout: self.options.query_timeout,
            concurrency: QUESTIONS,
            cached_responses: KEPT,
            cached_octets: KEPT_OCTETS,
            kept_at_least: RUN,
            ..QueryLimits::default()
        };
        self.resolver.get_or_init(|| network::resolver(&self.options.nameserver, &limits))
    }
}
