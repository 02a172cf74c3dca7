//! Names that no name server is asked for (RFC 6761): hickory-resolver knows their answers.

use std::sync::LazyLock;

use mailproof_dns::Name;

/// RFC 6761 6.3: 127.0.0.0/8 and ::1 are localhost.
static LOOPBACK: LazyLock<[Name; 2]> = LazyLock::new(|| {
    let ip6 = std::iter::once("1").chain(std::iter::repeat_n("0", 31)).chain(["ip6", "arpa"]);
    [
        Name::from_labels(["127", "in-addr", "arpa"]).unwrap_or_else(|_| Name::root()),
        Name::from_labels(ip6).unwrap_or_else(|_| Name::root()),
    ]
});

/// Whether the name is localhost (RFC 6761 6.3), invalid (6.4), onion (RFC 7686), or below one.
pub(crate) fn is_special(name: &Name) -> bool {
    match name.labels().last() {
        Some(b"localhost" | b"invalid" | b"onion") => true,
        Some(b"arpa") => LOOPBACK.iter().any(|loopback| name.is_at_or_below(loopback)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special() {
        for (name, special) in [
            ("localhost", true),
            ("a.localhost", true),
            ("x.invalid", true),
            ("example.onion", true),
            ("1.0.0.127.in-addr.arpa", true),
            ("1.2.0.192.in-addr.arpa", false),
            ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", true),
            ("8.b.d.0.1.0.0.2.ip6.arpa", false),
            ("localhost.example", false),
            (".", false),
        ] {
            assert_eq!(is_special(&name.parse().unwrap()), special, "{name}");
        }
    }
}
