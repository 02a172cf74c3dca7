//! White space that is gone in one place of a body.

use mailproof_canonicalization::Canonicalization;

use super::body::{Found, Search, Tried};
use super::change::{Change, ChangeKind, Space};

/// Something that may have stood in a body.
struct Gap {
    /// Where.
    at: usize,
    /// How many octets stand there in its place.
    replaces: usize,
    octets: &'static [u8],
    change: Change,
}

impl Search<'_> {
    /// Each place where white space may have been taken out, one after the other. What `relaxed`
    /// passes over is looked for under `simple` alone; an empty line counts in both.
    pub(super) fn space_removed(&mut self) -> Tried {
        let is_simple = self.canonicalization == Canonicalization::Simple;
        if is_simple && !self.tried.contains(&ChangeKind::SpaceRemoved) {
            self.tried.push(ChangeKind::SpaceRemoved);
        }
        self.tried.push(ChangeKind::EmptyLineRemoved);
        let body = self.body;
        let mut done = 0;
        let mut running = self.running(&[])?;
        for gap in gaps(body).filter(|gap| is_simple || is_line(gap)) {
            let Gap { at, replaces, octets, change } = gap;
            running.update(body.get(done..at).unwrap_or_default());
            done = at;
            let rest = body.get(at + replaces..).unwrap_or_default();
            self.budget.octets(rest.len())?;
            self.budget.variant()?;
            let mut filled = running.clone();
            filled.update(octets);
            filled.update(rest);
            if self.matches(filled.end()) {
                let before = body.get(..at).unwrap_or_default();
                return Ok(Some(Found {
                    changes: vec![change],
                    canonicalization: self.canonicalization,
                    cut_line_end: false,
                    restored: [before, octets, rest].concat(),
                }));
            }
        }
        Ok(None)
    }
}

fn is_line(gap: &Gap) -> bool {
    matches!(gap.change, Change::EmptyLineRemoved { .. })
}

/// The places, from the beginning to the end.
fn gaps(body: &[u8]) -> impl Iterator<Item = Gap> {
    let mut line = 1;
    let first =
        Gap { at: 0, replaces: 0, octets: b"\r\n", change: Change::EmptyLineRemoved { line: 1 } };
    let others = body.iter().enumerate().flat_map(move |(at, octet)| {
        let space = |octets, replaces, space| Gap {
            at,
            replaces,
            octets,
            change: Change::SpaceRemoved(space),
        };
        let found = match octet {
            b' ' => [
                Some(space(b"  ", 1, Space::Double(line))),
                Some(space(b"\t", 1, Space::Tab(line))),
            ],
            b'\r' if body.get(at + 1) == Some(&b'\n') => {
                [Some(space(b" ", 0, Space::LineEnd(line))), None]
            }
            b'\n' => {
                line += 1;
                let change = Change::EmptyLineRemoved { line };
                let at = at + 1;
                [Some(Gap { at, replaces: 0, octets: b"\r\n", change }), None]
            }
            _ => [None, None],
        };
        found.into_iter().flatten()
    });
    std::iter::once(first).chain(others)
}
