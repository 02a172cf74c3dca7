//! What to do next about a key that is not published as it should be.

use mailproof_dkim::Cause;
use mailproof_dns::Name;
use mailproof_keygen::PublicationCause;

/// What to do next, if there is something to do; `file` is the private key.
pub(super) fn advice(
    cause: &PublicationCause,
    file: &str,
    domain: &Name,
    selector: &Name,
) -> Option<String> {
    let name = format!("{selector}._domainkey.{domain}");
    let publish = format!(
        "genkey --from {file} -d {domain} -s {selector} prints the record of this key: publish it \
         at {name}"
    );
    Some(match cause {
        PublicationCause::NoRecord { .. } => format!("{publish}."),
        PublicationCause::Unavailable(_) => {
            format!(
                "Try again later. If it lasts, look at the name servers that answer for {name}."
            )
        }
        PublicationCause::SeveralRecords(_) => {
            format!("Leave the one text record at {name} that holds the key.")
        }
        PublicationCause::Testing => "Take y out of t= when mail is signed as it should be, or \
                                      give --allow-testing until then."
            .into(),
        PublicationCause::OtherKey => {
            format!("{publish}, or have mail signed with the key that is published there.")
        }
        PublicationCause::Record(cause) => match cause {
            Cause::KeyRevoked => "A key that was revoked is not used again: make another, with \
                                  another selector."
                .into(),
            Cause::KeyTypeMismatch { .. } => {
                format!("{publish}. A key of another type needs a selector of its own.")
            }
            Cause::KeyHashNotAllowed => format!("Add sha256 to h= at {name}, or take h= out."),
            Cause::KeyNotForEmail => format!("Add email to s= at {name}, or take s= out."),
            Cause::KeyTooSmall { .. } | Cause::KeyTooLarge { .. } => {
                "Make a key of 2048 bits, with another selector.".into()
            }
            _ => format!("{publish} in place of what is there."),
        },
        _ => return None,
    })
}
