//! What validating found: a Chain Validation Status, and its cause.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use mailproof_authres::{Method, MethodResult, Ptype, ResultCode};
use mailproof_dkim::DkimResult;

use crate::parse::FieldError;
use crate::set::{ArcField, ArcMessageSignature, ArcSeal, ChainStatus};

/// What validating the Authenticated Received Chain of a message found (RFC 8617 5.2).
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Why the status is what it is.
    pub cause: Cause,
    /// The ARC Sets, the oldest (instance 1) first; empty unless the structure is valid (RFC 8617
    /// 5.2 step 3).
    pub sets: Vec<SetOutcome>,
    /// The "oldest-pass" value (RFC 8617 5.2 step 5): 0 if every ARC-Message-Signature verifies,
    /// else the instance of the oldest one before the first that does not. `None` if the chain
    /// does not pass, or where [`crate::Limits::older_signatures`] ended the walk.
    pub oldest_pass: Option<u8>,
}

impl Outcome {
    /// The Chain Validation Status.
    pub fn result(&self) -> ChainStatus {
        self.cause.result()
    }

    /// Whether the chain fails for a temporary trouble of the DNS. RFC 8617 5.2.1 makes it fail
    /// all the same, "All errors, including DNS failures, become unrecoverable"; who can try again
    /// may want to know.
    pub fn is_temporary(&self) -> bool {
        match &self.cause {
            Cause::MessageSignature { cause, .. } | Cause::Seal { cause, .. } => {
                cause.result() == DkimResult::Temperror
            }
            _ => false,
        }
    }

    /// The result for an Authentication-Results field (RFC 8617 6): "smtp.remote-ip - The address
    /// of the connection-initiating SMTP server", and oldest-pass.
    pub fn method_result(&self, remote_ip: Option<IpAddr>) -> MethodResult {
        let code = match self.result() {
            ChainStatus::None => ResultCode::None,
            ChainStatus::Pass => ResultCode::Pass,
            ChainStatus::Fail => ResultCode::Fail,
        };
        let mut result = MethodResult::new(Method::Arc, code);
        if self.result() == ChainStatus::Fail {
            result = result.reason(self.cause.to_string());
        }
        if let Some(ip) = remote_ip {
            result = result.with(Ptype::Smtp, "remote-ip", ip.to_string());
        }
        if let Some(oldest_pass) = self.oldest_pass {
            result = result.with(Ptype::Header, "oldest-pass", oldest_pass.to_string());
        }
        result
    }
}

/// What validating found for one ARC Set.
#[derive(Debug, Clone)]
pub struct SetOutcome {
    /// The ARC-Seal: the sealer is its [`mailproof_dkim::SealSignature::domain`].
    pub seal: Arc<ArcSeal>,
    /// What verifying the ARC-Seal found; `None` if it did not come to that.
    pub seal_cause: Option<mailproof_dkim::Cause>,
    /// The ARC-Message-Signature, or why it cannot be read.
    pub message_signature: Result<Arc<ArcMessageSignature>, FieldError>,
    /// What verifying the ARC-Message-Signature found; `None` if it did not come to that.
    pub message_signature_cause: Option<mailproof_dkim::Cause>,
    /// Which fields of the header the set is, counted from the top, from 0, in the order of
    /// [`ArcField::ALL`].
    pub places: [usize; 3],
}

impl SetOutcome {
    /// The instance.
    pub fn instance(&self) -> u8 {
        self.seal.instance
    }
}

/// Why a chain has its status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The message has no field of an ARC Set (RFC 8617 5.2 step 1).
    NoSets,
    /// The structure is valid, and so are the newest ARC-Message-Signature and every ARC-Seal
    /// (RFC 8617 5.2 step 7).
    Valid,
    /// There are more ARC Sets than a message may have (RFC 8617 5.2 step 1).
    TooManySets {
        /// How many it may have.
        most: u8,
    },
    /// The newest ARC-Seal says that the chain had failed before (RFC 8617 5.2 step 2).
    FailedBefore {
        /// Its instance.
        instance: u8,
    },
    /// A field cannot be read (RFC 8617 5.2 step 3, or step 4 for an ARC-Message-Signature).
    Field {
        /// Which of the three.
        field: ArcField,
        /// Which field of the header, counted from the top, from 0.
        place: usize,
        /// What is wrong with it.
        error: FieldError,
    },
    /// An ARC Set lacks a field (RFC 8617 5.2 step 3A).
    MissingField {
        /// The instance.
        instance: u8,
        /// Which of the three.
        field: ArcField,
    },
    /// An ARC Set has a field twice (RFC 8617 5.2 step 3A).
    RepeatedField {
        /// The instance.
        instance: u8,
        /// Which of the three.
        field: ArcField,
    },
    /// The instances have a gap (RFC 8617 5.2 step 3B).
    MissingSet {
        /// The lowest instance that is missing.
        instance: u8,
    },
    /// An ARC-Seal has another cv= than its place in the chain demands (RFC 8617 5.2 step 3C).
    StatusMismatch {
        /// Its instance.
        instance: u8,
        /// Tag cv=.
        status: ChainStatus,
    },
    /// The signatures need keys of more names than are asked for (RFC 8617 9.2).
    Limit {
        /// Of how many.
        names: usize,
        /// How many are asked for.
        most: usize,
    },
    /// The newest ARC-Message-Signature does not verify (RFC 8617 5.2 step 4).
    MessageSignature {
        /// Its instance.
        instance: u8,
        /// What verifying it found.
        cause: mailproof_dkim::Cause,
    },
    /// An ARC-Seal does not verify (RFC 8617 5.2 step 6).
    Seal {
        /// Its instance.
        instance: u8,
        /// What verifying it found.
        cause: mailproof_dkim::Cause,
    },
}

