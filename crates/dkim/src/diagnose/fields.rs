//! Fields that were added, removed, moved or given another value.

use mailproof_message::Field;
use mailproof_tag_list::TagList;

use crate::encoding::quoted_printable;

use super::change::{Change, Source, excerpt};
use super::header::{Edit, Material, Proposal};

/// Fields with usual values, one of which may have been removed.
const USUAL: &[(&str, &[&str])] = &[
    ("MIME-Version", &["1.0"]),
    ("Content-Transfer-Encoding", &["7bit", "8bit", "quoted-printable", "base64"]),
    (
        "Content-Type",
        &[
            "text/plain",
            "text/plain; charset=utf-8",
            "text/plain; charset=UTF-8",
            "text/plain; charset=\"utf-8\"",
            "text/plain; charset=\"UTF-8\"",
            "text/plain; charset=us-ascii",
            "text/plain; charset=\"us-ascii\"",
            "text/plain; charset=iso-8859-1",
            "text/html; charset=utf-8",
            "text/html; charset=\"utf-8\"",
        ],
    ),
    ("Content-Disposition", &["inline"]),
    ("Subject", &[""]),
    ("To", &["undisclosed-recipients:;"]),
    ("Cc", &[""]),
    ("Bcc", &[""]),
    ("Reply-To", &[""]),
];

/// The fields of RFC 2045.
const MIME: [&str; 5] = [
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-Language",
];

/// The fields that a mailing list adds, often several of them: RFC 2369, RFC 2919, RFC 8058, and
/// what programs add beside them.
const LIST: [&str; 12] = [
    "Sender",
    "Reply-To",
    "List-Id",
    "List-Help",
    "List-Subscribe",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Post",
    "List-Owner",
    "List-Archive",
    "Precedence",
    "Errors-To",
];

/// The copies of z= (RFC 6376 3.5) put in place of the fields: all that differ, and each alone.
pub(super) fn copied(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let Some(own) = material.fields.get(material.place) else { return };
    if own.octets().len() > material.most {
        return;
    }
    let Ok(tags) = TagList::parse(own.value()) else { return };
    let Some(copies) = tags.get("z") else { return };
    let mut each = Vec::new();
    for copy in copies.value.split(|&octet| octet == b'|').take(material.signed.len() + 64) {
        each.extend(one_copy(material, copy));
    }
    proposals.extend(together(&each));
    proposals.extend(each);
}

/// Several changes made all at once, if they are several.
pub(super) fn together(each: &[Proposal]) -> Option<Proposal> {
    (each.len() > 1).then(|| Proposal {
        changes: each.iter().flat_map(|proposal| proposal.changes.clone()).collect(),
        edits: each.iter().flat_map(|proposal| proposal.edits.clone()).collect(),
    })
}

fn one_copy(material: &Material<'_>, copy: &[u8]) -> Option<Proposal> {
    let (name, value) = copy.split_at_checked(copy.iter().position(|&octet| octet == b':')?)?;
    let name = name.trim_ascii();
    let text = std::str::from_utf8(name).ok()?;
    let value = quoted_printable(value.get(1..)?)?;
    let value = one_line(&value)?;
    if material.signature.signed_fields.count(&name.to_ascii_lowercase()) == 0 {
        return None;
    }
    let octets = [name, b":", &value[..], b"\r\n"].concat();
    match material.lowest(text) {
        Some((_, field)) if same(field.value(), &value) => None,
        Some((place, _)) => Some(Proposal {
            changes: vec![Change::ValueChanged {
                name: text.to_owned(),
                signed: excerpt(value.trim_ascii()),
                source: Source::CopiedFields,
            }],
            edits: vec![Edit { field: place, octets }],
        }),
        None => Some(Proposal {
            changes: vec![Change::FieldRemoved {
                name: text.to_owned(),
                value: excerpt(value.trim_ascii()),
            }],
            edits: vec![Edit { field: material.fields.len(), octets }],
        }),
    }
}

