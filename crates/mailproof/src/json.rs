//! The verdict as data for programs, `schema_version` 1: results and causes are keywords, names and
//! addresses text, and what there is not is null.

use mailproof_authres::Charset;
use mailproof_dmarc::Rejection;
use serde::{Serialize, Serializer};

use crate::outcome::Verdict;

/// The version of the form. It changes when a member goes or changes its meaning, not when one is
/// added.
const SCHEMA_VERSION: u32 = 1;

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json::of(self).serialize(serializer)
    }
}

#[derive(Serialize)]
struct Json {
    schema_version: u32,
    author_domain: AuthorDomain,
    iprev: Option<Iprev>,
    spf: Option<Spf>,
    dkim: Dkim,
    arc: Arc,
    dmarc: Dmarc,
    authentication_results: String,
}

#[derive(Serialize)]
struct AuthorDomain {
    result: &'static str,
    cause: Option<&'static str>,
    domains: Vec<String>,
}

#[derive(Serialize)]
struct Iprev {
    result: &'static str,
    cause: &'static str,
    ip: String,
    name: Option<String>,
}

/// The result that counts, that of MAIL FROM, and both.
#[derive(Serialize)]
struct Spf {
    #[serde(flatten)]
    deciding: Identity,
    helo: Identity,
    mail_from: Option<Identity>,
}

#[derive(Serialize)]
struct Identity {
    result: String,
    cause: &'static str,
    why: String,
    domain: Option<String>,
    term: Option<String>,
    explanation: Option<String>,
}

#[derive(Serialize)]
struct Dkim {
    result: &'static str,
    cause: Option<&'static str>,
    signatures: Vec<Signature>,
}

#[derive(Serialize)]
struct Signature {
    result: &'static str,
    cause: &'static str,
    why: String,
    domain: Option<String>,
    selector: Option<String>,
    identity: Option<String>,
    algorithm: Option<String>,
    key_bits: Option<usize>,
    testing: bool,
}

#[derive(Serialize)]
struct Arc {
    result: &'static str,
    cause: &'static str,
    detail: Option<&'static str>,
    why: String,
    temporary: bool,
    oldest_pass: Option<u8>,
    sets: Vec<Set>,
    #[serde(rename = "override")]
    overrides: Option<Override>,
}

#[derive(Serialize)]
struct Set {
    instance: u8,
    domain: String,
    selector: String,
    seal: Option<&'static str>,
    message_signature: Option<&'static str>,
}

#[derive(Serialize)]
struct Override {
    first_sealer: String,
    last_sealer: String,
    comment: String,
}

#[derive(Serialize)]
struct Dmarc {
    result: &'static str,
    cause: &'static str,
    why: String,
    author_domain: Option<String>,
    organizational_domain: Option<String>,
    policy_domain: Option<String>,
    policy: Option<&'static str>,
    testing: bool,
    disposition: &'static str,
    identifiers: Vec<Identifier>,
}

#[derive(Serialize)]
struct Identifier {
    mechanism: String,
    domain: String,
    authenticated: bool,
    alignment: &'static str,
}

impl Json {
    fn of(verdict: &Verdict) -> Json {
        Json {
            schema_version: SCHEMA_VERSION,
            author_domain: AuthorDomain {
                result: verdict.author_domain.keyword(),
                cause: verdict.author_domain.cause(),
                domains: verdict.author_domain.domains().to_vec(),
            },
            iprev: verdict.iprev.as_ref().map(Iprev::of),
            spf: verdict.spf.as_ref().map(Spf::of),
            dkim: Dkim::of(&verdict.dkim),
            arc: Arc::of(verdict),
            dmarc: Dmarc::of(verdict),
            authentication_results: verdict.authentication_results().fold(0, Charset::Utf8),
        }
    }
}

impl Iprev {
    fn of(iprev: &crate::Iprev) -> Iprev {
        Iprev {
            result: iprev.result().keyword(),
            cause: iprev.cause.keyword(),
            ip: iprev.ip.to_string(),
            name: iprev.cause.name().map(ToString::to_string),
        }
    }
}

