//! What is signed, and how.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use mailproof_canonicalization::Canonicalization;
use mailproof_dns::Name;
use mailproof_keygen::DataSet;
use serde::{Deserialize, Serialize};

use crate::value::{Item, Seconds, as_text};

/// Which mail is signed, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sign {
    /// The hosts whose mail is signed.
    pub internal_hosts: Vec<Item>,
    /// Whether the mail of clients that authenticate themselves is signed, from wherever they are.
    pub authenticated: bool,
    /// Mail that came in by one of these services of Postfix (`milter_macro_daemon_name`) is
    /// signed.
    pub mta_names: Vec<String>,
    /// Mail with one of these macros is signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub macros: Vec<MacroRule>,
    /// Mail to one of these recipients is not signed.
    pub not_to: Vec<Item>,
    /// Keys, and for the mail of which authors they are.
    #[serde(rename = "key", skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<SignKey>,
    /// A KeyTable and a SigningTable in place of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<SignTable>,
    /// Tag c= (RFC 6376 3.5).
    pub canonicalization: Canonicalizations,
    /// The names of the fields that are signed; without it, those that a reader is shown and those
    /// of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// The names of the fields that are signed once more than they stand there, so that none can
    /// be added; without it, those that a reader is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oversign: Option<Vec<String>>,
    /// Tag x=: how long signatures are good; without it, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire: Option<Seconds>,
    /// Whether octets beyond ASCII are signed as they are, though a relay may change them
    /// (RFC 6376 5.3).
    pub eight_bit: bool,
    /// Whether a key that others than its owner may read is refused.
    pub require_safe_keys: bool,
    /// The smallest RSA key that signs, in bits. RFC 8301 3.2: "Signers MUST use RSA keys of at
    /// least 1024 bits for all keys."
    pub minimum_key_bits: usize,
    /// What becomes of a message that should be signed and cannot be. One that has a fault of its
    /// own, by which it can be signed at no time, is not put off: it passes unsigned.
    pub on_error: super::Action,
    /// Whether signatures that a message of our own already has are removed.
    pub remove_old: bool,
}

impl Default for Sign {
    fn default() -> Sign {
        Sign {
            internal_hosts: Item::loopback(),
            authenticated: true,
            mta_names: Vec::new(),
            macros: Vec::new(),
            not_to: Vec::new(),
            keys: Vec::new(),
            table: None,
            canonicalization: Canonicalizations::default(),
            fields: None,
            oversign: None,
            expire: None,
            eight_bit: true,
            require_safe_keys: true,
            minimum_key_bits: 1024,
            on_error: super::Action::Tempfail,
            remove_old: false,
        }
    }
}

/// A key, and for the mail of which authors it is. All keys that are for an author sign: one of RSA
/// and one of Ed25519, mostly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignKey {
    /// The domains of authors. Tag d= is the domain of the list; for `*`, that of the author.
    pub domains: Vec<Item>,
    /// Whether it is for the domains below them too.
    #[serde(default)]
    pub subdomains: bool,
    /// Tag s=.
    #[serde(with = "crate::value::signer")]
    pub selector: Name,
    /// The private key.
    pub file: PathBuf,
}

/// The tables of OpenDKIM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignTable {
    /// The KeyTable.
    #[serde(with = "crate::value::data_set")]
    pub keys: DataSet,
    /// The SigningTable.
    #[serde(with = "crate::value::data_set")]
    pub authors: DataSet,
    /// Whether all lines that match an author sign, not the first alone.
    #[serde(default)]
    pub multiple: bool,
}

/// An ARC seal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seal {
    /// Tag d=.
    #[serde(with = "crate::value::signer")]
    pub domain: Name,
    /// Tag s=.
    #[serde(with = "crate::value::signer")]
    pub selector: Name,
    /// The private key.
    pub file: PathBuf,
}

/// Tag c=: how header and body are canonicalized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canonicalizations {
    /// The header.
    pub header: Canonicalization,
    /// The body.
    pub body: Canonicalization,
}

impl Default for Canonicalizations {
    fn default() -> Canonicalizations {
        Canonicalizations { header: Canonicalization::Relaxed, body: Canonicalization::Relaxed }
    }
}

impl FromStr for Canonicalizations {
    type Err = mailproof_canonicalization::UnknownCanonicalization;

    fn from_str(text: &str) -> Result<Canonicalizations, Self::Err> {
        // RFC 6376 3.5 c=: of one name alone, the body is "simple".
        let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
        Ok(Canonicalizations { header: header.trim().parse()?, body: body.trim().parse()? })
    }
}

impl fmt::Display for Canonicalizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.header, self.body)
    }
}

/// A macro of Postfix, and the values of it that count: `NAME` or `NAME=VALUE|VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroRule {
    /// The name, without braces.
    pub name: String,
    /// The values; without one, any.
    pub values: Vec<String>,
}

/// A macro without a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of a macro, or NAME=VALUE|VALUE")]
pub struct MacroRuleError;

impl FromStr for MacroRule {
    type Err = MacroRuleError;

    fn from_str(text: &str) -> Result<MacroRule, MacroRuleError> {
        let (name, values) = text.split_once('=').unwrap_or((text, ""));
        let name = name.trim().trim_start_matches('{').trim_end_matches('}');
        let values = values.split('|').map(str::trim).filter(|value| !value.is_empty());
        if name.is_empty() {
            return Err(MacroRuleError);
        }
        Ok(MacroRule { name: name.to_owned(), values: values.map(str::to_owned).collect() })
    }
}

impl fmt::Display for MacroRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.values.is_empty() { Ok(()) } else { write!(f, "={}", self.values.join("|")) }
    }
}

as_text!(Canonicalizations, MacroRule);
