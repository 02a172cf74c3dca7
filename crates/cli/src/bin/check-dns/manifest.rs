//! `mailproof.toml`: what is expected of which domains.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use mailproof_cli::escape::visible;
use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dns::Name;
use mailproof_records::{Limits, Policy, Profile};

use crate::cli::FailOn;
use crate::document::{Document, Table, nearest};
use crate::found::Place;
use crate::select::{Pattern, Selection, Suppression};

/// The file that is read when it is there and no other is named.
pub(crate) const FILE_NAME: &str = "mailproof.toml";

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    /// What holds for every domain that says nothing else.
    pub(crate) common: Settings,
    /// The domains in the order of the file.
    pub(crate) domains: Vec<Domain>,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) fail_on: Option<FailOn>,
    pub(crate) baseline: Option<PathBuf>,
    pub(crate) lock: Option<PathBuf>,
    /// Lists of weak keys.
    pub(crate) weak_keys: Vec<PathBuf>,
}

/// A domain of the manifest.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) name: Name,
    pub(crate) place: Place,
    pub(crate) settings: Settings,
}

/// What is expected of a domain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) profile: Option<Profile>,
    pub(crate) selectors: Vec<Name>,
    /// Selectors with the files of their private keys.
    pub(crate) keys: Vec<(Name, PathBuf)>,
    /// Sample messages, for the selectors in their signatures.
    pub(crate) messages: Vec<PathBuf>,
    pub(crate) must_pass: Vec<Host>,
    pub(crate) must_not_pass: Vec<Host>,
    /// Names given with EHLO.
    pub(crate) helo: Vec<(IpAddr, Name)>,
    /// DMARC aggregate reports, for selectors and their use.
    pub(crate) reports: Vec<PathBuf>,
    /// Whether people write with addresses of the domain.
    pub(crate) people: Option<bool>,
    pub(crate) dmarc: Option<Policy>,
    pub(crate) limits: Thresholds,
    pub(crate) selection: Selection,
}

/// What SPF061 takes for too large, where it is not as always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Thresholds {
    ipv4_prefix: Option<u64>,
    ipv4_prefix_error: Option<u64>,
    ipv6_prefix: Option<u64>,
    ipv4_addresses: Option<u64>,
    ipv4_addresses_error: Option<u64>,
}

impl Thresholds {
    fn then(self, later: Thresholds) -> Thresholds {
        Thresholds {
            ipv4_prefix: later.ipv4_prefix.or(self.ipv4_prefix),
            ipv4_prefix_error: later.ipv4_prefix_error.or(self.ipv4_prefix_error),
            ipv6_prefix: later.ipv6_prefix.or(self.ipv6_prefix),
            ipv4_addresses: later.ipv4_addresses.or(self.ipv4_addresses),
            ipv4_addresses_error: later.ipv4_addresses_error.or(self.ipv4_addresses_error),
        }
    }

    /// The limits, with what is said otherwise.
    pub(crate) fn onto(self, limits: Limits) -> Limits {
        let prefix = |length: Option<u64>, usual| {
            length.and_then(|length| u8::try_from(length).ok()).unwrap_or(usual)
        };
        Limits {
            ipv4_prefix: prefix(self.ipv4_prefix, limits.ipv4_prefix),
            ipv4_prefix_error: prefix(self.ipv4_prefix_error, limits.ipv4_prefix_error),
            ipv6_prefix: prefix(self.ipv6_prefix, limits.ipv6_prefix),
            ipv4_addresses: self.ipv4_addresses.unwrap_or(limits.ipv4_addresses),
            ipv4_addresses_error: self.ipv4_addresses_error.unwrap_or(limits.ipv4_addresses_error),
            ..limits
        }
    }
}

/// A host that sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    Name(Name),
}

