//! What is done about the results.

use serde::{Deserialize, Serialize};

use crate::value::{Item, Seconds};

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is delivered, the result written in it.
    #[default]
    Accept,
    /// Postfix holds it in its hold queue.
    Quarantine,
    /// The client is asked to come again: 4xx.
    Tempfail,
    /// It is refused: 5xx.
    Reject,
    /// It is accepted and thrown away.
    Discard,
}

/// What becomes of a message about which nothing can be told for now. There is no `reject`:
/// temporary trouble never becomes a permanent reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TemporaryAction {
    /// It is delivered, the result written in it.
    #[default]
    Accept,
    /// Postfix holds it in its hold queue.
    Quarantine,
    /// The client is asked to come again: 4xx.
    Tempfail,
}

/// What is done about the results; by default nothing but writing them down.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// What becomes of a message without exactly one Date and one From, or with two of another
    /// field that may stand once (RFC 5322 3.6): `reject` or `accept`.
    pub required_headers: Action,
    /// What becomes of a message whose From names authors of several domains (RFC 9989 5.3.1
    /// leaves it to the receiver).
    pub multiple_authors: Action,
    /// DMARC.
    pub dmarc: Dmarc,
    /// DKIM, without regard to DMARC.
    pub dkim: Dkim,
    /// SPF at the end of the message, without regard to DMARC.
    pub spf: SpfPolicy,
}

/// What is done when DMARC fails, by the policy that the Domain Owner publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dmarc {
    /// Under `p=reject`. RFC 9989 7.4 tells what rejecting does to mailing lists, and is why it is
    /// not the default.
    pub reject: Action,
    /// Under `p=quarantine`.
    pub quarantine: Action,
    /// When DMARC cannot be told because of the DNS.
    pub temporary: TemporaryAction,
    /// The text of a refusal; `%s` is the domain of the author.
    pub text: String,
}

impl Default for Dmarc {
    fn default() -> Dmarc {
        Dmarc {
            reject: Action::Accept,
            quarantine: Action::Accept,
            temporary: TemporaryAction::Accept,
            text: "rejected by DMARC policy for %s".into(),
        }
    }
}

/// What is done about signatures. RFC 6376 6.3: "Therefore, a Verifier SHOULD NOT treat a message
/// that has one or more bad signatures and no good signatures differently from a message with no
/// signature at all."
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dkim {
    /// No signature is good, and one fails.
    pub bad_signature: Action,
    /// No signature is good, and the key of one is not published.
    pub key_not_found: Action,
    /// There is none.
    pub no_signature: Action,
    /// No signature is good, and about one nothing can be told because of the DNS.
    pub dns_error: TemporaryAction,
}

/// What is done about SPF.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpfPolicy {
    /// The result is "fail".
    pub fail: Action,
    /// The result is "softfail".
    pub softfail: Action,
    /// The result is "permerror".
    pub permerror: Action,
    /// The result is "temperror".
    pub temperror: TemporaryAction,
}

/// From which result of SPF on a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectAt {
    /// Everything but "pass" (and no record at all).
    NotPass,
    /// "softfail" and "fail".
    Softfail,
    /// "fail".
    #[default]
    Fail,
    /// "fail", of the null sender alone.
    Null,
    /// None: the result is written down.
    Never,
    /// The identity is not checked.
    NoCheck,
}

/// Which field the policy service has Postfix add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeaderType {
    /// Received-SPF (RFC 7208 9.1).
    #[default]
    ReceivedSpf,
    /// Authentication-Results (RFC 8601).
    AuthenticationResults,
    /// None.
    None,
}

/// SPF at RCPT TO, for `check_policy_service` of Postfix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpfService {
    /// From which result of the HELO identity on.
    pub helo: RejectAt,
    /// From which result of the MAIL FROM identity on.
    pub mail_from: RejectAt,
    /// Whether "permerror" is refused.
    pub reject_permerror: bool,
    /// Whether "temperror" is answered with 4xx.
    pub defer_temperror: bool,
    /// Whether "fail" is refused only by records that allow no mail at all (`v=spf1 -all`).
    pub no_mail_only: bool,
    /// Domains whose "neutral" and "softfail" are refused as "fail" is.
    pub reject_not_pass_domains: Vec<String>,
    /// Addresses that are not checked, being our own.
    pub skip_addresses: Vec<Item>,
    /// Addresses that are not checked, being trusted.
    pub allow_addresses: Vec<Item>,
    /// Whether the result is written down only.
    pub test_only: bool,
    /// The field that is added.
    pub header: HeaderType,
    /// The authserv-id of that field, where it is not that of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authserv_id: Option<super::AuthservId>,
    /// Whether the domain of the recipient is left out of fields and replies.
    pub hide_receiver: bool,
    /// The text of a refusal: `{spf}` is the result and why, or the explanation of the domain;
    /// `{rejectdefer}` is "rejected" or "deferred"; `{url}` is the page that openspf.net had.
    pub text: String,
    /// How long the evaluation of one identity may take. RFC 7208 4.6.4 wants at least 20 s.
    pub timeout: Seconds,
    /// How many void lookups there may be (RFC 7208 4.6.4).
    pub void_lookups: usize,
}

impl Default for SpfService {
    fn default() -> SpfService {
        SpfService {
            helo: RejectAt::Fail,
            mail_from: RejectAt::Fail,
            reject_permerror: false,
            defer_temperror: false,
            no_mail_only: false,
            reject_not_pass_domains: Vec::new(),
            skip_addresses: Item::loopback(),
            allow_addresses: Vec::new(),
            test_only: false,
            header: HeaderType::ReceivedSpf,
            authserv_id: None,
            hide_receiver: false,
            text: "Message {rejectdefer} due to: {spf}".into(),
            timeout: Seconds(20),
            void_lookups: 2,
        }
    }
}
