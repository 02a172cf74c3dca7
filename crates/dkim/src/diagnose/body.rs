//! The search for the body that was signed.

use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization};
use mailproof_message::Header;
use memchr::{memchr_iter, memrchr_iter};

use crate::signature::Signature;

use super::change::{Added, Change, ChangeKind};
use super::forms;
use super::limits::{Budget, DiagnosisLimits, Exhausted};
use super::mime::{self, Part};
use super::running::Running;
use super::{Excluded, Finding, Repair};

/// Finds what was done to a body.
pub(super) fn search(
    header: &Header,
    body: &[u8],
    signature: &Signature,
    limits: &DiagnosisLimits,
) -> Finding {
    let mut whole = Running::new(signature.body_canonicalization, signature.body_length);
    whole.update(body);
    if whole.end().is_some_and(|digest| signature.body_hash == digest) {
        return Finding::Intact;
    }
    if let Some(signed) = signature.body_length.filter(|&length| whole.octets() < length) {
        return Finding::Truncated { signed, present: whole.octets() };
    }
    let mut search = Search {
        body,
        canonicalization: signature.body_canonicalization,
        length: signature.body_length,
        expected: &signature.body_hash,
        budget: Budget::new(limits),
        tried: Vec::new(),
    };
    let found = search.run(header);
    let work = search.budget.work;
    match found {
        Ok(Some(Found { changes, canonicalization, cut_line_end, restored })) => {
            let length = signature.body_length;
            let hash_input = canonical(canonicalization, length, cut_line_end, &restored);
            Finding::Explained(Repair { changes, hash_input, restored, work })
        }
        Ok(None) => Finding::Unexplained(Excluded { tried: search.tried, exhausted: None, work }),
        Err(limit) => {
            Finding::Unexplained(Excluded { tried: search.tried, exhausted: Some(limit), work })
        }
    }
}

/// The octets that are hashed for a body.
fn canonical(
    canonicalization: Canonicalization,
    length: Option<u64>,
    cut_line_end: bool,
    body: &[u8],
) -> Vec<u8> {
    let mut octets = Vec::with_capacity(body.len() + 2);
    let mut canonicalizer = BodyCanonicalizer::new(canonicalization);
    canonicalizer.update(body, &mut octets);
    if !cut_line_end {
        canonicalizer.finish(&mut octets);
    }
    if let Some(length) = length.and_then(|length| usize::try_from(length).ok()) {
        octets.truncate(length);
    }
    octets
}

struct Search<'a> {
    body: &'a [u8],
    canonicalization: Canonicalization,
    length: Option<u64>,
    expected: &'a [u8],
    budget: Budget<'a>,
    tried: Vec<ChangeKind>,
}

/// A body that has the hash.
struct Found {
    changes: Vec<Change>,
    canonicalization: Canonicalization,
    cut_line_end: bool,
    restored: Vec<u8>,
}

type Tried = Result<Option<Found>, Exhausted>;

