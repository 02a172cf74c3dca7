//! How much of a list is read.

/// What one list may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tags in one list. Local choice: RFC 6376 names 14 for signatures and 8 for keys, and the
    /// search for duplicates is quadratic in this number.
    pub tags: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { tags: 64 }
    }
}
