//! `check_host` of mail-auth (the limit), mailproof and viaspf on one realistic tree, in memory.

use mail_auth::{MessageAuthenticator, Parameters, SpfResult, spf::verify::SpfParameters};
use mailproof_benches::{Table, spf};
use mailproof_peers::spf::{MailAuth, ViaSpf};
use mailproof_spf::{Checker, check_host};
use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// The value of a future that never waits.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("all answers are in memory"),
    }
}

fn main() {
    let mut checker = Checker::default();
    let resolved = spf::resolve(&spf::realistic(), &mut checker);
    let answers = &resolved.answers;
    let (ip, helo, sender) = (spf::CLIENT.into(), "mail.example.org", "user@example.com");

    let authenticator = MessageAuthenticator::new_google().expect("a resolver that is not used");
    let (kept, parsing) = (MailAuth::kept(answers), MailAuth::parsing(answers));
    let parameters =
        || Parameters::new(SpfParameters::mail_from(ip, helo, "mx.example.net", sender));
    let mail_auth = || now(authenticator.check_host(parameters().with_cache(&kept)));
    let mail_auth_parsing = || now(authenticator.check_host(parameters().with_cache(&parsing)));

    let (lookup, config) = (ViaSpf::new(answers), viaspf::Config::default());
    let from: viaspf::Sender = sender.parse().expect("a sender");
    let greeting: viaspf::DomainName = helo.parse().expect("a domain");
    let via = || now(viaspf::evaluate_sender(&lookup, &config, ip, &from, Some(&greeting)));

    assert_eq!(resolved.outcome.result, mailproof_spf::SpfResult::Pass);
    assert_eq!(mail_auth().result(), SpfResult::Pass);
    assert_eq!(mail_auth_parsing().result(), SpfResult::Pass);
    assert_eq!(via().spf_result, viaspf::SpfResult::Pass);

    Table::new("SPF, against mail-auth with records kept")
        .row("realistic tree", || {
            black_box(mail_auth());
        })
        .side("mailproof, records kept", || {
            black_box(checker.check_host(&spf::request(), answers)).ok();
        })
        .side("viaspf", || {
            black_box(via());
        })
        .measure();
    Table::new("SPF, against mail-auth that parses every time")
        .row("realistic tree", || {
            black_box(mail_auth_parsing());
        })
        .side("mailproof, parsing every time", || {
            black_box(check_host(&spf::request(), answers)).ok();
        })
        .measure();
    Table::new("SPF, against viaspf, which parses every time")
        .row("realistic tree", || {
            black_box(via());
        })
        .side("mailproof, parsing every time", || {
            black_box(check_host(&spf::request(), answers)).ok();
        })
        .measure();
}
