//! What the command-line tools of mailproof share: how they are asked, how they answer and how
//! they end.
//!
//! The tools are the binaries of this package; each is thin, the work is in the libraries. Here is
//! the one convention of all of them:
//!
//! - data goes to standard output, remarks to standard error ([`output`]);
//! - what comes from outside is escaped before a person sees it ([`escape`]);
//! - the exit code is one of four ([`exit`]);
//! - a file that is made is new, whole and for its owner alone ([`new_files`]);
//! - the manual is made from the command line ([`manual`]);
//! - the DNS is the system's, named servers', zone files' or a recording's ([`dns_options`]).
//!
//! ```
//! use mailproof_cli::caret::caret;
//! use mailproof_cli::exit::Exit;
//!
//! let worst = [Exit::Good, Exit::Bad, Exit::Temporary].into_iter().max();
//! assert_eq!(worst, Some(Exit::Bad));
//! assert_eq!(caret(b"v=spf1 ip4=192.0.2.1", 10..11, 0).to_string(), "\
//! v=spf1 ip4=192.0.2.1
//!           ^");
//! ```
//!
//! STANDARDS: RFC 3339 (points in time), RFC 4155 (mbox), RFC 1035 section 5 (zone files).

pub mod caret;
pub mod dns_options;
pub mod dns_source;
pub mod duration;
pub mod escape;
pub mod exit;
pub mod input;
pub mod instant;
pub mod key_file;
pub mod key_record;
pub mod key_tables;
pub mod manual;
pub mod network;
pub mod new_files;
pub mod output;
pub mod selectors;
