//! The table: each daemon at each number of connections, round by round, the best of each.

use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Home};
use crate::load::{Figures, Load, Until, on_processor};
use crate::mail::{Mail, Mails};
use crate::policyd::Policyds;
use crate::{Options, Wrong, process};

/// How many messages a kept connection carries.
const KEPT: usize = 50;

struct Row {
    name: &'static str,
    peer: Peer,
    cells: Vec<Cell>,
}

enum Peer {
    Milter(Daemon, Mail),
    Policy(Policyds),
}

/// The best of all rounds.
struct Cell {
    connections: usize,
    kept: usize,
    rate: f64,
    cost: f64,
    client: f64,
    median: f64,
    late: f64,
}

impl Cell {
    fn new(connections: usize, kept: usize) -> Cell {
        let worst = f64::INFINITY;
        Cell {
            connections,
            kept,
            rate: 0.0,
            cost: worst,
            client: worst,
            median: worst,
            late: worst,
        }
    }

    fn take(&mut self, figures: &Figures) {
        self.rate = self.rate.max(figures.rate());
        self.cost = self.cost.min(figures.cost());
        let client = figures.client / figures.messages.max(1) as f64 * 1e6;
        self.client = self.client.min(client);
        self.median = self.median.min(figures.quantile(0.5));
        self.late = self.late.min(figures.quantile(0.99));
    }
}

pub(crate) fn table(home: &Home, mails: &mut Mails, options: &Options, wrong: &mut Wrong) {
    let mut rows = start(home, mails, options);
    let (mut verify, mut sign) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..options.rounds {
        let rsa = mails.rsa();
        verify = verify.min(time(|| rsa.bare_verify()));
        sign = sign.min(time(|| rsa.bare_sign()));
        for row in &mut rows {
            for cell in &mut row.cells {
                let time = Duration::from_secs_f64(options.seconds);
                let figures = match &mut row.peer {
                    Peer::Milter(daemon, mail) => Load {
                        socket: &daemon.socket,
                        pid: daemon.pid(),
                        mails: std::slice::from_ref(mail),
                        connections: cell.connections,
                        kept: cell.kept,
                        until: Until::Time(time),
                    }
                    .run(),
                    Peer::Policy(all) => all.run(cell.connections, time),
                };
                wrong.take(row.name, &figures);
                cell.take(&figures);
            }
            if let Peer::Milter(daemon, _) = &mut row.peer
                && let Some(end) = daemon.end()
            {
                wrong.say(format!("{}: {end}", row.name));
            }
        }
    }
    print(&rows, options);
    compare(&rows, verify, sign);
}

