//! The tables of OpenDKIM as the command line names them.

use std::fs;

use mailproof_keygen::{
    DataSet, DataSetError, DataSetKind, KeyTable, SigningTable, TableError, TableErrorKind,
    TableWarning,
};
use zeroize::Zeroizing;

use crate::caret::caret;
use crate::escape::{safe, visible};
use crate::exit::Trouble;
use crate::input::reason;
use crate::output::remark;

/// A table on the command line: as in opendkim.conf, but a path needs no slash at its beginning.
///
/// # Errors
/// The text before the colon is no kind of table.
pub fn table(text: &str) -> Result<DataSet, DataSetError> {
    let set: DataSet = text.parse()?;
    let is_path = set.kind == DataSetKind::List && !text.trim_start().starts_with("csl:");
    Ok(if is_path { DataSet { kind: DataSetKind::File, location: text.to_owned() } } else { set })
}

/// Reads a KeyTable, and warns of lines that do not do what they seem to.
///
/// # Errors
/// The file cannot be read, or has a line that cannot be used.
pub fn read_key_table(set: &DataSet) -> Result<KeyTable, Trouble> {
    let text = read(set)?;
    let table = KeyTable::parse(set.kind, &text).map_err(|error| trouble(set, &text, &error))?;
    warn(set, table.warnings());
    Ok(table)
}

/// Reads a SigningTable, and warns of lines that do not do what they seem to.
///
/// # Errors
/// As [`read_key_table`].
pub fn read_signing_table(set: &DataSet) -> Result<SigningTable, Trouble> {
    let text = read(set)?;
    let table =
        SigningTable::parse(set.kind, &text).map_err(|error| trouble(set, &text, &error))?;
    warn(set, table.warnings());
    Ok(table)
}

/// The text, which may hold private keys.
fn read(set: &DataSet) -> Result<Zeroizing<String>, Trouble> {
    match set.kind {
        DataSetKind::List => Ok(Zeroizing::new(set.location.clone())),
        DataSetKind::File | DataSetKind::Refile => fs::read_to_string(&set.location)
            .map(Zeroizing::new)
            .map_err(|error| Trouble::input(&*set.location, reason(&error))),
    }
}

/// What the user knows the table by.
fn name(set: &DataSet) -> String {
    match set.kind {
        DataSetKind::List => "csl".to_owned(),
        DataSetKind::File | DataSetKind::Refile => visible(set.location.as_bytes()).to_string(),
    }
}

fn warn(set: &DataSet, warnings: &[TableWarning]) {
    for warning in warnings {
        remark("warning", format_args!("{}: {}", name(set), safe(&warning.to_string())));
    }
}

/// The line with a caret under what is at fault in it.
fn trouble(set: &DataSet, text: &str, error: &TableError) -> Trouble {
    let (before, _) = text.split_at_checked(error.span.start).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    // A table may hold private keys, and they stand last: what follows the fault is not shown.
    let line = text.get(start..error.span.end).unwrap_or_default();
    let mark = match error.kind {
        TableErrorKind::Key | TableErrorKind::Fields | TableErrorKind::NoValue => String::new(),
        _ => format!("\n{}", caret(line.as_bytes(), error.span.start - start..line.len(), 2)),
    };
    Trouble::File(format!("{}: {}{mark}", name(set), safe(&error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_needs_no_slash() {
        let kind = |text| table(text).map(|set| (set.kind, set.location));
        assert_eq!(kind("KeyTable"), Ok((DataSetKind::File, "KeyTable".into())));
        assert_eq!(kind("refile:SigningTable"), Ok((DataSetKind::Refile, "SigningTable".into())));
        assert_eq!(kind("csl:a=b"), Ok((DataSetKind::List, "a=b".into())));
        assert!(kind("/refile:/etc/SigningTable").is_err());
    }

    #[test]
    fn a_line_at_fault_is_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "# keys\nname mail/example.com:s:c2VjcmV0\n").unwrap();
        let set = table(file.path().to_str().unwrap()).unwrap();
        let trouble = read_key_table(&set).unwrap_err().to_string();
        let (_, shown) = trouble.split_once('\n').unwrap();
        assert!(trouble.contains("line 2: \"mail/example.com\" is no domain"), "{trouble}");
        assert_eq!(shown, "  name mail/example.com\n       ^^^^^^^^^^^^^^^^");
        for line in ["c2VjcmV0", "name c2VjcmV0", "name example.com:s:c2Vjc.mV0"] {
            fs::write(&file, line).unwrap();
            let trouble = read_key_table(&set).unwrap_err().to_string();
            assert!(!trouble.contains("c2Vj") && trouble.contains("line 1: "), "{trouble}");
        }
    }
}
