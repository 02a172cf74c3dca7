//! The Received-SPF header field (RFC 7208 9.1, erratum 5436): write.

use std::fmt::{self, Display, Formatter};

use crate::outcome::{Outcome, SpfResult};
use crate::request::{Identity, Request};

/// RFC 5322 2.1.1: lines SHOULD be no more than 78 characters.
const LINE: usize = 78;
/// Octets of one value. Local choice: escaped and with its key it stays far below the 998 of RFC
/// 5322 2.1.1, and RFC 5321 4.5.3.1 has 256 for a path and 255 for a domain.
const VALUE: usize = 256;

/// The Received-SPF header field (RFC 7208 9.1).
///
/// [`Display`] writes the field without its final CRLF, folded, and safe whatever is in it: what is
/// not visible ASCII becomes `?`, values are cut at 256 octets, no line has more than 998.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedSpf {
    /// The result.
    pub result: SpfResult,
    /// The comment for humans, without its parentheses.
    pub comment: Option<String>,
    /// The keys, in lower case, and their values, in order.
    pub pairs: Vec<(String, String)>,
}

impl ReceivedSpf {
    /// The field that records an outcome.
    pub fn new(request: &Request<'_>, outcome: &Outcome) -> ReceivedSpf {
        let ip = request.ip.to_string();
        let mut pairs = Vec::new();
        let mut pair = |key: &str, value: String| pairs.push((key.to_owned(), value));
        if let Some(receiver) = request.receiver {
            pair("receiver", receiver.to_owned());
        }
        pair("identity", request.identity.to_string());
        pair("client-ip", ip.clone());
        pair("helo", request.helo.to_owned());
        if let Some(path) = request.reverse_path {
            pair("envelope-from", path.to_owned());
        }
        match outcome.result {
            SpfResult::Temperror | SpfResult::Permerror => {
                pair("problem", outcome.cause.to_string());
            }
            // RFC 7208 9.1: "the mechanism that matched (if no mechanisms matched, substitute the
            // word "default")".
            SpfResult::Pass | SpfResult::Fail | SpfResult::Softfail | SpfResult::Neutral => {
                let term = outcome.term.as_ref().map(|term| term.text.clone());
                pair("mechanism", term.unwrap_or_else(|| "default".to_owned()));
            }
            SpfResult::None => {}
        }
        let receiver = request.receiver.map(|receiver| format!("{receiver}: "));
        let comment =
            format!("{}{}", receiver.unwrap_or_default(), sentence(request, outcome, &ip));
        ReceivedSpf { result: outcome.result, comment: Some(comment), pairs }
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        let is = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(key);
        self.pairs.iter().find(is).map(|(_, value)| value.as_str())
    }

    /// What stands after `Received-SPF: `, folded.
    pub fn body(&self) -> String {
        let mut folded = Folded { text: String::new(), column: "Received-SPF: ".len() };
        folded.word(&self.result.to_string());
        if let Some(comment) = &self.comment {
            let comment = format!("({})", escape(comment, "()\\", 2 * VALUE));
            comment.split(' ').filter(|word| !word.is_empty()).for_each(|word| folded.word(word));
        }
        for (index, (key, value)) in self.pairs.iter().enumerate() {
            let end = if index + 1 < self.pairs.len() { ";" } else { "" };
            folded.word(&format!("{}={}{end}", name(key), quoted(value)));
        }
        folded.text
    }
}

impl Display for ReceivedSpf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Received-SPF: {}", self.body())
    }
}

fn sentence(request: &Request<'_>, outcome: &Outcome, ip: &str) -> String {
    let sender = match request.identity {
        Identity::MailFrom => format!("{}@{}", request.local_part, request.domain_text),
        Identity::Helo => request.helo.to_owned(),
    };
    match outcome.result {
        SpfResult::Pass => format!("domain of {sender} designates {ip} as permitted sender"),
        SpfResult::Fail => {
            format!("domain of {sender} does not designate {ip} as permitted sender")
        }
        SpfResult::Softfail => {
            format!("domain of {sender} does not yet designate {ip} as permitted sender")
        }
        SpfResult::Neutral => format!("domain of {sender} does not say if {ip} may send"),
        SpfResult::None => format!("domain of {sender} has no policy: {}", outcome.cause),
        SpfResult::Temperror => {
            format!("temporary error in the check of {sender}: {}", outcome.cause)
        }
        SpfResult::Permerror => {
            format!("the policy of {sender} cannot be interpreted: {}", outcome.cause)
        }
    }
}

/// Words with white space between them, a line break where a line would grow too long.
struct Folded {
    text: String,
    column: usize,
}

impl Folded {
    fn word(&mut self, word: &str) {
        if !self.text.is_empty() {
            let fold = self.column + 1 + word.len() > LINE;
            self.text.push_str(if fold { "\r\n " } else { " " });
            self.column = if fold { 1 } else { self.column + 1 };
        }
        self.text.push_str(word);
        self.column += word.len();
    }
}

/// The text cut at `most` octets, what is not visible ASCII or a space replaced, and the octets of
/// `special` escaped (RFC 5322 3.2.1).
fn escape(text: &str, special: &str, most: usize) -> String {
    let mut escaped = String::new();
    for c in text.chars().take(most) {
        match c {
            _ if special.contains(c) => escaped.extend(['\\', c]),
            ' '..='~' => escaped.push(c),
            _ => escaped.push('?'),
        }
    }
    escaped
}

/// `dot-atom / quoted-string` (RFC 5322 3.2.3, 3.2.4).
fn quoted(value: &str) -> String {
    let atext =
        |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet);
    let dot_atom = value.len() <= VALUE
        && value.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext));
    if dot_atom { value.to_owned() } else { format!("\"{}\"", escape(value, "\"\\", VALUE)) }
}

/// `name` (RFC 7208 12): what cannot stand in a key becomes a hyphen.
fn name(key: &str) -> String {
    let octet = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => c,
        _ => '-',
    };
    let name: String = key.chars().take(VALUE).map(octet).collect();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        name
    } else {
        format!("x{name}")
    }
}
