//! One key record by itself (RFC 6376 3.6.1).

use std::ops::Range;

use mailproof_dkim::{KeyErrorKind, KeyFormError, KeyRecord, KeyType, VerifyingKey};
use mailproof_tag_list::{Tag, TagList};

use super::modulus;
use super::weak_keys::WeakKeys;
use crate::finding::Text;
use crate::{Report, Severity};

/// The keys in examples of RFC 6376 C and RFC 8463 A.1, by the start of their moduli in base64.
const PUBLISHED: [&[u8]; 2] =
    [b"DwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/z", b"DkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5"];

/// One record by itself.
pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let end = text.octets.len();
    let tags = match TagList::parse(text.octets) {
        Ok(tags) => tags,
        Err(error) => {
            let (id, span, message) = match entity(text.octets) {
                Some(span) => ("DKIM008", span, "an HTML entity is part of the text".to_owned()),
                None => ("DKIM022", error.span, error.kind.to_string()),
            };
            report.at(id, text, span, message);
            return;
        }
    };
    for tag in tags.iter() {
        self::tag(report, text, tag);
    }
    if end > 450 {
        report.at("DKIM036", text, 450..end, format!("the record has {end} octets"));
    }
    public_key(report, text, &tags, text.octets);
}

/// The version, the type and the key, in `octets` that are the text but for its version.
fn public_key(report: &mut Report, text: Text<'_>, tags: &TagList<'_>, octets: &[u8]) {
    let error = match (KeyRecord::parse(octets), tags.get("p")) {
        (Ok(KeyRecord { public_key: None, .. }), Some(tag)) => {
            let span = tag.name_span.start..tag.value_span.end;
            report.at("DKIM007", text, span, "p= is empty: the key is revoked");
            return;
        }
        (Ok(KeyRecord { public_key: Some(key), .. }), Some(tag)) => {
            self::key(report, text, tag, &key);
            return;
        }
        (Ok(_), None) => return,
        (Err(error), _) => error,
    };
    let p: Vec<u8> = value(octets, "p").unwrap_or_default();
    let mut message = error.kind.to_string();
    let id = match &error.kind {
        KeyErrorKind::MissingKey => "DKIM006",
        KeyErrorKind::KeyNotBase64 if is_cut(&p) => {
            "the base64 of p= ends in the middle".clone_into(&mut message);
            "DKIM009"
        }
        KeyErrorKind::KeyNotBase64 => "DKIM008",
        KeyErrorKind::UnknownKeyType(kind) => {
            let kind: String = kind.chars().take(40).collect();
            message = format!("key type k={kind} is not known");
            "DKIM012"
        }
        KeyErrorKind::KeyForm { key_type, form } => match (key_type, p.len()) {
            (KeyType::Rsa, 43 | 44) => {
                "32 octets are no RSA key; k=ed25519 is missing".clone_into(&mut message);
                "DKIM012"
            }
            (KeyType::Ed25519, 90..) => {
                "this is no Ed25519 key, of 44 characters; is it an RSA key?"
                    .clone_into(&mut message);
                "DKIM012"
            }
            _ => form_rule(*form),
        },
        _ => "DKIM005",
    };
    if let ("DKIM009", Some(length)) = (id, der_length(&p)) {
        let there = p.iter().filter(|&&octet| octet != b'=').count() * 3 / 4;
        if there < length {
            message = format!("the key is cut: it has {there} of its {length} octets");
        }
    }
    if id == "DKIM005" {
        "the version is DKIM1, and the first tag".clone_into(&mut message);
    }
    report.at(id, text, error.span, message);
    if id == "DKIM005" {
        beside_version(report, text, tags, octets);
    }
}

/// What else is wrong can be seen without the version: under a name that nobody knows.
fn beside_version(report: &mut Report, text: Text<'_>, tags: &TagList<'_>, octets: &[u8]) {
    // A version with "=" in it has swallowed the next tag.
    let Some(version) = tags.get("v").filter(|version| !version.value.contains(&b'=')) else {
        return;
    };
    let unused = [b'x', b'y', b'z'].into_iter().find(|name| {
        str::from_utf8(std::slice::from_ref(name)).is_ok_and(|name| tags.get(name).is_none())
    });
    let mut without = octets.to_vec();
    if let (Some(place), Some(name)) = (without.get_mut(version.name_span.start), unused) {
        *place = name;
        public_key(report, text, tags, &without);
    }
}

/// Where an entity of HTML stands.
fn entity(octets: &[u8]) -> Option<Range<usize>> {
    [&b"&#"[..], b"&amp;", b"&quot;", b"&equals;", b"&plus;"].iter().find_map(|entity| {
        let start = octets.windows(entity.len()).position(|part| part == *entity)?;
        let rest = octets.get(start..)?;
        let length = rest.iter().position(|&octet| octet == b';').map_or(rest.len(), |at| at + 1);
        Some(start..start + length)
    })
}

/// Whether this was base64 before its end was lost: one character is left of a group of four.
fn is_cut(base64: &[u8]) -> bool {
    let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/".contains(octet);
    base64.len() % 4 == 1 && base64.iter().all(is_letter)
}

