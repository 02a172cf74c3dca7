//! The search for the body that was signed.

use mailproof_canonicalization::{BodyCanonicalizer, Canonicalization};
use mailproof_message::Header;
use memchr::{memchr, memchr_iter, memrchr_iter};

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
    parts: &[Part],
    signature: &Signature,
    limits: &DiagnosisLimits,
) -> Finding {
    let mut whole = Running::new(signature.body_canonicalization, signature.body_length);
    whole.update(body);
    if whole.end().is_some_and(|digest| signature.body_hash == digest) {
        return Finding::Intact;
    }
    let mut search = Search {
        body,
        canonicalization: signature.body_canonicalization,
        length: signature.body_length,
        expected: &signature.body_hash,
        budget: Budget::new(limits),
        tried: Vec::new(),
    };
    let found = search.run(header, parts);
    let (tried, work) = (search.tried, search.budget.work);
    let exhausted = match found {
        Ok(Some(Found { changes, canonicalization, cut_line_end, restored })) => {
            let length = signature.body_length;
            let hash_input = canonical(canonicalization, length, cut_line_end, &restored);
            return Finding::Explained(Repair { changes, hash_input, restored, work });
        }
        Ok(None) => None,
        Err(limit) => Some(limit),
    };
    match signature.body_length {
        Some(signed) if whole.octets() < signed => {
            Finding::Truncated { signed, present: whole.octets() }
        }
        _ => Finding::Unexplained(Excluded { tried, exhausted, work }),
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

/// A search, and how far it has come.
pub(super) struct Search<'a> {
    pub(super) body: &'a [u8],
    pub(super) canonicalization: Canonicalization,
    length: Option<u64>,
    expected: &'a [u8],
    pub(super) budget: Budget<'a>,
    pub(super) tried: Vec<ChangeKind>,
}

/// A body that has the hash.
pub(super) struct Found {
    pub(super) changes: Vec<Change>,
    pub(super) canonicalization: Canonicalization,
    pub(super) cut_line_end: bool,
    pub(super) restored: Vec<u8>,
}

pub(super) type Tried = Result<Option<Found>, Exhausted>;

impl Search<'_> {
    /// From the likely and cheap to the rest.
    fn run(&mut self, header: &Header, parts: &[Part]) -> Tried {
        self.budget.octets(self.body.len())?;
        if let Some(found) = self.ends()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.unwrapped(parts)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.forms(header)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.parts_decoded(parts)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.other_canonicalization()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.banner()? {
            return Ok(Some(found));
        }
        if let Some(found) = self.in_parts(parts)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.in_html(parts)? {
            return Ok(Some(found));
        }
        if let Some(found) = self.base64_footer(header)? {
            return Ok(Some(found));
        }
        self.space_removed()
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

    /// A footer that a list added to the text inside base64.
    fn base64_footer(&mut self, header: &Header) -> Tried {
        let field = header.named("content-transfer-encoding").next_back();
        let is_base64 = |value: &[u8]| value.trim_ascii().eq_ignore_ascii_case(b"base64");
        if !field.is_some_and(|field| is_base64(field.value())) {
            return Ok(None);
        }
        let Some(text) = mime::decode_base64(self.body) else { return Ok(None) };
        let width = memchr(b'\r', self.body).unwrap_or(76);
        for end in line_ends(&text, self.budget.limits.footer_lines) {
            let (kept, cut) = text.split_at_checked(end).unwrap_or((&text, &[]));
            self.budget.octets(kept.len())?;
            let restored = mime::encode_base64(kept, width);
            let running = self.running(&restored)?;
            self.budget.variant()?;
            if self.matches(running.end()) {
                return Ok(Some(Found {
                    changes: vec![Change::FooterAdded(Added::new(kept, cut))],
                    canonicalization: self.canonicalization,
                    cut_line_end: false,
                    restored,
                }));
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

    /// A hash that has begun.
    pub(super) fn running(&mut self, head: &[u8]) -> Result<Running, Exhausted> {
        self.budget.octets(head.len())?;
        let mut running = Running::new(self.canonicalization, self.length);
        running.update(head);
        Ok(running)
    }

    /// Tries a rest of the body, and what is left of it when lines are cut off its end, all in one
    /// pass. Gives how many octets to keep, as many as possible.
    pub(super) fn scan(
        &mut self,
        mut running: Running,
        rest: &[u8],
    ) -> Result<Option<usize>, Exhausted> {
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

    pub(super) fn matches(&self, digest: Option<[u8; 32]>) -> bool {
        digest.is_some_and(|digest| self.expected == digest)
    }

    /// The rest of a body is right as far as `keep`.
    pub(super) fn cut_at(
        &self,
        keep: usize,
        mut changes: Vec<Change>,
        rest: &[u8],
    ) -> Option<Found> {
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
pub(super) fn line_starts(octets: &[u8], from: usize, count: usize) -> Vec<usize> {
    let rest = octets.get(from..).unwrap_or_default();
    memchr_iter(b'\n', rest).map(|at| from + at + 1).take(count).collect()
}

/// Where the last `count` lines begin, from the last on.
pub(super) fn line_ends(octets: &[u8], count: usize) -> Vec<usize> {
    memrchr_iter(b'\n', octets)
        .map(|at| at + 1)
        .filter(|&at| at < octets.len())
        .take(count)
        .collect()
}
