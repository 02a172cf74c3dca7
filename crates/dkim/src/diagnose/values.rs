//! Fields that got another value: authors rewritten by lists, content fields by gateways.

use memchr::{memchr, memmem};

use super::change::{Change, Source, excerpt};
use super::header::{Material, Proposal};
use super::{date, fields, mime};

/// What relays put before the name of a field when they keep its old value.
const KEPT: [&str; 5] = ["X-Original-", "Original-", "X-Google-Original-", "Old-", "X-Old-"];
const ADDRESSES: [&str; 5] = ["From", "Sender", "Reply-To", "To", "Cc"];
/// How many addresses are put in all orders there are.
const ORDERED: usize = 4;
const ENCODINGS: [&str; 4] = ["7bit", "8bit", "quoted-printable", "base64"];

/// One value that may have been signed.
fn value(material: &Material<'_>, name: &str, signed: &[u8], source: Source) -> Option<Proposal> {
    let (place, field) = material.lowest(name)?;
    let signed = signed.trim_ascii();
    if signed.len() > material.most || field.value().trim_ascii() == signed {
        return None;
    }
    let change = Change::ValueChanged { name: name.to_owned(), signed: excerpt(signed), source };
    let edit = material.with_value(place, signed)?;
    Some(Proposal { changes: vec![change], edits: vec![edit] })
}

/// Old values that relays have kept in other fields.
pub(super) fn kept(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let most = material.signed.len() + 64;
    for field in material.fields.iter().take(most) {
        let Some(name) = field.name().and_then(|name| std::str::from_utf8(name).ok()) else {
            continue;
        };
        let stem = KEPT.iter().find_map(|kept| {
            let (start, stem) = name.split_at_checked(kept.len())?;
            start.eq_ignore_ascii_case(kept).then_some(stem)
        });
        if let Some(stem) = stem {
            let source = Source::Field(name.to_owned());
            proposals.extend(value(material, stem, field.value(), source));
        }
    }
}

/// Authors that a list has replaced by itself, "Alice via list <list@…>", and other rewriting of
/// addresses.
pub(super) fn addresses(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let author = material.lowest("From").map(|(_, field)| field.value().trim_ascii());
    let author_name = author.map(display_name).unwrap_or_default();
    for source in ["Reply-To", "Cc", "Sender"] {
        let field = material.fields.iter().find(|field| field.is(source));
        let Some(other) = field.map(|field| field.value().trim_ascii()) else { continue };
        let (address, name) = (address(other), without_via(author_name));
        let authors = [
            other.to_vec(),
            [name, b" <", address, b">"].concat(),
            [b"\"", name, b"\" <", address, b">"].concat(),
            address.to_vec(),
        ];
        for signed in authors {
            let author = value(material, "From", &signed, Source::Field(source.to_owned()));
            // The list has put the author there, in a field that was not.
            let moved = author.as_ref().and_then(|author| {
                let (place, field) = material.lowest(source)?;
                fields::together(&[author.clone(), fields::one_added(place, field)])
            });
            let with_list = author.as_ref().and_then(|author| {
                let (place, field) = material.lowest(source)?;
                let mut all = fields::of_list(material);
                all.retain(|one| one.edits.iter().all(|edit| edit.field != place));
                let others = all.len();
                all.extend([author.clone(), fields::one_added(place, field)]);
                fields::together(&all).filter(|_| others > 0)
            });
            proposals.extend(author);
            proposals.extend(moved);
            proposals.extend(with_list);
        }
    }
    for name in ADDRESSES {
        let Some((_, field)) = material.lowest(name) else { continue };
        for signed in requoted(field.value().trim_ascii()) {
            proposals.extend(value(material, name, &signed, Source::SameAddresses));
        }
    }
}

/// Addresses that a gateway put in another order.
pub(super) fn orders(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    for name in ["To", "Cc"] {
        let Some((_, field)) = material.lowest(name) else { continue };
        let now = mailboxes(field.value().trim_ascii());
        if !(2..=ORDERED).contains(&now.len()) {
            continue;
        }
        let mut orders: Vec<Vec<&[u8]>> = vec![Vec::new()];
        for mailbox in now {
            let mut longer = Vec::new();
            for order in &orders {
                for at in 0..=order.len() {
                    let mut order = order.clone();
                    order.insert(at, mailbox);
                    longer.push(order);
                }
            }
            orders = longer;
        }
        for order in orders {
            proposals.extend(value(material, name, &order.join(&b", "[..]), Source::SameAddresses));
        }
    }
}

/// The mailboxes of a list, without the commas between them.
fn mailboxes(list: &[u8]) -> Vec<&[u8]> {
    let mut quoted = false;
    let between = |octet: &u8| {
        quoted ^= *octet == b'"';
        *octet == b',' && !quoted
    };
    list.split(between).map(<[u8]>::trim_ascii).filter(|mailbox| !mailbox.is_empty()).collect()
}

/// The name before `<`, without quotes around it.
fn display_name(mailbox: &[u8]) -> &[u8] {
    let name = memchr(b'<', mailbox).and_then(|at| mailbox.get(..at)).unwrap_or_default();
    let name = name.trim_ascii();
    name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)
}

