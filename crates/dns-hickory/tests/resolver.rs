//! Real queries to a server on loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use mailproof_dns::{
    Answers, Data, Failure, Mx, Name, Question, RecordSet, RecordType, Resolver, Response, Txt,
    Zone, resolve_with,
};
use mailproof_dns_hickory::{
    BlockingResolver, ConfigurationError, HickoryResolver, Limits, NameServer,
};
use mailproof_testkit::{Behaviour, Server, Transport};

const ZONE: &str = r#"
$TTL 300
a.example           A       192.0.2.1
a.example           A       192.0.2.2
a.example           AAAA    2001:db8::1
a.example           MX      10 mx.example.
a.example           MX      20 .
a.example           TXT     "v=spf1 " "-all" ""
a.example           TXT     "\000\255"
a.example           SPF     "v=spf1"
a.example           NS      ns.example.
a.example           SOA     ns.example. host.example. 1 2 3 4 5
a.example           TLSA    3 1 1 aabb
a.example           DS      1 8 2 ccdd
1.2.0.192.in-addr.arpa  PTR a.example.
alias.example    60 CNAME   other.example.
other.example    30 CNAME   a.example.
dangling.example    CNAME   nowhere.example.
half.example        CNAME   empty.example.
loop.example        CNAME   pool.example.
pool.example        CNAME   loop.example.
empty.example       NODATA
broken.example      SERVFAIL
slow.example        TIMEOUT
a\.b\032c.example   TXT     "odd"
"#;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn limits() -> Limits {
    Limits { timeout: Duration::from_millis(2000), attempts: 1, ..Limits::default() }
}

fn server_with(behaviour: Behaviour) -> (Server, HickoryResolver) {
    let server = Server::start_with(Zone::parse(ZONE).unwrap(), behaviour).unwrap();
    let servers = [NameServer(server.address())];
    let resolver = HickoryResolver::with_name_servers(&servers, &limits()).unwrap();
    (server, resolver)
}

fn server() -> (Server, HickoryResolver) {
    server_with(Behaviour::default())
}

async fn ask(resolver: &HickoryResolver, owner: &str, rtype: RecordType) -> Response {
    resolver.lookup(&Question::new(name(owner), rtype)).await
}

async fn records(resolver: &HickoryResolver, owner: &str, rtype: RecordType) -> RecordSet {
    match ask(resolver, owner, rtype).await {
        Response::Records(set) => set,
        other => panic!("{owner} {rtype}: {other:?}"),
    }
}

#[tokio::test]
async fn every_type_comes_as_the_zone_has_it() {
    let (_server, resolver) = server();
    let zone = Zone::parse(ZONE).unwrap();
    for rtype in RecordType::ALL {
        let question = Question::new(name("a.example"), rtype);
        assert_eq!(resolver.lookup(&question).await, zone.lookup(&question), "{rtype}");
    }
    let ptr = records(&resolver, "1.2.0.192.in-addr.arpa", RecordType::Ptr).await;
    assert_eq!(ptr.records, [Data::Ptr(name("a.example"))]);
    let mx = records(&resolver, "a.example", RecordType::Mx).await;
    assert!(mx.records.contains(&Data::Mx(Mx { preference: 20, exchange: Name::root() })));
    let odd = Question::txt(Name::from_labels([&b"a.b c"[..], b"example"]).unwrap());
    assert_eq!(resolver.lookup(&odd).await.data(), [Data::txt("odd")]);
}

#[tokio::test]
async fn absence_and_failure_are_told_apart() {
    let (_server, resolver) = server();
    for (owner, response) in [
        ("nowhere.example", Response::NxDomain),
        ("dangling.example", Response::NxDomain),
        ("empty.example", Response::NoData),
        ("half.example", Response::NoData),
        ("broken.example", Response::Failure(Failure::ServFail)),
        ("loop.example", Response::Failure(Failure::ServFail)),
    ] {
        assert_eq!(ask(&resolver, owner, RecordType::Txt).await, response, "{owner}");
    }
}

