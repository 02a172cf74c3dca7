//! Reading the three header fields (RFC 8617 4.1).

use std::ops::Range;

use mailproof_dkim::{Limits, SealSignature, Signature, SignatureErrorKind};
use mailproof_tag_list::TagList;

use crate::set::{ArcAuthenticationResults, ArcField, ArcMessageSignature, ArcSeal, ChainStatus};
use crate::token::skip_cfws;

/// Why a header field of an ARC Set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct FieldError {
    /// What is wrong.
    pub kind: FieldErrorKind,
    /// Where, as octets of the field's value.
    pub span: Range<usize>,
}

/// What is wrong with a header field of an ARC Set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldErrorKind {
    /// There is no instance tag i= (RFC 8617 4.2.1); in an ARC-Authentication-Results field it
    /// must be the first thing.
    #[error("the instance (i=) is missing")]
    MissingInstance,
    /// The instance is no number of one or two digits, or it is 0 (RFC 8617 3.9 and 4.2.1).
    #[error("the instance (i=) is no number from 1 to 50")]
    BadInstance,
    /// No semicolon ends the instance of an ARC-Authentication-Results field (RFC 8617 4.1.1).
    #[error("a \";\" is missing after the instance")]
    NoSemicolon,
    /// Tag cv= of an ARC-Seal is missing (RFC 8617 4.1.3).
    #[error("the chain validation status (cv=) is missing")]
    MissingStatus,
    /// Tag cv= of an ARC-Seal is none of none, pass and fail (RFC 8617 3.9).
    #[error("cv={0} is no chain validation status")]
    BadStatus(String),
    /// An ARC-Seal has a tag h= (RFC 8617 4.1.3: "NOT allowed and, if found, MUST result in a cv
    /// status of "fail"").
    #[error("an ARC-Seal must not have h=")]
    SealNamesFields,
    /// An ARC-Message-Signature signs ARC-Seal fields (RFC 8617 4.1.2).
    #[error("an ARC-Message-Signature must not sign ARC-Seal fields")]
    SignsSeals,
    /// What the field shares with a DKIM-Signature is wrong (RFC 6376 3.5).
    #[error("{0}")]
    Signature(SignatureErrorKind),
}

impl FieldErrorKind {
    /// A stable word for the kind, in kebab case.
    pub fn keyword(&self) -> &'static str {
        match self {
            FieldErrorKind::MissingInstance => "missing-instance",
            FieldErrorKind::BadInstance => "bad-instance",
            FieldErrorKind::NoSemicolon => "no-semicolon",
            FieldErrorKind::MissingStatus => "missing-status",
            FieldErrorKind::BadStatus(_) => "bad-status",
            FieldErrorKind::SealNamesFields => "seal-names-fields",
            FieldErrorKind::SignsSeals => "signs-seals",
            FieldErrorKind::Signature(kind) => {
                let error = mailproof_dkim::SignatureError { kind: kind.clone(), span: 0..0 };
                mailproof_dkim::Cause::Signature(error).keyword()
            }
        }
    }

    fn at(self, span: Range<usize>) -> FieldError {
        FieldError { kind: self, span }
    }
}

impl From<mailproof_dkim::SignatureError> for FieldError {
    fn from(error: mailproof_dkim::SignatureError) -> FieldError {
        FieldErrorKind::Signature(error.kind).at(error.span)
    }
}

impl ArcAuthenticationResults {
    /// Reads the value of an ARC-Authentication-Results field: `arc-info = instance [CFWS] ";"
    /// authres-payload`. The payload is not looked at.
    ///
    /// Disputed. RFC 8617 3.9 writes `%s"i"`, with case, and 4.1.1 has it first; dkimpy and
    /// Mail::DKIM find it in any case and anywhere; we do not, because behind the authserv-id
    /// stand results. Cases: instance-upper-case-results, instance-after-authserv-id.
    ///
    /// # Errors
    /// The field does not begin with an instance and a semicolon.
    pub fn parse(value: &[u8]) -> Result<ArcAuthenticationResults, FieldError> {
        let start = skip_cfws(value, 0);
        let missing = || FieldErrorKind::MissingInstance.at(start..value.len());
        // RFC 8617 3.9: `instance = [CFWS] %s"i" [CFWS] "=" [CFWS] position`.
        let equals = match value.get(start) {
            Some(b'i') => skip_cfws(value, start + 1),
            _ => return Err(missing()),
        };
        if value.get(equals) != Some(&b'=') {
            return Err(missing());
        }
        let (instance, end) = position(value, equals + 1)?;
        if value.get(end) != Some(&b';') {
            return Err(FieldErrorKind::NoSemicolon.at(end..value.len().min(end + 1)));
        }
        Ok(ArcAuthenticationResults { instance, payload_span: end + 1..value.len() })
    }
}

impl ArcMessageSignature {
    /// Reads the value of an ARC-Message-Signature field.
    ///
    /// # Errors
    /// The first thing that makes it unusable.
    pub fn parse(value: &[u8], limits: &Limits) -> Result<ArcMessageSignature, FieldError> {
        let instance = tagged_instance(value)?;
        let signature = Signature::parse_arc(value, limits)?;
        // Disputed. RFC 8617 4.1.2: "ARC-related header fields (…) MUST NOT be included in the list
        // of header fields covered by the signature of the AMS". The working group's test suite
        // has signatures over the two other kinds pass, dkimpy and Mail::DKIM agree, and mail of
        // that time has them; we refuse ARC-Seal only. Cases: cv-pass-i1-2,
        // ams-fields-h-includes-ams, ams-signs-seal.
        if signature.signed_fields.count(b"arc-seal") > 0 {
            return Err(FieldErrorKind::SignsSeals.at(0..value.len()));
        }
        Ok(ArcMessageSignature { instance, signature })
    }
}

