//! The ARC corpus: status and cause of every chain.

use mailproof_arc::Validator;
use mailproof_testkit::{Answer, Case, run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Arc {
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    result: String,
    cause: String,
    detail: Option<String>,
    instance: Option<u8>,
    oldest_pass: Option<u8>,
    #[serde(default)]
    temporary: bool,
    sealers: Option<Vec<String>>,
}

#[test]
fn corpus() {
    run("arc", |case: &Case<Arc>| {
        let (header, body) = mailproof_message::split(case.message.as_deref().unwrap_or_default());
        let mut validator = Validator::new(&header, case.now.unwrap_or(1_700_000_100));
        // Odd chunks, so that every case also shows that cutting does not matter.
        body.chunks(7).for_each(|chunk| validator.body(chunk));
        let validation = validator.finish();
        let outcome = case.zone.resolve(|answers| validation.validate(answers));
        let expect = &case.own.expect;
        let sealers = || outcome.sets.iter().map(|set| set.seal.signature.domain.to_string());
        let got = Expect {
            result: outcome.result().to_string(),
            cause: outcome.cause.keyword().to_owned(),
            detail: outcome.cause.detail().map(str::to_owned),
            instance: outcome.cause.instance(),
            oldest_pass: outcome.oldest_pass,
            temporary: outcome.is_temporary(),
            sealers: expect.sealers.as_ref().map(|_| sealers().collect()),
        };
        Answer { expected: text(expect), got: text(&got) }
    });
}

fn text(expect: &Expect) -> String {
    let Expect { result, cause, detail, instance, oldest_pass, temporary, sealers } = expect;
    format!("{result} {cause} {detail:?} {instance:?} {oldest_pass:?} {temporary} {sealers:?}")
}
