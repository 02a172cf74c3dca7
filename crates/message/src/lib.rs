//! A mail message as octets.
//!
//! STANDARDS: RFC 5322, RFC 6532, RFC 6854.

mod build;
mod crlf;
mod header;
mod limits;
mod parse;
mod read;

pub use build::HeaderBuilder;
pub use crlf::CrlfReader;
pub use header::{Defect, DefectKind, Field, Fields, Header, Named};
pub use limits::{Limits, MAX_DEFECTS, TooLarge};
pub use read::{Body, ReadError, read_header, split};
