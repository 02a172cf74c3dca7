//! What main.cf of Postfix says, beside a configuration: whether mail comes here at all.

mod main_cf;

use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::config::Config;
use crate::finding::{Finding, Place, Severity};
use crate::hosts::canonical;
use crate::settings::{Listener, Role};
use crate::value::{Endpoint, Host};

pub use main_cf::{MainCf, Parameter};

/// What is odd about main.cf beside this configuration. `master` is the text of master.cf, if it
/// is at hand.
pub fn check(main: &MainCf, master: Option<&str>, config: &Config) -> Vec<Finding> {
    let is_chrooted = master.map(is_chrooted);
    let mut check = Check { main, config, is_chrooted, findings: Vec::new() };
    check.milters();
    check.policy_services();
    check.sockets();
    check.default_action();
    check.networks();
    check.smuggling();
    check.findings
}

struct Check<'a> {
    main: &'a MainCf,
    config: &'a Config,
    /// Whether smtpd runs in its chroot; `None` if that is not known.
    is_chrooted: Option<bool>,
    findings: Vec<Finding>,
}

/// A socket as Postfix names it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Peer {
    Unix(PathBuf),
    Inet { host: String, port: String },
}

impl Check<'_> {
    fn say(&mut self, severity: Severity, rule: &'static str, at: Option<Place>, text: String) {
        self.findings.push(Finding::new(severity, rule, text).at(at));
    }

    fn advise(&mut self, advice: &str) {
        if let Some(finding) = self.findings.last_mut() {
            finding.advice = Some(advice.to_owned());
        }
    }

    fn queue(&self) -> PathBuf {
        let queue = self.main.value("queue_directory");
        queue.map_or_else(|| "/var/spool/postfix".into(), PathBuf::from)
    }

    /// The socket that Postfix connects to by this text; two if it is not known whether it is
    /// chrooted.
    fn peers(&self, text: &str) -> Vec<Peer> {
        let Some((kind, rest)) = text.split_once(':') else { return Vec::new() };
        match kind {
            "unix" | "local" => {
                let below = Peer::Unix(self.queue().join(rest.trim_start_matches('/')));
                let absolute = rest.starts_with('/').then(|| Peer::Unix(rest.into()));
                match (absolute, self.is_chrooted) {
                    (Some(absolute), Some(false)) => vec![absolute],
                    (Some(absolute), None) => vec![below, absolute],
                    _ => vec![below],
                }
            }
            "inet" => {
                let (host, port) = rest.rsplit_once(':').unwrap_or(("localhost", rest));
                let host = host.trim_matches(['[', ']']).to_owned();
                vec![Peer::Inet { host, port: port.to_owned() }]
            }
            _ => Vec::new(),
        }
    }

    fn listener(&self, peers: &[Peer]) -> Option<&Listener> {
        let is_one = |listener: &&Listener| peers.iter().any(|p| is_same(&listener.socket, p));
        self.config.settings.listeners.iter().find(is_one)
    }

    fn milters(&mut self) {
        let serves = |listener: &Listener| !listener.is(Role::Policy);
        if !self.config.settings.listeners.iter().any(serves) {
            return;
        }
        let Some(found) = self.main.get("smtpd_milters").filter(|p| !p.value.is_empty()) else {
            let text = "smtpd_milters is not set: mail that comes by SMTP is neither signed nor \
                        verified";
            self.say(Severity::Warning, "smtpd-milters", Some(self.main.whole()), text.into());
            self.advise("Name the socket of a listener in smtpd_milters.");
            return;
        };
        let place = found.place.clone();
        let (mut works, mut idles) = (false, false);
        for text in milter_list(&self.main.expand(&found.value)) {
            let peers = self.peers(&text);
            if peers.is_empty() {
                let said = format!("{text:?} in smtpd_milters is no socket");
                self.say(Severity::Error, "smtpd-milters", Some(place.clone()), said);
                continue;
            }
            match self.listener(&peers).map(|listener| listener.is(Role::Idle)) {
                Some(true) => idles = true,
                Some(false) => works = true,
                None => {
                    let said = format!("no listener is at {text}, which smtpd_milters names");
                    self.say(Severity::Warning, "milter-elsewhere", Some(place.clone()), said);
                    self.advise("If another program is there, all is well; else name a listener.");
                }
            }
        }
        if !works && idles {
            let text = "smtpd_milters has only the idle socket: nothing is done with mail";
            self.say(Severity::Warning, "only-idle", Some(place), text.into());
        }
        self.local_mail();
    }

    fn local_mail(&mut self) {
        let signs = self.config.settings.listeners.iter().any(|listener| listener.is(Role::Sign));
        let milters = self.main.get("non_smtpd_milters").filter(|p| !p.value.is_empty());
        if signs && milters.is_none() {
            let text = "non_smtpd_milters is not set: mail of programs of this host (sendmail) is \
                        not signed";
            self.say(Severity::Warning, "non-smtpd-milters", Some(self.main.whole()), text.into());
            self.advise("Write non_smtpd_milters = $smtpd_milters.");
        }
    }

    fn policy_services(&mut self) {
        let wanted = self.config.settings.listeners.iter().any(|l| l.is(Role::Policy));
        let (mut served, mut place) = (false, None);
        for parameter in self.main.parameters() {
            let value = self.main.expand(&parameter.value);
            let mut words = value.split([' ', '\t', ',', '{', '}']).filter(|w| !w.is_empty());
            while let Some(word) = words.next() {
                if word != "check_policy_service" {
                    continue;
                }
                let Some(text) = words.next() else { break };
                let at = Some(parameter.place.clone());
                self.policy_service(text, at.clone());
                let found = self.listener(&self.peers(text));
                served |= found.is_some_and(|listener| listener.is(Role::Policy));
                place = at;
            }
        }
        if wanted && !served {
            let text = "no check_policy_service names the listener with the role \"policy\": SPF \
                        is not checked at RCPT TO";
            self.say(Severity::Warning, "policy-service", place, text.into());
            self.advise("Put check_policy_service behind reject_unauth_destination.");
        }
    }

    fn policy_service(&mut self, text: &str, place: Option<Place>) {
        if let Some(path) = text.strip_prefix("unix:")
            && path.starts_with('/')
            && self.is_chrooted != Some(false)
            && !Path::new(path).starts_with(self.queue())
        {
            let queue = self.queue();
            let said = format!(
                "{text} is outside of {}, in which smtpd runs if it is chrooted, as in Debian",
                queue.display()
            );
            self.say(Severity::Warning, "socket-outside-chroot", place, said);
            self.advise("Write a path without a slash in front, in the queue directory.");
        }
    }

    /// A listener that Postfix cannot reach.
    fn sockets(&mut self) {
        if self.is_chrooted == Some(false) {
            return;
        }
        let queue = self.queue();
        for listener in &self.config.settings.listeners {
            let Endpoint::Local(path) = &listener.socket else { continue };
            if !path.starts_with(&queue) {
                let said = format!(
                    "the socket {} is outside of {}, in which smtpd runs if it is chrooted, as in \
                     Debian",
                    path.display(),
                    queue.display()
                );
                let finding = Finding::new(Severity::Warning, "socket-outside-chroot", said);
                self.findings.push(finding.advice(format!(
                    "Put it below {}, or use inet:8891@localhost.",
                    queue.display()
                )));
            }
        }
    }

    fn default_action(&mut self) {
        let action = self.main.get("milter_default_action");
        let (place, text) = match action.as_ref().map(|p| p.value.as_str()) {
            Some("accept") => (
                action.map(|p| p.place),
                "milter_default_action is accept: when the daemon is down, mail goes out unsigned \
                 and comes in unverified, with a warning in the log alone",
            ),
            None => (
                Some(self.main.whole()),
                "milter_default_action is not set: when the daemon is down, mail waits (tempfail; \
                 shutdown since Postfix 3.11)",
            ),
            Some(_) => return self.protocol(),
        };
        self.say(Severity::Note, "milter-default-action", place, text.into());
        self.protocol();
    }

    fn protocol(&mut self) {
        if let Some(parameter) = self.main.get("milter_protocol")
            && parameter.value.parse::<u32>().is_ok_and(|version| version < 6)
        {
            let said = format!(
                "milter_protocol {} works, but tells less about messages than 6, the default",
                parameter.value
            );
            self.say(Severity::Note, "milter-protocol", Some(parameter.place), said);
            self.advise("Remove the line.");
        }
    }

    /// Whom Postfix lets send without authentication, and whose mail is not signed.
    fn networks(&mut self) {
        let signs = self.config.settings.listeners.iter().any(|listener| listener.is(Role::Sign));
        let Some(parameter) = self.main.get("mynetworks").filter(|_| signs) else { return };
        let value = self.main.expand(&parameter.value);
        let mut unsigned = Vec::new();
        for text in value.split([' ', '\t', ',']).filter(|text| !text.is_empty()) {
            let bare = text.replace(['[', ']'], "");
            let Ok(network) = bare.parse::<IpNet>() else { continue };
            if network.trunc() != network {
                let said = format!("{text} in mynetworks has bits set beyond its prefix");
                let at = Some(parameter.place.clone());
                self.say(Severity::Warning, "network-host-bits", at, said);
            }
            let network = canonical(network);
            let is_loopback = network.addr().is_loopback();
            if !is_loopback && !self.config.internal_hosts.covers(network) {
                unsigned.push(network.to_string());
            }
        }
        if !unsigned.is_empty() {
            let said = format!(
                "Postfix relays mail from {} without authentication (mynetworks), and it is not \
                 signed: these are not in InternalHosts",
                unsigned.join(", ")
            );
            self.say(Severity::Warning, "mynetworks-not-internal", Some(parameter.place), said);
            self.advise("Add them to InternalHosts (sign.internal-hosts), or take them out here.");
        }
    }

    /// SMTP smuggling: a message with bare line feeds is taken for two.
    fn smuggling(&mut self) {
        let (place, said) = match self.main.get("smtpd_forbid_bare_newline") {
            Some(p) if matches!(p.value.as_str(), "yes" | "normalize" | "reject") => return,
            Some(p) => (p.place, "smtpd_forbid_bare_newline is off"),
            None => (
                self.main.whole(),
                "smtpd_forbid_bare_newline is not set (the default is off before Postfix 3.9)",
            ),
        };
        let said = format!(
            "{said}: others can smuggle messages with your senders' addresses through this host \
             (CVE-2023-51764), past SPF and DMARC"
        );
        self.say(Severity::Warning, "smtp-smuggling", Some(place), said);
        self.advise("Write smtpd_forbid_bare_newline = normalize.");
    }
}

