//! White space in octets that neither begin nor end with any.
//!
//! Octet by octet, both "relaxed" algorithms are filters that look no further than the
//! neighbours: an octet is left out, or it is a TAB that becomes a SP, or it stands. So 64 octets
//! are asked at once, with a bit for each, and in most mail the answer is that all of them stand:
//! a single SP between two words is its own canonical form.

use crate::{Sink, gather::Gather};
use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Octets looked at together: one bit of a `u64` each.
const BLOCK: usize = 64;
/// Octets decided on together: what becomes of one depends on the three after it.
const STEP: usize = BLOCK - 3;
/// A block, and from each of its octets on another one, to be copied whole: a copy of a fixed
/// length is a few moves, one of the right length is a call full of branches.
const AHEAD: usize = 2 * BLOCK;
/// Octets looked through before they are written, so that the sink finds them in the first-level
/// cache.
const WINDOW: usize = 4 * 1024;
/// Where two changes are near each other, more will soon follow: for so many octets do not ask
/// whether all stand.
const RESTLESS: usize = 8 * STEP;
/// What is near.
const NEAR: usize = 2 * BLOCK;

/// Writes `octets` with the white space in them reduced.
///
/// The first and the last octet must be neither white space nor part of a CRLF. `HEADER` is the
/// algorithm of RFC 6376 3.4.2, else it is that of 3.4.4 a.
#[inline]
pub(crate) fn reduce<const HEADER: bool, S: Sink, const N: usize>(
    octets: &[u8],
    sink: &mut Gather<'_, S, N>,
) {
    let level = Level::new();
    dispatch!(level, simd => reduce_with::<HEADER, _, S, N>(simd, octets, sink));
}

#[inline(always)]
fn reduce_with<const HEADER: bool, V: Simd, S: Sink, const N: usize>(
    simd: V,
    octets: &[u8],
    sink: &mut Gather<'_, S, N>,
) {
    let mut rest = octets;
    let mut in_fold = false;
    while !rest.is_empty() {
        let clean = if HEADER { 0 } else { clean(simd, rest.get(..WINDOW).unwrap_or(rest)) };
        let (as_it_is, after) = rest.split_at_checked(clean).unwrap_or((rest, &[]));
        sink.write(as_it_is);
        rest = after;

        let mut restless = match clean {
            ..NEAR => RESTLESS,
            _ if clean > WINDOW - BLOCK => 0,
            _ => STEP,
        };
        while restless > 0 && !rest.is_empty() {
            let near_end;
            let ahead = if let Some(ahead) = rest.first_chunk() {
                ahead
            } else {
                near_end = padded(rest);
                &near_end
            };
            let length = rest.len().min(STEP);
            sink.write_with(|free| filter::<HEADER, V>(simd, ahead, length, &mut in_fold, free));
            rest = rest.get(length..).unwrap_or_default();
            restless -= STEP;
        }
    }
}

/// As many octets from the front as certainly stand, in a body.
#[inline(always)]
fn clean<V: Simd>(simd: V, octets: &[u8]) -> usize {
    // Where there is no white space at all, as in base64, this is the fastest way to know.
    let mut clean = memchr::memchr2(b' ', b'\t', octets).unwrap_or(octets.len());
    while let Some(block) = octets.get(clean..).and_then(<[u8]>::first_chunk) {
        if may_change(simd, block) {
            break;
        }
        clean += BLOCK;
    }
    clean
}

/// Whether any octet of a block but the last may not stand: a TAB, or a SP before anything that
/// sorts as white space does.
#[inline(always)]
fn may_change<V: Simd>(simd: V, block: &[u8; BLOCK + 1]) -> bool {
    let (Some(octets), Some(next)) = (block.first_chunk(), block.last_chunk()) else { return true };
    let octets: u8x64<V> = (*octets).simd_into(simd);
    let next: u8x64<V> = (*next).simd_into(simd);
    (octets.simd_eq(b'\t') | octets.simd_eq(b' ') & next.simd_le(b' ')).any_true()
}

/// The octets, and after the last one octets that change nothing.
fn padded(octets: &[u8]) -> [u8; AHEAD] {
    let mut ahead = [b'x'; AHEAD];
    if let Some(start) = ahead.get_mut(..octets.len()) {
        start.copy_from_slice(octets);
    }
    ahead
}

/// Puts what becomes of the first `length` octets into `free` and says how many that are.
///
/// `in_fold` is whether they begin between the CR and the LF of a fold, and then whether they end
/// there.
#[inline(always)]
fn filter<const HEADER: bool, V: Simd>(
    simd: V,
    ahead: &[u8; AHEAD],
    length: usize,
    in_fold: &mut bool,
    free: &mut [u8; AHEAD],
) -> usize {
    let Some(block) = ahead.first_chunk() else { return 0 };
    let marks = Marks::of(simd, block);
    let mut left_out = if HEADER {
        let began = std::mem::replace(in_fold, marks.folds() >> (STEP - 1) & 1 != 0);
        marks.left_out_of_header(began)
    } else {
        marks.left_out_of_body()
    } & DECIDED;

    let (mut from, mut to) = (0, 0);
    // The first turn goes through the motions even when there is nothing to leave out: that is
    // faster than a branch nobody can predict.
    loop {
        let start = count(left_out.trailing_zeros()).min(length);
        let end = start + count((left_out >> start).trailing_ones());
        copy_block(ahead, from, free, to);
        to += start - from;
        from = end;
        left_out &= u64::MAX << end;
        if left_out == 0 {
            break;
        }
    }
    copy_block(ahead, from, free, to);
    to + length.saturating_sub(from)
}

/// Copies a block, with SP for every TAB: those in a row of white space are overwritten later.
#[inline(always)]
fn copy_block(ahead: &[u8; AHEAD], from: usize, free: &mut [u8; AHEAD], to: usize) {
    if let (Some(from), Some(to)) = (ahead.get(from..from + BLOCK), free.get_mut(to..to + BLOCK)) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = if *from == b'\t' { b' ' } else { *from };
        }
    }
}

#[inline(always)]
fn count(bits: u32) -> usize {
    usize::try_from(bits).unwrap_or(BLOCK)
}

/// The octets of a block that matter, with the first octet in the lowest bit.
struct Marks {
    /// SP and TAB.
    wsp: u64,
    /// CR before LF.
    crlf: u64,
}

/// The bits that can be decided on without the octets after the block.
const DECIDED: u64 = (1 << STEP) - 1;

impl Marks {
    #[inline(always)]
    fn of<V: Simd>(simd: V, block: &[u8; BLOCK]) -> Self {
        let octets: u8x64<V> = (*block).simd_into(simd);
        let are = |octet: u8| octets.simd_eq(octet).to_bitmask();
        Self { wsp: are(b' ') | are(b'\t'), crlf: are(b'\r') & are(b'\n') >> 1 }
    }

    /// Of white space in a row the last octet stays, and before the end of a line not even that.
    #[inline(always)]
    fn left_out_of_body(&self) -> u64 {
        self.wsp & (self.wsp | self.crlf) >> 1
    }

    /// The CRs of folds.
    #[inline(always)]
    fn folds(&self) -> u64 {
        self.crlf & self.wsp >> 2
    }

    /// The same, but a CRLF that folds goes and counts as white space.
    #[inline(always)]
    fn left_out_of_header(&self, began_in_fold: bool) -> u64 {
        let folds = self.folds();
        folds | folds << 1 | u64::from(began_in_fold) | self.wsp & (self.wsp | folds) >> 1
    }
}
