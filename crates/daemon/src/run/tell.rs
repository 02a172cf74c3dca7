//! What the log says of a message, in the words that tools for the logs of OpenDKIM and OpenDMARC
//! look for.

use std::fmt::{self, Display};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof::Verdict;
use mailproof::dkim::{Cause, DkimResult, SignatureOutcome};
use mailproof::dmarc::Rejection;
use mailproof::message::AuthorDomain;
use mailproof_dns::Name;

use crate::decide::SigningKey;
use crate::run::action::Ruling;
use crate::run::log::{Entry, Level, Logger};
use crate::run::sender::Arriving;
use crate::settings::Action;

/// A part of a message that is not legible.
const NOTHING: &str = "-";

/// What is told of one message.
pub(crate) struct Tell<'a> {
    pub(crate) log: &'a Logger,
    /// The queue id.
    pub(crate) id: &'a str,
    /// The name of the MTA, if it has said it.
    pub(crate) mta: Option<&'a str>,
}

impl Tell<'_> {
    pub(crate) fn signed<'k>(&self, keys: impl Iterator<Item = &'k SigningKey>) {
        if !self.log.settings().success {
            return;
        }
        for SigningKey { domain, selector, .. } in keys {
            self.log.write(&Entry {
                level: Level::Info,
                event: "signed",
                id: self.id,
                text: format_args!("DKIM-Signature field added (s={selector}, d={domain})"),
                fields: &[("selector", &selector), ("domain", &domain)],
            });
        }
    }

    pub(crate) fn not_signed(&self, reason: &str) {
        self.log.write(&Entry {
            level: Level::Error,
            event: "not-signed",
            id: self.id,
            text: format_args!("cannot be signed: {reason}"),
            fields: &[("cause", &reason)],
        });
    }

    pub(crate) fn sealed(&self, verdict: &Verdict) {
        if !self.log.settings().success {
            return;
        }
        let (instance, status) = (verdict.arc.sets.len() + 1, verdict.arc.result());
        self.log.write(&Entry {
            level: Level::Info,
            event: "sealed",
            id: self.id,
            text: format_args!("ARC-Seal field added (i={instance}, cv={status})"),
            fields: &[("instance", &instance), ("status", &status)],
        });
    }

    pub(crate) fn not_sealed(&self, reason: &str) {
        self.log.write(&Entry {
            level: Level::Notice,
            event: "not-sealed",
            id: self.id,
            text: format_args!("not sealed: {reason}"),
            fields: &[("cause", &reason)],
        });
    }

    /// What a dry run does not do.
    pub(crate) fn would(&self, text: fmt::Arguments<'_>) {
        let (level, event) = (Level::Info, "dry-run");
        self.log.write(&Entry { level, event, id: self.id, text, fields: &[] });
    }

    /// The steps that led to signing, verifying or neither.
    pub(crate) fn why(&self, steps: &[String]) {
        for step in steps {
            self.log.write(&Entry {
                level: Level::Info,
                event: "why",
                id: self.id,
                text: format_args!("{step}"),
                fields: &[],
            });
        }
    }

    /// What becomes of the message.
    pub(crate) fn ruling(&self, ruling: &Ruling, is_dry: bool) {
        let would = if is_dry { "would be: " } else { "" };
        let word = word(ruling.action);
        let reply = ruling.reply().map_or_else(|| NOTHING.to_owned(), |reply| reply.to_string());
        self.log.write(&Entry {
            level: Level::Notice,
            event: if is_dry { "dry-run" } else { "ruling" },
            id: self.id,
            text: format_args!("{would}{word}: {}", ruling.reason),
            fields: &[("action", &word), ("reply", &reply)],
        });
    }

    /// What verifying found, method by method.
    pub(crate) fn verified(&self, verdict: &Verdict, arriving: &Arriving) {
        for signature in &verdict.dkim.signatures {
            self.signature(signature);
        }
        self.dkim(verdict);
        self.spf(verdict);
        self.arc(verdict);
        self.dmarc(verdict, arriving);
    }

    fn signature(&self, outcome: &SignatureOutcome) {
        let log = self.log.settings();
        let (domain, selector) = (shown(&outcome.domain), shown(&outcome.selector));
        let signature = outcome.signature.as_ref();
        let algorithm = signature.map(|it| it.algorithm.to_string());
        let algorithm = algorithm.unwrap_or_else(|| NOTHING.to_owned());
        let (result, cause) = (outcome.result(), &outcome.cause);
        let keyword = cause.keyword();
        let write = |event: &'static str, level, text: fmt::Arguments<'_>| {
            self.log.write(&Entry {
                level,
                event,
                id: self.id,
                text,
                fields: &[
                    ("result", &result),
                    ("cause", &keyword),
                    ("domain", &domain),
                    ("selector", &selector),
                    ("algorithm", &algorithm),
                ],
            });
        };
        let (sd, sda) = (
            format_args!("s={selector}, d={domain}"),
            format_args!("s={selector} d={domain} a={algorithm}"),
        );
        let bad = |text: fmt::Arguments<'_>| write("dkim", Level::Notice, text);
        match cause {
            // It is told of the message as a whole.
            Cause::Verified => {}
            Cause::NoKey { .. } => bad(format_args!(
                "key retrieval failed ({sd}): '{selector}._domainkey.{domain}' record not found"
            )),
            Cause::KeyUnavailable(failure) => {
                bad(format_args!("key retrieval failed ({sd}): {failure}"))
            }
            Cause::KeyRevoked => bad(format_args!("key revoked ({sd}, a={algorithm})")),
            Cause::SignatureMismatch => {
                bad(format_args!("{sda} SSL error:bad signature ({cause})"))
            }
            _ => bad(format_args!("{sda} {result}: {cause}")),
        }
        if log.results {
            // Eight characters of base64, as many as header.b has.
            let start = signature.and_then(|it| it.signature.get(..6));
            let start = start.map_or_else(String::new, |octets| STANDARD.encode(octets));
            write(
                "signature",
                Level::Info,
                format_args!(
                    "signature={start} domain={domain} selector={selector} result=\"{cause}\""
                ),
            );
        }
    }

    /// The result for the message as a whole, in OpenDKIM's words.
    fn dkim(&self, verdict: &Verdict) {
        let log = self.log.settings();
        let result = verdict.dkim.result();
        let (level, text) = match result {
            DkimResult::Pass if log.success => (Level::Info, "DKIM verification successful"),
            DkimResult::Fail => (Level::Notice, "bad signature data"),
            DkimResult::None if log.results => (Level::Info, "no signature data"),
            _ => return,
        };
        let best = verdict.dkim.best();
        let domain = best.map_or_else(|| NOTHING.to_owned(), |best| shown(&best.domain));
        let selector = best.map_or_else(|| NOTHING.to_owned(), |best| shown(&best.selector));
        self.log.write(&Entry {
            level,
            event: "dkim-message",
            id: self.id,
            text: format_args!("{text}"),
            fields: &[("result", &result), ("domain", &domain), ("selector", &selector)],
        });
    }

    fn spf(&self, verdict: &Verdict) {
        let Some(identities) = &verdict.spf else { return };
        let outcome = identities.mail_from.as_ref().unwrap_or(&identities.helo);
        let word = if identities.mail_from.is_some() { "mailfrom" } else { "helo" };
        let domain = shown(&outcome.domain);
        self.log.write(&Entry {
            level: Level::Info,
            event: "spf",
            id: self.id,
            text: format_args!("SPF({word}): {domain} {}", outcome.result),
            fields: &[
                ("result", &outcome.result),
                ("cause", &outcome.cause.keyword()),
                ("identity", &word),
                ("domain", &domain),
            ],
        });
    }

    fn arc(&self, verdict: &Verdict) {
        let arc = &verdict.arc;
        if arc.sets.is_empty() && arc.cause.keyword() == "no-sets" {
            return;
        }
        let result = arc.result();
        self.log.write(&Entry {
            level: Level::Info,
            event: "arc",
            id: self.id,
            text: format_args!("ARC chain {result}: {}", arc.cause),
            fields: &[("result", &result), ("cause", &arc.cause.keyword())],
        });
        if let Some(reason) = &verdict.arc_override {
            self.log.write(&Entry {
                level: Level::Notice,
                event: "arc-override",
                id: self.id,
                text: format_args!(
                    "the chain of trusted sealers overrides what DMARC advises: {}",
                    reason.comment
                ),
                fields: &[
                    ("first_sealer", &reason.first_sealer),
                    ("last_sealer", &reason.last_sealer),
                ],
            });
        }
    }

    fn dmarc(&self, verdict: &Verdict, arriving: &Arriving) {
        let dmarc = &verdict.dmarc;
        let domain = shown(&dmarc.author_domain);
        let policy = dmarc.policy.map_or(NOTHING, |policy| policy.keyword());
        let disposition = verdict.disposition(Rejection::Reject).keyword();
        let client = arriving.ip.map_or_else(|| NOTHING.to_owned(), |ip| ip.to_string());
        let fields: &[(&'static str, &dyn Display)] = &[
            ("result", &dmarc.result),
            ("cause", &dmarc.cause.keyword()),
            ("domain", &domain),
            ("policy", &policy),
            ("disposition", &disposition),
            ("client", &client),
            ("helo", &arriving.helo),
            ("sender", &arriving.mail_from),
        ];
        let (level, event, id) = (Level::Info, "dmarc", self.id);
        let log = |text| self.log.write(&Entry { level, event, id, text, fields });
        match (&dmarc.author_domain, &verdict.author_domain) {
            (Some(domain), _) => log(format_args!("{domain} {}", dmarc.result)),
            (None, AuthorDomain::None(why)) => {
                log(format_args!("unable to determine the author domain: {why}"));
            }
            (None, AuthorDomain::Malformed(why)) => {
                log(format_args!("unable to parse From header field: {why}"));
            }
            (None, AuthorDomain::One(_) | AuthorDomain::Several(_)) => {
                log(format_args!("{}: {}", dmarc.result, dmarc.cause));
            }
        }
        if let AuthorDomain::Several(domains) = &verdict.author_domain {
            let domains = domains.join(",");
            self.log.write(&Entry {
                level: Level::Notice,
                event: "several-authors",
                id,
                text: format_args!("multi-valued From field detected ({domains})"),
                fields: &[("domains", &domains)],
            });
        }
    }
}

fn shown(name: &Option<Name>) -> String {
    name.as_ref().map_or_else(|| NOTHING.to_owned(), ToString::to_string)
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Accept => "accepted",
        Action::Quarantine => "quarantined",
        Action::Tempfail => "refused for now",
        Action::Reject => "rejected",
        Action::Discard => "discarded",
    }
}
