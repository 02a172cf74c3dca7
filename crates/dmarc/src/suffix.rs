//! Organizational Domains by the Public Suffix List (RFC 7489 3.2).

use mailproof_dns::Name;

/// The Organizational Domain: the longest public suffix and one label more. A public suffix itself
/// has no other name to be, so it is its own.
pub fn public_suffix_organizational_domain(domain: &Name) -> Name {
    let text = domain.to_string();
    psl::domain_str(&text).and_then(|domain| domain.parse().ok()).unwrap_or_else(|| domain.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organizational_domain(domain: &str) -> String {
        public_suffix_organizational_domain(&domain.parse().unwrap()).to_string()
    }

    #[test]
    fn the_list() {
        assert_eq!(organizational_domain("a.b.example.com"), "example.com");
        assert_eq!(organizational_domain("a.example.co.uk"), "example.co.uk");
        assert_eq!(organizational_domain("co.uk"), "co.uk");
        assert_eq!(organizational_domain("x.www.ck"), "www.ck");
        assert_eq!(organizational_domain("a.b.unlisted"), "b.unlisted");
        assert_eq!(organizational_domain("."), ".");
    }
}
