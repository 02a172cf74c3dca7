//! Lists of hosts, as InternalHosts and PeerList of OpenDKIM and IgnoreHosts of OpenDMARC have
//! them.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use mailproof_keygen::is_like;

/// A list of hosts.
///
/// An entry is an address, also in brackets, a network, the name of a host, `.domain` for the hosts
/// below it, or `!` and one of these for an exception. Of several entries that match a name, or an
/// address, the most precise counts, and an exception before its opposite.
///
/// ```
/// use mailproof_daemon::{HostList, Origin};
///
/// let mut list = HostList::default();
/// for entry in ["192.0.2.0/24", "!192.0.2.7", ".example.com"] {
///     list.push(entry, Origin::default()).map_err(|problem| problem.to_string())?;
/// }
/// assert!(list.contains(None, Some("192.0.2.1".parse()?)));
/// assert!(!list.contains(None, Some("192.0.2.7".parse()?)));
/// assert!(list.contains(Some("mail.example.com"), None));
/// assert!(!list.contains(Some("example.com"), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct HostList {
    entries: Vec<HostEntry>,
    /// In lower case, a domain with its dot.
    names: Sides<String>,
    networks: Sides<IpNet>,
    /// A bit for each length of a prefix among them, that of 128 for 0: others need no look.
    prefixes: u128,
    /// Of refiles, with a star.
    patterns: Vec<usize>,
}

/// Entries that include, and entries that exclude, by number.
#[derive(Debug, Clone)]
struct Sides<K> {
    include: HashMap<K, usize>,
    exclude: HashMap<K, usize>,
}

impl<K> Default for Sides<K> {
    fn default() -> Sides<K> {
        Sides { include: HashMap::new(), exclude: HashMap::new() }
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file; empty for the configuration itself.
    pub file: String,
    /// The number of the line, from 1.
    pub line: usize,
    /// How the file is read.
    pub is_refile: bool,
}

/// An entry of a list of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEntry {
    /// As it is written.
    pub text: String,
    /// Where.
    pub origin: Origin,
}

/// An entry that matches no host, in OpenDKIM nor here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostProblem {
    /// Bits are set beyond the prefix.
    #[error("the address has bits set beyond /{}, so it matches nobody; the network is {network}", network.prefix_len())]
    HostBits {
        /// The network that was meant.
        network: IpNet,
    },
    /// A network with a mask of dots; and the network that is meant, if the mask is one.
    #[error("a network is written with the length of its prefix; with a mask it matches nobody")]
    Mask(Option<IpNet>),
    /// A wildcard where there are none, or one that means the contrary.
    #[error(
        "a star does not stand for names here, so it matches nobody; the hosts below a domain are {0:?}"
    )]
    Wildcard(String),
    /// A prefix that is none.
    #[error("{0:?} is no length of a prefix, so it matches nobody")]
    Prefix(String),
    /// Neither an address nor a name.
    #[error("it is neither an address, a network nor the name of a host, so it matches nobody")]
    Unknown,
}

impl HostProblem {
    /// The rule it breaks.
    pub fn rule(&self) -> &'static str {
        match self {
            HostProblem::HostBits { .. } => "network-host-bits",
            HostProblem::Mask(_) => "network-mask",
            HostProblem::Wildcard(_) => "host-wildcard",
            HostProblem::Prefix(_) => "network-prefix",
            HostProblem::Unknown => "host-unknown",
        }
    }
}

impl HostList {
    /// Adds an entry.
    ///
    /// # Errors
    /// Why it can match nobody; the list is as before.
    pub fn push(&mut self, text: &str, origin: Origin) -> Result<(), HostProblem> {
        let (bare, is_exclusion) = match text.strip_prefix('!') {
            Some(bare) => (bare, true),
            None => (text, false),
        };
        let number = self.entries.len();
        if bare.contains('*') {
            // OpenDKIM asks for "!name" before "name", and a star in front matches the former.
            if !origin.is_refile || bare.starts_with('*') {
                let domain = bare.trim_start_matches(['*', '.']).to_owned();
                return Err(HostProblem::Wildcard(format!(".{domain}")));
            }
            self.patterns.push(number);
        } else if let Some(network) = network(bare)? {
            self.prefixes |= prefix(&network);
            self.networks.side(is_exclusion).entry(network).or_insert(number);
        } else if is_host(bare) {
            self.names.side(is_exclusion).entry(bare.to_ascii_lowercase()).or_insert(number);
        } else {
            return Err(HostProblem::Unknown);
        }
        self.entries.push(HostEntry { text: text.to_owned(), origin });
        Ok(())
    }

