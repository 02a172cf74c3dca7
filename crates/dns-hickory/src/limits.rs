//! Bounds of time and memory.

use std::time::Duration;

/// What one question may cost. The number of questions is bounded by [`mailproof_dns::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long one attempt waits for an answer. Local choice: what OpenDKIM waits; RFC 7208 4.6.4
    /// wants at least 20 seconds for all of a check.
    pub timeout: Duration,
    /// How often a question is asked before it counts as failed; at least 1. Local choice: UDP
    /// loses packets, and two attempts stay within the 20 seconds.
    pub attempts: usize,
    /// How many responses the cache keeps; 0 for none. Local choice, some megabytes.
    pub cached_responses: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { timeout: Duration::from_secs(5), attempts: 2, cached_responses: 4096 }
    }
}
