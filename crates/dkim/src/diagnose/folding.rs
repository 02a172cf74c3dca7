//! Folds, white space and the case of names, which "simple" does not pass over (RFC 6376 3.4.1).

use super::change::{Change, excerpt};
use super::header::{Edit, Material, Proposal};

/// Rewrites a field, given without its final CRLF.
type Rewrite = fn(&[u8]) -> Vec<u8>;
/// Makes the change from the name of the field.
type Told = fn(Option<String>) -> Change;

/// The ways a field can have been written when it was signed.
const FOLDS: &[Rewrite] = &[
    unfolded,
    |field| folds_with(field, b" "),
    |field| folds_with(field, b"\t"),
    |field| folds_with(field, b"        "),
    |field| folded(field, b"\r\n ", 78),
    |field| folded(field, b"\r\n\t", 78),
    |field| folded(field, b"\r\n ", 76),
    |field| folded(field, b"\r\n\t", 76),
    |field| folded_at_commas(field, b"\r\n "),
    |field| folded_at_commas(field, b"\r\n\t"),
];

const SPACES: &[Rewrite] = &[collapsed, one_space_first, no_space_first, trimmed, colon_first];

const CASES: &[Rewrite] = &[
    |field| named(field, title_case),
    |field| named(field, usual_case),
    |field| named(field, <[u8]>::to_ascii_lowercase),
    |field| named(field, <[u8]>::to_ascii_uppercase),
];

/// Fields written anew, each alone and all together.
pub(super) fn refolded(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let own = material.fields.get(material.place).map(|field| (material.place, field));
    let own = own.filter(|(_, field)| field.octets().len() <= material.most);
    let fields: Vec<_> = material.signed_fields().chain(own).collect();
    let kinds: [(&[Rewrite], Told); 3] = [
        (SPACES, |name| Change::FieldWhiteSpace { name }),
        (FOLDS, |name| Change::Refolded { name }),
        (CASES, |name| Change::NameCase { name }),
    ];
    for (rewrites, change) in kinds {
        for rewrite in rewrites {
            let mut all = Vec::new();
            for &(place, field) in &fields {
                let now = field.without_line_end();
                let then = rewrite(now);
                if then == now {
                    continue;
                }
                let name = excerpt(then.split(|&octet| octet == b':').next().unwrap_or_default());
                let edit = Edit { field: place, octets: [&then[..], b"\r\n"].concat() };
                all.push(edit.clone());
                let lines = |field: &[u8]| field.iter().filter(|&&octet| octet == b'\n').count();
                let change = match lines(now) == lines(&then) {
                    true => change(Some(name)),
                    false => Change::Refolded { name: Some(name) },
                };
                proposals.push(Proposal { changes: vec![change], edits: vec![edit] });
            }
            if all.len() > 1 {
                proposals.push(Proposal { changes: vec![change(None)], edits: all });
            }
        }
    }
}

/// Splits a field in its name with the colon, and its value.
fn halves(field: &[u8]) -> (&[u8], &[u8]) {
    let colon = field.iter().position(|&octet| octet == b':').map_or(field.len(), |at| at + 1);
    field.split_at_checked(colon).unwrap_or((field, &[]))
}

/// RFC 5322 2.2.3: unfolding is "removing any CRLF that is immediately followed by WSP".
fn unfolded(field: &[u8]) -> Vec<u8> {
    field.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect()
}

/// The folds as they are, with other white space after each.
fn folds_with(field: &[u8], space: &[u8]) -> Vec<u8> {
    let mut lines = field.split(|&octet| octet == b'\n');
    let mut written = lines.next().unwrap_or_default().to_vec();
    for line in lines {
        written.push(b'\n');
        written.extend_from_slice(space);
        written.extend_from_slice(line.trim_ascii_start());
        if line.ends_with(b"\r") && !written.ends_with(b"\r") {
            written.push(b'\r');
        }
    }
    written
}

/// Unfolded, then folded at spaces so that lines have at most `width` octets.
fn folded(field: &[u8], fold: &[u8], width: usize) -> Vec<u8> {
    let mut written = Vec::with_capacity(field.len() + 16);
    let mut column = 0;
    for word in collapsed(field).split(|&octet| octet == b' ') {
        if column > 0 {
            let breaks = column + 1 + word.len() > width && written.last() != Some(&b':');
            written.extend_from_slice(if breaks { fold } else { b" " });
            column = if breaks { 1 } else { column + 1 };
        }
        written.extend_from_slice(word);
        column += word.len();
    }
    written
}

/// Unfolded, then folded after each comma, as mailers write lists of addresses.
fn folded_at_commas(field: &[u8], fold: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(field.len() + 16);
    let flat = collapsed(field);
    let mut items = flat.split(|&octet| octet == b',');
    written.extend_from_slice(items.next().unwrap_or_default());
    for item in items {
        written.push(b',');
        written.extend_from_slice(fold);
        written.extend_from_slice(item.trim_ascii_start());
    }
    written
}

/// Unfolded, with one space wherever there is white space.
fn collapsed(field: &[u8]) -> Vec<u8> {
    let (name, value) = halves(field);
    let mut written = name.to_vec();
    for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        written.push(b' ');
        written.extend_from_slice(word);
    }
    written
}

fn one_space_first(field: &[u8]) -> Vec<u8> {
    let (name, value) = halves(field);
    [name, b" ", value.trim_ascii_start()].concat()
}

fn no_space_first(field: &[u8]) -> Vec<u8> {
    let (name, value) = halves(field);
    [name, value.trim_ascii_start()].concat()
}

/// No white space before the colon, where RFC 5322 4.5 allows it.
fn colon_first(field: &[u8]) -> Vec<u8> {
    let (name, value) = halves(field);
    let name = name.strip_suffix(b":").unwrap_or(name);
    [name.trim_ascii_end(), b":", value].concat()
}

fn trimmed(field: &[u8]) -> Vec<u8> {
    field.trim_ascii_end().to_vec()
}

fn named(field: &[u8], case: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (name, value) = halves(field);
    [&case(name)[..], value].concat()
}

/// "Message-Id".
fn title_case(name: &[u8]) -> Vec<u8> {
    let mut first = true;
    let cased = name.iter().map(|&octet| {
        let upper = std::mem::replace(&mut first, octet == b'-');
        if upper { octet.to_ascii_uppercase() } else { octet.to_ascii_lowercase() }
    });
    cased.collect()
}

/// "Message-ID": as the RFCs write it.
fn usual_case(name: &[u8]) -> Vec<u8> {
    let usual = ["Message-ID:", "MIME-Version:", "Content-ID:", "DKIM-Signature:", "List-ID:"];
    let usual = usual.into_iter().find(|usual| name.eq_ignore_ascii_case(usual.as_bytes()));
    usual.map_or_else(|| title_case(name), |usual| usual.as_bytes().to_vec())
}
