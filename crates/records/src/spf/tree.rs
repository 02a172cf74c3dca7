//! The tree of includes and redirects.

use std::ops::Range;
use std::time::Duration;

use ipnet::Ipv4Net;
use mailproof_dmarc::public_suffix_organizational_domain;
use mailproof_dns::{Data, Name, Question, RecordType, Response};
use mailproof_spf::{
    Directive, Mechanism, ModifierKind, Qualifier, Record, Term, is_spf_record, parse,
};

use super::hosts;
use super::record::{is_everybody, readable};
use crate::check::Look;
use crate::finding::{Branch, SpfBudget, Text};
use crate::{Request, Severity};

/// How many terms an error names with their costs. Local choice: more than can be within limits.
const COSTS: usize = 16;

pub(super) fn check(request: &Request, text: Text<'_>, look: &mut Look<'_>) {
    let Some(record) = readable(text.octets) else { return };
    let is_whole = parse(text.octets).is_ok();
    let mut tree = Tree { asked: vec![text.name.clone()], ..Tree::default() };
    tree.walk(text, &record, std::slice::from_ref(text.name), look);
    let SpfBudget { lookups, void, .. } = tree.budget;
    let whole = 0..text.octets.len();
    let (most, most_void) = (look.report.limits.spf_lookups, look.report.limits.spf_void);
    if lookups > most {
        let costs = tree.costs.join(", ");
        let message =
            format!("{lookups} terms of the tree cause lookups, and {most} are allowed: {costs}");
        look.report.at("SPF040", text, whole.clone(), message);
    } else if lookups + 2 >= most {
        let message = format!("{lookups} of {most} lookups are spent");
        look.report.at("SPF041", text, whole.clone(), message);
        if lookups == most {
            look.report.severity(Severity::Warning);
        }
    }
    if void > most_void {
        let message = format!("{void} lookups give nothing, and {most_void} are allowed");
        look.report.at("SPF042", text, whole.clone(), message);
    }
    slow(request, text, &tree.asked, look);
    tree.budget.addresses = hosts::addresses(tree.networks);
    hosts::total(text, tree.budget.addresses, look);
    hosts::explanation(text, &record, look);
    // What a record costs that ends in permerror at once is nothing to tell.
    match is_whole {
        true => look.report.spf = Some(tree.budget),
        false => look.report.tree.clear(),
    }
}

#[derive(Default)]
struct Tree {
    budget: SpfBudget,
    records: usize,
    /// What the terms of the first record cost, with what they lead to.
    costs: Vec<String>,
    /// The IPv4 networks that pass.
    networks: Vec<Ipv4Net>,
    /// Whose records were included.
    included: Vec<Name>,
    /// The names that a receiver looks up.
    asked: Vec<Name>,
}

/// RFC 7208 4.6.4: a receiver that looks up one after the other, and nothing twice.
fn slow(request: &Request, text: Text<'_>, asked: &[Name], look: &mut Look<'_>) {
    let is_asked = |question: &Question| {
        let rtype = matches!(question.rtype, RecordType::Txt | RecordType::A | RecordType::Mx);
        rtype && asked.contains(&question.name)
    };
    let times = request.slow.iter().filter(|(question, _)| is_asked(question));
    let time: Duration = times.map(|(_, time)| *time).sum();
    if time > look.report.limits.spf_time {
        let message = format!("the lookups of the tree take {} seconds", time.as_secs());
        look.report.at("SPF053", text, 0..text.octets.len(), message);
    }
}

impl Tree {
    fn walk(&mut self, text: Text<'_>, record: &Record, path: &[Name], look: &mut Look<'_>) {
        self.records += 1;
        let (place, before) = (look.report.tree.len(), self.budget.lookups);
        let depth = path.len().saturating_sub(1);
        look.report.tree.push(Branch { name: text.name.clone(), depth, lookups: 0 });
        self.terms(text, record, path, look);
        if let Some(branch) = look.report.tree.get_mut(place) {
            branch.lookups = self.budget.lookups.saturating_sub(before);
        }
    }

