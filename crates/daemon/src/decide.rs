//! Whether a message is signed, verified or passed through.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use mailproof_dkim::{Identity, PrivateKey};
use mailproof_dns::Name;
use mailproof_keygen::{KeyEntry, KeySource, Match};

use crate::config::{Config, Tables};
use crate::hosts::HostList;
use crate::settings::Role;

/// What is known of the client when the header of its message is complete.
#[derive(Debug, Clone, Copy, Default)]
pub struct Client<'a> {
    /// Its address; `None` for a program of this host.
    pub ip: Option<IpAddr>,
    /// Its name, if the DNS confirms it.
    pub name: Option<&'a str>,
    /// Whether it authenticated itself: macro `{auth_type}` is not empty.
    pub authenticated: bool,
    /// Macro `{daemon_name}`.
    pub mta_name: Option<&'a str>,
    /// Macros and their values, those that `sign.macros` asks for.
    pub macros: &'a [(&'a str, &'a str)],
}

impl Client<'_> {
    /// Mail of a program of this host comes without an address, or with that of localhost.
    fn address(&self) -> IpAddr {
        self.ip.unwrap_or(IpAddr::from([127, 0, 0, 1]))
    }
}

/// What is done with a message.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It is signed with these keys, of which there is one at least.
    Sign(Vec<SigningKey>),
    /// It should be signed and cannot be, for this reason: `sign.on-error`.
    CannotSign(String),
    /// It is verified.
    Verify,
    /// It is left as it is.
    Pass(Reason),
}

/// Why a message is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The client is in `peers`.
    Peer,
    /// The author is in `exempt-domains`.
    ExemptDomain,
    /// The client is in `verify.ignore-hosts`.
    IgnoredHost,
    /// The client is authenticated: `verify.ignore-authenticated`.
    Authenticated,
    /// The author is in `verify.ignore-domains`.
    IgnoredDomain,
    /// The listener does not verify, and there is nothing to sign.
    NotToVerify,
    /// The listener is idle.
    Idle,
}

impl Reason {
    /// Whether it is about the host that the message comes from. Who is not known by his host may
    /// write anything, also what claims to be our own verdict.
    pub(crate) fn is_of_host(self) -> bool {
        match self {
            Reason::Peer | Reason::IgnoredHost | Reason::NotToVerify | Reason::Idle => true,
            Reason::ExemptDomain | Reason::Authenticated | Reason::IgnoredDomain => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Peer => "the client is in peers",
            Reason::ExemptDomain => "the author is in exempt-domains",
            Reason::IgnoredHost => "the client is in verify.ignore-hosts",
            Reason::Authenticated => "the client is authenticated (verify.ignore-authenticated)",
            Reason::IgnoredDomain => "the author is in verify.ignore-domains",
            Reason::NotToVerify => "the listener does not verify",
            Reason::Idle => "the listener is idle",
        })
    }
}

/// A key, and what its signature says.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// Tag d=.
    pub domain: Name,
    /// Tag s=.
    pub selector: Name,
    /// Tag i=; without it none is written.
    pub identity: Option<Identity>,
    /// The key.
    pub key: SigningKeySource,
}

/// Where a key is.
#[derive(Debug, Clone)]
pub enum SigningKeySource {
    /// Here.
    Loaded(Arc<PrivateKey>),
    /// In a file that depends on the author (`%` in a KeyTable), and is read for the message.
    File(std::path::PathBuf),
}

/// The steps of a decision; for the work as it is, none are kept.
#[derive(Debug, Default)]
pub struct Steps(Option<Vec<String>>);

impl Steps {
    /// Steps that are kept.
    pub fn kept() -> Steps {
        Steps(Some(Vec::new()))
    }

    /// The steps, sentences in their order.
    pub fn list(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }

    fn say(&mut self, step: impl FnOnce() -> String) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }
}

impl Config {
    /// What a listener with these roles does with a message of this author, `user@domain`, to these
    /// recipients.
    pub fn decide(
        &self,
        roles: &[Role],
        client: &Client<'_>,
        author: Option<&str>,
        recipients: &[&str],
        steps: &mut Steps,
    ) -> Decision {
        if roles.contains(&Role::Idle) {
            return Decision::Pass(Reason::Idle);
        }
        if let Some(reason) = self.exemption(client, author) {
            steps.say(|| format!("{reason}: it is left as it is"));
            return Decision::Pass(reason);
        }
        if roles.contains(&Role::Sign) {
            if self.is_own(client, steps)
                && let Some(decision) = self.signature(author, recipients, steps)
            {
                return decision;
            }
        } else {
            steps.say(|| "the listener does not sign".to_owned());
        }
        if !roles.contains(&Role::Verify) {
            return Decision::Pass(Reason::NotToVerify);
        }
        self.verification(client, author, steps)
    }

