//! Settings to configuration: reads what they point at, and says what is odd.

use std::path::Path;

use ipnet::IpNet;
use mailproof_keygen::{DataSet, DataSetKind};

use super::{Config, SealingKey};
use crate::domains::DomainList;
use crate::files::Files;
use crate::finding::{Finding, Place, Severity};
use crate::hosts::{HostList, HostProblem, Origin};
use crate::settings::{AuthservId, Role, Seal, Settings};
use crate::toml_file::Origins;
use crate::value::{Endpoint, Item};

impl Config {
    /// Reads what the settings point at. The configuration is usable if no finding is an error.
    pub fn resolve(settings: Settings, origins: &Origins, files: &Files) -> (Config, Vec<Finding>) {
        let mut resolver = Resolver { origins, files, findings: Vec::new() };
        let config = resolver.config(settings);
        (config, resolver.findings)
    }
}

pub(super) struct Resolver<'a> {
    pub(super) origins: &'a Origins,
    pub(super) files: &'a Files,
    pub(super) findings: Vec<Finding>,
}

/// The setting whose file may be missing.
const IGNORE_HOSTS: &str = "verify.ignore-hosts";

/// The setting in which `*` is every domain.
const SIGNING_DOMAINS: &str = "].domains";

/// An entry of a list, and where it stands.
struct Entry {
    text: String,
    place: Option<Place>,
    origin: Origin,
}

