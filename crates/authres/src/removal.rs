//! Fields that claim to be ours (RFC 8601 5).

use crate::field::ErrorKind;
use crate::limits::{Limits, U_LABEL_OCTETS, U_LABEL_WORDS};
use crate::token::Reader;

/// An authserv-id of ours (RFC 8601 2.5), to compare fields with: caseless, A-labels for U-labels
/// (RFC 8601 5 compares in one form of both), no dot at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthservId {
    canonical: String,
}

/// Whether an MTA at the border leaves a field from outside in the message, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Removal {
    /// It stays: it claims to be somebody else's.
    Keep,
    /// RFC 8601 5: "MUST delete any discovered instance of this header field that claims, by
    /// virtue of its authentication service identifier, to have been added within its trust
    /// boundary".
    Ours,
    /// Not ours by the grammar, but where the authserv-id stands it names us, so that a less
    /// careful reader may take it for ours. Local choice: such a field is deleted, too.
    MaybeOurs,
    /// RFC 8601 5: an MTA "MUST remove such a header field" of an unsupported version "if the SMTP
    /// connection relaying the message is not from a trusted internal MTA".
    UnsupportedVersion,
}

impl Removal {
    /// A stable word, in kebab case.
    pub fn keyword(self) -> &'static str {
        match self {
            Removal::Keep => "keep",
            Removal::Ours => "ours",
            Removal::MaybeOurs => "maybe-ours",
            Removal::UnsupportedVersion => "unsupported-version",
        }
    }
}

impl AuthservId {
    /// The identifier that our own fields carry.
    pub fn new(text: &str) -> AuthservId {
        AuthservId { canonical: canonical(text) }
    }

    /// Whether `authserv_id` is the same identifier.
    pub fn matches(&self, authserv_id: &str) -> bool {
        let text = trim(authserv_id);
        if text.is_ascii() {
            return text.eq_ignore_ascii_case(&self.canonical);
        }
        canonical(text) == self.canonical
    }
}

/// Whether the field with this value, from outside, is to be removed (RFC 8601 5). `ours` are all
/// identifiers that our readers trust.
pub fn removal(value: &[u8], ours: &[AuthservId]) -> Removal {
    let is_ours = |text: &str| ours.iter().any(|ours| ours.matches(text));
    let claim = Claim::read(value);
    if is_ours(&claim.authserv_id) {
        return Removal::Ours;
    }
    if claim.names(is_ours) {
        return Removal::MaybeOurs;
    }
    if claim.version.is_some_and(|version| version != 1) {
        return Removal::UnsupportedVersion;
    }
    Removal::Keep
}

/// The fields to remove among all Authentication-Results fields of a message in their order: their
/// numbers as a milter counts them (the first is 1), from the last to the first, so that removing
/// one does not renumber the next.
pub fn removals<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
    ours: &[AuthservId],
) -> Vec<(usize, Removal)> {
    let mut removals: Vec<_> = (1..)
        .zip(values)
        .map(|(number, value)| (number, removal(value, ours)))
        .filter(|(_, removal)| *removal != Removal::Keep)
        .collect();
    removals.reverse();
    removals
}

/// What stands before the first result of a field, valid or not.
struct Claim {
    /// The first token or quoted-string, unquoted.
    authserv_id: String,
    /// The number after it.
    version: Option<u32>,
    /// All of it.
    head: String,
    /// All of it but the comments that have an end.
    without_comments: String,
}

impl Claim {
    fn read(value: &[u8]) -> Claim {
        // Nothing is too long or too deep to be ours.
        let limits = Limits { comment_depth: usize::MAX, octets: usize::MAX, results: 0 };
        let mut reader = Reader::new(value, &limits, true);
        let mut start = 0;
        reader.skip_result();
        while reader.is_blank(start..reader.at) && reader.take(b';') {
            start = reader.at;
            reader.skip_result();
        }
        let end = reader.at;
        let head = reader.text(start..end);
        let without_comments = reader.text_without_comments(start..end);
        reader.at = start;
        let id = reader.cfws().and_then(|_| reader.value(ErrorKind::NoAuthservId));
        let version = reader.cfws().and_then(|_| reader.digits(ErrorKind::InvalidVersion));
        Claim { authserv_id: id.unwrap_or_default(), version: version.ok(), head, without_comments }
    }

    /// Whether a word, in a comment too, is ours, or all words together without comments, quotes,
    /// escapes and spaces.
    fn names(&self, is_ours: impl Fn(&str) -> bool) -> bool {
        let in_word = |character: char| match character {
            '-' | '_' | '.' => true,
            _ => {
                !(character.is_ascii_punctuation()
                    || character.is_whitespace()
                    || character.is_control())
            }
        };
        let squeezed: String = self.without_comments.chars().filter(|&c| in_word(c)).collect();
        let words = self.head.split(|character| !in_word(character));
        let mut words = words.filter(|word| !word.is_empty()).chain([squeezed.as_str()]);
        // Mapping U-labels costs; who needs so many of them has something to hide.
        let mut u_labels = 0;
        words.any(|word| {
            u_labels += usize::from(!word.is_ascii());
            u_labels > U_LABEL_WORDS || is_ours(word)
        })
    }
}

fn trim(text: &str) -> &str {
    text.trim().trim_matches('.')
}

/// Lower case, A-labels; what is no domain name is left as it is but for case.
fn canonical(text: &str) -> String {
    let text = trim(text);
    if text.len() > U_LABEL_OCTETS {
        return text.chars().filter(char::is_ascii).collect::<String>().to_ascii_lowercase();
    }
    let ascii = idna::uts46::Uts46::new().to_ascii(
        text.as_bytes(),
        idna::AsciiDenyList::EMPTY,
        idna::uts46::Hyphens::Allow,
        idna::uts46::DnsLength::Ignore,
    );
    match ascii {
        Ok(ascii) => trim(&ascii).to_ascii_lowercase(),
        // What cannot be shown as a domain may be shown without its odd characters.
        Err(_) => text.chars().filter(char::is_ascii).collect::<String>().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_a_milter_counts_them_from_the_last() {
        let ours = [AuthservId::new("example.com"), AuthservId::new("mx.example.com")];
        let values: [&[u8]; 4] =
            [b"MX.example.com; none", b"example.net; none", b"x 2; none", b"example.com; none"];
        let expected = [(4, Removal::Ours), (3, Removal::UnsupportedVersion), (1, Removal::Ours)];
        assert_eq!(removals(values, &ours), expected);
    }

    #[test]
    fn the_limits_are_reached() {
        let ours = [AuthservId::new("example.com")];
        let words = |count: usize| format!("{}; none", "ü ".repeat(count));
        assert_eq!(removal(words(U_LABEL_WORDS - 1).as_bytes(), &ours), Removal::Keep);
        assert_eq!(removal(words(U_LABEL_WORDS + 1).as_bytes(), &ours), Removal::MaybeOurs);
        let long = format!("{}example.com; none", "\u{ad}".repeat(U_LABEL_OCTETS));
        assert_eq!(removal(long.as_bytes(), &ours), Removal::Ours);
    }

    #[test]
    fn no_identifier_of_ours_matches_nothing() {
        assert_eq!(removal(b"", &[AuthservId::new("example.com")]), Removal::Keep);
        assert_eq!(removal(b"example.com; none", &[]), Removal::Keep);
    }
}
