//! White space and comments (RFC 5322 3.2.2).

use mailproof_message::MAX_COMMENT_DEPTH;

/// Where `[CFWS]` that begins at `at` ends; at `at` where a comment has no end or is too deep.
pub(crate) fn skip_cfws(octets: &[u8], mut at: usize) -> usize {
    loop {
        match octets.get(at) {
            Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
            Some(b'(') => match comment(octets, at) {
                Some(end) => at = end,
                None => return at,
            },
            _ => return at,
        }
    }
}

/// Where the comment that begins at `at` ends.
fn comment(octets: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0;
    loop {
        match octets.get(at)? {
            b'\\' => at += 1,
            b'(' if depth == MAX_COMMENT_DEPTH => return None,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// Where the first semicolon stands that is in no comment and no quoted-string (RFC 5322 3.2.4).
pub(crate) fn semicolon(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut quoted = false;
    loop {
        match octets.get(at)? {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b';' if !quoted => return Some(at),
            b'(' if !quoted => at = comment(octets, at)? - 1,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_have_ends() {
        assert_eq!(skip_cfws(b" (a(b)\\)) x", 0), 10);
        assert_eq!(skip_cfws(b" (a", 0), 1);
        assert_eq!(skip_cfws(&[b'('; 100_000], 0), 0);
        assert_eq!(skip_cfws(b"", 7), 7);
    }

    #[test]
    fn semicolons_in_comments_and_quotes_do_not_count() {
        assert_eq!(semicolon(b"\"a;\\\";\" (;) 1;x"), Some(13));
        assert_eq!(semicolon(b"a (;"), None);
    }
}
