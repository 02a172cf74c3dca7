//! The program `check-dns`: 10,000 domains from name servers on this computer, against the bare
//! questions sent to the same server; and one healthy domain from a zone file, start-up included.
//!
//! `cargo build --release -p mailproof-cli --bin check-dns` first, then
//! `cargo bench --bench check_dns`. `CHECK_DNS` names another program.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
    let questions = ten_thousand(&program, Duration::ZERO);
    from_programs(&program, &questions);
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
    // proc(5): cutime and cstime are the fields 16 and 17.
    cpu_of("/proc/self/stat", 13)
}

/// The sum of two fields of a process's state, in seconds; utime and stime are 14 and 15.
fn cpu_of(stat: &str, first: usize) -> f64 {
    let stat = fs::read_to_string(stat).expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<f64>().expect("a number");
    // A hundred ticks are a second.
    (ticks(first) + ticks(first + 1)) / 100.0
}

/// A domain that sends and receives through a provider, as most do, and its list of names.
fn zone() -> (String, String) {
    let mut zone = String::from(
        "$ORIGIN .\n$TTL 3600\n@ SOA ns.example. host.example. 1 3600 600 86400 60\n@ NS ns.example.\n\
         1.3.0.192.in-addr.arpa. PTR mx1.provider.example.\n\
         1.4.0.192.in-addr.arpa. PTR mx2.provider.example.\n\
         $ORIGIN example.\nns A 127.0.0.1\n\
         _spf.provider TXT \"v=spf1 ip4:192.0.3.0/24 ip4:192.0.4.0/24 -all\"\n\
         mx1.provider A 192.0.3.1\nmx2.provider A 192.0.4.1\n\
         *._report._dmarc.provider TXT \"v=DMARC1\"\n",
    );
    let mut list = String::new();
    for number in 0..DOMAINS {
        let domain = format!("n{number}.d");
        let _ = writeln!(list, "{domain}.example");
        let _ = writeln!(zone, "{domain} TXT \"v=spf1 include:_spf.provider.example -all\"");
        let _ = writeln!(zone, "{domain} MX 10 mx1.provider");
        let _ = writeln!(zone, "{domain} MX 20 mx2.provider");
        let _ = writeln!(
            zone,
            "_dmarc.{domain} TXT \"v=DMARC1; p=reject; rua=mailto:a@provider.example\""
        );
        let _ =
            writeln!(zone, "_smtp._tls.{domain} TXT \"v=TLSRPTv1; rua=mailto:a@{domain}.example\"");
    }
    (zone, list)
}

/// What a run of the program took.
struct Run {
    wall: f64,
    cpu: f64,
    /// The largest part of the memory, in MB.
    memory: f64,
}

fn run(program: &Path, server: SocketAddr, list: &Path) -> Run {
    let before = cpu_of_children();
    let begin = Instant::now();
    let mut child = Command::new(program)
        .args(["--nameserver", &server.to_string(), "--format", "jsonl", "--domains"])
        .arg(list)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let (mut memory, mut count) = (0, 0);
    let status = format!("/proc/{}/status", child.id());
    for line in lines {
        let line = line.expect("a line");
        assert!(line.contains("\"complete\":true"), "{line}");
        count += 1;
        if count % 500 == 0 {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|peak| peak.split_ascii_whitespace().next()?.parse().ok());
            memory = memory.max(peak.unwrap_or(0_u64));
        }
    }
    child.wait().expect("it ends");
    assert_eq!(count, DOMAINS);
    let (wall, cpu) = (begin.elapsed().as_secs_f64(), cpu_of_children() - before);
    Run { wall, cpu, memory: memory as f64 / 1024.0 }
}

/// The list in a file, removed when dropped.
struct List(PathBuf);

