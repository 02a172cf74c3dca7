//! What is verified.

use serde::{Deserialize, Serialize};

use crate::value::{Item, Seconds};

/// Which mail is verified, and what is added to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Verify {
    /// The hosts whose mail is passed through as it is.
    pub ignore_hosts: Vec<Item>,
    /// Whether the mail of clients that authenticate themselves is passed through.
    pub ignore_authenticated: bool,
    /// Mail of authors in these domains is passed through.
    pub ignore_domains: Vec<Item>,
    /// Whether a Received-SPF field (RFC 7208 9.1) is added too.
    pub received_spf: bool,
    /// Authentication-Results fields with one of these authserv-ids are removed, beside our own.
    pub remove_results_of: Vec<super::AuthservId>,
    /// Whether all Authentication-Results fields are removed.
    pub remove_all_results: bool,
    /// How many signatures of a message are verified. RFC 6376 6.1 lets a verifier limit them.
    pub signatures: usize,
    /// The smallest RSA key whose signature counts, in bits. RFC 8301 3.2 wants 1024 at least.
    pub minimum_key_bits: usize,
    /// How far the clocks of signer and verifier may differ.
    pub clock_drift: Seconds,
    /// Whose ARC chains may override the disposition that DMARC advises (RFC 8617 7.2.1).
    pub trusted_sealers: Vec<Item>,
}

impl Default for Verify {
    fn default() -> Verify {
        Verify {
            ignore_hosts: Item::loopback(),
            ignore_authenticated: true,
            ignore_domains: Vec::new(),
            received_spf: false,
            remove_results_of: Vec::new(),
            remove_all_results: false,
            signatures: 10,
            minimum_key_bits: 1024,
            clock_drift: Seconds(300),
            trusted_sealers: Vec::new(),
        }
    }
}