    /// Whether a message of this client may come to be verified, whoever its author is.
    pub(crate) fn may_verify(&self, roles: &[Role], client: &Client<'_>) -> bool {
        let is_in = |hosts: &HostList| hosts.contains(client.name, Some(client.address()));
        let is_left_alone = is_in(&self.peers)
            || is_in(&self.ignore_hosts)
            || client.authenticated && self.settings.verify.ignore_authenticated;
        roles.contains(&Role::Verify) && !is_left_alone
    }

    fn exemption(&self, client: &Client<'_>, author: Option<&str>) -> Option<Reason> {
        if self.peers.contains(client.name, Some(client.address())) {
            return Some(Reason::Peer);
        }
        let is_exempt = |author: &str| self.exempt_domains.contains(domain_of(author));
        author.is_some_and(is_exempt).then_some(Reason::ExemptDomain)
    }

    /// Whether the message comes from our own users.
    fn is_own(&self, client: &Client<'_>, steps: &mut Steps) -> bool {
        let sign = &self.settings.sign;
        if let Some(name) = client.mta_name
            && sign.mta_names.iter().any(|own| own == name)
        {
            steps.say(|| format!("it came in by {name}, which is in sign.mta-names: it is ours"));
            return true;
        }
        let rule = sign.macros.iter().find(|rule| {
            let has = |(name, value): &&(&str, &str)| {
                *name == rule.name
                    && (rule.values.is_empty() || rule.values.iter().any(|known| known == value))
            };
            client.macros.iter().any(|entry| has(&entry))
        });
        if let Some(rule) = rule {
            steps.say(|| format!("the macro {rule} is there (sign.macros): it is ours"));
            return true;
        }
        if client.authenticated && sign.authenticated {
            steps.say(|| "the client is authenticated (sign.authenticated): it is ours".to_owned());
            return true;
        }
        if client.authenticated {
            steps.say(|| "the client is authenticated, which does not count here".to_owned());
        }
        let ip = client.address();
        match self.internal_hosts.find(client.name, Some(ip)) {
            Some(entry) => steps.say(|| match entry.origin.file.as_str() {
                "" => {
                    format!("the client is in sign.internal-hosts, by {:?}: it is ours", entry.text)
                }
                file => format!(
                    "the client is in sign.internal-hosts, by {:?} ({file}:{}): it is ours",
                    entry.text, entry.origin.line
                ),
            }),
            None => {
                steps.say(|| {
                    let name = client.name.unwrap_or("unknown");
                    format!("{name} [{ip}] not internal: it is not in sign.internal-hosts")
                });
                if !client.authenticated {
                    steps.say(|| "not authenticated".to_owned());
                }
                return false;
            }
        }
        true
    }

    /// What is done with a message of our own; `None` if there is no key for its author.
    fn signature(
        &self,
        author: Option<&str>,
        recipients: &[&str],
        steps: &mut Steps,
    ) -> Option<Decision> {
        let Some((author, domain)) =
            author.and_then(|author| Some((author, author.rsplit_once('@')?.1)))
        else {
            steps.say(|| "From names no author: there is no key for it".to_owned());
            return None;
        };
        if let Some(to) = recipients.iter().find(|to| self.not_to.contains_address(to)) {
            steps.say(|| format!("the recipient {to} is in sign.not-to: it is not signed"));
            return None;
        }
        let Ok(name) = domain.parse::<Name>() else {
            steps.say(|| format!("{domain:?} is no domain: there is no key for it"));
            return None;
        };
        let found = match &self.signing.tables {
            Some(tables) => self.by_tables(tables, author, &name, steps),
            None => self.by_keys(&name, steps),
        };
        match found {
            Err(reason) => {
                steps.say(|| reason.clone());
                Some(Decision::CannotSign(reason))
            }
            Ok(keys) if keys.is_empty() => None,
            Ok(keys) => Some(Decision::Sign(keys)),
        }
    }

