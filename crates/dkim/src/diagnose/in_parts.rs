//! The search for the body that was signed, as far as MIME parts have to do with it.

use super::body::{Found, Search, Tried, line_ends, line_starts};
use super::change::{Added, Change, ChangeKind};
use super::html;
use super::mime::{self, Part};

impl Search<'_> {
    /// The original is a part of a multipart now.
    pub(super) fn unwrapped(&mut self, parts: &[Part]) -> Tried {
        self.tried.push(ChangeKind::Wrapped);
        for (index, part) in parts.iter().enumerate() {
            let content = self.body.get(part.content.clone()).unwrap_or_default();
            let running = self.running(&[])?;
            if let Some(keep) = self.scan(running, content)? {
                let wrapped = vec![Change::Wrapped { part: index + 1 }];
                return Ok(self.cut_at(keep, wrapped, content));
            }
        }
        Ok(None)
    }

    /// Parts that were re-encoded, each with its Content-Transfer-Encoding.
    pub(super) fn parts_decoded(&mut self, parts: &[Part]) -> Tried {
        for signed in ["8bit", "7bit"] {
            self.budget.octets(self.body.len())?;
            let Some((restored, received)) = mime::decoded(self.body, parts, signed) else {
                return Ok(None);
            };
            let running = self.running(&[])?;
            if let Some(keep) = self.scan(running, &restored)? {
                let change = Change::Reencoded { signed, received };
                return Ok(self.cut_at(keep, vec![change], &restored));
            }
        }
        Ok(None)
    }

    /// Lines before, in and after MIME parts.
    pub(super) fn in_parts(&mut self, parts: &[Part]) -> Tried {
        self.tried.extend([ChangeKind::PartAdded, ChangeKind::PartFooterAdded]);
        for part in parts {
            if let Some(found) = self.without(part.delimiter, [part.next], Change::PartAdded)? {
                return Ok(Some(found));
            }
        }
        let limits = self.budget.limits;
        for part in parts {
            let content = part.content.clone();
            let starts = line_starts(self.body, content.start, limits.banner_lines);
            let starts = starts.into_iter().filter(|&start| start <= part.next);
            if let Some(found) = self.without(content.start, starts, Change::BannerAdded)? {
                return Ok(Some(found));
            }
            let ends =
                line_ends(self.body.get(..part.next).unwrap_or_default(), limits.banner_lines);
            for end in ends.into_iter().filter(|&end| end >= content.start) {
                if let Some(found) = self.without(end, [part.next], Change::PartFooterAdded)? {
                    return Ok(Some(found));
                }
            }
        }
        parts.iter().zip(parts.iter().skip(1)).try_fold(
            None,
            |found, (first, second)| match found {
                Some(found) => Ok(Some(found)),
                None => self.in_two_parts(first, second),
            },
        )
    }

    /// What stands within the lines of HTML behind `<body>` or before `</body>`, and then also lines
    /// at the beginning of a part before it.
    pub(super) fn in_html(&mut self, parts: &[Part]) -> Tried {
        let limits = self.budget.limits;
        let places = html::places(self.body, limits.parts, limits.banner_lines);
        // Each document was looked through to the end.
        let documents = places.iter().filter(|place| place.on_top).count();
        self.budget.octets(self.body.len().saturating_mul(documents + 1))?;
        for place in &places {
            let change = match place.on_top {
                true => Change::BannerAdded,
                false if parts.is_empty() => Change::FooterAdded,
                false => Change::PartFooterAdded,
            };
            let ends = place.ends.iter().copied();
            if let Some(found) = self.without(place.start, ends, change)? {
                return Ok(Some(found));
            }
        }
        for place in places.iter().filter(|place| place.on_top) {
            let before = parts.iter().rev().find(|part| part.next <= place.start);
            let Some(part) = before else { continue };
            let found = self.in_two_places(part.content.start, place.start, &place.ends)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Lines at the beginning of two parts, the text and its HTML.
    fn in_two_parts(&mut self, first: &Part, second: &Part) -> Tried {
        let two = second.content.start;
        let mut ends = line_starts(self.body, two, self.budget.limits.banner_lines);
        ends.retain(|&end| end <= second.next);
        self.in_two_places(first.content.start, two, &ends)
    }

    /// Lines at the beginning of a part, and what is from `two` to one of `ends`.
    fn in_two_places(&mut self, one: usize, two: usize, ends: &[usize]) -> Tried {
        let body = self.body;
        let head = self.running(body.get(..one).unwrap_or_default())?;
        let most = self.budget.limits.banner_lines;
        for one_end in line_starts(body, one, most) {
            let Some(between) = body.get(one_end..two) else { break };
            self.budget.octets(between.len())?;
            let mut before = head.clone();
            before.update(between);
            for &two_end in ends {
                let Some(rest) = body.get(two_end..) else { break };
                self.budget.octets(rest.len())?;
                self.budget.variant()?;
                let mut running = before.clone();
                running.update(rest);
                if self.matches(running.end()) {
                    let added = |start, end| {
                        let (before, added) = (body.get(..start), body.get(start..end));
                        Added::new(before.unwrap_or_default(), added.unwrap_or_default())
                    };
                    let changes = [added(one, one_end), added(two, two_end)];
                    let head = body.get(..one).unwrap_or_default();
                    return Ok(Some(Found {
                        changes: changes.map(Change::BannerAdded).into(),
                        canonicalization: self.canonicalization,
                        cut_line_end: false,
                        restored: [head, between, rest].concat(),
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Tries the body without the octets from `start` to each of `ends`.
    fn without(
        &mut self,
        start: usize,
        ends: impl IntoIterator<Item = usize>,
        change: fn(Added) -> Change,
    ) -> Tried {
        let head = self.body.get(..start).unwrap_or_default();
        let before = self.running(head)?;
        for end in ends {
            let Some(added) = self.body.get(start..end) else { continue };
            let tail = self.body.get(end..).unwrap_or_default();
            self.budget.octets(tail.len())?;
            self.budget.variant()?;
            let mut running = before.clone();
            running.update(tail);
            if self.matches(running.end()) {
                return Ok(Some(Found {
                    changes: vec![change(Added::new(head, added))],
                    canonicalization: self.canonicalization,
                    cut_line_end: false,
                    restored: [head, tail].concat(),
                }));
            }
        }
        Ok(None)
    }
}