impl List {
    fn new(list: &str) -> List {
        let path = env::temp_dir().join(format!("check-dns-{}", std::process::id()));
        fs::write(&path, list).expect("a list");
        List(path)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn report(what: &str, questions: usize, run: &Run, bare: f64) {
    println!(
        "{DOMAINS} domains, {what}: {:.2} s, {questions} questions, {:.0} a second, {:.2} s of \
         processor time, {:.1} MB; the bare questions {bare:.2} s, times {:.2}",
        run.wall,
        questions as f64 / run.wall,
        run.cpu,
        run.memory,
        run.wall / bare,
    );
}

/// From a name server of the tests, that answers after a while; the questions that were asked.
fn ten_thousand(program: &Path, delay: Duration) -> Vec<Question> {
    let (zone, list) = zone();
    let behaviour = Behaviour { delay, ..Behaviour::default() };
    let zone = Zone::parse(&zone).expect("the zone is one");
    let server = Server::start_with(zone, behaviour).expect("a server");
    let list = List::new(&list);
    let run = run(program, server.address(), &list.0);
    let questions: Vec<Question> =
        server.asked().into_iter().map(|(_, question)| question).collect();
    let bare = bare(server.address(), &questions);
    let what = format!("the tests' server, answers after {} ms", delay.as_millis());
    report(&what, questions.len(), &run, bare);
    questions
}

/// A program that runs until it is dropped, and its folder, which goes with it.
struct Daemon {
    child: Child,
    home: PathBuf,
    address: SocketAddr,
}

impl Daemon {
    /// The program with a configuration that is made of its folder and its port; `None` where it
    /// is not installed.
    fn start(program: &str, config: impl Fn(&str, u16) -> String) -> Option<Daemon> {
        let address = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let address = address.expect("a port");
        let name = format!("check-dns-{program}-{}", std::process::id());
        let home = env::temp_dir().join(name);
        fs::create_dir_all(&home).expect("a folder");
        let text = config(home.to_str().expect("a path"), address.port());
        fs::write(home.join("config"), text).expect("a configuration");
        let child = Command::new(program).arg("-c").arg(home.join("config")).spawn();
        let Ok(child) = child else {
            println!("{program} is not installed: not measured");
            return None;
        };
        let daemon = Daemon { child, home, address };
        // Until it answers.
        let root = [Question::txt("example".parse().expect("a name"))];
        while bare(address, &root) == 0.0 {}
        std::thread::sleep(Duration::from_secs(1));
        Some(daemon)
    }

    /// What `work` takes, and for how much of its time this program is busy.
    fn busy<T>(&self, work: impl FnOnce() -> T) -> (T, f64) {
        let cpu = || cpu_of(&format!("/proc/{}/stat", self.child.id()), 11);
        let (before, begin) = (cpu(), Instant::now());
        let done = work();
        (done, 100.0 * (cpu() - before) / begin.elapsed().as_secs_f64())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// Knot DNS, which has the zone.
fn knot(zone: &Path) -> Option<Daemon> {
    let zone = zone.display();
    Daemon::start("knotd", |home, port| {
        format!(
            "server:\n  rundir: {home}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n\
             database:\n  storage: {home}/db\nlog:\n  - target: stderr\n    any: error\n\
             zone:\n  - domain: .\n    file: {zone}\n"
        )
    })
}

/// Unbound, a resolver that asks `authority` and has asked nothing yet.
fn unbound(authority: SocketAddr) -> Option<Daemon> {
    let authority = authority.port();
    Daemon::start("unbound", |home, port| {
        format!(
            "server:\n  num-threads: 1\n  interface: 127.0.0.1@{port}\n  do-daemonize: no\n\
             \x20 chroot: \"\"\n  username: \"\"\n  directory: \"{home}\"\n  pidfile: \"{home}/pid\"\n\
             \x20 use-syslog: no\n  verbosity: 0\n  do-not-query-localhost: no\n  do-ip6: no\n\
             \x20 module-config: \"iterator\"\nremote-control:\n  control-enable: no\n\
             stub-zone:\n  name: \".\"\n  stub-addr: 127.0.0.1@{authority}\n"
        )
    })
}

/// From Knot DNS, and from Unbound that asks it, where they are installed, each with one thread;
/// bare questions and the program in turns.
fn from_programs(program: &Path, questions: &[Question]) {
    let (zone, list) = zone();
    let list = List::new(&list);
    let file = env::temp_dir().join(format!("check-dns-zone-{}", std::process::id()));
    fs::write(&file, zone).expect("a zone");
    in_turns("Knot DNS", program, questions, &list, || knot(&file));
    if let Some(knot) = knot(&file) {
        let unbound = || unbound(knot.address);
        in_turns("Unbound, nothing known", program, questions, &list, unbound);
    }
    let _ = fs::remove_file(&file);
}

/// The bare questions and the program three times in turns, each from a new server: what it has
/// been asked before, it would answer at once.
fn in_turns(
    what: &str,
    program: &Path,
    questions: &[Question],
    list: &List,
    start: impl Fn() -> Option<Daemon>,
) {
    let mut best: Option<Run> = None;
    let mut least_bare = f64::MAX;
    for _ in 0..3 {
        let Some(server) = start() else { return };
        let (bare, share) = server.busy(|| bare(server.address, questions));
        println!("{what}: bare {bare:.2} s, busy {share:.0} %");
        least_bare = least_bare.min(bare);
        drop(server);
        let Some(server) = start() else { return };
        let (run, share) = server.busy(|| run(program, server.address, &list.0));
        println!("{what}: check-dns {:.2} s, busy {share:.0} %", run.wall);
        if best.as_ref().is_none_or(|best| run.wall < best.wall) {
            best = Some(run);
        }
    }
    let run = best.expect("it ran");
    report(what, questions.len(), &run, least_bare);
}

/// The time the server needs for the questions alone: 128 on their way, as many as wait in the
/// buffer of its socket without loss; nothing read of the answers.
fn bare(server: SocketAddr, questions: &[Question]) -> f64 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(server).expect("an address");
    socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a time");
    let begin = Instant::now();
    let mut answer = [0; 65_535];
    let mut under_way = 0;
    for (number, question) in questions.iter().enumerate() {
        if under_way == 128 && socket.recv(&mut answer).is_ok() {
            under_way -= 1;
        }
        socket.send(&query(number, question)).expect("it is sent");
        under_way += 1;
    }
    let mut end = begin;
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