    fn by_keys(&self, author: &Name, steps: &mut Steps) -> Result<Vec<SigningKey>, String> {
        let domain = author.to_string();
        let mut found = Vec::new();
        for key in &self.signing.keys {
            let Some(matched) = key.domains.find(&domain, key.subdomains) else { continue };
            let signer: Name = matched.parse().map_err(|_| format!("{matched:?} is no domain"))?;
            steps.say(|| {
                format!(
                    "{domain} has the key s={} d={signer} in {}",
                    key.selector,
                    key.file.display()
                )
            });
            let Some(loaded) = &key.key else {
                return Err(format!("the key {} could not be read", key.file.display()));
            };
            found.push(SigningKey {
                domain: signer,
                selector: key.selector.clone(),
                identity: None,
                key: SigningKeySource::Loaded(Arc::clone(loaded)),
            });
        }
        if found.is_empty() {
            steps.say(|| format!("no signing domain match for '{domain}': it is not signed"));
        }
        Ok(found)
    }

    fn by_tables(
        &self,
        tables: &Tables,
        author: &str,
        domain: &Name,
        steps: &mut Steps,
    ) -> Result<Vec<SigningKey>, String> {
        let most = if tables.multiple { usize::MAX } else { 1 };
        let mut found = Vec::new();
        for matched in tables.authors.matches(author).take(most) {
            let (line, pattern) = (matched.entry.line, &matched.entry.pattern);
            steps.say(|| {
                format!(
                    "{author} matches {pattern:?} in line {line} of the SigningTable: key {:?}",
                    matched.key_name
                )
            });
            found.push(self.of_table(tables, &matched, domain, steps)?);
        }
        if found.is_empty() {
            steps.say(|| format!("no signing table match for '{author}': it is not signed"));
        }
        Ok(found)
    }

    fn of_table(
        &self,
        tables: &Tables,
        matched: &Match<'_>,
        author: &Name,
        steps: &mut Steps,
    ) -> Result<SigningKey, String> {
        let name = &matched.key_name;
        let entry = tables.keys.key(name).ok_or_else(|| {
            let line = matched.entry.line;
            format!("line {line} of the SigningTable names the unknown key {name:?}")
        })?;
        let domain = entry.domain(author).clone();
        steps.say(|| {
            format!("line {} of the KeyTable: s={} d={domain}", entry.line, entry.selector)
        });
        // opendkim.conf(5): what conflicts with d= is left out.
        let identity = matched.signer.as_deref().and_then(identity);
        let identity = identity.filter(|identity| identity.domain.is_at_or_below(&domain));
        let key = self.key_of(entry, author)?;
        Ok(SigningKey { domain, selector: entry.selector.clone(), identity, key })
    }

    fn key_of(&self, entry: &KeyEntry, author: &Name) -> Result<SigningKeySource, String> {
        if let KeySource::Inline(key) = &entry.key {
            let key = key.parse().map_err(|error| format!("the key {:?}: {error}", entry.name))?;
            return Ok(SigningKeySource::Loaded(Arc::new(key)));
        }
        let path = entry.path(author).ok_or_else(|| {
            format!("the domain {author} has characters that are not fit for the path of a key")
        })?;
        match self.signing.private_keys.get(&path) {
            Some(key) => Ok(SigningKeySource::Loaded(Arc::clone(key))),
            None if entry.depends_on_author() => Ok(SigningKeySource::File(path)),
            None => Err(format!("the key {} could not be read", path.display())),
        }
    }

    fn verification(
        &self,
        client: &Client<'_>,
        author: Option<&str>,
        steps: &mut Steps,
    ) -> Decision {
        let verify = &self.settings.verify;
        let pass = |reason: Reason, steps: &mut Steps| {
            steps.say(|| format!("{reason}: it is not verified"));
            Decision::Pass(reason)
        };
        if self.ignore_hosts.contains(client.name, Some(client.address())) {
            return pass(Reason::IgnoredHost, steps);
        }
        if client.authenticated && verify.ignore_authenticated {
            return pass(Reason::Authenticated, steps);
        }
        if author.is_some_and(|author| self.ignore_domains.contains(domain_of(author))) {
            return pass(Reason::IgnoredDomain, steps);
        }
        steps.say(|| "it is verified".to_owned());
        Decision::Verify
    }
}

/// What follows the last `@`.
fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Tag i= as a table has it.
fn identity(text: &str) -> Option<Identity> {
    let (local_part, domain) = text.rsplit_once('@')?;
    Some(Identity { local_part: local_part.into(), domain: domain.parse().ok()? })
}
