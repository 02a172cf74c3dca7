//! The names of the algorithms.

use std::{fmt, str::FromStr};

/// A canonicalization algorithm (RFC 6376 3.4), as the `c=` tag names it (3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Canonicalization {
    /// "simple": tolerates almost no modification (3.4.1, 3.4.3). The default of the RFC.
    #[default]
    Simple,
    /// "relaxed": tolerates changes of white space and of line wrapping (3.4.2, 3.4.4).
    Relaxed,
}

impl Canonicalization {
    /// The keyword of the `c=` tag.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// The name is neither "simple" nor "relaxed": RFC 6376 3.4, "Verifiers MUST ignore any signatures
/// that use unrecognized canonicalization algorithms".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the canonicalization algorithm is neither \"simple\" nor \"relaxed\"")]
pub struct UnknownCanonicalization;

impl FromStr for Canonicalization {
    type Err = UnknownCanonicalization;

    fn from_str(keyword: &str) -> Result<Self, UnknownCanonicalization> {
        // Disputed. RFC 6376 3.2 calls tag values case-sensitive unless said otherwise, the ABNF
        // of 3.5 has plain literals, which RFC 5234 2.3 makes caseless; OpenDKIM reads any case;
        // we do too, because the grammar is the more specific rule. Case: canon-upper.
        [Self::Simple, Self::Relaxed]
            .into_iter()
            .find(|known| known.keyword().eq_ignore_ascii_case(keyword))
            .ok_or(UnknownCanonicalization)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_print_and_parse() {
        for known in [Canonicalization::Simple, Canonicalization::Relaxed] {
            assert_eq!(known.to_string().parse(), Ok(known));
        }
        assert_eq!("Relaxed".parse(), Ok(Canonicalization::Relaxed));
        assert_eq!("nowsp".parse::<Canonicalization>(), Err(UnknownCanonicalization));
        assert_eq!(Canonicalization::default(), Canonicalization::Simple);
    }
}
