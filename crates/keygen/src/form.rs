//! The forms of a key record that people paste and programs read.

mod master_file;

use crate::record::{Record, RecordData};

/// A form of a key record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// RFC 1035 5 for BIND, to the byte as opendkim-genkey writes it.
    Bind,
    /// The text alone, for a web form with one field.
    SingleLine,
    /// The text as quoted strings of at most 255 octets, for a web form that asks for them.
    Strings,
}

/// Why a record cannot be printed in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The form has the whole name of the record, and the domain is not known.
    #[error("this form has the whole name of the record: name the domain")]
    NoDomain,
}

impl Record {
    /// The record in this form; it ends with a line end.
    ///
    /// # Errors
    /// The form needs a domain, and the owner has none.
    pub fn print(&self, form: Form) -> Result<String, FormError> {
        match form {
            Form::Bind => master_file::bind(self),
            Form::SingleLine => Ok(match &self.data {
                RecordData::Txt(text) => format!("{text}\n"),
                RecordData::Cname(target) => format!("{target}\n"),
            }),
            Form::Strings => Ok(master_file::data(self) + "\n"),
        }
    }
}
