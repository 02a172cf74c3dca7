//! Finding the octets that a "relaxed" algorithm may have to change.

/// A WSP of RFC 5234 B.1.
pub(crate) const fn is_wsp(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Octets looked at together. The compiler turns the loop over one block into vector code.
const BLOCK: usize = 64;
/// The same for what is left of a block: most header fields are this short.
const SMALL_BLOCK: usize = 16;

/// The position of the first octet that may need work, or else of the last octet, about which
/// nothing is said; 0 for no octets.
///
/// A single SP between two words is its own canonical form, so only a TAB, or a SP before white
/// space or a line end, can need work. `FOLDS` adds CR, for header fields, whose folds go too.
#[inline]
pub(crate) fn untouched<const FOLDS: bool>(octets: &[u8]) -> usize {
    let mut at = 0;
    if let Some(hit) = in_blocks::<FOLDS, BLOCK>(octets, &mut at)
        .or_else(|| in_blocks::<FOLDS, SMALL_BLOCK>(octets, &mut at))
    {
        return hit;
    }
    let rest = octets.get(at..).unwrap_or_default();
    let pairs = rest.iter().zip(rest.iter().skip(1));
    let clean = pairs.take_while(|(octet, next)| !may_need_work::<FOLDS>(**octet, **next)).count();
    at + clean
}

/// Searches whole blocks from `at`, which moves past those without a hit.
#[inline]
fn in_blocks<const FOLDS: bool, const N: usize>(octets: &[u8], at: &mut usize) -> Option<usize> {
    while let (Some(block), Some(next)) = (window::<N>(octets, *at), window::<N>(octets, *at + 1)) {
        let pairs = block.iter().zip(next);
        let any =
            pairs.fold(false, |any, (octet, next)| any | may_need_work::<FOLDS>(*octet, *next));
        if any {
            let mut pairs = block.iter().zip(next);
            return pairs
                .position(|(octet, next)| may_need_work::<FOLDS>(*octet, *next))
                .map(|hit| *at + hit);
        }
        *at += N;
    }
    None
}

#[inline]
fn window<const N: usize>(octets: &[u8], at: usize) -> Option<&[u8; N]> {
    octets.get(at..).and_then(<[u8]>::first_chunk)
}

/// `next <= b' '` holds for SP, TAB and CR, and for control octets that hardly ever occur: one
/// comparison instead of three, and the caller looks closer anyway.
#[inline]
const fn may_need_work<const FOLDS: bool>(octet: u8, next: u8) -> bool {
    (octet == b'\t') | ((octet == b' ') & (next <= b' ')) | (FOLDS & (octet == b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slowly<const FOLDS: bool>(octets: &[u8]) -> usize {
        octets
            .windows(2)
            .position(|pair| may_need_work::<FOLDS>(pair[0], pair[1]))
            .unwrap_or(octets.len().saturating_sub(1))
    }

    proptest! {
        #[test]
        fn blocks_find_what_a_walk_finds(clean in 0usize..200, tail in "[ \t\r\na]{0,90}") {
            let mut octets = vec![b'x'; clean];
            octets.extend(tail.bytes());
            prop_assert_eq!(untouched::<false>(&octets), slowly::<false>(&octets));
            prop_assert_eq!(untouched::<true>(&octets), slowly::<true>(&octets));
        }
    }
}
