//! The whole verdict on a message: SPF with five lookups, two DKIM signatures, ARC, DMARC and iprev,
//! the answers in memory; against two operations with the RSA key, and against those and SHA-256
//! over what the two signatures cover, which no verifier can do without. Then what the most hostile
//! messages cost, in time and in queries.
//!
//! `cargo bench --bench verdict`.

use aws_lc_rs::digest::{Context, SHA256, digest};
use mailproof::dkim::{self, DkimResult, EightBit, Signature, Signer, header_hash_input};
use mailproof::dns::{Answers, Limits, Question, Response, Zone, resolve_blocking_with};
use mailproof::message::split;
use mailproof::{Envelope, Receiver};
use mailproof_benches::dkim::{DOMAIN, KEY_NAME, NOW, Rsa};
use mailproof_benches::{Kind, Table, message};
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

const ENVELOPE: Envelope<'static> = Envelope {
    ip: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    helo: "out.example.org",
    mail_from: "bounce@example.org",
};

fn main() {
    whole();
    hostile();
}

fn zone(rsa: &Rsa) -> Zone {
    let text = format!(
        "{KEY_NAME}. TXT ( \"{}\" \"{}\" )\n\
         {DOMAIN}. TXT \"v=spf1 a:one.{DOMAIN} mx:two.{DOMAIN} include:three.{DOMAIN} a:out.{DOMAIN} -all\"\n\
         one.{DOMAIN}. A 198.51.100.1\n\
         two.{DOMAIN}. MX 1 mx.{DOMAIN}.\n\
         mx.{DOMAIN}. A 198.51.100.2\n\
         three.{DOMAIN}. TXT \"v=spf1 a:four.{DOMAIN} -all\"\n\
         four.{DOMAIN}. A 198.51.100.3\n\
         out.{DOMAIN}. A 192.0.2.1\n\
         1.2.0.192.in-addr.arpa. PTR out.{DOMAIN}.\n\
         _dmarc.{DOMAIN}. TXT \"v=DMARC1; p=reject\"\n",
        &rsa.record[..200],
        &rsa.record[200..],
    );
    Zone::parse(&text).expect("the zone is one")
}

/// A message of about 10 KB with two signatures of one key.
fn twice_signed(rsa: &Rsa, kind: Kind) -> Vec<u8> {
    let message = message(kind, 10_000);
    let (header, body) = split(&message);
    let mut signer = Signer::new(&header, vec![rsa.template(), rsa.template()], EightBit::Refuse)
        .expect("the header section may be signed");
    signer.body(body).expect("the body may be signed");
    [signer.finish().expect("the key signs").concat(), message.clone()].concat()
}

fn whole() {
    let rsa = Rsa::new();
    let receiver = Receiver::new("mx.example.net");
    let mut table = Table::new("the whole verdict on 10 KB, against two RSA verifications");
    for kind in [Kind::Text, Kind::Base64] {
        let signed = twice_signed(&rsa, kind);
        let hashed = Hashed::of(&signed);
        let zone = zone(&rsa);
        let mut answers = Answers::new();
        let lookup = |question: &Question| zone.lookup(question);
        let verdict = resolve_blocking_with(lookup, &mut answers, &Limits::default(), |answers| {
            receiver.verify(&signed, Some(ENVELOPE), NOW, answers)
        });
        let passing = |one: &dkim::SignatureOutcome| one.result() == DkimResult::Pass;
        assert!(verdict.dkim.signatures.iter().all(passing), "{:?}", verdict.dkim);
        assert_eq!(verdict.dmarc.result.keyword(), "pass");
        assert_eq!(verdict.spf.as_ref().expect("SPF").deciding().result.to_string(), "pass");
        let verify = || {
            black_box(receiver.verify(&signed, Some(ENVELOPE), NOW, &answers).expect("all known"));
        };
        let twice = || {
            rsa.bare_verify();
            rsa.bare_verify();
        };
        let no_less = || {
            twice();
            hashed.hash();
        };
        let name = kind.name();
        table
            .row(&format!("{name}, RSA alone"), twice)
            .side("RSA and SHA-256", no_less)
            .side("verdict", verify)
            .measure();
        table.row(&format!("{name}, RSA and SHA-256"), no_less).side("verdict", verify).measure();
    }
}