impl ArcSeal {
    /// Reads the value of an ARC-Seal field.
    ///
    /// Disputed. RFC 8617 4.1.3: "the only supported tags are "i" (…), and "a", "b", "d", "s", and
    /// "t""; dkimpy and Mail::DKIM heed x=, too; we pass over all others, because that is how a tag
    /// list treats what is not supported. Case: seal-with-x.
    ///
    /// # Errors
    /// The first thing that makes it unusable.
    pub fn parse(value: &[u8]) -> Result<ArcSeal, FieldError> {
        let instance = tagged_instance(value)?;
        let tags = tags(value)?;
        if let Some(tag) = tags.get("h") {
            return Err(FieldErrorKind::SealNamesFields.at(tag.name_span.clone()));
        }
        let Some(tag) = tags.get("cv") else {
            return Err(FieldErrorKind::MissingStatus.at(value.len()..value.len()));
        };
        let status = [ChainStatus::None, ChainStatus::Pass, ChainStatus::Fail]
            .into_iter()
            .find(|status| tag.value.eq_ignore_ascii_case(status.keyword().as_bytes()))
            .ok_or_else(|| {
                let text = tag.value.escape_ascii().to_string();
                FieldErrorKind::BadStatus(text).at(tag.value_span.clone())
            })?;
        Ok(ArcSeal { instance, status, signature: SealSignature::parse(value)? })
    }
}

/// The instance of any of the three fields.
pub(crate) fn instance(field: ArcField, value: &[u8]) -> Result<u8, FieldError> {
    match field {
        ArcField::AuthenticationResults => {
            ArcAuthenticationResults::parse(value).map(|results| results.instance)
        }
        ArcField::MessageSignature | ArcField::Seal => tagged_instance(value),
    }
}

/// The instance as a tag of a tag list.
///
/// Disputed. RFC 8617 4.1 writes `instance [CFWS] ";" tag-list`, so i= comes first; the working
/// group's test suite and every sealer before the RFC have it anywhere, and all validators take
/// it. So do we. Case: cv-pass-i1-2.
fn tagged_instance(value: &[u8]) -> Result<u8, FieldError> {
    let tags = tags(value)?;
    let Some(tag) = tags.get("i") else {
        return Err(FieldErrorKind::MissingInstance.at(value.len()..value.len()));
    };
    match position(tag.value, 0) {
        Ok((instance, end)) if end == tag.value.len() => Ok(instance),
        _ => Err(FieldErrorKind::BadInstance.at(tag.value_span.clone())),
    }
}

fn tags(value: &[u8]) -> Result<TagList<'_>, FieldError> {
    TagList::parse(value).map_err(|error| {
        FieldErrorKind::Signature(SignatureErrorKind::TagList(error.kind)).at(error.span)
    })
}

/// `[CFWS] position [CFWS]` with `position = 1*2DIGIT`, and where it ends. What is above 50 is a
/// matter of how many sets there are (RFC 8617 5.2 step 1).
fn position(octets: &[u8], from: usize) -> Result<(u8, usize), FieldError> {
    let start = skip_cfws(octets, from);
    let rest = octets.get(start..).unwrap_or_default();
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let bad = FieldErrorKind::BadInstance.at(start..start + digits);
    let number = match rest.get(..digits) {
        Some(digits @ ([_] | [_, _])) => {
            digits.iter().fold(0, |number: u8, digit| number * 10 + (digit - b'0'))
        }
        _ => return Err(bad),
    };
    if number == 0 {
        return Err(bad);
    }
    Ok((number, skip_cfws(octets, start + digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_authentication_results() {
        let read = |value: &[u8]| {
            ArcAuthenticationResults::parse(value)
                .map(|read| (read.instance, read.payload_span))
                .map_err(|error| (error.kind.keyword(), error.span))
        };
        assert_eq!(read(b" i=1; mx; none"), Ok((1, 5..14)));
        assert_eq!(read(b" (a (b)) i (\\)) =\r\n 07 (c) ;mx"), Ok((7, 28..30)));
        assert_eq!(read(b" i=51;"), Ok((51, 6..6)));
        assert_eq!(read(b" I=1;"), Err(("missing-instance", 1..5)));
        assert_eq!(read(b" mx; i=1"), Err(("missing-instance", 1..8)));
        assert_eq!(read(b" i=1 mx"), Err(("no-semicolon", 5..6)));
        assert_eq!(read(b" i=1"), Err(("no-semicolon", 4..4)));
        assert_eq!(read(b" i=001;"), Err(("bad-instance", 3..6)));
        assert_eq!(read(b" i=0;"), Err(("bad-instance", 3..4)));
        assert_eq!(read(b" i=;"), Err(("bad-instance", 3..3)));
        assert_eq!(read(b""), Err(("missing-instance", 0..0)));
    }

    #[test]
    fn a_seal() {
        let good = b" i=2; a=rsa-sha256; cv=PASS; d=example.org; s=dummy; t=1; b=aGk=";
        let seal = ArcSeal::parse(good).unwrap();
        assert_eq!((seal.instance, seal.status), (2, ChainStatus::Pass));
        let error = |value: &[u8]| ArcSeal::parse(value).unwrap_err().kind.keyword();
        assert_eq!(error(b"i=2; cv=pass; h=from"), "seal-names-fields");
        assert_eq!(error(b"i=2; cv=perhaps"), "bad-status");
        assert_eq!(error(b"i=2"), "missing-status");
        assert_eq!(error(b"i=2 x; cv=pass"), "bad-instance");
        assert_eq!(error(b"cv=pass"), "missing-instance");
        assert_eq!(error(b"i=2; cv=pass"), "missing-tag");
        assert_eq!(error(b"i=2; i=2"), "tag-list");
    }
}
