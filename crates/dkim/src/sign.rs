//! Signing a message (RFC 6376 5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_canonicalization::{Canonicalization, header_field};
use mailproof_dns::Name;
use mailproof_message::Header;

use crate::body_hash::BodyHasher;
use crate::crypto::{Digest, PrivateKey, Sha256, SigningError};
use crate::fold::Folder;
use crate::header_hash::signed_input;
use crate::signable::{Refusal, SignableBody, check_header};
use crate::signature::{Identity, SignedFields};

/// Which header fields a signature covers, tag h= (RFC 6376 5.4).
///
/// Every instance of a field named in `sign` is covered; of one named in `oversign`, one more than
/// the message has, so that none can be added (RFC 6376 5.4.2, 8.15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSelection {
    /// Names of fields to sign where the message has them.
    pub sign: Vec<String>,
    /// Names of fields to sign once more than the message has them.
    pub oversign: Vec<String>,
}

impl Default for FieldSelection {
    /// What a reader is shown, or what decides how it is shown, is oversigned. Fields that a
    /// mailing list or a forwarder adds in its work are signed where they are (RFC 6376 5.4.1),
    /// but not oversigned: to do so would break every message that passes through one.
    fn default() -> FieldSelection {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        FieldSelection {
            sign: names(&[
                "Resent-Date",
                "Resent-From",
                "Resent-To",
                "Resent-Cc",
                "List-Id",
                "List-Help",
                "List-Unsubscribe",
                "List-Unsubscribe-Post",
                "List-Subscribe",
                "List-Post",
                "List-Owner",
                "List-Archive",
            ]),
            oversign: names(&[
                "From",
                "Sender",
                "Reply-To",
                "To",
                "Cc",
                "Subject",
                "Date",
                "Message-ID",
                "In-Reply-To",
                "References",
                "MIME-Version",
                "Content-Type",
                "Content-Transfer-Encoding",
            ]),
        }
    }
}

/// What one signature is to say (RFC 6376 3.5).
#[derive(Debug, Clone)]
pub struct Template<'k> {
    /// The key; it decides a=.
    pub key: &'k PrivateKey,
    /// Tag d=: the SDID.
    pub domain: Name,
    /// Tag s=: the selector under which the key is published.
    pub selector: Name,
    /// Tag c=, first part.
    pub header_canonicalization: Canonicalization,
    /// Tag c=, second part.
    pub body_canonicalization: Canonicalization,
    /// Tag i=: the AUID; without it none is written.
    pub identity: Option<Identity>,
    /// Tag t=: the time of signing in seconds since 1970-01-01 UTC.
    pub timestamp: u64,
    /// Tag x=: how many seconds the signature is good for; without it none is written.
    pub valid_for: Option<u64>,
    /// Tag h=.
    pub fields: FieldSelection,
}

impl<'k> Template<'k> {
    /// A signature with the defaults: relaxed/relaxed, everything a reader sees oversigned, no AUID
    /// and no expiration.
    pub fn new(key: &'k PrivateKey, domain: Name, selector: Name, now: u64) -> Template<'k> {
        Template {
            key,
            domain,
            selector,
            header_canonicalization: Canonicalization::Relaxed,
            body_canonicalization: Canonicalization::Relaxed,
            identity: None,
            timestamp: now,
            valid_for: None,
            fields: FieldSelection::default(),
        }
    }
}

/// Whether octets beyond ASCII may be signed.
///
/// RFC 6376 5.3 fears that a relay without 8BITMIME (RFC 6152) or SMTPUTF8 (RFC 6531) re-encodes
/// them and so breaks the signature. Only the caller knows the way of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EightBit {
    /// Refuse them: the way is not known to be clean.
    #[default]
    Refuse,
    /// Sign them: every relay on the way is known, or believed, to keep them.
    Sign,
}

/// A Signer (RFC 6376 2.1) that has read the header section and takes the body in chunks; any
/// number of signatures share its one pass.
pub struct Signer<'h, 'k> {
    header: &'h Header,
    templates: Vec<Template<'k>>,
    body: BodyHasher,
    signable: SignableBody,
    form: Form,
}

