//! The driver's budget for one message, and the bounds of a zone.

use crate::{Failure, Response};

/// What a driver may spend on one call of [`crate::resolve`]. Beyond it every question is
/// answered [`crate::Failure::Budget`], which the protocols report as a temporary error.
///
/// All four are local choices: the RFCs bound single protocols (RFC 7208 4.6.4), not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often the function may name missing questions. Deep enough for SPF's chain of ten
    /// lookups, each an MX and its addresses, and a DMARC Tree Walk after it.
    pub rounds: usize,
    /// How many questions may be asked in all.
    pub queries: usize,
    /// How many questions of one round may be on their way at a time.
    pub concurrency: usize,
    /// About how many octets all responses may take, by [`Response::size`]. An honest message needs
    /// a few thousand; a response may have 64 KB, and whoever sends a message chooses what is asked.
    pub octets: usize,
}

impl Limits {
    /// The response, its octets taken off what is left; [`Failure::Budget`] if there are not so many
    /// left. For drivers, which keep in a copy what is left.
    #[must_use]
    pub fn admit(&mut self, response: Response) -> Response {
        match self.octets.checked_sub(response.size()) {
            Some(left) => {
                self.octets = left;
                response
            }
            None => Response::Failure(Failure::Budget),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { rounds: 40, queries: 100, concurrency: 16, octets: 1 << 20 }
    }
}

/// What a [`crate::Zone`] or a [`crate::Recording`] takes from a file, and how far it follows
/// aliases. All local choices: RFC 1035 bounds names and records, not files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneLimits {
    /// The octets of one file. A zone that is mail policy has kilobytes; the memory of the records
    /// is at most some fifteen times the file.
    pub file_octets: usize,
    /// How many errors of one file are kept; more are only counted.
    pub errors: usize,
    /// How many aliases (CNAME) one lookup follows. RFC 1034 3.6.2 wants chains followed and
    /// loops signalled; resolvers stop between 8 and 17.
    pub aliases: usize,
}

impl Default for ZoneLimits {
    fn default() -> ZoneLimits {
        ZoneLimits { file_octets: 16 << 20, errors: 100, aliases: 16 }
    }
}
