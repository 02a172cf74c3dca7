//! Whether a key is published, so that verifiers accept what is signed with it.

use std::fmt;

use mailproof_dkim::{
    Cause, EightBit, PrivateKey, Refusal, SignatureOutcome, Signer, Template, Verifier,
};
use mailproof_dns::{Answers, Failure, Missing, Name, Question, Response};

/// Any message does.
const PROBE: &[u8] = b"From: probe@example.com\r\n\r\n";
/// Any time does.
const NOW: u64 = 1_700_000_000;

/// A private key, and the names under which it is meant to be published (RFC 6376 3.6.2.1).
#[derive(Debug)]
pub struct KeyCheck<'k> {
    key: &'k PrivateKey,
    domain: Name,
    selector: Name,
    question: Question,
}

/// Whether the key is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublicationResult {
    /// Verifiers accept what is signed with the key.
    Published,
    /// There is nothing.
    Absent,
    /// What is there does not serve the key.
    Faulty,
    /// The DNS gave no answer; it may the next time.
    Unknown,
}

impl PublicationResult {
    /// The result in JSON.
    pub fn keyword(self) -> &'static str {
        match self {
            PublicationResult::Published => "published",
            PublicationResult::Absent => "absent",
            PublicationResult::Faulty => "faulty",
            PublicationResult::Unknown => "unknown",
        }
    }
}

impl fmt::Display for PublicationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            PublicationResult::Published => "published",
            PublicationResult::Absent => "not published",
            PublicationResult::Faulty => "published, but of no use",
            PublicationResult::Unknown => "could not tell",
        })
    }
}

/// Why the result is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicationCause {
    /// A signature of the key verifies with the record.
    Verified,
    /// It does, and the record has flag y of t= (RFC 6376 3.6.1): "Verifiers MUST NOT treat
    /// messages from Signers in testing mode differently from unsigned email".
    Testing,
    /// RFC 6376 3.6.2.2: "TXT RRs MUST be unique for a particular selector name; that is, if there
    /// are multiple records in an RRset, the results are undefined."
    SeveralRecords(usize),
    /// The record holds another key.
    OtherKey,
    /// The record does not let the signature verify (RFC 6376 6.1.2).
    Record(Cause),
    /// There is no record (RFC 6376 6.1.2 step 3).
    NoRecord {
        /// Whether the name exists, with other records.
        name_exists: bool,
    },
    /// The DNS gave no usable answer (RFC 6376 6.1.2 step 2).
    Unavailable(Failure),
    /// Nothing can be signed with the key for this domain (RFC 6376 5).
    Unsignable(Refusal),
}

impl PublicationCause {
    /// The result that the cause leads to.
    pub fn result(&self) -> PublicationResult {
        match self {
            // RFC 6376 6.1.3: the signature verifies.
            PublicationCause::Verified => PublicationResult::Published,
            // RFC 6376 3.6.1 t=y, 3.6.2.2, 6.1.2 steps 4 to 8.
            PublicationCause::Testing
            | PublicationCause::SeveralRecords(_)
            | PublicationCause::OtherKey
            | PublicationCause::Record(_)
            | PublicationCause::Unsignable(_) => PublicationResult::Faulty,
            // RFC 6376 6.1.2 step 3.
            PublicationCause::NoRecord { .. } => PublicationResult::Absent,
            // RFC 6376 6.1.2 step 2.
            PublicationCause::Unavailable(_) => PublicationResult::Unknown,
        }
    }

    /// The name of the cause in JSON.
    pub fn keyword(&self) -> &'static str {
        match self {
            PublicationCause::Verified => "verified",
            PublicationCause::Testing => "testing",
            PublicationCause::SeveralRecords(_) => "several-records",
            PublicationCause::OtherKey => "other-key",
            PublicationCause::Record(cause) => cause.keyword(),
            PublicationCause::NoRecord { .. } => "no-record",
            PublicationCause::Unavailable(_) => "key-unavailable",
            PublicationCause::Unsignable(_) => "unsignable",
        }
    }
}

