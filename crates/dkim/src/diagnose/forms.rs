//! What can have been done to a body as a whole, undone.

use mailproof_message::Header;
use memchr::memmem;

use super::change::{Change, ChangeKind, LineEnds, Space};
use super::mime;

/// What undoing a change in one or more ways gives.
type Undone = Vec<(Change, Vec<u8>)>;

/// A kind of change, and the bodies it can have been made to; none where there is nothing to undo.
pub(super) struct Form {
    pub(super) kind: ChangeKind,
    pub(super) undo: fn(&Header, &[u8]) -> Undone,
}

/// The likely ones first.
pub(super) const FORMS: &[Form] = &[
    Form { kind: ChangeKind::LineEnds, undo: line_ends },
    Form { kind: ChangeKind::Reencoded, undo: reencoded },
    Form { kind: ChangeKind::TrailingSpaceAdded, undo: trailing_space },
    Form { kind: ChangeKind::SeparatorTrimmed, undo: separator },
    Form { kind: ChangeKind::SpaceRemoved, undo: space_removed },
    Form { kind: ChangeKind::DotsAdded, undo: dots_added },
    Form { kind: ChangeKind::DotsRemoved, undo: dots_removed },
    Form { kind: ChangeKind::FromQuoted, undo: from_quoted },
    Form { kind: ChangeKind::FromUnquoted, undo: from_unquoted },
    Form { kind: ChangeKind::LongLinesBroken, undo: long_lines },
    Form { kind: ChangeKind::TabsExpanded, undo: tabs_expanded },
    Form { kind: ChangeKind::SpacesToTabs, undo: spaces_to_tabs },
    Form { kind: ChangeKind::Charset, undo: charset },
];

/// One way to undo a change, if it does anything.
fn one(change: Change, body: &[u8], restored: Vec<u8>) -> Undone {
    if restored == body { Vec::new() } else { vec![(change, restored)] }
}

fn line_ends(_: &Header, body: &[u8]) -> Undone {
    let ways: [(LineEnds, &[u8], &[u8]); 3] = [
        (LineEnds::CrCrlfNow, b"\r\r\n", b"\r\n"),
        (LineEnds::Doubled, b"\r\n\r\n", b"\r\n"),
        (LineEnds::CrlfNow, b"\r\n", b"\n"),
    ];
    let mut undone: Undone = one(Change::LineEnds(LineEnds::LfNow), body, with_crlf(body));
    for (way, now, then) in ways {
        undone.extend(one(Change::LineEnds(way), body, replaced(body, now, then)));
    }
    undone
}

fn with_crlf(body: &[u8]) -> Vec<u8> {
    let mut restored = Vec::with_capacity(body.len() + body.len() / 32);
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                restored.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
                restored.extend_from_slice(b"\r\n");
            }
            None => restored.extend_from_slice(line),
        }
    }
    restored
}

fn replaced(body: &[u8], now: &[u8], then: &[u8]) -> Vec<u8> {
    let mut restored = Vec::with_capacity(body.len());
    let mut from = 0;
    for at in memmem::find_iter(body, now) {
        restored.extend_from_slice(body.get(from..at).unwrap_or_default());
        restored.extend_from_slice(then);
        from = at + now.len();
    }
    restored.extend_from_slice(body.get(from..).unwrap_or_default());
    restored
}

/// Rewrites each line, given without its line end.
fn by_line(body: &[u8], mut rewrite: impl FnMut(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let mut restored = Vec::with_capacity(body.len() + body.len() / 32);
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        let (text, end) = match line.strip_suffix(b"\r\n") {
            Some(text) => (text, &b"\r\n"[..]),
            None => (line, &b""[..]),
        };
        rewrite(text, &mut restored);
        restored.extend_from_slice(end);
    }
    restored
}

