//! The input of the header hash (RFC 6376 3.7).

use mailproof_canonicalization::{Canonicalization, header_field};
use mailproof_message::{Field, Header};

use crate::crypto::{Digest, Sha256};
use crate::signature::{Signature, SignedFields};

/// The header fields that h= selects, in its order; `None` for a name that has no instance left.
///
/// RFC 6376 5.4.2: "Signers choosing to sign an existing header field that occurs more than once in
/// the message … MUST sign the physically last instance of that header field in the header block.
/// Signers wishing to sign multiple instances of such a header field MUST include the header field
/// name multiple times in the "h=" tag … and MUST sign such header fields in order from the bottom
/// of the header field block to the top."
///
/// `except` is the place of the signature's own field, which did not exist when it was made.
///
/// Disputed. RFC 6376 5.4 has DKIM-Signature in h= only "to indicate that other preexisting
/// signatures are also signed"; OpenDKIM, dkimpy and Mail::DKIM take the field's own for one of
/// them where it is the lowest; we do not, because nobody can have signed it like that.
/// Cases: sig-h-own, several-signed-signature-above.
pub fn selected_fields<'h>(
    header: &'h Header,
    signed_fields: &SignedFields,
    except: Option<usize>,
) -> Vec<Option<Field<'h>>> {
    let mut selected = Vec::new();
    select(header, signed_fields, except, |field| selected.push(field));
    selected
}

fn select<'h>(
    header: &'h Header,
    signed_fields: &SignedFields,
    except: Option<usize>,
    mut selected: impl FnMut(Option<Field<'h>>),
) {
    let mut used: Vec<bool> = header.fields().map(|_| false).collect();
    if let Some(own) = except.and_then(|own| used.get_mut(own)) {
        *own = true;
    }
    // Many signers name a field twice, so that nobody can add another: the second look goes on from
    // where the first one ended.
    let mut last: &[u8] = b"";
    let mut places = header.places_up(last);
    for name in signed_fields.iter() {
        if name != last {
            last = name;
            places = header.places_up(name);
        }
        let lowest = places.find(|&place| used.get(place) == Some(&false));
        if let Some(used) = lowest.and_then(|place| used.get_mut(place)) {
            *used = true;
        }
        selected(lowest.and_then(|place| header.field(place)));
    }
}

/// The octets that the header hash is computed over (RFC 6376 3.7 step 2): the selected fields in
/// canonical form, each with its CRLF, then the signature's own field with the value of b= removed
/// and without a final CRLF. `place` tells which field of the header that is, from the top.
pub fn header_hash_input(header: &Header, place: usize, signature: &Signature) -> Vec<u8> {
    let mut input = Vec::new();
    let canonicalization = signature.header_canonicalization;
    signed_input(header, &signature.signed_fields, Some(place), canonicalization, &mut input);
    own_input(header, place, signature, &mut input);
    input
}

/// Hashes for the signatures of one message, one after the other. Who signs twice, as with two keys
/// or for two domains, mostly signs the same fields: they are made canonical and hashed once.
#[derive(Default)]
pub(crate) struct HeaderHasher<'s> {
    last: Option<(usize, &'s Signature, Sha256)>,
    input: Vec<u8>,
}

impl<'s> HeaderHasher<'s> {
    /// The digest of [`header_hash_input`].
    pub(crate) fn digest(
        &mut self,
        header: &Header,
        place: usize,
        signature: &'s Signature,
    ) -> Digest {
        let canonicalization = signature.header_canonicalization;
        let names = &signature.signed_fields;
        // Where h= names the signature's own field, its place decides what is selected.
        let own = own_name(header, place);
        let mut hash = match &self.last {
            Some((last_place, last, hash))
                if last.header_canonicalization == canonicalization
                    && last.signed_fields == *names
                    && own_name(header, *last_place).eq_ignore_ascii_case(own)
                    && !names.iter().any(|name| name.eq_ignore_ascii_case(own)) =>
            {
                hash.clone()
            }
            _ => {
                let mut hash = Sha256::default();
                let mut part = |input: &mut Vec<u8>| {
                    hash.update(input);
                    input.clear();
                };
                let input = &mut self.input;
                signed_input_in_parts(
                    header,
                    names,
                    Some(place),
                    canonicalization,
                    input,
                    &mut part,
                );
                part(input);
                self.last = Some((place, signature, hash.clone()));
                hash
            }
        };
        own_input(header, place, signature, &mut self.input);
        hash.update(&self.input);
        self.input.clear();
        hash.finish()
    }
}

