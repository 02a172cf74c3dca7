//! Finding the fields of a header section: one pass, no octet changed.

use memchr::{memchr, memchr3};

use crate::header::{Defect, DefectKind, Extent};
use crate::limits::{MAX_DEFECTS, MAX_LINE};
use crate::line_ends::{self, BLOCK, WINDOW};
use crate::mark::Mark;

/// What one pass over a message finds: `..end` is the header section, `body..` the body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parsed {
    pub(crate) fields: Vec<Extent>,
    pub(crate) defects: Vec<Defect>,
    pub(crate) end: usize,
    pub(crate) body: Option<usize>,
}

/// Reads the header section at the start of `octets`, up to the first empty line.
pub(crate) fn section(octets: &[u8]) -> Parsed {
    sound_section(octets).unwrap_or_else(|| any_section(octets))
}

/// Reads a header section as nearly all are: in lines that end with CRLF, without a defect.
fn sound_section(octets: &[u8]) -> Option<Parsed> {
    // Allocators are quick up to a kilobyte.
    let mut parsed = Parsed { fields: Vec::with_capacity(24), ..Parsed::default() };
    let mut after_cr = 0;
    for (window, start) in octets.chunks(WINDOW).zip((0..).step_by(WINDOW)) {
        for (block, start) in line_ends::blocks(window).iter().zip((start..).step_by(BLOCK)) {
            // A LF without CR, an octet other than LF after CR, or NUL.
            let unsound = block.line_feed ^ (block.carriage_return << 1 | after_cr) | block.nul;
            after_cr = block.carriage_return >> 63;
            let mut line_feeds = block.line_feed;
            while line_feeds != 0 {
                let at = line_feeds.trailing_zeros();
                line_feeds &= line_feeds - 1;
                if unsound & (u64::MAX >> (63 - at)) != 0 {
                    return None;
                }
                let end = start + usize::try_from(at).ok()? + 1;
                let line = octets.get(parsed.end..end)?;
                if line == b"\r\n" {
                    parsed.body = Some(end);
                    return Some(parsed);
                }
                parsed.sound_line(line, end)?;
            }
            if unsound != 0 {
                return None;
            }
        }
    }
    (parsed.end == octets.len()).then_some(parsed)
}

/// Reads a header section, whatever is in it.
fn any_section(octets: &[u8]) -> Parsed {
    let mut parsed = Parsed { fields: Vec::with_capacity(32), ..Parsed::default() };
    let mut line = parsed.line(octets, 0);
    while parsed.end < octets.len() {
        if octets.get(parsed.end..line) == Some(b"\r\n") {
            parsed.body = Some(line);
            break;
        }
        let first_line = line;
        let mut end = line;
        // RFC 5322 2.2.3: a CRLF before WSP is a fold, also when the line has nothing but WSP.
        while end < octets.len() {
            line = parsed.line(octets, end);
            if !octets.get(end).copied().is_some_and(is_wsp) {
                break;
            }
            end = line;
        }
        parsed.field(octets, first_line, end);
    }
    parsed.defects.sort_by_key(|defect| defect.position);
    parsed
}

impl Parsed {
    /// Takes the line up to `end`, if it begins a field or goes on with one, without a defect.
    #[inline]
    fn sound_line(&mut self, line: &[u8], end: usize) -> Option<()> {
        if line.len() > MAX_LINE + 2 {
            return None;
        }
        if line.first().copied().is_some_and(is_wsp) {
            self.fields.last_mut()?.end = end;
        } else {
            let (length, colon) = name(line).ok()?;
            self.fields.push(Extent::new(line, self.end, length, colon, end));
        }
        self.end = end;
        Some(())
    }

    /// Reads `octets[from..]` as one field, whatever is in it; what is before is read already.
    pub(crate) fn one_field(&mut self, octets: &[u8], from: usize) {
        let known = self.defects.len();
        self.end = from;
        let first_line = self.line(octets, from);
        let mut stray = None;
        let mut end = first_line;
        while end < octets.len() {
            if !octets.get(end).copied().is_some_and(is_wsp) {
                stray.get_or_insert(end);
            }
            end = self.line(octets, end);
        }
        self.field(octets, first_line, octets.len());
        if let Some(position) = stray {
            self.defect(DefectKind::LineEnd, position);
            if let Some(extent) = self.fields.last_mut() {
                *extent = Extent { name_end: from, value: from, mark: Mark::of(b""), ..*extent };
            }
        }
        if let Some(defects) = self.defects.get_mut(known..) {
            defects.sort_by_key(|defect| defect.position);
        }
    }

