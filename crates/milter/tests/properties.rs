//! What holds for all octets, packets and sessions.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests: a panic is a failing test"
)]

use mailproof_milter::{
    Actions, Answer, Client, Connection, Decoder, Envelope, Event, Frame, HeaderField, Limits,
    MacroPacket, Modification, Negotiation, Packet, Peer, Protocol, Reply, Session, SmtpReply,
    Wants,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The parts of a packet, owned.
#[derive(Debug, Clone)]
struct Parts {
    kind: u8,
    first: Vec<u8>,
    second: Vec<u8>,
    numbers: [u32; 3],
}

fn parts() -> impl Strategy<Value = Parts> {
    let text = || vec(1u8..=255, 0..20);
    (0u8..16, text(), text(), any::<[u32; 3]>()).prop_map(|(kind, first, second, numbers)| Parts {
        kind,
        first,
        second,
        numbers,
    })
}

impl Parts {
    /// The packet they make, with `terminated` as the second text and its NUL.
    fn packet<'a>(&'a self, terminated: &'a mut Vec<u8>) -> Packet<'a> {
        if !self.second.is_empty() {
            terminated.extend(&self.second);
            terminated.push(0);
        }
        let envelope = Envelope { path: &self.first, args: terminated };
        let [one, two, three] = self.numbers;
        let port = u16::try_from(one >> 16).unwrap();
        match self.kind {
            0 => Packet::Negotiate(Negotiation {
                version: one,
                actions: Actions::from_bits(two),
                protocol: Protocol::from_bits(three),
            }),
            1 => Packet::Macros(MacroPacket { command: b'C', data: terminated }),
            2 => Packet::Connect(Connection { host: &self.first, peer: Peer::Unknown }),
            3 => Packet::Connect(Connection {
                host: &self.first,
                peer: Peer::Inet(std::net::SocketAddrV4::new(two.into(), port)),
            }),
            4 => {
                let address = (u128::from(two) << 90 | u128::from(three)).into();
                let peer = Peer::Inet6(std::net::SocketAddrV6::new(address, port, 0, 0));
                Packet::Connect(Connection { host: &self.first, peer })
            }
            5 => Packet::Helo(&self.first),
            6 => Packet::MailFrom(envelope),
            7 => Packet::RcptTo(envelope),
            8 => Packet::Unknown(&self.first),
            9 => Packet::Header(HeaderField { name: &self.first, value: &self.second }),
            10 => Packet::Body(&self.first),
            11 => Packet::EndOfBody(&self.first),
            12 => Packet::Data,
            13 => Packet::EndOfHeaders,
            14 => Packet::Abort,
            _ => Packet::Connect(Connection { host: b"h", peer: Peer::Unix(&self.second) }),
        }
    }

    fn modification(&self) -> Modification<'_> {
        let (name, value, index) = (&b"X-Name"[..], &self.second[..], self.numbers[0]);
        match self.kind {
            0 | 1 => Modification::AddHeader { name, value },
            2 | 3 => Modification::InsertHeader { index, name, value },
            4 | 5 => Modification::ChangeHeader { index, name, value },
            6 | 7 => Modification::AddRecipient { path: &self.first, args: &self.second },
            8 | 9 => Modification::ChangeFrom { path: &self.first, args: &self.second },
            10 | 11 => Modification::DeleteRecipient { path: &self.first },
            12 | 13 => Modification::ReplaceBody { body: &self.first },
            _ => Modification::Quarantine { reason: &self.first },
        }
    }
}

