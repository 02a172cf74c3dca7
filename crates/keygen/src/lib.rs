//! DKIM key pairs, and the TXT record that publishes one, in every form that zones and providers
//! take; and the tables that tell a signer which key is whose.
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

pub use data_set::{DataSet, DataSetError, DataSetKind};
pub use dynamic_update::{Update, UpdateError, UpdateRequest};
pub use form::{Form, FormError, UnknownForm};
pub use key_format::KeyFormat;
pub use key_pair::{FormatError, GenerateError, KeyPair, KeySpec};
pub use key_table::{InlineKey, KeyEntry, KeySource, KeyTable};
pub use limits::Limits;
pub use owner::{Domain, Owner, OwnerError, Selector};
pub use published::{KeyCheck, Publication, PublicationCause, PublicationResult};
pub use record::{HashAlgorithms, HashAlgorithmsError, KeyText, Record, RecordData, Tags};
pub use rotation::{Pace, Progress, Rotation, Step, dated_selector};
pub use signing_table::{Match, SigningEntry, SigningTable};
pub use table::{NameProblem, TableError, TableErrorKind, TableWarning, TableWarningKind};
pub use table_edit::{add_key, change_key, remove_line, rename_key};
pub use tsig::{TsigAlgorithm, TsigKey, TsigKeyError};
