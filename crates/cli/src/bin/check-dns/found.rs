//! A finding as the formats write it: made safe to print, with its place in a file.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use mailproof_cli::escape::safe;
use mailproof_dns::{Data, Name, Question, RecordType};
use mailproof_records::{Branch, Effective, Finding, Rule, Selector, Severity, Source, Spf, rules};
use mailproof_spf::is_spf_record;

use crate::correct::{corrected, replacement};
use crate::lock::{Drift, What};
use crate::zone_file::Defect;
use crate::zones::Zones;

/// A domain that was checked.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) domain: String,
    /// Where the domain is named: in the manifest or in the list of domains.
    pub(crate) named_at: Option<Place>,
    /// What is reported, worst first.
    pub(crate) findings: Vec<Found>,
    /// How many questions were answered.
    pub(crate) lookups: usize,
    pub(crate) spf: Option<Budget>,
    /// The records of the SPF tree.
    pub(crate) tree: Vec<Branch>,
    /// The DMARC policy in force.
    pub(crate) dmarc: Option<Effective>,
    /// Selectors with a key.
    pub(crate) selectors: Vec<Selector>,
    /// What could not be looked up, each in a sentence.
    pub(crate) unknown: Vec<String>,
    /// What the zone files do not say, and nobody was asked.
    pub(crate) not_asked: usize,
    /// How many findings are not reported, since a suppression names them.
    pub(crate) suppressed: usize,
    /// How many findings are not reported, since the baseline has them.
    pub(crate) baseline: usize,
    /// How many findings are not reported, since nobody asked for info.
    pub(crate) not_shown: usize,
    /// How many findings are not reported, since there are too many.
    pub(crate) omitted: usize,
}

impl Checked {
    /// The findings that say of a question that nobody answered it.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = &Found> {
        self.findings.iter().filter(|found| found.is_unanswered())
    }
}

/// What an SPF record spends of RFC 7208 4.6.4's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) lookups: usize,
    pub(crate) void: usize,
}

impl Budget {
    /// RFC 7208 4.6.4: "SPF implementations MUST limit the total number of those terms to 10".
    pub(crate) const LOOKUPS: usize = 10;
    /// RFC 7208 4.6.4: "SPF implementations SHOULD limit "void lookups" to two."
    pub(crate) const VOID: usize = 2;
}

impl From<Spf> for Budget {
    fn from(spf: Spf) -> Budget {
        Budget { lookups: spf.lookups, void: spf.void }
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Budget { lookups, void } = self;
        write!(f, "SPF {lookups}/{} lookups, {void}/{} void", Budget::LOOKUPS, Budget::VOID)
    }
}

/// Something wrong, with everything that is said about it; all texts are safe to print.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) rule: &'static Rule,
    pub(crate) severity: Severity,
    pub(crate) domain: String,
    pub(crate) owner: Name,
    /// The owner of the record, in print.
    pub(crate) name: String,
    /// The type of the record; of what is none, a word for it.
    pub(crate) rrtype: String,
    /// The line of a document, from 1.
    pub(crate) line: Option<usize>,
    /// The text of the record, if there is one.
    pub(crate) record: Option<Vec<u8>>,
    /// The octets of it at fault.
    pub(crate) span: Option<Range<usize>>,
    pub(crate) message: String,
    /// What receivers make of it.
    pub(crate) consequence: Option<&'static str>,
    pub(crate) fix: Option<Cow<'static, str>>,
    /// The record to publish in its stead.
    pub(crate) corrected: Option<String>,
    /// What to put in place of the octets at fault.
    pub(crate) replacement: Option<String>,
    /// Where the octets at fault stand in a zone file.
    pub(crate) place: Option<Place>,
}

/// Where something stands in a file; lines and columns from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// As it is on the command line.
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// The line and column behind the last octet, if known.
    pub(crate) end: Option<(usize, usize)>,
}

