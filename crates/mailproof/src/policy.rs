//! Local policy of a receiver.

use mailproof_arc::TrustedSealers;

/// What the RFCs leave to the receiver.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What DKIM signatures are accepted.
    pub dkim: mailproof_dkim::Policy,
    /// What ARC message signatures are accepted.
    pub arc: mailproof_dkim::Policy,
    /// Whose chains may override the disposition that DMARC advises (RFC 8617 7.2.1); nobody's by
    /// default. No result changes by it.
    pub trusted_sealers: TrustedSealers,
    /// How Organizational Domains are determined.
    pub discovery: mailproof_dmarc::Discovery,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            dkim: mailproof_dkim::Policy::default(),
            arc: mailproof_arc::default_policy(),
            trusted_sealers: TrustedSealers::default(),
            discovery: mailproof_dmarc::Discovery::default(),
        }
    }
}
