//! The driver's budget for one message.

/// What a driver may spend on one call of [`crate::resolve`]. Beyond it every question is
/// answered [`crate::Failure::Budget`], which the protocols report as a temporary error.
///
/// All three are local choices: the RFCs bound single protocols (RFC 7208 4.6.4), not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often the function may name missing questions. Deep enough for SPF's chain of ten
    /// lookups, each an MX and its addresses, and a DMARC Tree Walk after it.
    pub rounds: usize,
    /// How many questions may be asked in all.
    pub queries: usize,
    /// How many questions of one round may be on their way at a time.
    pub concurrency: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { rounds: 40, queries: 100, concurrency: 16 }
    }
}
