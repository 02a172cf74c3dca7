//! Making keys, their records and their files.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use mailproof_cli::escape::visible;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::input::{STDIN, reason};
use mailproof_cli::key_file::KeyFile;
use mailproof_cli::new_files::NewFiles;
use mailproof_cli::output::{Format, Output, remark};
use mailproof_dkim::KeyType;
use mailproof_keygen::{Domain, Form, KeyPair, KeySpec, KeyText, Owner, Record, Selector, Tags};

use crate::cli::{Generate, MaybeDomain, Type};
use crate::{human, json};

/// What opendkim-genkey says of a domain that was not named.
const NO_DOMAIN: &str = "localhost";
/// RFC 8301 3.2: "Signers SHOULD use RSA keys of at least 2048 bits."
const ADVISED_BITS: usize = 2048;
/// RFC 8301 3.2: "Verifiers MUST be able to validate signatures with keys ranging from 1024 bits
/// to 4096 bits".
const MOST_BITS: usize = 4096;

/// A key and what was made of it.
pub(crate) struct Made {
    pub(crate) key: KeyPair,
    pub(crate) selector: Selector,
    /// The record of the key.
    pub(crate) record: Record,
    /// The record that points to it, if it is in another zone.
    pub(crate) cname: Option<Record>,
    /// The files, if there are any: the key, the record, the record that points to it.
    pub(crate) files: Files,
}

/// The files of a key.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) private: Option<PathBuf>,
    pub(crate) record: Option<PathBuf>,
    pub(crate) cname: Option<PathBuf>,
}

/// Where remarks go.
pub(crate) trait Say {
    /// A warning or a note.
    fn remark(&self, word: &str, text: &str);
    /// What is done, for those who asked.
    fn step(&self, text: &str);
}

/// Remarks as all tools make them.
struct Aloud {
    verbose: bool,
}

impl Say for Aloud {
    fn remark(&self, word: &str, text: &str) {
        remark(word, text);
    }

    fn step(&self, text: &str) {
        if self.verbose {
            remark("note", text);
        }
    }
}

pub(crate) fn run(arguments: &Generate) -> Result<Exit, Trouble> {
    let made = make(arguments, &Aloud { verbose: arguments.verbose > 0 })?;
    let mut output = Output::stdout();
    match arguments.publish.record {
        Some(form) => {
            let text = print(form, &made)?;
            output.write_all(text.as_bytes())?;
        }
        None if arguments.publish.format == Format::Json => json::print(&mut output, &made)?,
        None => human::print(&mut output, arguments, &made)?,
    }
    output.flush()?;
    Ok(Exit::Good)
}

/// The records in this form; those of another zone in a document of their own.
pub(crate) fn print(form: Form, made: &[Made]) -> Result<String, Trouble> {
    let pointers: Vec<Record> = made.iter().filter_map(|made| made.cname.clone()).collect();
    let keys: Vec<Record> = made.iter().map(|made| made.record.clone()).collect();
    let mut text = String::new();
    for records in [pointers, keys].iter().filter(|records| !records.is_empty()) {
        text += &form.print(records).map_err(usage)?;
    }
    Ok(text)
}

/// Makes the keys, and writes their files: all or none of them.
pub(crate) fn make(arguments: &Generate, say: &dyn Say) -> Result<Vec<Made>, Trouble> {
    warn(arguments, say);
    if let Some(directory) =
        arguments.directory.as_ref().filter(|name| !name.as_os_str().is_empty())
    {
        check_directory(directory)?;
    }
    let mut made = Vec::new();
    for (key, suffix) in keys(arguments, say)? {
        made.push(describe(arguments, key, suffix)?);
    }
    if let Some(form) = arguments.publish.record {
        // Before anything is written.
        print(form, &made)?;
    }
    write(arguments, &mut made, say)?;
    Ok(made)
}

