//! RSA moduli that anybody can factor.

/// The odd primes that moduli are divided by.
const PRIMES: [u64; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// The modulus of a key in base64, the lowest limb first; `None` if that is no RSA key.
pub(super) fn of(base64: &[u8]) -> Option<Vec<u64>> {
    let der = decode(base64)?;
    let mut rest = contents(&der, 0x30)?.0;
    // RFC 5280 4.1: SubjectPublicKeyInfo has the algorithm first, RFC 8017 A.1.1 the modulus.
    if rest.first() == Some(&0x30) {
        let (_, behind) = contents(rest, 0x30)?;
        let (bits, _) = contents(behind, 0x03)?;
        rest = contents(bits.get(1..)?, 0x30)?.0;
    }
    let (number, _) = contents(rest, 0x02)?;
    let limb = |octets: &[u8]| octets.iter().fold(0, |limb, octet| limb << 8 | u64::from(*octet));
    let mut limbs: Vec<u64> = number.rchunks(8).map(limb).collect();
    trim(&mut limbs);
    (limbs.first().is_some_and(|limb| limb & 1 == 1)).then_some(limbs)
}

/// What an element of DER holds, and what stands behind it.
fn contents(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 | 0x82 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    if *found == tag { rest.split_at_checked(length) } else { None }
}

fn decode(base64: &[u8]) -> Option<Vec<u8>> {
    let digit = |octet: &u8| match octet {
        b'A'..=b'Z' => Some(u32::from(octet - b'A')),
        b'a'..=b'z' => Some(u32::from(octet - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(octet - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let letters: Vec<u32> =
        base64.iter().filter(|octet| **octet != b'=').map(digit).collect::<Option<_>>()?;
    let mut octets = Vec::new();
    for group in letters.chunks(4) {
        let bits = group.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - group.len()));
        octets.extend(bits.to_be_bytes().into_iter().skip(1).take(group.len().saturating_sub(1)));
    }
    Some(octets)
}

fn trim(limbs: &mut Vec<u64>) {
    while limbs.last() == Some(&0) {
        limbs.pop();
    }
}

/// A prime that divides the modulus.
pub(super) fn small_factor(modulus: &[u64]) -> Option<u64> {
    PRIMES.into_iter().find(|prime| remainder(modulus, *prime) == 0)
}

/// Whether a modulus was made by the generator of CVE-2017-15361 ("ROCA"), whose primes are powers
/// of 65537 modulo many small primes, and so are the moduli.
pub(super) fn is_roca(modulus: &[u64]) -> bool {
    PRIMES.into_iter().all(|prime| {
        let wanted = remainder(modulus, prime);
        let powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % prime));
        let order = usize::try_from(prime).unwrap_or(usize::MAX);
        powers.take(order).any(|power| power == wanted)
    })
}

fn remainder(number: &[u64], divisor: u64) -> u64 {
    let wide = u128::from(divisor);
    let rest =
        number.iter().rev().fold(0_u128, |rest, limb| (rest << 64 | u128::from(*limb)) % wide);
    u64::try_from(rest).unwrap_or_default()
}

/// Whether two odd numbers have a common factor (Stein's algorithm).
pub(super) fn has_common_factor(one: &[u64], other: &[u64]) -> bool {
    let (mut large, mut small) = (one.to_vec(), other.to_vec());
    loop {
        if is_less(&large, &small) {
            std::mem::swap(&mut large, &mut small);
        }
        if small == [1] {
            return false;
        }
        subtract(&mut large, &small);
        if large.is_empty() {
            return true;
        }
        make_odd(&mut large);
    }
}

fn is_less(one: &[u64], other: &[u64]) -> bool {
    one.len() < other.len() || (one.len() == other.len() && one.iter().rev().lt(other.iter().rev()))
}

/// Takes `other`, which is no larger, from `one`.
fn subtract(one: &mut Vec<u64>, other: &[u64]) {
    let mut borrow = false;
    let others = other.iter().copied().chain(std::iter::repeat(0));
    for (limb, other) in one.iter_mut().zip(others) {
        let (first, low) = limb.overflowing_sub(other);
        let (second, lower) = first.overflowing_sub(u64::from(borrow));
        *limb = second;
        borrow = low || lower;
    }
    trim(one);
}

/// Divides by two until the number is odd; it is not zero.
fn make_odd(number: &mut Vec<u64>) {
    let zeros = number.iter().take_while(|limb| **limb == 0).count();
    number.drain(..zeros);
    let shift = number.first().map_or(0, |limb| limb.trailing_zeros());
    if shift > 0 {
        let mut carry = 0;
        for limb in number.iter_mut().rev() {
            let next = *limb << (64 - shift);
            *limb = *limb >> shift | carry;
            carry = next;
        }
        trim(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_factors() {
        let number = |number: u128| {
            let half = |half: u128| u64::try_from(half).unwrap();
            let mut limbs = vec![half(number & u128::from(u64::MAX)), half(number >> 64)];
            trim(&mut limbs);
            limbs
        };
        // Primes of 62 bits or so.
        let (p, q, r) = (4_611_686_018_427_387_847, 4_611_686_018_427_387_817, 1_000_000_007_u128);
        assert!(has_common_factor(&number(p * q), &number(p * r)));
        assert!(!has_common_factor(&number(p * p), &number(q * r)));
        assert!(has_common_factor(&number(p * q), &number(p * q)));
        assert!(!has_common_factor(&number(p * q), &number(1)));
    }

    #[test]
    fn small_factors_and_fingerprints() {
        assert_eq!(small_factor(&[15]), Some(3));
        assert_eq!(small_factor(&[0, 1]), None);
        assert!(is_roca(&[65_537]) && is_roca(&[1]) && !is_roca(&[1_000_000_007]));
        assert_eq!(u128::from(remainder(&[5, 1], 7)), (u128::from(u64::MAX) + 6) % 7);
    }
}
