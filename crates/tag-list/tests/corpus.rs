//! The cases of `testdata/tag-list/`.

use mailproof_tag_list::TagList;
use mailproof_testkit::{Answer, run};
use serde::Deserialize;

#[derive(Deserialize)]
struct Own {
    input: String,
    expect: Expect,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Expect {
    tags: Vec<(String, String)>,
    raw: Option<Vec<String>>,
    error: Option<String>,
}

#[test]
fn tag_list() {
    run::<Own>("tag-list", |case| Answer {
        expected: format!("{:?}", case.own.expect),
        got: format!("{:?}", answer(&case.own)),
    });
}

fn answer(own: &Own) -> Expect {
    let text = |octets| String::from_utf8_lossy(octets).into_owned();
    match TagList::parse(own.input.as_bytes()) {
        Ok(list) => {
            let raw = list.iter().map(|tag| own.input.get(tag.raw_span.clone()).unwrap_or("?"));
            Expect {
                tags: list.iter().map(|tag| (tag.name.to_owned(), text(tag.value))).collect(),
                raw: own.expect.raw.is_some().then(|| raw.map(str::to_owned).collect()),
                error: None,
            }
        }
        Err(error) => {
            let error = format!("{} at {:?}", error.kind.keyword(), error.span);
            Expect { error: Some(error), ..Expect::default() }
        }
    }
}
