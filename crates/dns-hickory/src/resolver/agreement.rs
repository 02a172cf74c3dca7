//! What the sockets of this crate read, hickory-resolver reads as well: for every record of the
//! corpus, and from name servers of the world where they are installed.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mailproof_dns::{Name, Question, RecordType, Reply, Resolver as _, Response, Zone};
use mailproof_testkit::Server;
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

use crate::{HickoryResolver, Limits, NameServer};

fn resolver(server: SocketAddr) -> HickoryResolver {
    let limits = Limits { cached_responses: 0, attempts: 1, ..Limits::default() };
    HickoryResolver::with_name_servers(&[NameServer(server)], &limits).unwrap()
}

/// What UDP alone says, which hickory-resolver must say too.
async fn compare(resolver: &HickoryResolver, question: &Question) -> Reply {
    let shared = &resolver.shared;
    let server = shared.servers.first().unwrap();
    let reply = timeout(Duration::from_secs(5), server.ask(question)).await.unwrap().unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    let hickory = shared.ask_hickory(shared.hickory(), question, end).await.unwrap();
    if let Reply::Response { response, ttl } = &reply {
        assert_eq!(sorted(response), sorted(&hickory.response), "{question}");
        // An alias may go before what hickory-resolver knows of absence.
        assert!(ttl.map_or(0, u64::from) <= hickory.ttl.as_secs(), "{question}: {response:?}");
    } else {
        let both = resolver.lookup(question).await;
        assert_eq!(sorted(&both), sorted(&hickory.response), "{question}");
    }
    reply
}

/// A name server may turn the records round.
fn sorted(response: &Response) -> Response {
    let mut response = response.clone();
    if let Response::Records(set) = &mut response {
        set.records.sort_by_key(|data| format!("{data:?}"));
    }
    response
}

/// Every name of the zone with its own types and one that it does not have, and a name beside it.
fn questions(zone: &Zone) -> BTreeSet<Question> {
    let mut questions = BTreeSet::new();
    for record in zone.records() {
        questions.insert(Question::new(record.name.clone(), record.data.rtype()));
        questions.insert(Question::new(record.name.clone(), RecordType::Txt));
        questions.insert(Question::new(record.name.clone(), RecordType::Ptr));
        if let Ok(beside) = record.name.prepend("beside") {
            questions.insert(Question::new(beside, RecordType::A));
        }
    }
    questions.retain(|question| {
        let is_silent = |failure| failure == mailproof_dns::Failure::Timeout;
        let silent = zone.lookup(question).failure().is_some_and(is_silent);
        !silent && !crate::special::is_special(&question.name)
    });
    questions
}

#[tokio::test]
async fn on_the_corpus() {
    let mut seen = BTreeSet::new();
    let (mut asked, mut told) = (0, 0);
    for kind in ["spf", "dkim", "dmarc/message", "arc", "verdict", "records"] {
        for case in mailproof_testkit::cases::<toml::Table>(kind) {
            // Many cases share a zone.
            if !seen.insert(case.zone_text.clone()) || case.zone.records().is_empty() {
                continue;
            }
            let server = Server::start(case.zone.clone()).unwrap();
            let resolver = resolver(server.address());
            for question in questions(&case.zone) {
                asked += 1;
                let reply = compare(&resolver, &question).await;
                told += usize::from(matches!(reply, Reply::Response { .. }));
            }
        }
    }
    // Else hickory-resolver would agree with itself.
    assert!(asked > 1000 && told * 10 > asked * 9, "{told} of {asked}");
}

const EXAMPLE: &str = r#"
$TTL 300
@       SOA ns.example. host.example. 1 3600 600 86400 60
@       NS  ns
ns      A   127.0.0.1
a       A   192.0.2.1
a       A   192.0.2.2
a       AAAA 2001:db8::1
a       MX  10 mx
a       MX  20 .
a       TXT "v=spf1 " "-all" ""
a       TXT "\000\255"
a       TYPE99 \# 7 06763d73706631
a       TLSA 3 1 1 aabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccdd
a       DS  1 8 2 aabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccdd
p       PTR a
MIXED.Case  TXT "x"
*.wild  TXT "v=spf1 -all"
alias   60  CNAME   other
other   30  CNAME   third
third       CNAME   a
dangling    CNAME   nowhere
half        CNAME   p
outside     CNAME   a.elsewhere.
broken      CNAME   x.broken.
loop        CNAME   pool
pool        CNAME   loop
sub         NS  ns.sub
ns.sub      A   127.0.0.1
"#;

const ELSEWHERE: &str = "
$TTL 300
@       SOA ns.example. host.example. 1 3600 600 86400 60
@       NS  ns.example.
a       TXT elsewhere
";

