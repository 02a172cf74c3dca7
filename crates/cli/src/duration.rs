//! Lengths of time, as the command line takes them.

/// A number of seconds above 0, or a number with `m`, `h`, `d` or `w` behind it, in seconds.
///
/// # Errors
/// What is expected, in words.
///
/// ```
/// assert_eq!(mailproof_cli::duration::seconds("90m"), Ok(5_400));
/// ```
pub fn seconds(text: &str) -> Result<u64, &'static str> {
    let digits = text.trim_end_matches(|end: char| end.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3_600,
        Some("d") => 86_400,
        Some("w") => 604_800,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    number.filter(|&seconds| seconds > 0).ok_or("no time above 0 like 3600, 90m, 12h, 7d or 2w")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in
            [("3600", Ok(3600)), ("90m", Ok(5400)), ("7d", Ok(604_800)), ("2w", Ok(1_209_600))]
        {
            assert_eq!(seconds(text).map_err(|_| ()), expected, "{text}");
        }
        for text in ["", "0", "0d", "d", "1y", "-1", "1 d", "99999999999999999999", "1dd"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