    /// Whether the host of this name or address is in the list.
    pub fn contains(&self, name: Option<&str>, address: Option<IpAddr>) -> bool {
        self.find(name, address).is_some()
    }

    /// The entry by which the host of this name or address is in the list.
    pub fn find(&self, name: Option<&str>, address: Option<IpAddr>) -> Option<&HostEntry> {
        let by_name = name.and_then(|name| self.by_name(name));
        by_name.or_else(|| address.and_then(|address| self.by_address(address)))
    }

    /// Whether all of a network is in the list.
    pub fn covers(&self, network: IpNet) -> bool {
        let mut wider = Some(network.trunc());
        while let Some(net) = wider {
            if self.networks.include.contains_key(&net) {
                return true;
            }
            wider = net.supernet();
        }
        false
    }

    /// The entries.
    pub fn entries(&self) -> &[HostEntry] {
        &self.entries
    }

    fn by_name(&self, name: &str) -> Option<&HostEntry> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut probe = name.as_str();
        loop {
            if let Some(found) = self.probe(|side| side.get(probe).copied(), |_| None, probe) {
                return self.included(found);
            }
            let after = probe.strip_prefix('.').unwrap_or(probe);
            probe = after.find('.').and_then(|at| after.get(at..))?;
        }
    }

    fn by_address(&self, address: IpAddr) -> Option<&HostEntry> {
        let address = address.to_canonical();
        let mut net = Some(IpNet::from(address));
        // The address itself is asked for before its network of one.
        let text = if self.patterns.is_empty() { String::new() } else { address.to_string() };
        if let Some(found) = self.probe(|_| None, |_| None, &text) {
            return self.included(found);
        }
        while let Some(network) = net {
            net = network.supernet();
            if self.patterns.is_empty() && self.prefixes & prefix(&network) == 0 {
                continue;
            }
            let text = if self.patterns.is_empty() { String::new() } else { network.to_string() };
            if let Some(found) = self.probe(|_| None, |side| side.get(&network).copied(), &text) {
                return self.included(found);
            }
        }
        None
    }

    /// What one text or network finds: whether it is in, and by which entry.
    fn probe(
        &self,
        name: impl Fn(&HashMap<String, usize>) -> Option<usize>,
        network: impl Fn(&HashMap<IpNet, usize>) -> Option<usize>,
        text: &str,
    ) -> Option<(bool, usize)> {
        let excluded = name(&self.names.exclude).or_else(|| network(&self.networks.exclude));
        let excluded = excluded.or_else(|| self.like(text, true));
        let included = || name(&self.names.include).or_else(|| network(&self.networks.include));
        let included = || included().or_else(|| self.like(text, false)).map(|by| (true, by));
        excluded.map(|by| (false, by)).or_else(included)
    }

    fn like(&self, text: &str, is_exclusion: bool) -> Option<usize> {
        self.patterns.iter().copied().find(|&number| {
            let pattern = self.entries.get(number).map_or("", |entry| &entry.text);
            match pattern.strip_prefix('!') {
                Some(pattern) => is_exclusion && is_like(pattern, text),
                None => !is_exclusion && is_like(pattern, text),
            }
        })
    }

    fn included(&self, (is_in, by): (bool, usize)) -> Option<&HostEntry> {
        self.entries.get(by).filter(|_| is_in)
    }
}

impl<K> Sides<K> {
    fn side(&mut self, is_exclusion: bool) -> &mut HashMap<K, usize> {
        if is_exclusion { &mut self.exclude } else { &mut self.include }
    }
}

fn prefix(network: &IpNet) -> u128 {
    1_u128.rotate_left(network.prefix_len().into())
}

fn network(text: &str) -> Result<Option<IpNet>, HostProblem> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(Some(address.to_canonical().into()));
    }
    let Some((address, length)) = text.split_once('/') else { return Ok(None) };
    let address = address.strip_prefix('[').unwrap_or(address);
    let Ok(address) = address.trim_end_matches(']').parse::<IpAddr>() else {
        return Err(HostProblem::Unknown);
    };
    if let Ok(mask) = length.parse::<IpAddr>() {
        let meant = IpNet::with_netmask(address, mask).ok();
        return Err(HostProblem::Mask(meant.filter(|network| network.trunc() == *network)));
    }
    let length = length.trim_end_matches(']');
    let prefix = length.parse().ok().and_then(|length| IpNet::new(address, length).ok());
    let network = prefix.ok_or_else(|| HostProblem::Prefix(length.to_owned()))?;
    if network.trunc() == network {
        Ok(Some(canonical(network)))
    } else {
        Err(HostProblem::HostBits { network: network.trunc() })
    }
}