/// What SHA-256 has to be computed over: the body, the fields that both signatures sign, and the
/// field of each.
struct Hashed {
    body: Vec<u8>,
    shared: Vec<u8>,
    own: [Vec<u8>; 2],
}

impl Hashed {
    fn of(message: &[u8]) -> Hashed {
        let (header, body) = split(message);
        let input = |place: usize| {
            let field = header.field(place).expect("two signatures are on top");
            let signature = Signature::parse(field.value(), &dkim::Limits::default());
            header_hash_input(&header, place, &signature.expect("it is well-formed"))
        };
        let own = |input: &[u8]| {
            // The fields that are signed end with CRLF, the own one does not.
            input.windows(2).rposition(|pair| pair == b"\r\n").map_or(0, |at| at + 2)
        };
        let inputs = [input(0), input(1)];
        let starts = inputs.each_ref().map(|input| own(input));
        assert_eq!(inputs[0][..starts[0]], inputs[1][..starts[1]], "both sign the same fields");
        Hashed {
            body: body.to_vec(),
            shared: inputs[0][..starts[0]].to_vec(),
            own: [0, 1].map(|at| inputs[at][starts[at]..].to_vec()),
        }
    }

    fn hash(&self) {
        black_box(digest(&SHA256, black_box(&self.body)));
        let mut shared = Context::new(&SHA256);
        shared.update(black_box(&self.shared));
        for own in &self.own {
            let mut context = shared.clone();
            context.update(black_box(own));
            black_box(context.finish());
        }
    }
}

/// What one message may cost: the time of the processor, and the questions that leave.
fn hostile() {
    println!("\n| hostile message | ms | queries |\n|---|--:|--:|");
    let signature = |at: usize| {
        format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d{at}.example; s=s; h=from; \
             bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"
        )
    };
    let set = |at: usize| {
        format!(
            "ARC-Seal: i={at}; a=rsa-sha256; cv={}; d=a{at}.example; s=s; b=AAAA\r\n\
             ARC-Message-Signature: i={at}; a=rsa-sha256; d=a{at}.example; s=s; h=from; \
             bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n\
             ARC-Authentication-Results: i={at}; a{at}.example; none\r\n",
            if at == 1 { "none" } else { "pass" },
        )
    };
    let mut both: String = (0..1000).map(signature).collect();
    both.extend((1..=50).rev().map(set));
    for at in 0..1000 {
        let _ = write!(both, "Authentication-Results: mx{at}.example; dmarc=pass\r\n");
    }
    cost("1,000 signatures, 50 ARC sets, 1,000 results", &both, &|_| key(400));
    cost("the same, text records of 64 KB", &both, &|_| key(64_000));
    cost("the same, no name exists", &both, &|_| Response::NxDomain);
}

fn key(length: usize) -> Response {
    let rsa = Rsa::new();
    let text = format!("{}; n={}", rsa.record, "x".repeat(length.saturating_sub(400)));
    Response::records([mailproof::dns::Data::txt(text)])
}

fn cost(name: &str, fields: &str, answer: &dyn Fn(&Question) -> Response) {
    let message = format!("{fields}From: a@author.example\r\n\r\nbody\r\n");
    let receiver = Receiver::new("mx.example.net");
    let mut queries = 0;
    let mut answers = Answers::new();
    let fixed = answer(&Question::txt("x.example".parse().expect("a name")));
    let lookup = |_: &Question| {
        queries += 1;
        fixed.clone()
    };
    let verdict = resolve_blocking_with(lookup, &mut answers, &Limits::default(), |answers| {
        receiver.verify(message.as_bytes(), Some(ENVELOPE), NOW, answers)
    });
    assert_ne!(verdict.dmarc.result.keyword(), "pass");
    let start = Instant::now();
    black_box(receiver.verify(message.as_bytes(), Some(ENVELOPE), NOW, &answers)).ok();
    println!("| {name} | {:.1} | {queries} |", start.elapsed().as_secs_f64() * 1e3);
}