fn own_name(header: &Header, place: usize) -> &[u8] {
    header.field(place).and_then(|own| own.name()).unwrap_or_default()
}

/// The signature's own field in canonical form, with the value of b= removed.
fn own_input(header: &Header, place: usize, signature: &Signature, input: &mut Vec<u8>) {
    let Some(own) = header.field(place) else { return };
    // RFC 6376 3.7: "the value of the "b=" tag (including all surrounding whitespace) deleted
    // (i.e., treated as if it were the empty string)".
    let field = own.without_line_end();
    let value = field.len() - own.value().len();
    let span = &signature.signature_span;
    let before = field.get(..value + span.start).unwrap_or(field);
    let after = field.get(value + span.end..).unwrap_or_default();
    let canonicalization = signature.header_canonicalization;
    // b= is the last tag of most signatures.
    match after {
        [] => header_field(canonicalization, before, input),
        _ => header_field(canonicalization, &[before, after].concat(), input),
    }
}

/// The selected fields in canonical form, each with its CRLF.
pub(crate) fn signed_input(
    header: &Header,
    signed_fields: &SignedFields,
    except: Option<usize>,
    canonicalization: Canonicalization,
    input: &mut Vec<u8>,
) {
    signed_input_in_parts(header, signed_fields, except, canonicalization, input, |_| {});
}

/// The same, of which `part` may take what there is whenever it is called; the rest is in `input`.
fn signed_input_in_parts(
    header: &Header,
    signed_fields: &SignedFields,
    except: Option<usize>,
    canonicalization: Canonicalization,
    input: &mut Vec<u8>,
    mut part: impl FnMut(&mut Vec<u8>),
) {
    // Allocators are quick up to a kilobyte.
    input.reserve(1000);
    select(header, signed_fields, except, |field| {
        if let Some(field) = field {
            header_field(canonicalization, field.without_line_end(), input);
            input.extend_from_slice(b"\r\n");
            if input.len() > 500 {
                part(input);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn what_is_shared_changes_no_hash() {
        let field = |names: &str, canonicalization: &str, selector: usize| {
            format!(
                "DKIM-Signature: v=1; a=rsa-sha256; c={canonicalization}; d=example.org;\r\n \
                 s=s{selector}; h={names}; bh=AAAA; b=AA\r\n AA\r\n"
            )
        };
        let mut message = String::new();
        let names =
            ["from:to:from", "from:DKIM-Signature", "from:dkim-signature:to", "From:To:from"];
        for (selector, names) in names.iter().flat_map(|names| [names; 3]).enumerate() {
            let canonicalization = if selector % 5 == 4 { "simple" } else { "relaxed" };
            message += &field(names, canonicalization, selector);
        }
        message += "From: a@example.org\r\nTo:  b@example.org,\r\n c@example.org\r\n\r\n";
        let header = Header::parse(message.as_str());
        let signatures: Vec<Signature> = header
            .named("DKIM-Signature")
            .map(|field| Signature::parse(field.value(), &Limits::default()).unwrap())
            .collect();
        let mut hasher = HeaderHasher::default();
        for (place, signature) in signatures.iter().enumerate() {
            let alone = Sha256::digest(&header_hash_input(&header, place, signature));
            assert_eq!(hasher.digest(&header, place, signature), alone, "{place}");
        }
    }
}
