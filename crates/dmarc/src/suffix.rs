//! Organizational Domains by the Public Suffix List (RFC 7489 3.2).

use mailproof_dns::Name;

use crate::walk::suffix;

/// The Organizational Domain: the longest public suffix and one label more. A public suffix itself
/// has no other name to be, so it is its own.
pub fn public_suffix_organizational_domain(domain: &Name) -> Name {
    // No octet of a label is taken for a dot.
    let in_list = |octet: &u8| if octet.is_ascii_alphanumeric() { *octet } else { b'-' };
    let mut text = Vec::with_capacity(256);
    for label in domain.labels() {
        if !text.is_empty() {
            text.push(b'.');
        }
        text.extend(label.iter().map(in_list));
    }
    match psl::domain(&text) {
        Some(found) => suffix(domain, found.as_bytes().split(|octet| *octet == b'.').count()),
        None => domain.clone(),
    }
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
        let odd = Name::from_labels(["a", "b.c", "com"]).unwrap();
        assert_eq!(public_suffix_organizational_domain(&odd), odd.parent().unwrap());
    }
}
