//! Peers that misbehave, while others send good messages: what the others notice.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use mailproof_benches::dkim::Rsa;
use mailproof_milter::{Client, Packet};

use crate::daemon::{Daemon, Home};
use crate::load::{Load, Until};
use crate::mail::{Expected, Mails};
use crate::{Options, Wrong, process};

/// Somebody who does harm, until it is true; how often is counted.
type Harm = fn(&Daemon, &AtomicBool, &AtomicUsize);

pub(crate) fn trouble(home: &Home, mails: &Mails, options: &Options, wrong: &mut Wrong) {
    let daemon = match Daemon::mailproofd(home, "trouble", &options.mailproofd, "") {
        Ok(daemon) => daemon,
        Err(error) => return wrong.say(format!("trouble: {error}")),
    };
    let good = [mails.good(&["spf=pass", "dkim=pass", "dmarc=pass"])];
    println!("\n## Others misbehave while 8 connections send good messages\n");
    println!("| | how often | messages/s | p50 ms | p99 ms | log lines of it | memory MiB |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    let harms: [(&str, Harm); 7] = [
        ("nobody", |_, _, _| {}),
        ("garbage, then closed", garbage),
        ("200 silent connections", silent),
        ("50 connections, an octet each 10 ms", slow),
        ("10,000 header fields", many_fields),
        ("a name server that is silent", no_answer),
        ("nobody", |_, _, _| {}),
    ];
    // Lines for a good message.
    let mut usual = None;
    for (name, harm) in harms {
        let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
        let lines = daemon.log_lines();
        let figures = thread::scope(|scope| {
            let harmful = scope.spawn(|| harm(&daemon, &stop, &count));
            thread::sleep(Duration::from_millis(300));
            let load = Load {
                socket: &daemon.socket,
                pid: daemon.pid(),
                mails: &good,
                connections: 8,
                kept: 1,
                until: Until::Time(Duration::from_secs_f64(options.seconds)),
            };
            let figures = load.run();
            stop.store(true, Ordering::Relaxed);
            if harmful.join().is_err() {
                wrong.say(format!("trouble: {name}: the peer itself is broken"));
            }
            figures
        });
        // The log is written behind.
        thread::sleep(Duration::from_millis(100));
        let lines = daemon.log_lines() - lines;
        let usual = *usual.get_or_insert(lines / figures.messages.max(1));
        let lines = lines.saturating_sub(usual * figures.messages);
        let count = count.load(Ordering::Relaxed);
        println!(
            "| {name} | {count} | {:.0} | {:.2} | {:.2} | {lines} | {:.0} |",
            figures.rate(),
            figures.quantile(0.5),
            figures.quantile(0.99),
            process::memory(daemon.pid()),
        );
        wrong.take(name, &figures);
        if lines > count * usual.max(1) + 1 {
            wrong.say(format!("trouble: {name}: {lines} lines in the log"));
        }
    }
}

fn garbage(daemon: &Daemon, stop: &AtomicBool, count: &AtomicUsize) {
    let texts = [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\0\0\0", b"\0\0\0\x01B", &[0xff; 5000]];
    for text in texts.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let mut stream = UnixStream::connect(&daemon.socket).expect("it listens");
        let _ = stream.write_all(text);
        let closed = stream.read(&mut [0; 64]);
        assert!(!matches!(closed, Ok(1..)), "garbage is answered");
        count.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(2));
    }
}

fn silent(daemon: &Daemon, stop: &AtomicBool, count: &AtomicUsize) {
    let start = begin();
    let streams: Vec<UnixStream> = (0..200)
        .map(|number| {
            let mut stream = UnixStream::connect(&daemon.socket).expect("it listens");
            // Half a packet, or none.
            let _ = stream.write_all(&start[..number % 5]);
            count.fetch_add(1, Ordering::Relaxed);
            stream
        })
        .collect();
    wait(stop);
    drop(streams);
}

fn slow(daemon: &Daemon, stop: &AtomicBool, count: &AtomicUsize) {
    let mut octets = begin();
    Packet::Helo(&[b'x'; 5000]).encode(&mut octets);
    let mut streams: Vec<UnixStream> =
        (0..50).map(|_| UnixStream::connect(&daemon.socket).expect("it listens")).collect();
    for octet in octets {
        for stream in &mut streams {
            let _ = stream.write_all(&[octet]);
            count.fetch_add(1, Ordering::Relaxed);
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    wait(stop);
}

fn many_fields(daemon: &Daemon, stop: &AtomicBool, count: &AtomicUsize) {
    let mails = Mails::new(Rsa::new(), 1_000, None);
    let many = mails.header(10_000, 10, Expected::new(b'y', &["5.3.4"]));
    repeat(daemon, &[many], 1, stop, count);
}

fn no_answer(daemon: &Daemon, stop: &AtomicBool, count: &AtomicUsize) {
    let mails = Mails::new(Rsa::new(), 1_000, None);
    let temporary = Expected::new(b'a', &["spf=temperror", "dmarc=temperror"]);
    let dead = mails.of("dead.example", b"<a@dead.example>", temporary);
    repeat(daemon, &[dead], 100, stop, count);
}

fn repeat(
    daemon: &Daemon,
    mails: &[crate::mail::Mail],
    connections: usize,
    stop: &AtomicBool,
    count: &AtomicUsize,
) {
    let socket: &Path = &daemon.socket;
    let until = Until::Messages(connections);
    while !stop.load(Ordering::Relaxed) {
        let load = Load { socket, pid: daemon.pid(), mails, connections, kept: 1, until };
        let figures = load.run();
        assert!(figures.wrong.is_empty(), "{:?}", figures.wrong.first());
        count.fetch_add(figures.messages, Ordering::Relaxed);
    }
}

/// The first packet of a connection.
fn begin() -> Vec<u8> {
    let mut octets = Vec::new();
    let mut client = Client::new();
    client.send(&Packet::Negotiate(client.offer()), &mut octets);
    octets
}

fn wait(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
    }
}
