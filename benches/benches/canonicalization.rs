//! Canonicalization and SHA-256 against a bare pass of SHA-256 over the same octets.
//!
//! `cargo bench --bench canonicalization` prints the ratios, then criterion's statistics;
//! with `-- --ratios` only the ratios.

use aws_lc_rs::digest;
use criterion::{BenchmarkId, Criterion, Throughput};
use mailproof_benches::{Kind, Table, body};
use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization, header_field};
use sha2::{Digest, Sha256};
use std::hint::black_box;

const SIZES: [(&str, usize); 3] = [("10 KB", 10_000), ("100 KB", 100_000), ("10 MB", 10_000_000)];

fn main() {
    ratios();
    if !std::env::args().any(|argument| argument == "--ratios") {
        let mut criterion = Criterion::default().configure_from_args();
        statistics(&mut criterion);
        criterion.final_summary();
    }
}

fn bare_aws(octets: &[u8]) {
    black_box(digest::digest(&digest::SHA256, black_box(octets)));
}

fn bare_sha2(octets: &[u8]) {
    black_box(Sha256::digest(black_box(octets)));
}

fn canonical_aws(canonicalization: Canonicalization, octets: &[u8]) {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut sink = |canonical: &[u8]| context.update(canonical);
    let mut body = BodyCanonicalizer::new(canonicalization);
    body.update(black_box(octets), &mut sink);
    body.finish(&mut sink);
    black_box(context.finish());
}

fn canonical_sha2(canonicalization: Canonicalization, octets: &[u8]) {
    let mut digest = Sha256::new();
    let mut sink = |canonical: &[u8]| digest.update(canonical);
    let mut body = BodyCanonicalizer::new(canonicalization);
    body.update(black_box(octets), &mut sink);
    body.finish(&mut sink);
    black_box(digest.finalize());
}

fn canonical_only(canonicalization: Canonicalization, octets: &[u8]) {
    let mut sink = |canonical: &[u8]| {
        black_box(canonical);
    };
    let mut body = BodyCanonicalizer::new(canonicalization);
    body.update(black_box(octets), &mut sink);
    body.finish(&mut sink);
}

fn ratios() {
    let mut table = Table::new("body, against SHA-256 of aws-lc-rs");
    for kind in Kind::ALL {
        for (size, length) in SIZES {
            let octets = body(kind, length);
            table
                .row(&format!("{}, {size}", kind.name()), || bare_aws(&octets))
                .side("relaxed + SHA-256", || canonical_aws(Canonicalization::Relaxed, &octets))
                .side("simple + SHA-256", || canonical_aws(Canonicalization::Simple, &octets))
                .side("relaxed alone", || canonical_only(Canonicalization::Relaxed, &octets))
                .measure();
        }
    }

    let mut table = Table::new("body, against SHA-256 of sha2");
    for kind in [Kind::Text, Kind::Base64] {
        for (size, length) in SIZES {
            let octets = body(kind, length);
            table
                .row(&format!("{}, {size}", kind.name()), || bare_sha2(&octets))
                .side("relaxed + SHA-256", || canonical_sha2(Canonicalization::Relaxed, &octets))
                .side("simple + SHA-256", || canonical_sha2(Canonicalization::Simple, &octets))
                .measure();
        }
    }

    let mut table = Table::new("scanning, against memchr for an octet that is not there");
    for kind in [Kind::Text, Kind::Base64] {
        let octets = body(kind, 100_000);
        table
            .row(&format!("{}, 100 KB", kind.name()), || {
                black_box(memchr::memchr(0, black_box(&octets)));
            })
            .side("memchr_iter, CR", || {
                black_box(memchr::memchr_iter(b'\r', black_box(&octets)).max());
            })
            .side("memchr3_iter, SP TAB CR", || {
                black_box(memchr::memchr3_iter(b' ', b'\t', b'\r', black_box(&octets)).max());
            })
            .side("relaxed alone", || canonical_only(Canonicalization::Relaxed, &octets))
            .measure();
    }

    let mut table = Table::new("header section of 1 KB, against SHA-256 of aws-lc-rs");
    let message = mailproof_benches::message(Kind::Text, 0);
    let fields = fields(&message);
    table
        .row("14 fields", || bare_aws(&message))
        .side("relaxed + SHA-256", || {
            let mut context = digest::Context::new(&digest::SHA256);
            for field in &fields {
                let mut sink = |canonical: &[u8]| context.update(canonical);
                header_field(Canonicalization::Relaxed, black_box(field), &mut sink);
                context.update(b"\r\n");
            }
            black_box(context.finish());
        })
        .side("relaxed alone, to a Vec", || {
            let mut canonical = Vec::with_capacity(2048);
            for field in &fields {
                header_field(Canonicalization::Relaxed, black_box(field), &mut canonical);
                canonical.extend_from_slice(b"\r\n");
            }
            black_box(canonical);
        })
        .measure();
}

/// The header fields of a message, each without its final CRLF.
fn fields(message: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        let folded = line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
        match fields.last_mut() {
            _ if line == b"\r\n" => break,
            Some(field) if folded => field.extend_from_slice(line),
            _ => fields.push(line.to_vec()),
        }
    }
    fields.iter_mut().for_each(|field| field.truncate(field.len() - 2));
    fields
}

fn statistics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("canonicalization");
    for kind in Kind::ALL {
        for (size, length) in SIZES {
            let octets = body(kind, length);
            let name = format!("{}, {size}", kind.name());
            group.throughput(Throughput::Bytes(length as u64));
            group.bench_with_input(BenchmarkId::new("sha256", &name), &octets, |b, octets| {
                b.iter(|| bare_aws(octets));
            });
            for canonicalization in [Canonicalization::Relaxed, Canonicalization::Simple] {
                let id = BenchmarkId::new(canonicalization.to_string(), &name);
                group.bench_with_input(id, &octets, |b, octets| {
                    b.iter(|| canonical_aws(canonicalization, octets));
                });
            }
        }
    }
    group.finish();
}
