//! The data sets of OpenDKIM that are text: lists and files of keys with values.

use std::ops::Range;
use std::str::FromStr;

/// How a data set is read (opendkim(8), "DATA SETS").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataSetKind {
    /// `csl:`: entries `key=value` with commas between them, in the configuration itself.
    List,
    /// `file:`: a line for each entry, its key compared as it is.
    File,
    /// `refile:`: as a file, the key a pattern in which `*` stands for any characters.
    Refile,
}

/// Where a data set is: the value of `KeyTable`, `SigningTable`, `InternalHosts` and their like.
///
/// ```
/// use mailproof_keygen::{DataSet, DataSetKind};
///
/// let table: DataSet = "refile:/etc/opendkim/SigningTable".parse()?;
/// assert_eq!((table.kind, table.location.as_str()), (DataSetKind::Refile, "/etc/opendkim/SigningTable"));
/// # Ok::<(), mailproof_keygen::DataSetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// How it is read.
    pub kind: DataSetKind,
    /// The path of the file, or the text of the list.
    pub location: String,
}

/// Why a text names no data set that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataSetError {
    /// A kind that OpenDKIM knows, for data bases and directories.
    #[error("a data set of the kind {0:?} is not supported: only csl, file and refile are")]
    Unsupported(String),
    /// What stands before the colon is no kind: a typing error, mostly.
    #[error("{0:?} is no kind of data set: csl, file or refile is expected before the colon")]
    Unknown(String),
}

impl FromStr for DataSet {
    type Err = DataSetError;

    fn from_str(text: &str) -> Result<DataSet, DataSetError> {
        let text = text.trim();
        let kind = text.split_once(':').filter(|(kind, _)| !kind.contains(','));
        let set = |kind, location: &str| Ok(DataSet { kind, location: location.trim().to_owned() });
        match kind {
            Some(("csl", list)) => set(DataSetKind::List, list),
            Some(("file", path)) => set(DataSetKind::File, path),
            Some(("refile", path)) => set(DataSetKind::Refile, path),
            Some((
                kind @ ("db" | "bdb" | "dsn" | "ldap" | "ldapi" | "ldaps" | "lua" | "memcache"
                | "mdb" | "erlang" | "socket"),
                _,
            )) => Err(DataSetError::Unsupported(kind.to_owned())),
            Some((kind, _)) => Err(DataSetError::Unknown(kind.to_owned())),
            None if text.starts_with('/') => set(DataSetKind::File, text),
            None if text.ends_with(".db") => Err(DataSetError::Unsupported("db".to_owned())),
            None => set(DataSetKind::List, text),
        }
    }
}

/// An entry of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The number of its line, from 1; in a list, of the entry.
    pub line: usize,
    /// What is looked up.
    pub key: &'t str,
    /// Empty if there is none.
    pub value: &'t str,
    /// OpenDKIM passes silently over a line of a refile that begins with white space.
    pub is_passed_over: bool,
}

impl DataSetKind {
    /// The entries of a data set of this kind, in their order.
    pub fn entries(self, text: &str) -> impl Iterator<Item = Entry<'_>> + use<'_> {
        let (separator, comment) = match self {
            DataSetKind::List => (',', '\0'),
            DataSetKind::File | DataSetKind::Refile => ('\n', '#'),
        };
        text.split(separator).zip(1..).filter_map(move |(line, number)| {
            let content = line.split(comment).next().unwrap_or_default();
            let is_passed_over =
                self == DataSetKind::Refile && content.starts_with([' ', '\t', '\r']);
            let content = content.trim();
            let (key, value) = match self {
                DataSetKind::List => content.split_once('='),
                _ => content.split_once(char::is_whitespace),
            }
            .unwrap_or((content, ""));
            let (key, value) = (key.trim_end(), value.trim_start());
            (!content.is_empty()).then_some(Entry { line: number, key, value, is_passed_over })
        })
    }
}

/// Where `part`, a piece of `text`, stands in it.
pub(crate) fn span(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr()).min(text.len());
    start..start.saturating_add(part.len()).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(kind: DataSetKind, text: &str) -> Vec<(usize, &str, &str)> {
        kind.entries(text).map(|entry| (entry.line, entry.key, entry.value)).collect()
    }

    #[test]
    fn where_a_data_set_is() {
        let kind = |text: &str| text.parse::<DataSet>().map(|set| set.kind);
        assert_eq!(kind("/etc/opendkim/KeyTable"), Ok(DataSetKind::File));
        assert_eq!(kind("file:/etc/opendkim/KeyTable"), Ok(DataSetKind::File));
        assert_eq!(kind("refile:/etc/opendkim/SigningTable"), Ok(DataSetKind::Refile));
        assert_eq!(kind("csl:a=b"), Ok(DataSetKind::List));
        assert_eq!(kind("example.com, example.org"), Ok(DataSetKind::List));
        assert_eq!(kind("a=1, k=example.com:s:/key"), Ok(DataSetKind::List));
        assert_eq!(kind("dsn:mysql://x"), Err(DataSetError::Unsupported("dsn".into())));
        assert_eq!(kind("keys.db"), Err(DataSetError::Unsupported("db".into())));
        // A typing error of a published guide: OpenDKIM does not start.
        let typo = kind("/refile:/etc/opendkim/TrustedHosts");
        assert_eq!(typo, Err(DataSetError::Unknown("/refile".into())));
    }

    #[test]
    fn lines_of_a_file() {
        let text = "a 1 # comment\r\n\n  # only a comment\n\t b\t 2  3 \nc\nd# 4\n";
        let expected = [(1, "a", "1"), (4, "b", "2  3"), (5, "c", ""), (6, "d", "")];
        assert_eq!(entries(DataSetKind::File, text), expected);
        assert_eq!(entries(DataSetKind::Refile, text), expected);
        let passed_over = DataSetKind::Refile.entries(text).filter(|entry| entry.is_passed_over);
        assert_eq!(passed_over.map(|entry| entry.line).collect::<Vec<_>>(), [4]);
        assert!(DataSetKind::File.entries(text).all(|entry| !entry.is_passed_over));
    }

    #[test]
    fn entries_of_a_list() {
        let text = " a=1:2 , b = x y,,c#";
        let expected = [(1, "a", "1:2"), (2, "b", "x y"), (4, "c#", "")];
        assert_eq!(entries(DataSetKind::List, text), expected);
        let entry = DataSetKind::List.entries(text).nth(1).unwrap();
        assert_eq!(span(text, entry.value), 13..16);
    }
}
