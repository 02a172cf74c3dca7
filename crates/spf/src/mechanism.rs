//! The mechanisms (RFC 7208 5): whether each matches.

use std::net::IpAddr;

use mailproof_dns::{Data, Name, RecordType, Response};

use crate::cause::Cause;
use crate::evaluate::{Checked, Evaluation, Stop, TargetName, malformed, stop};
use crate::expand;
use crate::network::{in_ip4, in_ip6, within4, within6};
use crate::outcome::SpfResult;
use crate::record::{DomainSpec, DualCidr, Ip4, Ip6, Mechanism};
use crate::trace::Tracer;

impl<T: Tracer> Evaluation<'_, T> {
    /// Whether the mechanism matches; an unknown answer does not.
    pub(crate) fn mechanism(&mut self, domain: &Name, mechanism: &Mechanism) -> Checked<bool> {
        match *mechanism {
            Mechanism::All => return Ok(true),
            Mechanism::Ip4(Ip4 { network }) => return Ok(in_ip4(self.request.ip, network)),
            Mechanism::Ip6(Ip6 { network }) => return Ok(in_ip6(self.request.ip, network)),
            _ => self.count_term()?,
        }
        if let Mechanism::Include(include) = mechanism {
            return self.include(domain, &include.domain_spec);
        }
        let target = match self.target(mechanism.domain_spec(), domain)? {
            TargetName::Name(target) => target,
            // Disputed. RFC 7208 4.8: "The result of evaluating check_host() with a syntactically
            // invalid domain is undefined"; pyspf says no match, others permerror; we say no match
            // and count a void lookup, because no such name exists. Case: invalid-domain-long.
            TargetName::Invalid(_) => {
                self.count_void()?;
                return Ok(false);
            }
            TargetName::NoMatch => return Ok(false),
        };
        match mechanism {
            Mechanism::A(a) => self.a(&target, a.cidr),
            Mechanism::Mx(mx) => self.mx(&target, mx.cidr),
            Mechanism::Ptr(_) => self.ptr(&target),
            Mechanism::Exists(_) => {
                // RFC 7208 5.7: "a DNS A RR lookup (even when the connection type is IPv6). If any
                // A record is returned, this mechanism matches."
                let response = self.records(&target, RecordType::A)?;
                Ok(data(response).iter().any(|data| matches!(data, Data::A(_))))
            }
            Mechanism::All | Mechanism::Include(_) | Mechanism::Ip4(_) | Mechanism::Ip6(_) => {
                Ok(false)
            }
        }
    }

    /// The response to the question of a term, if it is known; a failure stops the evaluation,
    /// nothing found is counted.
    fn records(&mut self, name: &Name, rtype: RecordType) -> Checked<Option<&Response>> {
        let Some(response) = self.ask(name, rtype)? else { return Ok(None) };
        self.failed(name, rtype, response)?;
        self.void(response)?;
        Ok(Some(response))
    }

    fn void(&mut self, response: &Response) -> Checked<()> {
        match response {
            Response::NoData | Response::NxDomain => self.count_void(),
            Response::Records(_) | Response::Failure(_) => Ok(()),
        }
    }

    /// RFC 7208 5: A for an IPv4 client, AAAA for an IPv6 client.
    fn address_type(&self) -> RecordType {
        if self.request.ip.is_ipv4() { RecordType::A } else { RecordType::Aaaa }
    }

    /// RFC 7208 5.2.
    fn include(&mut self, domain: &Name, spec: &DomainSpec) -> Checked<bool> {
        let none = |domain: String| {
            |stop: Box<Stop>| stop.instead_of_none(|why| Cause::IncludeNone { domain, why })
        };
        let unknown = self.unknown;
        let checked = match self.target(Some(spec), domain)? {
            TargetName::Name(target) => {
                self.includes += 1;
                let checked = self.check(&target);
                self.includes -= 1;
                checked.map_err(|stop| none(target.to_string())(stop))
            }
            // RFC 7208 4.3, 5.2: check_host of a malformed domain is none, which is permerror here.
            TargetName::Invalid(text) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                malformed(text.clone(), expand::name_error(&text)).map_err(none(text))
            }
            TargetName::NoMatch => return Ok(false),
        };
        // What an incomplete check says is not known: go on, to name what the next terms ask.
        if self.unknown > unknown {
            return Ok(false);
        }
        // RFC 7208 5.2, the table: pass matches; fail, softfail, neutral do not; temperror,
        // permerror and none have stopped the check.
        Ok(checked? == SpfResult::Pass)
    }

    /// RFC 7208 5.3.
    fn a(&mut self, target: &Name, cidr: DualCidr) -> Checked<bool> {
        let ip = self.request.ip;
        let response = self.records(target, self.address_type())?;
        Ok(data(response).iter().any(|data| matches(ip, data, cidr)))
    }

    /// RFC 7208 5.4.
    fn mx(&mut self, target: &Name, cidr: DualCidr) -> Checked<bool> {
        let limit = self.limits.mx_hosts;
        let Some(response) = self.ask(target, RecordType::Mx)? else { return Ok(false) };
        self.failed(target, RecordType::Mx, response)?;
        self.void(response)?;
        let exchanges = response.data().iter().filter_map(|data| match data {
            Data::Mx(mx) => Some(&mx.exchange),
            _ => None,
        });
        // RFC 7208 4.6.4: "the evaluation of each "MX" record MUST NOT result in querying more
        // than 10 address records […]. If this limit is exceeded, the "mx" mechanism MUST produce a
        // "permerror" result." At once, so that the order of the records does not matter.
        let count = exchanges.clone().count();
        if count > limit {
            return stop(Cause::MxLimit { name: target.clone(), count, limit });
        }
        let rtype = self.address_type();
        let mut failed = None;
        for host in exchanges {
            // RFC 7505 3: a null MX has no host.
            if host.label_count() == 0 {
                continue;
            }
            // Disputed. RFC 7208 4.6.4 counts void lookups of terms; pyspf counts every lookup; we
            // do not count a host without addresses, because the term's own lookup found the host.
            // Case: mx-hosts-without-address.
            let Some(response) = self.ask(host, rtype)? else { continue };
            if response.data().iter().any(|data| matches(self.request.ip, data, cidr)) {
                return Ok(true);
            }
            // A host that matches counts more than one that fails, in whatever order they come.
            if failed.is_none() {
                failed = self.failed(host, rtype, response).err();
            }
        }
        failed.map_or(Ok(false), Err)
    }

    /// RFC 7208 5.5.
    fn ptr(&mut self, target: &Name) -> Checked<bool> {
        let mut matched = false;
        // Erratum 4751: the validated name is the target-name or a subdomain of it.
        for name in self.reverse_names()? {
            if name.is_at_or_below(target) && self.validates(name)? {
                matched = true;
                break;
            }
        }
        Ok(matched)
    }

    /// The name that `%{p}` stands for (RFC 7208 7.3), if there is a validated one.
    pub(crate) fn validated_name(&mut self, domain: &Name) -> Checked<Option<Name>> {
        let mut best: Option<(u8, &Name)> = None;
        for name in self.reverse_names()? {
            // RFC 7208 7.3: "If the <domain> is present in the list of validated domains, it
            // SHOULD be used. Otherwise, if a subdomain of the <domain> is present, it SHOULD be
            // used. Otherwise, any name from the list can be used."
            let rank = match name {
                _ if name == domain => 0,
                _ if name.is_at_or_below(domain) => 1,
                _ => 2,
            };
            if self.validates(name)? && best.is_none_or(|(other, _)| rank < other) {
                best = Some((rank, name));
            }
        }
        Ok(best.map(|(_, name)| name.clone()))
    }

    /// The reverse names of the client, the first ten; none where the lookup fails.
    fn reverse_names<'s>(&mut self) -> Checked<impl Iterator<Item = &'s Name> + use<'s, T>>
    where
        Self: 's,
    {
        let reverse = expand::reverse_name(self.request.ip);
        let response = match &reverse {
            Some(name) => self.ask(name, RecordType::Ptr)?,
            None => None,
        };
        if let Some(response) = response {
            self.void(response)?;
        }
        // RFC 7208 4.6.4: "If this limit is exceeded, all records other than the first 10 MUST be
        // ignored." 5.5: "If a DNS error occurs while doing the PTR RR lookup, then this mechanism
        // fails to match."
        let names = data(response).iter().filter_map(|data| match data {
            Data::Ptr(name) => Some(name),
            _ => None,
        });
        Ok(names.take(self.limits.ptr_names))
    }

    /// RFC 7208 5.5: "If <ip> is among the returned IP addresses, then that domain name is
    /// validated."
    fn validates(&mut self, name: &Name) -> Checked<bool> {
        let ip = self.request.ip;
        // "If a DNS error occurs while doing an A RR lookup, then that domain name is skipped and
        // the search continues."
        // Disputed. RFC 7208 4.6.4 counts void lookups of terms; pyspf, Mail::SPF and viaspf count
        // every lookup; we do not count a name without addresses, because whoever has the reverse
        // zone of the client would turn the record into permerror. Case: ptr-names-without-address.
        let response = self.ask(name, self.address_type())?;
        Ok(data(response).iter().any(|data| matches(ip, data, DualCidr::default())))
    }
}

fn data(response: Option<&Response>) -> &[Data] {
    response.map(Response::data).unwrap_or_default()
}

/// RFC 7208 5: "only the specified number of high-order bits of <ip> and the IP address are
/// compared for equality."
fn matches(ip: IpAddr, data: &Data, cidr: DualCidr) -> bool {
    match (ip, data) {
        (IpAddr::V4(ip), Data::A(address)) => within4(ip, *address, cidr.ip4),
        (IpAddr::V6(ip), Data::Aaaa(address)) => within6(ip, *address, cidr.ip6),
        _ => false,
    }
}
