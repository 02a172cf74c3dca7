//! What one evaluation may cost.

/// What one evaluation may cost. RFC 9989 4.10 bounds one walk to eight queries; the rest are
/// bounds of products that a sender could grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Author Domains evaluated; more make the evaluation incomplete. RFC 9989 11.5: "Limiting the
    /// number of Author Domains processed will avoid this risk"; the number is a local choice.
    pub author_domains: usize,
    /// Authenticated Identifiers for which a walk of their own is made. Local choice: only
    /// identifiers below the Organizational Domain of an Author Domain need one.
    pub walks: usize,
    /// Questions named before any answer is known. Local choice: three full walks.
    pub foreseen: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { author_domains: 5, walks: 10, foreseen: 24 }
    }
}

/// Queries of one walk (RFC 9989 4.10: "Author Domains with more than eight labels do not result
/// in more than eight DNS queries"): the name itself, then names of seven labels down to one.
pub(crate) const WALK_LABELS: usize = 7;
/// Tags of one record that are read. Local choice: eleven are known, three more historic.
pub(crate) const TAGS: usize = 64;
/// Reporting URIs of one tag that are read. Local choice.
pub(crate) const URIS: usize = 20;
