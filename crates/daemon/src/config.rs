//! The configuration as the daemon works with it: settings, and what they point at, read and
//! checked.

mod resolve;
mod resolve_sign;

pub(crate) use resolve::place_of;

use std::path::PathBuf;
use std::sync::Arc;

use mailproof_dkim::{FieldSelection, PrivateKey};
use mailproof_dns::Name;
use mailproof_keygen::{KeyTable, SigningTable};

use crate::domains::DomainList;
use crate::files::Keys;
use crate::hosts::HostList;
use crate::settings::Settings;

/// A configuration, resolved.
///
/// What is a plain value is in `settings`; the rest is what `settings` points at.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// What is written, with the defaults of what is not.
    pub settings: Settings,
    /// `peers`.
    pub peers: HostList,
    /// `exempt-domains`.
    pub exempt_domains: DomainList,
    /// `sign.internal-hosts`.
    pub internal_hosts: HostList,
    /// `sign.not-to`.
    pub not_to: DomainList,
    /// What signs, `sign.key` or `sign.table`.
    pub signing: Signing,
    /// `seal`, with its key.
    pub seal: Option<SealingKey>,
    /// `verify.ignore-hosts`.
    pub ignore_hosts: HostList,
    /// `verify.ignore-domains`.
    pub ignore_domains: DomainList,
    /// `verify.trusted-sealers`.
    pub trusted_sealers: Vec<Name>,
    /// `history.not-to`.
    pub history_not_to: DomainList,
    /// `spf-service.skip-addresses`.
    pub skip_addresses: HostList,
    /// `spf-service.allow-addresses`.
    pub allow_addresses: HostList,
}

/// What signs.
#[derive(Debug, Clone, Default)]
pub struct Signing {
    /// The keys of `sign.key`.
    pub keys: Vec<AuthorKey>,
    /// The tables of `sign.table`, in place of keys.
    pub tables: Option<Tables>,
    /// The keys of the tables that are not different for each author, by their paths.
    pub private_keys: Keys,
    /// Tag h= (RFC 6376 5.4).
    pub fields: FieldSelection,
}

impl Signing {
    /// Whether nothing is ever signed.
    pub fn is_empty(&self) -> bool {
        self.keys.iter().all(|key| key.domains.is_empty())
            && self.tables.as_ref().is_none_or(|tables| tables.authors.entries().is_empty())
    }
}

/// A key, and the authors it is for.
#[derive(Debug, Clone)]
pub struct AuthorKey {
    /// The domains of the authors.
    pub domains: DomainList,
    /// Whether it is for the domains below them too.
    pub subdomains: bool,
    /// Tag s=.
    pub selector: Name,
    /// Where the key is.
    pub file: PathBuf,
    /// The key; `None` if it could not be read, which is a finding.
    pub key: Option<Arc<PrivateKey>>,
}

/// The tables of OpenDKIM, read.
#[derive(Debug, Clone)]
pub struct Tables {
    /// The KeyTable.
    pub keys: KeyTable,
    /// The SigningTable.
    pub authors: SigningTable,
    /// Whether all lines that match an author sign, not the first alone.
    pub multiple: bool,
}

/// What seals.
#[derive(Debug, Clone)]
pub struct SealingKey {
    /// Tag d=.
    pub domain: Name,
    /// Tag s=.
    pub selector: Name,
    /// The key; `None` if it could not be read, which is a finding.
    pub key: Option<Arc<PrivateKey>>,
}
