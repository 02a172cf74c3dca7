//! Verifies a message in a blocking program:
//! `blocking IP HELO MAIL-FROM < message.eml`.

use std::error::Error;
use std::io::stdin;
use std::time::{SystemTime, UNIX_EPOCH};

use mailproof::message::{CrlfReader, Limits, read_header};
use mailproof::{Envelope, Receiver, authres::Charset};
use mailproof_dns_hickory::{BlockingResolver, HickoryResolver};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [ip, helo, mail_from] = &arguments[..] else {
        return Err("usage: blocking IP HELO MAIL-FROM < message.eml".into());
    };
    let envelope = Envelope { ip: ip.parse()?, helo, mail_from };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();

    let receiver = Receiver::new("mx.example.org");
    let (header, mut body) = read_header(CrlfReader::new(stdin().lock()), &Limits::default())?;
    let mut verifier = receiver.verifier(&header, Some(envelope), now);
    while let Some(chunk) = body.next_chunk()? {
        verifier.body(chunk);
    }
    let mut verification = verifier.finish();

    let system = HickoryResolver::system(&mailproof_dns_hickory::Limits::default())?;
    let resolver = BlockingResolver::new(system)?;
    let verdict = resolver.resolve(|answers| verification.verify(answers));
    print!("{}", verdict.fields(Some(&envelope), now, Charset::Ascii).concat());
    Ok(())
}
