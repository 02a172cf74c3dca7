//! Reading a DKIM-Signature header field (RFC 6376 3.5 and 6.1.1).
//!
//! RFC 6376 6.1.1: "being "liberal in what you accept" is definitely a bad strategy in this
//! security context". Any error makes this signature, and only this one, unusable.

use std::ops::Range;

use mailproof_canonicalization::Canonicalization;
use mailproof_dns::Name;
use mailproof_tag_list::{Tag, TagList};

use crate::encoding::{base64, quoted_printable, split_colons, trim_fws, without_fws_at_colons};
use crate::limits::Limits;
use crate::signature::{Algorithm, Identity, SealSignature, Signature, SignedFields};

/// Why a DKIM-Signature header field cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct SignatureError {
    /// What is wrong.
    pub kind: SignatureErrorKind,
    /// Where, as octets of the field's value.
    pub span: Range<usize>,
}

/// What is wrong with a DKIM-Signature header field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureErrorKind {
    /// The value is no tag list (RFC 6376 3.2).
    #[error("{0}")]
    TagList(mailproof_tag_list::ErrorKind),
    /// A required tag is missing (RFC 6376 6.1.1).
    #[error("the required tag {0}= is missing")]
    MissingTag(&'static str),
    /// The value of a tag breaks its grammar (RFC 6376 3.5); why, in plain words.
    #[error("the value of {tag}= is invalid: {problem}")]
    BadTagValue {
        /// The name of the tag.
        tag: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Tag v= is not 1 (RFC 6376 3.5).
    #[error("version v={0} is not known; only v=1 is")]
    IncompatibleVersion(String),
    /// Tag a= names an algorithm that is not known (RFC 6376 3.3.4).
    #[error("algorithm a={0} is not known")]
    UnknownAlgorithm(String),
    /// Tag a= is rsa-sha1, which RFC 8301 3.1 forbids.
    #[error("algorithm a=rsa-sha1 must not be used any more (RFC 8301)")]
    RsaSha1,
    /// Tag c= names a canonicalization that is not known (RFC 6376 3.4).
    #[error("canonicalization c={0} is not known")]
    UnknownCanonicalization(String),
    /// Tag q= names no query method that is known (RFC 6376 3.5).
    #[error("no known query method in q={0}; dns/txt is")]
    UnknownQueryMethod(String),
    /// Tag h= does not name From (RFC 6376 6.1.1).
    #[error("h= does not sign From")]
    FromNotSigned,
    /// The domain of i= is not d= or below it (RFC 6376 6.1.1).
    #[error("the domain of i= ({identity}) is not d= ({domain}) or below it")]
    DomainMismatch {
        /// The domain of i=.
        identity: Name,
        /// The SDID.
        domain: Name,
    },
    /// Tag x= is not later than t= (RFC 6376 3.5).
    #[error("the signature expires (x={expiration}) before it was made (t={timestamp})")]
    ExpirationBeforeTimestamp {
        /// Tag t=.
        timestamp: u64,
        /// Tag x=.
        expiration: u64,
    },
}

/// Which field a signature stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Dkim,
    Arc,
}

impl Signature {
    /// Reads the value of a DKIM-Signature header field: what stands after the colon, folds and
    /// all, without the final line end.
    ///
    /// # Errors
    /// The first thing that makes the signature unusable.
    pub fn parse(value: &[u8], limits: &Limits) -> Result<Signature, SignatureError> {
        Signature::read(value, limits, Form::Dkim)
    }

    /// Reads the value of an ARC-Message-Signature header field (RFC 8617 4.1.2): "the same syntax
    /// and semantics as the DKIM-Signature field", but that v= is ignored and i= is no AUID.
    ///
    /// Disputed. RFC 6376 3.5 wants h= to name From, and nothing but names; the test suite of the
    /// ARC working group has signatures over nothing, and with empty names, pass. We follow it,
    /// because an ARC Set asserts no author. Cases: ams-fields-h-empty, ams-fields-h-mis-hdr.
    ///
    /// # Errors
    /// As [`Signature::parse`].
    pub fn parse_arc(value: &[u8], limits: &Limits) -> Result<Signature, SignatureError> {
        Signature::read(value, limits, Form::Arc)
    }

