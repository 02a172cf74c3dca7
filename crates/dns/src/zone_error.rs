//! What is wrong with a master file, where, and how to mend it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::{Name, NameError};

/// Where something stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name the file was read under.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// Octets from the start of the file.
    pub offset: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// All errors of one master file (RFC 1035 5), in the order of the file; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneError {
    /// The first errors, as many as [`crate::ZoneLimits::errors`] allows.
    pub errors: Vec<MasterFileError>,
    /// How many more there are.
    pub omitted: usize,
}

impl std::error::Error for ZoneError {}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
            if let Some(fix) = error.kind.fix() {
                write!(f, "; {fix}")?;
            }
        }
        match self.omitted {
            0 => Ok(()),
            omitted => write!(f, "\nand {omitted} more"),
        }
    }
}

/// One error of a master file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {kind}")]
pub struct MasterFileError {
    /// Where it begins.
    pub place: Place,
    /// The octets of the file it is about.
    pub span: Range<usize>,
    /// What is wrong.
    #[source]
    pub kind: MasterFileErrorKind,
}

/// What can be wrong with an entry of a master file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MasterFileErrorKind {
    /// The file has more octets than [`crate::ZoneLimits::file_octets`].
    #[error("the file is longer than {limit} octets")]
    FileTooLong {
        /// The limit.
        limit: usize,
    },
    /// RFC 1035 5.1, `$INCLUDE`: other files are not read from within a file.
    #[error("$INCLUDE is not followed")]
    Include,
    /// A control entry that is none of `$ORIGIN`, `$TTL`, `$INCLUDE` (and `$QUESTION`).
    #[error("unknown control entry")]
    UnknownControl,
    /// A line begins with a blank, and no line before it named an owner (RFC 1035 5.1).
    #[error("the record has no owner: the line begins with a blank and no name stands before it")]
    NoOwner,
    /// RFC 1035 5.1: "A relative name is an error when no origin is available."
    #[error("the name does not end in a dot and there is no origin to complete it")]
    NoOrigin,
    /// The text is no domain name (RFC 1035 3.1).
    #[error(transparent)]
    Name(NameError),
    /// A name has octets above 127; the DNS compares octets and never converts them (RFC 5890).
    #[error("the name has characters outside ASCII")]
    NonAsciiName {
        /// The name as A-labels, if it has them.
        a_labels: Option<Name>,
    },
    /// A backslash without an octet after it, or a decimal escape that is not 000 to 255.
    #[error("the escape is neither a backslash and a character nor a backslash and 000 to 255")]
    Escape,
    /// A quote that is not closed on its line.
    #[error("the quote is not closed on its line")]
    UnclosedQuote,
    /// A parenthesis that is not closed.
    #[error("the parenthesis is never closed")]
    UnclosedParenthesis,
    /// A closing parenthesis without an opening one.
    #[error("no parenthesis is open here")]
    UnopenedParenthesis,
    /// A TTL that is no number of seconds up to 2147483647 (RFC 2181 8).
    #[error("not a TTL: seconds up to 2147483647, or units as in 1h30m")]
    Ttl,
    /// A class other than IN; a zone has one class (RFC 1035 5.2).
    #[error("the class is not IN")]
    Class,
    /// A record without a type.
    #[error("the record type is missing")]
    MissingType,
    /// A word that is no record type.
    #[error("unknown record type")]
    UnknownType,
    /// The data ends too early.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The data goes on where it should end.
    #[error("the record should end here")]
    Extra,
    /// A name, a number or an address in quotes (RFC 1035 5.1 has them around character strings).
    #[error("only a text has quotes; write this without them")]
    Quoted,
    /// Not an IPv4 address (RFC 1035 3.4.1).
    #[error("not an IPv4 address")]
    Ipv4,
    /// Not an IPv6 address (RFC 3596 2.4).
    #[error("not an IPv6 address")]
    Ipv6,
    /// Not a decimal number in the range.
    #[error("not a number from 0 to {max}")]
    Number {
        /// The greatest number allowed.
        max: u32,
    },
    /// Not hexadecimal.
    #[error("not hexadecimal")]
    Hexadecimal,
    /// RFC 3597 5: the length stated is not that of the data.
    #[error("{stated} octets are stated and {found} are there")]
    Length {
        /// As stated.
        stated: usize,
        /// As found.
        found: usize,
    },
    /// RFC 3597 5: the octets are no data of this type.
    #[error("the octets are no data of this record type")]
    Octets,
    /// A character-string of more than 255 octets (RFC 1035 3.3).
    #[error(
        "the string has {length} octets, and 255 is the most a string of a TXT record can have"
    )]
    StringTooLong {
        /// Its octets.
        length: usize,
    },
    /// The data has more than 65535 octets (RFC 1035 3.2.1).
    #[error("the data has more than 65535 octets")]
    DataTooLong,
    /// RFC 1034 3.6.2: "If a CNAME RR is present at a node, no other data should be present".
    #[error("the name has a CNAME record and other records")]
    CnameAndOther,
    /// RFC 2181 10.1: a name has at most one canonical name.
    #[error("the name has two CNAME records")]
    SeveralCnames,
    /// One line gives the name data, another says that there is none.
    #[error("this contradicts what the zone already says about the name")]
    Contradiction,
    /// In a recording, a record that does not follow from the question.
    #[error("this record is no part of the answer to the question before it")]
    NotOfQuestion,
}

impl MasterFileErrorKind {
    /// What the author of the file can do about it.
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Include => "read the included file as well, with its origin".to_owned(),
            Self::UnknownControl => "$ORIGIN, $TTL are known".to_owned(),
            Self::NoOwner => "begin the line with the owner, or with @ for the origin".to_owned(),
            Self::NoOrigin => {
                "end the name with a dot, or begin the file with $ORIGIN example.com.".to_owned()
            }
            Self::NonAsciiName { a_labels: Some(name) } => format!("write {name}."),
            Self::Escape => r"a backslash itself is written \\".to_owned(),
            Self::UnclosedQuote => {
                "close the quote, and go on with another quoted string in parentheses".to_owned()
            }
            Self::UnknownType => "a type without a name is written TYPE and its number".to_owned(),
            Self::StringTooLong { .. } => {
                r#"split it: "first 255 octets" "the rest"; readers join them without a space"#
                    .to_owned()
            }
            Self::NotOfQuestion => {
                "an answer is a line $QUESTION name TYPE, then its records".to_owned()
            }
            _ => return None,
        })
    }
}
