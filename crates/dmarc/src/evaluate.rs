//! The evaluation of a message.

use std::collections::HashSet;
use std::sync::Arc;

use mailproof_dns::{Answers, Failure, Missing, Name};

use crate::Policy;
use crate::limits::Limits;
use crate::outcome::{Alignment, Cause, DmarcResult, Location, Outcome, PolicyRecord};
use crate::record::{AlignmentMode, Record};
use crate::request::{Discovery, Identifier, Mechanism, Request};
use crate::suffix::public_suffix_organizational_domain;
use crate::walk::{Published, Reader, TreeWalk, question, walk_names};

/// Evaluates DMARC for a message (RFC 9989 5.3).
///
/// # Errors
/// The questions that are not answered yet.
pub fn evaluate(request: &Request, answers: &Answers) -> Result<Outcome, Missing> {
    evaluate_with(request, answers, &Limits::default())
}

/// [`evaluate`] with other limits.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_with(
    request: &Request,
    answers: &Answers,
    limits: &Limits,
) -> Result<Outcome, Missing> {
    let authors = authors(request, limits);
    foresee(request, &authors, answers, limits)?;
    let mut missing = Missing::new();
    let mut outcomes = Vec::with_capacity(authors.len());
    for author in authors {
        let evaluation = Evaluation {
            request,
            limits,
            author,
            reader: Reader::new(answers),
            walks: 0,
            walked: Vec::new(),
        };
        match evaluation.outcome() {
            Ok(outcome) => outcomes.push(outcome),
            Err(more) => missing.merge(more),
        }
    }
    missing.into_result()?;
    Ok(combine(outcomes, request, limits))
}

/// The distinct Author Domains, as many as the limit allows.
fn authors<'a>(request: &'a Request, limits: &Limits) -> Vec<&'a Name> {
    let mut authors: Vec<&Name> = Vec::new();
    for author in &request.author_domains {
        if authors.len() < limits.author_domains && !authors.contains(&author) {
            authors.push(author);
        }
    }
    authors
}

/// Names the questions of the walks in one round. What is foreseen in vain changes no result.
fn foresee(
    request: &Request,
    authors: &[&Name],
    answers: &Answers,
    limits: &Limits,
) -> Result<(), Missing> {
    if request.discovery == Discovery::PublicSuffixList {
        return Ok(());
    }
    if let [author] = authors
        && is_common(request, author)
    {
        // The one question that the evaluation begins with.
        return Ok(());
    }
    let mut names: Vec<Name> = Vec::new();
    let mut add = |more: &mut dyn Iterator<Item = Name>| {
        for name in more {
            if names.len() < limits.foreseen && !names.contains(&name) {
                names.push(name);
            }
        }
    };
    for author in authors {
        if is_common(request, author) {
            add(&mut std::iter::once((*author).clone()));
        } else {
            add(&mut walk_names(author).into_iter());
        }
    }
    for identifier in &request.identifiers {
        // An identifier that shares only a top-level domain is hardly ever aligned.
        let domain = &identifier.domain;
        if authors.iter().any(|author| *author != domain && common_labels(author, domain) >= 2) {
            add(&mut walk_names(domain).into_iter());
        }
    }
    let mut missing = Missing::new();
    for question in names.iter().filter_map(question) {
        missing.lookup(answers, &question);
    }
    missing.into_result()
}

/// RFC 9989 4.10.2: "The Author Domain and the Authenticated Identifier(s) are all the same
/// domain": then its own record is all that is needed, if there is one.
fn is_common(request: &Request, author: &Name) -> bool {
    !request.identifiers.is_empty()
        && request.identifiers.iter().all(|identifier| identifier.domain == *author)
}

/// How many right-most labels two names share.
fn common_labels(one: &Name, other: &Name) -> usize {
    let reversed = |name: &Name| {
        let mut labels: Vec<Box<[u8]>> = name.labels().map(Box::from).collect();
        labels.reverse();
        labels
    };
    reversed(one).iter().zip(&reversed(other)).take_while(|(one, other)| one == other).count()
}