    fn read(value: &[u8], limits: &Limits, form: Form) -> Result<Signature, SignatureError> {
        let tags = TagList::parse(value).map_err(|error| SignatureError {
            span: error.span,
            kind: SignatureErrorKind::TagList(error.kind),
        })?;
        let tags = Tags { tags: &tags, end: value.len() };
        if form == Form::Dkim {
            version(tags.require("v")?)?;
        }
        let algorithm = algorithm(tags.require("a")?)?;
        let b = tags.require("b")?;
        let signature = base64_value(b, "b")?;
        let body_hash = base64_value(tags.require("bh")?, "bh")?;
        let domain = signing_domain(tags.require("d")?)?;
        let signed_fields = signed_fields(tags.require("h")?, limits, form)?;
        let selector = selector(tags.require("s")?)?;
        let (header_canonicalization, body_canonicalization) =
            tags.optional("c", canonicalization)?.unwrap_or_default();
        let identity = match form {
            Form::Dkim => tags.optional("i", |tag| identity(tag, &domain))?,
            Form::Arc => None,
        };
        let body_length = tags.optional("l", |tag| decimal(tag, "l", 76))?;
        tags.optional("q", query_methods)?;
        let timestamp = tags.optional("t", |tag| decimal(tag, "t", 12))?;
        let expiration = tags.optional("x", |tag| expiration(tag, timestamp))?;
        let key_name = tags.key_name(&selector, &domain)?;
        Ok(Signature {
            algorithm,
            signature,
            body_hash,
            header_canonicalization,
            body_canonicalization,
            domain,
            signed_fields,
            identity,
            body_length,
            selector,
            timestamp,
            expiration,
            key_name,
            signature_span: b.raw_span.clone(),
        })
    }
}

impl SealSignature {
    /// Reads the tags that the value of an ARC-Seal header field shares with DKIM (RFC 8617 4.1.3);
    /// all others are passed over.
    ///
    /// # Errors
    /// The first thing that makes the signature unusable.
    pub fn parse(value: &[u8]) -> Result<SealSignature, SignatureError> {
        let tags = TagList::parse(value).map_err(|error| SignatureError {
            span: error.span,
            kind: SignatureErrorKind::TagList(error.kind),
        })?;
        let tags = Tags { tags: &tags, end: value.len() };
        let algorithm = algorithm(tags.require("a")?)?;
        let b = tags.require("b")?;
        let signature = base64_value(b, "b")?;
        let domain = signing_domain(tags.require("d")?)?;
        let selector = selector(tags.require("s")?)?;
        let timestamp = tags.optional("t", |tag| decimal(tag, "t", 12))?;
        let key_name = tags.key_name(&selector, &domain)?;
        let signature_span = b.raw_span.clone();
        Ok(SealSignature {
            algorithm,
            signature,
            domain,
            selector,
            timestamp,
            key_name,
            signature_span,
        })
    }
}

/// The SDID and the selector that a field claims, each where it is legible, for reports on
/// fields that are otherwise in error.
pub(crate) fn claimed(value: &[u8]) -> (Option<Name>, Option<Name>) {
    let Ok(tags) = TagList::parse(value) else { return (None, None) };
    let tags = Tags { tags: &tags, end: value.len() };
    let domain = tags.optional("d", signing_domain).ok().flatten();
    let selector = tags.optional("s", selector).ok().flatten();
    (domain, selector)
}

/// RFC 6376 3.6.2.1: "the selector, followed by the string "._domainkey", followed by the SDID".
pub(crate) fn key_name(selector: &Name, domain: &Name) -> Option<Name> {
    let labels = selector.labels().chain([&b"_domainkey"[..]]).chain(domain.labels());
    Name::from_labels(labels).ok()
}

