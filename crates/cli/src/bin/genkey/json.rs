//! What was made, for programs: `docs/schema/genkey.schema.json`. The private key is not in it.

use std::io;
use std::path::Path;

use mailproof_cli::output::{List, Output};
use mailproof_keygen::Record;
use serde::Serialize;

use crate::generate::Made;

/// The version of the JSON schema.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Key<'a> {
    r#type: String,
    bits: usize,
    selector: String,
    /// Where the private key was written to; null if it was not.
    private_key_file: Option<String>,
    record_file: Option<String>,
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    cname_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cname: Option<&'a Record>,
}

pub(crate) fn print(out: &mut Output, made: &[Made]) -> io::Result<()> {
    let mut list = List::new(SCHEMA_VERSION, "keys");
    for Made { key, selector, record, cname, files } in made {
        let key = Key {
            r#type: key.key_type().to_string(),
            bits: key.bits(),
            selector: selector.to_string(),
            private_key_file: files.private.as_deref().map(name),
            record_file: files.record.as_deref().map(name),
            record,
            cname_file: files.cname.as_deref().map(name),
            cname: cname.as_ref(),
        };
        list.item(out, &key)?;
    }
    list.end(out)
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
