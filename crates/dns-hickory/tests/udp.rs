//! Who forges answers, whose answers come late, and how many questions go out at a time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use mailproof_dns::{Data, Failure, Question, Resolver, Response, Zone};
use mailproof_dns_hickory::{HickoryResolver, Limits, NameServer};
use mailproof_testkit::{Behaviour, Server};

fn resolver(server: SocketAddr, limits: &Limits) -> HickoryResolver {
    HickoryResolver::with_name_servers(&[NameServer(server)], limits).unwrap()
}

fn question(index: usize) -> Question {
    Question::txt(format!("n{index}.example").parse().unwrap())
}

/// The answer to a query: `text` at the name asked for, under another id or question if told.
fn answer(query: &[u8], text: &str, id: u8, octet: u8) -> Vec<u8> {
    // Without the OPT record.
    let mut answer = query[..query.len() - 11].to_vec();
    answer[1] ^= id;
    answer[2..4].copy_from_slice(&[0x81, 0x80]);
    answer[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
    answer[14] ^= octet;
    let length = u8::try_from(text.len()).unwrap();
    answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
    answer.extend(text.as_bytes());
    answer
}

/// From where a query came, and its id.
type Came = (SocketAddr, [u8; 2]);

/// A name server that answers `count` queries with what `answers` makes of them; how they
/// came.
fn serve(
    count: usize,
    answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> (SocketAddr, thread::JoinHandle<Vec<Came>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let address = socket.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let mut from = Vec::new();
        let mut buffer = [0; 1500];
        for _ in 0..count {
            let (length, client) = socket.recv_from(&mut buffer).unwrap();
            from.push((client, [buffer[0], buffer[1]]));
            for answer in answers(&buffer[..length]) {
                socket.send_to(&answer, client).unwrap();
            }
        }
        from
    });
    (address, serving)
}

#[tokio::test]
async fn what_answers_another_query_is_passed_over() {
    let (address, serving) = serve(1, |query| {
        vec![
            answer(query, "another id", 1, 0),
            answer(query, "another name", 0, 1),
            query.to_vec(),
            vec![query[0]],
            Vec::new(),
            answer(query, "the answer", 0, 0),
            answer(query, "too late", 0, 0),
        ]
    });
    let resolver = resolver(address, &Limits::default());
    assert_eq!(resolver.lookup(&question(1)).await.data(), [Data::txt("the answer")]);
    assert_eq!(resolver.asked(), 1);
    serving.join().unwrap();
}

#[tokio::test]
async fn ports_and_ids_cannot_be_foreseen() {
    const COUNT: usize = 300;
    let (address, serving) = serve(COUNT, |query| vec![answer(query, "x", 0, 0)]);
    let resolver = resolver(address, &Limits::default());
    for index in 0..COUNT {
        assert_eq!(resolver.lookup(&question(index)).await.data(), [Data::txt("x")]);
    }
    let from = serving.join().unwrap();
    let ports: BTreeSet<u16> = from.iter().map(|(client, _)| client.port()).collect();
    assert!(ports.len() >= COUNT / 64, "{ports:?}");
    let ids: BTreeSet<u16> = from.iter().map(|(_, id)| u16::from_be_bytes(*id)).collect();
    assert!(ids.len() > COUNT * 9 / 10, "{ids:?}");
    // Neither counted up nor of few bits.
    let near = from.windows(2).filter(|two| two[0].1[0].abs_diff(two[1].1[0]) <= 1).count();
    assert!(near < COUNT / 10, "{near}");
}

#[tokio::test]
async fn octets_that_cannot_be_read_are_asked_for_in_another_way() {
    // A record that ends too early; hickory-resolver asks again, and gets the same.
    let (address, serving) = serve(2, |query| {
        let mut answer = answer(query, "x", 0, 0);
        answer.pop();
        vec![answer]
    });
    let limits = Limits { timeout: Duration::from_millis(300), attempts: 1, ..Limits::default() };
    let response = resolver(address, &limits).lookup(&question(1)).await;
    assert!(response.failure().is_some(), "{response:?}");
    assert_eq!(serving.join().unwrap().len(), 2);
}

