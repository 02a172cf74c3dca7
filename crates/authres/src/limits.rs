//! How much of a field is read and printed.

/// What reading one field may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one field's value. Local choice: the largest seen in mail are below 4 KiB.
    pub octets: usize,
    /// Comments within comments. Local choice, as for the comments of a From field; RFC 5322 3.2.2
    /// sets no limit.
    pub comment_depth: usize,
    /// Results (and properties of one result) in one field. Local choice: RFC 8601 2.2 sets no
    /// limit, and no verifier of ours writes as many.
    pub results: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { octets: 16 * 1024, comment_depth: 16, results: 100 }
    }
}

/// A printed line is folded to this where it can be (RFC 5322 2.1.1: SHOULD).
pub(crate) const LINE: usize = 78;
/// Printed values are cut to so many octets, so that no line comes near 998 (RFC 5322 2.1.1: MUST)
/// even where every octet is escaped. Local choice: no domain and no address is longer.
pub(crate) const VALUE: usize = 400;
/// Printed keywords are cut to so many octets. Local choice.
pub(crate) const KEYWORD: usize = 63;
/// Words with U-labels compared in the head of one field; with more, the field is removed. Local
/// choice: an authserv-id is one word.
pub(crate) const U_LABEL_WORDS: usize = 16;
/// Octets of a name whose U-labels are mapped to A-labels. Local choice: four for each character of
/// the longest domain name.
pub(crate) const U_LABEL_OCTETS: usize = 1012;
