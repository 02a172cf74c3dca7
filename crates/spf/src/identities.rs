//! Which identities are checked, in which order (RFC 7208 2.3, 2.4).

use std::net::IpAddr;

use mailproof_dns::{Answers, Missing};

use crate::check_host::Checker;
use crate::outcome::{Outcome, SpfResult};
use crate::request::Request;

/// What an SMTP session says about the sender, at the time of the MAIL command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session<'a> {
    /// The address of the client.
    pub ip: IpAddr,
    /// The argument of the last HELO or EHLO.
    pub helo: &'a str,
    /// The reverse-path, with or without angle brackets, empty where it is null.
    pub reverse_path: &'a str,
    /// The name of the receiving host.
    pub receiver: Option<&'a str>,
    /// The time, in seconds since 1970-01-01 UTC.
    pub now: u64,
}

/// When the result of HELO makes the check of MAIL FROM superfluous (RFC 7208 2.3, 2.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeloPolicy {
    /// Never: RFC 9989 (DMARC) takes the MAIL FROM identity alone.
    #[default]
    CheckBoth,
    /// A fail of HELO is definitive: such a message is rejected whatever its MAIL FROM.
    FailDecides,
}

/// The outcomes of both identities.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identities {
    /// The HELO identity, checked first (RFC 7208 2.3).
    pub helo: Outcome,
    /// The MAIL FROM identity; `None` if HELO was definitive (RFC 7208 2.4).
    pub mail_from: Option<Outcome>,
}

impl Identities {
    /// The outcome to act on: MAIL FROM where it was checked.
    pub fn deciding(&self) -> &Outcome {
        self.mail_from.as_ref().unwrap_or(&self.helo)
    }
}

impl<'a> Session<'a> {
    /// The request for the HELO identity.
    pub fn helo(&self) -> Request<'a> {
        self.of(Request::helo(self.ip, self.helo))
    }

    /// The request for the MAIL FROM identity.
    pub fn mail_from(&self) -> Request<'a> {
        self.of(Request::mail_from(self.ip, self.helo, self.reverse_path))
    }

    fn of(&self, request: Request<'a>) -> Request<'a> {
        let request = request.now(self.now);
        match self.receiver {
            Some(receiver) => request.receiver(receiver),
            None => request,
        }
    }
}

impl Checker {
    /// Checks HELO, then MAIL FROM (RFC 7208 2.3: "Checking "HELO" before "MAIL FROM" is the
    /// RECOMMENDED sequence if both are checked").
    ///
    /// # Errors
    /// The questions whose answers are missing; those of MAIL FROM are named at once with those of
    /// HELO.
    pub fn check_identities(
        &mut self,
        session: &Session<'_>,
        policy: HeloPolicy,
        answers: &Answers,
    ) -> Result<Identities, Missing> {
        let helo = self.check_host(&session.helo(), answers);
        let definitive = match (&helo, policy) {
            (Ok(outcome), HeloPolicy::FailDecides) => outcome.result == SpfResult::Fail,
            (Ok(_) | Err(_), HeloPolicy::CheckBoth) | (Err(_), HeloPolicy::FailDecides) => false,
        };
        if definitive {
            return helo.map(|helo| Identities { helo, mail_from: None });
        }
        // RFC 7208 2.4: "SPF verifiers MUST check the "MAIL FROM" identity if a "HELO" check either
        // has not been performed or has not reached a definitive policy result".
        match (helo, self.check_host(&session.mail_from(), answers)) {
            (Ok(helo), Ok(mail_from)) => Ok(Identities { helo, mail_from: Some(mail_from) }),
            (Ok(_), Err(missing)) | (Err(missing), Ok(_)) => Err(missing),
            (Err(mut missing), Err(more)) => {
                missing.merge(more);
                Err(missing)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailproof_dns::Zone;

    fn check(helo: &str, path: &str, policy: HeloPolicy) -> Identities {
        let zone = Zone::parse(
            "good.example.com TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
             bad.example.com TXT \"v=spf1 -all\"\n\
             example.org TXT \"v=spf1 ~all\"",
        )
        .unwrap();
        let ip = [192, 0, 2, 1].into();
        let session = Session { ip, helo, reverse_path: path, receiver: None, now: 0 };
        let mut checker = Checker::default();
        zone.resolve(|answers| checker.check_identities(&session, policy, answers))
    }

    #[test]
    fn mail_from_is_checked_unless_helo_is_definitive() {
        let both = check("bad.example.com", "a@example.org", HeloPolicy::CheckBoth);
        assert_eq!(both.helo.result, SpfResult::Fail);
        assert_eq!(both.deciding().result, SpfResult::Softfail);
        let helo = check("bad.example.com", "a@example.org", HeloPolicy::FailDecides);
        assert_eq!((helo.mail_from.is_none(), helo.deciding().result), (true, SpfResult::Fail));
        let pass = check("good.example.com", "a@example.org", HeloPolicy::FailDecides);
        assert_eq!(pass.helo.result, SpfResult::Pass);
        assert_eq!(pass.deciding().result, SpfResult::Softfail);
    }

    #[test]
    fn a_null_reverse_path_is_postmaster_at_helo() {
        let both = check("good.example.com", "<>", HeloPolicy::CheckBoth);
        let mail_from = both.mail_from.unwrap();
        assert_eq!(mail_from.result, SpfResult::Pass);
        assert_eq!(mail_from.identity, crate::Identity::MailFrom);
    }

    #[test]
    fn both_records_are_asked_for_in_the_first_round() {
        let ip = [192, 0, 2, 1].into();
        let (helo, reverse_path) = ("good.example.com", "a@example.org");
        let session = Session { ip, helo, reverse_path, receiver: None, now: 0 };
        let missing = Checker::default()
            .check_identities(&session, HeloPolicy::FailDecides, &Answers::new())
            .unwrap_err();
        assert_eq!(missing.questions().len(), 2);
    }
}
