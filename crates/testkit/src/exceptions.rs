use crate::read::{Error, read_table};
use serde::Deserialize;
use std::path::Path;

/// A difference from a published vector that we keep, with the reason: one `[[exception]]` of
/// `testdata/<kind>/exceptions.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The name of the case.
    pub case: String,
    /// What the case expects, as the test prints it.
    pub expected: String,
    /// What we answer, as the test prints it.
    pub actual: String,
    /// Why we keep to it, with the section.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exception: Vec<Exception>,
}

/// The exceptions of a directory; none when it has no `exceptions.toml`.
pub(crate) fn read(directory: &Path) -> Result<Vec<Exception>, Error> {
    let file = directory.join("exceptions.toml");
    if !file.exists() {
        return Ok(Vec::new());
    }
    let exceptions = read_table(&file)?
        .try_into::<File>()
        .map_err(|source| Error::Toml { file: file.clone(), source: Box::new(source) })?
        .exception;
    match exceptions.iter().find(|exception| exception.reason.trim().is_empty()) {
        Some(exception) => Err(Error::Case {
            file,
            case: exception.case.clone(),
            what: "an exception needs a `reason`".to_owned(),
        }),
        None => Ok(exceptions),
    }
}
