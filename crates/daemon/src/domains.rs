//! Lists of domains or addresses, as Domain, ExemptDomains and DontSignMailTo of OpenDKIM have them.

use std::collections::HashSet;

use mailproof_keygen::is_like;

/// A list of domains or addresses, in any case.
#[derive(Debug, Clone, Default)]
pub struct DomainList {
    /// In lower case.
    exact: HashSet<String>,
    /// In lower case, with a star.
    patterns: Vec<String>,
}

impl DomainList {
    /// Adds a domain, an address or, in a refile, a pattern. Whether it can match anything: with a
    /// star nothing does anywhere else, in OpenDKIM and OpenDMARC neither.
    pub fn push(&mut self, text: &str, is_refile: bool) -> bool {
        let text = text.to_lowercase();
        if !text.contains('*') {
            self.exact.insert(text);
        } else if is_refile {
            self.patterns.push(text);
        } else {
            return false;
        }
        true
    }

    /// Adds all domains: what `*` alone is in Domain of OpenDKIM, in a list too.
    pub fn push_all(&mut self) {
        self.patterns.push("*".to_owned());
    }

    /// Whether a domain is in the list.
    pub fn contains(&self, domain: &str) -> bool {
        let domain = domain.to_lowercase();
        self.exact.contains(&domain)
            || self.patterns.iter().any(|pattern| is_like(pattern, &domain))
    }

    /// The domain of the list that this one is, or is below if that is asked for; itself if a
    /// pattern matches it.
    pub fn find<'a>(&self, domain: &'a str, subdomains: bool) -> Option<&'a str> {
        let mut rest = domain;
        loop {
            if self.contains(rest) {
                return Some(rest);
            }
            rest = rest.split_once('.').map(|(_, parent)| parent).filter(|_| subdomains)?;
        }
    }

    /// Whether an address, or its domain, is in the list.
    pub fn contains_address(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.contains(address) || (!domain.is_empty() && self.contains(domain))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.patterns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_those_below_them() {
        let mut list = DomainList::default();
        assert!(list.push("Example.com", false) && list.push("*.test.example", true));
        assert!(!list.push("*.example.org", false));
        assert_eq!(list.find("example.COM", false), Some("example.COM"));
        assert_eq!(list.find("mail.example.com", false), None);
        assert_eq!(list.find("mail.example.com", true), Some("example.com"));
        assert_eq!(list.find("a.test.example", false), Some("a.test.example"));
        assert!(list.contains_address("joe@example.com") && !list.contains_address("joe"));
        assert!(!list.push("*", false) && !list.contains("anything"));
        list.push_all();
        assert!(list.contains("anything"));
    }
}
