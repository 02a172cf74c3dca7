//! DNS as the mail authentication RFCs need it: names, questions, responses, and the answer set.
//!
//! A protocol function (SPF's `check_host`, a DKIM verification, a DMARC Tree Walk) is a plain
//! function of its arguments and of the [`Answers`] known so far. It returns its outcome, or
//! [`Missing`]: the questions it could name before it had to stop. A driver asks them and calls
//! the function again, from the start, until it has an outcome:
//!
//! - [`resolve`] over any async [`Resolver`], the questions of one round in parallel;
//! - [`resolve_blocking`] over any function from [`Question`] to [`Response`].
//!
//! Whoever has no network at hand asks a [`Zone`], records in memory read from master files
//! (RFC 1035 5), or a [`Recording`] of what the network said before.
//!
//! Whoever sends the questions himself makes a message of each with [`Question::to_message`], and
//! reads what comes back with [`Reply::read`].
//!
//! So the protocols know no runtime and no socket, a name is asked once per message, and
//! *(request, answers)* is a complete, replayable case.
//!
//! ```
//! use mailproof_dns::{Answers, Data, Missing, Question, Response, resolve_blocking};
//!
//! // A protocol function: the text records of a name.
//! fn texts(answers: &Answers) -> Result<usize, Missing> {
//!     let question = Question::txt("example.com".parse().unwrap());
//!     Ok(answers.require(&question)?.texts().count())
//! }
//!
//! let lookup = |_: &Question| Response::records([Data::txt("v=spf1 -all")]);
//! assert_eq!(resolve_blocking(lookup, texts), 1);
//! ```
//!
//! STANDARDS: RFC 1034, RFC 1035, RFC 2181 (names are octets), RFC 2308 (NODATA), RFC 3597 (types
//! by number), RFC 4343 (caseless), RFC 4592 (wildcards), RFC 5890 (A-labels), RFC 6840
//! 5.7 (AD), RFC 6891 (EDNS).

mod answers;
mod data;
mod display;
mod hash;
mod limits;
mod master_file;
mod message;
mod name;
mod query;
mod question;
mod recording;
mod reply;
mod resolve;
mod response;
mod token;
mod tree;
mod zone;
mod zone_error;

pub use answers::{Answers, Missing};
pub use limits::{Limits, ZoneLimits};
pub use message::{MessageError, MessageErrorKind};
pub use name::{Name, NameError};
pub use question::{Question, RecordType, UnknownRecordType};
pub use recording::Recording;
pub use reply::Reply;
pub use resolve::{Resolver, resolve, resolve_blocking, resolve_blocking_with, resolve_with};
pub use response::{Data, Failure, Mx, RecordSet, Response, Txt};
pub use zone::{Record, Zone};
pub use zone_error::{MasterFileError, MasterFileErrorKind, Place, ZoneError};