/// What is between `<` and `>`, or all of it.
fn address(mailbox: &[u8]) -> &[u8] {
    let after = memchr(b'<', mailbox).and_then(|at| mailbox.get(at + 1..));
    let inner = after.and_then(|after| after.split(|&octet| octet == b'>').next());
    inner.unwrap_or(mailbox).trim_ascii()
}

fn without_via(name: &[u8]) -> &[u8] {
    memmem::find(name, b" via ").and_then(|at| name.get(..at)).unwrap_or(name)
}

/// A mailbox with its name quoted, not quoted, or without one, and without angle brackets: programs
/// add the names of their address books.
fn requoted(mailbox: &[u8]) -> Vec<Vec<u8>> {
    if memchr(b',', mailbox).is_some() {
        // Of a list, the quotes of all names together, and all names.
        let bare = mailbox.iter().copied().filter(|&octet| octet != b'"').collect();
        let addresses: Vec<&[u8]> = mailboxes(mailbox).into_iter().map(address).collect();
        let in_brackets: Vec<Vec<u8>> =
            addresses.iter().map(|address| [b"<", *address, b">"].concat()).collect();
        return vec![bare, addresses.join(&b", "[..]), in_brackets.join(&b", "[..])];
    }
    let (name, address) = (display_name(mailbox), address(mailbox));
    let without_name = [[b"<", address, b">"].concat(), address.to_vec()];
    match name {
        [] => without_name.to_vec(),
        _ => {
            [[b"\"", name, b"\" <", address, b">"].concat(), [name, b" <", address, b">"].concat()]
                .into_iter()
                .chain(without_name)
                .collect()
        }
    }
}

/// The same time as other programs write it.
pub(super) fn dates(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let Some((_, field)) = material.lowest("Date") else { return };
    for signed in date::same_time(field.value()) {
        proposals.extend(value(material, "Date", signed.as_bytes(), Source::SameTime));
    }
}

/// Content fields that a list or a gateway wrote anew: those of the parts, and usual ones.
pub(super) fn content(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let of_part = |section: &[u8], name: &str| {
        let range = mime::field_value(section, name.as_bytes())?;
        value(material, name, section.get(range)?, Source::Part)
    };
    for section in &material.parts {
        let each: Vec<Proposal> = ["Content-Type", "Content-Transfer-Encoding"]
            .into_iter()
            .filter_map(|name| of_part(section, name))
            .collect();
        proposals.extend(fields::together(&each));
        proposals.extend(each);
    }
    for encoding in ENCODINGS {
        let name = "Content-Transfer-Encoding";
        proposals.extend(value(material, name, encoding.as_bytes(), Source::Usual));
    }
    let Some((_, field)) = material.lowest("Content-Type") else { return };
    for signed in content_types(field.value().trim_ascii()) {
        proposals.extend(value(material, "Content-Type", &signed, Source::Usual));
    }
}

/// A Content-Type without one of its parameters or all, and with its character set written
/// otherwise.
fn content_types(value: &[u8]) -> Vec<Vec<u8>> {
    let pieces: Vec<&[u8]> =
        value.split(|&octet| octet == b';').map(<[u8]>::trim_ascii).take(8).collect();
    let media_type = pieces.first().copied().unwrap_or_default();
    let mut found = Vec::new();
    for dropped in 1..pieces.len() {
        let kept = pieces.iter().enumerate().filter(|(index, _)| *index != dropped);
        found.push(kept.map(|(_, piece)| *piece).collect::<Vec<_>>().join(&b"; "[..]));
    }
    found.push(media_type.to_vec());
    let others = pieces.iter().skip(1).filter(|piece| !is_charset(piece));
    let others: Vec<u8> = others.flat_map(|piece| [b"; ", *piece].concat()).collect();
    for charset in ["utf-8", "UTF-8", "us-ascii", "US-ASCII", "iso-8859-1", "ISO-8859-1"] {
        for quote in ["", "\""] {
            let charset = format!("; charset={quote}{charset}{quote}");
            found.push([media_type, charset.as_bytes(), &others[..]].concat());
        }
    }
    found
}

fn is_charset(parameter: &[u8]) -> bool {
    parameter.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"charset="))
}

/// A subject whose encoded words (RFC 2047) were decoded, or made, or made in another way.
pub(super) fn encoded_words(material: &Material<'_>, proposals: &mut Vec<Proposal>) {
    let Some((_, field)) = material.lowest("Subject") else { return };
    let now = field.value().trim_ascii();
    let decoded = mime::decode_words(now);
    let plain = decoded.as_deref().unwrap_or(now);
    if decoded.is_none() && now.is_ascii() {
        return;
    }
    for signed in word_forms(plain) {
        proposals.extend(value(material, "Subject", &signed, Source::SameText));
    }
}

/// A text as it is, and as one encoded word (RFC 2047 2) in the forms that programs write.
pub(super) fn word_forms(plain: &[u8]) -> Vec<Vec<u8>> {
    let base64 = mime::encode_base64(plain, usize::MAX);
    let quoted = mime::encode_word(plain);
    let mut forms = vec![plain.to_vec()];
    for charset in ["utf-8", "UTF-8"] {
        for (letter, text) in [("B", base64.trim_ascii_end()), ("Q", &quoted[..])] {
            for letter in [letter.to_owned(), letter.to_ascii_lowercase()] {
                forms.push([format!("=?{charset}?{letter}?").as_bytes(), text, b"?="].concat());
            }
        }
    }
    forms
}
