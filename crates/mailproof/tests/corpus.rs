//! The cases of whole messages, `testdata/verdict/`: every method's result and cause.
#![allow(clippy::unwrap_used, reason = "tests")]

use mailproof::arc::TrustedSealers;
use mailproof::dmarc::Rejection;
use mailproof::message::split;
use mailproof::{Envelope, Limits, Policy, Receiver, Verdict};
use mailproof_testkit::{Answer, Case, run};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    input: Input,
    expect: Expect,
}

#[derive(Default, Deserialize)]
struct Input {
    ip: Option<String>,
    #[serde(default)]
    helo: String,
    #[serde(default)]
    mail_from: String,
    #[serde(default)]
    trusted: Vec<String>,
}

/// Results with causes; what is not stated is not compared.
#[derive(Deserialize, Serialize)]
struct Expect {
    dmarc: String,
    spf: Option<String>,
    helo: Option<String>,
    dkim: Option<String>,
    arc: Option<String>,
    iprev: Option<String>,
    author: Option<String>,
    policy: Option<String>,
    disposition: Option<String>,
    #[serde(rename = "override")]
    overridden: Option<bool>,
    #[serde(default)]
    temporary: bool,
    removals: Option<usize>,
    authentication_results: Option<String>,
}

#[test]
fn corpus() {
    run("verdict", |case: &Case<Message>| {
        let Input { ip, helo, mail_from, trusted } = &case.own.input;
        let trusted_sealers =
            TrustedSealers::new(trusted.iter().map(|domain| domain.parse().unwrap()));
        let policy = Policy { trusted_sealers, ..Policy::default() };
        let receiver = Receiver::with("mx.victim.example", policy, Limits::default());
        let envelope = ip.as_ref().map(|ip| Envelope { ip: ip.parse().unwrap(), helo, mail_from });
        let (header, body) = split(case.message.as_deref().unwrap());
        let mut verifier = receiver.verifier(&header, envelope, case.now.unwrap());
        body.chunks(7).for_each(|chunk| verifier.body(chunk));
        let mut verification = verifier.finish();
        let verdict = case.zone.resolve(|answers| verification.verify(answers));
        let expect = &case.own.expect;
        let removals = verdict.removals(&header).len();
        let text = |expect: &Expect| serde_json::to_string(expect).unwrap();
        Answer { expected: text(expect), got: text(&got(&verdict, removals, expect)) }
    });
}

fn got(verdict: &Verdict, removals: usize, expect: &Expect) -> Expect {
    let pair = |result: &str, cause: &str| format!("{result} {cause}");
    let spf = verdict.spf.as_ref();
    let dkim = &verdict.dkim;
    let author = &verdict.author_domain;
    // A case names either the result or the cause of the Author Domain.
    let author = |wanted: &String| match wanted == author.keyword() {
        true => author.keyword().to_owned(),
        false => author.cause().unwrap_or(author.keyword()).to_owned(),
    };
    Expect {
        dmarc: pair(verdict.dmarc.result.keyword(), verdict.dmarc.cause.keyword()),
        spf: expect.spf.as_ref().map(|_| spf.unwrap().deciding().result.to_string()),
        helo: expect.helo.as_ref().map(|_| spf.unwrap().helo.result.to_string()),
        dkim: expect.dkim.as_ref().map(|_| {
            let cause = dkim.cause().map_or("unsigned", mailproof::dkim::Cause::keyword);
            pair(dkim.result().keyword(), cause)
        }),
        arc: expect
            .arc
            .as_ref()
            .map(|_| pair(verdict.arc.result().keyword(), verdict.arc.cause.keyword())),
        iprev: expect.iprev.as_ref().map(|_| {
            let iprev = verdict.iprev.as_ref().unwrap();
            pair(iprev.result().keyword(), iprev.cause.keyword())
        }),
        author: expect.author.as_ref().map(author),
        policy: expect.policy.as_ref().map(|_| verdict.dmarc.policy.unwrap().to_string()),
        disposition: expect
            .disposition
            .as_ref()
            .map(|_| verdict.disposition(Rejection::default()).to_string()),
        overridden: expect.overridden.map(|_| verdict.arc_override.is_some()),
        temporary: verdict.is_temporary(),
        removals: expect.removals.map(|_| removals),
        authentication_results: expect
            .authentication_results
            .as_ref()
            .map(|_| verdict.authentication_results().to_string()),
    }
}
