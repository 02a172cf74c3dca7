//! What is wrong with the syntax of a record.

use std::ops::Range;

/// A syntax error in a record or macro-string (RFC 7208 4.6, 12).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Which octets of the record are wrong.
    pub span: Range<usize>,
}

/// What is wrong (RFC 7208, the section named at each).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// 4.5: a record begins with `v=spf1` and a space, or is `v=spf1`.
    #[error("the record does not begin with \"v=spf1\"")]
    NoVersion,
    /// 3.1, 4.6.1: only visible ASCII, and terms are separated by spaces alone.
    #[error("a tab, control character or non-ASCII octet")]
    InvalidOctet,
    /// 4.6.1: no mechanism has this name.
    #[error("there is no such mechanism")]
    UnknownMechanism,
    /// 4.6.1: a modifier's name is a letter, then letters, digits, `-`, `_`, `.`.
    #[error("this is no name of a mechanism or modifier")]
    InvalidName,
    /// 5.1, 5.5: `all` takes no argument, `ptr` no prefix length.
    #[error("the mechanism takes no such argument")]
    UnexpectedArgument,
    /// 5, 6: the mechanism or modifier needs a domain.
    #[error("a domain is missing")]
    MissingDomainSpec,
    /// 7.1: a domain-spec ends in a macro, or in a dot and a top label.
    #[error("the domain does not end in a dot and a valid top-level label, or in a macro")]
    InvalidDomainEnd,
    /// 7.3: `%` is followed by `{`, `%`, `-` or `_`.
    #[error("\"%\" is not followed by \"{{\", \"%\", \"-\" or \"_\"")]
    StrayPercent,
    /// 7.2: no macro has this letter.
    #[error("there is no macro of this letter")]
    UnknownMacroLetter,
    /// 7.2: `c`, `r` and `t` are allowed only in the text of an explanation.
    #[error("this macro is allowed only in the text of an explanation")]
    MacroOnlyInExplanation,
    /// 7.3: the number of parts to keep is not zero.
    #[error("a macro that keeps zero parts")]
    MacroZeroParts,
    /// 7.1: after the letter come digits, `r`, delimiters and `}`.
    #[error("the macro is not closed as it should be")]
    UnterminatedMacro,
    /// 5.6: the mechanism needs a network.
    #[error("a network is missing")]
    MissingNetwork,
    /// 5.6: four numbers from 0 to 255 without leading zeros.
    #[error("this is no IPv4 address")]
    InvalidIp4Network,
    /// 5.6, RFC 4291 2.2.
    #[error("this is no IPv6 address")]
    InvalidIp6Network,
    /// 5.6: 0 to 32 without leading zeros.
    #[error("the IPv4 prefix length is not a number from 0 to 32")]
    InvalidIp4CidrLength,
    /// 5.6: 0 to 128 without leading zeros.
    #[error("the IPv6 prefix length is not a number from 0 to 128")]
    InvalidIp6CidrLength,
    /// 6: `redirect=` and `exp=` appear once each at most.
    #[error("the modifier appears twice")]
    DuplicateModifier,
}

impl ParseErrorKind {
    /// A stable keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            ParseErrorKind::NoVersion => "no-version",
            ParseErrorKind::InvalidOctet => "invalid-octet",
            ParseErrorKind::UnknownMechanism => "unknown-mechanism",
            ParseErrorKind::InvalidName => "invalid-name",
            ParseErrorKind::UnexpectedArgument => "unexpected-argument",
            ParseErrorKind::MissingDomainSpec => "missing-domain-spec",
            ParseErrorKind::InvalidDomainEnd => "invalid-domain-end",
            ParseErrorKind::StrayPercent => "stray-percent",
            ParseErrorKind::UnknownMacroLetter => "unknown-macro-letter",
            ParseErrorKind::MacroOnlyInExplanation => "macro-only-in-explanation",
            ParseErrorKind::MacroZeroParts => "macro-zero-parts",
            ParseErrorKind::UnterminatedMacro => "unterminated-macro",
            ParseErrorKind::MissingNetwork => "missing-network",
            ParseErrorKind::InvalidIp4Network => "invalid-ip4-network",
            ParseErrorKind::InvalidIp6Network => "invalid-ip6-network",
            ParseErrorKind::InvalidIp4CidrLength => "invalid-ip4-cidr-length",
            ParseErrorKind::InvalidIp6CidrLength => "invalid-ip6-cidr-length",
            ParseErrorKind::DuplicateModifier => "duplicate-modifier",
        }
    }
}
