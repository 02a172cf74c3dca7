//! What octets a list is made of, many at once.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Octets looked at together: one bit of a `u64` each.
const BLOCK: usize = 64;

/// Whether a list is printable ASCII and folding whitespace (RFC 6376 2.8), as nearly all are.
pub(crate) fn are_plain(list: &[u8]) -> bool {
    let level = Level::new();
    dispatch!(level, simd => are_plain_with(simd, list))
}

#[inline(always)]
fn are_plain_with<V: Simd>(simd: V, list: &[u8]) -> bool {
    let (blocks, rest) = list.as_chunks();
    // There is always a last block, so that what ends the one before is looked at.
    let mut last = [b'x'; BLOCK];
    last.iter_mut().zip(rest).for_each(|(last, octet)| *last = *octet);
    let (mut after_cr, mut after_lf, mut other) = (0, 0, 0);
    for block in blocks.iter().chain([&last]) {
        let octets: u8x64<V> = (*block).simd_into(simd);
        let are = |octet: u8| octets.simd_eq(octet).to_bitmask();
        let (cr, lf, wsp) = (are(b'\r'), are(b'\n'), are(b' ') | are(b'\t'));
        let printable = octets.simd_gt(b' ').to_bitmask() & octets.simd_lt(0x7f).to_bitmask();
        other |= !(printable | wsp | cr | lf);
        // RFC 6376 2.8: "FWS = [*WSP CRLF] 1*WSP".
        other |= lf ^ (cr << 1 | after_cr);
        other |= (lf << 1 | after_lf) & !wsp;
        (after_cr, after_lf) = (cr >> 63, lf >> 63);
    }
    other == 0
}