fn start(home: &Home, mails: &Mails, options: &Options) -> Vec<Row> {
    let spf_dkim_dmarc = ["spf=pass", "dkim=pass", "dmarc=pass"];
    let words: &[&'static str] = if options.message.is_some() { &[] } else { &spf_dkim_dmarc };
    let ours = |name| Daemon::mailproofd(home, name, &options.mailproofd, "");
    let milter = |daemon, mail| Ok(Peer::Milter(daemon, mail));
    let most = options.connections.iter().copied().max().unwrap_or(1);
    type Starter<'a> = Box<dyn Fn() -> Result<Peer, String> + 'a>;
    let starters: Vec<(&'static str, Starter<'_>)> = vec![
        ("mailproofd verify", Box::new(|| milter(ours("verify")?, mails.good(words)))),
        ("mailproofd sign", Box::new(|| milter(ours("sign")?, mails.own()))),
        (
            "opendkim verify",
            Box::new(|| {
                let daemon = Daemon::opendkim(home, "dkim-v", "v", mails.record())?;
                milter(daemon, mails.good(&["dkim=pass"]))
            }),
        ),
        (
            "opendkim sign",
            Box::new(|| {
                let daemon = Daemon::opendkim(home, "dkim-s", "s", mails.record())?;
                milter(daemon, mails.own())
            }),
        ),
        (
            "opendmarc",
            Box::new(|| milter(Daemon::opendmarc(home, "dmarc")?, mails.verified(&["dmarc=pass"]))),
        ),
        ("policyd-spf", Box::new(|| Ok(Peer::Policy(Policyds::start(home, most.min(8))?)))),
    ];
    let mut rows = Vec::new();
    for (name, start) in starters.into_iter().filter(|it| it.0.contains(&options.only)) {
        match start() {
            Ok(peer) => {
                let mut cells: Vec<Cell> =
                    options.connections.iter().map(|it| Cell::new(*it, 1)).collect();
                match peer {
                    Peer::Milter(..) => cells.push(Cell::new(8, KEPT)),
                    Peer::Policy(_) => cells.retain(|it| it.connections <= 8),
                }
                rows.push(Row { name, peer, cells });
            }
            Err(error) => println!("\n*** {name} IS LEFT OUT: {error} ***\n"),
        }
    }
    rows
}

/// Microseconds of processor time, the least of many.
fn time(mut operation: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    let end = Instant::now() + Duration::from_millis(300);
    while Instant::now() < end {
        let begin = on_processor();
        (0..20).for_each(|_| operation());
        least = least.min((on_processor() - begin) / 20.0 * 1e6);
    }
    least
}

fn print(rows: &[Row], options: &Options) {
    println!(
        "\n## Messages a second, processor time, latency; the best of {} rounds of {} s\n",
        options.rounds, options.seconds
    );
    println!(
        "| daemon | connections | messages/s | daemon µs/message | client µs/message | p50 ms | \
         p99 ms | memory MiB |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for row in rows {
        let memory = match &row.peer {
            Peer::Milter(daemon, _) => process::peak(daemon.pid()),
            Peer::Policy(all) => all.memory(),
        };
        for cell in &row.cells {
            let kept = if cell.kept > 1 { ", kept" } else { "" };
            println!(
                "| {} | {}{kept} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {memory:.0} |",
                row.name,
                cell.connections,
                cell.rate,
                cell.cost,
                cell.client,
                cell.median,
                cell.late
            );
        }
    }
}

/// What must hold.
fn compare(rows: &[Row], verify: f64, sign: f64) {
    let cell = |name: &str, connections| {
        let row = rows.iter().find(|row| row.name == name)?;
        row.cells.iter().find(|cell| cell.connections == connections && cell.kept == 1)
    };
    println!("\n## Against the goals\n");
    println!("Bare RSA-2048: verify {verify:.1} µs, sign {sign:.1} µs.\n");
    println!("| | measured | goal | |\n|---|--:|--:|---|");
    let line = |what: &str, measured: f64, goal: &str, is_met: bool| {
        println!(
            "| {what} | {measured:.2} | {goal} | {} |",
            if is_met { "met" } else { "NOT met" }
        );
    };
    if let Some(ours) = cell("mailproofd verify", 8) {
        line("verify, daemon µs/message, 8 connections", ours.cost, "≤ 200", ours.cost <= 200.0);
        line("the same, times the bare RSA verification", ours.cost / verify, "", true);
        let old = ["opendkim verify", "opendmarc", "policyd-spf"];
        let old: Option<f64> = old.iter().map(|it| Some(cell(it, 8)?.cost)).sum();
        if let Some(old) = old {
            line("opendkim + opendmarc + policyd-spf, times ours", old / ours.cost, "", true);
        }
    }
    for connections in [8, 64] {
        let pair = (cell("mailproofd verify", connections), cell("opendkim verify", connections));
        if let (Some(ours), Some(old)) = pair {
            let ratio = ours.rate / old.rate;
            let what = format!("verify, messages/s, {connections} connections, times opendkim");
            line(&what, ratio, "≥ 4", ratio >= 4.0);
        }
    }
    if let Some(ours) = cell("mailproofd verify", 64) {
        line("verify, p99 ms, 64 connections", ours.late, "≤ 10", ours.late <= 10.0);
    }
    if let Some(ours) = cell("mailproofd sign", 8) {
        let ratio = ours.cost / sign;
        line("sign, times the bare RSA signature", ratio, "≤ 1.2", ratio <= 1.2);
    }
    if let (Some(ours), Some(old)) = (cell("mailproofd sign", 8), cell("opendkim sign", 8)) {
        line("sign, messages/s, times opendkim", ours.rate / old.rate, "", true);
    }
}
