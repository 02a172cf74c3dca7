//! SPF records (RFC 7208).

use std::net::IpAddr;

use mailproof_dns::{Name, RecordType, Response};
use mailproof_spf::{
    Directive, Mechanism, ModifierKind, ParseErrorKind, Qualifier, Record, Request as SpfRequest,
    SpfResult, Term, check_host, is_spf_record, parse, parse_all,
};

use crate::check::Look;
use crate::finding::{SpfBudget, Text};
use crate::{Report, Request, hygiene};

/// How many records of a tree are looked at. Local choice: RFC 7208 4.6.4 allows eleven.
const RECORDS: usize = 64;

pub(crate) fn check(request: &Request, look: &mut Look<'_>) {
    let domain = &request.domain;
    let Some(texts) = look.texts(domain) else { return };
    let records: Vec<&[u8]> =
        texts.iter().map(|txt| txt.joined()).filter(|text| is_spf_record(text)).collect();
    for txt in &texts {
        let text = Text { name: domain, octets: txt.joined() };
        if is_spf_record(txt.joined()) {
            hygiene::text(&mut look.report, text);
        } else if resembles(txt.joined()) {
            let end = txt.joined().len().min(7);
            look.report.at("SPF003", text, 0..end, "this is no SPF record for any receiver");
        }
    }
    match records.as_slice() {
        [] => {
            look.report.of("SPF001", domain, RecordType::Txt, format!("{domain} has no SPF record"))
        }
        [octets] => {
            record(&mut look.report, Text { name: domain, octets });
            tree(domain, octets, look);
            expectations(request, look);
        }
        several => {
            let message = format!("{domain} has {} SPF records", several.len());
            look.report.of("SPF002", domain, RecordType::Txt, message);
        }
    }
}

/// Whether a text was meant to be an SPF record.
fn resembles(text: &[u8]) -> bool {
    let start: Vec<u8> = text
        .iter()
        .filter(|octet| !b"\" \t".contains(octet))
        .take(6)
        .map(u8::to_ascii_lowercase)
        .collect();
    start == b"v=spf1" || start.starts_with(b"spf1") || start == b"v=spf2"
}

/// One record by itself.
pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    let errors = parse_all(text.octets).err().unwrap_or_default();
    for error in &errors {
        let id = match error.kind {
            ParseErrorKind::NoVersion => "SPF003",
            ParseErrorKind::InvalidIp4Network | ParseErrorKind::InvalidIp6Network => "SPF015",
            ParseErrorKind::InvalidIp4CidrLength | ParseErrorKind::InvalidIp6CidrLength => "SPF016",
            ParseErrorKind::MissingDomainSpec | ParseErrorKind::MissingNetwork => "SPF019",
            ParseErrorKind::DuplicateModifier => "SPF021",
            ParseErrorKind::StrayPercent
            | ParseErrorKind::UnknownMacroLetter
            | ParseErrorKind::MacroOnlyInExplanation
            | ParseErrorKind::MacroZeroParts
            | ParseErrorKind::UnterminatedMacro => "SPF022",
            _ => "SPF010",
        };
        report.at(id, text, error.span.clone(), error.kind.to_string());
    }
    words(report, text);
    if let Ok(record) = parse(text.octets) {
        ending(report, text, &record);
        for directive in record.directives() {
            mechanism(report, text, directive);
        }
    }
}

/// What is seen in the words, be the record well-formed or not.
fn words(report: &mut Report, text: Text<'_>) {
    const MECHANISMS: [&[u8]; 8] =
        [b"ip4", b"ip6", b"include", b"a", b"mx", b"all", b"exists", b"ptr"];
    let mut at = 0;
    for word in text.octets.split(|&octet| octet == b' ') {
        let bare = word.strip_prefix(b"+").unwrap_or(word);
        let name = bare.split(|&octet| octet == b'=').next().unwrap_or_default();
        let is_modifier = name.len() < bare.len() && at > 0;
        if is_modifier && MECHANISMS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            let message = format!("`{name}=` is read as an unknown modifier and ignored");
            report.at("SPF011", text, at..at + word.len(), message);
        }
        if bare.eq_ignore_ascii_case(b"all") {
            report.at("SPF030", text, at..at + word.len(), "everybody passes");
        }
        at += word.len() + 1;
    }
}

fn ending(report: &mut Report, text: Text<'_>, record: &Record) {
    let all = record.terms.iter().position(
        |term| matches!(term, Term::Directive(directive) if directive.mechanism == Mechanism::All),
    );
    let end = text.octets.len();
    let Some(position) = all else {
        if record.redirect().is_none() {
            report.at("SPF032", text, end..end, "the record has no end: it counts as ?all");
        }
        return;
    };
    let mut terms = record.terms.iter().skip(position);
    if let Some(Term::Directive(Directive { qualifier, span, .. })) = terms.next() {
        match qualifier {
            Qualifier::Neutral => {
                report.at("SPF031", text, span.clone(), "what does not match is neutral");
            }
            Qualifier::Softfail => {
                report.at("SPF033", text, span.clone(), "what does not match is softfail");
            }
            Qualifier::Pass | Qualifier::Fail => {}
        }
    }
    let after = terms.find_map(|term| match term {
        Term::Directive(directive) => Some(directive.span.clone()),
        Term::Modifier(_) => None,
    });
    if let Some(span) = after {
        report.at("SPF036", text, span, "this stands after all and is ignored");
    }
    if let Some((_, span)) = record.redirect() {
        report.at("SPF037", text, span.clone(), "redirect is ignored, since there is an all");
    }
}

