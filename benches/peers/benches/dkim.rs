//! Verifying and signing, mailproof and its peers, against one RSA operation and one SHA-256.

use aws_lc_rs::digest::{SHA256, digest};
use mail_auth::crypto::{RsaKey, Sha256};
use mail_auth::dkim::{Canonicalization as MailAuth, DkimSigner};
use mail_auth::dns::cache::Parameters;
use mail_auth::{AuthenticatedMessage, DkimResult as Theirs, MessageAuthenticator};
use mailproof_benches::dkim::{DOMAIN, KEY_NAME, NOW, Rsa, SELECTOR};
use mailproof_benches::{Kind, Table, message};
use mailproof_dkim::{DkimResult, EightBit, KeyCache, KeyError, KeyRecord, Signer, Verifier};
use mailproof_dns::Answers;
use mailproof_peers::{OneKey, OneRecord};
use rustls_pki_types::PrivateKeyDer;
use std::{hint::black_box, sync::Arc};
use tokio::runtime::Runtime;

const SIZES: [(&str, usize); 4] =
    [("1 KB", 1_000), ("10 KB", 10_000), ("100 KB", 100_000), ("10 MB", 10_000_000)];

struct Parsed(Arc<Result<KeyRecord, KeyError>>);

impl KeyCache for Parsed {
    fn key_record(&self, _: &[u8]) -> Arc<Result<KeyRecord, KeyError>> {
        Arc::clone(&self.0)
    }
}

fn mailproof(signed: &[u8], answers: &Answers, cache: &dyn KeyCache) {
    let (header, body) = mailproof_message::split(black_box(signed));
    let mut verifier = Verifier::new(&header, NOW);
    verifier.body(body);
    let outcome = verifier.finish().verify_with(answers, cache).expect("the key is known");
    assert_eq!(outcome.result(), DkimResult::Pass);
}

fn mail_auth(runtime: &Runtime, dns: &MessageAuthenticator, cache: &OneKey, signed: &[u8]) {
    let message = AuthenticatedMessage::parse(black_box(signed)).expect("it is a message");
    let parameters = Parameters::new(&message).with_cache(cache);
    let outcomes = runtime.block_on(dns.verify_dkim(parameters));
    assert!(outcomes.iter().all(|outcome| outcome.result() == &Theirs::Pass), "{outcomes:?}");
    assert_eq!(outcomes.len(), 1);
}

fn viadkim(runtime: &Runtime, record: &OneRecord, signed: &[u8]) {
    let (header, body) = mailproof_message::split(black_box(signed));
    let header = std::str::from_utf8(header.octets()).expect("the header section is ASCII");
    let fields = header.parse().expect("the header section is one");
    let config = viadkim::Config::default();
    let outcomes = runtime.block_on(async {
        let verifier = viadkim::Verifier::verify_header(record, &fields, &config).await;
        let mut verifier = verifier.expect("there is a signature");
        let _ = verifier.process_body_chunk(body);
        verifier.finish()
    });
    assert!(
        outcomes.iter().all(|o| o.status == viadkim::VerificationStatus::Success),
        "{outcomes:?}"
    );
}

fn main() {
    let rsa = Rsa::new();
    let answers = rsa.answers();
    let parsed = Parsed(Arc::new(KeyRecord::parse(rsa.record.as_bytes())));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("there is a runtime");
    let dns = {
        let _context = runtime.enter();
        MessageAuthenticator::new_cloudflare().expect("the configuration is one")
    };
    let cache = OneKey::new(&format!("{KEY_NAME}."), &rsa.record);
    let record = OneRecord(rsa.record.as_str().into());

    let mut table =
        Table::new("verify rsa-sha256, 2048 bits, relaxed/relaxed, against RSA + SHA-256");
    for kind in [Kind::Text, Kind::Base64] {
        for (size, length) in SIZES {
            let signed = rsa.signed(kind, length);
            let body = mailproof_message::split(&signed).1.to_vec();
            table
                .row(&format!("{}, {size}", kind.name()), || {
                    rsa.bare_verify();
                    black_box(digest(&SHA256, black_box(&body)));
                })
                .side("mailproof", || mailproof(&signed, &answers, &parsed))
                .side("mail-auth", || mail_auth(&runtime, &dns, &cache, &signed))
                .side("viadkim", || viadkim(&runtime, &record, &signed))
                .measure();
        }
    }

    let mut table =
        Table::new("sign rsa-sha256, 2048 bits, relaxed/relaxed, against RSA + SHA-256");
    let mut bare = Rsa::new();
    let key = PrivateKeyDer::Pkcs1(rsa.der.clone().into());
    let fields = ["From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References"];
    let signer = DkimSigner::from_key(RsaKey::<Sha256>::from_key_der(key).expect("the key is RSA"))
        .domain(DOMAIN)
        .selector(SELECTOR)
        .headers(fields)
        .header_canonicalization(MailAuth::Relaxed)
        .body_canonicalization(MailAuth::Relaxed);
    for (size, length) in SIZES {
        let message = message(Kind::Text, length);
        let body = mailproof_message::split(&message).1.to_vec();
        table
            .row(&format!("text, {size}"), || {
                bare.bare_sign();
                black_box(digest(&SHA256, black_box(&body)));
            })
            .side("mailproof", || {
                let (header, body) = mailproof_message::split(black_box(&message));
                let mut signer = Signer::new(&header, vec![rsa.template()], EightBit::Refuse)
                    .expect("the header section may be signed");
                signer.body(body).expect("the body may be signed");
                black_box(signer.finish().expect("the key signs"));
            })
            .side("mail-auth", || {
                black_box(signer.sign(black_box(&message)).expect("the key signs"));
            })
            .measure();
    }
}
