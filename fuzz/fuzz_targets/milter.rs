//! A milter session tells the same of the octets of an MTA, however they are cut, answers no more
//! than is awaited, and a client reads what it answers.
#![no_main]

use mailproof_milter::{
    Actions, Client, Decoder, Event, Frame, Limits, Modification, Packet, Protocol, Reply, Session,
    Wants,
};

/// The octets, or packets of them with the right length before each: `length command data`.
fn stream(octets: &[u8]) -> Vec<u8> {
    let Some((mark, mut left)) = octets.split_first() else { return Vec::new() };
    if mark % 8 == 0 {
        return left.to_vec();
    }
    let mut stream = Vec::new();
    // An offer first, or hardly anything would be in order.
    Packet::Negotiate(Client::new().offer()).encode(&mut stream);
    while let Some((&[length, command], rest)) = left.split_first_chunk::<2>() {
        let (data, rest) = rest.split_at(rest.len().min(length.into()));
        Frame { command, data }.encode(&mut stream);
        left = rest;
    }
    stream
}

fn play(pieces: std::slice::Chunks<'_, u8>, wants: Wants) -> (Vec<String>, Vec<u8>) {
    let limits = Limits { packet: 512, headers: 4, header_octets: 64, macro_octets: 32 };
    let mut decoder = Decoder::new(&limits);
    let mut session = Session::new(wants, limits);
    let (mut told, mut out) = (Vec::new(), Vec::new());
    for piece in pieces {
        decoder.feed(piece);
        loop {
            let frame = match decoder.frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    told.push(error.to_string());
                    return (told, out);
                }
            };
            let event = match session.receive(frame, &mut out) {
                Ok(event) => event,
                Err(error) => {
                    told.push(error.to_string());
                    return (told, out);
                }
            };
            told.push(format!("{event:?} {:?}", session.macros().iter().collect::<Vec<_>>()));
            if let Event::EndOfMessage(value) = event {
                let field = Modification::AddHeader { name: b"X", value };
                let _ = session.modify(&field, &mut out);
            }
            let before = (out.len(), session.due());
            if session.reply(&Reply::Skip, &mut out).is_err() {
                session.reply(&Reply::Continue, &mut out).expect("to go on is always allowed");
            }
            assert_eq!(before.1.is_some(), out.len() > before.0);
            assert_eq!(session.due(), None);
        }
    }
    (told, out)
}

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let stream = stream(octets);
    let wants = Wants {
        actions: Actions::ADD_HEADERS,
        protocol: octets
            .first_chunk()
            .map_or(Protocol::NONE, |it| Protocol::from_bits(u32::from_be_bytes(*it))),
        ..Wants::default()
    };
    let whole = play(stream.chunks(stream.len().max(1)), wants.clone());
    assert_eq!(play(stream.chunks(3), wants), whole);

    // What the session has written is packets that a client knows.
    let mut decoder = Decoder::new(&Limits::default());
    decoder.feed(&whole.1);
    while let Some(frame) = decoder.frame().expect("packets") {
        mailproof_milter::Answer::parse(frame).expect("an answer");
    }
    assert!(decoder.is_empty());
    if let Some((&command, data)) = octets.split_first() {
        let _ = mailproof_milter::Answer::parse(Frame { command, data });
    }
});