fn mechanism(report: &mut Report, text: Text<'_>, directive: &Directive) {
    let span = directive.span.clone();
    let is_everything = match &directive.mechanism {
        Mechanism::Ip4(ip4) => ip4.network.prefix_len() == 0,
        Mechanism::Ip6(ip6) => ip6.network.prefix_len() == 0,
        Mechanism::Ptr(_) => {
            report.at("SPF045", text, span, "ptr is slow, unreliable and discouraged");
            return;
        }
        _ => return,
    };
    if is_everything && directive.qualifier == Qualifier::Pass {
        report.at("SPF060", text, span, "this network is the whole Internet");
    }
}

/// The tree of includes and redirects.
fn tree(domain: &Name, octets: &[u8], look: &mut Look<'_>) {
    let mut tree = Tree { budget: SpfBudget { lookups: 0, void: 0 }, records: 0 };
    tree.walk(domain, octets, std::slice::from_ref(domain), look);
    let SpfBudget { lookups, void } = tree.budget;
    if lookups > 10 {
        let message = format!("{lookups} terms of the tree cause lookups, and 10 are allowed");
        look.report.at("SPF040", Text { name: domain, octets }, 0..octets.len(), message);
    }
    if void > 2 {
        let message = format!("{void} lookups give nothing, and 2 are allowed");
        look.report.at("SPF042", Text { name: domain, octets }, 0..octets.len(), message);
    }
    look.report.spf = Some(tree.budget);
}

struct Tree {
    budget: SpfBudget,
    records: usize,
}

impl Tree {
    fn walk(&mut self, owner: &Name, octets: &[u8], path: &[Name], look: &mut Look<'_>) {
        self.records += 1;
        let Ok(record) = parse(octets) else { return };
        let text = Text { name: owner, octets };
        for term in &record.terms {
            let (spec, span, follows) = match term {
                Term::Directive(directive) if directive.mechanism.counts() => (
                    directive.mechanism.domain_spec(),
                    directive.span.clone(),
                    matches!(directive.mechanism, Mechanism::Include(_)),
                ),
                Term::Modifier(modifier) => match &modifier.kind {
                    ModifierKind::Redirect(spec) => (Some(spec), modifier.span.clone(), true),
                    _ => continue,
                },
                Term::Directive(_) => continue,
            };
            self.budget.lookups += 1;
            let target = match spec {
                None => Some(owner.clone()),
                Some(spec) => spec.literal().and_then(|text| text.parse::<Name>().ok()),
            };
            let Some(target) = target else { continue };
            if follows {
                self.follow(text, &target, span, path, look);
            } else if let Term::Directive(directive) = term {
                self.addresses(directive, &target, look);
            }
        }
    }

    fn follow(
        &mut self,
        text: Text<'_>,
        target: &Name,
        span: std::ops::Range<usize>,
        path: &[Name],
        look: &mut Look<'_>,
    ) {
        if path.contains(target) {
            let message = format!("this leads back to {target}");
            look.report.at("SPF047", text, span, message);
            return;
        }
        if self.records >= RECORDS || path.len() > 11 {
            return;
        }
        let Some(response) = look.ask(target, RecordType::Txt) else { return };
        if matches!(response, Response::NxDomain | Response::NoData) {
            self.budget.void += 1;
        }
        let records: Vec<&[u8]> =
            response.texts().map(|txt| txt.joined()).filter(|text| is_spf_record(text)).collect();
        match records.as_slice() {
            [octets] => {
                let path = [path, std::slice::from_ref(target)].concat();
                self.walk(target, octets, &path, look);
            }
            others => {
                let count = others.len();
                let message = format!("{target} has {count} SPF records, and one is needed");
                look.report.at("SPF046", text, span, message);
            }
        }
    }

    fn addresses(&mut self, directive: &Directive, target: &Name, look: &mut Look<'_>) {
        let rtype = match directive.mechanism {
            Mechanism::Mx(_) => RecordType::Mx,
            Mechanism::A(_) | Mechanism::Exists(_) => RecordType::A,
            _ => return,
        };
        let response = look.ask(target, rtype);
        let is_void = matches!(response, Some(Response::NxDomain | Response::NoData));
        self.budget.void += usize::from(is_void);
    }
}

/// Which hosts must pass, and which must not.
fn expectations(request: &Request, look: &mut Look<'_>) {
    for (addresses, must_pass) in [(&request.must_pass, true), (&request.must_not_pass, false)] {
        for address in addresses {
            expectation(request, *address, must_pass, look);
        }
    }
}

fn expectation(request: &Request, address: IpAddr, must_pass: bool, look: &mut Look<'_>) {
    let domain = &request.domain;
    let (helo, sender) = (domain.to_string(), format!("postmaster@{domain}"));
    let spf = SpfRequest::mail_from(address, &helo, &sender).now(request.now);
    let Some(outcome) = look.keep(check_host(&spf, look.answers)) else { return };
    if outcome.result == SpfResult::Temperror || (outcome.result == SpfResult::Pass) == must_pass {
        return;
    }
    let expected = if must_pass { "must pass" } else { "must not pass" };
    let message = format!("{address} {expected}, and gets {}", outcome.result);
    look.report.of("SPF070", domain, RecordType::Txt, message);
}
