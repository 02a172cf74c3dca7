//! What a chain may cost.

/// The bounds of one validation. Their product is the worst case: with 50 sets it is 51 signatures
/// that must verify and up to 49 more for "oldest-pass", of keys from at most 20 names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How many ARC Sets a chain may have. MUST: RFC 8617 5.2 step 1, "The maximum number of ARC
    /// Sets that can be attached to a message is 50."
    pub sets: u8,
    /// How many different key names the signatures that decide may need: all ARC-Seals and the
    /// newest ARC-Message-Signature. Beyond it nothing is asked and the chain fails. Local choice,
    /// against RFC 8617 9.2: "an attacker can send … a concocted sequence of ARC Sets bearing the
    /// domains of intended victims". Chains as they are have two or three.
    pub key_names: usize,
    /// How many older ARC-Message-Signatures are verified for "oldest-pass", which RFC 8617 5.2
    /// step 5 makes optional. Local choice; where it ends the walk, the value stays unknown.
    pub older_signatures: usize,
    /// What one signature may cost. As in DKIM.
    pub signature: mailproof_dkim::Limits,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            sets: 50,
            key_names: 20,
            older_signatures: 10,
            signature: mailproof_dkim::Limits::default(),
        }
    }
}
