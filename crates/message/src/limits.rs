//! How much of a hostile message is read.

/// The bounds on what is read of a header section and of its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the header section, without the empty line. Local choice: RFC 5322 bounds lines,
    /// not sections; well-known mail servers stop at about 100 KiB.
    pub section: usize,
    /// Octets of one header field. Local choice, for the same reason.
    pub field: usize,
    /// Header fields. Local choice: several times what a long forwarding chain adds.
    pub fields: usize,
    /// Mailboxes of an address list. Local choice: no author list is that long.
    pub mailboxes: usize,
    /// Different Author Domains of a message. Local choice, as RFC 9989 11.5 asks for one: each
    /// may cost its own DMARC evaluation.
    pub author_domains: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            section: 256 * 1024,
            field: 64 * 1024,
            fields: 512,
            mailboxes: 64,
            author_domains: 5,
        }
    }
}

/// How many [`crate::Defect`]s of a header section are kept, the first ones. Local choice: enough
/// to explain a broken message, and a section of bare LFs costs no memory.
pub const MAX_DEFECTS: usize = 32;

/// How deep comments are nested in an address (RFC 5322 3.2.2). Local choice: nobody writes more.
pub const MAX_COMMENT_DEPTH: usize = 16;

/// RFC 5322 2.1.1: "Each line of characters MUST be no more than 998 characters [...] excluding
/// the CRLF."
pub(crate) const MAX_LINE: usize = 998;

/// Why a header section is not read: it is beyond one of the [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TooLarge {
    /// No empty line within [`Limits::section`] octets.
    #[error("the header section is larger than {}", Octets(*.limit))]
    Section {
        /// The limit in octets.
        limit: usize,
    },
    /// A field is longer than [`Limits::field`] octets.
    #[error("a header field is longer than {}", Octets(*.limit))]
    Field {
        /// The limit in octets.
        limit: usize,
    },
    /// More fields than [`Limits::fields`].
    #[error("the header section has more than {limit} fields")]
    Fields {
        /// The limit.
        limit: usize,
    },
}

struct Octets(usize);

impl std::fmt::Display for Octets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            octets if octets >= 1024 && octets % 1024 == 0 => write!(f, "{} KiB", octets / 1024),
            octets => write!(f, "{octets} octets"),
        }
    }
}
