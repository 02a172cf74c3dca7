//! Transcripts of `testdata/milter`, and how events are told there.

use mailproof_milter::{
    Answer, Connection, Decoder, Envelope, Event, Frame, Limits, MacroStage, Peer, Session, Wants,
};

/// A packet of a transcript.
pub(crate) struct Line {
    pub(crate) from_mta: bool,
    pub(crate) octets: Vec<u8>,
}

impl Line {
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame { command: self.octets[4], data: &self.octets[5..] }
    }
}

/// The connections of a transcript, an empty line between them.
pub(crate) fn connections(transcript: &str) -> Vec<Vec<Line>> {
    transcript.trim().split("\n\n").map(|it| it.lines().map(line).collect()).collect()
}

/// `> C "octets" "octets"*count`.
fn line(text: &str) -> Line {
    let (direction, rest) = text.split_once(' ').unwrap();
    let (command, mut rest) = rest.split_at(1);
    let mut data = Vec::new();
    while let Some(quoted) = rest.trim_start().strip_prefix('"') {
        let (piece, after) = unescape(quoted);
        let (count, after) = match after.strip_prefix('*') {
            Some(after) => after.split_once(' ').unwrap_or((after, "")),
            None => ("1", after),
        };
        data.extend(piece.repeat(count.parse().unwrap()));
        rest = after;
    }
    assert!(rest.is_empty(), "{text}");
    let mut octets = Vec::new();
    Frame { command: command.as_bytes()[0], data: &data }.encode(&mut octets);
    Line { from_mta: direction == ">", octets }
}

/// The octets up to the closing quote, and what follows it.
fn unescape(text: &str) -> (Vec<u8>, &str) {
    let mut octets = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (octets, &text[at + 1..]),
            '\\' => octets.push(match chars.next().unwrap().1 {
                't' => b'\t',
                'n' => b'\n',
                'r' => b'\r',
                'x' => {
                    chars.nth(1);
                    u8::from_str_radix(&text[at + 2..at + 4], 16).unwrap()
                }
                other => u8::try_from(other).unwrap(),
            }),
            other => octets.push(u8::try_from(other).unwrap()),
        }
    }
    panic!("no closing quote: {text}")
}

/// What the filter of a transcript has asked for.
pub(crate) fn wants(lines: &[Line]) -> Wants {
    let answers = lines.iter().filter(|it| !it.from_mta).map(|it| Answer::parse(it.frame()));
    let Some(Ok(Answer::Negotiate(agreed, mut lists))) = answers.into_iter().next() else {
        return Wants::default();
    };
    let mut macros = Vec::new();
    while let Some((number, rest)) = lists.split_first_chunk() {
        let end = rest.iter().position(|&it| it == 0).unwrap();
        let number = u32::from_be_bytes(*number);
        let stage = MacroStage::ALL.into_iter().find(|it| it.number() == number).unwrap();
        macros.push((stage, String::from_utf8(rest[..end].to_vec()).unwrap()));
        lists = &rest[end + 1..];
    }
    Wants { actions: agreed.actions, protocol: agreed.protocol, macros, ..Wants::default() }
}

/// An event in words; macros are told where a filter wants them.
pub(crate) fn tell(event: &Event<'_>, session: &Session) -> String {
    let text = |it: &[u8]| it.escape_ascii().to_string();
    let envelope = |word: &str, it: &Envelope<'_>| {
        let args: String = it.args().map(|it| format!(" {}", text(it))).collect();
        format!("{word} {}{args}", text(it.path))
    };
    let macros = |names: &[&str]| -> String {
        let value = |name: &&str| Some(format!(" {name}={}", text(session.macros().get(name)?)));
        names.iter().filter_map(value).collect()
    };
    match event {
        Event::Negotiated(it) => {
            format!("negotiated {}, {}, {}", it.version, it.actions, it.protocol)
        }
        Event::Macros => "macros".into(),
        Event::Connect(Connection { host, peer }) => {
            let peer = match peer {
                Peer::Unix(path) => format!("unix {}", text(path)),
                Peer::Inet(it) => it.to_string(),
                Peer::Inet6(it) => it.to_string(),
                Peer::Unknown => "unknown".into(),
            };
            format!("connect {} {peer}{}", text(host), macros(&["j"]))
        }
        Event::Helo(name) => format!("helo {}", text(name)),
        Event::MailFrom(it) => envelope("mail", it) + &macros(&["i", "rcpt_addr"]),
        Event::RcptTo(it) => envelope("rcpt", it) + &macros(&["i", "{rcpt_mailer}"]),
        Event::Data => "data".to_string() + &macros(&["i"]),
        Event::Unknown(it) => format!("unknown {}", text(it)),
        Event::Header(it) => format!("header {}:{}", text(it.name), text(it.value)),
        Event::HeaderBeyondLimit => "header beyond limit".into(),
        Event::EndOfHeaders => "end of headers".to_string() + &macros(&["i", "{daemon_name}"]),
        Event::BodyChunk(it) => format!("body {}", it.len()),
        Event::EndOfMessage(it) => format!("end of message {}{}", it.len(), macros(&["i", "j"])),
        Event::Abort => "abort".to_string() + &macros(&["i"]),
        Event::Quit => "quit".into(),
        Event::QuitNewConnection => "quit, new connection".to_string() + &macros(&["j"]),
        _ => "?".into(),
    }
}

/// A decoder that has been given all that the MTA sends.
pub(crate) fn decoder(lines: &[Line]) -> Decoder {
    let mut decoder = Decoder::new(&Limits::default());
    lines.iter().filter(|it| it.from_mta).for_each(|it| decoder.feed(&it.octets));
    decoder
}
