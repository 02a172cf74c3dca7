//! What signs: keys and tables, read and checked.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use mailproof_dkim::{FieldSelection, PrivateKey};
use mailproof_dns::Name;
use mailproof_keygen::{
    DataSet, DataSetKind, KeySource, KeyTable, SigningTable, TableError, TableErrorKind,
    TableWarning, TableWarningKind,
};

use super::resolve::Resolver;
use super::{AuthorKey, Signing, Tables};
use crate::finding::{Finding, Place, Severity};
use crate::settings::{Sign, SignKey, SignTable};

impl Resolver<'_> {
    pub(super) fn signing(&mut self, sign: &Sign, signs: bool) -> Signing {
        let mut signing = Signing { fields: fields(sign), ..Signing::default() };
        for (index, key) in sign.keys.iter().enumerate() {
            signing.keys.push(self.author_key(index, key, sign));
        }
        if let Some(table) = &sign.table {
            signing.tables = self.tables(table);
            self.keys_of_tables(&mut signing, table, sign);
            self.alignment(&signing, table);
        }
        if signs && signing.is_empty() && !(sign.table.is_some() && signing.tables.is_none()) {
            self.say(
                Finding::new(
                    Severity::Warning,
                    "nothing-signed",
                    if sign.keys.is_empty() {
                        "nothing will be signed: no domain has a key"
                    } else {
                        "nothing will be signed: there is a key, but no domain that it is for \
                         (Domain is not set)"
                    },
                )
                .at(self.origins.place("sign.key"))
                .advice(
                    "Name the domains whose mail is to be signed, with selector and key file; \
                     or, if this host only verifies, leave the role \"sign\" out.",
                ),
            );
        }
        signing
    }

    fn author_key(&mut self, index: usize, key: &SignKey, sign: &Sign) -> AuthorKey {
        let path = format!("sign.key[{index}]");
        let domains = self.domains(&format!("{path}.domains"), &key.domains);
        let place = self.origins.place(&format!("{path}.file"));
        AuthorKey {
            subdomains: key.subdomains,
            selector: key.selector.clone(),
            file: key.file.clone(),
            key: self.private_key(&key.file, place, sign.require_safe_keys, sign.minimum_key_bits),
            domains,
        }
    }

    /// The key in a file, or a finding.
    pub(super) fn private_key(
        &mut self,
        path: &Path,
        place: Option<Place>,
        must_be_safe: bool,
        least_bits: usize,
    ) -> Option<Arc<PrivateKey>> {
        let name = path.display();
        let loaded = match self.files.key(path) {
            Ok(loaded) => loaded,
            Err(trouble) => {
                let (rule, advice) = if trouble.is_missing {
                    ("key-missing", "Make a key with genkey, or correct the path.")
                } else if trouble.is_forbidden {
                    ("key-unreadable", "Run this as root, as the daemon is started.")
                } else {
                    ("key-bad", "Make a key with genkey, and publish its record.")
                };
                let sentence = format!("the key {name}: {trouble}");
                self.say(Finding::new(Severity::Error, rule, sentence).at(place).advice(advice));
                return None;
            }
        };
        if let Some(warning) = loaded.warning {
            let severity = if must_be_safe { Severity::Error } else { Severity::Warning };
            let sentence = format!("the key {name}: {warning}");
            self.say(Finding::new(severity, "key-unsafe", sentence).at(place.clone()));
        }
        let bits = loaded.key.bits();
        let is_rsa = loaded.key.algorithm() == mailproof_dkim::Algorithm::RsaSha256;
        if is_rsa && bits < least_bits.max(1024) {
            let sentence = format!(
                "the key {name} has {bits} bits; verifiers take no signature by less than 1024 \
                 (RFC 8301 3.2)"
            );
            let finding = Finding::new(Severity::Error, "key-short", sentence).at(place);
            self.say(finding.advice("Make a key of 2048 bits with genkey."));
            return None;
        }
        Some(loaded.key)
    }

    fn tables(&mut self, table: &SignTable) -> Option<Tables> {
        let place = self.origins.place("sign.table.keys");
        let keys = self.set(&table.keys, place, Severity::Error).and_then(|text| {
            let read = KeyTable::parse(table.keys.kind, &text);
            self.told(&table.keys, &text, read, |table| table.warnings())
        });
        let place = self.origins.place("sign.table.authors");
        let authors = self.set(&table.authors, place, Severity::Error).and_then(|text| {
            let read = SigningTable::parse(table.authors.kind, &text);
            self.told(&table.authors, &text, read, |table| table.warnings())
        });
        Some(Tables { keys: keys?, authors: authors?, multiple: table.multiple })
    }

    /// A table, its warnings and its error told.
    fn told<T>(
        &mut self,
        set: &DataSet,
        text: &str,
        read: Result<T, TableError>,
        warnings: impl Fn(&T) -> &[TableWarning],
    ) -> Option<T> {
        match read {
            Ok(table) => {
                for warning in warnings(&table) {
                    let rule = match warning.kind {
                        TableWarningKind::PassedOver => "line-passed-over",
                        TableWarningKind::Repeated { .. } => "line-repeated",
                        TableWarningKind::NoRefile(_) => "pattern",
                        _ => "table-line",
                    };
                    let place = Place::line(&name(set), warning.line);
                    let sentence = warning.kind.to_string();
                    self.say(Finding::new(Severity::Warning, rule, sentence).at(place));
                }
                Some(table)
            }
            Err(error) => {
                let place = match error.kind {
                    // The line may hold a private key.
                    TableErrorKind::Key => Place::line(&name(set), error.line),
                    _ => Place::of(&name(set), text, error.span),
                };
                let (rule, advice) = match &error.kind {
                    TableErrorKind::Name { what: "domain", .. } => (
                        "key-table-domain",
                        Some("Write the domain that signs, as it stands behind the @ of From."),
                    ),
                    _ => ("table-line", None),
                };
                let finding = Finding::new(Severity::Error, rule, error.kind.to_string());
                let finding = finding.at(place);
                self.say(match advice {
                    Some(advice) => finding.advice(advice),
                    None => finding,
                });
                None
            }
        }
    }

    /// Reads the keys of the tables, and finds lines that name keys which are not there.
    fn keys_of_tables(&mut self, signing: &mut Signing, table: &SignTable, sign: &Sign) {
        let Some(tables) = &signing.tables else { return };
        let mut used = HashSet::new();
        for entry in tables.authors.entries() {
            used.insert(entry.key_name.as_str());
        }
        for entry in tables.authors.without_key(&tables.keys) {
            let sentence = format!(
                "the SigningTable names the key {:?}, which the KeyTable does not have: no mail \
                 of {:?} can be signed",
                entry.key_name, entry.pattern
            );
            let place = Place::line(&name(&table.authors), entry.line);
            let known = tables.keys.entries().iter().map(|entry| entry.name.as_str());
            let finding = Finding::new(Severity::Error, "signing-table-key", sentence).at(place);
            let advice = crate::toml_file::closest(&entry.key_name, known)
                .map(|known| format!("Did you mean {known:?}?"));
            self.findings.push(Finding { advice, ..finding });
        }
        for entry in tables.keys.entries() {
            let place = Place::line(&name(&table.keys), entry.line);
            match &entry.key {
                KeySource::Inline(key) => {
                    if let Err(error) = key.parse() {
                        let sentence = format!("the key {:?}: {error}", entry.name);
                        let finding = Finding::new(Severity::Error, "key-bad", sentence);
                        self.findings.push(finding.at(place));
                    }
                }
                KeySource::File(path) if !entry.depends_on_author() || !path.contains('%') => {
                    let path = Path::new(path);
                    if signing.private_keys.contains_key(path) {
                        continue;
                    }
                    let (safe, bits) = (sign.require_safe_keys, sign.minimum_key_bits);
                    if let Some(key) = self.private_key(path, Some(place), safe, bits) {
                        signing.private_keys.insert(path.to_owned(), key);
                    }
                }
                KeySource::File(_) => {}
            }
            let by_domain = used.contains("%");
            if !by_domain && !used.contains(entry.name.as_str()) {
                let sentence = format!("no line of the SigningTable uses the key {:?}", entry.name);
                let place = Place::line(&name(&table.keys), entry.line);
                self.findings.push(Finding::new(Severity::Note, "key-unused", sentence).at(place));
            }
        }
    }
}

