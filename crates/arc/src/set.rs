//! The three header fields of an ARC Set as values (RFC 8617 4.1).

use std::fmt;
use std::ops::Range;

use mailproof_dkim::{SealSignature, Signature};

/// The Chain Validation Status (RFC 8617 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChainStatus {
    /// There is no chain.
    None,
    /// The chain validates.
    Pass,
    /// There is a chain that does not: "treated the same as a message with no Authenticated
    /// Received Chain" (RFC 8617 5.2).
    Fail,
}

impl ChainStatus {
    /// The keyword of RFC 8617 3.9, chain-status.
    pub fn keyword(self) -> &'static str {
        match self {
            ChainStatus::None => "none",
            ChainStatus::Pass => "pass",
            ChainStatus::Fail => "fail",
        }
    }
}

impl fmt::Display for ChainStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// The header fields of an ARC Set (RFC 8617 4.2), in the order in which a seal signs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArcField {
    /// ARC-Authentication-Results, AAR (RFC 8617 4.1.1).
    AuthenticationResults,
    /// ARC-Message-Signature, AMS (RFC 8617 4.1.2).
    MessageSignature,
    /// ARC-Seal, AS (RFC 8617 4.1.3).
    Seal,
}

impl ArcField {
    /// All three, in the order in which a seal signs them.
    pub const ALL: [ArcField; 3] =
        [ArcField::AuthenticationResults, ArcField::MessageSignature, ArcField::Seal];

    /// The name of the header field.
    pub fn name(self) -> &'static str {
        match self {
            ArcField::AuthenticationResults => "ARC-Authentication-Results",
            ArcField::MessageSignature => "ARC-Message-Signature",
            ArcField::Seal => "ARC-Seal",
        }
    }
}

impl fmt::Display for ArcField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An ARC-Authentication-Results header field (RFC 8617 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArcAuthenticationResults {
    /// The instance.
    pub instance: u8,
    /// Where the authres-payload stands in the field's value. Whether it can be read changes
    /// nothing in the chain; [`mailproof_authres::AuthenticationResults::parse`] tells.
    pub payload_span: Range<usize>,
}

/// An ARC-Message-Signature header field (RFC 8617 4.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArcMessageSignature {
    /// The instance.
    pub instance: u8,
    /// The signature; its AUID is always `None`.
    pub signature: Signature,
}

/// An ARC-Seal header field (RFC 8617 4.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArcSeal {
    /// The instance.
    pub instance: u8,
    /// Tag cv=: what the sealer found of the chain before it.
    pub status: ChainStatus,
    /// The signature over the ARC Sets.
    pub signature: SealSignature,
}
