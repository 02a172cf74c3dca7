//! A mail message as octets.
//!
//! STANDARDS: RFC 5322, RFC 6532, RFC 6854.

mod address;
mod author_domain;
mod build;
mod crlf;
mod domain;
mod header;
mod limits;
mod parse;
mod read;
mod tokens;

pub use address::{AddressError, AddressErrorKind, AddressList, Domain, Group, Mailbox};
pub use author_domain::{AuthorDomain, Malformed, NoAuthor, author_domain, author_domain_with};
pub use build::HeaderBuilder;
pub use crlf::CrlfReader;
pub use domain::DomainError;
pub use header::{Defect, DefectKind, Field, Fields, Header, Named};
pub use limits::{Limits, MAX_COMMENT_DEPTH, MAX_DEFECTS, TooLarge};
pub use read::{Body, ReadError, read_header, split};
