//! Which domains are checked, and what is expected of each.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::{STDIN, reason};
use mailproof_cli::key_file::KeyFile;
use mailproof_cli::output::remark;
use mailproof_dkim::PrivateKey;
use mailproof_dns::Name;
use mailproof_records::{Selectors, WeakKeys};

use crate::cli::Check;
use crate::found::Place;
use crate::manifest::{Manifest, Settings, Thresholds, parse_name};
use crate::reports;
use crate::sample;
use crate::select::Selection;
use crate::weak_keys;
use crate::zones::Zones;

/// The longest line of a list of domains; a name has at most 253 octets.
const LINE: u64 = 4096;

/// One domain to check.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) domain: Name,
    /// Where it is named.
    pub(crate) named_at: Option<Place>,
    pub(crate) settings: Settings,
    /// Private keys with their selectors.
    pub(crate) keys: Vec<(Name, Arc<PrivateKey>)>,
    /// What aggregate reports say of the selectors.
    pub(crate) reports: Option<Selectors>,
    /// Lists of weak keys, the same for all domains.
    pub(crate) weak_keys: Option<Arc<WeakKeys>>,
}

/// What holds for the domains of a run.
pub(crate) struct Expectations<'a> {
    manifest: &'a Manifest,
    /// What the command line says, of every domain.
    common: Settings,
    /// Domains and selectors of the sample messages.
    samples: Vec<(Name, Name)>,
    weak_keys: Option<Arc<WeakKeys>>,
}

impl<'a> Expectations<'a> {
    pub(crate) fn new(check: &Check, manifest: &'a Manifest) -> Result<Expectations<'a>, Trouble> {
        let expect = &check.expect;
        let mut samples = Vec::new();
        for path in &expect.message {
            samples.extend(sample::signatures(path)?);
        }
        let selection =
            Selection { select: check.rules.select.clone(), ignore: check.rules.ignore.clone() };
        let common = Settings {
            profile: expect.profile,
            selectors: expect.selector.clone(),
            keys: expect.key.clone(),
            messages: Vec::new(),
            must_pass: expect.must_pass.clone(),
            must_not_pass: expect.must_not_pass.clone(),
            helo: expect.helo.clone(),
            reports: expect.dmarc_report.clone(),
            people: None,
            dmarc: expect.dmarc,
            limits: Thresholds::default(),
            selection,
        };
        let weak_keys = weak_keys::read(manifest.weak_keys.iter().chain(&check.rules.weak_keys))?;
        Ok(Expectations { manifest, common, samples, weak_keys })
    }

    /// The job for a domain, its files read.
    fn job(&self, domain: Name, named_at: Option<Place>, zones: &Zones) -> Result<Job, Trouble> {
        let mut settings = self.manifest.settings(&domain).then(&self.common);
        for selector in zones.selectors(&domain) {
            if !settings.selectors.contains(&selector) {
                settings.selectors.push(selector);
            }
        }
        let mut samples = self.samples.clone();
        for path in &settings.messages {
            samples.extend(sample::signatures(path)?);
        }
        for (signer, selector) in samples {
            if signer == domain && !settings.selectors.contains(&selector) {
                settings.selectors.push(selector);
            }
        }
        let reports = reports::selectors(&settings.reports, &domain)?;
        let mut keys = Vec::new();
        for (selector, path) in &settings.keys {
            let KeyFile { key, warning } = KeyFile::read(path)?;
            if let Some(warning) = warning {
                remark("warning", warning);
            }
            keys.push((selector.clone(), Arc::new(key)));
            if !settings.selectors.contains(selector) {
                settings.selectors.push(selector.clone());
            }
        }
        let weak_keys = self.weak_keys.clone();
        Ok(Job { domain, named_at, settings, keys, reports, weak_keys })
    }
}

/// The jobs of a run, one after the other; an `Err` is a line of the list that is no domain.
pub(crate) fn jobs<'a>(
    check: &'a Check,
    expectations: &'a Expectations<'a>,
    zones: &'a Zones,
) -> Result<Box<dyn Iterator<Item = Result<Job, Trouble>> + 'a>, Trouble> {
    let listed = |domain: &Name| {
        let listed = expectations.manifest.domains.iter().find(|listed| listed.name == *domain);
        listed.map(|listed| listed.place.clone())
    };
    let mut names: Vec<(Name, Option<Place>)> =
        check.domains.iter().map(|domain| (domain.clone(), listed(domain))).collect();
    let lines = match &check.list {
        Some(path) => Some(Lines::open(path)?),
        None => None,
    };
    if names.is_empty() && lines.is_none() {
        names = unnamed(expectations, zones);
    }
    if names.is_empty() && lines.is_none() {
        return Err(Trouble::Usage(
            "no domain to check: name one, or write a manifest with check-dns init example.com"
                .into(),
        ));
    }
    let names = names.into_iter().map(Ok).chain(lines.into_iter().flatten());
    Ok(Box::new(names.map(|named| {
        let (domain, named_at) = named?;
        expectations.job(domain, named_at, zones)
    })))
}