impl fmt::Display for PublicationCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublicationCause::Verified => f.write_str("a signature of the key verifies"),
            PublicationCause::Testing => f.write_str(
                "the key is right, but the record says t=y (testing): receivers treat mail signed \
                 with it as if it were not signed",
            ),
            PublicationCause::SeveralRecords(count) => {
                write!(f, "there are {count} text records: which one a verifier takes is undefined")
            }
            PublicationCause::OtherKey => f.write_str("the record holds another key"),
            PublicationCause::Record(cause) => cause.fmt(f),
            PublicationCause::NoRecord { name_exists: false } => {
                f.write_str("the name does not exist")
            }
            PublicationCause::NoRecord { name_exists: true } => {
                f.write_str("the name has no text record")
            }
            PublicationCause::Unavailable(failure) => {
                write!(f, "the record could not be looked up: {failure}")
            }
            PublicationCause::Unsignable(refusal) => refusal.fmt(f),
        }
    }
}

/// What was found about a key.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Why the result is what it is.
    pub cause: PublicationCause,
    /// What a verifier finds about a signature of the key; `None` if none could be made.
    pub probe: Option<SignatureOutcome>,
}

impl Publication {
    /// The result.
    pub fn result(&self) -> PublicationResult {
        self.cause.result()
    }
}

impl<'k> KeyCheck<'k> {
    /// The key that is to be published as `<selector>._domainkey.<domain>`.
    ///
    /// # Errors
    /// [`Refusal::KeyNameTooLong`].
    pub fn new(key: &'k PrivateKey, domain: Name, selector: Name) -> Result<KeyCheck<'k>, Refusal> {
        let name = domain.prepend(&format!("{selector}._domainkey"));
        let question = Question::txt(name.map_err(|_| Refusal::KeyNameTooLong)?);
        Ok(KeyCheck { key, domain, selector, question })
    }

    /// Where the record is looked for.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Signs a message with the key and lets a verifier judge it: what verifies now, with the
    /// record as it is, is published.
    ///
    /// # Errors
    /// The question for the record, if its answer is missing. Nothing is signed before.
    pub fn run(&self, answers: &Answers) -> Result<Publication, Missing> {
        let response = answers.require(&self.question)?;
        let probe = match self.signed_probe() {
            Ok(field) => verify(&field, answers)?,
            Err(refusal) => {
                let cause = PublicationCause::Unsignable(refusal);
                return Ok(Publication { cause, probe: None });
            }
        };
        Ok(Publication { cause: cause(response, probe.as_ref()), probe })
    }

    fn signed_probe(&self) -> Result<Vec<u8>, Refusal> {
        let (header, _) = mailproof_message::split(PROBE);
        let (domain, selector) = (self.domain.clone(), self.selector.clone());
        let template = Template::new(self.key, domain, selector, NOW);
        Ok(Signer::new(&header, vec![template], EightBit::Refuse)?.finish()?.concat())
    }
}

fn verify(field: &[u8], answers: &Answers) -> Result<Option<SignatureOutcome>, Missing> {
    let message = [field, PROBE].concat();
    let (header, _) = mailproof_message::split(&message);
    let outcome = Verifier::new(&header, NOW).finish().verify(answers)?;
    Ok(outcome.signatures.into_iter().next())
}

fn cause(response: &Response, probe: Option<&SignatureOutcome>) -> PublicationCause {
    let records = response.texts().count();
    let Some(probe) = probe.filter(|_| records < 2) else {
        return PublicationCause::SeveralRecords(records);
    };
    match &probe.cause {
        Cause::Verified if probe.testing() => PublicationCause::Testing,
        Cause::Verified => PublicationCause::Verified,
        Cause::SignatureMismatch => PublicationCause::OtherKey,
        Cause::NoKey { name_exists } => PublicationCause::NoRecord { name_exists: *name_exists },
        Cause::KeyUnavailable(failure) => PublicationCause::Unavailable(*failure),
        cause => PublicationCause::Record(cause.clone()),
    }
}

#[cfg(test)]
mod tests {
    use mailproof_dns::Zone;

    use super::*;

