//! DKIM key pairs, and the TXT record that publishes one, in every form that zones and providers
//! take; and the tables that tell a signer which key is whose.
//!
//! A [`KeyPair`] is made, or read from a private key in any form. [`KeyText`] is what is published
//! of it, with the [`Tags`] that are chosen; a [`Record`] is that text under the name of an
//! [`Owner`], and a [`Form`] prints records. All forms say the same, octet for octet; what cannot
//! be said safely in one of them, such as a quotation mark in a note, is encoded in the record
//! itself, and what would not be a name is no [`Selector`] and no [`Domain`]. So no form has to
//! guess how its reader escapes.
//!
//! ```
//! use mailproof_dkim::KeyRecord;
//! use mailproof_keygen::{Form, KeyPair, KeySpec, KeyText, Owner, Record, Tags};
//!
//! let new = KeyPair::generate(KeySpec::Ed25519)?;
//! assert_eq!(format!("{new:?}"), "KeyPair(ed25519, 256 bits)"); // never more than that
//!
//! // This seed is the one printed in RFC 8463 A.2.
//! let key = KeyPair::parse(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")?;
//! let tags = Tags { hash_algorithms: Some("sha256".parse()?), ..Tags::default() };
//! let text = KeyText::new(&tags, &key);
//! assert!(KeyRecord::parse(text.to_string().as_bytes())?.public_key.is_some());
//!
//! let owner = Owner::of_key(&"brisbane".parse()?, Some(&"football.example.com".parse()?));
//! assert_eq!(owner.relative(), "brisbane._domainkey");
//! assert_eq!(
//!     Form::Nsd.print(&[Record::txt(owner, text)])?,
//!     "brisbane._domainkey.football.example.com. 3600 IN TXT \
//!      \"v=DKIM1; h=sha256; k=ed25519; \" \"p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Keys
//!
//! Key material is wiped from memory when it is dropped, and no [`std::fmt::Debug`] form and no
//! error tells any of it. RSA keys of the usual sizes are made by AWS-LC with the default feature
//! `aws-lc-rs`, in about a third of the time that OpenSSL takes. Nothing here writes files: a key
//! file is to be new, for its owner alone, and never reached through a link, which is the
//! business of the program.
//!
//! STANDARDS: RFC 6376 3.6 (key records), RFC 8301 (key sizes), RFC 8463 (Ed25519), RFC 8017
//! (PKCS#1), RFC 5958 (PKCS#8), RFC 8410 (Ed25519 in PKCS#8), RFC 7468 (PEM), RFC 2136 (dynamic
//! updates), RFC 8945 (TSIG).

mod data_set;
mod dynamic_update;
mod form;
mod generate;
mod key_format;
mod key_pair;
mod key_table;
mod limits;
mod owner;
mod published;
mod record;
mod rotation;
mod signing_table;
mod table;
mod table_edit;
mod tsig;

pub use data_set::{DataSet, DataSetError, DataSetKind, Entry};
pub use dynamic_update::{Update, UpdateError, UpdateRequest};
pub use form::{Form, FormError, UnknownForm};
pub use key_format::KeyFormat;
pub use key_pair::{FormatError, GenerateError, KeyPair, KeySpec};
pub use key_table::{InlineKey, KeyEntry, KeySource, KeyTable};
pub use limits::Limits;
pub use owner::{Domain, Owner, OwnerError, Selector};
pub use published::{KeyCheck, Publication, PublicationCause, PublicationResult};
pub use record::{HashAlgorithms, HashAlgorithmsError, KeyText, Record, RecordData, Tags};
pub use rotation::{Pace, Progress, Rotation, Step, dated_selectors};
pub use signing_table::{Match, SigningEntry, SigningTable, is_like};
pub use table::{NameProblem, TableError, TableErrorKind, TableWarning, TableWarningKind};
pub use table_edit::{add_key, change_key, remove_line, rename_key};
pub use tsig::{TsigAlgorithm, TsigKey, TsigKeyError};