impl Resolver<'_> {
    /// Finds lines by which mail is signed for a domain that its author has nothing to do with: a
    /// typing error, mostly.
    fn alignment(&mut self, signing: &Signing, table: &SignTable) {
        let Some(tables) = &signing.tables else { return };
        for entry in tables.authors.entries() {
            let author = entry.pattern.rsplit('@').next().unwrap_or_default();
            let author = author.trim_start_matches(['*', '.']);
            let key = tables.keys.key(&entry.key_name);
            let (Some(signer), Ok(author)) =
                (key.and_then(|key| key.domain.as_ref()), author.parse::<Name>())
            else {
                continue;
            };
            if author.label_count() >= 2 && !shares_two_labels(&author, signer) {
                let sentence = format!(
                    "mail of {author} is signed for {signer}, which does not count for DMARC of \
                     {author}"
                );
                let place = Place::line(&name(&table.authors), entry.line);
                let finding = Finding::new(Severity::Warning, "signer-not-aligned", sentence);
                self.say(finding.at(place).advice("Compare the domain in the KeyTable."));
            }
        }
    }
}

/// Whether two domains end alike, as those of one organization do.
fn shares_two_labels(a: &Name, b: &Name) -> bool {
    let last = |name: &Name| {
        let labels: Vec<Vec<u8>> = name.labels().map(<[u8]>::to_ascii_lowercase).collect();
        labels.into_iter().rev().take(2).collect::<Vec<_>>()
    };
    last(a) == last(b)
}

/// What the user knows a data set by.
fn name(set: &DataSet) -> String {
    match set.kind {
        DataSetKind::List => "csl".to_owned(),
        DataSetKind::File | DataSetKind::Refile => set.location.clone(),
    }
}

/// Tag h=: what is named, or what is signed without being named.
fn fields(sign: &Sign) -> FieldSelection {
    let default = FieldSelection::default();
    let Some(oversign) = sign.oversign.clone() else {
        return match sign.fields.clone() {
            Some(fields) => {
                let named = |name: &String| fields.iter().any(|f| f.eq_ignore_ascii_case(name));
                let oversign = default.oversign.into_iter().filter(named).collect();
                FieldSelection { sign: fields, oversign }
            }
            None => default,
        };
    };
    let all = || default.sign.iter().chain(&default.oversign).cloned().collect();
    FieldSelection { sign: sign.fields.clone().unwrap_or_else(all), oversign }
}