/// A value that cannot end its field; the copy of a hostile signature may try.
fn one_line(value: &[u8]) -> Option<Vec<u8>> {
    let lines = value.split(|&octet| octet == b'\n');
    let folds = lines.skip(1).all(|line| matches!(line.first(), Some(b' ' | b'\t')));
    folds.then(|| value.to_vec())
}

/// Whether two values differ in white space at most.
fn same(one: &[u8], other: &[u8]) -> bool {
    fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
        value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
    }
    words(one).eq(words(other))
}

/// Each instance of a signed field, which may be one too many; and the fields of MIME, which a
/// gateway adds all at once, and those of a list.
pub(super) fn added(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let mut mime = Vec::new();
    for (place, field) in material.signed_fields() {
        let proposal = one_added(place, field);
        if MIME.iter().any(|name| field.is(name)) {
            mime.push(proposal.clone());
        }
        proposals.push(proposal);
    }
    proposals.extend(together(&mime));
    proposals.extend(together(&of_list(material)));
}

/// The fields of a list, each as one that was added.
pub(super) fn of_list(material: &Material<'_>) -> Vec<Proposal> {
    let fields = material.signed_fields();
    let fields = fields.filter(|(_, field)| LIST.iter().any(|name| field.is(name)));
    fields.map(|(place, field)| one_added(place, field)).collect()
}

/// A field that was not there.
pub(super) fn one_added(place: usize, field: &Field<'_>) -> Proposal {
    let (name, value) = (name(field), excerpt(field.value().trim_ascii()));
    Proposal {
        changes: vec![Change::FieldAdded { name, value }],
        edits: vec![Edit { field: place, octets: Vec::new() }],
    }
}

/// Usual values of the fields that h= names and the message lacks.
pub(super) fn removed(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    for &(name, values) in USUAL {
        let signed = material.signature.signed_fields.count(name.to_ascii_lowercase().as_bytes());
        if signed == 0 || material.lowest(name).is_some() {
            continue;
        }
        for value in values {
            proposals.push(Proposal {
                changes: vec![Change::FieldRemoved {
                    name: name.to_owned(),
                    value: (*value).to_owned(),
                }],
                edits: vec![Edit {
                    field: material.fields.len(),
                    octets: format!("{name}: {value}\r\n").into_bytes(),
                }],
            });
        }
    }
}

/// How many neighbours are swapped.
const SWAPS: usize = 8;

/// Other orders of the instances of a field that is signed more than once: turned around, the
/// topmost put last, the last put on top, and two neighbours swapped.
pub(super) fn reordered(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let mut done: Vec<&[u8]> = Vec::new();
    for (_, field) in material.signed_fields() {
        let Some(name) = field.name() else { continue };
        if done.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            continue;
        }
        done.push(name);
        let alike =
            |field: &Field<'_>| field.name().is_some_and(|other| other.eq_ignore_ascii_case(name));
        let (places, instances): (Vec<usize>, Vec<&[u8]>) = material
            .signed_fields()
            .filter(|(_, field)| alike(field))
            .map(|(place, field)| (place, field.octets()))
            .unzip();
        if instances.len() < 2 {
            continue;
        }
        let turned = |turn: fn(&mut [&[u8]])| {
            let mut order = instances.clone();
            turn(&mut order);
            order
        };
        let mut orders = vec![
            turned(|order| order.reverse()),
            turned(|order| order.rotate_left(1)),
            turned(|order| order.rotate_right(1)),
        ];
        for upper in 0..(instances.len() - 1).min(SWAPS) {
            let mut order = instances.clone();
            order.swap(upper, upper + 1);
            orders.push(order);
        }
        orders.sort_unstable();
        orders.dedup();
        for order in orders.into_iter().filter(|order| *order != instances) {
            let edits = places.iter().zip(&order);
            let edits = edits.map(|(&field, octets)| Edit { field, octets: octets.to_vec() });
            proposals.push(Proposal {
                changes: vec![Change::FieldsReordered { name: self::name(field) }],
                edits: edits.collect(),
            });
        }
    }
}

/// A field's name in print.
fn name(field: &Field<'_>) -> String {
    excerpt(field.name().unwrap_or_default())
}
