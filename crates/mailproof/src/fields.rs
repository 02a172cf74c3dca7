//! The header fields that tell of a verdict.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailproof_authres::{
    AuthenticationResults, AuthservId, Charset, Method, MethodResult, Ptype, Removal, ResultCode,
    removals,
};
use mailproof_dkim::{Cause, DkimResult, SignatureOutcome};
use mailproof_dmarc::DmarcResult;
use mailproof_message::{Field, Header};
use mailproof_spf::{ReceivedSpf, Session};

use crate::outcome::Verdict;
use crate::verify::Envelope;

/// RFC 6008 3: the value of header.b has "at least the first eight characters".
const LEAST_B: usize = 8;

impl Verdict {
    /// The results as an Authentication-Results field (RFC 8601): SPF (of MAIL FROM), DKIM for each
    /// signature, ARC, DMARC, iprev.
    ///
    /// A pass of HELO is not told of, because readers take every "spf=pass" for one of MAIL FROM.
    pub fn authentication_results(&self) -> AuthenticationResults {
        let mut results = AuthenticationResults::new(&self.authserv_id);
        let spf = self.spf.as_ref().and_then(|spf| spf.mail_from.as_ref());
        results.results.extend(spf.map(|outcome| outcome.method_result()));
        results.results.extend(self.dkim_results());
        let remote_ip = self.iprev.as_ref().map(|iprev| iprev.ip);
        let remote_ip = remote_ip.filter(|_| self.has_chain());
        results.results.push(self.arc.method_result(remote_ip));
        results.results.push(self.dmarc_result());
        results.results.extend(self.iprev.as_ref().map(|iprev| iprev.method_result()));
        results
    }

    /// The fields to put before all others of the message (RFC 8601 4, RFC 7208 9.1), complete with
    /// names and final CRLF: Authentication-Results; and Received-SPF, if the envelope is given.
    /// `now` is the time that was verified at.
    ///
    /// First, those that the message has and that claim to be ours are to be removed:
    /// [`Verdict::removals`].
    pub fn fields(
        &self,
        received_spf: Option<&Envelope<'_>>,
        now: u64,
        charset: Charset,
    ) -> Vec<String> {
        let mut fields = vec![self.authentication_results().to_field(charset)];
        let mail_from = self.spf.as_ref().and_then(|spf| spf.mail_from.as_ref());
        if let (Some(envelope), Some(outcome)) = (received_spf, mail_from) {
            let session = Session {
                ip: envelope.ip,
                helo: envelope.helo,
                reverse_path: envelope.mail_from,
                receiver: Some(&self.authserv_id),
                now,
            };
            fields.push(format!("{}\r\n", ReceivedSpf::new(&session.mail_from(), outcome)));
        }
        fields
    }

    /// Which Authentication-Results fields of the message claim to be ours and are to be removed
    /// (RFC 8601 5): numbered as a milter does, from 1, the last first.
    pub fn removals(&self, header: &Header) -> Vec<(usize, Removal)> {
        let values = header.named("Authentication-Results").map(|field: Field<'_>| field.value());
        removals(values, &[AuthservId::new(&self.authserv_id)])
    }

    fn dmarc_result(&self) -> MethodResult {
        let result = self.dmarc.authres();
        match self.dmarc.result {
            DmarcResult::Pass | DmarcResult::Fail | DmarcResult::None => result,
            DmarcResult::Temperror | DmarcResult::Permerror => {
                result.reason(self.dmarc.cause.to_string())
            }
        }
    }

    /// One result for each signature, as far as the limit allows, or "none".
    fn dkim_results(&self) -> Vec<MethodResult> {
        let signatures = &self.dkim.signatures;
        if signatures.is_empty() {
            return vec![MethodResult::new(Method::Dkim, ResultCode::None)];
        }
        let texts: Vec<Option<String>> = signatures
            .iter()
            .map(|outcome| Some(STANDARD.encode(&outcome.signature.as_ref()?.signature)))
            .collect();
        let told = signatures.iter().zip(&texts).filter(|(outcome, _)| {
            // What was not looked at has no result.
            !matches!(outcome.cause, Cause::Limit { .. })
        });
        let (passing, rest): (Vec<_>, Vec<_>) =
            told.partition(|(outcome, _)| outcome.result() == DkimResult::Pass);
        passing
            .into_iter()
            .chain(rest)
            .take(self.reported_signatures)
            .map(|(outcome, text)| dkim_result(outcome, text.as_deref(), &texts))
            .collect()
    }
}

/// RFC 8601 2.7.1, with header.d, .i, .a, .s, and .b (RFC 6008).
fn dkim_result(
    outcome: &SignatureOutcome,
    text: Option<&str>,
    all: &[Option<String>],
) -> MethodResult {
    let code = match outcome.result() {
        DkimResult::None => ResultCode::None,
        DkimResult::Pass => ResultCode::Pass,
        DkimResult::Fail => ResultCode::Fail,
        DkimResult::Policy => ResultCode::Policy,
        DkimResult::Neutral => ResultCode::Neutral,
        DkimResult::Temperror => ResultCode::Temperror,
        DkimResult::Permerror => ResultCode::Permerror,
    };
    let mut result = MethodResult::new(Method::Dkim, code);
    if outcome.cause != Cause::Verified {
        result = result.reason(outcome.cause.to_string());
    } else if outcome.testing() {
        result = result.reason("the domain is testing DKIM");
    }
    if let Some(domain) = &outcome.domain {
        result = result.with(Ptype::Header, "d", domain.to_string());
    }
    if let Some(signature) = &outcome.signature {
        result = result.with(Ptype::Header, "i", signature.identity_text()).with(
            Ptype::Header,
            "a",
            signature.algorithm.to_string(),
        );
    }
    if let Some(selector) = &outcome.selector {
        result = result.with(Ptype::Header, "s", selector.to_string());
    }
    if let Some(text) = text {
        result = result.with(Ptype::Header, "b", unique_start(text, all));
    }
    result
}

/// The beginning of a signature that tells it from all others of the message (RFC 6008 4: "as many
/// characters as are needed to make the signature unique").
fn unique_start<'t>(text: &'t str, all: &[Option<String>]) -> &'t str {
    let common = all
        .iter()
        .flatten()
        .filter(|other| *other != text)
        .map(|other| other.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count())
        .max();
    let length = common.map_or(LEAST_B, |common| LEAST_B.max(common + 1));
    text.get(..length).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::unique_start;

    #[test]
    fn as_many_characters_as_it_takes() {
        let all: Vec<_> =
            ["abcdefghijkl", "abcdefghijxx", "zbcdefghijkl"].map(|text| Some(text.into())).into();
        assert_eq!(unique_start("abcdefghijkl", &all), "abcdefghijk");
        assert_eq!(unique_start("zbcdefghijkl", &all), "zbcdefgh");
        assert_eq!(unique_start("abcdefghijkl", &[]), "abcdefgh");
        assert_eq!(unique_start("abc", &[Some("abc".into()), None]), "abc");
    }
}
