//! How much of a hostile peer is remembered.

/// The bounds on what is read from a socket and kept for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one packet, its command included. Local choice: Postfix sends body chunks of 64 KiB
    /// and header fields of up to 100 KiB (`header_size_limit`); a header field is one packet.
    pub packet: usize,
    /// Header fields of a message. Local choice: several times what a long forwarding chain adds.
    pub headers: usize,
    /// Octets of the header fields of a message. Local choice: well-known mail servers stop at about
    /// 100 KiB.
    pub header_octets: usize,
    /// Octets of the macros of one stage. Local choice: many times what Postfix sends; they are kept
    /// for the whole connection.
    pub macro_octets: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            packet: 256 * 1024,
            headers: 512,
            header_octets: 256 * 1024,
            macro_octets: 16 * 1024,
        }
    }
}

/// The data of a body packet. The protocol's MILTER_CHUNK_SIZE: who sends more is refused.
pub const MAX_CHUNK: usize = 65_535;

/// The lines of a reply text. As in libmilter, so that no MTA is asked for more.
pub(crate) const MAX_REPLY_LINES: usize = 32;

/// The text of one reply line. RFC 5321 4.5.3.1.5: "The maximum total length of a reply line
/// including the reply code and the <CRLF> is 512 octets." What is left beside `550-5.255.255`.
pub(crate) const MAX_REPLY_TEXT: usize = 490;

/// What a decoder reads at once when it knows of nothing larger. Local choice.
pub(crate) const READ_AHEAD: usize = 8 * 1024;
