//! A filter for Postfix that adds to each message how it was seen, and refuses one with the subject
//! `refuse me`.
//!
//!     cargo run -p mailproof-milter --example seen 127.0.0.1:8891
//!     postconf -e smtpd_milters=inet:127.0.0.1:8891

use mailproof_milter::{
    Actions, Decoder, Event, Limits, MacroStage, Modification, Protocol, Reply, Session, SmtpReply,
    Wants,
};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// What is remembered of a message.
#[derive(Default)]
struct Seen {
    recipients: usize,
    fields: usize,
    octets: usize,
    refused: bool,
}

fn answer(
    event: Event<'_>,
    seen: &mut Seen,
    session: &mut Session,
    out: &mut Vec<u8>,
) -> Result<Reply, Box<dyn Error>> {
    match event {
        Event::MailFrom(_) => *seen = Seen::default(),
        Event::RcptTo(_) => seen.recipients += 1,
        Event::Header(field) => {
            seen.fields += 1;
            let subject = field.name.eq_ignore_ascii_case(b"subject");
            seen.refused |= subject && field.value.trim_ascii() == b"refuse me";
        }
        Event::BodyChunk(chunk) => seen.octets += chunk.len(),
        Event::EndOfMessage(_) if seen.refused => {
            return Ok(Reply::Smtp(SmtpReply::new(550, (5, 7, 1), "As you wish.\n100%")?));
        }
        Event::EndOfMessage(_) => {
            let id = session.macros().get("i").unwrap_or(b"none").escape_ascii().to_string();
            let Seen { recipients, fields, octets, .. } = seen;
            let value = format!(" {id} rcpt={recipients}\r\n\tfields={fields} body={octets}");
            let name = b"X-Seen";
            let field = Modification::InsertHeader { index: 0, name, value: value.as_bytes() };
            session.modify(&field, out)?;
            return Ok(Reply::Accept);
        }
        _ => {}
    }
    Ok(Reply::Continue)
}

fn serve(mut socket: TcpStream) -> Result<(), Box<dyn Error>> {
    let limits = Limits::default();
    let wants = Wants {
        actions: Actions::ADD_HEADERS,
        protocol: Wants::default().protocol | Protocol::NO_REPLIES | Protocol::NO_UNKNOWN,
        macros: vec![(MacroStage::EndOfMessage, "i".into())],
        ..Wants::default()
    };
    let (mut decoder, mut session) = (Decoder::new(&limits), Session::new(wants, limits));
    let (mut seen, mut out) = (Seen::default(), Vec::new());
    loop {
        while let Some(frame) = decoder.frame()? {
            let event = session.receive(frame, &mut out)?;
            if event == Event::Quit {
                return Ok(());
            }
            let reply = answer(event, &mut seen, &mut session, &mut out)?;
            session.reply(&reply, &mut out)?;
            socket.write_all(&out)?;
            out.clear();
        }
        match socket.read(decoder.space())? {
            0 => return Ok(()),
            octets => decoder.filled(octets),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8891".into());
    for socket in TcpListener::bind(address)?.incoming() {
        let socket = socket?;
        std::thread::spawn(move || {
            if let Err(error) = serve(socket) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}
