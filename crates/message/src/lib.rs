//! A mail message as octets: the fields of its header section, its body as a stream, and who it
//! says has written it.
//!
//! Everything that is signed, hashed or evaluated starts here, so this crate changes nothing and
//! guesses nothing:
//!
//! - [`Header`] keeps the header section as it came. Every octet belongs to exactly one [`Field`];
//!   what is no field by the grammar has no name and is told as a [`Defect`]. Only CRLF ends a
//!   line.
//! - [`split`] cuts a message in memory; [`read_header`] reads the header from a stream within
//!   [`Limits`] and leaves the [`Body`] to be read in chunks; [`HeaderBuilder`] takes fields one
//!   by one, as a milter gets them.
//! - [`CrlfReader`] and [`Mbox`] stand before them for the files Unix programs keep.
//! - [`AddressList`] is a parser for RFC 5322 addresses, and [`author_domain`] the domain that
//!   DMARC asks about. A message whose authors two readers could see differently has none.
//!
//! ```
//! use mailproof_message::{AuthorDomain, CrlfReader, Limits, author_domain, read_header};
//!
//! let file = &b"From: Joan <joan@example.com>\nSubject: Hello\n\nHi.\n"[..];
//! let (header, mut body) = read_header(CrlfReader::new(file), &Limits::default())?;
//!
//! assert_eq!(author_domain(&header), AuthorDomain::One("example.com".into()));
//! let subject = header.named("subject").next_back().map(|field| field.value());
//! assert_eq!(subject, Some(&b" Hello"[..]));
//! assert!(header.defects().is_empty());
//! while let Some(chunk) = body.next_chunk()? {
//!     assert_eq!(chunk, b"Hi.\r\n");
//! }
//! # Ok::<(), mailproof_message::ReadError>(())
//! ```
//!
//! STANDARDS: RFC 5322, RFC 6532 (UTF-8), RFC 6854 (groups in From), RFC 2047 (never decoded),
//! RFC 5890 (U-labels), RFC 9989 3.2.2 and 5.3.1 (Author Domain), RFC 4155 (mbox).

mod address;
mod author_domain;
mod build;
mod crlf;
mod domain;
mod grammar;
mod header;
mod limits;
mod line_ends;
mod mark;
mod mbox;
mod parse;
mod read;
mod received;
mod tokens;

pub use address::{AddressError, AddressErrorKind, AddressList, Domain, Group, Mailbox};
pub use author_domain::{AuthorDomain, Malformed, NoAuthor, author_domain, author_domain_with};
pub use build::HeaderBuilder;
pub use crlf::CrlfReader;
pub use domain::DomainError;
pub use header::{Defect, DefectKind, Field, Fields, Header, Named};
pub use limits::{Limits, MAX_COMMENT_DEPTH, MAX_DEFECTS, TooLarge};
pub use mark::NameSet;
pub use mbox::{Mbox, MboxMessage};
pub use read::{Body, ReadError, read_header, split};
pub use received::{Received, return_path};