impl Spf {
    fn of(identities: &mailproof_spf::Identities) -> Spf {
        Spf {
            deciding: Identity::of(identities.deciding()),
            helo: Identity::of(&identities.helo),
            mail_from: identities.mail_from.as_ref().map(Identity::of),
        }
    }
}

impl Identity {
    fn of(outcome: &mailproof_spf::Outcome) -> Identity {
        Identity {
            result: outcome.result.to_string(),
            cause: outcome.cause.keyword(),
            why: outcome.cause.to_string(),
            domain: outcome.domain.as_ref().map(ToString::to_string),
            term: outcome.term.as_ref().map(|term| term.text.clone()),
            explanation: outcome.explanation.as_ref().map(|said| said.text.clone()),
        }
    }
}

impl Dkim {
    fn of(outcome: &mailproof_dkim::Outcome) -> Dkim {
        let signatures = outcome.signatures.iter().map(|judged| {
            let signature = judged.signature.as_deref();
            Signature {
                result: judged.result().keyword(),
                cause: judged.cause.keyword(),
                why: judged.cause.to_string(),
                domain: judged.domain.as_ref().map(ToString::to_string),
                selector: judged.selector.as_ref().map(ToString::to_string),
                identity: signature.map(|signature| signature.identity_text()),
                algorithm: signature.map(|signature| signature.algorithm.to_string()),
                key_bits: judged.key.as_ref().map(|key| key.bits),
                testing: judged.testing(),
            }
        });
        Dkim {
            result: outcome.result().keyword(),
            cause: outcome.cause().map(mailproof_dkim::Cause::keyword),
            signatures: signatures.collect(),
        }
    }
}

impl Arc {
    fn of(verdict: &Verdict) -> Arc {
        let outcome = &verdict.arc;
        let sets = outcome.sets.iter().map(|set| {
            let signature = &set.seal.signature;
            Set {
                instance: set.instance(),
                domain: signature.domain.to_string(),
                selector: signature.selector.to_string(),
                seal: set.seal_cause.as_ref().map(mailproof_dkim::Cause::keyword),
                message_signature: match &set.message_signature {
                    Ok(_) => {
                        set.message_signature_cause.as_ref().map(mailproof_dkim::Cause::keyword)
                    }
                    Err(error) => Some(error.kind.keyword()),
                },
            }
        });
        let overrides = verdict.arc_override.as_ref().map(|chain| Override {
            first_sealer: chain.first_sealer.to_string(),
            last_sealer: chain.last_sealer.to_string(),
            comment: chain.comment.clone(),
        });
        Arc {
            result: outcome.result().keyword(),
            cause: outcome.cause.keyword(),
            detail: outcome.cause.detail(),
            why: outcome.cause.to_string(),
            temporary: outcome.is_temporary(),
            oldest_pass: outcome.oldest_pass,
            sets: sets.collect(),
            overrides,
        }
    }
}

impl Dmarc {
    fn of(verdict: &Verdict) -> Dmarc {
        let outcome = &verdict.dmarc;
        let identifiers = outcome.identifiers.iter().map(|(identifier, alignment)| Identifier {
            mechanism: identifier.mechanism.to_string(),
            domain: identifier.domain.to_string(),
            authenticated: identifier.authenticated,
            alignment: match alignment {
                mailproof_dmarc::Alignment::Strict => "strict",
                mailproof_dmarc::Alignment::Relaxed => "relaxed",
                mailproof_dmarc::Alignment::No => "no",
                mailproof_dmarc::Alignment::Unknown => "unknown",
            },
        });
        Dmarc {
            result: outcome.result.keyword(),
            cause: outcome.cause.keyword(),
            why: outcome.cause.to_string(),
            author_domain: outcome.author_domain.as_ref().map(ToString::to_string),
            organizational_domain: outcome.organizational_domain.as_ref().map(ToString::to_string),
            policy_domain: outcome.policy_record.as_ref().map(|found| found.domain.to_string()),
            policy: outcome.assessment_policy.map(mailproof_dmarc::Policy::keyword),
            testing: outcome.policy_record.as_ref().is_some_and(|found| found.record.testing),
            disposition: verdict.disposition(Rejection::default()).keyword(),
            identifiers: identifiers.collect(),
        }
    }
}
