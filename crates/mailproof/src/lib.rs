//! Where a message comes from: SPF, DKIM, ARC, DMARC and "iprev" of one received message, from one
//! snapshot of the DNS.
//!
//! A [`Receiver`] is made once and shared by all threads. For each message it makes a [`Verifier`],
//! which takes the body in chunks, and the [`Verification`] that comes of it is a function of the
//! DNS answers known so far: it has a [`Verdict`], or names all the questions that are missing, so
//! that a driver asks them in parallel. There are drivers for async and for blocking callers, and a
//! [`dns::Zone`] for tests; a signature is verified once, however many rounds it takes.
//!
//! The methods tell each other nothing but types. DMARC takes from SPF the domain of MAIL FROM, from
//! DKIM the domains of the signatures that verify, and nothing else: no Authentication-Results,
//! Received-SPF or ARC field of a message, whoever wrote it, changes a result but that of ARC.
//! Trouble of the DNS is a temporary error, not a fail (but for ARC, whose RFC has no such result).
//!
//! ```
//! use mailproof::dmarc::{Disposition, Rejection};
//! use mailproof::{Envelope, Receiver, authres::Charset, dns::Zone, message::split};
//!
//! let receiver = Receiver::new("mx.example.org");
//! let message = b"From: Bob <bob@news.example.com>\r\nSubject: hello\r\n\r\nHi!\r\n";
//! let envelope =
//!     Envelope { ip: "192.0.2.1".parse()?, helo: "out.example.com", mail_from: "b@example.com" };
//!
//! let (header, body) = split(message);
//! let mut verifier = receiver.verifier(&header, Some(envelope), 1_700_000_000);
//! verifier.body(body);
//! let mut verification = verifier.finish();
//!
//! let zone = Zone::parse(
//!     r#"
//! example.com               TXT "v=spf1 ip4:192.0.2.0/24 -all"
//! _dmarc.example.com        TXT "v=DMARC1; p=reject"
//! 1.2.0.192.in-addr.arpa    PTR out.example.com.
//! out.example.com           A   192.0.2.1
//!     "#,
//! )?;
//! let verdict = zone.resolve(|answers| verification.verify(answers));
//!
//! assert_eq!(verdict.dmarc.result.keyword(), "pass");
//! assert_eq!(verdict.disposition(Rejection::default()), Disposition::None);
//! assert_eq!(
//!     verdict.fields(None, 1_700_000_000, Charset::Ascii).concat(),
//!     "Authentication-Results: mx.example.org;\r\n\
//!      \tspf=pass smtp.mailfrom=example.com;\r\n\
//!      \tdkim=none;\r\n\
//!      \tarc=none;\r\n\
//!      \tdmarc=pass header.from=news.example.com policy.dmarc=reject;\r\n\
//!      \tiprev=pass policy.iprev=192.0.2.1\r\n",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/blocking.rs` and `examples/asynchronous.rs` verify a message with a real resolver.
//!
//! The other libraries are here as modules, so that one dependency is enough.
//!
//! STANDARDS: RFC 8601 (results, "iprev"), with RFC 7208, 6376, 8617 and 9989 of the libraries below.

mod fields;
mod iprev;
mod json;
mod keys;
mod limits;
mod outcome;
mod policy;
mod text_hash;
mod verify;

pub use iprev::{Iprev, IprevCause, IprevResult, iprev};
pub use keys::KeyRecords;
pub use limits::Limits;
pub use outcome::Verdict;
pub use policy::Policy;
pub use verify::{Envelope, Receiver, Verification, Verifier};

pub use mailproof_arc as arc;
pub use mailproof_authres as authres;
pub use mailproof_canonicalization as canonicalization;
pub use mailproof_dkim as dkim;
pub use mailproof_dmarc as dmarc;
pub use mailproof_dns as dns;
pub use mailproof_message as message;
pub use mailproof_spf as spf;
pub use mailproof_tag_list as tag_list;
