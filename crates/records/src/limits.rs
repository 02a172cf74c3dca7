//! Limits.

use std::time::Duration;

/// How much is looked at, and from where on it is too much.
///
/// What is bounded can be made as large by whoever publishes it; what has a threshold is a matter
/// of opinion, and may be set otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Findings of one rule in the records of one name. Local choice: nobody mends more at a time,
    /// and a record of 64 kB could be wrong ten thousand times.
    pub repeats: usize,
    /// Mail exchanges that are looked at. Local choice: the number that RFC 7208 4.6.4 allows the
    /// term "mx"; an answer of 64 kB could name thousands, with five questions each.
    pub exchanges: usize,
    /// Addresses of mail exchanges whose reverse names are looked for. Local choice, as above.
    pub addresses: usize,
    /// Reverse names that are followed. RFC 8601 2.7.3: SHOULD be limited, as RFC 7208 4.6.4 does.
    pub reverse_names: usize,
    /// Records of an SPF tree that are looked at. Local choice: RFC 7208 4.6.4 allows eleven.
    pub spf_records: usize,
    /// How deep an SPF tree is followed. Local choice: as deep as eleven lookups can lead.
    pub spf_depth: usize,
    /// Terms of an SPF tree that are looked up. Local choice: ten times what a receiver looks up;
    /// more are counted.
    pub spf_asked: usize,
    /// Networks of an SPF tree that are added up. Local choice: more than any tree that is meant
    /// has.
    pub spf_networks: usize,
    /// Networks of one SPF record that are compared with each other. Local choice: what one text
    /// record holds.
    pub spf_compared: usize,
    /// RFC 7208 4.6.4: "MUST limit the total number of those terms to 10".
    pub spf_lookups: usize,
    /// RFC 7208 4.6.4: "SHOULD limit "void lookups" to two".
    pub spf_void: usize,
    /// How long the lookups of an SPF record may take one after the other. RFC 7208 4.6.4: "MTAs
    /// or other processors SHOULD impose a limit on the maximum amount of elapsed time [...] SHOULD
    /// allow at least 20 seconds."
    pub spf_time: Duration,
    /// SPF061 warns of IPv4 networks with a shorter prefix. Local choice: 65,536 addresses.
    pub ipv4_prefix: u8,
    /// SPF061 is an error for IPv4 networks with a shorter prefix. Local choice.
    pub ipv4_prefix_error: u8,
    /// SPF061 warns of IPv6 networks with a shorter prefix. Local choice: what a provider has.
    pub ipv6_prefix: u8,
    /// SPF061 warns of trees with more IPv4 addresses. Local choice: more than anybody sends from.
    pub ipv4_addresses: u64,
    /// SPF061 is an error for trees with more IPv4 addresses. Local choice: a whole /8.
    pub ipv4_addresses_error: u64,
    /// RSA moduli that are searched for common factors, each with each. Local choice: a domain has
    /// a few selectors, and the work grows with the square.
    pub moduli: usize,
    /// Octets of a list of weak keys. Local choice: ten times the largest that Debian has.
    pub weak_keys: usize,
    /// Octets of an MTA-STS policy. RFC 8461 3.3: "a suggested maximum policy size is 64
    /// kilobytes".
    pub policy: usize,
    /// Octets of a BIMI logo. The draft on SVG Tiny Portable/Secure: 32 kilobytes.
    pub logo: usize,
    /// Octets of a mark certificate with its chain. Local choice: several logos.
    pub mark: usize,
    /// How long before its end a certificate is told of. Local choice: two weeks, as certification
    /// authorities remind.
    pub certificate_end: Duration,
    /// How long before its end a registration is told of. Local choice: a month.
    pub registration_end: Duration,
    /// Domains whose registration is asked for. Local choice: as many as SPF may include.
    pub registrations: usize,
    /// Name servers that are held against each other. Local choice: a delegation that fits into
    /// one answer has up to thirteen.
    pub servers: usize,
    /// How long a selector has to be absent from reports. Local choice: a week, so that mail of
    /// every day of the week is in them.
    pub reports: Duration,
}

const DAY: u64 = 86_400;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            repeats: 50,
            exchanges: 10,
            addresses: 50,
            reverse_names: 10,
            spf_records: 64,
            spf_depth: 12,
            spf_asked: 100,
            spf_networks: 8192,
            spf_compared: 256,
            spf_lookups: 10,
            spf_void: 2,
            spf_time: Duration::from_secs(20),
            ipv4_prefix: 16,
            ipv4_prefix_error: 8,
            ipv6_prefix: 32,
            ipv4_addresses: 1 << 20,
            ipv4_addresses_error: 1 << 24,
            moduli: 32,
            weak_keys: 16 << 20,
            policy: 65_536,
            logo: 32_768,
            mark: 1 << 18,
            certificate_end: Duration::from_secs(14 * DAY),
            registration_end: Duration::from_secs(30 * DAY),
            registrations: 10,
            servers: 13,
            reports: Duration::from_secs(7 * DAY),
        }
    }
}
