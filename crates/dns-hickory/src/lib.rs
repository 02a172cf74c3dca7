//! [`mailproof_dns::Resolver`] on Tokio and hickory-resolver: real queries to real name servers.
//!
//! [`HickoryResolver`] is for async callers, [`BlockingResolver`] for all others. Both
//!
//! - ask a recursive resolver: that of the system or the [`NameServer`]s given, over UDP, and over
//!   TCP where the answer does not fit;
//! - bound the time of a question ([`Limits`]) and, with [`HickoryResolver::until`], of everything;
//! - tell NXDOMAIN, NODATA and failure apart, and report the aliases followed;
//! - ask for exactly the name given: no search list, no hosts file;
//! - keep answers for as long as their TTL says, and ask the same question once at a time.
//!
//! A question goes out over UDP on a socket of this crate first, which costs little. What brings no
//! answer in a second, a failure, or what cannot be made out, hickory-resolver asks again: of the
//! other name servers, along the aliases, over TCP.
//!
//! ```no_run
//! use mailproof_dns::{Question, resolve};
//! use mailproof_dns_hickory::{HickoryResolver, Limits};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let resolver = HickoryResolver::system(&Limits::default())?;
//! let question = Question::txt("example.com".parse()?);
//! let texts =
//!     resolve(&resolver, |answers| Ok(answers.require(&question)?.texts().count())).await;
//! # Ok(())
//! # }
//! ```
//!
//! STANDARDS: RFC 1035, RFC 2308 (NODATA and NXDOMAIN), RFC 5452 (forged answers),
//! RFC 6761 (special names), RFC 6891 (EDNS), RFC 6840 5.7 (AD).

mod blocking;
mod cache;
mod connection;
mod hickory;
mod limits;
mod name_server;
mod record;
mod resolver;
mod special;
mod udp;

pub use blocking::BlockingResolver;
pub use limits::Limits;
pub use name_server::{NameServer, NameServerError};
pub use resolver::{ConfigurationError, HickoryResolver};
