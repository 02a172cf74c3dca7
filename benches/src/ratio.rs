//! Ratios of times measured in turns.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

/// The time one sample should take: long against the clock, short against the noise.
const SAMPLE: Duration = Duration::from_millis(2);
/// The time one row should take for each of its sides, unless the environment says otherwise.
const ROW: Duration = Duration::from_millis(1500);
/// At least as many rounds, however slow a side is.
const ROUNDS: usize = 15;

/// A table of ratios, printed row by row as they are measured (Markdown).
#[derive(Debug)]
pub struct Table {
    title: String,
    header_printed: bool,
}

impl Table {
    /// A table whose rows are compared with a limit of this name.
    #[must_use]
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), header_printed: false }
    }

    /// A row: `limit` is what its sides are compared with.
    pub fn row<'a>(&'a mut self, name: &str, limit: impl FnMut() + 'a) -> Row<'a> {
        Row { table: self, name: name.to_owned(), limit: Box::new(limit), sides: Vec::new() }
    }
}

/// One row of a [`Table`].
pub struct Row<'a> {
    table: &'a mut Table,
    name: String,
    limit: Box<dyn FnMut() + 'a>,
    sides: Vec<(String, Box<dyn FnMut() + 'a>)>,
}

impl<'a> Row<'a> {
    /// Adds an operation to compare with the limit.
    #[must_use]
    pub fn side(mut self, name: &str, operation: impl FnMut() + 'a) -> Self {
        self.sides.push((name.to_owned(), Box::new(operation)));
        self
    }

    /// Measures and prints. Per side: the time as a multiple of the limit, the middle half of the
    /// rounds in brackets, and the speed as a share of the limit.
    pub fn measure(mut self) {
        let limit_repeats = repeats(&mut *self.limit);
        let side_repeats: Vec<usize> =
            self.sides.iter_mut().map(|(_, operation)| repeats(&mut **operation)).collect();

        let mut ratios = vec![Vec::new(); self.sides.len()];
        let mut times = vec![Vec::new(); self.sides.len()];
        let mut limits = Vec::new();
        let end = Instant::now() + row_time() * u32::try_from(self.sides.len() + 1).unwrap_or(2);
        while limits.len() < ROUNDS || Instant::now() < end {
            // Every side is measured next to its own run of the limit, first or second in turn.
            for (at, (_, operation)) in self.sides.iter_mut().enumerate() {
                let limit_first = limits.len() % 2 == 0;
                let before = limit_first.then(|| time(&mut *self.limit, limit_repeats));
                let side = time(&mut **operation, side_repeats[at]);
                let limit = before.unwrap_or_else(|| time(&mut *self.limit, limit_repeats));
                ratios[at].push(side / limit);
                times[at].push(side);
                limits.push(limit);
            }
        }
        self.print(&mut limits, &mut ratios, &mut times);
    }

    fn print(self, limits: &mut [f64], ratios: &mut [Vec<f64>], times: &mut [Vec<f64>]) {
        if !self.table.header_printed {
            println!(
                "\n| {} | limit | side | time | × limit | middle half | % of limit |",
                self.table.title
            );
            println!("|---|--:|---|--:|--:|--:|--:|");
            self.table.header_printed = true;
        }
        let limit = quantile(limits, 0.5);
        for (at, (side, _)) in self.sides.iter().enumerate() {
            let ratio = quantile(&mut ratios[at], 0.5);
            println!(
                "| {} | {} | {side} | {} | **{ratio:.3}** | {:.3}–{:.3} | {:.0} % |",
                self.name,
                seconds(limit),
                seconds(quantile(&mut times[at], 0.5)),
                quantile(&mut ratios[at], 0.25),
                quantile(&mut ratios[at], 0.75),
                100.0 / ratio,
            );
        }
    }
}

/// The time for one side of a row; `MAILPROOF_BENCH_MS` sets it.
fn row_time() -> Duration {
    let milliseconds = std::env::var("MAILPROOF_BENCH_MS").ok().and_then(|ms| ms.parse().ok());
    milliseconds.map_or(ROW, Duration::from_millis)
}

/// How often to repeat an operation to fill a sample. The first runs also warm it up.
fn repeats(operation: &mut dyn FnMut()) -> usize {
    let mut repeats = 1;
    loop {
        let start = Instant::now();
        (0..repeats).for_each(|_| operation());
        if start.elapsed() >= SAMPLE / 2 {
            return repeats;
        }
        repeats *= 2;
    }
}

/// Seconds of this thread on a processor for one run: what neighbours take does not count.
fn time(operation: &mut dyn FnMut(), repeats: usize) -> f64 {
    let start = on_processor();
    (0..repeats).for_each(|_| operation());
    (on_processor() - start) / repeats as f64
}

fn on_processor() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len().saturating_sub(1) as f64 * part).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_quarters() {
        let mut values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(quantile(&mut values, 0.5), 3.0);
        assert_eq!(quantile(&mut values, 0.25), 2.0);
        assert!(quantile(&mut [], 0.5).is_nan());
    }
}
