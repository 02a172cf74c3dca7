//! The KeyTable of OpenDKIM: names of keys, and for each a domain, a selector and a key.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_dkim::{Algorithm, PrivateKey, PrivateKeyError};
use mailproof_dns::Name;
use zeroize::Zeroizing;

use crate::data_set::{DataSetKind, Entry, span};
use crate::table::{
    NameProblem, TableError, TableErrorKind, TableWarning, TableWarningKind, is_plain, name,
};

/// A KeyTable (opendkim.conf(5)).
///
/// ```
/// use mailproof_keygen::{DataSetKind, KeyTable};
///
/// let text = "2026._domainkey.example.com example.com:2026:/etc/dkimkeys/2026.private\n";
/// let table = KeyTable::parse(DataSetKind::File, text)?;
/// let entry = table.key("2026._domainkey.example.com").ok_or("it is there")?;
/// let author = "example.com".parse()?;
/// assert_eq!(entry.domain(&author).to_string(), "example.com");
/// assert_eq!(entry.path(&author), Some("/etc/dkimkeys/2026.private".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    entries: Vec<KeyEntry>,
    by_name: HashMap<String, usize>,
    warnings: Vec<TableWarning>,
}

/// An entry of a KeyTable.
#[derive(Debug, Clone)]
pub struct KeyEntry {
    /// The number of its line, from 1; in a list, of the entry.
    pub line: usize,
    /// What a SigningTable calls the key by; case matters.
    pub name: String,
    /// Tag d=; `None` for the domain of the author, written `%`.
    pub domain: Option<Name>,
    /// Tag s=.
    pub selector: Name,
    /// The key, or where it is.
    pub key: KeySource,
    /// Tag a=, which newer versions of OpenDKIM take as a fourth field; the key itself decides.
    pub algorithm: Option<Algorithm>,
}

/// Where the key of an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a file. In a path that begins with a slash, `%` stands for the domain of the author.
    File(String),
    /// In the table itself.
    Inline(InlineKey),
}

/// A private key in a table; it is wiped from memory when dropped, and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct InlineKey(Zeroizing<String>);

impl InlineKey {
    /// The key.
    ///
    /// # Errors
    /// What keeps it from being one.
    pub fn parse(&self) -> Result<PrivateKey, PrivateKeyError> {
        if let Ok(key) = PrivateKey::parse(self.0.as_bytes()) {
            return Ok(key);
        }
        let der = STANDARD.decode(self.0.as_bytes()).map(Zeroizing::new);
        PrivateKey::from_der(&der.map_err(|_| PrivateKeyError::UnknownForm)?)
    }
}

impl std::fmt::Debug for InlineKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InlineKey")
    }
}

impl KeyTable {
    /// Reads a table.
    ///
    /// # Errors
    /// The first line that cannot be used.
    pub fn parse(kind: DataSetKind, text: &str) -> Result<KeyTable, TableError> {
        let mut table = KeyTable::default();
        for entry in kind.entries(text) {
            let warning = |kind| TableWarning { line: entry.line, kind };
            if entry.is_passed_over {
                table.warnings.push(warning(TableWarningKind::PassedOver));
                continue;
            }
            let read = KeyEntry::read(text, entry)?;
            match table.by_name.entry(read.name.clone()) {
                Slot::Vacant(slot) => {
                    slot.insert(table.entries.len());
                    table.entries.push(read);
                }
                Slot::Occupied(slot) => {
                    let first = table.entries.get(*slot.get()).map_or(0, |entry| entry.line);
                    let repeated = TableWarningKind::Repeated { key: read.name, first };
                    table.warnings.push(warning(repeated));
                }
            }
        }
        Ok(table)
    }

    /// The entry of this name.
    pub fn key(&self, name: &str) -> Option<&KeyEntry> {
        self.entries.get(*self.by_name.get(name)?)
    }

