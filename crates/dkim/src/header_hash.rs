//! The input of the header hash (RFC 6376 3.7).

use mailproof_canonicalization::{Canonicalization, header_field};
use mailproof_message::{Field, Header};

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
pub fn selected_fields<'h>(
    header: &'h Header,
    signed_fields: &SignedFields,
    except: Option<usize>,
) -> Vec<Option<Field<'h>>> {
    let fields: Vec<Field<'h>> = header.fields().collect();
    let mut selected = Vec::new();
    select(&fields, signed_fields, except, |field| selected.push(field));
    selected
}

/// The octets that the header hash is computed over (RFC 6376 3.7 step 2): the selected fields in
/// canonical form, each with its CRLF, then the signature's own field with the value of b= removed
/// and without a final CRLF. `place` tells which field of the header that is, from the top.
pub fn header_hash_input(header: &Header, place: usize, signature: &Signature) -> Vec<u8> {
    let fields: Vec<Field<'_>> = header.fields().collect();
    hash_input(&fields, place, signature)
}

pub(crate) fn hash_input(fields: &[Field<'_>], place: usize, signature: &Signature) -> Vec<u8> {
    let canonicalization = signature.header_canonicalization;
    let mut input = Vec::with_capacity(4096);
    signed_input(fields, &signature.signed_fields, Some(place), canonicalization, &mut input);
    if let Some(own) = fields.get(place) {
        // RFC 6376 3.7: "the value of the "b=" tag (including all surrounding whitespace) deleted
        // (i.e., treated as if it were the empty string)".
        let field = own.without_line_end();
        let value = field.len() - own.value().len();
        let span = &signature.signature_span;
        let before = field.get(..value + span.start).unwrap_or(field);
        let after = field.get(value + span.end..).unwrap_or_default();
        header_field(canonicalization, &[before, after].concat(), &mut input);
    }
    input
}

/// The selected fields in canonical form, each with its CRLF.
pub(crate) fn signed_input(
    fields: &[Field<'_>],
    signed_fields: &SignedFields,
    except: Option<usize>,
    canonicalization: Canonicalization,
    input: &mut Vec<u8>,
) {
    select(fields, signed_fields, except, |field| {
        if let Some(field) = field {
            header_field(canonicalization, field.without_line_end(), input);
            input.extend_from_slice(b"\r\n");
        }
    });
}

fn select<'h>(
    fields: &[Field<'h>],
    signed_fields: &SignedFields,
    except: Option<usize>,
    mut selected: impl FnMut(Option<Field<'h>>),
) {
    let mut used = vec![false; fields.len()];
    if let Some(own) = except.and_then(|own| used.get_mut(own)) {
        *own = true;
    }
    for name in signed_fields.iter() {
        let lowest = fields.iter().zip(&mut used).rev().find(|(field, used)| {
            !**used && field.name().is_some_and(|other| other.eq_ignore_ascii_case(name))
        });
        selected(lowest.map(|(field, used)| {
            *used = true;
            *field
        }));
    }
}