/// RFC 9989 11.5: "apply the DMARC mechanism to each domain found [...] and apply the most strict
/// policy selected among the checks that fail".
fn combine(mut outcomes: Vec<Outcome>, request: &Request, limits: &Limits) -> Outcome {
    // A message passes only if it does for every Author Domain.
    let weight = |outcome: &Outcome| match outcome.result {
        DmarcResult::Fail => (4, outcome.policy),
        DmarcResult::Temperror => (3, None),
        DmarcResult::Permerror => (2, None),
        DmarcResult::None => (1, None),
        DmarcResult::Pass => (0, None),
    };
    let Some((index, _)) = outcomes
        .iter()
        .enumerate()
        // The first of equals.
        .rev()
        .max_by_key(|(_, outcome)| weight(outcome))
    else {
        return Outcome::new(Cause::NoAuthorDomain, None);
    };
    let mut outcome = outcomes.remove(index);
    outcome.others = outcomes;
    if request.author_domains.len() <= limits.author_domains {
        return outcome;
    }
    let found = request.author_domains.iter().collect::<HashSet<_>>().len();
    // RFC 9989 11.5: "If not all Author Domains are processed, then the DMARC evaluation is
    // incomplete."
    if found > limits.author_domains && outcome.result != DmarcResult::Fail {
        outcome.cause = Cause::TooManyAuthorDomains { found, limit: limits.author_domains };
        outcome.result = outcome.cause.result();
    }
    outcome
}

/// One Author Domain's evaluation.
struct Evaluation<'a> {
    request: &'a Request,
    limits: &'a Limits,
    author: &'a Name,
    reader: Reader<'a>,
    /// How many identifiers were walked for.
    walks: usize,
    /// Their Organizational Domains.
    walked: Vec<(Name, Option<Name>)>,
}

/// What discovery found (RFC 9989 4.10.1).
struct Found {
    organizational_domain: Option<Name>,
    policy_record: Option<PolicyRecord>,
    /// Why the Organizational Domain, or that there is no record, is not known.
    failure: Option<(Name, Failure)>,
    several: Option<Name>,
}

