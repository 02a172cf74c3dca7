//! What one message may cost.

/// The bounds of one verification.
///
/// All protocols draw on the budget of the driver, [`mailproof_dns::Limits`]: 100 queries for one
/// message by default, and 1 MiB of answers. Beyond it every question is answered by a failure,
/// which makes the method that asked a temporary error. The questions are named in the order DKIM,
/// DMARC, SPF, ARC, iprev, so the budget runs out for what decides least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// SPF: at most 40 lookups for each of two identities.
    pub spf: mailproof_spf::Limits,
    /// DKIM: at most 10 keys.
    pub dkim: mailproof_dkim::Limits,
    /// ARC: at most 20 keys.
    pub arc: mailproof_arc::Limits,
    /// DMARC: at most 24 questions in the first round.
    pub dmarc: mailproof_dmarc::Limits,
    /// How many reverse names of the client are looked up. RFC 8601 3: "the number of names
    /// evaluated … is limited"; the number is that of RFC 7208 4.6.4.
    pub reverse_names: usize,
    /// How many DKIM signatures an Authentication-Results field tells of, those that pass first.
    /// Local choice: the field must be read by others, too.
    pub reported_signatures: usize,
    /// How many DKIM key records are kept parsed between messages. Local choice; an RSA key of 2048
    /// bits takes about 2 kB, text and all.
    pub kept_keys: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            spf: mailproof_spf::Limits::default(),
            dkim: mailproof_dkim::Limits::default(),
            arc: mailproof_arc::Limits::default(),
            dmarc: mailproof_dmarc::Limits::default(),
            reverse_names: 10,
            reported_signatures: 20,
            kept_keys: 2048,
        }
    }
}
