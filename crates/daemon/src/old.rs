//! The files of the older daemons, read into settings.

mod lines;
mod opendkim;
mod opendmarc;
mod policyd_spf;

use std::path::Path;

use serde::Serialize;

pub(crate) use lines::Reader;

use crate::directive::{Class, Format};
use crate::files::{FileTrouble, Files};
use crate::finding::{Finding, Place};
use crate::settings::Settings;
use crate::toml_file::Origins;

/// A directive of a file, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Where it stands.
    pub place: Place,
    /// Its name, as it is written.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What becomes of it.
    pub class: Class,
    /// That, in a sentence.
    pub sentence: String,
}

/// What files say, with what becomes of each line.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The settings.
    pub settings: Settings,
    /// Where they are made.
    pub origins: Origins,
    /// The directives of older daemons, in their order.
    pub directives: Vec<Directive>,
    /// What is odd about them.
    pub findings: Vec<Finding>,
    pub(crate) formats: Vec<Format>,
}

/// What kind of file a configuration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FileKind {
    /// Ours.
    Toml,
    /// That of an older daemon.
    Old(Format),
}

/// Why files are no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{file}: {trouble}")]
    File {
        /// The file.
        file: String,
        /// Why.
        trouble: FileTrouble,
    },
    /// A file has no directive that any daemon knows.
    #[error(
        "{0}: not a configuration of mailproofd, OpenDKIM, OpenDMARC or policyd-spf; tables and \
         lists are read through the file that names them"
    )]
    Unknown(String),
    /// Our own file beside others.
    #[error("{0}: a file of mailproofd says everything; give it alone, or the older files")]
    Mixed(String),
}

impl Draft {
    /// Reads files: one of ours, or those of the older daemons.
    ///
    /// # Errors
    /// A file cannot be read or is of no known kind. What is wrong inside of one is a finding.
    pub fn load(paths: &[&Path], files: &Files) -> Result<Draft, LoadError> {
        let read = |path: &&Path| {
            let file = path.display().to_string();
            match files.text(path) {
                Ok(text) => Ok((file, text)),
                Err(trouble) => Err(LoadError::File { file, trouble }),
            }
        };
        Draft::of(paths.iter().map(read).collect::<Result<_, _>>()?, files)
    }

    /// As [`Draft::load`], of texts with the names of their files; what they include is read from
    /// `files`.
    ///
    /// # Errors
    /// One is of no known kind, or they do not go together.
    pub fn of(texts: Vec<(String, String)>, files: &Files) -> Result<Draft, LoadError> {
        let mut draft = Draft::default();
        let mut read = Vec::with_capacity(texts.len());
        for (file, text) in texts {
            let kind = kind(&file, &text).ok_or_else(|| LoadError::Unknown(file.clone()))?;
            read.push((kind, file, text));
        }
        if let Some((_, file, _)) = read.iter().find(|(kind, ..)| *kind == FileKind::Toml)
            && read.len() > 1
        {
            return Err(LoadError::Mixed(file.clone()));
        }
        // OpenDKIM is the first that a message comes to.
        read.sort_by_key(|(kind, ..)| match kind {
            FileKind::Toml | FileKind::Old(Format::Opendkim) => 0,
            FileKind::Old(Format::Opendmarc) => 1,
            FileKind::Old(Format::PolicydSpf) => 2,
        });
        for (kind, file, text) in &read {
            match kind {
                FileKind::Toml => draft.toml(file, text),
                FileKind::Old(format) => draft.old(*format, file, text, files),
            }
        }
        Ok(draft)
    }

    fn toml(&mut self, file: &str, text: &str) {
        match crate::toml_file::parse(file, text) {
            Ok((settings, origins)) => (self.settings, self.origins) = (settings, origins),
            Err(finding) => self.findings.push(*finding),
        }
    }