impl Cause {
    /// The Chain Validation Status (RFC 8617 4.4) that the cause leads to.
    pub fn result(&self) -> ChainStatus {
        match self {
            // RFC 8617 5.2 step 1: "If there are none, the Chain Validation Status is "none"".
            Cause::NoSets => ChainStatus::None,
            // Step 7.
            Cause::Valid => ChainStatus::Pass,
            // Steps 1 to 6; 5.2.1: "Any error validating an Authenticated Received Chain results in
            // a Chain Validation Status of "fail"."
            Cause::TooManySets { .. }
            | Cause::FailedBefore { .. }
            | Cause::Field { .. }
            | Cause::MissingField { .. }
            | Cause::RepeatedField { .. }
            | Cause::MissingSet { .. }
            | Cause::StatusMismatch { .. }
            | Cause::Limit { .. }
            | Cause::MessageSignature { .. }
            | Cause::Seal { .. } => ChainStatus::Fail,
        }
    }

    /// The name of the cause in the corpus and in JSON.
    pub fn keyword(&self) -> &'static str {
        match self {
            Cause::NoSets => "no-sets",
            Cause::Valid => "valid",
            Cause::TooManySets { .. } => "too-many-sets",
            Cause::FailedBefore { .. } => "failed-before",
            Cause::Field { field, .. } => match field {
                ArcField::AuthenticationResults => "authentication-results-syntax",
                ArcField::MessageSignature => "message-signature-syntax",
                ArcField::Seal => "seal-syntax",
            },
            Cause::MissingField { .. } => "missing-field",
            Cause::RepeatedField { .. } => "repeated-field",
            Cause::MissingSet { .. } => "missing-set",
            Cause::StatusMismatch { .. } => "status-mismatch",
            Cause::Limit { .. } => "limit",
            Cause::MessageSignature { .. } => "message-signature",
            Cause::Seal { .. } => "seal",
        }
    }

    /// The instance that the cause is about, where it is about one.
    pub fn instance(&self) -> Option<u8> {
        match self {
            Cause::NoSets
            | Cause::Valid
            | Cause::TooManySets { .. }
            | Cause::Field { .. }
            | Cause::Limit { .. } => None,
            Cause::FailedBefore { instance }
            | Cause::MissingField { instance, .. }
            | Cause::RepeatedField { instance, .. }
            | Cause::MissingSet { instance }
            | Cause::StatusMismatch { instance, .. }
            | Cause::MessageSignature { instance, .. }
            | Cause::Seal { instance, .. } => Some(*instance),
        }
    }

    /// The keyword of what is behind the cause, where there is something: of the syntax error, or
    /// of what verifying the signature found.
    pub fn detail(&self) -> Option<&'static str> {
        match self {
            Cause::Field { error, .. } => Some(error.kind.keyword()),
            Cause::MessageSignature { cause, .. } | Cause::Seal { cause, .. } => {
                Some(cause.keyword())
            }
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NoSets => f.write_str("no ARC Set"),
            Cause::Valid => f.write_str("every seal and the newest signature are valid"),
            Cause::TooManySets { most } => write!(f, "more than {most} ARC Sets"),
            Cause::FailedBefore { instance } => {
                write!(f, "the seal of instance {instance} says that the chain failed before it")
            }
            Cause::Field { field, error, .. } => write!(f, "{field}: {error}"),
            Cause::MissingField { instance, field } => {
                write!(f, "instance {instance} has no {field}")
            }
            Cause::RepeatedField { instance, field } => {
                write!(f, "instance {instance} has {field} twice")
            }
            Cause::MissingSet { instance } => write!(f, "instance {instance} is missing"),
            Cause::StatusMismatch { instance, status } => {
                write!(f, "the seal of instance {instance} says cv={status}")
            }
            Cause::Limit { names, most } => {
                write!(f, "the chain needs {names} keys; no more than {most} are looked up")
            }
            Cause::MessageSignature { instance, cause } => {
                write!(f, "the message signature of instance {instance}: {cause}")
            }
            Cause::Seal { instance, cause } => {
                write!(f, "the seal of instance {instance}: {cause}")
            }
        }
    }
}
