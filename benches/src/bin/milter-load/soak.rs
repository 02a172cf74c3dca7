//! Many messages of all kinds, and one that is large: memory stays, and no reply is wrong.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::daemon::{Daemon, Home};
use crate::load::{Load, Until};
use crate::mail::{End, Expected, Mail, Mails};
use crate::{Options, Wrong, process};

/// What the daemon may have, in MiB.
const MOST: f64 = 64.0;
/// What memory may grow from the second quarter of the run to the last, in MiB.
const GROWTH: f64 = 2.0;

pub(crate) fn soak(home: &Home, mails: &Mails, options: &Options, wrong: &mut Wrong) {
    let more = "[policy.dmarc]\nreject = \"reject\"\n";
    let daemon = match Daemon::mailproofd(home, "soak", &options.mailproofd, more) {
        Ok(daemon) => daemon,
        Err(error) => return wrong.say(format!("soak: {error}")),
    };
    mixed(&daemon, mails, options, wrong);
    large(&daemon, mails, wrong);
}

fn mixed(daemon: &Daemon, mails: &Mails, options: &Options, wrong: &mut Wrong) {
    let pass = ["spf=pass", "dkim=pass", "dmarc=pass"];
    let temporary = Expected::new(b'a', &["spf=temperror", "dmarc=temperror"]);
    let too_large = || Expected::new(b'y', &["5.3.4"]);
    let good = mails.good(&pass);
    let (mut aborted, mut broken) = (good.clone(), good.clone());
    (aborted.end, broken.end) = (End::Abort, End::Break);
    // Eleven kinds, the usual ones more often.
    let all: Vec<Mail> = vec![
        good.clone(),
        mails.tampered(),
        mails.forged(),
        good.clone(),
        mails.forged_results(),
        aborted,
        good.clone(),
        mails.own(),
        broken,
        mails.of("down.example", b"<a@down.example>", temporary),
        good.clone(),
        mails.large(200_000),
        mails.header(40, 2_000, Expected::new(b'a', &pass)),
        good,
        mails.header(3_000, 10, too_large()),
        mails.tampered(),
        mails.forged(),
    ];
    let load = Load {
        socket: &daemon.socket,
        pid: daemon.pid(),
        mails: &all,
        connections: 16,
        kept: 5,
        until: Until::Messages(options.soak),
    };
    let stop = AtomicBool::new(false);
    let (figures, memory) = thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut memory = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                memory.push(process::memory(daemon.pid()));
                thread::sleep(Duration::from_millis(50));
            }
            memory
        });
        let figures = load.run();
        stop.store(true, Ordering::Relaxed);
        (figures, sampler.join().unwrap_or_default())
    });
    let quarter = |number: usize| {
        let part = memory.chunks(memory.len().div_ceil(4)).nth(number).unwrap_or_default();
        part.iter().copied().fold(0.0, f64::max)
    };
    println!("\n## {} messages of 11 kinds, 16 connections\n", figures.messages);
    println!(
        "{:.0} messages/s, {:.0} µs each; p50 {:.2} ms, p99 {:.2} ms; {} wrong or lost; memory in \
         the four quarters of the time at most {:.1}, {:.1}, {:.1}, {:.1} MiB.",
        figures.rate(),
        figures.cost(),
        figures.quantile(0.5),
        figures.quantile(0.99),
        figures.wrong.len(),
        quarter(0),
        quarter(1),
        quarter(2),
        quarter(3),
    );
    wrong.take("soak", &figures);
    if figures.messages != options.soak {
        wrong.say(format!("soak: {} messages of {}", figures.messages, options.soak));
    }
    let peak = process::peak(daemon.pid());
    if peak > MOST {
        wrong.say(format!("soak: {peak:.1} MiB of memory"));
    }
    if quarter(3) > quarter(1) + GROWTH {
        wrong.say("soak: memory grows".into());
    }
}

/// A message of 50 MB: the memory before, at most, and after.
fn large(daemon: &Daemon, mails: &Mails, wrong: &mut Wrong) {
    let mail = mails.large(50_000_000);
    let pid = daemon.pid();
    let before = process::memory(pid);
    process::forget_peak(pid);
    let load = Load {
        socket: &daemon.socket,
        pid,
        mails: &[mail],
        connections: 1,
        kept: 1,
        until: Until::Messages(3),
    };
    let figures = load.run();
    println!(
        "\nA message of 50 MB: {:.0} MB/s, {:.0} ms of the daemon's time; memory {before:.1} MiB \
         before, {:.1} at most, {:.1} after.",
        50.0 * figures.rate(),
        figures.cost() / 1e3,
        process::peak(pid),
        process::memory(pid),
    );
    wrong.take("50 MB", &figures);
    if process::peak(pid) > before + GROWTH {
        wrong.say("a large message needs more memory".into());
    }
}