    fn terms(&mut self, text: Text<'_>, record: &Record, path: &[Name], look: &mut Look<'_>) {
        let has_all = record.directives().any(|one| one.mechanism == Mechanism::All);
        for term in &record.terms {
            match term {
                // RFC 7208 5.1: "Mechanisms after "all" will never be tested."
                Term::Directive(Directive { mechanism: Mechanism::All, .. }) => return,
                Term::Directive(directive) => {
                    let before = self.budget.lookups;
                    self.directive(text, directive, path, look);
                    self.cost(before, text, &directive.span, path);
                }
                // RFC 7208 6.1: "If the record has an "all" mechanism", redirect is ignored.
                Term::Modifier(_) if has_all => {}
                Term::Modifier(modifier) => {
                    let ModifierKind::Redirect(spec) = &modifier.kind else { continue };
                    let before = self.budget.lookups;
                    self.budget.lookups += 1;
                    let target = spec.literal().and_then(|text| text.parse::<Name>().ok());
                    let Some(target) = target else { continue };
                    self.asked.push(target.clone());
                    self.follow(text, &target, modifier.span.clone(), path, look);
                    self.cost(before, text, &modifier.span, path);
                }
            }
        }
    }

    /// What a term of the first record has cost.
    fn cost(&mut self, before: usize, text: Text<'_>, span: &Range<usize>, path: &[Name]) {
        let spent = self.budget.lookups.saturating_sub(before);
        if path.len() == 1 && spent > 0 && self.costs.len() < COSTS {
            let term = text.octets.get(span.clone()).unwrap_or_default();
            self.costs.push(format!("{} {spent}", String::from_utf8_lossy(term)));
        }
    }

    fn directive(
        &mut self,
        text: Text<'_>,
        directive: &Directive,
        path: &[Name],
        look: &mut Look<'_>,
    ) {
        if let (Mechanism::Ip4(ip4), Qualifier::Pass) = (&directive.mechanism, directive.qualifier)
            && self.networks.len() < look.report.limits.spf_networks
        {
            self.networks.push(ip4.network.trunc());
        }
        if !directive.mechanism.counts() {
            return;
        }
        self.budget.lookups += 1;
        let span = directive.span.clone();
        let target = match directive.mechanism.domain_spec() {
            None => Some(text.name.clone()),
            Some(spec) => spec.literal().and_then(|text| text.parse::<Name>().ok()),
        };
        let Some(target) = target else { return };
        if self.budget.lookups > look.report.limits.spf_asked {
            return;
        }
        self.asked.push(target.clone());
        match directive.mechanism {
            Mechanism::Include(_) => {
                let before = self.included.iter().filter(|one| **one == target).count();
                if before == 1 && !path.contains(&target) {
                    let message = format!("{target} is included twice");
                    look.report.at("SPF049", text, span.clone(), message);
                }
                self.included.push(target.clone());
                if path.len() == 1 {
                    hosts::shared(text, &target, &span, look);
                }
                self.follow(text, &target, span, path, look);
            }
            Mechanism::Mx(_) => self.exchanges(text, &target, span, look),
            Mechanism::A(_) | Mechanism::Exists(_) => {
                let responses =
                    [RecordType::A, RecordType::Aaaa].map(|rtype| look.ask(&target, rtype));
                let is_void = |response: &Option<&Response>| {
                    matches!(response, Some(Response::NxDomain | Response::NoData))
                };
                if responses.iter().all(is_void) {
                    self.void(text, &target, span, look);
                } else if path.len() == 1 && directive.mechanism.domain_spec().is_none() {
                    hosts::web_front(text, responses, &span, look);
                }
            }
            _ => {}
        }
    }

    fn exchanges(
        &mut self,
        text: Text<'_>,
        target: &Name,
        span: Range<usize>,
        look: &mut Look<'_>,
    ) {
        let Some(response) = look.ask(target, RecordType::Mx) else { return };
        let count = response.data().iter().filter(|data| matches!(data, Data::Mx(_))).count();
        if count > 10 {
            let message = format!("{target} has {count} mail exchanges, and 10 are allowed");
            look.report.at("SPF044", text, span, message);
        } else if count == 0 {
            self.void(text, target, span, look);
        }
        self.asked.extend(response.data().iter().filter_map(|data| match data {
            Data::Mx(mx) => Some(mx.exchange.clone()),
            _ => None,
        }));
    }

