//! Every rule, declared once.

mod dkim;
mod dmarc;
mod dns;
mod mx;
mod spf;
mod tls;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Rule, Severity};

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    [dns::RULES, spf::RULES, dkim::RULES, dmarc::RULES, mx::RULES, tls::RULES].concat()
});

static BY_ID: LazyLock<HashMap<&str, &Rule>> =
    LazyLock::new(|| RULES.iter().map(|rule| (rule.id, rule)).collect());

const fn rule(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    section: &'static str,
    title: &'static str,
    explanation: &'static str,
    fix: &'static str,
) -> Rule {
    Rule { id, name, severity, section, title, explanation, fix }
}

/// Every rule, family by family.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// The rule of this id.
pub(crate) fn by_id(id: &str) -> Option<&'static Rule> {
    BY_ID.get(id).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_declared_once_and_said_in_sentences() {
        let mut ids: Vec<&str> = rules().iter().map(|rule| rule.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for rule in rules() {
            let texts = [rule.explanation, rule.fix];
            assert!(texts.iter().all(|text| text.ends_with(['.', '…'])), "{}", rule.id);
            assert!(!rule.title.ends_with('.') && !rule.section.is_empty(), "{}", rule.id);
        }
    }
}