/// Whether a listener is where Postfix connects to.
fn is_same(endpoint: &Endpoint, peer: &Peer) -> bool {
    match (endpoint, peer) {
        (Endpoint::Local(path), Peer::Unix(other)) => path == other,
        (Endpoint::Inet { port, host, .. }, Peer::Inet { host: other, port: number }) => {
            let is_local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "::1");
            *number == port.to_string()
                && match host {
                    None => true,
                    Some(Host::Address(address)) => {
                        *other == address.to_string()
                            || (is_local(other) && is_local(&address.to_string()))
                    }
                    Some(Host::Name(name)) => name == other || (is_local(name) && is_local(other)),
                }
        }
        (Endpoint::Systemd(_), _) => true,
        _ => false,
    }
}

/// The sockets of a list of milters, without the settings that one may have in braces.
fn milter_list(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_braces = false;
    for word in text.replace('{', " { ").replace('}', " } ").split([' ', '\t', ',', '\n']) {
        match word {
            "" => {}
            "{" => in_braces = true,
            "}" => in_braces = false,
            _ if in_braces && word.contains('=') => {}
            _ => found.push(word.to_owned()),
        }
    }
    found
}

/// Whether a service of SMTP is chrooted: the fifth column of master.cf.
fn is_chrooted(master: &str) -> bool {
    let columns = master.lines().filter(|line| !line.starts_with(['#', ' ', '\t']));
    columns.map(|line| line.split_whitespace().collect::<Vec<_>>()).any(|columns| {
        columns.get(7).is_some_and(|command| *command == "smtpd") && columns.get(4) == Some(&"y")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(main: &str, master: Option<&str>, socket: &str, roles: &str) -> Vec<&'static str> {
        let text = format!("[[listener]]\nsocket = \"{socket}\"\nroles = [\"{roles}\"]\n");
        let (settings, origins) = crate::toml_file::parse("f", &text).unwrap();
        let (config, _) = Config::resolve(settings, &origins, &crate::files::Files::new());
        let main =
            format!("smtpd_forbid_bare_newline = yes\nmilter_default_action = tempfail\n{main}\n");
        let findings = check(&MainCf::parse("main.cf", &main), master, &config);
        findings.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn where_postfix_connects_to() {
        let none: [&str; 0] = [];
        let (spool, run) = ("local:/var/spool/postfix/m/s", "local:/run/m/s");
        let chrooted = Some("smtp inet n - y - - smtpd");
        let free = Some("smtp inet n - n - - smtpd");
        for master in [None, chrooted, free] {
            assert_eq!(rules("smtpd_milters = unix:m/s", master, spool, "verify"), none);
        }
        let absolute = "smtpd_milters = { unix:/run/m/s, connect_timeout=1s }";
        assert_eq!(rules(absolute, free, run, "verify"), none);
        assert_eq!(rules(absolute, None, run, "verify"), ["socket-outside-chroot"]);
        let expected = ["milter-elsewhere", "socket-outside-chroot"];
        assert_eq!(rules(absolute, chrooted, run, "verify"), expected);
        let inet = "smtpd_milters = inet:127.0.0.1:8891\nmynetworks = [::ffff:127.0.0.0]/104";
        assert_eq!(rules(inet, free, "inet:8891@localhost", "verify"), none);
        assert_eq!(rules(inet, free, "inet:8892@localhost", "verify"), ["milter-elsewhere"]);
        assert_eq!(rules(inet, free, "inet:8891@localhost", "idle"), ["only-idle"]);
        assert_eq!(rules(inet, free, "inet:8891@localhost", "sign"), ["non-smtpd-milters"]);
        assert_eq!(rules("", free, "inet:8891@localhost", "verify"), ["smtpd-milters"]);
        let policy = "smtpd_recipient_restrictions = check_policy_service { unix:m/s, timeout=9 }";
        assert_eq!(rules(policy, free, spool, "policy"), none);
        assert_eq!(rules("", free, spool, "policy"), ["policy-service"]);
    }

    #[test]
    fn lists_of_milters() {
        assert_eq!(
            milter_list("inet:h:1, { unix:a/b, default_action=accept },unix:c"),
            ["inet:h:1", "unix:a/b", "unix:c"]
        );
        assert!(is_chrooted("smtp inet n - y - - smtpd\n  -o x=y\n"));
        assert!(!is_chrooted("# smtp inet n - y - - smtpd\nsmtp inet n - - - - smtpd\n"));
    }
}