/// A name server of the world with its files, until dropped.
struct World {
    child: Child,
    home: TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the program, if it is installed, with the configuration `configure` makes.
async fn start(
    program: &str,
    arguments: &[&str],
    configure: impl Fn(&Path, u16) -> String,
) -> Option<(World, HickoryResolver)> {
    let seed = u16::try_from(std::process::id() % 1000).unwrap();
    let mut log = String::new();
    // Below the ports that sockets get which ask for any; if one is taken, another.
    for port in (20_000..30_000).step_by(2000).map(|port| port + 2 * seed) {
        let home = tempfile::tempdir().unwrap();
        let port = port + u16::from(program == "named");
        let config = home.path().join("config");
        // The last text does not fit into a datagram.
        let big = format!("big TXT {}\n", format!("\"{}\" ", "x".repeat(255)).repeat(12));
        fs::write(home.path().join("example.zone"), [EXAMPLE, &big].concat()).unwrap();
        fs::write(home.path().join("elsewhere.zone"), ELSEWHERE).unwrap();
        fs::write(&config, configure(home.path(), port)).unwrap();
        let file = fs::File::create(home.path().join("log")).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).arg(&config).stdin(Stdio::null());
        let child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn();
        let Ok(child) = child else {
            eprintln!("SKIPPED: {program} is not installed");
            return None;
        };
        let mut world = World { child, home };
        let resolver = resolver((Ipv4Addr::LOCALHOST, port).into());
        if is_ready(&mut world, &resolver).await {
            return Some((world, resolver));
        }
        log = fs::read_to_string(world.home.path().join("log")).unwrap();
    }
    panic!("{program} does not answer: {log}");
}

/// Whether the name server answers, within ten seconds.
async fn is_ready(world: &mut World, resolver: &HickoryResolver) -> bool {
    let ready = Question::new(name("example"), RecordType::Soa);
    let server = resolver.shared.servers.first().unwrap();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(10) {
        if let Ok(Ok(Reply::Response { .. })) =
            timeout(Duration::from_millis(500), server.ask(&ready)).await
        {
            return true;
        }
        if world.child.try_wait().unwrap().is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// Every type at every name of the zones, and names that are not there.
async fn compare_world(resolver: &HickoryResolver) {
    let mut told = Vec::new();
    for owner in [
        "example",
        "a.example",
        "p.example",
        "mixed.case.example",
        "x.wild.example",
        "wild.example",
        "alias.example",
        "dangling.example",
        "half.example",
        "outside.example",
        "broken.example",
        "loop.example",
        "sub.example",
        "x.sub.example",
        "nowhere.example",
        "big.example",
        "a.elsewhere",
        "broken",
        "x.broken",
        "not.served",
    ] {
        for rtype in RecordType::ALL {
            let question = Question::new(name(owner), rtype);
            told.push((question.to_string(), compare(resolver, &question).await));
        }
    }
    let told = |text: &str| &told.iter().find(|(question, _)| question == text).unwrap().1;
    let records = |text: &str| match told(text) {
        Reply::Response { response: Response::Records(set), .. } => set.records.len(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!((records("alias.example TXT"), records("a.example A")), (2, 2));
    assert_eq!((records("a.example SPF"), records("x.wild.example TXT")), (1, 1));
    for (text, response) in [
        ("a.example PTR", Response::NoData),
        ("nowhere.example TXT", Response::NxDomain),
        ("dangling.example TXT", Response::NxDomain),
        ("half.example TXT", Response::NoData),
    ] {
        assert!(
            matches!(told(text), Reply::Response { response: it, .. } if *it == response),
            "{text}"
        );
    }
    assert_eq!(*told("big.example TXT"), Reply::Truncated);
    for text in ["loop.example TXT", "x.broken TXT", "not.served TXT", "x.sub.example TXT"] {
        assert_eq!(*told(text), Reply::Inconclusive, "{text}");
    }
}

#[tokio::test]
async fn with_knot() {
    let configure = |home: &Path, port: u16| {
        let home = home.display();
        format!(
            "server:\n  rundir: {home}\n  listen: 127.0.0.1@{port}\n\
             database:\n  storage: {home}/db\nlog:\n  - target: stderr\n    any: error\n\
             zone:\n  - domain: example.\n    file: {home}/example.zone\n\
             \x20 - domain: elsewhere.\n    file: {home}/elsewhere.zone\n\
             \x20 - domain: broken.\n    file: {home}/nothing.zone\n"
        )
    };
    if let Some((_world, resolver)) = start("knotd", &["-c"], configure).await {
        compare_world(&resolver).await;
    }
}

#[tokio::test]
async fn with_bind() {
    let configure = |home: &Path, port: u16| {
        let home = home.display();
        format!(
            "options {{ directory \"{home}\"; listen-on port {port} {{ 127.0.0.1; }};\n\
             listen-on-v6 {{ none; }}; recursion no; pid-file none; lock-file none;\n\
             session-keyfile none; dnssec-validation no; }};\ncontrols {{}};\n\
             zone example {{ type primary; file \"example.zone\"; check-names ignore; }};\n\
             zone elsewhere {{ type primary; file \"elsewhere.zone\"; }};\n\
             zone broken {{ type primary; file \"nothing.zone\"; }};\n"
        )
    };
    if let Some((_world, resolver)) = start("named", &["-g", "-n", "1", "-c"], configure).await {
        compare_world(&resolver).await;
    }
}