#[tokio::test]
async fn what_comes_late_is_as_good() {
    let zone = Zone::parse("*.example TXT x").unwrap();
    let delay = Duration::from_millis(700);
    let server = Server::start_with(zone, Behaviour { delay, ..Behaviour::default() }).unwrap();
    let limits = Limits { timeout: Duration::from_secs(1), attempts: 1, ..Limits::default() };
    let begin = Instant::now();
    let response = resolver(server.address(), &limits).lookup(&question(1)).await;
    assert_eq!(response.data(), [Data::txt("x")]);
    // Not half a second later, when the second attempt is answered.
    assert!(begin.elapsed() < Duration::from_millis(1150), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn no_more_questions_are_on_their_way_than_allowed() {
    let zone = Zone::parse("*.example TXT x").unwrap();
    let delay = Duration::from_millis(50);
    let server = Server::start_with(zone, Behaviour { delay, ..Behaviour::default() }).unwrap();
    let resolver = resolver(server.address(), &Limits { concurrency: 2, ..Limits::default() });
    let begin = Instant::now();
    let questions: Vec<Question> = (0..8).map(question).collect();
    let lookups = questions.iter().map(|question| resolver.lookup(question));
    let responses: Vec<Response> = futures_util::future::join_all(lookups).await;
    assert!(responses.iter().all(|response| response.data() == [Data::txt("x")]));
    assert!(begin.elapsed() >= delay * 4, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn the_same_question_is_asked_once_at_a_time() {
    let zone = Zone::parse("a.example TXT x\nbroken.example SERVFAIL").unwrap();
    let delay = Duration::from_millis(20);
    let server = Server::start_with(zone, Behaviour { delay, ..Behaviour::default() }).unwrap();
    let limits = Limits { kept_at_least: Duration::from_secs(60), ..Limits::default() };
    let resolver = resolver(server.address(), &limits);
    let a = Question::txt("a.example".parse().unwrap());
    let broken = Question::txt("broken.example".parse().unwrap());
    for question in [&a, &broken] {
        let lookups = (0..20).map(|_| resolver.lookup(question));
        futures_util::future::join_all(lookups).await;
    }
    assert_eq!(resolver.asked(), 2);
    // Failures are kept as long as is told.
    let response = resolver.lookup(&broken).await;
    assert_eq!((response, resolver.asked()), (Response::Failure(Failure::ServFail), 2));
}

#[tokio::test]
async fn silence_is_noticed_and_ends() {
    let zone = Zone::parse("a.example TXT x\nslow.example TIMEOUT").unwrap();
    let server = Server::start(zone).unwrap();
    let limits = Limits { timeout: Duration::from_millis(100), attempts: 1, ..Limits::default() };
    let resolver = resolver(server.address(), &limits);
    assert_eq!(resolver.silence(), Duration::ZERO);
    let slow = Question::txt("slow.example".parse().unwrap());
    assert_eq!(resolver.lookup(&slow).await, Response::Failure(Failure::Timeout));
    assert!(resolver.silence() >= limits.timeout);
    let a = Question::txt("a.example".parse().unwrap());
    assert_eq!(resolver.lookup(&a).await.data(), [Data::txt("x")]);
    assert_eq!(resolver.silence(), Duration::ZERO);
}

/// Where 300 questions go at once that nobody answers yet, and how many come before a pause.
fn burst() -> (UdpSocket, thread::JoinHandle<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let asking = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let limits =
                Limits { attempts: 1, timeout: Duration::from_secs(3), ..Limits::default() };
            let resolver = resolver(address, &limits);
            let questions: Vec<Question> = (0..300).map(question).collect();
            futures_util::future::join_all(questions.iter().map(|it| resolver.lookup(it))).await;
        });
    });
    (socket, asking)
}

/// The queries that come until `pause` passes without any.
fn queries(socket: &UdpSocket, pause: Duration) -> Vec<(Vec<u8>, SocketAddr)> {
    socket.set_read_timeout(Some(pause)).unwrap();
    let mut buffer = [0; 1500];
    let mut queries = Vec::new();
    while let Ok((length, client)) = socket.recv_from(&mut buffer) {
        queries.push((buffer[..length].to_vec(), client));
    }
    queries
}

#[test]
fn no_more_questions_come_at_once_than_a_socket_holds() {
    let (socket, asking) = burst();
    let mut came = 0;
    while came < 300 {
        let queries = queries(&socket, Duration::from_millis(50));
        assert!(queries.len() <= 128, "{}", queries.len());
        came += queries.len();
        for (query, client) in queries {
            socket.send_to(&answer(&query, "x", 0, 0), client).unwrap();
        }
    }
    asking.join().unwrap();
}

#[test]
fn silence_keeps_no_other_question_waiting() {
    let (socket, asking) = burst();
    let begun = Instant::now();
    let mut asked = BTreeSet::new();
    while asked.len() < 300 {
        // The name asked for, whatever the id.
        let queries = queries(&socket, Duration::from_millis(50));
        asked.extend(queries.into_iter().map(|(query, _)| query[12..query.len() - 11].to_vec()));
        // Two times a second is needed; without it the last would come after six.
        assert!(begun.elapsed() < Duration::from_secs(5), "{} of 300", asked.len());
    }
    asking.join().unwrap();
}

#[tokio::test]
async fn waiting_for_a_turn_takes_nothing_of_the_time_for_the_answer() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let limits = Limits {
        concurrency: 1,
        attempts: 1,
        timeout: Duration::from_secs(3),
        ..Limits::default()
    };
    let resolver = resolver(socket.local_addr().unwrap(), &limits);
    // Silent for the first, and slow.
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut buffer) {
            if buffer[13..15] != *b"n1" {
                thread::sleep(Duration::from_millis(1800));
                let _ = socket.send_to(&answer(&buffer[..length], "x", 0, 0), client);
            }
        }
    });
    let silent = question(1);
    let second = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        resolver.lookup(&question(2)).await
    };
    let (first, second) = tokio::join!(resolver.lookup(&silent), second);
    assert_eq!(first, Response::Failure(Failure::Timeout));
    assert_eq!(second.data(), [Data::txt("x")]);
}
