//! The program `check-dns`: 10,000 domains from a name server on this computer, against the bare
//! questions sent to the same server; and one healthy domain from a zone file, start-up included.
//!
//! `cargo build --release -p mailproof-cli --bin check-dns` first, then
//! `cargo bench --bench check_dns`. `CHECK_DNS` names another program.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use mailproof::dns::{Question, Zone};
use mailproof_testkit::{Behaviour, Server};

const DOMAINS: usize = 10_000;
const RUNS: u32 = 300;

fn main() {
    let program = env::var_os("CHECK_DNS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/check-dns"),
        PathBuf::from,
    );
    assert!(program.is_file(), "{} is not built", program.display());
    one_healthy_domain(&program);
    ten_thousand(&program, Duration::ZERO);
    ten_thousand(&program, Duration::from_millis(20));
}

fn one_healthy_domain(program: &Path) {
    let zone = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/records/tool/healthy.zone");
    let run = |arguments: &[&str]| {
        let status = Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the program runs");
        assert_eq!(status.code(), Some(0));
    };
    let zone = zone.to_str().expect("a path");
    for (what, arguments) in [
        ("--version", &["--version"][..]),
        ("one healthy domain", &["--zone", zone, "--offline", "--selector", "s2026"]),
    ] {
        run(arguments);
        let (before, begin) = (cpu_of_children(), Instant::now());
        (0..RUNS).for_each(|_| run(arguments));
        let cpu = (cpu_of_children() - before) / f64::from(RUNS) * 1e3;
        let wall = begin.elapsed().as_secs_f64() / f64::from(RUNS) * 1e3;
        println!("{what}: {cpu:.2} ms of processor time, {wall:.2} ms in all");
    }
}

/// The processor time of the processes that have ended, in seconds.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
    // proc(5): cutime and cstime are the fields 16 and 17; a hundred ticks are a second.
    (ticks(13) + ticks(14)) / 100.0
}

fn ten_thousand(program: &Path, delay: Duration) {
    let mut zone = String::from(
        "*.d.example. TXT \"v=spf1 mx include:_spf.provider.example -all\"\n\
         *.d.example. MX 10 mx.provider.example.\n\
         _spf.provider.example. TXT \"v=spf1 ip4:192.0.3.0/24 -all\"\n\
         mx.provider.example. A 192.0.3.1\n\
         mx.provider.example. TXT \"v=spf1 a -all\"\n",
    );
    let mut list = String::new();
    for number in 0..DOMAINS {
        let _ = writeln!(list, "n{number}.d.example");
        let _ = writeln!(
            zone,
            "_dmarc.n{number}.d.example. TXT \"v=DMARC1; p=reject; rua=mailto:a@n{number}.d.example\""
        );
    }
    let behaviour = Behaviour { delay, ..Behaviour::default() };
    let zone = Zone::parse(&zone).expect("the zone is one");
    let server = Server::start_with(zone, behaviour).expect("a server");
    let home = env::temp_dir().join(format!("check-dns-{}", std::process::id()));
    fs::write(&home, list).expect("a list");
    let begin = Instant::now();
    let mut child = Command::new(program)
        .args(["--nameserver", &server.address().to_string(), "--format", "jsonl", "--domains"])
        .arg(&home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut memory = 0;
    let mut count = 0;
    let status = format!("/proc/{}/status", child.id());
    for line in lines {
        assert!(line.is_ok());
        count += 1;
        if count % 500 == 0 {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|peak| peak.split_ascii_whitespace().next()?.parse().ok());
            memory = memory.max(peak.unwrap_or(0_u64));
        }
    }
    let before = cpu_of_children();
    child.wait().expect("it ends");
    let cpu = cpu_of_children() - before;
    let wall = begin.elapsed().as_secs_f64();
    let _ = fs::remove_file(&home);
    assert_eq!(count, DOMAINS);
    let questions: Vec<Question> =
        server.asked().into_iter().map(|(_, question)| question).collect();
    let bare = bare(&server, &questions);
    println!(
        "{DOMAINS} domains, answers after {} ms: {wall:.1} s, {} questions, {:.0} a second, \
         {cpu:.1} s of processor time, {:.1} MB; the bare questions {bare:.1} s, times {:.2}",
        delay.as_millis(),
        questions.len(),
        questions.len() as f64 / wall,
        memory as f64 / 1024.0,
        wall / bare,
    );
}

/// The time the server needs for the questions alone: 256 on their way, nothing read of the
/// answers.
fn bare(server: &Server, questions: &[Question]) -> f64 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(server.address()).expect("an address");
    socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a time");
    let begin = Instant::now();
    let mut answer = [0; 65_535];
    let mut under_way = 0;
    for (number, question) in questions.iter().enumerate() {
        if under_way == 256 && socket.recv(&mut answer).is_ok() {
            under_way -= 1;
        }
        socket.send(&query(number, question)).expect("it is sent");
        under_way += 1;
    }
    let mut end = Instant::now();
    while under_way > 0 && socket.recv(&mut answer).is_ok() {
        under_way -= 1;
        end = Instant::now();
    }
    (end - begin).as_secs_f64()
}

/// RFC 1035 4.1: a query with recursion desired.
fn query(number: usize, question: &Question) -> Vec<u8> {
    let id = (number as u16).to_be_bytes();
    let mut query = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in question.name.labels() {
        query.push(label.len() as u8);
        query.extend_from_slice(label);
    }
    query.push(0);
    query.extend_from_slice(&question.rtype.code().to_be_bytes());
    query.extend_from_slice(&[0, 1]);
    query
}
