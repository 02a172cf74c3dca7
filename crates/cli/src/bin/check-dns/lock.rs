//! The lock file: what was published when somebody last said that it is right.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use ipnet::IpNet;
use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use serde::{Deserialize, Serialize};

use crate::published::Published;

/// The version of the file.
const VERSION: u32 = 1;

/// What was published, by domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    version: u32,
    pub(crate) domains: BTreeMap<String, Published>,
}

/// One difference between the lock file and what is published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) what: What,
    pub(crate) message: String,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Spf,
    Key,
    MtaSts,
    /// The policy of MTA-STS, its id the same.
    MtaStsPolicy,
}

impl Default for Lock {
    fn default() -> Lock {
        Lock { version: VERSION, domains: BTreeMap::new() }
    }
}

impl Lock {
    /// Reads the file; `None` if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Lock>, Trouble> {
        let name = path.to_string_lossy();
        let octets = match fs::read(path) {
            Ok(octets) => octets,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Trouble::input(&*name, reason(&error))),
        };
        let lock: Lock = serde_json::from_slice(&octets)
            .map_err(|error| Trouble::input(&*name, format!("not written by --lock: {error}")))?;
        if lock.version != VERSION {
            return Err(Trouble::input(&*name, format!("version {} is not known", lock.version)));
        }
        Ok(Some(lock))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Trouble> {
        let name = path.to_string_lossy();
        let text =
            serde_json::to_string_pretty(self).map_err(|error| Trouble::input(&*name, error))?;
        fs::write(path, text + "\n").map_err(|error| Trouble::input(&*name, reason(&error)))
    }
}

/// What differs from what was.
pub(crate) fn drift(was: &Published, is: &Published) -> Vec<Drift> {
    let mut drift = Vec::new();
    let owners: BTreeSet<&String> = was.spf.keys().chain(is.spf.keys()).collect();
    for owner in owners {
        let change = match (was.spf.get(owner), is.spf.get(owner)) {
            (Some(_), None) => "is no longer part of the SPF tree",
            (None, Some(_)) => "is new in the SPF tree",
            (Some(was), Some(is)) if was != is => "has changed its SPF record",
            _ => continue,
        };
        drift.push(Drift { what: What::Spf, message: format!("{owner} {change}") });
    }
    for (label, these, those) in [
        ("may send now", &is.networks, &was.networks),
        ("may send no longer", &was.networks, &is.networks),
    ] {
        let networks: Vec<String> = without(these, those).iter().map(ToString::to_string).collect();
        if !networks.is_empty() {
            let message = format!("{} {label}", some(&networks));
            drift.push(Drift { what: What::Spf, message });
        }
    }
    let selectors: BTreeSet<&String> = was.keys.keys().chain(is.keys.keys()).collect();
    for selector in selectors {
        let change = match (was.keys.get(selector), is.keys.get(selector)) {
            (Some(_), None) => "is gone",
            (None, Some(_)) => "is new",
            (Some(was), Some(is)) if was != is => "is another one",
            _ => continue,
        };
        let message = format!("the key of selector {selector} {change}");
        drift.push(Drift { what: What::Key, message });
    }
    if was.mta_sts != is.mta_sts {
        let word = |id: &Option<String>| id.clone().unwrap_or_else(|| "none".into());
        let message =
            format!("the MTA-STS id was {}, is {}", word(&was.mta_sts), word(&is.mta_sts));
        drift.push(Drift { what: What::MtaSts, message });
    }
    // Without --network nothing is known of the policy.
    if let (Some(before), Some(now)) = (&was.mta_sts_policy, &is.mta_sts_policy)
        && before != now
        && was.mta_sts == is.mta_sts
        && is.mta_sts.is_some()
    {
        let message = "the MTA-STS policy has changed, and the id of the record has not".to_owned();
        drift.push(Drift { what: What::MtaStsPolicy, message });
    }
    drift
}

/// The addresses of some networks that are in none of the others.
fn without(these: &BTreeSet<String>, those: &BTreeSet<String>) -> Vec<IpNet> {
    let read = |networks: &BTreeSet<String>| {
        let networks: Vec<IpNet> = networks.iter().filter_map(|text| text.parse().ok()).collect();
        IpNet::aggregate(&networks)
    };
    let those = read(those);
    let mut left = Vec::new();
    for network in read(these) {
        subtract(network, &those, &mut left);
    }
    left
}