/// Replaces what lines begin with.
fn line_prefix(body: &[u8], now: &[u8], then: &[u8]) -> Vec<u8> {
    by_line(body, |line, restored| match line.strip_prefix(now) {
        Some(rest) => {
            restored.extend_from_slice(then);
            restored.extend_from_slice(rest);
        }
        None => restored.extend_from_slice(line),
    })
}

fn trailing_space(_: &Header, body: &[u8]) -> Undone {
    let restored = by_line(body, |line, restored| {
        let blank = |octet: &&u8| matches!(octet, b' ' | b'\t');
        let length = line.len() - line.iter().rev().take_while(blank).count();
        restored.extend_from_slice(line.get(..length).unwrap_or(line));
    });
    one(Change::TrailingSpaceAdded, body, restored)
}

/// Spaces that stood in many places; one alone is looked for last ([`super::spaces`]).
fn space_removed(_: &Header, body: &[u8]) -> Undone {
    let mut flowed = Vec::with_capacity(body.len() + body.len() / 32);
    let mut lines = body.split_inclusive(|&octet| octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        let goes_on = lines.peek().is_some_and(|next| !matches!(next, [b'\r', b'\n'] | [b'>', ..]));
        match line.strip_suffix(b"\r\n") {
            Some(text) if goes_on && !text.is_empty() && !text.ends_with(b" ") => {
                flowed.extend_from_slice(text);
                flowed.extend_from_slice(b" \r\n");
            }
            _ => flowed.extend_from_slice(line),
        }
    }
    let mut sentences = Vec::with_capacity(body.len() + body.len() / 32);
    for (index, &octet) in body.iter().enumerate() {
        sentences.push(octet);
        let before = index.checked_sub(1).and_then(|before| body.get(before));
        if octet == b' ' && matches!(before, Some(b'.' | b'!' | b'?')) {
            sentences.push(b' ');
        }
    }
    let mut undone = one(Change::SpaceRemoved(Space::LineEnds), body, flowed);
    undone.extend(one(Change::SpaceRemoved(Space::Sentences), body, sentences));
    undone
}

fn separator(_: &Header, body: &[u8]) -> Undone {
    let restored = by_line(body, |line, restored| {
        restored.extend_from_slice(if line == b"--" { b"-- " } else { line });
    });
    one(Change::SeparatorTrimmed, body, restored)
}

fn dots_added(_: &Header, body: &[u8]) -> Undone {
    one(Change::DotsAdded, body, line_prefix(body, b"..", b"."))
}

fn dots_removed(_: &Header, body: &[u8]) -> Undone {
    one(Change::DotsRemoved, body, line_prefix(body, b".", b".."))
}

fn from_quoted(_: &Header, body: &[u8]) -> Undone {
    one(Change::FromQuoted, body, line_prefix(body, b">From ", b"From "))
}

fn from_unquoted(_: &Header, body: &[u8]) -> Undone {
    one(Change::FromUnquoted, body, line_prefix(body, b"From ", b">From "))
}

/// Joins the lines that are as long as the longest with the next; a continuation may begin with a
/// space, as Postfix has it, or the line end with "!", as Sendmail has it.
fn long_lines(_: &Header, body: &[u8]) -> Undone {
    let lines = || body.split(|&octet| octet == b'\n');
    let width = lines().map(<[u8]>::len).max().unwrap_or_default().saturating_sub(1);
    if width < 60 {
        return Vec::new();
    }
    let broken = [(&b""[..], &b""[..]), (b"", b" "), (b"!", b" "), (b"!", b"")];
    let broken = broken.map(|(end, start)| (width, joined(body, width, end, start)));
    let widths = [width, 72, 76, 78, 80].into_iter().filter(|&other| other >= width);
    let wrapped = widths.map(|width| (width, paragraphs(body, width)));
    let ways = broken.into_iter().chain(wrapped);
    ways.flat_map(|(width, restored)| one(Change::LongLinesBroken { width }, body, restored))
        .collect()
}