impl Evaluation<'_> {
    fn outcome(mut self) -> Result<Outcome, Missing> {
        let found = match self.request.discovery {
            Discovery::TreeWalk => self.discover()?,
            Discovery::PublicSuffixList => self.discover_rfc7489()?,
        };
        let mut outcome = Outcome::new(Cause::NoRecord, Some(self.author.clone()));
        let cause = match &found.policy_record {
            None => match (&found.failure, &found.several) {
                (Some((name, failure)), _) => {
                    Cause::DnsFailure { name: name.clone(), failure: *failure }
                }
                (None, Some(name)) => Cause::SeveralRecords(name.clone()),
                (None, None) => Cause::NoRecord,
            },
            Some(policy) => match self.policy(policy)? {
                None => Cause::NoPolicy(policy.domain.clone()),
                Some(policy) => {
                    outcome.assessment_policy = policy.ok();
                    outcome.policy = policy.ok().map(|policy| self.applied(policy, &found));
                    outcome.identifiers = self.align(&found)?;
                    let cause = self.decide(&found, &outcome.identifiers);
                    match policy {
                        // A message that fails needs its policy.
                        Err(failure) if cause.result() == DmarcResult::Fail => {
                            Cause::DnsFailure { name: self.author.clone(), failure }
                        }
                        _ => cause,
                    }
                }
            },
        };
        outcome.result = cause.result();
        outcome.cause = cause;
        outcome.organizational_domain = found.organizational_domain;
        outcome.policy_record = found.policy_record;
        outcome.queries = self.reader.into_names();
        Ok(outcome)
    }

    /// RFC 9989 4.10.1: "The Author Domain; The Organizational Domain of the Author Domain; The
    /// Public Suffix Domain of the Author Domain".
    fn discover(&mut self) -> Result<Found, Missing> {
        let own = self.reader.published(self.author)?;
        if let Published::Record(record) = own
            && is_common(self.request, self.author)
        {
            // RFC 9989 4.10.2: "this common domain is treated as the Organizational Domain".
            return Ok(Found {
                organizational_domain: Some(self.author.clone()),
                policy_record: Some(self.found(self.author, Location::AuthorDomain, &record)),
                failure: None,
                several: None,
            });
        }
        let walk = self.reader.walk(self.author)?;
        let organizational_domain = walk.organizational_domain();
        let policy_record = self.policy_record(&walk, organizational_domain.as_ref());
        Ok(Found {
            organizational_domain,
            policy_record,
            failure: walk.failure,
            several: walk.several,
        })
    }

    fn policy_record(
        &self,
        walk: &TreeWalk,
        organizational: Option<&Name>,
    ) -> Option<PolicyRecord> {
        if let Some(record) = walk.record_at(self.author) {
            return Some(self.found(self.author, Location::AuthorDomain, record));
        }
        let organizational = organizational?;
        if let Some(record) = walk.record_at(organizational) {
            return Some(self.found(organizational, Location::OrganizationalDomain, record));
        }
        // "PSD policy is not used for Organizational Domains that have published a DMARC Policy
        // Record."
        let (name, record) = walk.psd_record()?;
        Some(self.found(name, Location::PublicSuffixDomain, record))
    }

    fn found(&self, domain: &Name, location: Location, record: &Arc<Record>) -> PolicyRecord {
        PolicyRecord { domain: domain.clone(), location, record: Arc::clone(record) }
    }

    /// RFC 7489 6.6.3.
    fn discover_rfc7489(&mut self) -> Result<Found, Missing> {
        let organizational_domain = public_suffix_organizational_domain(self.author);
        let mut found = Found {
            organizational_domain: Some(organizational_domain.clone()),
            policy_record: None,
            failure: None,
            several: None,
        };
        let places = [
            (self.author.clone(), Location::AuthorDomain),
            (organizational_domain, Location::OrganizationalDomain),
        ];
        for (name, location) in places {
            match self.reader.published(&name)? {
                // "If the set is now empty, the Mail Receiver MUST query the DNS for a DMARC TXT
                // record at the DNS domain matching the Organizational Domain".
                Published::Nothing => continue,
                Published::Record(record) => {
                    found.policy_record = Some(self.found(&name, location, &record));
                }
                // "If the remaining set contains multiple records or no records, policy discovery
                // terminates".
                Published::Several => found.several = Some(name),
                Published::Failure(failure) => found.failure = Some((name, failure)),
            }
            break;
        }
        Ok(found)
    }

    /// The policy for the Author Domain (RFC 9989 4.10.1); the inner result is `Err` if the DNS did
    /// not tell whether the domain exists.
    fn policy(&mut self, found: &PolicyRecord) -> Result<Option<Result<Policy, Failure>>, Missing> {
        let tree_walk = self.request.discovery == Discovery::TreeWalk;
        let record = &found.record;
        let policies = if tree_walk { record.policies() } else { record.policies_rfc7489() };
        let Some(policies) = policies else { return Ok(None) };
        let policy = if found.location == Location::AuthorDomain {
            policies.domain
        } else if policies.subdomains == policies.nonexistent {
            policies.subdomains
        } else {
            match self.reader.exists(self.author)? {
                Ok(true) => policies.subdomains,
                Ok(false) => policies.nonexistent,
                Err(failure) => return Ok(Some(Err(failure))),
            }
        };
        Ok(Some(Ok(policy)))
    }

    /// The policy after t (RFC 9989 4.7).
    fn applied(&self, policy: Policy, found: &Found) -> Policy {
        let testing = found.policy_record.as_ref().is_some_and(|found| found.record.testing);
        match self.request.discovery {
            Discovery::TreeWalk if testing => policy.one_level_below(),
            Discovery::TreeWalk | Discovery::PublicSuffixList => policy,
        }
    }

    /// Whether each identifier is aligned (RFC 9989 5.3.4).
    fn align(&mut self, found: &Found) -> Result<Vec<(Identifier, Alignment)>, Missing> {
        let mut missing = Missing::new();
        let mut aligned = Vec::with_capacity(self.request.identifiers.len());
        for identifier in &self.request.identifiers {
            match self.alignment(identifier, found) {
                Ok(alignment) => aligned.push((identifier.clone(), alignment)),
                Err(more) => missing.merge(more),
            }
        }
        missing.into_result()?;
        Ok(aligned)
    }

    fn alignment(&mut self, identifier: &Identifier, found: &Found) -> Result<Alignment, Missing> {
        let domain = &identifier.domain;
        if domain == self.author {
            return Ok(Alignment::Strict);
        }
        let mode = found.policy_record.as_ref().map(|found| match identifier.mechanism {
            Mechanism::Spf => found.record.aspf,
            Mechanism::Dkim => found.record.adkim,
        });
        if mode == Some(AlignmentMode::Strict) {
            return Ok(Alignment::No);
        }
        let Some(organizational) = &found.organizational_domain else {
            // Wherever it is, it is above both.
            let possible = common_labels(self.author, domain) > 0;
            return Ok(if possible { Alignment::Unknown } else { Alignment::No });
        };
        if self.request.discovery == Discovery::PublicSuffixList {
            let same = public_suffix_organizational_domain(domain) == *organizational;
            return Ok(if same { Alignment::Relaxed } else { Alignment::No });
        }
        // A domain is at or below its Organizational Domain, so most need no walk.
        if domain == organizational {
            return Ok(Alignment::Relaxed);
        }
        if !domain.is_at_or_below(organizational) {
            return Ok(Alignment::No);
        }
        Ok(match self.organizational_domain(domain)? {
            Some(same) if same == *organizational => Alignment::Relaxed,
            Some(_) => Alignment::No,
            None => Alignment::Unknown,
        })
    }

    /// The Organizational Domain of an identifier; `None` if the DNS failed or the limit is reached.
    fn organizational_domain(&mut self, domain: &Name) -> Result<Option<Name>, Missing> {
        if let Some((_, known)) = self.walked.iter().find(|(name, _)| name == domain) {
            return Ok(known.clone());
        }
        if self.walks >= self.limits.walks {
            return Ok(None);
        }
        self.walks += 1;
        let organizational = self.reader.walk(domain)?.organizational_domain();
        self.walked.push((domain.clone(), organizational.clone()));
        Ok(organizational)
    }

    /// RFC 9989 5.3.5 and 5.3.6.
    fn decide(&mut self, found: &Found, identifiers: &[(Identifier, Alignment)]) -> Cause {
        let first = |authenticated: bool, wanted: fn(Alignment) -> bool| {
            identifiers
                .iter()
                .find(|(one, alignment)| one.authenticated == authenticated && wanted(*alignment))
                .map(|(identifier, _)| identifier.clone())
        };
        if let Some(identifier) = first(true, Alignment::is_aligned) {
            return Cause::Aligned(identifier);
        }
        let is_unknown = |alignment| alignment == Alignment::Unknown;
        if let Some(unknown) = first(true, is_unknown).or_else(|| first(false, is_unknown)) {
            return self.unknown(found, &unknown.domain);
        }
        if let Some(identifier) = first(false, Alignment::is_aligned) {
            return Cause::Undecided(identifier);
        }
        if identifiers.iter().any(|(identifier, _)| identifier.authenticated) {
            Cause::NotAligned
        } else {
            Cause::NoIdentifier
        }
    }

    /// Why the alignment of an identifier is unknown.
    fn unknown(&mut self, found: &Found, domain: &Name) -> Cause {
        let own = || self.reader.walk(domain).ok().and_then(|walk| walk.failure);
        let walked = self.walked.iter().any(|(name, _)| name == domain);
        match found.failure.clone().or_else(|| walked.then(own).flatten()) {
            Some((name, failure)) => Cause::DnsFailure { name, failure },
            None => Cause::TooManyIdentifiers { limit: self.limits.walks },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identifier;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn first_round(request: &Request) -> Vec<String> {
        let missing = evaluate(request, &Answers::new()).unwrap_err();
        missing.questions().iter().map(|question| question.name.to_string()).collect()
    }

    #[test]
    fn the_walks_are_foreseen() {
        let request = Request::new([name("news.example.com")])
            .with(Identifier::dkim(name("mail.example.com")))
            .with(Identifier::dkim(name("esp.com")));
        let expected = ["news.example.com", "example.com", "com", "mail.example.com"]
            .map(|n| format!("_dmarc.{n}"));
        assert_eq!(first_round(&request), expected);
    }

    #[test]
    fn the_same_domain_is_one_question() {
        let request = Request::new([name("news.example.com")])
            .with(Identifier::spf(name("news.example.com")));
        assert_eq!(first_round(&request), ["_dmarc.news.example.com"]);
    }

    #[test]
    fn what_is_foreseen_is_bounded() {
        let mut request = Request::new([name("a.b.c.d.e.f.g.h.example.com")]);
        let deep = |index: usize| name(&format!("x{index}.c.d.e.f.g.h.example.com"));
        request.identifiers.extend((0..1000).map(|index| Identifier::dkim(deep(index))));
        assert_eq!(first_round(&request).len(), Limits::default().foreseen);
    }
}
