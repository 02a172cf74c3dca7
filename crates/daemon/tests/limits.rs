//! What a message may cost, reached.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod daemon;

use daemon::{Daemon, Mta};
use mailproof_milter::{Envelope, HeaderField, MacroPacket, Packet, Reply};

const LIMITS: &str = "[limits]\nheader-octets = 2000\nheader-fields = 20\nrecipients = 10\n";

fn message(mta: &mut Mta, recipients: usize, fields: &[(String, String)]) -> (Vec<String>, Reply) {
    mta.say(&Packet::MailFrom(Envelope { path: b"<joe@example.com>", args: b"" }));
    for number in 0..recipients {
        let path = format!("<user{number}@example.net>");
        mta.say(&Packet::RcptTo(Envelope { path: path.as_bytes(), args: b"" }));
    }
    for (name, value) in fields {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        mta.say(&Packet::Header(HeaderField { name, value }));
    }
    mta.say(&Packet::EndOfHeaders);
    mta.say(&Packet::Body(b"Hi\r\n"));
    mta.say(&Packet::Macros(MacroPacket { command: b'E', data: b"i\x004QID\0" }));
    let (done, reply) = mta.say(&Packet::EndOfBody(b""));
    (done, reply.unwrap())
}

fn fields(more: usize, value: &str) -> Vec<(String, String)> {
    let from = ("From".to_owned(), " joe@example.com".to_owned());
    let date = ("Date".to_owned(), " Thu, 1 Jan 2026 00:00:00 +0000".to_owned());
    let more = std::iter::repeat_n(("X".to_owned(), value.to_owned()), more);
    [from, date].into_iter().chain(more).collect()
}

#[test]
fn headers_and_recipients() {
    let daemon = Daemon::start(LIMITS);
    let mut mta = daemon.client("192.0.2.1");
    let is_refused = |reply: Reply| match reply {
        Reply::Smtp(reply) => reply.to_string() == "550 5.3.4 the header is too large",
        Reply::Accept => false,
        other => panic!("{other:?}"),
    };
    for (more, value, expected) in [
        (18, " y", false),
        (19, " y", true),
        (5_000, " y", true),
        (1, &*"z".repeat(1_800), false),
        (1, &*"z".repeat(2_000), true),
        (1, &*"z".repeat(60_000), true),
    ] {
        let (_, reply) = message(&mut mta, 1, &fields(more, value));
        assert_eq!(is_refused(reply), expected, "{more} {}", value.len());
    }
    // More recipients than are remembered are no reason to refuse.
    let (done, reply) = message(&mut mta, 5_000, &fields(0, ""));
    assert_eq!((done.len(), reply), (1, Reply::Accept));
}
