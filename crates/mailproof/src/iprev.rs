//! The method "iprev" (RFC 8601 3): does the client's address have a name that leads back to it?

use std::fmt;
use std::net::IpAddr;

use mailproof_authres::{Method, MethodResult, Ptype, ResultCode};
use mailproof_dns::{Answers, Data, Failure, Missing, Name, Question, RecordType};
use mailproof_spf::reverse_name;

/// A result of "iprev" (RFC 8601 2.7.3). "There is no "none" for this method".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IprevResult {
    /// A name of the address has the address.
    Pass,
    /// No name of the address has it.
    Fail,
    /// The DNS failed; a later attempt may succeed.
    Temperror,
    /// The address has no name.
    Permerror,
}

impl IprevResult {
    /// The keyword of RFC 8601 2.7.3.
    pub fn keyword(self) -> &'static str {
        match self {
            IprevResult::Pass => "pass",
            IprevResult::Fail => "fail",
            IprevResult::Temperror => "temperror",
            IprevResult::Permerror => "permerror",
        }
    }
}

impl fmt::Display for IprevResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// What "iprev" found for a client (RFC 8601 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iprev {
    /// The address; IPv4 where it was IPv4-mapped.
    pub ip: IpAddr,
    /// Why the result is what it is.
    pub cause: IprevCause,
}

/// Why "iprev" has its result.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IprevCause {
    /// This name of the address has the address.
    Match(Name),
    /// No name of the address has the address.
    NoMatch {
        /// The first of the names.
        name: Name,
        /// How many were looked up.
        names: usize,
    },
    /// The address has no name.
    NoName,
    /// The DNS failed when it was asked for the names.
    NameUnavailable(Failure),
    /// The DNS failed when it was asked for the addresses of this name, and no other name matches.
    AddressUnavailable {
        /// The name.
        name: Name,
        /// How it failed.
        failure: Failure,
    },
}

impl IprevCause {
    /// The result of RFC 8601 2.7.3.
    pub fn result(&self) -> IprevResult {
        match self {
            // "the "reverse" and "forward" lookup results were returned and were in agreement".
            IprevCause::Match(_) => IprevResult::Pass,
            // "they were not in agreement, or the "forward" query completed but produced no result".
            IprevCause::NoMatch { .. } => IprevResult::Fail,
            // "some error that is likely transient in nature".
            IprevCause::NameUnavailable(_) | IprevCause::AddressUnavailable { .. } => {
                IprevResult::Temperror
            }
            // "no PTR data are published for the connecting IP address".
            IprevCause::NoName => IprevResult::Permerror,
        }
    }

    /// The name of the cause in the corpus and in JSON.
    pub fn keyword(&self) -> &'static str {
        match self {
            IprevCause::Match(_) => "match",
            IprevCause::NoMatch { .. } => "no-match",
            IprevCause::NoName => "no-name",
            IprevCause::NameUnavailable(_) => "name-unavailable",
            IprevCause::AddressUnavailable { .. } => "address-unavailable",
        }
    }

    /// The name of the client: what matched, or else its first name. The client chose it, if it
    /// did not match.
    pub fn name(&self) -> Option<&Name> {
        match self {
            IprevCause::Match(name)
            | IprevCause::NoMatch { name, .. }
            | IprevCause::AddressUnavailable { name, .. } => Some(name),
            IprevCause::NoName | IprevCause::NameUnavailable(_) => None,
        }
    }
}

impl Iprev {
    /// The result.
    pub fn result(&self) -> IprevResult {
        self.cause.result()
    }

    /// The result for an Authentication-Results field: "reported using a ptype of "policy" … and a
    /// property of "iprev"" (RFC 8601 2.7.3).
    pub fn method_result(&self) -> MethodResult {
        let code = match self.result() {
            IprevResult::Pass => ResultCode::Pass,
            IprevResult::Fail => ResultCode::Fail,
            IprevResult::Temperror => ResultCode::Temperror,
            IprevResult::Permerror => ResultCode::Permerror,
        };
        MethodResult::new(Method::Iprev, code).with(Ptype::Policy, "iprev", self.ip.to_string())
    }
}

