//! What verifying a message found.

use mailproof_arc::{ChainStatus, Override};
use mailproof_dkim::DkimResult;
use mailproof_dmarc::{Disposition, DmarcResult, Identifier, Rejection};
use mailproof_message::AuthorDomain;
use mailproof_spf::{Identities, SpfResult};

use crate::iprev::{Iprev, IprevResult};
use crate::verify::identifiers;

/// What verifying a message found: one outcome for each method, each with its cause.
///
/// Its [`serde::Serialize`] form is versioned: `schema_version` 1.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verdict {
    /// Whose results these are (RFC 8601 2.5).
    pub authserv_id: String,
    pub(crate) reported_signatures: usize,
    /// What From says about the Author Domain (RFC 9989 3.2.2).
    pub author_domain: AuthorDomain,
    /// The reverse name of the client; `None` without an envelope.
    pub iprev: Option<Iprev>,
    /// SPF of both identities; `None` without an envelope.
    pub spf: Option<Identities>,
    /// Every DKIM signature.
    pub dkim: mailproof_dkim::Outcome,
    /// The Authenticated Received Chain.
    pub arc: mailproof_arc::Outcome,
    /// DMARC. Neither `arc` nor any field of the message has a part in it.
    pub dmarc: mailproof_dmarc::Outcome,
    /// Why local policy lets a message pass that DMARC does not; `None` unless
    /// [`crate::Policy::trusted_sealers`] names all sealers of its chain.
    pub arc_override: Option<Override>,
}

impl Verdict {
    /// What is done with the message on the advice of DMARC and, before it, of local policy (RFC
    /// 8617 7.2.1).
    pub fn disposition(&self, rejection: Rejection) -> Disposition {
        match self.arc_override {
            Some(_) => Disposition::None,
            None => self.dmarc.disposition(rejection),
        }
    }

    /// The Authenticated Identifiers (RFC 9989 3.2.1), and those that a temporary trouble kept from
    /// being authenticated: what DMARC was told, for whoever wants to ask it otherwise
    /// ([`mailproof_dmarc::Discovery`]).
    pub fn identifiers(&self) -> Vec<Identifier> {
        identifiers(&self.dkim, self.spf.as_ref())
    }

    /// Whether any method was kept from its result by a temporary trouble, so that a later attempt
    /// may find something else.
    pub fn is_temporary(&self) -> bool {
        let spf = self.spf.as_ref().is_some_and(|spf| {
            let mail_from = spf.mail_from.as_ref().map(|outcome| outcome.result);
            [Some(spf.helo.result), mail_from].contains(&Some(SpfResult::Temperror))
        });
        let mut dkim = self.dkim.signatures.iter().map(|signature| signature.result());
        spf || dkim.any(|result| result == DkimResult::Temperror)
            || self.arc.is_temporary()
            || self.dmarc.result == DmarcResult::Temperror
            || self.iprev.as_ref().map(Iprev::result) == Some(IprevResult::Temperror)
    }

    /// Whether the message has a chain at all.
    pub(crate) fn has_chain(&self) -> bool {
        self.arc.result() != ChainStatus::None
    }
}