    const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    /// The record of the RSA key of RFC 8463 A.2.
    const RSA: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6\
                       wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\
                       KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

    fn key(name: &str) -> PrivateKey {
        let path = format!("../../testdata/keys/{name}");
        PrivateKey::parse(&std::fs::read(path).unwrap()).unwrap()
    }

    fn check(key: &PrivateKey, records: &[&str]) -> PublicationCause {
        let check =
            KeyCheck::new(key, "example.com".parse().unwrap(), "s".parse().unwrap()).unwrap();
        let line = |record: &&str| {
            // A character-string has at most 255 octets.
            let (first, rest) = record.split_at(record.len() / 2);
            format!("s._domainkey.example.com. TXT \"{first}\" \"{rest}\"\n")
        };
        let zone = Zone::parse(&records.iter().map(line).collect::<String>()).unwrap();
        zone.resolve(|answers| check.run(answers)).cause
    }

    #[test]
    fn a_key_that_is_published() {
        for (name, record) in [
            ("rfc8463.seed", format!("v=DKIM1; k=ed25519; p={ED25519}")),
            ("rfc8463-rsa.pem", format!("v=DKIM1; k=rsa; p={RSA}")),
            ("rfc8463-rsa.pem", format!("p={RSA}")),
            ("rfc8463-rsa.pem", format!("v=DKIM1; h=sha1:sha256; t=s; s=*; p={RSA}")),
        ] {
            assert_eq!(check(&key(name), &[&record]), PublicationCause::Verified, "{record}");
        }
    }

    /// `opendkim-testkey` says "key OK" to most of these.
    #[test]
    fn a_key_that_is_not() {
        for (record, keyword) in [
            ("v=DKIM1; k=rsa; p=!!!!".to_owned(), "key-syntax"),
            ("v=DKIM1; k=rsa; p=AAAA".to_owned(), "key-unusable"),
            (format!("v=DKIM1; k=rsa; t=y; p={RSA}"), "testing"),
            (format!("v=DKIM1; k=rsa; h=sha1; p={RSA}"), "key-hash-not-allowed"),
            (format!("v=DKIM1; k=rsa; s=tlsrpt; p={RSA}"), "key-not-for-email"),
            (format!("v=DKIM2; k=rsa; p={RSA}"), "no-key"),
            ("v=spf1 -all".to_owned(), "no-key"),
            (format!("v=DKIM1; k=ed25519; p={ED25519}"), "key-type-mismatch"),
            ("v=DKIM1; k=rsa; p=".to_owned(), "key-revoked"),
        ] {
            let cause = check(&key("rfc8463-rsa.pem"), &[&record]);
            assert_eq!(cause.result(), PublicationResult::Faulty, "{record}");
            assert_eq!(cause.keyword(), keyword, "{record}");
        }
        let other = check(&key("rfc8463-rsa.pem"), &[]);
        assert_eq!(other, PublicationCause::NoRecord { name_exists: false });
        let record = format!("v=DKIM1; k=rsa; p={RSA}");
        assert_eq!(check(&key("rsa-2048.pem"), &[&record]), PublicationCause::OtherKey);
        let ed25519 = format!("v=DKIM1; k=ed25519; p={ED25519}");
        assert_eq!(check(&key("ed25519.seed"), &[&ed25519]), PublicationCause::OtherKey);
        let several = check(&key("rfc8463-rsa.pem"), &[&record, "v=spf1 -all"]);
        assert_eq!(several, PublicationCause::SeveralRecords(2));
    }

    #[test]
    fn a_name_server_that_fails() {
        let key = key("rfc8463.seed");
        let check =
            KeyCheck::new(&key, "example.com".parse().unwrap(), "s".parse().unwrap()).unwrap();
        assert_eq!(check.question().name.to_string(), "s._domainkey.example.com");
        let zone = Zone::parse("s._domainkey.example.com. TXT SERVFAIL\n").unwrap();
        let publication = zone.resolve(|answers| check.run(answers));
        assert_eq!(publication.result(), PublicationResult::Unknown);
    }
}
