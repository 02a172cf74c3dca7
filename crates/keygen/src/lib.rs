//! DKIM key pairs, and the TXT record that publishes one, in every form that zones and providers
//! take.
//!
//! STANDARDS: RFC 6376 3.6 (key records), RFC 8301 (key sizes), RFC 8463 (Ed25519), RFC 8017
//! (PKCS#1), RFC 5958 (PKCS#8), RFC 8410 (Ed25519 in PKCS#8), RFC 7468 (PEM).

mod form;
mod generate;
mod key_format;
mod key_pair;
mod limits;
mod owner;
mod record;

pub use form::{Form, FormError};
pub use key_format::KeyFormat;
pub use key_pair::{FormatError, GenerateError, KeyPair, KeySpec};
pub use limits::Limits;
pub use owner::{Domain, Owner, OwnerError, Selector};
pub use record::{HashAlgorithms, HashAlgorithmsError, KeyText, Record, RecordData, Tags};