    fn old(&mut self, format: Format, file: &str, text: &str, files: &Files) {
        self.formats.push(format);
        let mut reader = Reader::new(format, file);
        reader.read(file, text, files, 0);
        match format {
            Format::Opendkim => opendkim::apply(&mut reader, self),
            Format::Opendmarc => opendmarc::apply(&mut reader, self),
            Format::PolicydSpf => policyd_spf::apply(&mut reader, self),
        }
        self.directives.append(&mut reader.directives);
        self.findings.append(&mut reader.findings);
    }
}

/// What kind a file is of: by its name, or by what it says.
fn kind(file: &str, text: &str) -> Option<FileKind> {
    let name = file.rsplit('/').next().unwrap_or(file);
    if name.ends_with(".toml") {
        return Some(FileKind::Toml);
    }
    let by_name = [
        ("opendkim", Format::Opendkim),
        ("opendmarc", Format::Opendmarc),
        ("policyd", Format::PolicydSpf),
    ];
    if name.ends_with(".conf")
        && let Some((_, format)) = by_name.iter().find(|(word, _)| name.contains(word))
    {
        return Some(FileKind::Old(*format));
    }
    let known = |format: Format| {
        let names = text.lines().filter_map(|line| lines::split(format, line));
        names.filter(|(name, _)| format.directive(name).is_some()).count()
    };
    let formats = [Format::Opendkim, Format::Opendmarc, Format::PolicydSpf];
    let best = formats.into_iter().max_by_key(|format| known(*format))?;
    (known(best) > 0).then_some(FileKind::Old(best))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A directive that is said to be honoured is read.
    #[test]
    fn what_is_honoured_is_read() {
        let common = concat!(include_str!("old/opendkim.rs"), "\"include\"");
        let opendmarc = concat!(include_str!("old/opendmarc.rs"), include_str!("old/opendkim.rs"));
        for (format, source) in [
            (Format::Opendkim, common),
            (Format::Opendmarc, opendmarc),
            (Format::PolicydSpf, include_str!("old/policyd_spf.rs")),
        ] {
            for directive in format.directives().filter(|known| known.class == Class::Honoured) {
                let name = format!("\"{}\"", directive.name.to_lowercase());
                let is_read = source.contains(&name) || directive.name == "Include";
                assert!(is_read, "{}: {}", format.name(), directive.name);
            }
        }
    }

    fn load(format: Format, text: &str) -> Draft {
        let mut draft = Draft::default();
        draft.old(format, "f", text, &Files::new());
        draft
    }

    fn rules(draft: &Draft) -> Vec<&'static str> {
        draft.findings.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn lines_at_fault() {
        for (line, rule) in [
            ("Mod sv", "unknown-directive"),
            ("Mode x", "bad-value"),
            ("Mode", "no-value"),
            ("SubDomains maybe", "bad-value"),
            ("Canonicalization relax", "bad-value"),
            ("Include /does/not/exist", "include"),
            ("KeyTable /k", "table-alone"),
            ("SigningTable refile:/k", "table-alone"),
            ("InternalHosts dsn:mysql://x", "unsupported"),
            ("BodyLengthDB refile:/x", "unsupported"),
            ("Domain example.com", "selector-missing"),
            ("On-DNSError reject", "temporary-reject"),
            ("Socket inet:127.0.0.1:1", "bad-value"),
            ("SignHeaders *,-From", "bad-value"),
        ] {
            let text = format!("Socket inet:1@localhost\nUserID a\nUserID a\n{line}\n");
            let draft = load(Format::Opendkim, &text);
            assert!(rules(&draft).contains(&rule), "{line}: {:?}", draft.findings);
            assert!(rules(&draft).contains(&"directive-twice"));
        }
        let draft = load(Format::PolicydSpf, "helo_reject = Fail\nMock = False\n");
        assert_eq!(rules(&draft), ["unknown-directive", "policy-socket", "spf-mock"]);
    }

    #[test]
    fn what_is_not_supported_may_be_off() {
        let draft = load(Format::Opendkim, "Socket inet:1@h\nSendReports no\nSenderHeaders From\n");
        assert!(draft.findings.is_empty(), "{:?}", draft.findings);
        assert!(draft.directives.iter().skip(1).all(|known| known.class == Class::Harmless));
    }

    #[test]
    fn opendmarc_decides_as_before() {
        use crate::settings::{Action, TemporaryAction};
        let text = "Socket inet:1@h\nHoldQuarantinedMessages yes\n";
        let draft = load(Format::Opendmarc, text);
        assert!(rules(&draft).contains(&"hold-without-reject"));
        assert_eq!(draft.settings.policy.dmarc.quarantine, Action::Accept);
        let draft = load(Format::Opendmarc, &format!("{text}RejectFailures yes\n"));
        let dmarc = draft.settings.policy.dmarc;
        assert_eq!((dmarc.reject, dmarc.quarantine), (Action::Reject, Action::Quarantine));
        assert_eq!(dmarc.temporary, TemporaryAction::Tempfail);
        assert!(!draft.settings.verify.ignore_authenticated);
    }

    #[test]
    fn fields_by_what_is_added_and_left_out() {
        let draft = load(
            Format::Opendkim,
            "Socket inet:1@h\nSignHeaders *,+X-A,-List-Id\nOmitHeaders Subject\nUMask 007\n",
        );
        let fields = draft.settings.sign.fields.unwrap();
        let has = |name: &str| fields.iter().any(|field| field == name);
        assert!(has("From") && has("X-A") && has("To") && !has("List-Id") && !has("Subject"));
        assert_eq!(draft.settings.listeners[0].mode.0, 0o770);
    }

    fn line(format: Format) -> impl Strategy<Value = String> {
        let names: Vec<&str> = format.directives().map(|known| known.name).collect();
        let values = [
            "yes",
            "no",
            "0",
            "1",
            "077",
            "sv",
            "relaxed/simple",
            "reject",
            "t",
            "example.com",
            "a.example,*",
            "refile:/etc/x",
            "file:/x",
            "csl:a=b",
            "local:/run/s",
            "inet:1@[::1]",
            "inet:8891@localhost",
            "u:g",
            "mx.example",
            "HOSTNAME",
            "192.0.2.0/24,!192.0.2.1",
            "192.0.2.53",
            "*,+A,-B",
            "/refile:/x",
            "Softfail",
            "AR",
            "no %s",
            "{a}=b|c",
            "/p",
            "\"",
        ];
        let separator = if format == Format::PolicydSpf { " = " } else { " " };
        (prop::sample::select(names), prop::sample::select(values.to_vec()))
            .prop_map(move |(name, value)| format!("{name}{separator}{value}\n"))
    }

    fn file() -> impl Strategy<Value = (Format, String)> {
        prop::sample::select(vec![Format::Opendkim, Format::Opendmarc, Format::PolicydSpf])
            .prop_flat_map(|format| {
                let lines = prop::collection::vec(line(format), 0..12);
                lines.prop_map(move |lines| (format, lines.concat()))
            })
    }

    proptest! {
        #[test]
        fn what_is_converted_says_the_same((format, text) in file()) {
            let draft = load(format, &text);
            let toml = crate::to_toml(&draft.settings, &draft.findings).unwrap();
            let (again, _) = crate::toml_file::parse("f", &toml).map_err(|finding| {
                TestCaseError::fail(format!("{finding:?}\n{toml}"))
            })?;
            prop_assert_eq!(again, draft.settings);
        }

        #[test]
        fn no_text_panics(text in "(Mode|Socket|Domain|UMask|x|#| |\t|=|,|:|/|é|\n|[a-z0-9]){0,60}") {
            for format in [Format::Opendkim, Format::Opendmarc, Format::PolicydSpf] {
                load(format, &text);
            }
            kind("x", &text);
            let _ = crate::toml_file::parse("f", &text);
        }
    }
}
