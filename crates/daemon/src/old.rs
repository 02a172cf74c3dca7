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
        let mut draft = Draft::default();
        let mut read = Vec::new();
        for path in paths {
            let file = path.display().to_string();
            let text = files.text(path);
            let text = text.map_err(|trouble| LoadError::File { file: file.clone(), trouble })?;
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