fn warn(arguments: &Generate, say: &dyn Say) {
    let tags = &arguments.tags;
    if !tags.no_hash_algorithms && !tags.hash_algorithms.has_sha256() {
        let text = "h= leaves out sha256, so no signature with this key can be verified \
                    (RFC 8301 3.1)";
        say.remark("warning", text);
    }
    if arguments.from.is_none() && arguments.r#type == Type::Ed25519 {
        let text = "many verifiers know no Ed25519 yet: sign with an RSA key as well \
                    (--type both)";
        say.remark("warning", text);
    }
}

/// The size in words, where it is one to think about.
fn warn_of_size(key: &KeyPair, say: &dyn Say) {
    let bits = key.bits();
    if key.key_type() == KeyType::Rsa && bits < ADVISED_BITS {
        let text = format!(
            "an RSA key of {bits} bits is weak, and some verifiers ignore it: 2048 are advised \
             (RFC 8301 3.2)"
        );
        say.remark("warning", &text);
    }
    if bits > MOST_BITS {
        let text = format!(
            "an RSA key of {bits} bits: verifiers need not take more than 4096 (RFC 8301 3.2)"
        );
        say.remark("warning", &text);
    }
}

fn check_directory(directory: &Path) -> Result<(), Trouble> {
    let reason = match fs::metadata(directory) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => "not a directory".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => "no such directory".to_owned(),
        Err(error) => reason(&error),
    };
    Err(Trouble::Directory { name: directory.to_string_lossy().into_owned(), reason })
}

/// The keys, each with what its selector ends with.
fn keys(arguments: &Generate, say: &dyn Say) -> Result<Vec<(KeyPair, &'static str)>, Trouble> {
    let keys = match (&arguments.from, arguments.r#type) {
        (Some(path), _) => vec![(read(path, arguments.bits)?, "")],
        (None, kind) => {
            say.step("generating private key");
            let rsa = || generate(KeySpec::Rsa(arguments.bits.unwrap_or(ADVISED_BITS)));
            let ed25519 = || generate(KeySpec::Ed25519);
            match kind {
                Type::Rsa => vec![(rsa()?, "")],
                Type::Ed25519 => vec![(ed25519()?, "")],
                Type::Both => vec![(rsa()?, ""), (ed25519()?, "-ed25519")],
            }
        }
    };
    for (key, _) in &keys {
        warn_of_size(key, say);
    }
    Ok(keys)
}

/// The key of a file, which has the size that was named, if one was.
fn read(path: &Path, bits: Option<usize>) -> Result<KeyPair, Trouble> {
    let key = KeyFile::read_as(path, KeyPair::parse)?.key;
    match bits {
        Some(bits) if bits != key.bits() => {
            let reason = format!("the key has {} bits, not {bits}", key.bits());
            Err(Trouble::input(path.to_string_lossy(), reason))
        }
        _ => Ok(key),
    }
}

fn generate(spec: KeySpec) -> Result<KeyPair, Trouble> {
    KeyPair::generate(spec).map_err(usage)
}

/// The key's records.
fn describe(arguments: &Generate, key: KeyPair, suffix: &str) -> Result<Made, Trouble> {
    let publish = &arguments.publish;
    let selector = suffixed(&arguments.selector.to_string(), suffix, "selector")?;
    let domain = arguments.domain.as_ref().and_then(|MaybeDomain(domain)| domain.as_ref());
    let owner = match (domain, &publish.origin) {
        (Some(domain), Some(zone)) => Owner::of_key_in(&selector, domain, zone).map_err(usage)?,
        (None, Some(_)) => {
            return Err(Trouble::Usage("--origin is for a --domain in it".to_owned()));
        }
        (domain, None) => Owner::of_key(&selector, domain),
    };
    let text = KeyText::new(&tags(arguments), &key);
    let finish = |mut record: Record| {
        record.ttl = publish.ttl;
        record.is_absolute |= publish.append_domain;
        record.comment = comment(arguments, &selector);
        record
    };
    let (record, cname) = match &publish.cname {
        None => (Record::txt(owner, text), None),
        Some(target) => {
            let target = target_for(target, suffix)?;
            let mut record = Record::txt(Owner::of_name(&target), text);
            record.is_absolute = true;
            (record, Some(finish(Record::cname(owner, target))))
        }
    };
    Ok(Made { record: finish(record), cname, selector, key, files: Files::default() })
}

