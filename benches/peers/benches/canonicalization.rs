//! Canonicalization of bodies and SHA-256, mailproof and its peers, against bare SHA-256.

use aws_lc_rs::digest::{Context, SHA256, digest};
use mail_auth::dkim::Canonicalization as MailAuth;
use mailproof_benches::{Kind, Table, body};
use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization};
use std::hint::black_box;
use viadkim::canonicalize::BodyCanonicalizer as Viadkim;
use viadkim::signature::CanonicalizationAlgorithm;

const SIZES: [(&str, usize); 3] = [("10 KB", 10_000), ("100 KB", 100_000), ("10 MB", 10_000_000)];

fn mailproof(canonicalization: Canonicalization, octets: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let mut sink = |canonical: &[u8]| context.update(canonical);
    let mut body = BodyCanonicalizer::new(canonicalization);
    body.update(black_box(octets), &mut sink);
    body.finish(&mut sink);
    context.finish().as_ref().to_vec()
}

fn viadkim(algorithm: CanonicalizationAlgorithm, octets: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let mut body = Viadkim::new(algorithm);
    context.update(&body.canonicalize_chunk(black_box(octets)));
    context.update(&body.finish());
    context.finish().as_ref().to_vec()
}

fn mail_auth(canonicalization: MailAuth, octets: &[u8]) -> Vec<u8> {
    mail_auth::testing::whole_body_digest(canonicalization, black_box(octets), 0)
}

fn main() {
    type Row = (&'static str, Canonicalization, MailAuth, CanonicalizationAlgorithm);
    let rows: [Row; 2] = [
        (
            "relaxed",
            Canonicalization::Relaxed,
            MailAuth::Relaxed,
            CanonicalizationAlgorithm::Relaxed,
        ),
        ("simple", Canonicalization::Simple, MailAuth::Simple, CanonicalizationAlgorithm::Simple),
    ];
    for (name, ours, theirs, viadkims) in rows {
        let mut table = Table::new(&format!("{name} body + SHA-256, against SHA-256"));
        for kind in Kind::ALL {
            for (size, length) in SIZES {
                let octets = body(kind, length);
                let expected = mailproof(ours, &octets);
                assert_eq!(expected, mail_auth(theirs, &octets), "mail-auth differs");
                assert_eq!(expected, viadkim(viadkims, &octets), "viadkim differs");
                table
                    .row(&format!("{}, {size}", kind.name()), || {
                        black_box(digest(&SHA256, black_box(&octets)));
                    })
                    .side("mailproof", || drop(black_box(mailproof(ours, &octets))))
                    .side("mail-auth", || drop(black_box(mail_auth(theirs, &octets))))
                    .side("viadkim", || drop(black_box(viadkim(viadkims, &octets))))
                    .measure();
            }
        }
    }
}