/// Halves the network until each part is in one of the others, or apart from them all.
fn subtract(network: IpNet, others: &[IpNet], left: &mut Vec<IpNet>) {
    if others.iter().any(|other| other.contains(&network)) {
        return;
    }
    let within: Vec<IpNet> =
        others.iter().filter(|other| network.contains(*other)).copied().collect();
    if within.is_empty() {
        left.push(network);
        return;
    }
    for half in network.subnets(network.prefix_len().saturating_add(1)).into_iter().flatten() {
        subtract(half, &within, left);
    }
}

/// The first of many.
fn some(words: &[String]) -> String {
    const SHOWN: usize = 8;
    let first = words.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(spf: &str, network: &str, key: &str, id: Option<&str>) -> Published {
        Published {
            spf: [("example.com".to_owned(), spf.to_owned())].into(),
            networks: [network.to_owned()].into(),
            keys: [("s".to_owned(), key.to_owned())].into(),
            mta_sts: id.map(ToOwned::to_owned),
            mta_sts_policy: None,
        }
    }

    #[test]
    fn every_difference() {
        let was = published("v=spf1 a -all", "192.0.2.1/32", "aa", Some("1"));
        let is = published("v=spf1 mx -all", "192.0.2.2/32", "bb", None);
        assert_eq!(drift(&was, &was), []);
        let messages: Vec<String> =
            drift(&was, &is).into_iter().map(|drift| drift.message).collect();
        assert_eq!(
            messages,
            [
                "example.com has changed its SPF record",
                "192.0.2.2/32 may send now",
                "192.0.2.1/32 may send no longer",
                "the key of selector s is another one",
                "the MTA-STS id was 1, is none",
            ]
        );
    }

    #[test]
    fn networks_within_others_are_told_as_they_are() {
        let difference = |these: &[&str], those: &[&str]| -> Vec<String> {
            let set = |networks: &[&str]| networks.iter().map(ToString::to_string).collect();
            without(&set(these), &set(those)).iter().map(ToString::to_string).collect()
        };
        assert_eq!(difference(&["192.0.2.0/28"], &["192.0.2.0/27"]), [""; 0]);
        assert_eq!(difference(&["192.0.2.0/27"], &["192.0.2.0/28"]), ["192.0.2.16/28"]);
        assert_eq!(difference(&["192.0.2.0/27"], &["192.0.2.0/28", "192.0.2.16/28"]), [""; 0]);
        assert_eq!(
            difference(&["192.0.2.0/30"], &["192.0.2.1/32"]),
            ["192.0.2.0/32", "192.0.2.2/31"]
        );
        assert_eq!(difference(&["2001:db8::/32"], &["192.0.2.0/24"]), ["2001:db8::/32"]);
        assert_eq!(difference(&["::/0"], &["::/1"]), ["8000::/1"]);
    }

    #[test]
    fn a_policy_that_changed_without_its_id() {
        let with = |id: &str, policy: &str| Published {
            mta_sts_policy: Some(policy.to_owned()),
            ..published("v=spf1 -all", "::/0", "aa", Some(id))
        };
        let what = |was: &Published, is: &Published| -> Vec<What> {
            drift(was, is).into_iter().map(|drift| drift.what).collect()
        };
        assert_eq!(what(&with("1", "a"), &with("1", "b")), [What::MtaStsPolicy]);
        assert_eq!(what(&with("1", "a"), &with("2", "b")), [What::MtaSts]);
        assert_eq!(what(&with("1", "a"), &with("1", "a")), []);
        let without = published("v=spf1 -all", "::/0", "aa", Some("1"));
        assert_eq!(what(&without, &with("1", "b")), []);
    }

    #[test]
    fn written_and_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("lock");
        assert_eq!(Lock::read(&path).unwrap(), None);
        let mut lock = Lock::default();
        lock.domains.insert("example.com".into(), published("v=spf1 -all", "::/0", "aa", None));
        lock.write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap(), Some(lock));
        fs::write(&path, "{}").unwrap();
        assert!(Lock::read(&path).is_err());
    }
}
