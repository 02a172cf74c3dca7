//! What must not be signed (RFC 6376 5.3, 5.4, 8).

use mailproof_dns::Name;
use mailproof_message::Header;
use memchr::memchr2_iter;

use crate::crypto::SigningError;
use crate::sign::EightBit;

/// RFC 5322 2.1.1: "Each line of characters MUST be no more than 998 characters, excluding the
/// CRLF."
const LINE_MOST: usize = 998;

/// Why a message is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// RFC 5322 3.6: exactly one From field; RFC 6376 5.4: it must be signed.
    #[error("the message has {0} From fields, and not one")]
    FromCount(usize),
    /// A line of the header section is no header field (RFC 5322 2.2).
    #[error("header field {0} is malformed: it has no valid name before a colon")]
    MalformedField(usize),
    /// RFC 6376 5.3: bare CR or LF is changed on the way.
    #[error("a bare CR or LF: a relay would change it, and the signature would break")]
    BareLineEnd,
    /// RFC 5322 2.1.1: a longer line is broken on the way.
    #[error("a line is longer than 998 octets: a relay would break it, and so the signature")]
    LineTooLong,
    /// RFC 6376 5.3, where [`EightBit::Refuse`] is set.
    #[error(
        "octets beyond ASCII: a relay without 8BITMIME or SMTPUTF8 would re-encode them; encode \
         them first, or allow them"
    )]
    EightBit,
    /// RFC 6376 5.4: "The From header field MUST be signed".
    #[error("the selection of header fields does not have From, which must be signed")]
    FromNotSigned,
    /// A name in the selection is no header field name (RFC 5322 2.2).
    #[error("{0:?} is no header field name")]
    FieldName(String),
    /// RFC 6376 3.5 d=: a domain name of at least two labels.
    #[error("the domain {0} has a single label")]
    SingleLabelDomain(Name),
    /// The key could not be published: its name would be too long (RFC 1035 2.3.4).
    #[error("selector and domain are too long together for the name of a key record")]
    KeyNameTooLong,
    /// RFC 6376 3.5 i=: in d= or below it.
    #[error("the domain of the identity ({identity}) is not {domain} or below it")]
    DomainMismatch {
        /// The domain of the AUID.
        identity: Name,
        /// The SDID.
        domain: Name,
    },
    /// RFC 6376 3.5 x=: later than t=.
    #[error("the signature would expire at once")]
    NoValidity,
    /// The cryptographic library failed.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

impl Refusal {
    /// Whether it is the message that is at fault. The same message is refused again, whatever is
    /// done about keys and settings.
    pub fn is_of_message(&self) -> bool {
        match self {
            Refusal::FromCount(_)
            | Refusal::MalformedField(_)
            | Refusal::BareLineEnd
            | Refusal::LineTooLong
            | Refusal::EightBit => true,
            Refusal::FromNotSigned
            | Refusal::FieldName(_)
            | Refusal::SingleLabelDomain(_)
            | Refusal::KeyNameTooLong
            | Refusal::DomainMismatch { .. }
            | Refusal::NoValidity
            | Refusal::Signing(_) => false,
        }
    }
}

/// Whether a header section may be signed.
pub(crate) fn check_header(header: &Header, eight_bit: EightBit) -> Result<(), Refusal> {
    let from = header.named("From").count();
    if from != 1 {
        return Err(Refusal::FromCount(from));
    }
    if let Some(at) = header.fields().position(|field| field.name().is_none()) {
        return Err(Refusal::MalformedField(at + 1));
    }
    let mut lines = SignableBody::new(eight_bit);
    lines.check(header.octets())?;
    lines.finish()
}

/// Watches lines go by and refuses what a relay would change.
pub(crate) struct SignableBody {
    eight_bit: EightBit,
    /// How long the line is so far, its CR not counted.
    line: usize,
    /// Whether the last octet was a CR.
    carriage_return: bool,
}

impl SignableBody {
    pub(crate) fn new(eight_bit: EightBit) -> SignableBody {
        SignableBody { eight_bit, line: 0, carriage_return: false }
    }

    pub(crate) fn check(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        if self.eight_bit == EightBit::Refuse && !chunk.is_ascii() {
            return Err(Refusal::EightBit);
        }
        let mut start = 0;
        for at in memchr2_iter(b'\r', b'\n', chunk) {
            self.text(at - start)?;
            start = at + 1;
            match (self.carriage_return, chunk.get(at)) {
                (false, Some(b'\r')) => self.carriage_return = true,
                (true, Some(b'\n')) => {
                    self.carriage_return = false;
                    self.line = 0;
                }
                _ => return Err(Refusal::BareLineEnd),
            }
        }
        self.text(chunk.len() - start)
    }

    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.carriage_return { Err(Refusal::BareLineEnd) } else { Ok(()) }
    }

    /// Octets that are neither CR nor LF.
    fn text(&mut self, octets: usize) -> Result<(), Refusal> {
        if octets == 0 {
            return Ok(());
        }
        if self.carriage_return {
            return Err(Refusal::BareLineEnd);
        }
        self.line = self.line.saturating_add(octets);
        if self.line > LINE_MOST { Err(Refusal::LineTooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], chunk: usize) -> Result<(), Refusal> {
        let mut signable = SignableBody::new(EightBit::Refuse);
        body.chunks(chunk).try_for_each(|chunk| signable.check(chunk))?;
        signable.finish()
    }

    #[test]
    fn the_same_in_any_chunks() {
        let longest = [vec![b'a'; 998], b"\r\n".to_vec()].concat();
        let too_long = [vec![b'a'; 999], b"\r\n".to_vec()].concat();
        for chunk in 1..20 {
            assert_eq!(check(b"one\r\n\r\ntwo", chunk), Ok(()));
            assert_eq!(check(b"one\ntwo", chunk), Err(Refusal::BareLineEnd));
            assert_eq!(check(b"one\rtwo", chunk), Err(Refusal::BareLineEnd));
            assert_eq!(check(b"one\r\r\n", chunk), Err(Refusal::BareLineEnd));
            assert_eq!(check(b"one\r", chunk), Err(Refusal::BareLineEnd));
            assert_eq!(check(b"caf\xe9", chunk), Err(Refusal::EightBit));
            assert_eq!(check(&longest, chunk), Ok(()));
            let refused = check(&too_long, chunk);
            assert_eq!(refused, Err(Refusal::LineTooLong));
            assert!(refused.is_err_and(|refusal| refusal.is_of_message()));
        }
    }
}
