//! Tag=value lists (RFC 6376 3.2), as DKIM signatures, DKIM key records and ARC fields write them.
//!
//! [`TagList::parse`] reads a list in one pass over the octets and keeps where each part stands:
//! a checker underlines a fault, and a verifier cuts the value of "b=" out of the field it signs
//! ([`Tag::raw_span`]). What a tag means is the business of its protocol; this crate knows no tag.
//! It scans for separators in bulk instead of running a parser combinator, because a list is read
//! for every signature of every message.
//!
//! ```
//! use mailproof_tag_list::{ErrorKind, TagList};
//!
//! let list = TagList::parse(b"v=1; a=rsa-sha256;\r\n\tb = dGVz\r\n\t dA== ;").unwrap();
//! assert_eq!(list.get("a").unwrap().value, b"rsa-sha256");
//! assert_eq!(list.get("b").unwrap().value_span, 25..37);
//! assert_eq!(list.get("b").unwrap().raw_span, 24..38);
//! assert!(list.get("p").is_none());
//!
//! let error = TagList::parse(b"v=1; v=1").unwrap_err();
//! assert_eq!((error.kind, error.span), (ErrorKind::Duplicate, 5..6));
//! ```
//!
//! STANDARDS: RFC 6376 3.2, RFC 8616 (UTF-8 in values).

mod display;
mod limits;
mod octets;
mod parse;

pub use limits::Limits;
pub use parse::{Error, ErrorKind, Tag, TagList};
