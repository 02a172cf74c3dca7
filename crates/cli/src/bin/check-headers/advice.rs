//! What to do next about a signature that does not pass.

use mailproof_cli::instant::Instant;
use mailproof_dkim::{Cause, Change, Diagnosis, Finding, SignatureOutcome};

/// What to do next, if there is something to do.
pub(crate) fn advice(judged: &SignatureOutcome, diagnosis: Option<&Diagnosis>) -> Option<String> {
    let key_name = judged.signature.as_ref().map(|signature| signature.key_name.to_string());
    let key_name = key_name.unwrap_or_default();
    let header_matches = judged.checks.as_ref().is_some_and(|checks| checks.header_matches);
    Some(match &judged.cause {
        Cause::Verified => return None,
        _ if diagnosis.is_some_and(|found| found.header == Finding::OtherKey) => {
            format!("Compare the key at {key_name} with the private key that the signer uses.")
        }
        _ if diagnosis.is_some_and(has_other_selector) => format!(
            "Have the signer name the selector of the key it signs with, or publish that key at \
             {key_name}."
        ),
        _ if diagnosis.is_some_and(Diagnosis::is_explained) => {
            "With that undone the signature verifies. Have whoever did it leave \
                              signed messages as they are, or seal them (ARC); or have the signer \
                              sign in a way that survives it."
                .into()
        }
        Cause::BodyHashMismatch { .. } if header_matches => {
            "Only the body was changed: look for a footer of a mailing list or a gateway, \
             converted characters or line ends, or an attachment taken out. --show canonical \
             prints the octets to compare with the message as it was sent."
                .into()
        }
        Cause::BodyHashMismatch { .. } => {
            "Body and header were both changed, or the message was stored in another form. Check \
             the message as it was received, not as a mail program exports it."
                .into()
        }
        Cause::SignatureMismatch => format!(
            "Look which signed field was changed on the way: often Subject, From or To by a \
             mailing list, or the folding of a field where c= is simple. If no message of this \
             signer verifies, the key at {key_name} is not the one it signs with."
        ),
        Cause::KeyUnavailable(_) => format!(
            "Try again later. If it lasts, look at the name servers that answer for {key_name}."
        ),
        Cause::NoKey { .. } => format!(
            "If the signer is yours, publish the key as a TXT record at {key_name}. Otherwise the \
             signer may have taken an old key away."
        ),
        Cause::Expired { expiration, .. } => format!(
            "The signature was good until {}. To judge the message as of the time it came, give \
             that time with --now.",
            Instant(*expiration)
        ),
        Cause::TimestampInFuture { timestamp, .. } => format!(
            "It says it was made at {}: one of the clocks, the signer's or this one, is wrong.",
            Instant(*timestamp)
        ),
        Cause::Signature(_) => {
            "The signer has to correct this, unless a gateway rewrote the field on the way.".into()
        }
        Cause::BodyTooShort { .. } => "The end of the body is missing.".into(),
        Cause::UnsignedContent { .. } => "Whoever handled the message could have added that part \
                                          and the signature would not show it. The signer should \
                                          not use l=."
            .into(),
        Cause::UnsignedDuplicate { field } => format!(
            "A reader may be shown the {field} field that is not signed. The signer can prevent \
             that by naming {field} once more in h=."
        ),
        Cause::Limit { .. } => "So many signatures are no use to anyone.".into(),
        cause => return key_advice(cause, &key_name),
    })
}

fn has_other_selector(diagnosis: &Diagnosis) -> bool {
    diagnosis.changes().any(|change| matches!(change, Change::OtherSelector { .. }))
}

/// What to do next about a key that cannot be used.
fn key_advice(cause: &Cause, key_name: &str) -> Option<String> {
    Some(match cause {
        Cause::Key { .. } | Cause::KeyRecordTooLong { .. } => {
            format!("The owner of {key_name} has to mend the record.")
        }
        Cause::KeyRevoked => "The signer says that the key is no longer good for anything, also \
                              not for mail of the past."
            .into(),
        Cause::KeyTypeMismatch { .. } => format!(
            "The signer uses this selector for another key: give each key a selector of its own, \
             or mend k= at {key_name}."
        ),
        Cause::KeyHashNotAllowed => {
            format!("Add sha256 to h= at {key_name}, or take h= out.")
        }
        Cause::KeyNotForEmail => format!("Add email to s= at {key_name}, or take s= out."),
        Cause::KeyTooSmall { .. } => "The signer needs a larger key: 2048 bits is usual.".into(),
        Cause::KeyTooLarge { .. } => "The signer needs a smaller key: 2048 bits is usual.".into(),
        Cause::StrictDomainMismatch { .. } => {
            "Sign with i= in the domain of d= itself, or take the s out of t= in the key record."
                .into()
        }
        _ => return None,
    })
}
