//! main.cf: names and values.

use std::collections::HashMap;

use crate::config::place_of;
use crate::finding::Place;

/// How deep values may name other values.
const DEEPEST: usize = 8;
/// How long a value may become.
const LONGEST: usize = 64 * 1024;

/// The parameters of a main.cf.
#[derive(Debug, Clone, Default)]
pub struct MainCf {
    file: String,
    parameters: HashMap<String, Parameter>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its value, of one line or several.
    pub value: String,
    /// Where it stands.
    pub place: Place,
}

impl MainCf {
    /// Reads the text of the file of this name (postconf(5)). What is no parameter is passed over.
    pub fn parse(file: &str, text: &str) -> MainCf {
        let mut main = MainCf { file: file.to_owned(), parameters: HashMap::new() };
        let mut open: Option<String> = None;
        for line in text.lines() {
            if line.trim_start().starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if line.starts_with([' ', '\t']) {
                // postconf(5): "A line that starts with whitespace continues a logical line."
                if let Some(parameter) =
                    open.as_ref().and_then(|name| main.parameters.get_mut(name))
                {
                    parameter.value = format!("{} {}", parameter.value, line.trim());
                }
                continue;
            }
            let Some((name, value)) = line.split_once('=') else { continue };
            let place = place_of(file, text, line.trim_end());
            let name = name.trim().to_owned();
            let parameter = Parameter { value: value.trim().to_owned(), place };
            main.parameters.insert(name.clone(), parameter);
            open = Some(name);
        }
        main
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<Parameter> {
        self.parameters.get(name).cloned()
    }

    /// Its value, with those that it names.
    pub fn value(&self, name: &str) -> Option<String> {
        Some(self.expand(&self.parameters.get(name)?.value))
    }

    /// All parameters, by the order of their lines.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all: Vec<Parameter> = self.parameters.values().cloned().collect();
        all.sort_by_key(|parameter| parameter.place.line);
        all
    }

    /// The file as a place, for what is missing in it.
    pub fn whole(&self) -> Place {
        Place::line(&self.file, 1)
    }

    /// A value, with the values of the parameters that it names: `$name`, `${name}`, `$(name)`.
    pub fn expand(&self, value: &str) -> String {
        let mut value = value.to_owned();
        for _ in 0..DEEPEST {
            let next = self.expand_once(&value);
            if next == value || next.len() > LONGEST {
                break;
            }
            value = next;
        }
        value
    }

    fn expand_once(&self, value: &str) -> String {
        let mut parts = value.split('$');
        let mut expanded = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let bare = part.trim_start_matches(['{', '(']);
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name = bare.split(|c| !is_name(c)).next().unwrap_or_default();
            let rest = bare.get(name.len()..).unwrap_or_default();
            match self.parameters.get(name) {
                Some(parameter) => {
                    expanded.push_str(&parameter.value);
                    let closed = rest.strip_prefix(['}', ')']).filter(|_| bare.len() < part.len());
                    expanded.push_str(closed.unwrap_or(rest));
                }
                None => {
                    expanded.push('$');
                    expanded.push_str(part);
                }
            }
        }
        expanded
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_and_their_lines() {
        let text = "# c\nsmtpd_milters = unix:a,\n  # inside\n  unix:b\nnon_smtpd_milters=$smtpd_milters\nx = ${y}z\ny = 1\nloop = $loop$loop\n";
        let main = MainCf::parse("main.cf", text);
        assert_eq!(main.value("non_smtpd_milters").as_deref(), Some("unix:a, unix:b"));
        assert_eq!(main.value("x").as_deref(), Some("1z"));
        assert_eq!(main.get("x").unwrap().place.line, 6);
        assert!(main.value("loop").unwrap().len() <= LONGEST);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[ab${}()= \n#]{0,40}") {
            let main = MainCf::parse("f", &text);
            main.value("a");
        }
    }
}