impl Search<'_> {
    /// From the likely and cheap to the rest.
    fn run(&mut self, header: &Header) -> Tried {
        let parts = mime::parts(header, self.body, self.budget.limits.parts);
        self.budget.octets(self.body.len())?;
        if let Some(found) = self.ends()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.unwrapped(&parts)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.forms(header)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.other_canonicalization()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.banner()? {
            return Ok(Some(found));
        }
        self.in_parts(&parts)
    }

    /// A footer at the end.
    fn ends(&mut self) -> Tried {
        self.tried.extend([ChangeKind::FooterAdded, ChangeKind::BodyAdded]);
        let running = self.running(&[])?;
        let found = self.scan(running, self.body)?;
        if let Some(keep) = found {
            return Ok(self.cut_at(keep, Vec::new(), self.body));
        }
        self.tried.push(ChangeKind::FinalLineEndUnsigned);
        let running = self.running(self.body)?;
        Ok(self.matches(running.end_without_line_end()).then(|| Found {
            changes: vec![Change::FinalLineEndUnsigned],
            canonicalization: self.canonicalization,
            cut_line_end: true,
            restored: self.body.to_vec(),
        }))
    }

    /// The original is a part of a multipart now.
    fn unwrapped(&mut self, parts: &[Part]) -> Tried {
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

    /// The whole body was rewritten, and maybe got a footer too.
    fn forms(&mut self, header: &Header) -> Tried {
        for form in forms::FORMS {
            self.budget.octets(self.body.len())?;
            for (change, restored) in (form.undo)(header, self.body) {
                let running = self.running(&[])?;
                if let Some(keep) = self.scan(running, &restored)? {
                    return Ok(self.cut_at(keep, vec![change], &restored));
                }
            }
            if !self.tried.contains(&form.kind) {
                self.tried.push(form.kind);
            }
        }
        Ok(None)
    }

    /// The other algorithm than the one that c= names.
    fn other_canonicalization(&mut self) -> Tried {
        let (kind, other) = match self.canonicalization {
            Canonicalization::Simple => (ChangeKind::BodyWhiteSpace, Canonicalization::Relaxed),
            Canonicalization::Relaxed => {
                (ChangeKind::BodyCanonicalization, Canonicalization::Simple)
            }
        };
        self.tried.push(kind);
        let stated = std::mem::replace(&mut self.canonicalization, other);
        let found = self.running(&[]).and_then(|running| self.scan(running, self.body));
        self.canonicalization = stated;
        let Some(keep) = found? else { return Ok(None) };
        let change = match kind {
            ChangeKind::BodyWhiteSpace => Change::BodyWhiteSpace,
            _ => Change::BodyCanonicalization { used: other },
        };
        let found = self.cut_at(keep, vec![change], self.body);
        Ok(found.map(|found| Found { canonicalization: other, ..found }))
    }

    /// Lines at the beginning, and maybe at the end too.
    fn banner(&mut self) -> Tried {
        self.tried.push(ChangeKind::BannerAdded);
        let body = self.body;
        for start in line_starts(body, 0, self.budget.limits.banner_lines) {
            let (banner, rest) = body.split_at_checked(start).unwrap_or((body, &[]));
            let running = self.running(&[])?;
            if let Some(keep) = self.scan(running, rest)? {
                let banner = Change::BannerAdded(Added::new(&[], banner));
                return Ok(self.cut_at(keep, vec![banner], rest));
            }
        }
        Ok(None)
    }

    /// Lines before, in and after MIME parts.
    fn in_parts(&mut self, parts: &[Part]) -> Tried {
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

    /// A hash that has begun.
    fn running(&mut self, head: &[u8]) -> Result<Running, Exhausted> {
        self.budget.octets(head.len())?;
        let mut running = Running::new(self.canonicalization, self.length);
        running.update(head);
        Ok(running)
    }

    /// Tries a rest of the body, and what is left of it when lines are cut off its end, all in one
    /// pass. Gives how many octets to keep, as many as possible.
    fn scan(&mut self, mut running: Running, rest: &[u8]) -> Result<Option<usize>, Exhausted> {
        self.budget.octets(rest.len())?;
        let mut ends = vec![rest.len()];
        // With l=, what was added at the end is no reason to fail.
        if self.length.is_none() {
            ends.extend(line_ends(rest, self.budget.limits.footer_lines));
            ends.push(0);
        }
        ends.sort_unstable();
        ends.dedup();
        let mut done = 0;
        let mut keep = None;
        for end in ends {
            running.update(rest.get(done..end).unwrap_or_default());
            done = end;
            self.budget.variant()?;
            // Ending a hash costs up to two blocks.
            self.budget.octets(128)?;
            if self.matches(running.end()) {
                keep = Some(end);
            }
        }
        Ok(keep)
    }

    fn matches(&self, digest: Option<[u8; 32]>) -> bool {
        digest.is_some_and(|digest| self.expected == digest)
    }

    /// The rest of a body is right as far as `keep`.
    fn cut_at(&self, keep: usize, mut changes: Vec<Change>, rest: &[u8]) -> Option<Found> {
        let (kept, cut) = rest.split_at_checked(keep)?;
        if !cut.is_empty() {
            let added = Added::new(kept, cut);
            changes.push(match keep {
                0 => Change::BodyAdded(added),
                _ => Change::FooterAdded(added),
            });
        }
        Some(Found {
            changes,
            canonicalization: self.canonicalization,
            cut_line_end: false,
            restored: kept.to_vec(),
        })
    }
}

/// Where the lines after the first `count` line ends from `from` on begin.
fn line_starts(octets: &[u8], from: usize, count: usize) -> Vec<usize> {
    let rest = octets.get(from..).unwrap_or_default();
    memchr_iter(b'\n', rest).map(|at| from + at + 1).take(count).collect()
}

/// Where the last `count` lines begin, from the last on.
fn line_ends(octets: &[u8], count: usize) -> Vec<usize> {
    memrchr_iter(b'\n', octets)
        .map(|at| at + 1)
        .filter(|&at| at < octets.len())
        .take(count)
        .collect()
}
