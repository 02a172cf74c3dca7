//! Policies and what a receiver does with them.

use std::fmt;

/// A Domain Owner Assessment Policy (RFC 9989 3.2.8), from weak to strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    /// "none": no expression of preference.
    None,
    /// "quarantine": such mail is suspicious.
    Quarantine,
    /// "reject": a clear indication that the use of the domain name is not valid.
    Reject,
}

impl Policy {
    /// The word of the record.
    pub fn keyword(self) -> &'static str {
        match self {
            Policy::None => "none",
            Policy::Quarantine => "quarantine",
            Policy::Reject => "reject",
        }
    }

    /// The policy of this word, in any case (RFC 9989 4.8: ABNF literals).
    pub fn from_keyword(word: &str) -> Option<Policy> {
        [Policy::None, Policy::Quarantine, Policy::Reject]
            .into_iter()
            .find(|policy| word.eq_ignore_ascii_case(policy.keyword()))
    }

    /// RFC 9989 4.7, "t": "the policy applied to any failing messages will be one level below the
    /// specified policy".
    #[must_use]
    pub fn one_level_below(self) -> Policy {
        match self {
            Policy::None | Policy::Quarantine => Policy::None,
            Policy::Reject => Policy::Quarantine,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

/// The policies of a record for the names it may apply to (RFC 9989 4.7: p, sp, np), after the
/// defaults: np falls back to sp, sp to p.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// For the domain of the record.
    pub domain: Policy,
    /// For existing subdomains.
    pub subdomains: Policy,
    /// For non-existent subdomains (RFC 9989 3.2.13).
    pub nonexistent: Policy,
}

/// What a receiver wants of the policy "reject".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rejection {
    /// RFC 9989 7.4: receivers "MUST NOT reject incoming messages solely on the basis of a
    /// 'p=reject' policy"; without other knowledge, they "MUST treat such failing mail as if the
    /// policy were 'p=quarantine'".
    #[default]
    Quarantine,
    /// The receiver has other knowledge, or has decided to honour the policy.
    Reject,
}

/// What is done with a message on the advice of DMARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disposition {
    /// Nothing. RFC 9989 5.4: "discovered policies of 'p=none' MUST NOT modify existing mail
    /// handling processes".
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Disposition {
    /// The word of aggregate reports.
    pub fn keyword(self) -> &'static str {
        match self {
            Disposition::None => "none",
            Disposition::Quarantine => "quarantine",
            Disposition::Reject => "reject",
        }
    }

    /// What failing mail under `policy` gets.
    pub(crate) fn of(policy: Policy, rejection: Rejection) -> Disposition {
        match (policy, rejection) {
            (Policy::None, _) => Disposition::None,
            (Policy::Quarantine, _) | (Policy::Reject, Rejection::Quarantine) => {
                Disposition::Quarantine
            }
            (Policy::Reject, Rejection::Reject) => Disposition::Reject,
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}