/// How many octets the DER says that it has: 30 82 and two octets, in base64.
fn der_length(base64: &[u8]) -> Option<usize> {
    let digit = |octet: &u8| match octet {
        b'A'..=b'Z' => Some(usize::from(octet - b'A')),
        b'a'..=b'z' => Some(usize::from(octet - b'a') + 26),
        b'0'..=b'9' => Some(usize::from(octet - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Option<Vec<usize>> = base64.get(..6)?.iter().map(digit).collect();
    let head = digits?.into_iter().fold(0, |head, digit| head << 6 | digit) >> 4;
    (head >> 16 == 0x3082).then_some((head & 0xffff) + 4)
}

fn form_rule(form: KeyFormError) -> &'static str {
    match form {
        KeyFormError::NotRsa => "DKIM012",
        KeyFormError::Exponent | KeyFormError::Modulus => "DKIM016",
        KeyFormError::Length | KeyFormError::Point => "DKIM011",
        _ => "DKIM009",
    }
}

fn key(report: &mut Report, text: Text<'_>, tag: &Tag<'_>, key: &VerifyingKey) {
    if key.key_type() != KeyType::Rsa {
        return;
    }
    let span = tag.value_span.clone();
    let bits = key.bits();
    let message = format!("an RSA key of {bits} bits");
    match bits {
        0..1024 => report.at("DKIM013", text, span.clone(), message),
        1024..2048 => report.at("DKIM014", text, span.clone(), message),
        4097.. => report.at("DKIM015", text, span.clone(), message),
        3072..=4096 => {
            report.at("DKIM015", text, span.clone(), message);
            report.severity(Severity::Info);
        }
        _ => {}
    }
    let letters = value_of(tag);
    if PUBLISHED.iter().any(|known| letters.windows(known.len()).any(|part| part == *known)) {
        let message = "the private key stands in the examples of an RFC";
        report.at("DKIM016", text, span.clone(), message);
    }
    if let Some(modulus) = modulus::of(&letters) {
        if let Some(prime) = modulus::small_factor(&modulus) {
            let message = format!("the modulus is divided by {prime}");
            report.at("DKIM016", text, span.clone(), message);
        } else if modulus::is_roca(&modulus) {
            let message = "the key was made by a chip whose keys can be factored (CVE-2017-15361)";
            report.at("DKIM016", text, span.clone(), message);
        }
    }
    // A SubjectPublicKeyInfo has the object identifier of rsaEncryption near its start, in one
    // of the three ways in which octets fall into groups of base64.
    let head = letters.get(..40).unwrap_or(&letters);
    let is_info = [&b"KoZIhvcNAQEB"[..], b"qGSIb3DQEBAQ", b"BgkqhkiG9w0B"]
        .iter()
        .any(|oid| head.windows(oid.len()).any(|part| part == *oid));
    if !is_info {
        report.at("DKIM010", text, span, "a bare RSAPublicKey, which some verifiers do not read");
    }
}

/// A key that a list of weak ones has.
pub(super) fn weak(report: &mut Report, text: Text<'_>, weak_keys: &WeakKeys) {
    let Ok(tags) = TagList::parse(text.octets) else { return };
    let Some(tag) = tags.get("p") else { return };
    let Some(modulus) = modulus::of(&value_of(tag)) else { return };
    if let Some(listed) = weak_keys.find(&modulus) {
        let message = format!(
            "{listed} lists the key as weak: anybody can have its private half; make a new one"
        );
        report.at("DKIM016", text, tag.value_span.clone(), message);
    }
}

fn tag(report: &mut Report, text: Text<'_>, tag: &Tag<'_>) {
    let span = tag.name_span.start..tag.value_span.end;
    let has = |wanted: &[&[u8]]| {
        tag.value.split(|&octet| octet == b':').any(|member| {
            wanted.iter().any(|value| member.trim_ascii().eq_ignore_ascii_case(value))
        })
    };
    match tag.name {
        "v" | "k" | "p" => {}
        "h" if !has(&[b"sha256"]) => report.at("DKIM018", text, span, "h= does not name sha256"),
        "s" if !has(&[b"*", b"email"]) => {
            report.at("DKIM019", text, span, "s= names neither * nor email");
            if has(&[b"tlsrpt"]) {
                report.severity(Severity::Info);
            }
        }
        "t" => {
            if has(&[b"y"]) {
                report.at("DKIM020", text, span.clone(), "the key says that DKIM is being tested");
            }
            if has(&[b"s"]) {
                report.at("DKIM021", text, span, "signatures of subdomains fail");
            }
        }
        "g" | "q" | "c" => {
            report.at("DKIM023", text, span, "RFC 6376 has no such tag in key records");
            if tag.name == "g" && tag.value != b"*" {
                report.severity(Severity::Warning);
            }
        }
        "h" | "s" | "n" => {}
        _ => report.at("DKIM024", text, span, "nobody knows this tag"),
    }
}

/// The value of a tag, white space taken out.
pub(super) fn value(record: &[u8], tag: &str) -> Option<Vec<u8>> {
    let tags = TagList::parse(record).ok()?;
    Some(value_of(tags.get(tag)?))
}

fn value_of(tag: &Tag<'_>) -> Vec<u8> {
    tag.value.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect()
}
