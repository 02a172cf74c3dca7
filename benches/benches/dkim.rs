//! Verifying and signing against the two things they cannot do without: one operation with the RSA
//! key, its parts parsed before, and one pass of SHA-256 over the body.
//!
//! `cargo bench --bench dkim` prints the ratios, then criterion's statistics; with `-- --ratios`
//! only the ratios.

use aws_lc_rs::digest::{SHA256, digest};
use criterion::{BenchmarkId, Criterion, Throughput};
use mailproof_benches::dkim::{NOW, Rsa};
use mailproof_benches::{Kind, Table, message};
use mailproof_dkim::{DkimResult, EightBit, KeyCache, KeyError, KeyRecord, Signer, Verifier};
use mailproof_dns::Answers;
use std::hint::black_box;
use std::sync::Arc;

const SIZES: [(&str, usize); 4] =
    [("1 KB", 1_000), ("10 KB", 10_000), ("100 KB", 100_000), ("10 MB", 10_000_000)];

/// A cache that has the one record there is.
struct Parsed(Arc<Result<KeyRecord, KeyError>>);

impl KeyCache for Parsed {
    fn key_record(&self, _: &[u8]) -> Arc<Result<KeyRecord, KeyError>> {
        Arc::clone(&self.0)
    }
}

fn main() {
    ratios();
    if !std::env::args().any(|argument| argument == "--ratios") {
        let mut criterion = Criterion::default().configure_from_args();
        statistics(&mut criterion);
        criterion.final_summary();
    }
}

fn verify(signed: &[u8], answers: &Answers, cache: &dyn KeyCache) {
    let (header, body) = mailproof_message::split(black_box(signed));
    let mut verifier = Verifier::new(&header, NOW);
    verifier.body(body);
    let outcome = verifier.finish().verify_with(answers, cache).expect("the key is known");
    assert_eq!(outcome.result(), DkimResult::Pass, "{outcome:?}");
}

fn sign(message: &[u8], rsa: &Rsa) {
    let (header, body) = mailproof_message::split(black_box(message));
    let mut signer = Signer::new(&header, vec![rsa.template()], EightBit::Refuse)
        .expect("the header section may be signed");
    signer.body(body).expect("the body may be signed");
    black_box(signer.finish().expect("the key signs"));
}

fn hash(message: &[u8]) {
    let (_, body) = mailproof_message::split(message);
    black_box(digest(&SHA256, black_box(body)));
}

fn body_of(message: &[u8]) -> Vec<u8> {
    mailproof_message::split(message).1.to_vec()
}

fn ratios() {
    let rsa = Rsa::new();
    let answers = rsa.answers();
    let parsed = Parsed(Arc::new(KeyRecord::parse(rsa.record.as_bytes())));

    let mut table =
        Table::new("verify rsa-sha256, 2048 bits, relaxed/relaxed, against RSA + SHA-256");
    for kind in [Kind::Text, Kind::Base64] {
        for (size, length) in SIZES {
            let signed = rsa.signed(kind, length);
            let body = body_of(&signed);
            table
                .row(&format!("{}, {size}", kind.name()), || {
                    rsa.bare_verify();
                    black_box(digest(&SHA256, black_box(&body)));
                })
                .side("key parsed before", || verify(&signed, &answers, &parsed))
                .side("key parsed each time", || {
                    verify(&signed, &answers, &mailproof_dkim::NoCache);
                })
                .measure();
        }
    }

    let mut table =
        Table::new("sign rsa-sha256, 2048 bits, relaxed/relaxed, against RSA + SHA-256");
    let mut bare = Rsa::new();
    for (size, length) in SIZES {
        let message = message(Kind::Text, length);
        let body = body_of(&message);
        table
            .row(&format!("text, {size}"), || {
                bare.bare_sign();
                black_box(digest(&SHA256, black_box(&body)));
            })
            .side("sign", || sign(&message, &rsa))
            .measure();
    }
}

fn statistics(criterion: &mut Criterion) {
    let rsa = Rsa::new();
    let answers = rsa.answers();
    let parsed = Parsed(Arc::new(KeyRecord::parse(rsa.record.as_bytes())));
    let mut group = criterion.benchmark_group("dkim");
    for (size, length) in SIZES {
        let (message, signed) = (message(Kind::Text, length), rsa.signed(Kind::Text, length));
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function(BenchmarkId::new("sha256", size), |b| b.iter(|| hash(&message)));
        group.bench_function(BenchmarkId::new("verify", size), |b| {
            b.iter(|| verify(&signed, &answers, &parsed));
        });
        group.bench_function(BenchmarkId::new("sign", size), |b| b.iter(|| sign(&message, &rsa)));
    }
    group.finish();
}