    /// All entries that count, in their order.
    pub fn entries(&self) -> &[KeyEntry] {
        &self.entries
    }

    /// Lines that do not do what they seem to.
    pub fn warnings(&self) -> &[TableWarning] {
        &self.warnings
    }
}

impl KeyEntry {
    /// Tag d= for a message of an author in this domain.
    pub fn domain<'a>(&'a self, author: &'a Name) -> &'a Name {
        self.domain.as_ref().unwrap_or(author)
    }

    /// The key file for a message of an author in this domain. `None` if the key is in the table,
    /// or if the domain has characters that would steer a path: it is the author who wrote it.
    pub fn path(&self, author: &Name) -> Option<PathBuf> {
        match &self.key {
            KeySource::Inline(_) => None,
            KeySource::File(path) if !self.path_depends_on_author() => Some(path.into()),
            KeySource::File(path) => {
                is_plain(author).then(|| path.replace('%', &author.to_string()).into())
            }
        }
    }

    /// Whether domain or key file are those of the author, who is different in each message.
    pub fn depends_on_author(&self) -> bool {
        self.domain.is_none() || self.path_depends_on_author()
    }

    fn path_depends_on_author(&self) -> bool {
        matches!(&self.key, KeySource::File(path) if path.starts_with('/') && path.contains('%'))
    }

    fn read(text: &str, entry: Entry<'_>) -> Result<KeyEntry, TableError> {
        let error =
            |part: &str, kind| TableError { line: entry.line, kind, span: span(text, part) };
        if entry.value.is_empty() {
            return Err(error(entry.key, TableErrorKind::NoValue));
        }
        let mut fields = entry.value.splitn(3, ':').map(str::trim);
        let (Some(domain), Some(selector), Some(key)) =
            (fields.next(), fields.next(), fields.next())
        else {
            return Err(error(entry.value, TableErrorKind::Fields));
        };
        let named = |what, part: &str| {
            name(part).map_err(|why| {
                error(part, TableErrorKind::Name { what, text: part.to_owned(), why })
            })
        };
        let (key, algorithm) = key_and_algorithm(key);
        Ok(KeyEntry {
            line: entry.line,
            name: entry.key.to_owned(),
            domain: match domain {
                "%" => None,
                _ => match named("domain", domain)? {
                    single if single.label_count() < 2 => {
                        let (text, why) = (domain.to_owned(), NameProblem::SingleLabel);
                        let kind = TableErrorKind::Name { what: "domain", text, why };
                        return Err(error(domain, kind));
                    }
                    name => Some(name),
                },
            },
            selector: named("selector", selector)?,
            key: source(key).ok_or_else(|| error(key, TableErrorKind::Key))?,
            algorithm,
        })
    }
}

/// The third field, and the fourth if there is one: a path may have colons, too.
fn key_and_algorithm(field: &str) -> (&str, Option<Algorithm>) {
    match field.rsplit_once(':') {
        Some((key, "rsa-sha256")) => (key.trim_end(), Some(Algorithm::RsaSha256)),
        Some((key, "ed25519-sha256")) => (key.trim_end(), Some(Algorithm::Ed25519Sha256)),
        _ => (field, None),
    }
}