/// Checks the reverse name of a client (RFC 8601 3): "If the client peer's IP address is I, the list
/// of names to which I maps (after a "PTR" query) is the set N, and the union of IP addresses to
/// which each member of N maps (after corresponding "A" and "AAAA" queries) is L, then this test is
/// successful if I is an element of L."
///
/// At most `names` names are looked up.
///
/// # Errors
/// The questions that are not answered yet.
pub fn iprev(ip: IpAddr, names: usize, answers: &Answers) -> Result<Iprev, Missing> {
    let ip = ip.to_canonical();
    let Some(reverse) = reverse_name(ip) else {
        return Ok(Iprev { ip, cause: IprevCause::NoName });
    };
    let response = answers.require(&Question::new(reverse, RecordType::Ptr))?;
    if let Some(failure) = response.failure() {
        return Ok(Iprev { ip, cause: IprevCause::NameUnavailable(failure) });
    }
    let named = response.data().iter().filter_map(|data| match data {
        Data::Ptr(name) => Some(name),
        _ => None,
    });
    let named = named.take(names);
    let Some(first) = named.clone().next() else {
        return Ok(Iprev { ip, cause: IprevCause::NoName });
    };
    let mut missing = Missing::new();
    let (mut matching, mut unavailable) = (None, None);
    let no_match = IprevCause::NoMatch { name: first.clone(), names: named.clone().count() };
    for name in named {
        let rtype = if ip.is_ipv4() { RecordType::A } else { RecordType::Aaaa };
        let question = Question::new(name.clone(), rtype);
        let Some(response) = missing.lookup(answers, &question) else { continue };
        if let Some(failure) = response.failure() {
            unavailable
                .get_or_insert(IprevCause::AddressUnavailable { name: name.clone(), failure });
        }
        let leads_back = response.data().iter().any(|data| match data {
            Data::A(address) => ip == *address,
            Data::Aaaa(address) => ip == *address,
            _ => false,
        });
        if leads_back {
            matching.get_or_insert(IprevCause::Match(name.clone()));
        }
    }
    missing.into_result()?;
    Ok(Iprev { ip, cause: matching.or(unavailable).unwrap_or(no_match) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailproof_dns::Zone;

    fn check(ip: &str, zone: &str) -> (&'static str, &'static str, Option<String>) {
        let zone = Zone::parse(zone).unwrap();
        let ip = ip.parse().unwrap();
        let found = zone.resolve(|answers| iprev(ip, 3, answers));
        let name = found.cause.name().map(ToString::to_string);
        (found.result().keyword(), found.cause.keyword(), name)
    }

    const PTR: &str = "1.2.0.192.in-addr.arpa. PTR a.example.\n\
         1.2.0.192.in-addr.arpa. PTR b.example.\n";

    #[test]
    fn every_result() {
        let name = |name: &str| Some(name.to_owned());
        let with = |more: &str| check("192.0.2.1", &format!("{PTR}{more}"));
        assert_eq!(with("b.example. A 192.0.2.1"), ("pass", "match", name("b.example")));
        let mapped = check("::ffff:192.0.2.1", &format!("{PTR}b.example. A 192.0.2.1"));
        assert_eq!(mapped, ("pass", "match", name("b.example")));
        assert_eq!(with("b.example. A 192.0.2.2"), ("fail", "no-match", name("a.example")));
        assert_eq!(with(""), ("fail", "no-match", name("a.example")));
        let trouble = with("b.example. SERVFAIL\na.example. A 192.0.2.2");
        assert_eq!(trouble, ("temperror", "address-unavailable", name("b.example")));
        let enough = with("b.example. SERVFAIL\na.example. A 192.0.2.1");
        assert_eq!(enough, ("pass", "match", name("a.example")));
        assert_eq!(check("192.0.2.1", ""), ("permerror", "no-name", None));
        let trouble = check("192.0.2.1", "1.2.0.192.in-addr.arpa. TIMEOUT");
        assert_eq!(trouble, ("temperror", "name-unavailable", None));
        let six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR \
             a.example.\na.example. AAAA 2001:db8::1";
        assert_eq!(check("2001:db8::1", six), ("pass", "match", name("a.example")));
    }

    #[test]
    fn names_beyond_the_limit_are_not_looked_up() {
        let names: String =
            (0..9).map(|n| format!("1.2.0.192.in-addr.arpa. PTR n{n}.example.\n")).collect();
        let zone = Zone::parse(&names).unwrap();
        let mut answers = Answers::new();
        let ip = "192.0.2.1".parse().unwrap();
        let mut asked = 0;
        while let Err(missing) = iprev(ip, 3, &answers) {
            for question in missing.into_questions() {
                asked += 1;
                let response = zone.lookup(&question);
                answers.insert(question, response);
            }
        }
        assert_eq!(asked, 4);
    }
}
