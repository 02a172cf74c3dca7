//! The input of the header hash (RFC 6376 3.7).

use mailproof_canonicalization::{Canonicalization, header_field};
use mailproof_message::{Field, Header};

use crate::crypto::{Digest, Sha256};
use crate::signature::{Signature, SignedFields};

/// The fields of a header section, with a mark of each name by which most others are told apart
/// without comparing them: h= holds some twenty names, each looked for among all fields.
pub(crate) struct FieldIndex<'h> {
    fields: Vec<(Mark, Field<'h>)>,
    /// A bit for each mark that a field has, and for each that more than one has.
    present: u64,
    repeated: u64,
}

/// The length of a name, and its first, middle and last letter without case.
type Mark = [u8; 4];

impl<'h> FieldIndex<'h> {
    pub(crate) fn new(header: &'h Header) -> FieldIndex<'h> {
        let (mut present, mut repeated) = (0, 0);
        let marked = |field: Field<'h>| {
            let mark = mark(field.name().unwrap_or_default());
            repeated |= present & bit(mark);
            present |= bit(mark);
            (mark, field)
        };
        let fields = header.fields().map(marked).collect();
        FieldIndex { fields, present, repeated }
    }

    /// An index that holds no field.
    pub(crate) fn empty() -> FieldIndex<'h> {
        FieldIndex { fields: Vec::new(), present: 0, repeated: 0 }
    }

    /// Whether more than one field may have this name; if not, none or one has.
    pub(crate) fn may_repeat(&self, name: &[u8]) -> bool {
        self.repeated & bit(mark(name)) != 0
    }

    /// The field at `place`, from the top.
    pub(crate) fn at(&self, place: usize) -> Option<&Field<'h>> {
        self.fields.get(place).map(|(_, field)| field)
    }

    /// The places of the fields of this name, top to bottom.
    pub(crate) fn named(&self, name: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
        let wanted = mark(name);
        let all = self.fields.len();
        let looked_through = if self.present & bit(wanted) == 0 { 0 } else { all };
        self.fields.iter().take(looked_through).enumerate().filter_map(
            move |(place, (mark, field))| {
                let same = *mark == wanted
                    && field.name().is_some_and(|other| other.eq_ignore_ascii_case(name));
                same.then_some(place)
            },
        )
    }

    /// The fields that h= selects, as [`selected_fields`] tells.
    fn select(
        &self,
        signed_fields: &SignedFields,
        except: Option<usize>,
        mut selected: impl FnMut(Option<&Field<'h>>),
    ) {
        let mut used = vec![false; self.fields.len()];
        if let Some(own) = except.and_then(|own| used.get_mut(own)) {
            *own = true;
        }
        for name in signed_fields.iter() {
            let lowest = self.named(name).rev().find(|&place| used.get(place) == Some(&false));
            if let Some(used) = lowest.and_then(|place| used.get_mut(place)) {
                *used = true;
            }
            selected(lowest.and_then(|place| self.at(place)));
        }
    }
}

fn mark(name: &[u8]) -> Mark {
    let letter = |octet: Option<&u8>| octet.map_or(0, |octet| octet | 0x20);
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    [length, letter(name.first()), letter(name.get(name.len() / 2)), letter(name.last())]
}

/// One of 64 bits.
fn bit([length, first, middle, last]: Mark) -> u64 {
    let sum = length.wrapping_mul(5) ^ first ^ middle.wrapping_mul(3) ^ last.wrapping_mul(7);
    1 << (sum % 64)
}

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
    let mut selected = Vec::new();
    FieldIndex::new(header).select(signed_fields, except, |field| selected.push(field.copied()));
    selected
}

/// The octets that the header hash is computed over (RFC 6376 3.7 step 2): the selected fields in
/// canonical form, each with its CRLF, then the signature's own field with the value of b= removed
/// and without a final CRLF. `place` tells which field of the header that is, from the top.
pub fn header_hash_input(header: &Header, place: usize, signature: &Signature) -> Vec<u8> {
    let (fields, mut input) = (FieldIndex::new(header), Vec::new());
    let canonicalization = signature.header_canonicalization;
    signed_input(&fields, &signature.signed_fields, Some(place), canonicalization, &mut input);
    own_input(&fields, place, signature, &mut input);
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
        fields: &FieldIndex<'_>,
        place: usize,
        signature: &'s Signature,
    ) -> Digest {
        let canonicalization = signature.header_canonicalization;
        let names = &signature.signed_fields;
        // Where h= names the signature's own field, its place decides what is selected.
        let own = own_name(fields, place);
        let mut hash = match &self.last {
            Some((last_place, last, hash))
                if last.header_canonicalization == canonicalization
                    && last.signed_fields == *names
                    && own_name(fields, *last_place).eq_ignore_ascii_case(own)
                    && names.iter().all(|name| !name.eq_ignore_ascii_case(own)) =>
            {
                hash.clone()
            }
            _ => {
                self.input.clear();
                signed_input(fields, names, Some(place), canonicalization, &mut self.input);
                let mut hash = Sha256::default();
                hash.update(&self.input);
                self.last = Some((place, signature, hash.clone()));
                hash
            }
        };
        self.input.clear();
        own_input(fields, place, signature, &mut self.input);
        hash.update(&self.input);
        hash.finish()
    }
}

fn own_name<'h>(fields: &FieldIndex<'h>, place: usize) -> &'h [u8] {
    fields.at(place).and_then(Field::name).unwrap_or_default()
}

/// The signature's own field in canonical form, with the value of b= removed.
fn own_input(fields: &FieldIndex<'_>, place: usize, signature: &Signature, input: &mut Vec<u8>) {
    let Some(own) = fields.at(place) else { return };
    // RFC 6376 3.7: "the value of the "b=" tag (including all surrounding whitespace) deleted
    // (i.e., treated as if it were the empty string)".
    let field = own.without_line_end();
    let value = field.len() - own.value().len();
    let span = &signature.signature_span;
    let before = field.get(..value + span.start).unwrap_or(field);
    let after = field.get(value + span.end..).unwrap_or_default();
    header_field(signature.header_canonicalization, &[before, after].concat(), input);
}

/// The selected fields in canonical form, each with its CRLF.
pub(crate) fn signed_input(
    fields: &FieldIndex<'_>,
    signed_fields: &SignedFields,
    except: Option<usize>,
    canonicalization: Canonicalization,
    input: &mut Vec<u8>,
) {
    input.reserve(4096);
    fields.select(signed_fields, except, |field| {
        if let Some(field) = field {
            header_field(canonicalization, field.without_line_end(), input);
            input.extend_from_slice(b"\r\n");
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
        let fields = FieldIndex::new(&header);
        let mut hasher = HeaderHasher::default();
        for (place, signature) in signatures.iter().enumerate() {
            let alone = Sha256::digest(&header_hash_input(&header, place, signature));
            assert_eq!(hasher.digest(&fields, place, signature), alone, "{place}");
        }
    }
}
