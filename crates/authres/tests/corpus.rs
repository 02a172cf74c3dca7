//! The cases of `testdata/authres/`.

use mailproof_authres::{AuthenticationResults, AuthservId, MethodResult, removal};
use mailproof_testkit::{Answer, run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Own {
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
struct Input {
    /// The field's value.
    value: String,
    /// Our authserv-ids: the question is then whether the field is removed.
    #[serde(default)]
    ours: Vec<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Expect {
    authserv_id: String,
    version: Option<u32>,
    /// Each as `method[/version]=result`, `reason: text` if there is one, `ptype.property: value`.
    results: Vec<Vec<String>>,
    /// The kind of the first fault; what else stands here is the lenient reading then.
    error: Option<String>,
    removal: Option<String>,
}

#[test]
fn authres() {
    run::<Own>("authres", |case| Answer {
        expected: format!("{:#?}", case.own.expect),
        got: format!("{:#?}", answer(&case.own.input)),
    });
}

fn answer(input: &Input) -> Expect {
    let value = input.value.as_bytes();
    if !input.ours.is_empty() {
        let ours: Vec<_> = input.ours.iter().map(|ours| AuthservId::new(ours)).collect();
        let removal = removal(value, &ours).keyword().to_owned();
        return Expect { removal: Some(removal), ..Expect::default() };
    }
    let error = AuthenticationResults::parse(value).err();
    let field = AuthenticationResults::parse_lenient(value).field;
    Expect {
        authserv_id: field.authserv_id,
        version: field.version,
        results: field.results.iter().map(result).collect(),
        error: error.map(|error| error.kind.keyword().to_owned()),
        removal: None,
    }
}

fn result(result: &MethodResult) -> Vec<String> {
    let version = result.method_version.map_or(String::new(), |version| format!("/{version}"));
    let mut lines = vec![format!("{}{version}={}", result.method, result.result)];
    lines.extend(result.reason.iter().map(|reason| format!("reason: {reason}")));
    lines.extend(
        result.properties.iter().map(|property| {
            format!("{}.{}: {}", property.ptype, property.property, property.value)
        }),
    );
    lines
}
