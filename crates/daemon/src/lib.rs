//! `mailproofd`: one daemon in Postfix that signs and verifies, in place of OpenDKIM, OpenDMARC and
//! policyd-spf.
//!
//! Settings are what a file says, in [`settings`]: the own TOML and the files of the older daemons
//! are read into the same types. A [`Config`] is settings and what they point at (tables, lists,
//! keys), read and checked; what is odd about it is a [`Finding`]. Texts are parsed by pure
//! functions; [`Files`] is the one place that reads. [`run()`] is the daemon at work.
//!
//! ```
//! use mailproof_daemon::{Config, Files, toml_file};
//!
//! let text = "[[listener]]\nsocket = \"local:/run/mailproofd/milter.sock\"\nroles = [\"verify\"]\n";
//! let (settings, origins) = toml_file::parse("mailproofd.toml", text)
//!     .map_err(|finding| finding.sentence)?;
//! let (config, findings) = Config::resolve(settings, &origins, &Files::new());
//! assert!(findings.is_empty());
//! assert_eq!(config.settings.dns.timeout.0, 5);
//! # Ok::<(), String>(())
//! ```
//!
//! STANDARDS: RFC 8601 2.5 (authserv-id), RFC 6376 3.5, 5.4 (what is signed), RFC 8301 3.2 (key
//! sizes), RFC 7372 (reply codes); opendkim.conf(5), opendmarc.conf(5), policyd-spf.conf(5).

mod config;
mod convert;
mod decide;
pub mod directive;
mod domains;
mod files;
mod finding;
mod hosts;
mod old;
pub mod postfix;
mod run;
pub mod settings;
pub mod toml_file;
mod value;

pub use config::{AuthorKey, Config, SealingKey, Signing, Tables};
pub use convert::to_toml;
pub use decide::{Client, Decision, Reason, SigningKey, SigningKeySource, Steps};
pub use domains::DomainList;
pub use files::{FileTrouble, Files, Keys, LoadedKey};
pub use finding::{Finding, Place, Severity, worst};
pub use hosts::{HostEntry, HostList, HostProblem, Origin};
pub use old::{Directive, Draft, FileKind, LoadError};
pub use run::{RunError, Start, policy, run};
pub use value::{
    Account, AccountError, AuthservIdError, Endpoint, EndpointError, Family, FileMode,
    FileModeError, Host, Item, ItemError, Seconds,
};