/// Joins lines that were wrapped between words: where the first word of the next had no room.
fn paragraphs(body: &[u8], width: usize) -> Vec<u8> {
    let mut restored = Vec::with_capacity(body.len());
    let mut lines = body.split_inclusive(|&octet| octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        let next = lines.peek().map(|next| next.trim_ascii()).unwrap_or_default();
        let word = next.iter().position(u8::is_ascii_whitespace).unwrap_or(next.len());
        let goes_on = !text.is_empty() && word > 0 && text.len() + 1 + word > width;
        restored.extend_from_slice(if goes_on { text } else { line });
        if goes_on {
            restored.push(b' ');
        }
    }
    restored
}

fn joined(body: &[u8], width: usize, end: &[u8], start: &[u8]) -> Vec<u8> {
    let mut restored = Vec::with_capacity(body.len());
    let mut goes_on = false;
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        let line = match goes_on {
            true => line.strip_prefix(start).unwrap_or(line),
            false => line,
        };
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        // The first of them has nothing before it, so it can be shorter than the others.
        goes_on =
            text.len() + start.len() >= width && text.ends_with(end) && text.len() < line.len();
        match goes_on {
            true => restored.extend_from_slice(text.strip_suffix(end).unwrap_or(text)),
            false => restored.extend_from_slice(line),
        }
    }
    restored
}

fn tabs_expanded(_: &Header, body: &[u8]) -> Undone {
    let way = |spaces: usize| {
        let restored = replaced(body, &vec![b' '; spaces], b"\t");
        one(Change::TabsExpanded { spaces }, body, restored)
    };
    let mut undone: Undone = [8, 4].into_iter().flat_map(way).collect();
    // A tab at the beginning of a line, where most of them are.
    undone.extend(one(Change::TabsExpanded { spaces: 1 }, body, line_prefix(body, b" ", b"\t")));
    undone.extend(way(1));
    undone
}

fn spaces_to_tabs(_: &Header, body: &[u8]) -> Undone {
    [8, 4, 1]
        .into_iter()
        .flat_map(|spaces| {
            one(Change::SpacesToTabs, body, replaced(body, b"\t", &vec![b' '; spaces]))
        })
        .collect()
}

/// The name of a transfer encoding, as a change tells it.
fn transfer_encoding(value: &[u8]) -> Option<&'static str> {
    ["7bit", "8bit", "quoted-printable", "base64"]
        .into_iter()
        .find(|known| value.trim_ascii().eq_ignore_ascii_case(known.as_bytes()))
}

fn reencoded(header: &Header, body: &[u8]) -> Undone {
    let field = header.named("content-transfer-encoding").next_back();
    let received = field.and_then(|field| transfer_encoding(field.value())).unwrap_or("8bit");
    let decoded = match received {
        "quoted-printable" => Some(mime::decode_quoted_printable(body)),
        "base64" => mime::decode_base64(body),
        _ => None,
    };
    let plain = decoded.as_deref().unwrap_or(body);
    let mut undone = Vec::new();
    let mut way = |signed: &'static str, restored: Vec<u8>| {
        if signed != received {
            undone.extend(one(Change::Reencoded { signed, received }, body, restored));
        }
    };
    if let Some(decoded) = &decoded {
        way(if decoded.is_ascii() { "7bit" } else { "8bit" }, decoded.clone());
    }
    way("quoted-printable", mime::encode_quoted_printable(plain));
    way("base64", mime::encode_base64(plain, 76));
    undone
}

fn charset(_: &Header, body: &[u8]) -> Undone {
    if body.is_ascii() {
        return Vec::new();
    }
    match std::str::from_utf8(body) {
        Ok(text) => {
            let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
            let change = Change::Charset { signed: "iso-8859-1", received: "utf-8" };
            latin.map(|latin| one(change, body, latin)).unwrap_or_default()
        }
        Err(_) => {
            let text: String = body.iter().map(|&octet| char::from(octet)).collect();
            let change = Change::Charset { signed: "utf-8", received: "iso-8859-1" };
            one(change, body, text.into_bytes())
        }
    }
}