fn tags(arguments: &Generate) -> Tags {
    let options = &arguments.tags;
    Tags {
        note: options.note.clone(),
        hash_algorithms: Some(&options.hash_algorithms)
            .filter(|_| !options.no_hash_algorithms)
            .cloned(),
        testing: options.testmode,
        strict: options.strict || options.no_subdomains,
        email_only: options.restrict,
    }
}

/// What opendkim-genkey puts behind the record; nothing, if the domain is empty.
fn comment(arguments: &Generate, selector: &Selector) -> Option<String> {
    let domain = match &arguments.domain {
        None => NO_DOMAIN.to_owned(),
        Some(MaybeDomain(domain)) => domain.as_ref()?.to_string(),
    };
    Some(format!("----- DKIM key {selector} for {domain}"))
}

fn suffixed<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    suffix: &str,
    what: &str,
) -> Result<T, Trouble> {
    let name = format!("{name}{suffix}");
    name.parse().map_err(|error| Trouble::Usage(format!("{what} {name}: {error}")))
}

/// The first label of the target has the suffix that the selector has.
fn target_for(target: &Domain, suffix: &str) -> Result<Domain, Trouble> {
    let target = target.to_string();
    let (first, rest) = target
        .split_once('.')
        .ok_or_else(|| Trouble::Usage("--cname: the target has one label only".to_owned()))?;
    suffixed(&format!("{first}{suffix}"), &format!(".{rest}"), "--cname")
}

fn write(arguments: &Generate, made: &mut [Made], say: &dyn Say) -> Result<(), Trouble> {
    if arguments.from.is_some() && arguments.directory.is_none() {
        return Ok(());
    }
    let directory = arguments.directory.as_deref().unwrap_or(Path::new(""));
    let mut files = if arguments.force { NewFiles::replacing() } else { NewFiles::default() };
    for Made { key, selector, record, cname, files: names } in &mut *made {
        let path = |ending| directory.join(format!("{selector}.{ending}"));
        let private = path("private");
        if !is_the_key_file(arguments.from.as_deref(), &private) {
            let octets = key.encode(arguments.key_format.into()).map_err(usage)?;
            files.add(private.clone(), &octets)?;
            names.private = Some(private);
        }
        for (record, path, name) in [
            (Some(&*record), path("txt"), &mut names.record),
            (cname.as_ref(), path("cname"), &mut names.cname),
        ] {
            let Some(record) = record else { continue };
            let text = Form::Bind.print(std::slice::from_ref(record)).map_err(usage)?;
            files.add(path.clone(), text.as_bytes())?;
            *name = Some(path);
        }
    }
    for (path, kept) in files.keep()? {
        say.remark("note", &format!("{} is kept as {}", shown(&path), shown(&kept)));
    }
    for Made { files, .. } in made {
        tell(files, say);
    }
    Ok(())
}

/// In the words of opendkim-genkey.
fn tell(files: &Files, say: &dyn Say) {
    if let Some(path) = &files.private {
        say.step(&format!("private key written to {}", shown(path)));
    }
    say.step("extracting public key");
    if let Some(path) = &files.record {
        say.step(&format!("DNS TXT record written to {}", shown(path)));
    }
    if let Some(path) = &files.cname {
        say.step(&format!("DNS CNAME record written to {}", shown(path)));
    }
}

/// Whether the key that was read stands where it would be written.
fn is_the_key_file(from: Option<&Path>, path: &Path) -> bool {
    let Some(from) = from.filter(|from| from.as_os_str() != STDIN) else { return false };
    matches!((fs::canonicalize(from), fs::canonicalize(path)), (Ok(from), Ok(path)) if from == path)
}

pub(crate) fn shown(path: &Path) -> String {
    visible(path.to_string_lossy().as_bytes()).to_string()
}

fn usage(error: impl std::fmt::Display) -> Trouble {
    Trouble::Usage(error.to_string())
}
