//! What this verifier does not accept though RFC 6376 lets it.

use mailproof_message::NameSet;

/// Local policy (RFC 6376 6.1.3 and 8.2: a verifier may refuse what the signature leaves open).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Accept a signature whose l= leaves part of the body unsigned. Off by default: RFC 6376 8.2
    /// tells how appended content then wears the signature, and it has been done.
    pub accept_unsigned_content: bool,
    /// Accept a signature although a field that may stand once (RFC 5322 3.6), and that it signs,
    /// stands again unsigned. Off by default: RFC 6376 8.15, the reader may be shown the other.
    pub accept_unsigned_duplicates: bool,
    /// How far the clocks of signer and verifier may differ, in seconds, when t= and x= are
    /// judged. Local choice; OpenDKIM's default too.
    pub clock_skew: u64,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            accept_unsigned_content: false,
            accept_unsigned_duplicates: false,
            clock_skew: 300,
        }
    }
}

/// The fields of which a message has at most one (RFC 5322 3.6; RFC 2045 3 for MIME's), in lower
/// case, as far as a reader is shown them or they decide what a reader is shown.
pub(crate) static SINGLETONS: NameSet = NameSet::new(&[
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "date",
    "subject",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
]);