    /// The end of the line that starts at `start`, after its CRLF.
    fn line(&mut self, octets: &[u8], start: usize) -> usize {
        let mut position = start;
        loop {
            let rest = octets.get(position..).unwrap_or_default();
            let Some(found) = memchr3(b'\r', b'\n', 0, rest) else {
                if start < octets.len() {
                    self.defect(DefectKind::UnterminatedLine, octets.len());
                    self.check_line(start, octets.len());
                }
                return octets.len();
            };
            position += found;
            let kind = match rest.get(found..) {
                Some([b'\r', b'\n', ..]) => {
                    self.check_line(start, position);
                    return position + 2;
                }
                Some([b'\r', ..]) => DefectKind::BareCr,
                Some([b'\n', ..]) => DefectKind::BareLf,
                _ => DefectKind::Nul,
            };
            self.defect(kind, position);
            position += 1;
        }
    }

    fn check_line(&mut self, start: usize, end: usize) {
        if end - start > MAX_LINE {
            self.defect(DefectKind::LongLine, start);
        }
    }

    /// Adds the field from the last one's end to `end`; its first line ends at `first_line`.
    fn field(&mut self, octets: &[u8], first_line: usize, end: usize) {
        let start = self.end;
        self.end = end;
        let line = octets.get(start..first_line).unwrap_or_default();
        let extent = match name(line) {
            Ok((name, colon)) => Extent::new(line, start, name, colon, end),
            Err((mut kind, position)) => {
                let folds = octets.get(first_line..end).unwrap_or_default();
                if kind == DefectKind::MissingColon && memchr(b':', folds).is_some() {
                    kind = DefectKind::FoldBeforeColon;
                }
                self.defect(kind, start + position);
                Extent {
                    start,
                    name_end: start,
                    value: start,
                    end,
                    mark: Mark::of(b""),
                    above: None,
                }
            }
        };
        self.fields.push(extent);
    }

    fn defect(&mut self, kind: DefectKind, position: usize) {
        if self.defects.len() < MAX_DEFECTS {
            self.defects.push(Defect { kind, position });
        }
    }
}

impl Extent {
    /// A field from `start` to `end`, by its first line, the length of its name, and where its
    /// colon is.
    fn new(line: &[u8], start: usize, name: usize, colon: usize, end: usize) -> Extent {
        let mark = Mark::of(line.get(..name).unwrap_or_default());
        Extent { start, name_end: start + name, value: start + colon + 1, end, mark, above: None }
    }
}

/// The ends of the name and of what stands before the colon, in the first line of a field.
fn name(line: &[u8]) -> Result<(usize, usize), (DefectKind, usize)> {
    if line.first().copied().is_some_and(is_wsp) {
        return Err((DefectKind::LeadingSpace, 0));
    }
    let ftext = line.iter().take_while(|&&octet| is_ftext(octet)).count();
    if ftext > 0 && line.get(ftext) == Some(&b':') {
        return Ok((ftext, ftext));
    }
    let colon = memchr(b':', line).ok_or((DefectKind::MissingColon, 0))?;
    let before = line.get(..colon).unwrap_or_default();
    // RFC 5322 4.5: `"From" *WSP ":"` and its like are obsolete syntax that MUST be understood.
    let length = before.iter().rposition(|&octet| !is_wsp(octet)).map_or(0, |last| last + 1);
    let name = before.get(..length).unwrap_or_default();
    if name.is_empty() {
        return Err((DefectKind::EmptyName, 0));
    }
    match name.iter().position(|&octet| !is_ftext(octet)) {
        Some(position) => Err((DefectKind::NameOctet, position)),
        None => Ok((length, colon)),
    }
}

