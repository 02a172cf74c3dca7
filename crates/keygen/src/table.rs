//! What the two tables of OpenDKIM share: their errors and what is odd about them.

use std::ops::Range;

use mailproof_dns::{Name, NameError};

/// A line of a table that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct TableError {
    /// The number of the line, from 1; in a list, of the entry.
    pub line: usize,
    /// What is wrong with it.
    pub kind: TableErrorKind,
    /// The octets at fault in the text of the table.
    pub span: Range<usize>,
}

/// What is wrong with a line of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableErrorKind {
    /// The line has one word. It is not told: in a KeyTable it may be a piece of a private key.
    #[error("there is one word alone, without a value")]
    NoValue,
    /// A value of a KeyTable has fewer than three fields.
    #[error("expected DOMAIN:SELECTOR:KEYFILE")]
    Fields,
    /// The domain or the selector is no name that a signature can have.
    #[error("{text:?} is no {what}: {why}")]
    Name {
        /// What it is meant to be.
        what: &'static str,
        /// What it is.
        text: String,
        /// Why it is none.
        why: NameProblem,
    },
    /// Neither a path nor a key in base64.
    #[error("the key is neither a path, which begins with /, ./ or ../, nor base64")]
    Key,
    /// A refile is read as POSIX regular expressions but for `*`, `.` and `+`.
    #[error("{0:?} in a pattern: of regular expressions only * is supported")]
    Pattern(char),
    /// A value of a SigningTable without the name of a key before the colon.
    #[error("expected the name of a key")]
    NoKeyName,
}

/// Why a text is no name that a signature can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameProblem {
    /// No domain name at all.
    #[error(transparent)]
    Name(#[from] NameError),
    /// RFC 6376 3.5: sub-domains of letters, digits and hyphens; people use underscores too.
    #[error("it has characters other than letters, digits, hyphens and underscores")]
    Character,
    /// RFC 6376 3.5 d=: `domain-name = sub-domain 1*("." sub-domain)`.
    #[error("it has a single label")]
    SingleLabel,
}

/// A line that OpenDKIM takes, and that does not do what it seems to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct TableWarning {
    /// The number of the line, from 1; in a list, of the entry.
    pub line: usize,
    /// What is odd about it.
    pub kind: TableWarningKind,
}

/// What is odd about a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableWarningKind {
    /// A line of a refile that begins with white space.
    #[error("it begins with white space, so OpenDKIM passes over it, and so do we")]
    PassedOver,
    /// The same key stands in an earlier line, which wins.
    #[error("{key:?} stands in line {first} already, which is the one that counts")]
    Repeated {
        /// The key.
        key: String,
        /// The line that counts.
        first: usize,
    },
    /// A SigningTable that is no refile compares its keys as they are.
    #[error("{0:?} never matches: patterns need a refile, as in \"SigningTable refile:FILE\"")]
    NoRefile(String),
}

/// A name of letters, digits, hyphens and underscores, as A-labels.
pub(crate) fn name(text: &str) -> Result<Name, NameProblem> {
    let name: Name = text.parse()?;
    if is_plain(&name) { Ok(name) } else { Err(NameProblem::Character) }
}

/// Whether a name is safe in a path: it has neither a slash nor anything else that steers.
pub(crate) fn is_plain(name: &Name) -> bool {
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    name.labels().all(|label| label.iter().all(plain)) && name.label_count() > 0
}