/// What a filter that continues sees of these octets, fed in pieces of these lengths.
fn play(octets: &[u8], lengths: &[usize], wants: &Wants) -> (Vec<String>, Vec<u8>) {
    let mut decoder = Decoder::new(&Limits { packet: 1000, ..Limits::default() });
    let mut session = Session::new(wants.clone(), Limits::default());
    let (mut told, mut out) = (Vec::new(), Vec::new());
    let mut lengths = lengths.iter().cycle();
    let mut left = octets;
    while !left.is_empty() {
        let (now, later) = left.split_at(left.len().min(*lengths.next().unwrap()));
        left = later;
        decoder.feed(now);
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => match session.receive(frame, &mut out) {
                    Ok(event) => {
                        told.push(format!("{event:?} {:?}", session.macros().get("i")));
                        session.reply(&Reply::Continue, &mut out).unwrap();
                    }
                    Err(error) => {
                        told.push(error.to_string());
                        return (told, out);
                    }
                },
                Ok(None) => break,
                Err(error) => {
                    told.push(error.to_string());
                    return (told, out);
                }
            }
        }
    }
    (told, out)
}

proptest! {
    #[test]
    fn packets_are_read_as_written(parts in vec(parts(), 1..8), length in 1usize..40) {
        let mut octets = Vec::new();
        for it in &parts {
            it.packet(&mut Vec::new()).encode(&mut octets);
        }
        let mut decoder = Decoder::new(&Limits::default());
        let mut pieces = octets.chunks(length);
        for it in &parts {
            loop {
                if let Some(frame) = decoder.frame().unwrap() {
                    let mut terminated = Vec::new();
                    prop_assert_eq!(Packet::parse(frame).unwrap(), it.packet(&mut terminated));
                    break;
                }
                let piece = pieces.next().unwrap();
                decoder.space()[0] = piece[0];
                decoder.filled(1);
                decoder.feed(&piece[1..]);
            }
        }
        prop_assert!(decoder.is_empty());
    }

    #[test]
    fn modifications_are_read_as_written(parts in parts(), leading_space: bool) {
        let mut octets = Vec::new();
        let modification = parts.modification();
        let safe = modification.encode(leading_space, &mut octets).is_ok();
        prop_assert_eq!(safe, !octets.is_empty());
        if safe {
            let frame = Frame { command: octets[4], data: &octets[5..] };
            let Answer::Modify(read) = Answer::parse(frame).unwrap() else { panic!() };
            let mut again = Vec::new();
            read.encode(true, &mut again).unwrap();
            prop_assert_eq!(&again, &octets);
            prop_assert_eq!(read.action(), modification.action());
        }
    }

    #[test]
    fn reply_texts_are_safe(code in 400u16..600, text: String) {
        let reply = SmtpReply::new(code, (code / 100, 7, 1), &text).unwrap();
        let mut octets = Vec::new();
        Reply::Smtp(reply.clone()).encode(&mut octets);
        let frame = Frame { command: octets[4], data: &octets[5..] };
        prop_assert_eq!(Answer::parse(frame).unwrap(), Answer::Reply(Reply::Smtp(reply.clone())));
        prop_assert_eq!(reply.code(), code);
        for line in reply.to_string().split("\r\n") {
            prop_assert!(line.len() <= 510);
            prop_assert!(line.bytes().all(|it| it == b'\t' || (32..127).contains(&it)));
        }
    }

    #[test]
    fn octets_never_panic(octets in vec(any::<u8>(), 0..200), length in 1usize..50) {
        play(&octets, &[length], &Wants::default());
        let frame = Frame { command: octets.first().copied().unwrap_or(b'y'), data: &octets };
        let _ = (Packet::parse(frame), Answer::parse(frame));
        let _ = Client::new().receive(frame);
    }

    #[test]
    fn pieces_make_no_difference(
        parts in vec(parts(), 1..12),
        garbage in vec(any::<u8>(), 0..10),
        lengths in vec(1usize..50, 1..5),
        skipped in any::<u32>(),
    ) {
        let mut octets = b"\0\0\0\x0dO\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff".to_vec();
        // Nothing is awaited and little is in order: much is told before the session ends.
        let wants = Wants {
            protocol: Protocol::NO_REPLIES | Protocol::from_bits(skipped),
            ..Wants::default()
        };
        for it in &parts {
            it.packet(&mut Vec::new()).encode(&mut octets);
        }
        octets.extend(garbage);
        prop_assert_eq!(play(&octets, &lengths, &wants), play(&octets, &[octets.len()], &wants));
    }

    /// Whatever is offered and wanted, the two sides agree on what is sent and what is awaited.
    #[test]
    fn the_two_sides_agree(
        version in 2u32..8,
        offered in any::<u32>(),
        wanted in any::<u32>(),
        bodies in vec(0usize..4, 1..4),
        choice in any::<[u8; 8]>(),
    ) {
        let protocol = Protocol::from_bits(offered);
        let mut client = Client::offering(Negotiation { version, actions: Actions::ALL, protocol });
        let wants = Wants {
            actions: Actions::ADD_HEADERS,
            protocol: Protocol::from_bits(wanted),
            ..Wants::default()
        };
        let mut session = Session::new(wants, Limits::default());
        let mut choices = choice.iter().cycle();
        let mut say = |packet: Packet<'_>| {
            let (mut sent, mut answered) = (Vec::new(), Vec::new());
            let awaits = client.send(&packet, &mut sent);
            let mut decoder = Decoder::new(&Limits::default());
            decoder.feed(&sent);
            while let Some(frame) = decoder.frame().unwrap() {
                let event = session.receive(frame, &mut answered).unwrap();
                if let Event::EndOfMessage(_) = event {
                    let add = Modification::AddHeader { name: b"X", value: b" y" };
                    session.modify(&add, &mut answered).unwrap();
                }
                assert_eq!(client.due(), session.due());
                if session.due().is_some() && choices.next().unwrap() % 2 == 0 {
                    session.progress(&mut answered).unwrap();
                }
                let skip = session.due() == Some(mailproof_milter::Stage::Body);
                let reply = if skip { Reply::Skip } else { Reply::Continue };
                session.reply(&reply, &mut answered).unwrap();
            }
            assert_eq!(awaits, !answered.is_empty(), "{packet:?}");
            let mut decoder = Decoder::new(&Limits::default());
            decoder.feed(&answered);
            while let Some(frame) = decoder.frame().unwrap() {
                client.receive(frame).unwrap();
            }
            assert_eq!(client.due(), None);
        };
        let envelope = Envelope { path: b"<a@example.com>", args: b"" };
        say(Packet::Negotiate(Negotiation { version, actions: Actions::ALL, protocol }));
        say(Packet::Connect(Connection { host: b"h", peer: Peer::Unknown }));
        for chunks in bodies {
            say(Packet::Helo(b"h"));
            say(Packet::Unknown(b"NOSUCH"));
            say(Packet::Macros(MacroPacket { command: b'M', data: b"i\0x\0" }));
            say(Packet::MailFrom(envelope));
            say(Packet::RcptTo(envelope));
            say(Packet::RcptTo(envelope));
            say(Packet::Data);
            say(Packet::Header(HeaderField { name: b"Subject", value: b" \xff" }));
            say(Packet::EndOfHeaders);
            for _ in 0..chunks {
                say(Packet::Body(b"chunk"));
            }
            if chunks == 3 {
                say(Packet::Abort);
            } else {
                say(Packet::EndOfBody(b""));
            }
        }
        say(Packet::Quit);
    }
}

#[test]
fn fields_beyond_the_limit_are_counted_but_not_given() {
    let mut session = Session::new(
        Wants { protocol: Protocol::NO_REPLIES, ..Wants::default() },
        Limits { headers: 2, header_octets: 20, ..Limits::default() },
    );
    let mut out = Vec::new();
    let mut receive = |octets: &[u8]| {
        let frame = Frame { command: octets[0], data: &octets[1..] };
        matches!(session.receive(frame, &mut out).unwrap(), Event::HeaderBeyondLimit)
    };
    receive(b"O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff");
    receive(b"Ch\0U");
    for _ in 0..2 {
        receive(b"M<>\0");
        receive(b"R<>\0");
        assert!(!receive(b"La\0 b\0"));
        assert!(!receive(b"La\0 b\0"));
        assert!(receive(b"La\0 b\0"), "the third");
        receive(b"A");
        receive(b"M<>\0");
        receive(b"R<>\0");
        assert!(receive(b"La\0 3456789012345678\0"), "21 octets with colon and CRLF");
    }
}
