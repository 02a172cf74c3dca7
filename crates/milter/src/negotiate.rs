//! The first packet each way: versions, actions, protocol flags, macros.

use crate::flags::{Actions, Protocol};
use crate::frame::write;
use crate::frame::write_string;
use crate::macros::MacroStage;
use crate::packet::Negotiation;

/// The latest version, which Postfix (since 2.6) and Sendmail (since 8.14) speak.
pub const VERSION: u32 = 6;

/// The earliest version: what Postfix calls `milter_protocol = 2`.
pub const MIN_VERSION: u32 = 2;

/// What a filter asks of an MTA.
///
/// ```
/// use mailproof_milter::{Actions, MacroStage, Protocol, Wants};
///
/// let wants = Wants {
///     actions: Actions::ADD_HEADERS,
///     if_offered: Actions::QUARANTINE,
///     // Decided at the end of the message: no reply to anything else.
///     protocol: Wants::default().protocol | Protocol::NO_REPLIES | Protocol::NO_UNKNOWN,
///     macros: vec![(MacroStage::EndOfHeaders, "i {auth_type}".into())],
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wants {
    /// What it will do. An MTA that does not let it is refused.
    pub actions: Actions,
    /// What it does where the MTA lets it.
    pub if_offered: Actions,
    /// What it need not be sent, what it will not reply to, and the like: as far as the MTA offers
    /// it. A filter that works without them works with them.
    pub protocol: Protocol,
    /// The macros it wants, with spaces between them, instead of those the MTA would send.
    pub macros: Vec<(MacroStage, String)>,
}

/// No action; [`Protocol::LEADING_SPACE`] and [`Protocol::SKIP`], which cost nothing.
impl Default for Wants {
    fn default() -> Wants {
        Wants {
            actions: Actions::NONE,
            if_offered: Actions::NONE,
            protocol: Protocol::LEADING_SPACE | Protocol::SKIP,
            macros: Vec::new(),
        }
    }
}

/// Why there is nothing to agree upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NegotiationError {
    /// The MTA is older than [`MIN_VERSION`].
    #[error("version {0} of the milter protocol is not supported")]
    Version(u32),
    /// The MTA does not allow what the filter must do.
    #[error("the MTA does not allow {0}")]
    Actions(Actions),
    /// A client only: the filter wants what was not offered.
    #[error("the filter wants version {}, actions {}, protocol {}, which were not all offered", .0.version, .0.actions, .0.protocol)]
    NotOffered(Negotiation),
}

impl Wants {
    /// What both sides do from now on.
    pub(crate) fn answer(&self, offer: Negotiation) -> Result<Negotiation, NegotiationError> {
        if offer.version < MIN_VERSION {
            return Err(NegotiationError::Version(offer.version));
        }
        let missing = self.actions.without(offer.actions);
        if !missing.is_empty() {
            return Err(NegotiationError::Actions(missing));
        }
        let mut actions = self.actions | self.if_offered;
        if !self.macros.is_empty() {
            actions |= Actions::SET_MACROS;
        }
        Ok(Negotiation {
            // Postfix refuses a higher version than its own.
            version: offer.version.min(VERSION),
            actions: actions & offer.actions,
            protocol: self.protocol & offer.protocol & Protocol::ALL,
        })
    }

    pub(crate) fn encode(&self, agreed: &Negotiation, out: &mut Vec<u8>) {
        write(out, b'O', |out| {
            agreed.encode(out);
            if agreed.actions.contains(Actions::SET_MACROS) {
                for (stage, names) in &self.macros {
                    out.extend_from_slice(&stage.number().to_be_bytes());
                    write_string(out, names.as_bytes());
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(version: u32, actions: u32, protocol: u32) -> Negotiation {
        Negotiation {
            version,
            actions: Actions::from_bits(actions),
            protocol: Protocol::from_bits(protocol),
        }
    }

    #[test]
    fn never_more_than_is_offered() {
        let wants = Wants {
            actions: Actions::ADD_HEADERS,
            if_offered: Actions::QUARANTINE,
            protocol: Protocol::ALL,
            macros: vec![(MacroStage::Mail, "i".into())],
        };
        assert_eq!(wants.answer(offer(6, 0x1ff, 0x1f_ffff)), Ok(offer(6, 0x121, 0x1f_ffff)));
        assert_eq!(wants.answer(offer(2, 0x1ff, 0x7f)), Ok(offer(2, 0x121, 0x7f)));
        assert_eq!(wants.answer(offer(9, 1, u32::MAX)), Ok(offer(6, 1, 0x1f_ffff)));
        assert_eq!(wants.answer(offer(1, 1, 0)), Err(NegotiationError::Version(1)));
        let error = NegotiationError::Actions(Actions::ADD_HEADERS);
        assert_eq!(wants.answer(offer(6, 0x1fe, 0)), Err(error));
    }
}
