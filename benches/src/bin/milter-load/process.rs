//! What a process has used, from `/proc`.

use std::fs;

/// proc(5): the clock of `stat` ticks a hundred times a second. The kernel scales both counters so
/// that their sum is the exact time, of threads that have ended too.
const TICKS: f64 = 100.0;

/// The seconds of processor time that it has used.
pub(crate) fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|it| it.1.split_ascii_whitespace().collect()).unwrap_or_default();
    // utime and stime are the fields 14 and 15; the two before the parenthesis are not counted.
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}

/// The memory it has, in MiB.
pub(crate) fn memory(pid: u32) -> f64 {
    status(pid, "VmRSS:")
}

/// The most it has had since [`forget_peak`].
pub(crate) fn peak(pid: u32) -> f64 {
    status(pid, "VmHWM:")
}

/// proc(5), `clear_refs`: 5 "Reset the peak resident set size".
pub(crate) fn forget_peak(pid: u32) {
    let _where_allowed = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

fn status(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1024.0
}
