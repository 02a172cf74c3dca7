//! As much of MIME (RFC 2045, 2046) as a search needs: where parts are, and the encodings.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_message::Header;
use memchr::{memchr, memmem};

/// A part of a multipart, by its places in the body.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Where its delimiter line begins.
    pub(super) delimiter: usize,
    /// Its header section.
    pub(super) header: Range<usize>,
    /// Its content, with the CRLF that belongs to the next delimiter.
    pub(super) content: Range<usize>,
    /// Where the next delimiter line of the same multipart begins, or the body ends.
    pub(super) next: usize,
}

/// The parts of a body, also of multiparts within it; at most so many.
pub(super) fn parts(header: &Header, body: &[u8], most: usize) -> Vec<Part> {
    let top = header.named("content-type").next_back().map(|field| field.value());
    let Some(boundary) = top.and_then(boundary) else { return Vec::new() };
    let mut boundaries = vec![boundary];
    let mut parts: Vec<Part> = Vec::new();
    let mut index = 0;
    while let Some(boundary) = boundaries.get(index).cloned() {
        index += 1;
        let mut open: Option<Part> = None;
        for (start, end, last) in delimiters(body, &boundary) {
            if let Some(part) = open.take() {
                parts.push(closed(part, start));
            }
            if parts.len() >= most {
                return parts;
            }
            if last {
                break;
            }
            let part = opened(body, start, end);
            let header = body.get(part.header.clone()).unwrap_or_default();
            let inner = field_value(header, b"content-type")
                .and_then(|range| header.get(range).and_then(self::boundary));
            if let Some(inner) = inner
                && boundaries.len() < most
                && !boundaries.contains(&inner)
            {
                boundaries.push(inner);
            }
            open = Some(part);
        }
        if let Some(part) = open {
            parts.push(closed(part, body.len()));
        }
    }
    parts
}

fn opened(body: &[u8], start: usize, end: usize) -> Part {
    let rest = body.get(end..).unwrap_or_default();
    let empty = if rest.starts_with(b"\r\n") {
        Some(0)
    } else {
        memmem::find(rest, b"\r\n\r\n").map(|at| at + 2)
    };
    let header = end..end + empty.unwrap_or(rest.len());
    let content = header.end + if empty.is_some() { 2 } else { 0 };
    Part { delimiter: start, header, content: content..content, next: content }
}

fn closed(mut part: Part, next: usize) -> Part {
    part.content.end = next.max(part.content.start);
    part.next = part.content.end;
    part
}

/// The delimiter lines (RFC 2046 5.1.1): start, end, and whether it is the last one.
fn delimiters<'b>(
    body: &'b [u8],
    boundary: &'b [u8],
) -> impl Iterator<Item = (usize, usize, bool)> + 'b {
    let dashed = [b"--", boundary].concat();
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = memmem::find(body.get(from..)?, &dashed) {
            let start = from + at;
            let after = start + dashed.len();
            from = after;
            if start > 0 && body.get(start - 1) != Some(&b'\n') {
                continue;
            }
            let rest = body.get(after..)?;
            let line = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let text = rest.get(..line)?.trim_ascii();
            if text.is_empty() || text == b"--" {
                return Some((start, after + line, !text.is_empty()));
            }
        }
        None
    })
}

/// The parameter boundary of a Content-Type (RFC 2046 5.1.1).
fn boundary(value: &[u8]) -> Option<Vec<u8>> {
    let lower = value.to_ascii_lowercase();
    let start = memmem::find(&lower, b"boundary=")? + b"boundary=".len();
    let rest = value.get(start..)?;
    let boundary = match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|&octet| octet == b'"').next(),
        None => rest.split(|&octet| octet == b';' || octet.is_ascii_whitespace()).next(),
    }?;
    // RFC 2046 5.1.1: at most 70 characters.
    (1..=70).contains(&boundary.len()).then(|| boundary.to_vec())
}

