//! Address lists (RFC 5322 3.4), as `From`, `Sender`, `To` and their like hold them.

use std::ops::Range;

use crate::domain::{self, DomainError};
use crate::grammar::{self, span};
use crate::limits::Limits;

/// An `address-list` (RFC 5322 3.4, with the obsolete forms of 4.4): mailboxes, some in groups.
///
/// A `mailbox-list` is one without groups. Empty elements between commas are obsolete syntax and
/// allowed; encoded-words (RFC 2047) are text like any other and never decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressList {
    /// All mailboxes, left to right, those in groups too.
    pub mailboxes: Vec<Mailbox>,
    /// The groups, left to right.
    pub groups: Vec<Group>,
}

/// A `mailbox` (RFC 5322 3.4). Spans count octets of the text that was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The `display-name`, with its quotes and inner comments.
    pub display_name: Option<Range<usize>>,
    /// The `local-part`, with its quotes and inner comments.
    pub local_part: Range<usize>,
    /// The domain.
    pub domain: Domain,
}

/// A `group` (RFC 5322 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The span of its `display-name`.
    pub display_name: Range<usize>,
    /// Which of [`AddressList::mailboxes`] are its members; none is allowed.
    pub members: Range<usize>,
}

/// A `domain` (RFC 5322 3.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its text without comments and folds; `None` for a `domain-literal`, which is no DNS name.
    pub text: Option<String>,
    /// Its octets in the text that was parsed.
    pub span: Range<usize>,
}

impl Domain {
    /// The domain as a DNS name: A-labels, lower case, no trailing dot.
    ///
    /// # Errors
    /// The domain is a literal or no DNS name.
    pub fn name(&self) -> Result<String, DomainError> {
        domain::name(self.text.as_deref().ok_or(DomainError::Literal)?)
    }
}

/// Why a text is no address list, and the octets that say so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct AddressError {
    /// Why.
    pub kind: AddressErrorKind,
    /// Where; empty when something is missing at the end.
    pub span: Range<usize>,
}

/// The kinds of [`AddressError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AddressErrorKind {
    /// Octets that are not UTF-8 (RFC 6532 3.1), in an address or beside a backslash.
    #[error("the field is not UTF-8")]
    InvalidUtf8,
    /// An octet that no token of RFC 5322 3.2 has here.
    #[error("an unexpected character")]
    UnexpectedOctet,
    /// A comment without its `)` (RFC 5322 3.2.2).
    #[error("the comment has no end")]
    UnterminatedComment,
    /// Comments nested deeper than [`crate::MAX_COMMENT_DEPTH`].
    #[error("comments are nested too deep")]
    CommentTooDeep,
    /// A quoted-string without its second quote (RFC 5322 3.2.4).
    #[error("the quoted string has no end")]
    UnterminatedQuotedString,
    /// An address without its `>` (RFC 5322 3.4).
    #[error("the address has no \">\"")]
    UnterminatedAngle,
    /// A domain-literal without its `]` (RFC 5322 3.4.1).
    #[error("the domain literal has no end")]
    UnterminatedLiteral,
    /// A group without its `;` (RFC 5322 3.4).
    #[error("the group has no \";\"")]
    UnterminatedGroup,
    /// A group in a group (RFC 5322 3.4: a group holds mailboxes).
    #[error("a group within a group")]
    NestedGroup,
    /// Words, and no address after them (RFC 5322 3.4).
    #[error("a name without an address")]
    MissingAddress,
    /// Nothing before the `@` (RFC 5322 3.4.1).
    #[error("the address has no local part")]
    MissingLocalPart,
    /// Nothing after the `@`, or no `@` within `<` and `>` (RFC 5322 3.4.1).
    #[error("the address has no domain")]
    MissingDomain,
    /// Several words without dots between them before the `@` (RFC 5322 3.4.1, 4.4).
    #[error("several words before the \"@\"")]
    WordsInLocalPart,
    /// Something other than a comma after an address (RFC 5322 3.4).
    #[error("text after the address")]
    TextAfterAddress,
    /// More than [`Limits::mailboxes`].
    #[error("too many addresses")]
    TooManyMailboxes,
}

impl AddressErrorKind {
    /// A stable word for this kind.
    pub fn keyword(self) -> &'static str {
        match self {
            AddressErrorKind::InvalidUtf8 => "invalid-utf8",
            AddressErrorKind::UnexpectedOctet => "unexpected-octet",
            AddressErrorKind::UnterminatedComment => "unterminated-comment",
            AddressErrorKind::CommentTooDeep => "comment-too-deep",
            AddressErrorKind::UnterminatedQuotedString => "unterminated-quoted-string",
            AddressErrorKind::UnterminatedAngle => "unterminated-angle",
            AddressErrorKind::UnterminatedLiteral => "unterminated-literal",
            AddressErrorKind::UnterminatedGroup => "unterminated-group",
            AddressErrorKind::NestedGroup => "nested-group",
            AddressErrorKind::MissingAddress => "missing-address",
            AddressErrorKind::MissingLocalPart => "missing-local-part",
            AddressErrorKind::MissingDomain => "missing-domain",
            AddressErrorKind::WordsInLocalPart => "words-in-local-part",
            AddressErrorKind::TextAfterAddress => "text-after-address",
            AddressErrorKind::TooManyMailboxes => "too-many-mailboxes",
        }
    }
}

impl AddressList {
    /// Reads the value of an address field, folds and all, as [`crate::Field::value`] gives it.
    ///
    /// # Errors
    /// The first place where the text is no address list, or more mailboxes than the limit.
    pub fn parse(octets: &[u8], limits: &Limits) -> Result<AddressList, AddressError> {
        // Disputed. RFC 6532 3.1 has UTF-8 alone; readers show a name in Latin-1 or EUC-JP as they
        // can, and take the address; we do, because no reading gives another. Not beside a
        // backslash, which may be half of a character in Shift_JIS. Case: from-latin-1-name.
        let invalid = invalid_utf8(octets, 0..octets.len());
        if let Some(error) = invalid.clone().filter(|_| octets.contains(&b'\\')) {
            return Err(error);
        }
        let list = AddressList::of(octets, limits)?;
        let parts = |mailbox: &Mailbox| [mailbox.local_part.clone(), mailbox.domain.span.clone()];
        let parts = invalid.iter().flat_map(|_| list.mailboxes.iter().flat_map(parts));
        match parts.filter_map(|part| invalid_utf8(octets, part)).next() {
            Some(error) => Err(error),
            None => Ok(list),
        }
    }

    fn of(octets: &[u8], limits: &Limits) -> Result<AddressList, AddressError> {
        match grammar::address_list(octets, limits) {
            Ok((_, list)) => Ok(list),
            Err(nom::Err::Error(trouble) | nom::Err::Failure(trouble)) => {
                Err(AddressError { kind: trouble.kind, span: span(octets, trouble.octets) })
            }
            Err(nom::Err::Incomplete(_)) => Err(AddressError {
                kind: AddressErrorKind::UnexpectedOctet,
                span: octets.len()..octets.len(),
            }),
        }
    }
}

fn invalid_utf8(octets: &[u8], part: Range<usize>) -> Option<AddressError> {
    let error = std::str::from_utf8(octets.get(part.clone())?).err()?;
    let start = part.start + error.valid_up_to();
    let end = error.error_len().map_or(part.end, |length| start + length);
    Some(AddressError { kind: AddressErrorKind::InvalidUtf8, span: start..end })
}