struct Tags<'t, 'v> {
    tags: &'t TagList<'v>,
    end: usize,
}

impl<'t, 'v> Tags<'t, 'v> {
    fn require(&self, name: &'static str) -> Result<&'t Tag<'v>, SignatureError> {
        self.tags.get(name).ok_or(SignatureError {
            kind: SignatureErrorKind::MissingTag(name),
            span: self.end..self.end,
        })
    }

    fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Tag<'v>) -> Result<T, SignatureError>,
    ) -> Result<Option<T>, SignatureError> {
        self.tags.get(name).map(read).transpose()
    }

    fn key_name(&self, selector: &Name, domain: &Name) -> Result<Name, SignatureError> {
        key_name(selector, domain).ok_or_else(|| {
            self.bad("s", "the name of the key record would be longer than a domain name can be")
        })
    }

    fn bad(&self, tag: &'static str, problem: &'static str) -> SignatureError {
        let span = self.tags.get(tag).map_or(self.end..self.end, |tag| tag.value_span.clone());
        SignatureError { kind: SignatureErrorKind::BadTagValue { tag, problem }, span }
    }
}

fn error(tag: &Tag<'_>, kind: SignatureErrorKind) -> SignatureError {
    SignatureError { kind, span: tag.value_span.clone() }
}

fn bad(tag: &Tag<'_>, name: &'static str, problem: &'static str) -> SignatureError {
    error(tag, SignatureErrorKind::BadTagValue { tag: name, problem })
}

fn text(value: &[u8]) -> String {
    value.escape_ascii().to_string()
}

/// RFC 6376 3.5 v=: "the value MUST be "1"".
fn version(tag: &Tag<'_>) -> Result<(), SignatureError> {
    match tag.value {
        b"1" => Ok(()),
        other => Err(error(tag, SignatureErrorKind::IncompatibleVersion(text(other)))),
    }
}

/// RFC 6376 3.5 a=.
///
/// Disputed. RFC 6376 3.2 calls tag values case-sensitive unless said otherwise, the ABNF of 3.5
/// has plain literals, which RFC 5234 2.3 makes caseless; dkimpy compares a=, c= and q= with case,
/// OpenDKIM without; we do without, because the grammar is the more specific rule.
/// Cases: sig-a-upper, canon-upper, sig-q-upper.
fn algorithm(tag: &Tag<'_>) -> Result<Algorithm, SignatureError> {
    let is = |name: &[u8]| tag.value.eq_ignore_ascii_case(name);
    if is(b"rsa-sha256") {
        Ok(Algorithm::RsaSha256)
    } else if is(b"ed25519-sha256") {
        Ok(Algorithm::Ed25519Sha256)
    } else if is(b"rsa-sha1") {
        Err(error(tag, SignatureErrorKind::RsaSha1))
    } else {
        Err(error(tag, SignatureErrorKind::UnknownAlgorithm(text(tag.value))))
    }
}

fn base64_value(tag: &Tag<'_>, name: &'static str) -> Result<Vec<u8>, SignatureError> {
    match base64(tag.value) {
        Some(octets) if octets.is_empty() => Err(bad(tag, name, "it is empty")),
        Some(octets) => Ok(octets),
        None => Err(bad(tag, name, "it is not base64")),
    }
}

/// RFC 6376 3.5 c=: one name means the header's; "If only one algorithm is named, that algorithm
/// is used for the header and "simple" is used for the body."
fn canonicalization(tag: &Tag<'_>) -> Result<(Canonicalization, Canonicalization), SignatureError> {
    let unknown = || error(tag, SignatureErrorKind::UnknownCanonicalization(text(tag.value)));
    let read = |name: &[u8]| match name {
        _ if name.eq_ignore_ascii_case(b"simple") => Ok(Canonicalization::Simple),
        _ if name.eq_ignore_ascii_case(b"relaxed") => Ok(Canonicalization::Relaxed),
        _ => Err(unknown()),
    };
    match tag.value.iter().position(|&octet| octet == b'/') {
        None => Ok((read(tag.value)?, Canonicalization::Simple)),
        Some(slash) => {
            let (header, body) = tag.value.split_at_checked(slash).ok_or_else(unknown)?;
            Ok((read(header)?, read(body.get(1..).unwrap_or_default())?))
        }
    }
}

