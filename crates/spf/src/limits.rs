//! What an evaluation may spend (RFC 7208 4.6.4, 11.1).

/// The processing limits of one evaluation of `check_host`.
///
/// All but the explanation's length end in permerror: the record asks for too much, and will the
/// next time. Time (RFC 7208 4.6.4: SHOULD allow 20 seconds, then temperror) is the driver's:
/// a question it gives up on is answered by a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Terms that cause DNS queries, over the whole evaluation. RFC 7208 4.6.4: MUST be 10.
    pub terms: u8,
    /// Terms whose lookup finds nothing. RFC 7208 4.6.4: SHOULD be 2.
    pub void_lookups: u32,
    /// Mail exchanges of one `mx`. RFC 7208 4.6.4: MUST be 10, more is permerror.
    pub mx_hosts: usize,
    /// Reverse names that are validated. RFC 7208 4.6.4: MUST be 10, more are ignored.
    pub ptr_names: usize,
    /// Lookups in all, counted in order. Local choice: the RFC's limits multiply to 111 lookups
    /// for one message (10 `mx` of 10 hosts each), a DNS amplifier (RFC 7208 11.1) that no
    /// honest record needs.
    pub queries: u32,
    /// Octets of one record. Local choice: RFC 7208 3.4 asks for less than 450, a resolver may
    /// hand out 65,535.
    pub record_octets: usize,
    /// Octets of an explanation, cut there. Local choice by the leave of RFC 7208 6.2: an SMTP
    /// reply line has 512 (RFC 5321 4.5.3.1.5).
    pub explanation_octets: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            terms: 10,
            void_lookups: 2,
            mx_hosts: 10,
            ptr_names: 10,
            queries: 40,
            record_octets: 4096,
            explanation_octets: 512,
        }
    }
}
