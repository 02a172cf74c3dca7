//! Which rules count, and which of their findings are known and accepted.

use mailproof_cli::instant::Instant;
use mailproof_dns::Name;
use mailproof_records::rules;

use crate::document::nearest;

/// A rule's id, or the beginning of several (`SPF`, `SPF04`), or `ALL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// The pattern, if any rule fits it.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        let pattern = Pattern(text.to_ascii_uppercase());
        if rules().iter().any(|rule| pattern.fits(rule.id)) {
            return Ok(pattern);
        }
        let ids: Vec<&str> = rules().iter().map(|rule| rule.id).collect();
        let text = mailproof_cli::escape::visible(text.as_bytes());
        Err(match nearest(&pattern.0, &ids) {
            Some(near) => format!("no rule begins with {text}; did you mean {near}?"),
            None => format!("no rule begins with {text}; check-dns rules lists them"),
        })
    }

    pub(crate) fn fits(&self, id: &str) -> bool {
        self.0 == "ALL" || id.starts_with(&self.0)
    }

    /// How much of an id it says: the more, the stronger.
    fn weight(&self) -> usize {
        if self.0 == "ALL" { 0 } else { self.0.len() }
    }
}

/// Which rules are asked for: the longest pattern that fits decides, and `ignore` if both are
/// equally long; without any `select` all rules are selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    pub(crate) select: Vec<Pattern>,
    pub(crate) ignore: Vec<Pattern>,
}

impl Selection {
    pub(crate) fn has(&self, id: &str) -> bool {
        let best = |patterns: &[Pattern]| {
            patterns.iter().filter(|pattern| pattern.fits(id)).map(Pattern::weight).max()
        };
        match (best(&self.select), best(&self.ignore)) {
            (Some(selected), Some(ignored)) => selected > ignored,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.select.is_empty(),
        }
    }

    /// This selection with a later one, which decides where it says something.
    pub(crate) fn then(&self, later: &Selection) -> Selection {
        let mut selection = self.clone();
        if !later.select.is_empty() {
            selection.select.clone_from(&later.select);
        }
        selection.ignore.extend(later.ignore.iter().cloned());
        selection
    }
}

/// Findings that are known and accepted, for a reason and for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suppression {
    pub(crate) rule: Pattern,
    /// At this domain only.
    pub(crate) domain: Option<Name>,
    /// Of records with this owner only.
    pub(crate) name: Option<Name>,
    pub(crate) reason: String,
    /// The last day, as `2027-01-31`.
    pub(crate) expires: Option<String>,
    /// Where it is written.
    pub(crate) place: String,
}

impl Suppression {
    /// Whether it is about such a finding.
    pub(crate) fn fits(&self, rule: &str, domain: &Name, name: &Name) -> bool {
        self.rule.fits(rule)
            && self.domain.as_ref().is_none_or(|wanted| wanted == domain)
            && self.name.as_ref().is_none_or(|wanted| wanted == name)
    }

    /// Whether its last day is over.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        // RFC 3339 dates sort as texts.
        let today = now.to_string();
        let today = today.split('T').next().unwrap_or_default();
        self.expires.as_deref().is_some_and(|last| last < today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::parse(text).unwrap()).collect()
    }

    #[test]
    fn the_longest_pattern_decides() {
        let selection =
            Selection { select: patterns(&["SPF", "SPF033"]), ignore: patterns(&["spf03"]) };
        assert!(selection.has("SPF010") && selection.has("SPF033"));
        assert!(!selection.has("SPF030") && !selection.has("DNS001"));
        let all = Selection::default();
        assert!(all.has("DNS001"));
        let later = Selection { select: Vec::new(), ignore: patterns(&["DNS"]) };
        assert!(!all.then(&later).has("DNS001") && all.then(&later).has("SPF010"));
    }

    #[test]
    fn a_rule_that_is_none() {
        assert!(Pattern::parse("SPG033").unwrap_err().contains("did you mean SPF033"));
        assert!(Pattern::parse("xyz").unwrap_err().contains("check-dns rules"));
    }

    #[test]
    fn a_suppression_ends_with_its_last_day() {
        let suppression = Suppression {
            rule: Pattern::parse("SPF033").unwrap(),
            domain: None,
            name: None,
            reason: "known".into(),
            expires: Some("2026-11-25".into()),
            place: "m.toml:1".into(),
        };
        assert!(!suppression.is_over("2026-11-25T23:59:59Z".parse().unwrap()));
        assert!(suppression.is_over("2026-11-26T00:00:00Z".parse().unwrap()));
    }
}
