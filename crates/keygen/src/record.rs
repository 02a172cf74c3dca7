//! The key record to publish (RFC 6376 3.6.1), as tags, as text and as character-strings.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_dkim::KeyType;

use crate::key_pair::KeyPair;
use crate::owner::{Domain, Owner};

/// RFC 1035 3.3: a character-string has at most 255 octets.
const STRING: usize = 255;
/// How much of p= stands in one string; opendkim-genkey's choice, so that the bytes are the same.
const CHUNK: usize = 250;

/// A record that publishes a key, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub owner: Owner,
    /// Whether a master file names the owner in full.
    pub is_absolute: bool,
    /// How long it may be kept, in seconds (RFC 1035 3.2.1).
    pub ttl: u32,
    /// What a master file says of it in a comment.
    pub comment: Option<String>,
    /// What it says.
    pub data: RecordData,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordData {
    /// The key.
    Txt(KeyText),
    /// Where the key is (RFC 1035 3.3.1): a name that another operator keeps.
    Cname(Domain),
}

/// The text of a key record (RFC 6376 3.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyText {
    /// Everything before p=, with a space at the end.
    head: String,
    /// Tag p=: base64, or nothing for a key that is revoked.
    key: String,
}

/// The tags of a key record that are chosen, not computed (RFC 6376 3.6.1). All are left out by
/// default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// Tag n=: a note for people. It is written as the qp-section that the RFC wants, inside the
    /// quotation marks that opendkim-genkey puts around it.
    pub note: Option<String>,
    /// Tag h=: the hash algorithms that may be used with the key.
    pub hash_algorithms: Option<HashAlgorithms>,
    /// Flag y of t=: the domain is testing DKIM.
    pub testing: bool,
    /// Flag s of t=: the domain of the AUID must be the SDID itself.
    pub strict: bool,
    /// Tag s=email: the key serves nothing but mail.
    pub email_only: bool,
}

/// The list of tag h= (RFC 6376 3.6.1), as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashAlgorithms(String);

/// Not a colon-separated list of hyphenated-words (RFC 6376 3.6.1 h=).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected names of hash algorithms with colons between them, such as sha256")]
pub struct HashAlgorithmsError;

impl Record {
    /// How long a record may be kept where nothing else is said. An hour, so that a mistake is
    /// soon mended.
    pub const TTL: u32 = 3600;

    /// The record with this text.
    pub fn txt(owner: Owner, text: KeyText) -> Record {
        Record::new(owner, RecordData::Txt(text))
    }

    /// The record that says the key is at `target`, where its operator can change it.
    pub fn cname(owner: Owner, target: Domain) -> Record {
        Record::new(owner, RecordData::Cname(target))
    }

    fn new(owner: Owner, data: RecordData) -> Record {
        Record { owner, is_absolute: false, ttl: Record::TTL, comment: None, data }
    }
}

impl RecordData {
    /// The TYPE (RFC 1035 3.2.2).
    pub fn kind(&self) -> &'static str {
        match self {
            RecordData::Txt(_) => "TXT",
            RecordData::Cname(_) => "CNAME",
        }
    }
}

impl KeyText {
    /// The text for this key.
    pub fn new(tags: &Tags, key: &KeyPair) -> KeyText {
        KeyText { head: head(tags, key.key_type()), key: STANDARD.encode(key.public_key()) }
    }

    /// The text that revokes a key (RFC 6376 3.6.1 p=: "An empty value means that this public key
    /// has been revoked").
    pub fn revoked(key_type: KeyType) -> KeyText {
        KeyText { head: head(&Tags::default(), key_type), key: String::new() }
    }

    /// The character-strings (RFC 1035 3.3) of the text, divided as opendkim-genkey divides them.
    /// All are printable ASCII.
    pub fn strings(&self) -> Vec<String> {
        let mut strings: Vec<String> = pieces(&self.head, STRING).map(str::to_owned).collect();
        let mut key = self.key.as_str();
        let mut prefix = "p=";
        // A key whose length is a multiple of 250 gets an empty string at its end there.
        while let Some((chunk, rest)) = key.split_at_checked(CHUNK) {
            strings.push(format!("{prefix}{chunk}"));
            (key, prefix) = (rest, "");
        }
        strings.push(format!("{prefix}{key}"));
        strings
    }
}

impl fmt::Display for KeyText {
    /// The whole text, as a verifier reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}p={}", self.head, self.key)
    }
}

/// The pieces of an ASCII text, each at most `length` octets long.
pub(crate) fn pieces(text: &str, length: usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text).filter(|text| !text.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, tail) = text.split_at_checked(length).unwrap_or((text, ""));
        rest = Some(tail).filter(|tail| !tail.is_empty());
        Some(piece)
    })
}

fn head(tags: &Tags, key_type: KeyType) -> String {
    let mut head = String::from("v=DKIM1; ");
    if let Some(note) = &tags.note {
        head += &format!("n=\"{}\"; ", QpSection(note));
    }
    if let Some(HashAlgorithms(list)) = &tags.hash_algorithms {
        head += &format!("h={list}; ");
    }
    head += &format!("k={key_type}; ");
    head += match (tags.testing, tags.strict) {
        (false, false) => "",
        (true, false) => "t=y; ",
        (false, true) => "t=s; ",
        (true, true) => "t=y:s; ",
    };
    if tags.email_only {
        head += "s=email; ";
    }
    head
}

/// A text as qp-section (RFC 2045 6.7) that fits into a tag (RFC 6376 3.2: no semicolon) and needs
/// no escape in any form: quotation marks and backslashes are encoded as well.
struct QpSection<'a>(&'a str);

impl fmt::Display for QpSection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for octet in self.0.bytes() {
            match octet {
                b';' | b'=' | b'"' | b'\\' => write!(f, "={octet:02X}")?,
                b' '..=b'~' => fmt::Write::write_char(f, char::from(octet))?,
                _ => write!(f, "={octet:02X}")?,
            }
        }
        Ok(())
    }
}

impl HashAlgorithms {
    /// Whether SHA-256 is one of them; RFC 8301 3.1 leaves verifiers no other.
    pub fn has_sha256(&self) -> bool {
        self.0.split(':').any(|name| name.eq_ignore_ascii_case("sha256"))
    }
}

impl FromStr for HashAlgorithms {
    type Err = HashAlgorithmsError;

    fn from_str(text: &str) -> Result<HashAlgorithms, HashAlgorithmsError> {
        // RFC 6376 3.1: `hyphenated-word = ALPHA [ *(ALPHA / DIGIT / "-") (ALPHA / DIGIT) ]`.
        let word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_alphabetic())
                && word.ends_with(|c: char| c.is_ascii_alphanumeric())
                && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if text.split(':').all(word) {
            Ok(HashAlgorithms(text.to_owned()))
        } else {
            Err(HashAlgorithmsError)
        }
    }
}
