//! Master files (RFC 1035 5), and the data of a record as they have it, which others have taken
//! over.

use super::{NoName, absolute};
use crate::record::{Record, RecordData};

/// To the byte what opendkim-genkey writes to SELECTOR.txt.
pub(super) fn bind(record: &Record) -> Result<String, NoName> {
    let owner = match record.is_absolute {
        true => absolute(record)? + ".",
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
    Ok(text)
}

/// A record on a line.
pub(super) fn line(record: &Record) -> Result<String, NoName> {
    let (owner, kind) = (absolute(record)?, record.data.kind());
    Ok(format!("{owner}. {} IN {kind} {}", record.ttl, data(record)))
}

/// The data of the record on a line.
pub(super) fn data(record: &Record) -> String {
    match &record.data {
        RecordData::Txt(text) => {
            text.strings().iter().map(|string| quote(string)).collect::<Vec<_>>().join(" ")
        }
        RecordData::Cname(target) => format!("{target}."),
    }
}

/// RFC 1035 5.1: `\X` stands for the octet X without its special meaning.
pub(super) fn quote(string: &str) -> String {
    format!("\"{}\"", string.replace('\\', "\\\\").replace('"', "\\\""))
}