/// The domains when nobody names one: those of the sample messages, else of the zone files, else
/// of the manifest.
fn unnamed(expectations: &Expectations<'_>, zones: &Zones) -> Vec<(Name, Option<Place>)> {
    let mut names: Vec<(Name, Option<Place>)> = Vec::new();
    for (domain, _) in &expectations.samples {
        if !names.iter().any(|(name, _)| name == domain) {
            names.push((domain.clone(), None));
        }
    }
    if names.is_empty() {
        let is_mail = |name: &&Name| {
            let first = name.labels().next().unwrap_or_default();
            let last = name.labels().last().unwrap_or_default();
            !first.starts_with(b"_") && !last.eq_ignore_ascii_case(b"arpa")
        };
        names = zones.domains().iter().filter(is_mail).map(|name| (name.clone(), None)).collect();
    }
    if names.is_empty() {
        let domains = expectations.manifest.domains.iter();
        names = domains.map(|listed| (listed.name.clone(), Some(listed.place.clone()))).collect();
    }
    names
}

/// The domains of a list, one a line; empty lines and what follows a # are passed over.
struct Lines {
    path: PathBuf,
    number: usize,
    reader: Box<dyn BufRead>,
    /// Whether the file could not be read on.
    is_over: bool,
}

impl Lines {
    fn open(path: &Path) -> Result<Lines, Trouble> {
        let reader: Box<dyn BufRead> = if path.as_os_str() == STDIN {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(path)
                .map_err(|error| Trouble::input(path.to_string_lossy(), reason(&error)))?;
            Box::new(BufReader::new(file))
        };
        Ok(Lines { path: path.to_owned(), number: 0, reader, is_over: false })
    }

    fn trouble(&self, reason: impl ToString) -> Trouble {
        Trouble::input(format!("{}:{}", self.path.display(), self.number), reason)
    }

    fn line(&mut self) -> Result<Option<String>, Trouble> {
        let mut line = Vec::new();
        self.number += 1;
        if self.is_over {
            return Ok(None);
        }
        match (&mut self.reader).take(LINE).read_until(b'\n', &mut line) {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) => {
                self.is_over = true;
                return Err(self.trouble(reason(&error)));
            }
        }
        if u64::try_from(line.len()).is_ok_and(|length| length >= LINE) {
            return Err(self.trouble("too long for a domain"));
        }
        match String::from_utf8(line) {
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(self.trouble("not UTF-8")),
        }
    }
}

impl Iterator for Lines {
    type Item = Result<(Name, Option<Place>), Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.line() {
                Ok(line) => line?,
                Err(trouble) => return Some(Err(trouble)),
            };
            let text = line.split('#').next().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let file = self.path.to_string_lossy().into_owned();
            let place = Place { file, line: self.number, column: 1, end: None };
            return Some(match parse_name(text) {
                Ok(name) => Ok((name, Some(place))),
                Err(reason) => Err(self.trouble(reason)),
            });
        }
    }
}