/// RFC 6376 3.5 d=: `domain-name = sub-domain 1*("." sub-domain)`, of RFC 5321 and, by RFC 8616,
/// RFC 6531: letters, digits and inner hyphens, or U-labels.
///
/// Disputed. The grammar has no underscore; OpenDKIM, dkimpy and Mail::DKIM take one; we do not,
/// because RFC 6376 6.1.1 wants errors of format refused, and no mail domain of RFC 5321 has it.
/// Case: sig-d-underscore.
fn signing_domain(tag: &Tag<'_>) -> Result<Name, SignatureError> {
    let name = domain_name(tag.value, false).map_err(|problem| bad(tag, "d", problem))?;
    if name.label_count() < 2 {
        return Err(bad(tag, "d", "it has a single label"));
    }
    Ok(name)
}

/// RFC 6376 3.1: `selector = sub-domain *( "." sub-domain )`.
///
/// Disputed. RFC 6376 3.1 allows no underscore; OpenDKIM, dkimpy and every mailbox provider query
/// such selectors; we do too, because senders publish them and DNS carries them.
/// Case: sig-selector-underscore.
fn selector(tag: &Tag<'_>) -> Result<Name, SignatureError> {
    domain_name(tag.value, true).map_err(|problem| bad(tag, "s", problem))
}

fn domain_name(value: &[u8], underscore: bool) -> Result<Name, &'static str> {
    let text = std::str::from_utf8(value).map_err(|_| "it is not UTF-8")?;
    if text.is_empty() {
        return Err("it is empty");
    }
    // Octets beyond ASCII are judged as U-labels when the name is made.
    let valid = |octet: u8| {
        octet.is_ascii_alphanumeric()
            | matches!(octet, b'-' | b'.' | 0x80..)
            | (underscore & (octet == b'_'))
    };
    let mut invalid = value.iter().position(|&octet| !valid(octet)).unwrap_or(value.len());
    for label in value.split(|&octet| octet == b'.') {
        match label {
            [] => return Err("it has an empty label"),
            // The faults of a label are told in the order of the labels.
            _ if invalid < label.len() => {
                return Err("it has a character that no domain name has");
            }
            [b'-', ..] | [.., b'-'] => return Err("a label begins or ends with a hyphen"),
            _ => invalid = invalid.saturating_sub(label.len() + 1),
        }
    }
    text.parse().map_err(|_| "it is not a domain name")
}

/// RFC 6376 3.5 h=: "a colon-separated list of header field names".
///
/// Disputed. FWS may stand "on either side of the colon"; OpenDKIM deletes it inside names, too,
/// and dkimpy takes names of any octets; we refuse both, because RFC 6376 6.1.1 wants errors of
/// format refused. Cases: sig-h-space-in-name, sig-h-utf8.
fn signed_fields(
    tag: &Tag<'_>,
    limits: &Limits,
    form: Form,
) -> Result<SignedFields, SignatureError> {
    let invalid = || bad(tag, "h", "it has something that is no header field name");
    let mut joined = without_fws_at_colons(tag.value).ok_or_else(invalid)?;
    joined.make_ascii_lowercase();
    // RFC 5322 2.2: printable ASCII but colon; RFC 6376 2.10 excludes the semicolon besides.
    let printable = joined.iter().fold(true, |all, octet| all & octet.is_ascii_graphic());
    if !printable || (form == Form::Dkim && has_empty(&joined)) {
        return Err(invalid());
    }
    let fields = SignedFields::from_joined(joined);
    if fields.len() > limits.signed_fields {
        return Err(bad(tag, "h", "it names more header fields than this verifier looks at"));
    }
    // RFC 6376 6.1.1: "If the "h=" tag does not include the From header field, the Verifier MUST
    // ignore the DKIM-Signature header field and return PERMFAIL (From field not signed)."
    if form == Form::Dkim && fields.iter().all(|name| name != b"from") {
        return Err(error(tag, SignatureErrorKind::FromNotSigned));
    }
    Ok(fields)
}