fn source(text: &str) -> Option<KeySource> {
    if ["/", "./", "../"].iter().any(|start| text.starts_with(start)) {
        return Some(KeySource::File(text.to_owned()));
    }
    let is_inline = text.contains("-----BEGIN ") || STANDARD.decode(text).is_ok();
    (is_inline && !text.is_empty())
        .then(|| KeySource::Inline(InlineKey(Zeroizing::new(text.to_owned()))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(text: &str) -> KeyTable {
        KeyTable::parse(DataSetKind::File, text).unwrap()
    }

    fn name_of(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn the_table_of_a_guide() {
        let table = table(
            "20250222._domainkey.mail.example.com \
             mail.example.com:20250222:/etc/opendkim/keys/example.com/20250222.private\n",
        );
        let entry = table.key("20250222._domainkey.mail.example.com").unwrap();
        assert_eq!(entry.domain, Some(name_of("mail.example.com")));
        assert_eq!(entry.selector, name_of("20250222"));
        assert!(!entry.depends_on_author() && table.warnings().is_empty());
        // Names of keys are compared as they are.
        assert!(table.key("20250222._DOMAINKEY.mail.example.com").is_none());
    }

    #[test]
    fn the_domain_of_the_author() {
        let table = table(
            "any %:s:/keys/%/%.private\n\
             relative example.com:s:./%.private\n\
             fixed %:s:/keys/one.private\n",
        );
        let author = name_of("Example.NET");
        let path = |name: &str| table.key(name).unwrap().path(&author);
        assert_eq!(table.key("any").unwrap().domain(&author).to_string(), "example.net");
        assert_eq!(path("any"), Some("/keys/example.net/example.net.private".into()));
        assert_eq!(path("relative"), Some("./%.private".into()));
        assert_eq!(path("fixed"), Some("/keys/one.private".into()));
        assert_eq!(table.key("any").unwrap().path(&name_of("a/b.example")), None);
    }

    #[test]
    fn a_key_in_the_table_and_an_algorithm() {
        let table = table(
            "seed example.com:s:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n\
             file example.com:s:/keys/a:b.private:ed25519-sha256\n",
        );
        let KeySource::Inline(key) = &table.entries()[0].key else { panic!("inline") };
        assert_eq!(key.parse().unwrap().algorithm(), Algorithm::Ed25519Sha256);
        assert_eq!(format!("{key:?}"), "InlineKey");
        let file = &table.entries()[1];
        assert_eq!(file.key, KeySource::File("/keys/a:b.private".into()));
        assert_eq!(file.algorithm, Some(Algorithm::Ed25519Sha256));
    }

    #[test]
    fn what_is_odd_is_told() {
        let text = "a example.com:s:/1\n b example.com:s:/2\na example.org:s:/3\n";
        let refile = KeyTable::parse(DataSetKind::Refile, text).unwrap();
        assert_eq!(refile.entries().len(), 1);
        let warnings: Vec<String> = refile.warnings().iter().map(ToString::to_string).collect();
        assert!(warnings[0].starts_with("line 2: it begins with white space"));
        assert_eq!(
            warnings[1],
            "line 3: \"a\" stands in line 1 already, which is the one that counts"
        );
        assert_eq!(table(text).entries().len(), 2);
    }

    #[test]
    fn lines_that_cannot_be_used() {
        for (line, said, at) in [
            ("a", "there is one word alone", "a"),
            ("a example.com:s", "expected DOMAIN:SELECTOR:KEYFILE", "example.com:s"),
            // The typing error of a published guide.
            ("a mail/example.com:s:/k", "\"mail/example.com\" is no domain", "mail/example.com"),
            ("a example:s:/k", "\"example\" is no domain: it has a single label", "example"),
            ("a example.com:s/t:/k", "\"s/t\" is no selector", "s/t"),
            ("a example.com::/k", "\"\" is no selector: the domain name is empty", ""),
            ("a example.com:s:k.private", "the key is neither a path", "k.private"),
            ("a example.com:s:", "the key is neither a path", ""),
        ] {
            let text = format!("# a comment\nb example.com:s:/k\n{line}\n");
            let error = KeyTable::parse(DataSetKind::File, &text).unwrap_err();
            assert_eq!(error.line, 3);
            assert!(error.to_string().starts_with(&format!("line 3: {said}")), "{error}");
            assert_eq!(&text[error.span], at);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a%:/ \n#=,.é-]{0,60}") {
            for kind in [DataSetKind::List, DataSetKind::File, DataSetKind::Refile] {
                if let Err(error) = KeyTable::parse(kind, &text) {
                    prop_assert!(text.get(error.span).is_some());
                }
            }
        }
    }
}
