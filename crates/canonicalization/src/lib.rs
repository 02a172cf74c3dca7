//! The "simple" and "relaxed" canonicalization algorithms of RFC 6376 3.4, as streaming sinks.
//!
//! A DKIM or ARC signature covers the canonical form of a message, not its octets as they came.
//! This crate turns octets into that form and hands them to a [`Sink`], which is most often a
//! digest: nothing is stored, whatever the size of the message.
//!
//! - [`header_field`] writes one header field;
//! - [`BodyCanonicalizer`] takes the body in chunks, cut anywhere, and gives the same octets for
//!   any cutting. Between chunks it keeps a few words: trailing empty lines are a counter, trailing
//!   white space is a flag.
//!
//! A line end is CRLF and nothing else. A bare CR or LF is an ordinary octet: to "repair" it here
//! would let two readers see two messages under one signature.
//!
//! Speed comes from doing nothing: in most text only a tab, two blanks in a row or a blank at the
//! end of a line differ from their canonical form. Everything between them is found in blocks and
//! goes to the sink as one slice of the input.
//!
//! ```
//! use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization, header_field};
//!
//! let mut header = Vec::new();
//! header_field(Canonicalization::Relaxed, b"Subject :  a\r\n\tlong   line ", &mut header);
//! assert_eq!(header, b"subject:a long line");
//!
//! let mut octets = 0;
//! let mut sink = |canonical: &[u8]| octets += canonical.len(); // a digest, in earnest
//! let mut body = BodyCanonicalizer::new(Canonicalization::Relaxed);
//! body.update(b"Hello  \r", &mut sink);
//! body.update(b"\n\r\n\r\n", &mut sink);
//! body.finish(&mut sink);
//! assert_eq!(octets, "Hello\r\n".len());
//! ```
//!
//! STANDARDS: RFC 6376 3.4, RFC 8617 4.1.2 (ARC uses the same algorithms).

mod body;
mod canonicalization;
mod gather;
mod header;
mod reduce;
mod sink;

pub use body::BodyCanonicalizer;
pub use canonicalization::{Canonicalization, UnknownCanonicalization};
pub use header::header_field;
pub use sink::Sink;
