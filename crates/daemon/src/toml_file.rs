//! `mailproofd.toml`: text to settings, with the place of everything that is set.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::finding::{Finding, Place, Severity};
use crate::settings::Settings;

/// Where a setting is made, by its path: `sign.internal-hosts`, `listener[0].socket`.
#[derive(Debug, Clone, Default)]
pub struct Origins(HashMap<String, Place>);

impl Origins {
    /// Where a setting is made.
    pub fn place(&self, path: &str) -> Option<Place> {
        self.0.get(path).cloned()
    }

    /// Whether a setting is made at all, and not left to its default.
    pub fn is_set(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub(crate) fn set(&mut self, path: impl Into<String>, place: Place) {
        self.0.insert(path.into(), place);
    }
}

/// Reads the text of the file of this name.
///
/// # Errors
/// What is wrong: a key that does not exist, with one that does; a value that is none.
pub fn parse(file: &str, text: &str) -> Result<(Settings, Origins), Box<Finding>> {
    let settings = toml::from_str(text).map_err(|error| Box::new(finding(file, text, &error)))?;
    let mut origins = Origins::default();
    if let Ok(table) = DeTable::parse(text) {
        gather(file, text, "", table.get_ref(), &mut origins);
    }
    Ok((settings, origins))
}

/// The places of a table's keys.
fn gather(file: &str, text: &str, prefix: &str, table: &DeTable<'_>, origins: &mut Origins) {
    for (key, value) in table {
        let path = match prefix {
            "" => key.get_ref().to_string(),
            _ => format!("{prefix}.{}", key.get_ref()),
        };
        gather_value(file, text, &path, value, origins);
    }
}

fn gather_value(
    file: &str,
    text: &str,
    path: &str,
    value: &Spanned<DeValue<'_>>,
    origins: &mut Origins,
) {
    origins.set(path, Place::of(file, text, value.span()));
    match value.get_ref() {
        DeValue::Table(table) => gather(file, text, path, table, origins),
        DeValue::Array(array) => {
            for (index, item) in array.iter().enumerate() {
                gather_value(file, text, &format!("{path}[{index}]"), item, origins);
            }
        }
        _ => {}
    }
}

fn finding(file: &str, text: &str, error: &toml::de::Error) -> Finding {
    let place = error.span().map(|span| Place::of(file, text, span));
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((unknown, known)) if message.starts_with("unknown field") => {
            let sentence = format!("there is no setting {unknown:?} here");
            let finding = Finding::new(Severity::Error, "unknown-setting", sentence).at(place);
            match closest(unknown, known.iter().copied()) {
                Some(known) => finding.advice(format!("Did you mean {known:?}?")),
                None => finding.advice(format!("There are: {}.", known.join(", "))),
            }
        }
        Some((unknown, known)) if message.starts_with("unknown variant") => {
            let sentence = format!("{unknown:?} is no value of this setting");
            let finding = Finding::new(Severity::Error, "unknown-value", sentence).at(place);
            match closest(unknown, known.iter().copied()) {
                Some(known) => finding.advice(format!("Did you mean {known:?}?")),
                None => finding.advice(format!("There are: {}.", known.join(", "))),
            }
        }
        _ => Finding::new(Severity::Error, "bad-value", message.replace('\n', "; ")).at(place),
    }
}

/// The known word that a mistyped one is closest to, if it is close.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, &known.to_lowercase());
    let most = word.chars().count() / 3 + 1;
    let near = known.into_iter().map(|known| (distance(known), known));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_has_a_place() {
        let text = "authserv-id = \"mx\"\n[[listener]]\nsocket = \"inet:1@h\"\n";
        let (settings, origins) = parse("f", text).unwrap();
        assert_eq!(settings.listeners.len(), 1);
        let place = origins.place("listener[0].socket").unwrap();
        assert_eq!((place.line, &place.text[place.span.clone()]), (3, "\"inet:1@h\""));
        assert!(origins.is_set("authserv-id") && !origins.is_set("user"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, sentence, advice, at) in [
            (
                "[verify]\nignore-host = []",
                "there is no setting \"ignore-host\" here",
                "Did you mean \"ignore-hosts\"?",
                (2, "ignore-host"),
            ),
            (
                "[log]\nto = \"sysloog\"",
                "\"sysloog\" is no value of this setting",
                "Did you mean \"syslog\"?",
                (2, "\"sysloog\""),
            ),
            (
                "[[listener]]\nsocket = \"inet:127.0.0.1:8891\"",
                "that is the spelling of Postfix; here it is inet:8891@127.0.0.1",
                "",
                (2, "\"inet:127.0.0.1:8891\""),
            ),
        ] {
            let finding = parse("f", text).unwrap_err();
            assert_eq!(finding.sentence, sentence);
            assert_eq!(finding.advice.as_deref().unwrap_or_default(), advice);
            let place = finding.place.unwrap();
            assert_eq!((place.line, &place.text[place.span.clone()]), at);
        }
        assert_eq!(closest("zzz", ["sign", "verify"]), None);
    }
}