/// A network of addresses of IPv4 that are written as those of IPv6 (RFC 4291 2.5.5.2), as one of
/// IPv4.
pub(crate) fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(net) => net.addr().to_ipv4_mapped().zip(net.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    let net = mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    net.map_or(network, IpNet::V4)
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        !label.is_empty() && label.bytes().all(plain)
    };
    let bare = text.strip_prefix('.').unwrap_or(text);
    // Digits and dots alone are a mistyped address.
    bare.bytes().any(|octet| octet.is_ascii_alphabetic()) && bare.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(is_refile: bool, entries: &[&str]) -> HostList {
        let mut list = HostList::default();
        for entry in entries {
            let origin = Origin { is_refile, ..Origin::default() };
            list.push(entry, origin).unwrap();
        }
        list
    }

    fn has(list: &HostList, host: &str) -> bool {
        match host.parse() {
            Ok(address) => list.contains(None, Some(address)),
            Err(_) => list.contains(Some(host), None),
        }
    }

    #[test]
    fn the_table_of_what_matches() {
        for entry in ["192.0.2.0/24", "192.0.2.10", "[192.0.2.10]", "192.0.2.10/32"] {
            assert!(has(&list(false, &[entry]), "192.0.2.10"), "{entry}");
            assert!(has(&list(false, &[entry]), "::ffff:192.0.2.10"), "{entry}");
            assert!(!has(&list(false, &[entry]), "192.0.3.10"), "{entry}");
        }
        for entry in [".example.com", "mail.example.com", "MAIL.example.com", ".com"] {
            assert!(has(&list(false, &[entry]), "Mail.Example.com."), "{entry}");
        }
        assert!(!has(&list(false, &["example.com"]), "mail.example.com"));
        let except = list(false, &["!192.0.2.10", "192.0.2.0/24"]);
        assert!(!has(&except, "192.0.2.10") && has(&except, "192.0.2.11"));
        let except = list(false, &["!bad.example.com", ".example.com"]);
        assert!(!has(&except, "bad.example.com") && has(&except, "mail.example.com"));
        let pattern = list(true, &["192.0.2.*", "mail*.example.com"]);
        assert!(has(&pattern, "192.0.2.10") && has(&pattern, "mail7.example.com"));
        assert!(has(&list(false, &["fe80::/64"]), "fe80::1"));
        assert!(has(&list(false, &["::ffff:127.0.0.0/104"]), "127.0.0.9"));
    }

    #[test]
    fn entries_that_match_nobody() {
        let problem = |entry: &str, is_refile| {
            let origin = Origin { is_refile, ..Origin::default() };
            HostList::default().push(entry, origin).unwrap_err().rule()
        };
        assert_eq!(problem("192.0.2.77/24", false), "network-host-bits");
        assert_eq!(problem("192.0.2.0/255.255.255.0", false), "network-mask");
        assert_eq!(problem("*.example.com", true), "host-wildcard");
        assert_eq!(problem("mail*.example.com", false), "host-wildcard");
        assert_eq!(problem("192.0.2.0/40", false), "network-prefix");
        for entry in ["", "!", "192.0.2", "192.0.2/24", "300.1.1.1", "a b", "refile:/x", "a..b"] {
            assert_eq!(problem(entry, false), "host-unknown", "{entry}");
        }
    }

    #[test]
    fn networks_that_are_covered() {
        let list = list(false, &["10.0.0.0/8"]);
        assert!(list.covers("10.1.0.0/16".parse().unwrap()));
        assert!(!list.covers("0.0.0.0/0".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[!.*a0-9:/\\[\\]]{0,12}", host in "[.a0-9]{0,8}", is_refile: bool) {
            let mut list = HostList::default();
            let origin = Origin { is_refile, ..Origin::default() };
            let pushed = list.push(&text, origin).is_ok();
            prop_assert_eq!(list.entries().len(), usize::from(pushed));
            has(&list, &host);
        }
    }
}
