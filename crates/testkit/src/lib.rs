//! The test corpus: reads `testdata/` into cases for the tests of every crate.
//!
//! A case is data: a name, a reason, a section of an RFC, a DNS zone, an input and what is
//! expected. [`run`] reads the cases of one kind, lets the crate answer them, and reports *all*
//! the failing ones at the end; [`cases`] only reads them. What `input` and `expect` hold is each
//! crate's own type. A key nobody reads is an error, so a misspelt expectation cannot pass.
//!
//! ```no_run
//! use mailproof_testkit::{Answer, Case, run};
//!
//! #[derive(serde::Deserialize)]
//! struct Squares {
//!     input: u32,
//!     expect: u32,
//! }
//!
//! run("squares", |case: &Case<Squares>| Answer {
//!     expected: case.own.expect.to_string(),
//!     got: case.own.input.pow(2).to_string(),
//! });
//! ```
//!
//! `MAILPROOF_CASE=word` runs only the cases with `word` in their name; `testdata/private/` is
//! read where it exists. The format is told in `testdata/README.md`.
//!
//! [`Server`] answers real DNS queries from a zone, for what only sockets can test.
//!
//! STANDARDS: none; the format is our own.

mod case;
mod exceptions;
mod read;
mod run;
mod server;
mod wire;

pub use case::Case;
pub use exceptions::Exception;
pub use read::{Error, cases, read, testdata};
pub use run::{Answer, run};
pub use server::{Behaviour, Server, Transport};
