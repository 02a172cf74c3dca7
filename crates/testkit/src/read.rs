use crate::Case;
use mailproof_dns::Zone;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};
use toml::{Table, Value};

/// What is wrong with the corpus; each names the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or directory.
        file: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// A file is no TOML.
    #[error("{}: {source}", file.display())]
    Toml {
        /// The file.
        file: PathBuf,
        /// What TOML says, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A case is no case: a key is missing, unknown or of the wrong type.
    #[error("{}, case {case}: {what}", file.display())]
    Case {
        /// The file.
        file: PathBuf,
        /// The name of the case, or its number in the file when it has none.
        case: String,
        /// What is wrong.
        what: String,
    },
    /// Two cases of one kind have the same name.
    #[error("{} and {}: two cases named {case}", first.display(), second.display())]
    Duplicate {
        /// The name.
        case: String,
        /// The file of the first.
        first: PathBuf,
        /// The file of the second.
        second: PathBuf,
    },
    /// A directory holds no case.
    #[error("{}: no case", directory.display())]
    Empty {
        /// The directory.
        directory: PathBuf,
    },
}

/// The corpus, or a path in it, from whatever crate the test runs in.
pub fn testdata(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(path)
}

/// The cases of `testdata/<kind>/` and `testdata/private/<kind>/`, in the order of file names;
/// with `MAILPROOF_CASE=word` only those with the word in their name.
///
/// # Panics
///
/// Panics when the corpus is broken, with the file and what is wrong with it.
#[expect(clippy::panic, reason = "a broken corpus is a failing test")]
pub fn cases<C: DeserializeOwned>(kind: &str) -> Vec<Case<C>> {
    let mut cases = read(&testdata(kind)).unwrap_or_else(|error| panic!("{error}"));
    let private = testdata("private").join(kind);
    if private.is_dir() {
        cases.extend(read(&private).unwrap_or_else(|error| panic!("{error}")));
    }
    if let Some(word) = filter() {
        cases.retain(|case| case.name.contains(&word));
    }
    cases
}

/// The word of `MAILPROOF_CASE`.
pub(crate) fn filter() -> Option<String> {
    env::var("MAILPROOF_CASE").ok().filter(|word| !word.is_empty())
}

/// The cases of all `*.toml` files of a directory, in the order of file names.
pub fn read<C: DeserializeOwned>(directory: &Path) -> Result<Vec<Case<C>>, Error> {
    let mut cases = Vec::new();
    for file in toml_files(directory)? {
        read_file(&file, &mut cases)?;
    }
    if cases.is_empty() {
        return Err(Error::Empty { directory: directory.to_owned() });
    }
    let mut files: BTreeMap<&str, &Path> = BTreeMap::new();
    for case in &cases {
        if let Some(first) = files.insert(&case.name, &case.file) {
            let (first, second) = (first.to_owned(), case.file.clone());
            return Err(Error::Duplicate { case: case.name.clone(), first, second });
        }
    }
    Ok(cases)
}

