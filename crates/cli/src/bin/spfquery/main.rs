//! `spfquery`: may this client use this domain, and why.

mod advice;
mod cli;
mod human;
mod json;
mod query;
mod trace;

use std::cell::RefCell;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble, run};
use mailproof_cli::instant::Instant;
use mailproof_cli::output::{Format, List, Output, Progress, remark};
use mailproof_spf::{Checker, Outcome, ReceivedSpf, SpfResult, Trace};

use crate::cli::Cli;
use crate::query::{Line, Lines, Query};

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;
/// How many lines of a file are answered at once; the verdicts come in the order of the lines.
const BATCH: usize = 256;
/// The exit code with `--exit-spf` when a query could not be made; 0 to 6 are results.
const NOT_ASKED: u8 = 7;

fn main() -> ExitCode {
    if let Some(done) = mailproof_cli::manual::asked::<Cli>("1") {
        return done;
    }
    let arguments: Vec<_> = cli::modern(std::env::args_os()).collect();
    let wants_spf_code = arguments.iter().any(|argument| argument == "--exit-spf");
    let cli = match Cli::try_parse_from(arguments) {
        Err(error) if error.use_stderr() && wants_spf_code => {
            // Nobody is left to be told when standard error is gone.
            let _ = error.print();
            return ExitCode::from(NOT_ASKED);
        }
        Err(error) => error.exit(),
        Ok(cli) => cli,
    };
    let mut spf_code = NOT_ASKED;
    let code = run(|| {
        let (exit, code) = spfquery(&cli)?;
        spf_code = code;
        Ok(exit)
    });
    if cli.exit_spf { ExitCode::from(spf_code) } else { code }
}

/// The exit code of the tools, and the one that `--exit-spf` asks for.
fn spfquery(cli: &Cli) -> Result<(Exit, u8), Trouble> {
    let mut run = Run {
        cli,
        source: Source::new(&cli.dns)?,
        checker: Checker::default(),
        now: cli.now.unwrap_or_else(Instant::now),
        output: Output::stdout(),
        list: (cli.format == Format::Json).then(|| List::new(SCHEMA_VERSION, "results")),
        counts: [0; 7],
        exit: Exit::Good,
        spf_code: 0,
    };
    match &cli.file {
        None => {
            let query = Query::of(cli)?;
            run.answer(&query)?;
        }
        Some(path) => run.each_line(Lines::open(path, cli.scope)?)?,
    }
    run.end()
}

/// A run of queries.
struct Run<'a> {
    cli: &'a Cli,
    source: Source,
    checker: Checker,
    now: Instant,
    output: Output,
    list: Option<List>,
    /// How many queries had each result, by its code.
    counts: [u64; 7],
    exit: Exit,
    spf_code: u8,
}

impl Run<'_> {
    fn each_line(&mut self, mut lines: Lines) -> Result<(), Trouble> {
        let mut progress = Progress::new();
        let mut done = 0;
        loop {
            let batch = lines.batch(BATCH)?;
            if batch.is_empty() {
                progress.clear();
                return Ok(());
            }
            done += batch.len();
            self.answer_batch(batch, &mut progress)?;
            self.output.flush()?;
            progress.count(format_args!("{done} queries"));
        }
    }

    fn answer_batch(&mut self, batch: Vec<Line>, progress: &mut Progress) -> Result<(), Trouble> {
        let queries: Vec<&Query> =
            batch.iter().filter_map(|(_, query)| query.as_ref().ok()).collect();
        let (receiver, now) = (self.cli.receiver.as_deref(), self.now.0);
        let checker = RefCell::new(&mut self.checker);
        let mut answers = self
            .source
            .resolve_each(&queries, |query, answers| {
                let request = query.request(receiver, now);
                checker.borrow_mut().trace(&request, answers)
            })?
            .into_iter();
        progress.clear();
        for (place, query) in &batch {
            match query {
                Ok(query) => {
                    if let Some((outcome, trace)) = answers.next() {
                        self.count(outcome.result);
                        self.print(query, Some(place), &outcome, &trace)?;
                    }
                }
                Err(reason) => self.failed(place, reason)?,
            }
        }
        Ok(())
    }

    fn answer(&mut self, query: &Query) -> Result<(), Trouble> {
        let request = query.request(self.cli.receiver.as_deref(), self.now.0);
        let checker = &mut self.checker;
        let ((outcome, trace), _) =
            self.source.resolve(|answers| checker.trace(&request, answers))?;
        self.count(outcome.result);
        self.print(query, None, &outcome, &trace)?;
        if self.list.is_none() {
            let field = ReceivedSpf::new(&request, &outcome).to_string().replace("\r\n", "\n");
            writeln!(self.output, "{field}")?;
        }
        Ok(())
    }

    fn count(&mut self, result: SpfResult) {
        let code = spf_code(result);
        if let Some(count) = self.counts.get_mut(usize::from(code)) {
            *count += 1;
        }
        self.exit = self.exit.max(exit(result));
        self.spf_code = self.spf_code.max(code);
    }

    fn print(
        &mut self,
        query: &Query,
        place: Option<&str>,
        outcome: &Outcome,
        trace: &Trace,
    ) -> Result<(), Trouble> {
        let (cli, zone) = (self.cli, self.source.zone());
        let out = &mut self.output;
        match &mut self.list {
            Some(list) => {
                let trace = cli.trace.then_some(trace);
                list.item(out, &json::Answer::new(query, outcome, trace))?;
            }
            None if place.is_some() => {
                human::line(out, query, outcome)?;
                if cli.trace {
                    trace::print(out, trace)?;
                }
            }
            None => {
                human::print(out, query, outcome, trace, zone)?;
                if cli.trace {
                    trace::print(out, trace)?;
                }
            }
        }
        Ok(())
    }

    /// A line of a file that is no query.
    fn failed(&mut self, place: &str, reason: &str) -> Result<(), Trouble> {
        let trouble = Trouble::input(place, reason);
        remark("error", &trouble);
        self.exit = Exit::Trouble;
        self.spf_code = NOT_ASKED;
        if let Some(list) = &mut self.list {
            list.item(&mut self.output, &json::Failed::new(place, reason))?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<(Exit, u8), Trouble> {
        if let Some(list) = self.list.take() {
            list.end(&mut self.output)?;
        }
        self.output.flush()?;
        if self.cli.file.is_some() {
            remark("note", human::summary(&self.counts));
        }
        self.source.finish()?;
        Ok((self.exit, self.spf_code))
    }
}

/// Only an authorized client is good.
fn exit(result: SpfResult) -> Exit {
    match result {
        SpfResult::Pass => Exit::Good,
        SpfResult::Temperror => Exit::Temporary,
        SpfResult::None
        | SpfResult::Neutral
        | SpfResult::Fail
        | SpfResult::Softfail
        | SpfResult::Permerror => Exit::Bad,
    }
}

/// The exit codes of Mail::SPF's spfquery.
fn spf_code(result: SpfResult) -> u8 {
    match result {
        SpfResult::Pass => 0,
        SpfResult::Fail => 1,
        SpfResult::Softfail => 2,
        SpfResult::Neutral => 3,
        SpfResult::Permerror => 4,
        SpfResult::Temperror => 5,
        SpfResult::None => 6,
    }
}
