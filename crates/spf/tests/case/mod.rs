//! What `input` and `expect` of a case in `testdata/spf/` hold.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]
#![allow(clippy::indexing_slicing, reason = "tests")]

use std::net::IpAddr;

use mailproof_spf::{Cause, Checker, Outcome, Request};
use mailproof_testkit::Case;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Spf {
    pub input: Input,
    pub expect: Expect,
}

#[derive(Deserialize)]
pub struct Input {
    pub ip: IpAddr,
    pub helo: String,
    /// The reverse-path; without it HELO is checked.
    pub mail_from: Option<String>,
    pub receiver: Option<String>,
}

#[derive(Deserialize)]
pub struct Expect {
    pub result: OneOf,
    pub cause: String,
    /// The keyword of the syntax error.
    pub error: Option<String>,
    /// Empty: there is none.
    pub explanation: Option<String>,
    /// The owner of the record and the term that decided, as `example.com: -all`.
    pub term: Option<String>,
    pub terms: Option<u8>,
    pub void_lookups: Option<u32>,
    pub queries: Option<u32>,
}

/// The results a case accepts, the preferred one first.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum OneOf {
    One(String),
    Several(Vec<String>),
}

impl OneOf {
    /// The accepted result that is `got`, else the preferred one.
    pub fn nearest(&self, got: &str) -> String {
        match self {
            OneOf::One(result) => result.clone(),
            OneOf::Several(results) => {
                results.iter().find(|result| *result == got).unwrap_or(&results[0]).clone()
            }
        }
    }
}

pub fn request<'a>(case: &'a Case<Spf>) -> Request<'a> {
    let input = &case.own.input;
    let request = match &input.mail_from {
        Some(mail_from) => Request::mail_from(input.ip, &input.helo, mail_from),
        None => Request::helo(input.ip, &input.helo),
    };
    let request = request.now(case.now.unwrap_or_default());
    match &input.receiver {
        Some(receiver) => request.receiver(receiver),
        None => request,
    }
}

pub fn outcome(case: &Case<Spf>) -> Outcome {
    let (request, mut checker) = (request(case), Checker::default());
    case.zone.resolve(|answers| checker.check_host(&request, answers))
}

pub fn syntax_error(cause: &Cause) -> String {
    match cause {
        Cause::SyntaxError { error, .. } => error.kind.keyword().to_owned(),
        _ => String::new(),
    }
}
