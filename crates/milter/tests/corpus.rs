//! `testdata/milter`: what a real Postfix has said, played to both sides.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests: a broken transcript is a failing test"
)]

mod transcript;

use mailproof_milter::{
    Answer, Client, Connection, Event, HeaderField, Limits, Packet, Peer, Protocol, Reply, Session,
};
use mailproof_testkit::{Case, run};
use serde::Deserialize;
use transcript::{Line, connections, decoder, tell, wants};

#[derive(Deserialize)]
struct Own {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
struct Input {
    transcript: String,
}

#[derive(Deserialize)]
struct Expect {
    events: String,
    /// Why the session ends.
    error: Option<String>,
}

/// The filter's side: what its session makes of the packets of the MTA. What the filter has answered
/// is answered again, and must be the same octets.
fn play(lines: &[Line], told: &mut Vec<String>) -> Result<(), mailproof_milter::SessionError> {
    let mut decoder = decoder(lines);
    let mut session = Session::new(wants(lines), Limits::default());
    let mut left = lines.iter().peekable();
    while let Some(line) = left.next() {
        assert!(line.from_mta);
        let mut out = Vec::new();
        let event = session.receive(decoder.frame().unwrap().unwrap(), &mut out)?;
        if event != Event::Macros {
            told.push(tell(&event, &session));
        }
        let mut answered = Vec::new();
        while let Some(answer) = left.next_if(|it| !it.from_mta) {
            answered.extend(&answer.octets);
            match Answer::parse(answer.frame()).unwrap() {
                Answer::Negotiate(..) => {}
                Answer::Progress => session.progress(&mut out).unwrap(),
                Answer::Modify(it) => session.modify(&it, &mut out).unwrap(),
                Answer::Reply(it) => session.reply(&it, &mut out).unwrap(),
                other => panic!("{other:?}"),
            }
        }
        if session.due().is_none() {
            session.reply(&Reply::Continue, &mut out).unwrap();
        }
        assert_eq!(out.escape_ascii().to_string(), answered.escape_ascii().to_string());
    }
    assert!(decoder.is_empty());
    Ok(())
}

#[test]
fn filter() {
    run("milter", |case: &Case<Own>| {
        let (mut told, mut error) = (Vec::new(), None);
        for lines in connections(&case.own.input.transcript) {
            error = play(&lines, &mut told).err().map(|it| it.to_string());
        }
        mailproof_testkit::Answer {
            expected: format!("{}\n{:?}", case.own.expect.events.trim(), case.own.expect.error),
            got: format!("{}\n{error:?}", told.join("\n")),
        }
    });
}

/// The MTA's side: the client sends what Postfix has sent, and knows what it awaits an answer to.
#[test]
fn client() {
    let cases = mailproof_testkit::cases::<Own>("milter");
    for case in cases.iter().filter(|it| it.source.is_some()) {
        for lines in connections(&case.own.input.transcript) {
            let Packet::Negotiate(offer) = Packet::parse(lines[0].frame()).unwrap() else {
                panic!("{}: no offer", case.name)
            };
            let mut client = Client::offering(offer);
            let mut left = lines.iter().peekable();
            while let Some(line) = left.next() {
                let packet = Packet::parse(line.frame()).unwrap();
                let spaced = client
                    .agreed()
                    .is_some_and(|it| !it.protocol.contains(Protocol::LEADING_SPACE));
                let mut value = b" ".to_vec();
                let packet = match packet {
                    Packet::Header(it) if spaced => {
                        value.extend(it.value);
                        Packet::Header(HeaderField { name: it.name, value: &value })
                    }
                    other => other,
                };
                let mut out = Vec::new();
                let awaits = client.send(&packet, &mut out);
                // An address that is none is not written again.
                if !matches!(packet, Packet::Connect(Connection { peer: Peer::Unknown, .. })) {
                    let (sent, recorded) = (out.escape_ascii(), line.octets.escape_ascii());
                    assert_eq!(sent.to_string(), recorded.to_string(), "{}", case.name);
                }
                let mut answers = 0;
                while let Some(answer) = left.next_if(|it| !it.from_mta) {
                    client.receive(answer.frame()).unwrap();
                    answers += 1;
                }
                assert_eq!(awaits, answers > 0, "{}: {packet:?}", case.name);
            }
        }
    }
}