/// Whether a list joined by colons has an empty member.
fn has_empty(joined: &[u8]) -> bool {
    let ends = joined.first().is_none_or(|&octet| octet == b':') || joined.ends_with(b":");
    // Octets compared one by one become vector code.
    let colons = |&[one, next]: &[u8; 2]| (one == b':') & (next == b':');
    ends || joined.array_windows().fold(false, |any, pair| any | colons(pair))
}

/// RFC 6376 3.5 i=: `[ Local-part ] "@" domain-name` in dkim-quoted-printable; "The domain part
/// of the address MUST be the same as, or a subdomain of, the value of the "d=" tag."
///
/// Disputed. dkimpy and Mail::DKIM compare how the text ends and no more; we decode it and want a
/// domain name after the last "@", because the AUID is told to others. Cases:
/// sig-i-bad-quoted-printable, sig-i-empty-label, sig-i-quoted-printable-domain.
fn identity(tag: &Tag<'_>, domain: &Name) -> Result<Identity, SignatureError> {
    let decoded = quoted_printable(tag.value)
        .ok_or_else(|| bad(tag, "i", "it is not dkim-quoted-printable"))?;
    let at = decoded.iter().rposition(|&octet| octet == b'@');
    let (local_part, rest) = at
        .and_then(|at| decoded.split_at_checked(at))
        .ok_or_else(|| bad(tag, "i", "it has no @"))?;
    let identity = Identity {
        local_part: local_part.to_vec(),
        domain: domain_name(rest.get(1..).unwrap_or_default(), true)
            .map_err(|problem| bad(tag, "i", problem))?,
    };
    if !identity.domain.is_at_or_below(domain) {
        return Err(error(
            tag,
            SignatureErrorKind::DomainMismatch {
                identity: identity.domain,
                domain: domain.clone(),
            },
        ));
    }
    Ok(identity)
}

/// `1*76DIGIT` or `1*12DIGIT`; a number beyond `u64` saturates, since nothing is as long.
fn decimal(tag: &Tag<'_>, name: &'static str, digits: usize) -> Result<u64, SignatureError> {
    if tag.value.is_empty() || !tag.value.iter().all(u8::is_ascii_digit) {
        return Err(bad(tag, name, "it is not a number"));
    }
    if tag.value.len() > digits {
        return Err(bad(tag, name, "it has too many digits"));
    }
    Ok(tag.value.iter().fold(0, |number: u64, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    }))
}

/// RFC 6376 3.5 x=: "The value of the "x=" tag MUST be greater than the value of the "t=" tag if
/// both are present."
fn expiration(tag: &Tag<'_>, timestamp: Option<u64>) -> Result<u64, SignatureError> {
    let expiration = decimal(tag, "x", 12)?;
    match timestamp {
        Some(timestamp) if expiration <= timestamp => {
            Err(error(tag, SignatureErrorKind::ExpirationBeforeTimestamp { timestamp, expiration }))
        }
        _ => Ok(expiration),
    }
}

/// RFC 6376 3.5 q=: "A colon-separated list of query methods"; an unknown one is passed over.
fn query_methods(tag: &Tag<'_>) -> Result<(), SignatureError> {
    let known =
        split_colons(tag.value).any(|method| trim_fws(method).eq_ignore_ascii_case(b"dns/txt"));
    if known {
        return Ok(());
    }
    Err(error(tag, SignatureErrorKind::UnknownQueryMethod(text(tag.value))))
}