impl Resolver<'_> {
    fn config(&mut self, settings: Settings) -> Config {
        self.listeners(&settings);
        let signs = settings.listeners.iter().any(|listener| listener.is(Role::Sign));
        Config {
            peers: self.hosts("peers", &settings.peers),
            exempt_domains: self.domains("exempt-domains", &settings.exempt_domains),
            internal_hosts: self.hosts("sign.internal-hosts", &settings.sign.internal_hosts),
            not_to: self.domains("sign.not-to", &settings.sign.not_to),
            signing: self.signing(&settings.sign, signs),
            seal: settings.seal.as_ref().map(|seal| self.seal(seal)),
            ignore_hosts: self.hosts("verify.ignore-hosts", &settings.verify.ignore_hosts),
            ignore_domains: self.domains("verify.ignore-domains", &settings.verify.ignore_domains),
            trusted_sealers: self.names("verify.trusted-sealers", &settings.verify.trusted_sealers),
            history_not_to: self.domains(
                "history.not-to",
                settings.history.as_ref().map_or(&[], |history| &history.not_to),
            ),
            skip_addresses: self
                .hosts("spf-service.skip-addresses", &settings.spf_service.skip_addresses),
            allow_addresses: self
                .hosts("spf-service.allow-addresses", &settings.spf_service.allow_addresses),
            settings,
        }
    }

    pub(super) fn say(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn listeners(&mut self, settings: &Settings) {
        if settings.listeners.is_empty() {
            self.say(
                Finding::new(
                    Severity::Error,
                    "no-socket",
                    "no socket is configured, so Postfix cannot connect",
                )
                .advice("Add a [[listener]] with a socket."),
            );
        }
        for (index, listener) in settings.listeners.iter().enumerate() {
            let place = self.origins.place(&format!("listener[{index}].socket"));
            let alone = [Role::Policy, Role::Idle];
            let mixed = listener.roles.len() > 1 && alone.iter().any(|role| listener.is(*role));
            if listener.roles.is_empty() || mixed {
                let sentence = "a listener either signs and verifies, or serves policy, or is idle";
                let finding = Finding::new(Severity::Error, "listener-roles", sentence);
                let roles = self.origins.place(&format!("listener[{index}].roles"));
                self.say(finding.at(roles.or_else(|| place.clone())));
            }
            let before = settings.listeners.iter().take(index);
            if before.clone().any(|other| other.socket == listener.socket) {
                let sentence = format!("another listener has the socket {} too", listener.socket);
                self.say(Finding::new(Severity::Error, "socket-twice", sentence).at(place.clone()));
            }
            if let Endpoint::Inet { host: None, .. } = listener.socket {
                let sentence = "the port is open on every address of this host, to anybody";
                self.say(
                    Finding::new(Severity::Warning, "socket-open", sentence)
                        .at(place)
                        .advice(format!("Write {}@localhost.", listener.socket)),
                );
            }
        }
        if let AuthservId::Name(name) = &settings.authserv_id
            && !name.contains('.')
        {
            let sentence = format!(
                "the authserv-id {name:?} is no name of a host; RFC 8601 2.5 wants one that \
                 nobody else uses, since fields with it are taken as forged and removed"
            );
            let place = self.origins.place("authserv-id");
            self.say(Finding::new(Severity::Note, "authserv-id-not-unique", sentence).at(place));
        }
    }

    pub(super) fn hosts(&mut self, path: &str, items: &[Item]) -> HostList {
        let mut list = HostList::default();
        for entry in self.entries(path, items) {
            let mut pushed = list.push(&entry.text, entry.origin.clone());
            // OpenDMARC has masks for networks of IPv4 too, where OpenDKIM does not.
            if let (IGNORE_HOSTS, Err(HostProblem::Mask(Some(network @ IpNet::V4(_))))) =
                (path, &pushed)
            {
                let exception = if entry.text.starts_with('!') { "!" } else { "" };
                pushed = list.push(&format!("{exception}{network}"), entry.origin);
            }
            if let Err(problem) = pushed {
                let sentence = format!("{:?}: {problem}", entry.text);
                self.say(Finding::new(Severity::Warning, problem.rule(), sentence).at(entry.place));
            }
        }
        list
    }

    pub(super) fn domains(&mut self, path: &str, items: &[Item]) -> DomainList {
        let mut list = DomainList::default();
        for entry in self.entries(path, items) {
            if entry.text == "*" && path.ends_with(SIGNING_DOMAINS) {
                list.push_all();
            } else if !list.push(&entry.text, entry.origin.is_refile) {
                let sentence = format!("{:?} matches nothing: patterns need a refile", entry.text);
                self.say(Finding::new(Severity::Warning, "pattern", sentence).at(entry.place));
            }
        }
        list
    }

    fn names(&mut self, path: &str, items: &[Item]) -> Vec<mailproof_dns::Name> {
        let entries = self.entries(path, items);
        let mut names = Vec::with_capacity(entries.len());
        for Entry { text, place, .. } in entries {
            match text.parse() {
                Ok(name) => names.push(name),
                Err(error) => {
                    let sentence = format!("{text:?} is no domain: {error}");
                    self.say(Finding::new(Severity::Error, "domain", sentence).at(place));
                }
            }
        }
        names
    }

    /// The entries of a list, and of the data sets in it.
    fn entries(&mut self, path: &str, items: &[Item]) -> Vec<Entry> {
        // Without it more mail is verified, and none less: the daemon can do that.
        let missing = if path == IGNORE_HOSTS { Severity::Warning } else { Severity::Error };
        let mut entries = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = self.origins.place(&format!("{path}[{index}]"));
            let place = place.or_else(|| self.origins.place(path));
            match item {
                Item::One(text) => {
                    let origin = Origin::default();
                    entries.push(Entry { text: text.clone(), place, origin });
                }
                Item::Set(set) => {
                    if let Some(text) = self.set(set, place, missing) {
                        self.set_entries(set, &text, &mut entries);
                    }
                }
            }
        }
        entries
    }

    /// The text of a data set, or a finding of this severity.
    pub(super) fn set(
        &mut self,
        set: &DataSet,
        place: Option<Place>,
        missing: Severity,
    ) -> Option<String> {
        if set.kind == DataSetKind::List {
            return Some(set.location.clone());
        }
        match self.files.text(Path::new(&set.location)) {
            Ok(text) => Some(text),
            Err(trouble) => {
                let rule = if trouble.is_missing { "file-missing" } else { "file-unreadable" };
                let sentence = format!("{}: {trouble}", set.location);
                let finding = Finding::new(missing, rule, sentence).at(place);
                self.say(if trouble.is_missing {
                    finding.advice("Create the file, or correct the path.")
                } else {
                    finding.advice("Run this as root, as the daemon is started.")
                });
                None
            }
        }
    }

    fn set_entries(&mut self, set: &DataSet, text: &str, entries: &mut Vec<Entry>) {
        let is_refile = set.kind == DataSetKind::Refile;
        for entry in set.kind.entries(text) {
            let place =
                (set.kind != DataSetKind::List).then(|| place_of(&set.location, text, entry.key));
            if entry.is_passed_over {
                let sentence = "the line begins with white space, so OpenDKIM passes over it, and \
                                so do we";
                let finding = Finding::new(Severity::Warning, "line-passed-over", sentence);
                self.say(finding.at(place).advice("Remove the white space."));
                continue;
            }
            let origin = Origin { file: set.location.clone(), line: entry.line, is_refile };
            entries.push(Entry { text: entry.key.to_owned(), place, origin });
        }
    }

    fn seal(&mut self, seal: &Seal) -> SealingKey {
        let place = self.origins.place("seal.file");
        SealingKey {
            domain: seal.domain.clone(),
            selector: seal.selector.clone(),
            key: self.private_key(&seal.file, place, true, 1024),
        }
    }
}

/// Where `part`, a piece of the text of a file, stands.
pub(crate) fn place_of(file: &str, text: &str, part: &str) -> Place {
    let start = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    Place::of(file, text, start..start.saturating_add(part.len()))
}
