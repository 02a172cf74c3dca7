//! `check_host` over answers in memory: a realistic tree, the worst the RFC allows, hostile zones,
//! and the time over a resolver with 20 ms latency.
//!
//! `cargo bench --bench spf -- --ratios` prints the tables alone.

use criterion::Criterion;
use mailproof_benches::{Table, spf};
use mailproof_dns::{Answers, Limits, Question, Resolver, Response, Zone, resolve_with};
use mailproof_spf::{Checker, check_host, parse, parse_all};
use std::hint::black_box;
use std::time::{Duration, Instant};

const LATENCY: Duration = Duration::from_millis(20);

fn main() {
    ratios();
    hostile();
    latency();
    if !std::env::args().any(|argument| argument == "--ratios") {
        let mut criterion = Criterion::default().configure_from_args();
        statistics(&mut criterion);
        criterion.final_summary();
    }
}

/// The records of the answers, in no order.
fn records(answers: &Answers) -> Vec<Vec<u8>> {
    answers
        .iter()
        .flat_map(|(_, response)| response.texts())
        .map(|txt| txt.joined().to_vec())
        .collect()
}

fn ratios() {
    let mut checker = Checker::default();
    let resolved = spf::resolve(&spf::realistic(), &mut checker);
    let (answers, records) = (&resolved.answers, records(&resolved.answers));
    let questions: Vec<&Question> = answers.iter().map(|(question, _)| question).collect();
    let mut tracer = Checker::default();
    println!("\nrealistic: {}, {:?}", resolved.outcome.result, resolved.outcome.counts);
    Table::new("SPF, against the bare look-ups in the answer set")
        .row("realistic tree", || {
            for question in &questions {
                black_box(answers.lookup(question));
            }
        })
        .side("records kept", || {
            black_box(checker.check_host(&spf::request(), answers)).ok();
        })
        .side("records parsed every time", || {
            black_box(check_host(&spf::request(), answers)).ok();
        })
        .side("with the trace", || {
            black_box(tracer.trace(&spf::request(), answers)).ok();
        })
        .side("parsing alone", || {
            for record in &records {
                black_box(parse(black_box(record))).ok();
            }
        })
        .measure();
}

/// What hostile zones cost in all: every pass, every lookup.
fn hostile() {
    println!(
        "\n| hostile zone | result | why | queries asked | counted | passes | time, all passes |"
    );
    println!("|---|---|---|--:|--:|--:|--:|");
    let unbounded = mailproof_spf::Limits {
        record_octets: usize::MAX,
        queries: u32::MAX,
        ..mailproof_spf::Limits::default()
    };
    for (limits, name) in
        [(mailproof_spf::Limits::default(), ""), (unbounded, ", RFC limits alone")]
    {
        for (zone, text) in spf::hostile().into_iter().map(|(text, zone)| (zone, text)) {
            let mut best = Duration::MAX;
            let mut resolved = spf::resolve(&zone, &mut Checker::new(limits));
            for _ in 0..20 {
                let start = Instant::now();
                resolved = spf::resolve(&zone, &mut Checker::new(limits));
                best = best.min(start.elapsed());
            }
            println!(
                "| {text}{name} | {} | {} | {} | {} | {} | {best:.1?} |",
                resolved.outcome.result,
                resolved.outcome.cause.keyword(),
                resolved.answers.len(),
                resolved.outcome.counts.queries,
                resolved.passes,
            );
        }
    }
    let errors = [&b"v=spf1"[..], &b" %".repeat(30_000)].concat();
    let start = Instant::now();
    let found = parse_all(&errors).map_or_else(|errors| errors.len(), |_| 0);
    println!("\n60 kB of syntax errors: {found} listed in {:.1?}", start.elapsed());
}

/// A resolver that takes its time.
struct Slow(Zone);

impl Resolver for Slow {
    async fn lookup(&self, question: &Question) -> Response {
        tokio::time::sleep(LATENCY).await;
        self.0.lookup(question)
    }
}

fn latency() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        return;
    };
    let (slow, request) = (Slow(spf::realistic()), spf::request());
    let (mut answers, mut checker) = (Answers::new(), Checker::default());
    let start = Instant::now();
    let outcome =
        runtime.block_on(resolve_with(&slow, &mut answers, &Limits::default(), |answers| {
            checker.check_host(&request, answers)
        }));
    println!(
        "\nOver a resolver with {LATENCY:?} latency: {} in {:.1?}, {} questions, a tree of 4 records; \
         one after the other {:.1?}.",
        outcome.result,
        start.elapsed(),
        answers.len(),
        LATENCY * outcome.counts.queries,
    );
}

fn statistics(criterion: &mut Criterion) {
    let mut checker = Checker::default();
    let resolved = spf::resolve(&spf::realistic(), &mut checker);
    criterion.bench_function("spf/realistic/kept", |bencher| {
        bencher.iter(|| checker.check_host(&spf::request(), &resolved.answers));
    });
    criterion.bench_function("spf/realistic/parsed every time", |bencher| {
        bencher.iter(|| check_host(&spf::request(), &resolved.answers));
    });
}