/// Where the value of a field is in a header section.
pub(super) fn field_value(section: &[u8], name: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    for line in section.split_inclusive(|&octet| octet == b'\n') {
        let colon = memchr(b':', line);
        let own = colon.and_then(|colon| line.get(..colon));
        if own.is_some_and(|own| own.eq_ignore_ascii_case(name)) {
            let value = start + name.len() + 1;
            let rest = section.get(value..)?;
            let mut end = 0;
            while let Some(at) = rest.get(end..).and_then(|rest| memchr(b'\n', rest)) {
                end += at + 1;
                if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let end = if end == 0 { rest.len() } else { end };
            let length = rest.get(..end)?.trim_ascii_end().len();
            return Some(value..value + length);
        }
        start += line.len();
    }
    None
}

/// The body with the parts that are encoded decoded, and their Content-Transfer-Encoding set to
/// `signed`; and the encoding that they have. `None` if no part is encoded.
pub(super) fn decoded(
    body: &[u8],
    parts: &[Part],
    signed: &str,
) -> Option<(Vec<u8>, &'static str)> {
    let mut order: Vec<&Part> = parts.iter().collect();
    order.sort_unstable_by_key(|part| part.delimiter);
    let mut restored = Vec::with_capacity(body.len());
    let mut received = None;
    let mut done = 0;
    for part in order {
        let section = body.get(part.header.clone())?;
        let Some(encoding) = field_value(section, b"content-transfer-encoding") else { continue };
        let text = body.get(part.content.clone())?;
        let (name, text) = match section.get(encoding.clone())?.trim_ascii() {
            name if name.eq_ignore_ascii_case(b"base64") => {
                // The CRLF before the next delimiter belongs to that.
                ("base64", [&decode_base64(text)?[..], b"\r\n"].concat())
            }
            name if name.eq_ignore_ascii_case(b"quoted-printable") => {
                ("quoted-printable", decode_quoted_printable(text))
            }
            _ => continue,
        };
        received = Some(name);
        let value = part.header.start + encoding.start..part.header.start + encoding.end;
        restored.extend_from_slice(body.get(done..value.start)?);
        restored.extend_from_slice(format!(" {signed}").as_bytes());
        restored.extend_from_slice(body.get(value.end..part.content.start)?);
        restored.extend_from_slice(&text);
        done = part.content.end;
    }
    restored.extend_from_slice(body.get(done..)?);
    received.map(|received| (restored, received))
}

/// Quoted-printable (RFC 2045 6.7) decoded, leniently.
pub(super) fn decode_quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&octet| octet == b'\n') {
        let (line, end) = match line.strip_suffix(b"\r\n") {
            Some(line) => (line, &b"\r\n"[..]),
            None => (line, &b""[..]),
        };
        // RFC 2045 6.7 (3): trailing white space "must be deleted when decoding".
        let line = line.trim_ascii_end();
        let (line, end) = match line.strip_suffix(b"=") {
            Some(line) => (line, &b""[..]),
            None => (line, end),
        };
        let mut rest = line;
        while let Some(at) = memchr(b'=', rest) {
            let (before, coded) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            decoded.extend_from_slice(before);
            let octet = coded.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok());
            let octet = octet.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let length = if octet.is_some() { 3 } else { 1 };
            decoded.push(octet.unwrap_or(b'='));
            rest = coded.get(length..).unwrap_or_default();
        }
        decoded.extend_from_slice(rest);
        decoded.extend_from_slice(end);
    }
    decoded
}

/// Base64 (RFC 2045 6.8) decoded; `None` if it is none.
pub(super) fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let compact: Vec<u8> =
        text.iter().copied().filter(|octet| !octet.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok()
}

/// Base64 in lines of `width`, each with CRLF.
pub(super) fn encode_base64(octets: &[u8], width: usize) -> Vec<u8> {
    let text = STANDARD.encode(octets);
    let mut lines = Vec::with_capacity(text.len() + text.len() / 32 + 2);
    for line in text.as_bytes().chunks(width.max(4)) {
        lines.extend_from_slice(line);
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// Quoted-printable in lines of at most 76, with nothing encoded that need not be.
pub(super) fn encode_quoted_printable(text: &[u8]) -> Vec<u8> {
    const WIDTH: usize = 76;
    let mut encoded = Vec::with_capacity(text.len() + text.len() / 8);
    for line in text.split_inclusive(|&octet| octet == b'\n') {
        let (line, end) = match line.strip_suffix(b"\r\n") {
            Some(line) => (line, &b"\r\n"[..]),
            None => (line, &b""[..]),
        };
        let mut width = 0;
        for (index, &octet) in line.iter().enumerate() {
            let last = index + 1 == line.len();
            let plain = match octet {
                b'=' => false,
                b' ' | b'\t' => !last,
                _ => octet.is_ascii_graphic(),
            };
            let length = if plain { 1 } else { 3 };
            let room = if last { WIDTH } else { WIDTH - 1 };
            if width + length > room {
                encoded.extend_from_slice(b"=\r\n");
                width = 0;
            }
            width += length;
            match plain {
                true => encoded.push(octet),
                false => encoded.extend_from_slice(format!("={octet:02X}").as_bytes()),
            }
        }
        encoded.extend_from_slice(end);
    }
    encoded
}

/// A text with encoded words (RFC 2047 2) decoded, whatever their character set; `None` if it has
/// none.
pub(super) fn decode_words(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut any = false;
    while let Some(at) = memmem::find(rest, b"=?") {
        let (before, word) = rest.split_at_checked(at)?;
        let mut parts = word.get(2..)?.splitn(4, |&octet| octet == b'?');
        let (charset, encoding, content) = (parts.next()?, parts.next()?, parts.next()?);
        let Some(after) = parts.next().and_then(|after| after.strip_prefix(b"=")) else { break };
        // RFC 2047 6.2: "any 'linear-white-space' that separates a pair of adjacent 'encoded-word's
        // is ignored".
        if !any || !before.trim_ascii().is_empty() {
            decoded.extend_from_slice(before);
        }
        if charset.is_empty() {
            break;
        }
        match encoding {
            b"B" | b"b" => decoded.extend(decode_base64(content)?),
            b"Q" | b"q" => {
                let spaced: Vec<u8> =
                    content.iter().map(|&o| if o == b'_' { b' ' } else { o }).collect();
                // A space at the end is none to decode_quoted_printable.
                let padded = [&spaced[..], b"."].concat();
                let mut word = decode_quoted_printable(&padded);
                word.pop();
                decoded.extend(word);
            }
            _ => break,
        }
        any = true;
        rest = after;
    }
    decoded.extend_from_slice(rest);
    any.then_some(decoded)
}

/// The text of an encoded word in "Q" (RFC 2047 4.2).
pub(super) fn encode_word(text: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len() * 2);
    for &octet in text {
        match octet {
            b' ' => encoded.push(b'_'),
            b'=' | b'?' | b'_' | b'\t' => encoded.extend(format!("={octet:02X}").bytes()),
            _ if octet.is_ascii_graphic() => encoded.push(octet),
            _ => encoded.extend(format!("={octet:02X}").bytes()),
        }
    }
    encoded
}
