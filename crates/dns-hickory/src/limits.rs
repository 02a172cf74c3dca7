//! Bounds of time and memory.

use std::time::Duration;

/// What one question, and all questions together, may cost. The number of questions of one message
/// is bounded by [`mailproof_dns::Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long one attempt waits for an answer. Local choice: what OpenDKIM waits; RFC 7208 4.6.4
    /// wants at least 20 seconds for all of a check.
    pub timeout: Duration,
    /// How often a question is asked before it counts as failed; at least 1. Local choice: UDP
    /// loses packets, and two attempts stay within the 20 seconds.
    pub attempts: usize,
    /// How many questions are on their way at a time; the others wait for their turn. Local choice:
    /// each may hold a socket, of which a process commonly may have 1024.
    pub concurrency: usize,
    /// How many responses the cache keeps; 0 for none. Local choice, some megabytes.
    pub cached_responses: usize,
    /// About how many octets of them. Local choice: an answer may have 64 KB.
    pub cached_octets: usize,
    /// How long every response is kept at least, failures too; beyond that, as long as its TTL
    /// says. Local choice: zero, since RFC 1035 3.2.1 leaves it to the TTL; who looks at many
    /// domains in one run wants the same answer throughout.
    pub kept_at_least: Duration,
    /// How long a response is kept at most, whatever its TTL says. RFC 2181 8 allows 68 years, RFC
    /// 8767 4 caps "on the order of days to weeks". Local choice: a day.
    pub kept_at_most: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            timeout: Duration::from_secs(5),
            attempts: 2,
            concurrency: 512,
            cached_responses: 4096,
            cached_octets: 16 << 20,
            kept_at_least: Duration::ZERO,
            kept_at_most: Duration::from_secs(86_400),
        }
    }
}
