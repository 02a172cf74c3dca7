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
    use super::*;

    #[test]
    fn names_that_no_signature_can_have() {
        let key = PrivateKey::parse(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
        let selector = |text: &str| text.parse::<Name>().unwrap();
        let long = [["a"; 63].concat(), ["b"; 63].concat(), ["c"; 63].concat()].join(".");
        let long = format!("{long}.{}", ["d"; 50].concat());
        let check = KeyCheck::new(&key, "example.com".parse().unwrap(), selector(&long));
        assert_eq!(check.unwrap_err(), Refusal::KeyNameTooLong);
        let check = KeyCheck::new(&key, "example".parse().unwrap(), selector("s")).unwrap();
        let mut answers = Answers::new();
        assert_eq!(check.run(&answers).unwrap_err().questions(), [check.question().clone()]);
        answers.insert(check.question().clone(), Response::NxDomain);
        let publication = check.run(&answers).unwrap();
        assert_eq!(publication.result(), PublicationResult::Faulty);
        assert_eq!(publication.cause.keyword(), "unsignable");
    }
}
