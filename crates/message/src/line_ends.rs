//! Line ends, found in many octets at once.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

/// Octets looked at together: one bit of a `u64` each.
pub(crate) const BLOCK: usize = 64;
/// Blocks looked at in one call: half of a header section that is short.
const BLOCKS: usize = 16;
/// Octets looked at in one call.
pub(crate) const WINDOW: usize = BLOCK * BLOCKS;

/// What is in a block, with a bit for each octet, the first in the lowest.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Block {
    pub(crate) line_feed: u64,
    pub(crate) carriage_return: u64,
    pub(crate) nul: u64,
}

/// The blocks of a window, which may be shorter than [`WINDOW`].
pub(crate) fn blocks(window: &[u8]) -> [Block; BLOCKS] {
    let level = Level::new();
    dispatch!(level, simd => blocks_with(simd, window))
}

#[inline(always)]
fn blocks_with<V: Simd>(simd: V, window: &[u8]) -> [Block; BLOCKS] {
    let mut found = [Block::default(); BLOCKS];
    let (blocks, rest) = window.as_chunks();
    let mut last = [b' '; BLOCK];
    last.iter_mut().zip(rest).for_each(|(last, octet)| *last = *octet);
    for (found, block) in found.iter_mut().zip(blocks.iter().chain([&last])) {
        let octets: u8x64<V> = (*block).simd_into(simd);
        let are = |octet: u8| octets.simd_eq(octet).to_bitmask();
        *found = Block { line_feed: are(b'\n'), carriage_return: are(b'\r'), nul: are(0) };
    }
    found
}
