//! The field in types.

use std::ops::Range;

use crate::{Keyword, Method, Ptype, ResultCode};

/// An Authentication-Results field's payload (RFC 8601 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationResults {
    /// The authserv-id (RFC 8601 2.5): who claims the results. Unquoted.
    pub authserv_id: String,
    /// The authres-version, if it is written; its absence means 1.
    pub version: Option<u32>,
    /// The results, in order; none at all is the no-result, printed "none".
    pub results: Vec<MethodResult>,
}

/// A resinfo (RFC 8601 2.2): one method, its result, and what that was based on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodResult {
    /// The method.
    pub method: Method,
    /// The method-version, if it is written; its absence means 1.
    pub method_version: Option<u32>,
    /// The result.
    pub result: ResultCode,
    /// The reasonspec, unquoted: "a free-form comment on the reason".
    pub reason: Option<String>,
    /// The propspecs, in order.
    pub properties: Vec<Property>,
}

/// A propspec (RFC 8601 2.2): `ptype.property=pvalue`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The property type.
    pub ptype: Ptype,
    /// The property.
    pub property: Keyword,
    /// The pvalue, unquoted.
    pub value: String,
}

/// Why octets are no Authentication-Results payload, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// Why.
    pub kind: ErrorKind,
    /// The octets of the value that are wrong.
    pub span: Range<usize>,
}

/// Why octets are no Authentication-Results payload (RFC 8601 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// More octets than [`crate::Limits::octets`].
    #[error("the field is too long")]
    TooLong,
    /// The octets are not UTF-8 (RFC 6532 3).
    #[error("the octets are not UTF-8")]
    InvalidUtf8,
    /// CR or LF that is not part of a fold (RFC 5322 2.2.3, where LF alone counts, too).
    #[error("a line break that is no fold")]
    LineBreak,
    /// A control character in a comment or a quoted-string (RFC 5322 3.2.1).
    #[error("a control character")]
    Control,
    /// A comment without its ")" (RFC 5322 3.2.2).
    #[error("the comment has no end")]
    UnterminatedComment,
    /// Comments deeper than [`crate::Limits::comment_depth`].
    #[error("comments are nested too deep")]
    CommentTooDeep,
    /// A quoted-string without its second quote (RFC 5322 3.2.4).
    #[error("the quoted string has no end")]
    UnterminatedQuotedString,
    /// No authserv-id.
    #[error("an authserv-id is missing here")]
    NoAuthservId,
    /// Neither an authres-version nor ";" after the authserv-id.
    #[error("a version or \";\" is missing here")]
    InvalidVersion,
    /// Neither "none" nor a resinfo.
    #[error("no result follows the authserv-id")]
    NoResult,
    /// Something after the no-result "none".
    #[error("\"none\" stands alone")]
    AfterNone,
    /// No method, which is a Keyword.
    #[error("a method is missing here")]
    InvalidMethod,
    /// No digits after "/", or too many.
    #[error("a method version is missing here")]
    InvalidMethodVersion,
    /// No "=" after a method, "reason" or a property.
    #[error("\"=\" is missing here")]
    NoEquals,
    /// No result, which is a Keyword.
    #[error("a result is missing here")]
    InvalidResult,
    /// No ptype, which is a Keyword, nor ";" nor the end.
    #[error("a property or \";\" is missing here")]
    InvalidPtype,
    /// No "." after the ptype.
    #[error("\".\" is missing here")]
    NoDot,
    /// No property, which is a Keyword.
    #[error("a property is missing here")]
    InvalidProperty,
    /// No value: neither a token, nor a quoted string, nor `[[local-part] "@"] domain-name`.
    #[error("a value must be a token, a quoted string or an address")]
    InvalidValue,
    /// No whitespace or comment before the next part.
    #[error("a space is missing here")]
    NoSpace,
    /// More results or properties than [`crate::Limits::results`].
    #[error("the field has too many results")]
    TooManyResults,
}

impl ErrorKind {
    /// A stable word for the kind, in kebab case.
    pub fn keyword(self) -> &'static str {
        match self {
            ErrorKind::TooLong => "too-long",
            ErrorKind::InvalidUtf8 => "invalid-utf8",
            ErrorKind::LineBreak => "line-break",
            ErrorKind::Control => "control",
            ErrorKind::UnterminatedComment => "unterminated-comment",
            ErrorKind::CommentTooDeep => "comment-too-deep",
            ErrorKind::UnterminatedQuotedString => "unterminated-quoted-string",
            ErrorKind::NoAuthservId => "no-authserv-id",
            ErrorKind::InvalidVersion => "invalid-version",
            ErrorKind::NoResult => "no-result",
            ErrorKind::AfterNone => "after-none",
            ErrorKind::InvalidMethod => "invalid-method",
            ErrorKind::InvalidMethodVersion => "invalid-method-version",
            ErrorKind::NoEquals => "no-equals",
            ErrorKind::InvalidResult => "invalid-result",
            ErrorKind::InvalidPtype => "invalid-ptype",
            ErrorKind::NoDot => "no-dot",
            ErrorKind::InvalidProperty => "invalid-property",
            ErrorKind::InvalidValue => "invalid-value",
            ErrorKind::NoSpace => "no-space",
            ErrorKind::TooManyResults => "too-many-results",
        }
    }

    pub(crate) fn at(self, span: Range<usize>) -> Error {
        Error { kind: self, span }
    }
}

impl AuthenticationResults {
    /// Results that `authserv_id` claims; without any it says "none".
    pub fn new(authserv_id: impl Into<String>) -> AuthenticationResults {
        AuthenticationResults { authserv_id: authserv_id.into(), version: None, results: vec![] }
    }

    /// Adds a result.
    #[must_use]
    pub fn with(mut self, result: MethodResult) -> AuthenticationResults {
        self.results.push(result);
        self
    }

    /// Whether the version is the one of RFC 8601; another one's results mean we know not what.
    pub fn is_supported(&self) -> bool {
        self.version.is_none_or(|version| version == 1)
    }
}

impl MethodResult {
    /// A result without reason and properties.
    pub fn new(method: Method, result: ResultCode) -> MethodResult {
        MethodResult { method, method_version: None, result, reason: None, properties: Vec::new() }
    }

    /// Sets the reason.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> MethodResult {
        self.reason = Some(reason.into());
        self
    }

    /// Adds the property `ptype.property`.
    #[must_use]
    pub fn with(mut self, ptype: Ptype, property: &str, value: impl Into<String>) -> MethodResult {
        self.properties.push(Property { ptype, property: property.into(), value: value.into() });
        self
    }

    /// Whether the method and its version are known and the result is registered for it. All
    /// others a consumer "MUST ignore" (RFC 8601 4.1).
    pub fn is_registered(&self) -> bool {
        self.method_version.is_none_or(|version| version == 1)
            && self.method.results().contains(&self.result)
    }
}
