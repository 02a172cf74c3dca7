//! The DKIM key record (RFC 6376 3.6.1, RFC 8463 4).

use std::fmt;
use std::ops::Range;

use mailproof_tag_list::{Tag, TagList};

use crate::crypto::{KeyFormError, VerifyingKey};
use crate::encoding::{base64, split_colons};

/// The key type, tag k= (RFC 6376 3.6.1, RFC 8463 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// An RSA key.
    Rsa,
    /// An Ed25519 key.
    Ed25519,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            KeyType::Rsa => "rsa",
            KeyType::Ed25519 => "ed25519",
        })
    }
}

/// A DKIM key record (RFC 6376 3.6.1), its key parsed and ready to verify with.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// Tag k=.
    pub key_type: KeyType,
    /// Tag p=: the key; `None` where the tag is empty, which means revoked.
    pub public_key: Option<VerifyingKey>,
    /// Tag h=: whether SHA-256 may be used with the key; so it is where the tag is absent.
    pub accepts_sha256: bool,
    /// Tag s=: whether the key serves electronic mail; so it does where the tag is absent.
    pub serves_email: bool,
    /// Flag y of t=: the domain is testing DKIM.
    pub testing: bool,
    /// Flag s of t=: the domain of the AUID must be the SDID itself.
    pub strict: bool,
    /// Tag n=: a note of the administrator, as it stands in the record.
    pub note: Option<Vec<u8>>,
}

/// Why a text is no usable DKIM key record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct KeyError {
    /// What is wrong.
    pub kind: KeyErrorKind,
    /// Where, as octets of the record.
    pub span: Range<usize>,
}

/// What is wrong with a key record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The record is no tag list (RFC 6376 3.2).
    #[error("{0}")]
    TagList(mailproof_tag_list::ErrorKind),
    /// Tag v= is not DKIM1 (RFC 6376 3.6.1: "records … with a "v=" tag with any other value MUST
    /// be discarded").
    #[error("it is no DKIM key record: v={0}")]
    IncompatibleVersion(String),
    /// Tag v= is not the first (RFC 6376 3.6.1).
    #[error("v=DKIM1 must be the first tag of the record")]
    VersionNotFirst,
    /// Tag p= is missing (RFC 6376 3.6.1: required).
    #[error("the required tag p= (the public key) is missing")]
    MissingKey,
    /// Tag k= names a type that is not known (RFC 6376 3.6.1).
    #[error("key type k={0} is not known")]
    UnknownKeyType(String),
    /// The value of p= is not base64.
    #[error("the public key (p=) is not base64")]
    KeyNotBase64,
    /// The octets of p= are no key of the type k=.
    #[error("the public key (p=) {form}")]
    KeyForm {
        /// The type, as the record states it.
        key_type: KeyType,
        /// What is wrong with them.
        form: KeyFormError,
    },
}

impl KeyRecord {
    /// Reads a key record, its character-strings joined.
    ///
    /// Unknown tags, flags, hashes and service types are passed over, and so are g= and n=
    /// (RFC 6376 3.6.1, C.2).
    ///
    /// Disputed. The words of h=, k=, s= and t= are plain literals, caseless by RFC 5234 2.3, but
    /// RFC 6376 3.2 has values with case; dkimpy and Mail::DKIM compare with case, OpenDKIM without;
    /// we do without, because the grammar is the more specific rule. Cases: key-h-upper,
    /// key-k-upper, key-s-upper, key-t-upper.
    ///
    /// Disputed. Mail::DKIM takes an empty h= or s= for none, OpenDKIM refuses; we refuse, because
    /// RFC 6376 3.2 tells an empty value from an omitted tag. Cases: key-h-empty, key-s-empty.
    ///
    /// # Errors
    /// The first thing that makes the record unusable.
    pub fn parse(record: &[u8]) -> Result<KeyRecord, KeyError> {
        let tags = TagList::parse(record).map_err(|error| KeyError {
            span: error.span,
            kind: KeyErrorKind::TagList(error.kind),
        })?;
        version(&tags)?;
        let key_type = tags.get("k").map_or(Ok(KeyType::Rsa), key_type)?;
        let Some(key) = tags.get("p") else {
            let end = record.len();
            return Err(KeyError { kind: KeyErrorKind::MissingKey, span: end..end });
        };
        let has = |name: &str, values: &[&[u8]], default: bool| {
            tags.get(name).map_or(default, |tag| {
                split_colons(tag.value)
                    .any(|member| values.iter().any(|value| member.eq_ignore_ascii_case(value)))
            })
        };
        Ok(KeyRecord {
            key_type,
            public_key: public_key(key, key_type)?,
            accepts_sha256: has("h", &[b"sha256"], true),
            serves_email: has("s", &[b"*", b"email"], true),
            testing: has("t", &[b"y"], false),
            strict: has("t", &[b"s"], false),
            note: tags.get("n").map(|tag| tag.value.to_vec()),
        })
    }
}

/// RFC 6376 3.6.1 v=: "If specified, this tag MUST be set to "DKIM1" (without the quotes). This
/// tag MUST be the first tag in the record. Records beginning with a "v=" tag with any other value
/// MUST be discarded."
fn version(tags: &TagList<'_>) -> Result<(), KeyError> {
    let Some(tag) = tags.get("v") else { return Ok(()) };
    let kind = if tag.value != b"DKIM1" {
        KeyErrorKind::IncompatibleVersion(tag.value.escape_ascii().to_string())
    } else if tags.iter().next().is_some_and(|first| first.name != "v") {
        KeyErrorKind::VersionNotFirst
    } else {
        return Ok(());
    };
    Err(KeyError { kind, span: tag.value_span.clone() })
}

fn key_type(tag: &Tag<'_>) -> Result<KeyType, KeyError> {
    match tag.value {
        value if value.eq_ignore_ascii_case(b"rsa") => Ok(KeyType::Rsa),
        value if value.eq_ignore_ascii_case(b"ed25519") => Ok(KeyType::Ed25519),
        value => Err(KeyError {
            kind: KeyErrorKind::UnknownKeyType(value.escape_ascii().to_string()),
            span: tag.value_span.clone(),
        }),
    }
}

/// RFC 6376 3.6.1 p=: "An empty value means that this public key has been revoked."
fn public_key(tag: &Tag<'_>, key_type: KeyType) -> Result<Option<VerifyingKey>, KeyError> {
    if tag.value.is_empty() {
        return Ok(None);
    }
    let error = |kind| KeyError { kind, span: tag.value_span.clone() };
    let octets = base64(tag.value).ok_or_else(|| error(KeyErrorKind::KeyNotBase64))?;
    VerifyingKey::parse(key_type, &octets)
        .map(Some)
        .map_err(|form| error(KeyErrorKind::KeyForm { key_type, form }))
}
