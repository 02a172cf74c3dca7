//! The Authentication-Results header field (RFC 8601): who claims what about a message.
//!
//! - [`AuthenticationResults::parse`] reads a field to the letter of the grammar, with comments,
//!   quoting, folds, UTF-8 and unknown methods; [`AuthenticationResults::parse_lenient`] reads what
//!   real mail has, and says what is wrong with it.
//! - [`AuthenticationResults::to_field`] prints one field, whatever the values hold.
//! - [`removal`] finds the forged fields that claim to be ours, in every disguise.
//!
//! What a field says decides nothing in this workspace: results go from protocol to protocol as
//! types, and a field is the last thing that is made of them.
//!
//! ```
//! use mailproof_authres::{
//!     AuthenticationResults, AuthservId, Charset, Method, MethodResult, Ptype, Removal, ResultCode,
//!     removal,
//! };
//!
//! let spf = MethodResult::new(Method::Spf, ResultCode::Pass)
//!     .with(Ptype::Smtp, "mailfrom", "example.net");
//! let dkim = MethodResult::new(Method::Dkim, ResultCode::Fail)
//!     .reason("the body was changed")
//!     .with(Ptype::Header, "d", "example.net");
//! let field = AuthenticationResults::new("mx.example.com").with(spf).with(dkim);
//! assert_eq!(
//!     field.to_field(Charset::Ascii),
//!     "Authentication-Results: mx.example.com;\r\n\
//!      \tspf=pass smtp.mailfrom=example.net;\r\n\
//!      \tdkim=fail reason=\"the body was changed\" header.d=example.net\r\n",
//! );
//!
//! let forged = b" (by) \"MX.example.com\" 1; dmarc=pass header.from=example.net";
//! assert_eq!(removal(forged, &[AuthservId::new("mx.example.com")]), Removal::Ours);
//! assert_eq!(AuthenticationResults::parse(forged).unwrap().results.len(), 1);
//! ```
//!
//! STANDARDS: RFC 8601, RFC 2045 5.1 (value), RFC 5321 4.1.2 (Keyword), RFC 6532 (UTF-8), and the
//! registrations of RFC 5617, 6008, 6212, 6541, 7281, 7293, 8617, 8904 and 9989.

mod display;
mod field;
mod limits;
mod parse;
mod registry;
mod removal;
mod token;

pub use display::Charset;
pub use field::{AuthenticationResults, Error, ErrorKind, MethodResult, Property};
pub use limits::Limits;
pub use parse::Reading;
pub use registry::{Keyword, Method, Ptype, ResultCode};
pub use removal::{AuthservId, Removal, removal, removals};