impl Place {
    /// A place in a zone file, without an end.
    pub(crate) fn of(place: &mailproof_dns::Place) -> Place {
        Place {
            file: mailproof_cli::escape::visible(place.file.as_bytes()).to_string(),
            line: place.line,
            column: place.column,
            end: None,
        }
    }
}

impl Found {
    /// Whether it is about a question that nobody answered.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.rule.id, "DNS011" | "NET001")
    }

    /// The finding of a domain; its place is looked for in the zone files.
    pub(crate) fn new(finding: Finding, domain: &Name, zones: &Zones) -> Found {
        let place = place_in(&finding, zones);
        let fault = finding.record.as_deref().zip(finding.span.as_ref());
        let replacement =
            fault.and_then(|(record, span)| replacement(finding.rule.id, record, span));
        let corrected = fault
            .zip(replacement.as_deref())
            .and_then(|((record, span), new)| corrected(record, span, new));
        Found {
            rule: finding.rule,
            severity: finding.severity,
            domain: domain.to_string(),
            name: finding.name.to_string(),
            owner: finding.name,
            rrtype: finding.source.to_string(),
            line: finding.line,
            record: finding.record,
            span: finding.span,
            message: safe(&finding.message).to_string(),
            consequence: Some(finding.rule.explanation),
            fix: Some(finding.rule.fix.into()),
            corrected,
            replacement: replacement.map(|text| safe(&text).to_string()),
            place,
        }
    }

    /// A finding of this tool itself, at a text record of the domain.
    fn own(id: &str, domain: &Name, owner: Name, message: &str, fix: &str) -> Option<Found> {
        let rule = rules().iter().find(|rule| rule.id == id)?;
        Some(Found {
            rule,
            severity: rule.severity,
            domain: domain.to_string(),
            name: owner.to_string(),
            owner,
            rrtype: RecordType::Txt.to_string(),
            line: None,
            record: None,
            span: None,
            message: safe(message).to_string(),
            consequence: None,
            fix: (!fix.is_empty()).then(|| safe(fix).to_string().into()),
            corrected: None,
            replacement: None,
            place: None,
        })
    }

    /// What differs from the lock file.
    pub(crate) fn drift(drift: &Drift, domain: &Name) -> Option<Found> {
        let owner = match drift.what {
            What::Spf | What::Key => domain.clone(),
            What::MtaSts | What::MtaStsPolicy => domain.prepend("_mta-sts").ok()?,
        };
        if drift.what == What::MtaStsPolicy {
            return Found::own("STS011", domain, owner, &drift.message, "Change the id.");
        }
        let fix = "If this is right, write the lock file anew: --update-lock.";
        Found::own("SPF071", domain, owner, &drift.message, fix)
    }

    /// A host that must pass SPF, and cannot.
    pub(crate) fn unresolved(host: &str, domain: &Name) -> Option<Found> {
        let message = format!("{host} must pass SPF, but has no address");
        let fix = "Publish its A or AAAA record, or name the addresses that send.";
        Found::own("SPF070", domain, domain.clone(), &message, fix)
    }

    /// A private key that is not the one published.
    pub(crate) fn other_key(selector: &Name, domain: &Name) -> Option<Found> {
        let owner = domain.prepend(&format!("{selector}._domainkey")).ok()?;
        let message = format!("the private key of {selector} is not the one that is published");
        let fix = "Publish the record of the key on disk, or sign with the key that is published.";
        Found::own("DKIM025", domain, owner, &message, fix)
    }

    /// The same, with the place of the record in the zone files, if it is there.
    pub(crate) fn in_zone(self, zones: &Zones) -> Found {
        if self.place.is_some() {
            return self;
        }
        let question = Question::txt(self.owner.clone());
        let records = zones.zone().records_of(&question);
        let is_spf = |data: &Data| matches!(data, Data::Txt(txt) if is_spf_record(txt.joined()));
        let about_spf = self.rule.id.starts_with("SPF");
        let spf = records.iter().find(|record| about_spf && is_spf(&record.data));
        let place = spf.or(records.first()).map(|record| Place::of(&record.data_place));
        Found { place, ..self }
    }

    /// What is wrong with a line of a zone file.
    pub(crate) fn defect(defect: &Defect, domain: &Name) -> Option<Found> {
        let fix = defect.fix.as_deref().unwrap_or_default();
        let found = Found::own(defect.rule, domain, domain.clone(), &defect.message, fix)?;
        Some(Found {
            record: Some(defect.line.clone()),
            span: Some(defect.span.clone()),
            place: Some(defect.place.clone()),
            ..found
        })
    }

    /// What is said besides the message: what receivers make of it, what to do, what to publish.
    pub(crate) fn more(&self) -> impl Iterator<Item = &str> {
        let more = [self.consequence, self.fix.as_deref(), self.corrected.as_deref()];
        more.into_iter().flatten()
    }

    /// The worst first, then by rule and record.
    pub(crate) fn order(&self, other: &Found) -> Ordering {
        fn key(found: &Found) -> (std::cmp::Reverse<Severity>, &str, &Name, Option<usize>) {
            let start = found.span.as_ref().map(|span| span.start);
            (std::cmp::Reverse(found.severity), found.rule.id, &found.owner, start)
        }
        key(self).cmp(&key(other)).then_with(|| self.message.cmp(&other.message))
    }

    /// The octets at fault, of long ones the first: what stays the same when the record moves or
    /// grows elsewhere.
    pub(crate) fn term(&self) -> String {
        const LONGEST: usize = 256;
        let octets = self.record.as_deref().zip(self.span.clone());
        let term = octets.and_then(|(record, span)| record.get(span)).unwrap_or_default();
        let term = term.get(..LONGEST).unwrap_or(term);
        mailproof_cli::escape::visible(term).to_string()
    }

    /// Whether two runs found the same, in 16 hexadecimal digits (FNV-1a of rule, name and term).
    pub(crate) fn fingerprint(&self) -> String {
        let term = self.term();
        let parts = [self.rule.id, &self.name, &self.rrtype, &term];
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for octet in parts.join("\0").bytes() {
            hash = (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        format!("{hash:016x}")
    }

    /// `name TYPE`, with the line where a document has one.
    pub(crate) fn record_name(&self) -> String {
        match self.line {
            Some(line) => format!("{} {}, line {line}", self.name, self.rrtype),
            None => format!("{} {}", self.name, self.rrtype),
        }
    }

    /// As a finding in a document that is in this file.
    pub(crate) fn in_file(mut self, file: &str) -> Found {
        let fault = self.record.as_deref().zip(self.span.clone());
        if let (Some(line), Some((octets, span))) = (self.line.take(), fault) {
            let column = |octet| {
                String::from_utf8_lossy(octets.get(..octet).unwrap_or(octets)).chars().count() + 1
            };
            let end = Some((line, column(span.end)));
            self.place =
                Some(Place { file: file.to_owned(), line, column: column(span.start), end });
        }
        self
    }
}

/// The keyword of a severity.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Where the octets at fault stand in a zone file.
fn place_in(finding: &Finding, zones: &Zones) -> Option<Place> {
    let Source::Record(rtype) = finding.source else { return None };
    let zone = zones.zone();
    let question = Question::new(finding.name.clone(), rtype);
    let records = zone.records_of(&question);
    let text = finding.record.as_deref();
    let is_it = |data: &Data| match (data, text) {
        (Data::Txt(txt), Some(text)) => txt.joined() == text,
        _ => finding.which.as_ref() == Some(data),
    };
    let record = records.iter().find(|record| is_it(&record.data)).or(records.first())?;
    let span = finding.span.clone().filter(|_| is_it(&record.data));
    let at = |octet| zone.place_of_octet(record, octet);
    let start = span.clone().and_then(|span| at(span.start));
    let end = span.and_then(|span| at(span.end));
    let place = start.as_ref().unwrap_or(&record.data_place);
    Some(Place { end: end.map(|end| (end.line, end.column)), ..Place::of(place) })
}