impl Host {
    pub(crate) fn parse(text: &str) -> Result<Host, String> {
        if let Ok(address) = text.parse() {
            return Ok(Host::Address(address));
        }
        if text.contains('/') {
            let text = visible(text.as_bytes());
            return Err(format!("{text} is a network: name the addresses that send"));
        }
        parse_name(text).map(Host::Name)
    }
}

pub(crate) fn parse_name(text: &str) -> Result<Name, String> {
    text.parse().map_err(|error| format!("{}: {error}", visible(text.as_bytes())))
}

/// The member of `all` with this keyword.
pub(crate) fn parse_keyword<T: Copy>(
    what: &str,
    all: &[(&'static str, T)],
    text: &str,
) -> Result<T, String> {
    if let Some((_, value)) = all.iter().find(|(keyword, _)| *keyword == text) {
        return Ok(*value);
    }
    let keywords: Vec<&str> = all.iter().map(|(keyword, _)| *keyword).collect();
    let text = visible(text.as_bytes()).to_string();
    Err(match nearest(&text, &keywords) {
        Some(near) => format!("{text} is no {what}; did you mean {near}?"),
        None => format!("{text} is no {what}: {}", keywords.join(", ")),
    })
}

pub(crate) const PROFILES: [(&str, Profile); 5] = [
    ("sender", Profile::Sender),
    ("bulk", Profile::Bulk),
    ("no-mail", Profile::NoMail),
    ("receiver", Profile::Receiver),
    ("strict", Profile::Strict),
];

pub(crate) const POLICIES: [(&str, Policy); 3] =
    [("none", Policy::None), ("quarantine", Policy::Quarantine), ("reject", Policy::Reject)];

impl Manifest {
    /// Reads the file; paths in it count from the folder it is in.
    pub(crate) fn read(path: &Path) -> Result<Manifest, Trouble> {
        let name = path.to_string_lossy();
        let text = fs::read(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
        let text =
            String::from_utf8(text).map_err(|_| Trouble::input(&*name, "not UTF-8, as TOML is"))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Manifest::parse(&name, &text, folder)
    }

    fn parse(name: &str, text: &str, folder: &Path) -> Result<Manifest, Trouble> {
        Document::read(name, text, |document, mut root| {
            let manifest = Manifest {
                common: settings(&mut root, folder),
                domains: domains(document, name, &mut root, folder),
                suppressions: suppressions(document, name, &mut root),
                fail_on: root
                    .parsed("fail-on", |text| parse_keyword("severity", &FailOn::KEYWORDS, text)),
                baseline: root.string("baseline").map(|path| folder.join(path.value)),
                lock: root.string("lock").map(|path| folder.join(path.value)),
                weak_keys: root.list("weak-keys", |path| Ok(folder.join(path))).unwrap_or_default(),
            };
            root.end();
            manifest
        })
    }

    /// What is expected of `domain`: what it says, and for the rest what holds for all.
    pub(crate) fn settings(&self, domain: &Name) -> Settings {
        match self.domains.iter().find(|listed| listed.name == *domain) {
            Some(listed) => self.common.then(&listed.settings),
            None => self.common.clone(),
        }
    }
}

impl Settings {
    /// These settings with later ones, which decide where they say something; lists add up.
    pub(crate) fn then(&self, later: &Settings) -> Settings {
        let mut settings = self.clone();
        settings.profile = later.profile.or(self.profile);
        settings.dmarc = later.dmarc.or(self.dmarc);
        settings.selectors.extend(later.selectors.iter().cloned());
        settings.keys.extend(later.keys.iter().cloned());
        settings.messages.extend(later.messages.iter().cloned());
        settings.must_pass.extend(later.must_pass.iter().cloned());
        settings.must_not_pass.extend(later.must_not_pass.iter().cloned());
        settings.helo.extend(later.helo.iter().cloned());
        settings.reports.extend(later.reports.iter().cloned());
        settings.people = later.people.or(self.people);
        settings.limits = self.limits.then(later.limits);
        settings.selection = self.selection.then(&later.selection);
        settings
    }
}

fn settings(table: &mut Table<'_>, folder: &Path) -> Settings {
    let keys = table.texts("keys");
    let keys = keys.into_iter().filter_map(|(selector, file)| {
        let selector = table.accept(&selector, parse_name)?;
        Some((selector, folder.join(file.value)))
    });
    let keys = keys.collect();
    let helo = table.texts("helo");
    let helo = helo.into_iter().filter_map(|(address, name)| {
        let address = table.accept(&address, |text| {
            text.parse::<IpAddr>()
                .map_err(|_| format!("{} is no address", visible(text.as_bytes())))
        })?;
        Some((address, table.accept(&name, parse_name)?))
    });
    let helo = helo.collect();
    let path = |text: &str| Ok(folder.join(text));
    Settings {
        profile: table.parsed("profile", |text| parse_keyword("profile", &PROFILES, text)),
        selectors: table.list("selectors", parse_name).unwrap_or_default(),
        keys,
        messages: table.list("messages", path).unwrap_or_default(),
        must_pass: table.list("must-pass", Host::parse).unwrap_or_default(),
        must_not_pass: table.list("must-not-pass", Host::parse).unwrap_or_default(),
        helo,
        reports: table.list("dmarc-reports", path).unwrap_or_default(),
        people: table.boolean("people"),
        limits: Thresholds {
            ipv4_prefix: table.number("spf-ipv4-prefix", 0..=32),
            ipv4_prefix_error: table.number("spf-ipv4-prefix-error", 0..=32),
            ipv6_prefix: table.number("spf-ipv6-prefix", 0..=128),
            ipv4_addresses: table.number("spf-ipv4-addresses", 0..=1 << 32),
            ipv4_addresses_error: table.number("spf-ipv4-addresses-error", 0..=1 << 32),
        },
        dmarc: table.parsed("dmarc", |text| parse_keyword("DMARC policy", &POLICIES, text)),
        selection: Selection {
            select: table.list("select", Pattern::parse).unwrap_or_default(),
            ignore: table.list("ignore", Pattern::parse).unwrap_or_default(),
        },
    }
}

fn domains(
    document: &Document<'_>,
    file: &str,
    root: &mut Table<'_>,
    folder: &Path,
) -> Vec<Domain> {
    let mut domains: Vec<Domain> = Vec::new();
    for (key, mut table) in root.tables("domains") {
        if !key.value.contains('.') {
            let advice = "a name with dots is quoted: [domains.\"example.com\"]";
            document.error(&key.span, "not a domain", Some(advice.into()));
            continue;
        }
        let (line, column) = document.place(key.span.start);
        let end = Some(document.place(key.span.end));
        let settings = settings(&mut table, folder);
        let name = table.accept(&key, parse_name);
        table.end();
        let Some(name) = name else { continue };
        if domains.iter().any(|domain| domain.name == name) {
            document.error(&key.span, format_args!("{name} has two tables"), None);
        }
        let place = Place { file: file.to_owned(), line, column, end };
        domains.push(Domain { name, place, settings });
    }
    domains
}

fn suppressions(document: &Document<'_>, file: &str, root: &mut Table<'_>) -> Vec<Suppression> {
    let mut suppressions = Vec::new();
    for (span, mut table) in root.array("suppress") {
        let (line, _) = document.place(span.start);
        let has_rule = table.has("rule");
        let rule = table.parsed("rule", Pattern::parse);
        let domain = table.parsed("domain", parse_name);
        let name = table.parsed("name", parse_name);
        let reason = table.string("reason").map(|reason| reason.value);
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        let expires = table.date("expires");
        table.end();
        for (is_missing, key) in [(!has_rule, "rule"), (reason.is_none(), "reason")] {
            if is_missing {
                let what = format_args!("the suppression has no `{key}`");
                document.error(&(span.start..span.start), what, None);
            }
        }
        let (Some(rule), Some(reason)) = (rule, reason) else { continue };
        let place = format!("{}:{line}", visible(file.as_bytes()));
        suppressions.push(Suppression { rule, domain, name, reason, expires, place });
    }
    suppressions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse("m.toml", text, Path::new("folder")).map_err(|error| error.to_string())
    }

    const WHOLE: &str = r#"
profile = "sender"
ignore = ["DNS006"]
fail-on = "warning"
baseline = "baseline.json"
lock = "mailproof.lock"
weak-keys = ["blacklist.RSA-1024", "/lists/blacklist.RSA-2048"]

[domains."example.com"]
profile = "bulk"
selectors = ["s1", "s2.sub"]
keys = { s1 = "keys/s1.private" }
messages = ["sample.eml"]
must-pass = ["192.0.2.1", "mail.example.com"]
must-not-pass = ["2001:db8::1"]
helo = { "192.0.2.1" = "mail.example.com" }
dmarc-reports = ["report.xml.gz"]
people = true
spf-ipv4-prefix = 12
dmarc = "reject"
select = ["SPF"]

[domains."example.net"]

[[suppress]]
rule = "SPF033"
domain = "example.com"
name = "_spf.example.com"
reason = "we forward"
expires = 2027-01-31
"#;

    #[test]
    fn the_whole_of_it() {
        let manifest = parse(WHOLE).unwrap();
        let example = &manifest.domains[0];
        assert_eq!((example.place.line, example.place.column), (9, 10));
        let settings = manifest.settings(&example.name);
        assert_eq!(settings.profile, Some(Profile::Bulk));
        assert_eq!(settings.dmarc, Some(Policy::Reject));
        assert_eq!(settings.keys[0].1, Path::new("folder/keys/s1.private"));
        assert_eq!((settings.must_pass.len(), settings.helo.len()), (2, 1));
        assert_eq!(settings.reports, [Path::new("folder/report.xml.gz")]);
        let limits = settings.limits.onto(Limits::default());
        assert_eq!((limits.ipv4_prefix, limits.ipv6_prefix), (12, 32));
        assert!(settings.selection.has("SPF010") && !settings.selection.has("DNS006"));
        let other = manifest.settings(&"example.net".parse().unwrap());
        assert_eq!((other.profile, other.selectors.len()), (Some(Profile::Sender), 0));
        assert_eq!(manifest.suppressions[0].expires.as_deref(), Some("2027-01-31"));
        assert_eq!(manifest.fail_on, Some(FailOn::Warning));
        let lists = ["folder/blacklist.RSA-1024", "/lists/blacklist.RSA-2048"];
        assert_eq!(manifest.weak_keys, lists.map(Path::new));
    }

    #[test]
    fn all_mistakes_at_once() {
        let error = parse(
            "profil = 'bulk'\nspf-ipv4-prefix = 33\npeople = 'yes'\n[domains.'example.com']\nprofile = 'bluk'\nmust-pass = ['192.0.2.0/24']\n\
             dmarc = 'rejct'\nselect = ['SPFX']\n[domains.'a..b']\n[domains.a.example]\n[[suppress]]\nrule = 'SPF033'\n",
        )
        .unwrap_err();
        for part in [
            "m.toml:1:1: unknown key `profil`",
            "did you mean `profile`?",
            "m.toml:2:19: `spf-ipv4-prefix` is a number from 0 to 32",
            "m.toml:3:10: `people` is true or false",
            "m.toml:5:11: bluk is no profile; did you mean bulk?",
            "192.0.2.0/24 is a network",
            "rejct is no DMARC policy; did you mean reject?",
            "no rule begins with SPFX",
            "m.toml:9:10: a..b: ",
            "m.toml:10:10: not a domain",
            "the suppression has no `reason`",
        ] {
            assert!(error.contains(part), "{part} is not in\n{error}");
        }
        let blank = parse("[[suppress]]\nrule = 'SPF033'\nreason = ' '\n").unwrap_err();
        assert!(blank.contains("the suppression has no `reason`"), "{blank}");
    }
}