    /// A name that gives nothing.
    fn void(&mut self, text: Text<'_>, target: &Name, span: Range<usize>, look: &mut Look<'_>) {
        self.budget.void += 1;
        if !self.is_dangling(text, target, span.clone(), look) {
            look.report.at("SPF043", text, span, format!("{target} gives nothing"));
        }
    }

    /// Whether anybody could register the domain of a name, which then is told.
    fn is_dangling(
        &mut self,
        text: Text<'_>,
        target: &Name,
        span: Range<usize>,
        look: &mut Look<'_>,
    ) -> bool {
        let registrable = public_suffix_organizational_domain(target);
        let is_gone = matches!(look.ask(&registrable, RecordType::Ns), Some(Response::NxDomain));
        if is_gone {
            let message = format!("{registrable} does not exist: anybody may register it");
            look.report.at("SPF064", text, span, message);
        }
        is_gone
    }

    fn follow(
        &mut self,
        text: Text<'_>,
        target: &Name,
        span: Range<usize>,
        path: &[Name],
        look: &mut Look<'_>,
    ) {
        if path.contains(target) {
            look.report.at("SPF047", text, span, format!("this leads back to {target}"));
            return;
        }
        if self.records >= look.report.limits.spf_records
            || path.len() > look.report.limits.spf_depth
        {
            return;
        }
        let Some(response) = look.ask(target, RecordType::Txt) else {
            if look.has_failed(target, RecordType::Txt) {
                let message = format!("the record of {target} could not be had");
                look.report.at("SPF048", text, span, message);
            }
            return;
        };
        if matches!(response, Response::NxDomain | Response::NoData) {
            self.budget.void += 1;
        }
        let records: Vec<&[u8]> =
            response.texts().map(|txt| txt.joined()).filter(|text| is_spf_record(text)).collect();
        match records.as_slice() {
            [octets] => {
                let inner = Text { name: target, octets };
                match parse(octets) {
                    Ok(record) => {
                        permissive(text, target, &record, span, look);
                        let path = [path, std::slice::from_ref(target)].concat();
                        self.walk(inner, &record, &path, look);
                    }
                    Err(error) => {
                        let message = format!("the record of {target} is broken: {error}");
                        look.report.at("SPF046", text, span, message);
                    }
                }
            }
            others => {
                let is_gone = others.is_empty()
                    && (self.is_dangling(text, target, span.clone(), look)
                        || alias_is_gone(text, target, response, &span, look));
                if is_gone {
                    return;
                }
                let count = others.len();
                let message = format!("{target} has {count} SPF records, and one is needed");
                look.report.at("SPF046", text, span, message);
            }
        }
    }
}

/// Whether the name is an alias whose target is gone, which then is told.
fn alias_is_gone(
    text: Text<'_>,
    target: &Name,
    response: &Response,
    span: &Range<usize>,
    look: &mut Look<'_>,
) -> bool {
    if !matches!(response, Response::NxDomain) {
        return false;
    }
    let alias = look.ask(target, RecordType::Cname).map(Response::data).unwrap_or_default();
    let [Data::Cname(gone)] = alias else { return false };
    let message = format!("{target} is an alias of {gone}, which does not exist");
    look.report.at("SPF065", text, span.clone(), message);
    true
}

/// A record that lets everybody pass where it is included, or says nothing where it is redirected to.
fn permissive(
    text: Text<'_>,
    target: &Name,
    record: &Record,
    span: Range<usize>,
    look: &mut Look<'_>,
) {
    if record.directives().any(is_everybody) {
        let message = format!("the record of {target} lets everybody pass");
        look.report.at("SPF052", text, span, message);
        return;
    }
    let term = text.octets.get(span.clone()).unwrap_or_default();
    let is_redirect = term.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"redirect="));
    let all = record.directives().find(|directive| directive.mechanism == Mechanism::All);
    let is_neutral =
        all.map_or(record.redirect().is_none(), |all| all.qualifier == Qualifier::Neutral);
    if is_redirect && is_neutral {
        let message = format!("what does not match in the record of {target} is neutral");
        look.report.at("SPF052", text, span, message);
        look.report.severity(Severity::Warning);
    }
}
