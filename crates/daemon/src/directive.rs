//! Every directive of the older daemons: whether it counts here, and why not where it does not.

mod opendkim;
mod opendmarc;
mod policyd_spf;

use serde::Serialize;

/// What becomes of a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// It does here what it does there.
    Honoured,
    /// What it is for is done in another way.
    Equivalent,
    /// It is passed over, and nothing is lost.
    Harmless,
    /// What it is for is not done: the daemon does not start with it.
    Unsupported,
}

impl Class {
    /// The word for it.
    pub fn keyword(self) -> &'static str {
        match self {
            Class::Honoured => "honoured",
            Class::Equivalent => "equivalent",
            Class::Harmless => "harmless",
            Class::Unsupported => "unsupported",
        }
    }
}

/// How the value of a directive is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first octet tells: tTyY1 or fFnN0.
    Boolean,
    /// As C reads it, in base 8, 10 or 16.
    Integer,
    /// Anything.
    Text,
}

/// A directive that an older daemon knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directive {
    /// Its name.
    pub name: &'static str,
    pub(crate) kind: Kind,
    /// What becomes of it.
    pub class: Class,
    /// That, in a sentence.
    pub sentence: &'static str,
}

/// A file format of an older daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `opendkim.conf`.
    Opendkim,
    /// `opendmarc.conf`.
    Opendmarc,
    /// `policyd-spf.conf`.
    PolicydSpf,
}

impl Format {
    /// The directives of its daemon.
    pub fn directives(self) -> impl Iterator<Item = Directive> {
        let table = match self {
            Format::Opendkim => opendkim::DIRECTIVES,
            Format::Opendmarc => opendmarc::DIRECTIVES,
            Format::PolicydSpf => policyd_spf::DIRECTIVES,
        };
        table.iter().map(|&(name, kind, class, sentence)| Directive { name, kind, class, sentence })
    }

    /// The directive of this name.
    pub fn directive(self, name: &str) -> Option<Directive> {
        self.directives().find(|directive| match self {
            Format::PolicydSpf => directive.name == name,
            _ => directive.name.eq_ignore_ascii_case(name),
        })
    }

    /// The file as people call it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Opendkim => "opendkim.conf",
            Format::Opendmarc => "opendmarc.conf",
            Format::PolicydSpf => "policyd-spf.conf",
        }
    }
}

type Row = (&'static str, Kind, Class, &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directive_stands_once_and_has_a_sentence() {
        for format in [Format::Opendkim, Format::Opendmarc, Format::PolicydSpf] {
            let names: Vec<String> =
                format.directives().map(|directive| directive.name.to_lowercase()).collect();
            let unique: std::collections::HashSet<&String> = names.iter().collect();
            assert_eq!(unique.len(), names.len(), "{}", format.name());
            for directive in format.directives() {
                assert!(directive.sentence.ends_with('.'), "{}", directive.name);
                assert_eq!(format.directive(directive.name), Some(directive));
            }
        }
        assert_eq!(Format::PolicydSpf.directive("helo_reject"), None);
        assert!(Format::Opendkim.directive("keytable").is_some());
    }
}