/// RFC 5234 B.1: `WSP = SP / HTAB`.
pub(crate) fn is_wsp(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// RFC 5322 3.6.8: `ftext = %d33-57 / %d59-126`.
pub(crate) fn is_ftext(octet: u8) -> bool {
    matches!(octet, 33..=57 | 59..=126)
}

#[cfg(test)]
mod tests {
    use super::{any_section, sound_section};
    use crate::{DefectKind, Header, MAX_DEFECTS};

    fn defects(octets: &[u8]) -> Vec<(DefectKind, usize)> {
        Header::parse(octets)
            .defects()
            .iter()
            .map(|defect| (defect.kind, defect.position))
            .collect()
    }

    fn names(octets: &[u8]) -> Vec<Option<Vec<u8>>> {
        Header::parse(octets).fields().map(|field| field.name().map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn fields_and_folds() {
        let header = Header::parse(&b"A: 1\r\n 2\r\n\t\r\nb :3\r\n\r\nc: 4\r\n"[..]);
        let values: Vec<_> = header.fields().map(|field| field.value()).collect();
        assert_eq!(values, [&b" 1\r\n 2\r\n\t"[..], b"3"]);
        assert_eq!(header.octets(), b"A: 1\r\n 2\r\n\t\r\nb :3\r\n");
        assert!(header.has_empty_line());
        assert_eq!(header.defects(), []);
        assert!(header.named("B").next().is_some_and(|field| field.octets() == b"b :3\r\n"));
    }

    #[test]
    fn bottom_up() {
        let header = Header::parse(&b"x: 1\r\nY: 2\r\nX: 3\r\n"[..]);
        let values: Vec<_> = header.named("x").rev().map(|field| field.value()).collect();
        assert_eq!(values, [b" 3", b" 1"]);
        assert!(!header.has_empty_line());
    }

    #[test]
    fn what_is_no_field() {
        assert_eq!(defects(b" a: 1\r\nb: 2\r\n"), [(DefectKind::LeadingSpace, 0)]);
        assert_eq!(names(b" a: 1\r\nb: 2\r\n"), [None, Some(b"b".to_vec())]);
        assert_eq!(defects(b"a: 1\r\nnothing\r\nb: 2\r\n"), [(DefectKind::MissingColon, 6)]);
        assert_eq!(names(b"a: 1\r\nnothing\r\nb: 2\r\n").len(), 3);
        assert_eq!(defects(b"From\r\n : <a@b>\r\n"), [(DefectKind::FoldBeforeColon, 0)]);
        assert_eq!(defects(b": 1\r\n"), [(DefectKind::EmptyName, 0)]);
        assert_eq!(defects(b"a b: 1\r\n"), [(DefectKind::NameOctet, 1)]);
        assert_eq!(defects(b"a\x00: 1\r\n"), [(DefectKind::Nul, 1), (DefectKind::NameOctet, 1)]);
        assert_eq!(defects("\u{e9}: 1\r\n".as_bytes()), [(DefectKind::NameOctet, 0)]);
    }

    #[test]
    fn a_sound_section_is_read_like_any() {
        const PIECES: [&str; 7] = ["a", ":", " ", "\r\n", "\r", "\n", "\0"];
        for length in 0..=6 {
            for mut number in 0..PIECES.len().pow(length) {
                let mut octets = String::new();
                for _ in 0..length {
                    octets += PIECES[number % PIECES.len()];
                    number /= PIECES.len();
                }
                let any = any_section(octets.as_bytes());
                let sound = sound_section(octets.as_bytes());
                assert_eq!(sound.is_some(), any.defects.is_empty(), "{octets:?}");
                if let Some(sound) = sound {
                    assert_eq!(format!("{sound:?}"), format!("{any:?}"), "{octets:?}");
                }
            }
        }
    }

    #[test]
    fn a_sound_section_may_be_cut_anywhere() {
        let section = b"a: 1\r\n\t2\r\nB : 3\r\n\r\n\n\0";
        for length in (0..200).chain(900..1200) {
            let first =
                format!("x: {}\r\ny: {}\r\n", "x".repeat(length % 990), "y".repeat(length / 2));
            let octets = [first.as_bytes(), section].concat();
            let sound = sound_section(&octets).unwrap();
            assert_eq!(format!("{sound:?}"), format!("{:?}", any_section(&octets)), "{length}");
            for end in first.len()..octets.len() {
                let cut = octets.get(..end).unwrap();
                let any = any_section(cut);
                let sound = sound_section(cut);
                assert_eq!(sound.is_some(), any.defects.is_empty(), "{length} {end}");
            }
        }
    }

    #[test]
    fn only_crlf_ends_a_line() {
        let octets = b"a: 1\nb: 2\rc: 3\x00\r\n\n\nd: 4\r\r\n\r\n";
        assert_eq!(names(octets), [Some(b"a".to_vec()), None]);
        assert_eq!(
            defects(octets),
            [
                (DefectKind::BareLf, 4),
                (DefectKind::BareCr, 9),
                (DefectKind::Nul, 14),
                (DefectKind::BareLf, 17),
                (DefectKind::NameOctet, 17),
                (DefectKind::BareLf, 18),
                (DefectKind::BareCr, 23),
            ]
        );
    }

    #[test]
    fn long_and_unterminated_lines() {
        let line = format!("a: {}", "x".repeat(995));
        assert_eq!(defects(format!("{line}\r\n").as_bytes()), []);
        assert_eq!(defects(format!("{line}x\r\n").as_bytes()), [(DefectKind::LongLine, 0)]);
        assert_eq!(defects(b"a: 1"), [(DefectKind::UnterminatedLine, 4)]);
        let header = Header::parse(&b"a: 1"[..]);
        assert!(header.fields().all(|field| field.value() == b" 1"));
    }

    #[test]
    fn defects_are_capped() {
        assert_eq!(defects("\n".repeat(1000).as_bytes()).len(), MAX_DEFECTS);
    }

    #[test]
    fn no_section() {
        assert_eq!(names(b""), []);
        assert_eq!(names(b"\r\na: 1\r\n"), []);
        assert!(Header::parse(&b"\r\n"[..]).has_empty_line());
    }
}
