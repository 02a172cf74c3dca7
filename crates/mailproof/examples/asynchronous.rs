//! Verifies a message in an async program that asks the DNS before it reads the body:
//! `asynchronous IP HELO MAIL-FROM < message.eml`.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use mailproof::dns::{Answers, Limits, resolve_with};
use mailproof::message::Header;
use mailproof::{Envelope, Receiver, Verdict};
use mailproof_dns_hickory::HickoryResolver;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ip, helo, mail_from] = &arguments[..] else {
        return Err("usage: asynchronous IP HELO MAIL-FROM < message.eml".into());
    };
    let envelope = Envelope { ip: ip.parse()?, helo, mail_from };
    let message = std::io::read_to_string(std::io::stdin())?.replace('\n', "\r\n");
    let (header, body) = mailproof::message::split(message.as_bytes());

    let receiver = Receiver::new("mx.example.org");
    let resolver = HickoryResolver::system(&mailproof_dns_hickory::Limits::default())?;
    let verdict = receive(&receiver, &resolver, &header, body, envelope).await?;
    println!("dmarc={} {}", verdict.dmarc.result, verdict.dmarc.cause);
    Ok(())
}

async fn receive(
    receiver: &Receiver,
    resolver: &HickoryResolver,
    header: &Header,
    body: &[u8],
    envelope: Envelope<'_>,
) -> Result<Verdict, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (mut answers, limits) = (Answers::new(), Limits::default());
    let mut verifier = receiver.verifier(header, Some(envelope), now);
    resolve_with(resolver, &mut answers, &limits, |answers| verifier.foresee(answers)).await;
    for chunk in body.chunks(8192) {
        verifier.body(chunk);
    }
    let mut verification = verifier.finish();
    let verify = |answers: &Answers| verification.verify(answers);
    Ok(resolve_with(resolver, &mut answers, &limits, verify).await)
}