/// Which field is made.
#[derive(Clone, Copy)]
enum Form {
    Dkim,
    /// The ARC-Message-Signature of this instance.
    Arc(u8),
}

impl<'h, 'k> Signer<'h, 'k> {
    /// Begins to sign a message.
    ///
    /// # Errors
    /// Why the header section, or a template, must not be signed.
    pub fn new(
        header: &'h Header,
        templates: Vec<Template<'k>>,
        eight_bit: EightBit,
    ) -> Result<Signer<'h, 'k>, Refusal> {
        Signer::begin(header, templates, eight_bit, Form::Dkim)
    }

    /// Begins to make the ARC-Message-Signature (RFC 8617 4.1.2) of an instance: a DKIM-Signature
    /// of another name, without v=, and with the instance in the place of an AUID.
    ///
    /// # Errors
    /// As [`Signer::new`].
    pub fn arc(
        header: &'h Header,
        template: Template<'k>,
        instance: u8,
        eight_bit: EightBit,
    ) -> Result<Signer<'h, 'k>, Refusal> {
        let template = Template { identity: None, ..template };
        Signer::begin(header, vec![template], eight_bit, Form::Arc(instance))
    }

    fn begin(
        header: &'h Header,
        templates: Vec<Template<'k>>,
        eight_bit: EightBit,
        form: Form,
    ) -> Result<Signer<'h, 'k>, Refusal> {
        check_header(header, eight_bit)?;
        let mut body = BodyHasher::default();
        for template in &templates {
            check_template(template)?;
            body.want(template.body_canonicalization, None);
        }
        Ok(Signer { header, templates, body, signable: SignableBody::new(eight_bit), form })
    }

    /// Takes the next octets of the body.
    ///
    /// # Errors
    /// Why the body must not be signed; the signer is of no further use then.
    pub fn body(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.signable.check(chunk)?;
        self.body.update(chunk);
        Ok(())
    }

    /// Ends the body and signs: the DKIM-Signature header fields, in the order of the templates,
    /// complete with name and final CRLF, folded at 78 columns. They go before all other fields of
    /// the message (RFC 6376 5.6).
    ///
    /// # Errors
    /// The body ends in a way that must not be signed, or the cryptographic library failed.
    pub fn finish(self) -> Result<Vec<Vec<u8>>, Refusal> {
        let Signer { header, templates, body, signable, form } = self;
        signable.finish()?;
        let hashes = body.finish();
        let sign = |template: &Template<'_>| {
            let (body_hash, _) =
                hashes.hash(template.body_canonicalization, None).unwrap_or_default();
            sign(form, template, header, &body_hash).map_err(Refusal::from)
        };
        templates.iter().map(sign).collect()
    }
}

/// RFC 6376 3.5: what tags d=, i= and x= have to keep to.
fn check_template(template: &Template<'_>) -> Result<(), Refusal> {
    let signs_from = |names: &[String]| names.iter().any(|name| name.eq_ignore_ascii_case("from"));
    if !signs_from(&template.fields.sign) && !signs_from(&template.fields.oversign) {
        return Err(Refusal::FromNotSigned);
    }
    let names = template.fields.sign.iter().chain(&template.fields.oversign);
    for name in names {
        let ftext = |octet: u8| octet.is_ascii_graphic() && octet != b':' && octet != b';';
        if name.is_empty() || !name.bytes().all(ftext) {
            return Err(Refusal::FieldName(name.clone()));
        }
    }
    if template.domain.label_count() < 2 {
        return Err(Refusal::SingleLabelDomain(template.domain.clone()));
    }
    if crate::parse::key_name(&template.selector, &template.domain).is_none() {
        return Err(Refusal::KeyNameTooLong);
    }
    match &template.identity {
        Some(identity) if !identity.domain.is_at_or_below(&template.domain) => {
            Err(Refusal::DomainMismatch {
                identity: identity.domain.clone(),
                domain: template.domain.clone(),
            })
        }
        _ if template.valid_for == Some(0) => Err(Refusal::NoValidity),
        _ => Ok(()),
    }
}

