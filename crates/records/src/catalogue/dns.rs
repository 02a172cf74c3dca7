//! What can be wrong with any record.

use super::rule;
use crate::Rule;
use crate::Severity::{Error, Warning};

#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("DNS001", "string-too-long", Error, "RFC 1035 3.3", "a character-string has more than 255 octets",
        "A text record is a list of character-strings of at most 255 octets each. A longer one is refused or cut by name servers and providers, and what is cut is no key.",
        "Split it into several quoted strings; readers join them with nothing between."),
    rule("DNS002", "literal-quotes", Error, "RFC 1035 5.1", "quotes are part of the text",
        "The quotes of a zone file were pasted into a form that puts its own around the text. The record begins with a quote, so no receiver recognises it.",
        "Publish the text without the quotes."),
    rule("DNS003", "escaped-semicolon", Error, "RFC 1035 5.1", "a backslash stands before a semicolon or quote",
        "The escape of a zone file was copied into a form that needs none. The backslash is part of the record and makes it unreadable.",
        "Publish the text without the backslashes."),
    rule("DNS006", "non-ascii", Error, "RFC 7208 3.1", "the record has octets that are not printable ASCII",
        "Curly quotes, dashes and invisible spaces come from word processors and web pages. The grammar of every mail record is ASCII, so the record is unreadable.",
        "Type the character anew in ASCII."),
    rule("DNS008", "cname-and-other", Error, "RFC 1034 3.6.2", "a name has an alias and other records",
        "Where a name is an alias (CNAME) it may have no other data. Name servers refuse such a zone, or answer now this, now that.",
        "Keep the alias or the other records."),
    rule("DNS011", "no-answer", Warning, "RFC 1035 4.1.1", "a question had no answer",
        "The name servers failed or did not answer in time, so nothing is known about the name. Receivers defer mail or go without the check while this lasts.",
        "Look at the name servers of the zone, and try again."),
];
