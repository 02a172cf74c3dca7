//! What all connections share, and a reload replaces.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mailproof::{Limits, Policy, Receiver, arc::TrustedSealers};
use mailproof_dns_hickory::HickoryResolver;

use crate::config::Config;
use crate::files::Files;
use crate::finding::Severity;
use crate::old::Draft;
use crate::run::dns::Dns;
use crate::run::history::History;
use crate::run::log::{Logger, warn};
use crate::run::metrics::Metrics;
use crate::run::{RunError, Start};
use crate::settings::{AuthservId, Listener, LogTarget, Role, Settings, Sign};
use crate::value::{Endpoint, Seconds};

/// A configuration at work.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) files: Files,
    log: Logger,
    pub(crate) metrics: Arc<Metrics>,
    dns: Dns,
    history: Option<Arc<History>>,
    /// The name of this host.
    host: String,
    /// The receiver of the name that was asked for last. There is one MTA, mostly, with one name.
    receiver: Mutex<Arc<Receiver>>,
}

impl State {
    /// Reads the configuration; `old` is the one at work.
    pub(crate) fn load(start: &Start, old: Option<&State>) -> Result<State, RunError> {
        State::read(start, old, |settings| settings)
    }

    /// As [`State::load`], for the policy service alone, which can read no keys.
    pub(crate) fn load_policy(start: &Start) -> Result<State, RunError> {
        State::read(start, None, |mut settings| {
            let mut listener = Listener::new(Endpoint::Local("-".into()));
            listener.roles = vec![Role::Policy];
            // Standard error is the client, as standard output is.
            settings.log.to = match settings.log.to {
                LogTarget::Auto | LogTarget::Stderr if Path::new("/dev/log").exists() => {
                    LogTarget::Syslog
                }
                LogTarget::Auto | LogTarget::Stderr => LogTarget::None,
                to => to,
            };
            Settings {
                listeners: vec![listener],
                sign: Sign::default(),
                seal: None,
                history: None,
                ..settings
            }
        })
    }

    fn read(
        start: &Start,
        old: Option<&State>,
        change: impl FnOnce(Settings) -> Settings,
    ) -> Result<State, RunError> {
        let files = Files::new();
        let paths: Vec<&Path> = start.files.iter().map(|path| path.as_path()).collect();
        let draft = Draft::load(&paths, &files)
            .map_err(|error| RunError::Configuration(error.to_string()))?;
        let mut findings = draft.findings;
        // A file with an error in it has said nothing yet.
        let is_read = !draft.directives.is_empty() || findings.is_empty();
        let (config, found) = Config::resolve(change(draft.settings), &draft.origins, &files);
        findings.extend(found.into_iter().filter(|_| is_read));
        let settings = &config.settings.log;
        let log = old.map_or_else(|| Logger::open(settings), |old| old.log.reopen(settings));
        let mut errors = Vec::new();
        for finding in &findings {
            let place =
                finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            let text = format!("{place}{}", finding.sentence);
            match finding.severity {
                Severity::Error => errors.push(text),
                Severity::Warning => warn(&log, "", &format!("warning: {text}")),
                Severity::Note => {}
            }
        }
        if !errors.is_empty() {
            return Err(RunError::Configuration(errors.join("\n")));
        }
        let metrics = old.map(|old| Arc::clone(&old.metrics)).unwrap_or_default();
        let dns = match (&start.zone, old) {
            (Some(_), Some(old)) => old.dns.clone(),
            (Some(zone), None) => Dns::zone(zone.clone(), &metrics),
            // The cache stays.
            (None, Some(old)) if old.config.settings.dns == config.settings.dns => old.dns.clone(),
            (None, _) => Dns::network(resolver(&config.settings)?, &metrics),
        };
        let history = history(&config.settings, old);
        let host = host_name();
        let receiver = Mutex::new(Arc::new(receiver(&config, &host)));
        Ok(State { config, files, metrics, dns, log, history, host, receiver })
    }

    pub(crate) fn log(&self) -> &Logger {
        &self.log
    }

    /// The name of this host.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The receiver whose authserv-id is the one that is set; `mta` is macro `j`.
    pub(crate) fn receiver(&self, mta: Option<&str>) -> Arc<Receiver> {
        let name = match &self.config.settings.authserv_id {
            AuthservId::Name(name) => name,
            AuthservId::HostName => &self.host,
            AuthservId::Mta => mta.filter(|name| is_name(name)).unwrap_or(&self.host),
        };
        let mut kept = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.authserv_id != name {
            *kept = Arc::new(receiver(&self.config, name));
        }
        Arc::clone(&kept)
    }

    /// The authserv-id of the policy service, to which Postfix does not tell its name.
    pub(crate) fn policy_authserv_id(&self) -> &str {
        let settings = &self.config.settings;
        match settings.spf_service.authserv_id.as_ref().unwrap_or(&settings.authserv_id) {
            AuthservId::Name(name) => name,
            AuthservId::HostName | AuthservId::Mta => &self.host,
        }
    }

    /// Who is asked.
    pub(crate) fn dns(&self) -> &Dns {
        &self.dns
    }

    /// Who is asked, and has so long for all answers.
    pub(crate) fn dns_for(&self, patience: Seconds) -> Dns {
        self.dns.until(Instant::now() + patience.into())
    }

    /// What is kept of messages.
    pub(crate) fn history(&self) -> Option<&History> {
        self.history.as_deref()
    }
}

/// The one at work, if it is set so still.
fn history(settings: &Settings, old: Option<&State>) -> Option<Arc<History>> {
    let settings = settings.history.as_ref()?;
    let old = old.and_then(|old| old.history.clone());
    let same = old.filter(|old| old.settings() == settings);
    same.or_else(|| History::open(settings).map(Arc::new))
}

fn resolver(settings: &Settings) -> Result<HickoryResolver, RunError> {
    let limits = mailproof_dns_hickory::Limits {
        timeout: settings.dns.timeout.into(),
        cached_responses: 8192,
        // Whoever corrects a record with a TTL of a day is not to wait for it.
        kept_at_most: Duration::from_secs(3600),
        ..mailproof_dns_hickory::Limits::default()
    };
    let servers = &settings.dns.name_servers;
    match servers.is_empty() {
        true => HickoryResolver::system(&limits),
        false => HickoryResolver::with_name_servers(servers, &limits),
    }
    .map_err(|error| RunError::Configuration(error.to_string()))
}

fn receiver(config: &Config, name: &str) -> Receiver {
    let verify = &config.settings.verify;
    let mut policy = Policy::default();
    policy.dkim.clock_skew = verify.clock_drift.0;
    policy.arc.clock_skew = verify.clock_drift.0;
    policy.trusted_sealers = TrustedSealers::new(config.trusted_sealers.iter().cloned());
    let mut limits = Limits::default();
    limits.dkim.signatures_verified = verify.signatures;
    limits.dkim.rsa_bits_least = verify.minimum_key_bits;
    Receiver::with(name, policy, limits)
}

/// What may stand as authserv-id without quotes, and is no unbounded text of a stranger.
fn is_name(text: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
    (1..=255).contains(&text.len()) && text.bytes().all(plain)
}

/// The name of this host. A system that does not tell has "localhost".
fn host_name() -> String {
    let read = |path| fs::read_to_string(path).ok().map(|text: String| text.trim().to_owned());
    let names = ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().filter_map(read);
    names.into_iter().find(|name| is_name(name)).unwrap_or_else(|| "localhost".to_owned())
}

/// Seconds since 1970-01-01 UTC.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