fn sign(
    form: Form,
    template: &Template<'_>,
    header: &Header,
    body_hash: &Digest,
) -> Result<Vec<u8>, SigningError> {
    let names = signed_names(&template.fields, header);
    let mut folder = match form {
        Form::Dkim => Folder::new("DKIM-Signature:"),
        Form::Arc(_) => Folder::new("ARC-Message-Signature:"),
    };
    match form {
        Form::Dkim => folder.word("v=1;"),
        Form::Arc(instance) => folder.word(&format!("i={instance};")),
    }
    write_tags(&mut folder, template, &names, body_hash);
    let digest = header_digest(template, header, &names, folder.octets());
    folder.text(&STANDARD.encode(template.key.sign(&digest)?));
    Ok(folder.finish())
}

/// Every tag but the value of b=, which is the last.
fn write_tags(
    folder: &mut Folder,
    template: &Template<'_>,
    names: &SignedFields,
    body_hash: &Digest,
) {
    let Template { header_canonicalization: header, body_canonicalization: body, .. } = template;
    folder.word(&format!("a={};", template.key.algorithm()));
    folder.word(&format!("c={header}/{body};"));
    folder.word(&format!("d={};", template.domain));
    folder.word(&format!("s={};", template.selector));
    folder.word(&format!("t={};", template.timestamp));
    if let Some(seconds) = template.valid_for {
        folder.word(&format!("x={};", template.timestamp.saturating_add(seconds)));
    }
    if let Some(identity) = &template.identity {
        folder.word(&format!("i={}@{};", quoted_printable(identity), identity.domain));
    }
    let mut names = names.iter().map(String::from_utf8_lossy).peekable();
    let mut lead = "h=";
    while let Some(name) = names.next() {
        let end = if names.peek().is_some() { ':' } else { ';' };
        let word = format!("{lead}{name}{end}");
        if lead.is_empty() {
            folder.part(&word)
        } else {
            folder.word(&word)
        }
        lead = "";
    }
    folder.word(&format!("bh={};", STANDARD.encode(body_hash)));
    folder.word("b=");
}

/// RFC 6376 5.4.2: each instance that is signed is named once; naming a field once more than it
/// stands keeps another from being added.
fn signed_names(selection: &FieldSelection, header: &Header) -> SignedFields {
    let mut joined: Vec<u8> = Vec::with_capacity(256);
    let mut done: Vec<&str> = Vec::new();
    let chosen = selection
        .oversign
        .iter()
        .map(|name| (name, 1))
        .chain(selection.sign.iter().map(|name| (name, 0)));
    for (name, extra) in chosen {
        if done.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            continue;
        }
        done.push(name);
        let present = header.places_up(name.as_bytes()).count();
        for _ in 0..present + extra {
            if !joined.is_empty() {
                joined.push(b':');
            }
            joined.extend(name.bytes().map(|octet| octet.to_ascii_lowercase()));
        }
    }
    SignedFields::from_joined(joined)
}

/// RFC 6376 3.7 step 2, for the field that ends with the `b=` of which the value is to come.
fn header_digest(
    template: &Template<'_>,
    header: &Header,
    names: &SignedFields,
    own: &[u8],
) -> Digest {
    let canonicalization = template.header_canonicalization;
    let mut input = Vec::with_capacity(4096);
    signed_input(header, names, None, canonicalization, &mut input);
    header_field(canonicalization, own, &mut input);
    Sha256::digest(&input)
}

/// The local part of an AUID in dkim-quoted-printable (RFC 6376 2.11).
fn quoted_printable(identity: &Identity) -> String {
    let mut encoded = String::new();
    for &octet in &identity.local_part {
        match octet {
            b';' | b'=' | 0..=0x20 | 0x7f.. => encoded.push_str(&format!("={octet:02X}")),
            _ => encoded.push(char::from(octet)),
        }
    }
    encoded
}