#[tokio::test]
async fn no_soa_and_no_followed_alias_change_nothing() {
    for behaviour in [
        Behaviour { soa: false, ..Behaviour::default() },
        Behaviour { follow_aliases: false, ..Behaviour::default() },
        Behaviour { follow_aliases: false, soa: false, ..Behaviour::default() },
    ] {
        let (_server, resolver) = server_with(behaviour);
        for (owner, response) in [
            ("nowhere.example", Response::NxDomain),
            ("dangling.example", Response::NxDomain),
            ("empty.example", Response::NoData),
            ("half.example", Response::NoData),
            ("loop.example", Response::Failure(Failure::ServFail)),
        ] {
            assert_eq!(
                ask(&resolver, owner, RecordType::Txt).await,
                response,
                "{owner} {behaviour:?}"
            );
        }
        let set = records(&resolver, "alias.example", RecordType::A).await;
        assert_eq!(set.aliases, [name("other.example"), name("a.example")], "{behaviour:?}");
    }
}

#[tokio::test]
async fn aliases_are_reported_with_the_lowest_ttl() {
    let (_server, resolver) = server();
    let set = records(&resolver, "alias.example", RecordType::Txt).await;
    assert_eq!(set.aliases, [name("other.example"), name("a.example")]);
    assert_eq!(set.ttl, 30);
    assert_eq!(set.records.first(), Some(&Data::Txt(Txt::from_strings(["v=spf1 ", "-all", ""]))));
    let alias = records(&resolver, "alias.example", RecordType::Cname).await;
    assert_eq!(alias.records, [Data::Cname(name("other.example"))]);
    assert!(alias.aliases.is_empty());
}

#[tokio::test]
async fn other_rcodes_are_server_failures() {
    for rcode in [1, 4, 5, 9] {
        let (_server, resolver) =
            server_with(Behaviour { rcode: Some(rcode), ..Behaviour::default() });
        let response = ask(&resolver, "a.example", RecordType::Txt).await;
        assert_eq!(response, Response::Failure(Failure::ServFail), "RCODE {rcode}");
    }
}

