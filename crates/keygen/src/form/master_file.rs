//! The forms that are master files (RFC 1035 5).

use super::FormError;
use crate::record::{Record, RecordData};

/// To the byte what opendkim-genkey writes to SELECTOR.txt.
pub(super) fn bind(record: &Record) -> Result<String, FormError> {
    let owner = match record.is_absolute {
        true => record.owner.absolute().ok_or(FormError::NoDomain)? + ".",
        false => record.owner.relative().to_owned(),
    };
    let mut text = match &record.data {
        RecordData::Txt(key) => {
            let strings: Vec<String> = key.strings().iter().map(|string| quote(string)).collect();
            format!("{owner}\tIN\tTXT\t( {} ) ", strings.join("\n\t  "))
        }
        RecordData::Cname(target) => format!("{owner}\tIN\tCNAME\t{target}. "),
    };
    if let Some(comment) = &record.comment {
        text = text + " ; " + comment;
    }
    Ok(text + "\n")
}

/// The type and the data on one line.
pub(super) fn data(record: &Record) -> String {
    match &record.data {
        RecordData::Txt(text) => {
            text.strings().iter().map(|string| quote(string)).collect::<Vec<_>>().join(" ")
        }
        RecordData::Cname(target) => format!("{target}."),
    }
}

/// RFC 1035 5.1: `\X` stands for the octet X without its special meaning.
fn quote(string: &str) -> String {
    format!("\"{}\"", string.replace('\\', "\\\\").replace('"', "\\\""))
}
