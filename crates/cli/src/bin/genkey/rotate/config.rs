//! The key in the configuration of a signer: that of mailproofd, or opendkim.conf.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dns::Name;
use serde::Deserialize;
use toml::Spanned;

use super::files;

/// A key for a domain, and where the text has its selector and its file.
#[derive(Debug)]
pub(super) struct Configured {
    pub(super) selector: Name,
    pub(super) file: PathBuf,
    selector_span: Range<usize>,
    file_span: Range<usize>,
}

/// As much of mailproofd.toml as is needed.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    sign: Sign,
}

#[derive(Default, Deserialize)]
struct Sign {
    #[serde(default)]
    key: Vec<SignKey>,
}

#[derive(Deserialize)]
struct SignKey {
    domains: Vec<String>,
    selector: Spanned<String>,
    file: Spanned<PathBuf>,
}

/// The keys that the configuration has for a domain.
pub(super) fn keys(path: &Path, domain: &Name) -> Result<Vec<Configured>, Trouble> {
    parse(path, &read(path)?, domain)
        .map_err(|reason| Trouble::input(path.to_string_lossy(), reason))
}

/// Puts another selector and key file in the place of a key; the rest of the text stays.
pub(super) fn change(
    path: &Path,
    domain: &Name,
    old: &Name,
    selector: &Name,
    file: &Path,
) -> Result<bool, Trouble> {
    let text = read(path)?;
    let keys = parse(path, &text, domain)
        .map_err(|reason| Trouble::input(path.to_string_lossy(), reason))?;
    let Some(key) = keys.into_iter().find(|key| key.selector == *old) else { return Ok(false) };
    let quote = |text: String| match is_toml(path) {
        true => toml::Value::String(text).to_string(),
        false => text,
    };
    let mut places = [
        (key.selector_span, quote(selector.to_string())),
        (key.file_span, quote(file.to_string_lossy().into_owned())),
    ];
    places.sort_by_key(|(span, _)| span.start);
    let (mut changed, mut from) = (String::new(), 0);
    for (span, new) in places {
        changed += text.get(from..span.start).unwrap_or_default();
        changed += &new;
        from = span.end;
    }
    changed += text.get(from..).unwrap_or_default();
    files::replace(path, &changed)?;
    Ok(true)
}

fn read(path: &Path) -> Result<String, Trouble> {
    fs::read_to_string(path).map_err(|error| Trouble::input(path.to_string_lossy(), reason(&error)))
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml")
}

fn parse(path: &Path, text: &str, domain: &Name) -> Result<Vec<Configured>, String> {
    if is_toml(path) { mailproofd(text, domain) } else { opendkim(text, domain) }
}

fn mailproofd(text: &str, domain: &Name) -> Result<Vec<Configured>, String> {
    let document: Document = toml::from_str(text).map_err(|error| error.to_string())?;
    let is_for = |key: &SignKey| key.domains.iter().any(|item| item.parse().as_ref() == Ok(domain));
    let keys = document.sign.key.into_iter().filter(is_for);
    keys.map(|key| {
        Ok(Configured {
            selector: selector(key.selector.get_ref())?,
            selector_span: key.selector.span(),
            file_span: key.file.span(),
            file: key.file.into_inner(),
        })
    })
    .collect()
}

/// opendkim.conf(5): a name and a value on each line; of several lines of one name the last counts.
fn opendkim(text: &str, domain: &Name) -> Result<Vec<Configured>, String> {
    let (mut domains, mut chosen, mut file) = ("", None, None);
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some((name, value)) = line.split_once([' ', '\t']) else { continue };
        let value = value.trim();
        let span = span(text, value);
        match name.to_ascii_lowercase().as_str() {
            "domain" => domains = value,
            "selector" => chosen = Some((value, span)),
            "keyfile" => file = Some((value, span)),
            "keytable" => {
                return Err("it has a KeyTable: name that with --key-table".to_owned());
            }
            _ => {}
        }
    }
    let is_for = domains.split(',').any(|item| item.trim().parse().as_ref() == Ok(domain));
    match (chosen, file) {
        (Some((chosen, selector_span)), Some((file, file_span))) if is_for => {
            let (selector, file) = (selector(chosen)?, file.into());
            Ok(vec![Configured { selector, file, selector_span, file_span }])
        }
        _ => Ok(Vec::new()),
    }
}

/// Where `part`, a piece of `text`, stands in it.
fn span(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr()).min(text.len());
    start..start.saturating_add(part.len()).min(text.len())
}

fn selector(text: &str) -> Result<Name, String> {
    text.parse().map_err(|_| format!("{text:?} is no selector"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(name: &str, text: &str) -> String {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        let name = |text: &str| text.parse().unwrap();
        let (domain, old, new) = (name("example.com"), name("2025"), name("2026"));
        assert_eq!(keys(&path, &domain).unwrap().len(), 1);
        assert!(change(&path, &domain, &old, &new, Path::new("/k/2026.private")).unwrap());
        assert!(!change(&path, &domain, &old, &new, Path::new("/k/2026.private")).unwrap());
        fs::read_to_string(&path).unwrap()
    }

    #[test]
    fn mailproofd_toml() {
        let text = "[sign]\nauthenticated = true # always\n\n[[sign.key]]\ndomains = [\"example.com\"]\n\
                    file = '/k/2025.private' # of last year\nselector = \"2025\"\n\n[[sign.key]]\n\
                    domains = [\"example.org\"]\nselector = \"2025\"\nfile = \"/k/2025.private\"\n";
        let expected = text.replacen("'/k/2025.private'", "\"/k/2026.private\"", 1).replacen(
            "selector = \"2025\"",
            "selector = \"2026\"",
            1,
        );
        assert_eq!(changed("mailproofd.toml", text), expected);
    }

    #[test]
    fn opendkim_conf() {
        let text = "Mode sv\n#Selector old\nDomain  example.com, example.org\nselector\t2025 # now\n\
                    KeyFile /k/2025.private\nSocket inet:8891@localhost\n";
        assert_eq!(changed("opendkim.conf", text), text.replace("2025", "2026"));
        let domain = "example.com".parse().unwrap();
        assert!(
            opendkim("#Domain example.com\nSelector s\nKeyFile /k\n", &domain).unwrap().is_empty()
        );
        assert!(opendkim("KeyTable /etc/KeyTable\n", &domain).is_err());
    }
}
