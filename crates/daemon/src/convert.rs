//! Settings to the text of our own file.

use toml::{Table, Value};

use crate::finding::Finding;
use crate::settings::Settings;

/// The text of `mailproofd.toml` for these settings: what differs from the defaults. What should be
/// known about them stands in front, as comments.
///
/// # Errors
/// A value that TOML cannot write; there is none.
pub fn to_toml(settings: &Settings, findings: &[Finding]) -> Result<String, toml::ser::Error> {
    let mut table = Table::try_from(settings)?;
    without(&mut table, &Table::try_from(Settings::default())?);
    let mut text = String::from(
        "# Made by mailproofd convert. What is not here has its default, which the sample\n\
         # mailproofd.toml explains.\n",
    );
    for finding in findings {
        let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
        let sentence = format!("{}: {place}{}", finding.severity, finding.sentence);
        let comment: String =
            sentence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        text.push_str(&format!("# {comment}\n"));
    }
    text.push('\n');
    text.push_str(&toml::to_string(&table)?);
    Ok(text)
}

/// Removes from a table what is as in another.
fn without(table: &mut Table, defaults: &Table) {
    table.retain(|key, value| match (value, defaults.get(key)) {
        (Value::Table(inner), Some(Value::Table(default))) => {
            without(inner, default);
            !inner.is_empty()
        }
        (value, default) => Some(&*value) != default,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_not_written() {
        let text = to_toml(&Settings::default(), &[]).unwrap();
        assert!(text.lines().all(|line| line.starts_with('#') || line.is_empty()), "{text}");
    }
}