fn toml_files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let error = |source| Error::Io { file: directory.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let file = entry.map_err(error)?.path();
        let is_toml = file.extension().is_some_and(|extension| extension == "toml");
        if is_toml && file.file_name().is_some_and(|name| name != "exceptions.toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn read_table(file: &Path) -> Result<Table, Error> {
    let text =
        fs::read_to_string(file).map_err(|source| Error::Io { file: file.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|source| Error::Toml { file: file.to_owned(), source: Box::new(source) })
}

/// A file is one case, or a list `[[case]]` under the keys its cases share.
fn read_file<C: DeserializeOwned>(file: &Path, cases: &mut Vec<Case<C>>) -> Result<(), Error> {
    let mut table = read_table(file)?;
    let Some(list) = table.remove("case") else {
        cases.push(read_case(file, 1, table)?);
        return Ok(());
    };
    let fail =
        |what: String| Err(Error::Case { file: file.to_owned(), case: "(all)".to_owned(), what });
    if let Some(key) = table.keys().find(|key| !SHARED.contains(&key.as_str())) {
        return fail(format!("unknown key `{key}` before [[case]]; known are {SHARED:?}"));
    }
    let Value::Array(list) = list else {
        return fail("`case` is no list: write [[case]]".to_owned());
    };
    for (number, item) in (1..).zip(list) {
        let Value::Table(mut case) = item else {
            return fail("`case` is no list of tables: write [[case]]".to_owned());
        };
        for (key, value) in &table {
            case.entry(key).or_insert_with(|| value.clone());
        }
        cases.push(read_case(file, number, case)?);
    }
    Ok(())
}

/// The keys a file may give once for all its cases.
const SHARED: [&str; 5] = ["message", "now", "rfc", "source", "zone"];

/// The keys of a case beside those all kinds share.
const OWN: [&str; 2] = ["expect", "input"];

fn read_case<C: DeserializeOwned>(
    file: &Path,
    number: usize,
    mut table: Table,
) -> Result<Case<C>, Error> {
    let label = match table.get("name") {
        Some(Value::String(name)) => name.clone(),
        _ => number.to_string(),
    };
    let fail = |what| Error::Case { file: file.to_owned(), case: label.clone(), what };

    let name = required(&mut table, "name").map_err(fail)?;
    let why = required(&mut table, "why").map_err(fail)?;
    let rfc = required(&mut table, "rfc").map_err(fail)?;
    let source = text(&mut table, "source").map_err(fail)?;
    let zone_text = text(&mut table, "zone").map_err(fail)?.unwrap_or_default();
    let zone = Zone::parse(&zone_text).map_err(|error| fail(format!("`zone`: {error}")))?;
    let now = match table.remove("now") {
        None => None,
        Some(Value::Integer(now)) => {
            Some(u64::try_from(now).map_err(|error| fail(format!("`now`: {error}")))?)
        }
        Some(_) => return Err(fail("`now` is no integer: seconds since 1970".to_owned())),
    };
    let message = read_message(file, text(&mut table, "message").map_err(fail)?)?;

    if let Some(key) = table.keys().find(|key| !OWN.contains(&key.as_str())) {
        return Err(fail(format!("unknown key `{key}`")));
    }
    let mut unknown = None;
    let own = serde_ignored::deserialize(Value::Table(table), |path| {
        unknown.get_or_insert_with(|| path.to_string());
    })
    .map_err(|error: toml::de::Error| fail(error.message().to_owned()))?;
    if let Some(path) = unknown {
        return Err(fail(format!("unknown key `{path}`")));
    }
    Ok(Case { name, why, rfc, source, zone, zone_text, now, message, file: file.to_owned(), own })
}

/// The message named, else the one that has the name of the file, if there is one.
fn read_message(file: &Path, name: Option<String>) -> Result<Option<Vec<u8>>, Error> {
    let path = match name {
        Some(name) => file.with_file_name(name),
        None => {
            let path = file.with_extension("eml");
            if !path.exists() {
                return Ok(None);
            }
            path
        }
    };
    fs::read(&path).map(Some).map_err(|source| Error::Io { file: path, source })
}

fn required(table: &mut Table, key: &str) -> Result<String, String> {
    match text(table, key)? {
        Some(text) if text.trim().is_empty() => Err(format!("`{key}` is empty")),
        Some(text) => Ok(text),
        None => Err(format!("`{key}` is missing")),
    }
}

fn text(table: &mut Table, key: &str) -> Result<Option<String>, String> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` is no string")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Own {
        #[serde(default)]
        input: Input,
        expect: Expect,
    }

    #[derive(Debug, Default, Deserialize)]
    struct Input {
        ip: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Expect {
        result: String,
    }

    fn read_files(files: &[(&str, &str)]) -> Result<Vec<Case<Own>>, Error> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        read(directory.path())
    }

    fn error(text: &str) -> String {
        let error = read_files(&[("a.toml", text)]).unwrap_err().to_string();
        assert!(error.contains("a.toml"), "no file in: {error}");
        error
    }

    const GOOD: &str = "name='n'\nwhy='w'\nrfc='7208 4'\nexpect.result='pass'\n";

    #[test]
    fn one_case_with_everything() {
        let text = format!("{GOOD}zone='a. A 1.2.3.4'\nnow=7\nsource='s'\ninput.ip='::1'");
        let cases = read_files(&[("a.toml", &text), ("a.eml", "X: y\r\n")]).unwrap();
        assert_eq!(cases.len(), 1);
        let case = &cases[0];
        assert_eq!((case.name.as_str(), case.why.as_str()), ("n", "w"));
        assert_eq!((case.rfc.as_str(), case.source.as_deref()), ("7208 4", Some("s")));
        assert_eq!((case.zone_text.as_str(), case.now), ("a. A 1.2.3.4", Some(7)));
        assert_eq!(case.zone.records().len(), 1);
        assert_eq!(case.message.as_deref(), Some(b"X: y\r\n".as_slice()));
        assert_eq!(case.own.input.ip.as_deref(), Some("::1"));
        assert_eq!(case.own.expect.result, "pass");
    }

    #[test]
    fn a_list_shares_the_keys_before_it() {
        let text = "zone='z. A 1.2.3.4'\nrfc='7208 4'\n\
            [[case]]\nname='one'\nwhy='w'\nexpect.result='pass'\n\
            [[case]]\nname='two'\nwhy='w'\nzone=''\nexpect.result='fail'\n";
        let cases = read_files(&[("a.toml", text)]).unwrap();
        let zones: Vec<_> = cases.iter().map(|case| (&*case.name, &*case.zone_text)).collect();
        assert_eq!(zones, [("one", "z. A 1.2.3.4"), ("two", "")]);
    }

    #[test]
    fn files_are_read_by_name_and_exceptions_are_no_cases() {
        let other = GOOD.replace("'n'", "'m'");
        let files = [("b.toml", GOOD), ("a.toml", &other), ("exceptions.toml", "x=1")];
        let names: Vec<_> = read_files(&files).unwrap().into_iter().map(|case| case.name).collect();
        assert_eq!(names, ["m", "n"]);
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_with_the_file() {
        assert!(
            error("name='n'\nrfc='r'\nexpect.result='x'").ends_with("case n: `why` is missing")
        );
        assert!(
            error("why='w'\nrfc='r'\nexpect.result='x'").ends_with("case 1: `name` is missing")
        );
        assert!(error("name='n'\nwhy=' '\nrfc='r'").ends_with("case n: `why` is empty"));
        assert!(error("name='n'\nwhy='w'\nrfc=1").ends_with("case n: `rfc` is no string"));
        assert!(error("name='n'\nwhy='w'\nrfc='r'").contains("missing field `expect`"));
        assert!(error(&format!("{GOOD}now=-1")).contains("case n: `now`: "));
        assert!(error(&format!("{GOOD}zone='a. B c'")).contains("case n: `zone`: "));
        assert!(error("name = ").contains("line 1"));
        assert!(error("zone=''\ncase=1").contains("`case` is no list"));
        let message = read_files(&[("a.toml", &format!("{GOOD}message='b.eml'"))]);
        assert!(message.unwrap_err().to_string().contains("b.eml: "));
    }

    #[test]
    fn unknown_keys_are_errors() {
        assert!(error(&format!("{GOOD}reson='r'")).ends_with("case n: unknown key `reson`"));
        assert!(
            error(&format!("{GOOD}expect.causes='c'")).ends_with("unknown key `expect.causes`")
        );
        assert!(error(&format!("why='w'\n[[case]]\n{GOOD}")).contains("unknown key `why` before"));
    }

    #[test]
    fn two_cases_of_one_name_are_an_error() {
        let error = read_files(&[("a.toml", GOOD), ("b.toml", GOOD)]).unwrap_err().to_string();
        assert!(error.contains("a.toml and ") && error.ends_with("b.toml: two cases named n"));
    }

    #[test]
    fn no_case_is_an_error() {
        assert!(matches!(read_files(&[]), Err(Error::Empty { .. })));
    }
}