#[tokio::test]
async fn silence_is_a_timeout_after_the_attempts_allowed() {
    let (server, _) = server();
    let servers = [NameServer(server.address())];
    let limits = Limits { timeout: Duration::from_millis(150), attempts: 2, ..limits() };
    let resolver = HickoryResolver::with_name_servers(&servers, &limits).unwrap();
    let start = Instant::now();
    let response = ask(&resolver, "slow.example", RecordType::Txt).await;
    assert_eq!(response, Response::Failure(Failure::Timeout));
    assert!(server.queries() >= 2, "{}", server.queries());
    assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_dead_server_is_a_failure() {
    // A port that was free a moment ago.
    let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let limits = Limits { timeout: Duration::from_millis(200), ..limits() };
    let resolver = HickoryResolver::with_name_servers(&[NameServer(address)], &limits).unwrap();
    let response = ask(&resolver, "a.example", RecordType::Txt).await;
    assert!(response.failure().is_some(), "{response:?}");
}

#[tokio::test]
async fn a_dead_server_does_not_keep_the_other_from_answering() {
    let (server, _) = server();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let servers = [NameServer(silent.local_addr().unwrap()), NameServer(server.address())];
    let resolver = HickoryResolver::with_name_servers(&servers, &limits()).unwrap();
    let start = Instant::now();
    assert_eq!(ask(&resolver, "a.example", RecordType::A).await.data().len(), 2);
    assert!(start.elapsed() < limits().timeout, "{:?}", start.elapsed());
}

#[tokio::test]
async fn after_the_deadline_nothing_is_asked() {
    let (server, resolver) = server();
    let late = resolver.until(Instant::now());
    let response = ask(&late, "a.example", RecordType::Txt).await;
    assert_eq!(response, Response::Failure(Failure::Timeout));
    assert_eq!(server.queries(), 0);

    let soon = resolver.until(Instant::now() + Duration::from_millis(100));
    let start = Instant::now();
    let response = ask(&soon, "slow.example", RecordType::Txt).await;
    assert_eq!(response, Response::Failure(Failure::Timeout));
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    assert_eq!(ask(&resolver, "a.example", RecordType::A).await.data().len(), 2);
}

#[tokio::test]
async fn what_does_not_fit_comes_over_tcp() {
    let string = format!(" \"{}\"", "x".repeat(255));
    let text = format!("big.example TXT {}", string.repeat(16));
    let server = Server::start(Zone::parse(&text).unwrap()).unwrap();
    let servers = [NameServer(server.address())];
    let resolver = HickoryResolver::with_name_servers(&servers, &limits()).unwrap();
    let set = records(&resolver, "big.example", RecordType::Txt).await;
    assert_eq!(set.records, [Data::txt("x".repeat(16 * 255))]);
    let transports: Vec<Transport> = server.asked().into_iter().map(|(how, _)| how).collect();
    assert_eq!(transports, [Transport::Udp, Transport::Tcp]);
}

#[tokio::test]
async fn answers_are_kept() {
    let (server, resolver) = server();
    for owner in ["a.example", "nowhere.example", "empty.example", "alias.example"] {
        let first = ask(&resolver, owner, RecordType::Txt).await;
        let queries = server.queries();
        let second = ask(&resolver.clone(), owner, RecordType::Txt).await;
        assert_eq!(server.queries(), queries, "{owner}");
        // A second may have passed.
        let without_ttl = |response| match response {
            Response::Records(set) => Response::Records(RecordSet { ttl: 0, ..set }),
            other => other,
        };
        assert_eq!(without_ttl(first), without_ttl(second), "{owner}");
    }
}

#[tokio::test]
async fn no_more_answers_are_kept_than_allowed() {
    let (server, _) = server();
    let servers = [NameServer(server.address())];
    let limits = Limits { cached_responses: 0, ..limits() };
    let resolver = HickoryResolver::with_name_servers(&servers, &limits).unwrap();
    for _ in 0..3 {
        ask(&resolver, "a.example", RecordType::A).await;
    }
    assert_eq!(server.queries(), 3);
}

#[tokio::test]
async fn the_ad_bit_is_asked_for_and_reported() {
    let (_server, resolver) =
        server_with(Behaviour { authenticated: true, ..Behaviour::default() });
    assert!(records(&resolver, "a.example", RecordType::Txt).await.authenticated);
    assert!(records(&resolver, "alias.example", RecordType::Txt).await.authenticated);
    let (_server, resolver) = server();
    assert!(!records(&resolver, "a.example", RecordType::Txt).await.authenticated);
    // Put together from an authenticated alias and another message.
    let behaviour =
        Behaviour { authenticated: true, follow_aliases: false, ..Behaviour::default() };
    let (_server, resolver) = server_with(behaviour);
    assert!(!records(&resolver, "alias.example", RecordType::Txt).await.authenticated);
}

#[tokio::test]
async fn only_the_name_itself_is_asked_for() {
    let (server, resolver) = server();
    let response = ask(&resolver, "localhost", RecordType::Txt).await;
    assert_eq!(response, Response::NoData);
    assert_eq!(ask(&resolver, "nowhere", RecordType::A).await, Response::NxDomain);
    let asked: Vec<String> =
        server.asked().into_iter().map(|(_, question)| question.to_string()).collect();
    assert_eq!(asked.last().unwrap(), "nowhere A");
    assert!(asked.iter().all(|question| !question.contains('.')), "{asked:?}");
}

#[tokio::test]
async fn the_questions_of_a_round_are_asked_in_parallel() {
    let delay = Duration::from_millis(200);
    let (_server, resolver) = server_with(Behaviour { delay, ..Behaviour::default() });
    let types = [RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Txt, RecordType::Ns];
    let start = Instant::now();
    let mut answers = Answers::new();
    let limits = mailproof_dns::Limits::default();
    let count = resolve_with(&resolver, &mut answers, &limits, |answers| {
        let mut missing = mailproof_dns::Missing::new();
        let questions = types.map(|rtype| Question::new(name("a.example"), rtype));
        let found = questions
            .iter()
            .filter_map(|question| missing.lookup(answers, question))
            .map(|response| response.data().len())
            .sum::<usize>();
        missing.into_result().map(|()| found)
    })
    .await;
    assert_eq!(count, 8);
    assert!(start.elapsed() < delay * 4, "{:?}", start.elapsed());
}

#[test]
fn callers_without_a_runtime() {
    let (_server, resolver) = server();
    let resolver = BlockingResolver::new(resolver).unwrap();
    let question = Question::txt(name("a.example"));
    assert_eq!(resolver.lookup(&question).texts().count(), 2);
    let count = resolver.resolve(|answers| Ok(answers.require(&question)?.texts().count()));
    assert_eq!(count, 2);
}

#[test]
fn nobody_to_ask() {
    let error = HickoryResolver::with_name_servers(&[], &limits()).unwrap_err();
    assert_eq!(error, ConfigurationError::NoNameServer);
}
