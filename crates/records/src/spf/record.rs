//! One record by itself.

use std::ops::Range;

use ipnet::IpNet;
use mailproof_spf::{
    A, Directive, MacroLetter, Mechanism, Modifier, ModifierKind, Mx, ParseError, ParseErrorKind,
    Part, Qualifier, Record, Term, parse, parse_all,
};

use crate::finding::Text;
use crate::mx::is_reserved;
use crate::{Report, Severity};

/// Octets of `v=spf1`.
const VERSION: usize = 6;
/// The shortest prefix of what RFC 6890 reserves: fc00::/7.
const RESERVED_BITS: u8 = 7;

/// Everything that is wrong with a record, or weak.
pub(crate) fn record(report: &mut Report, text: Text<'_>) {
    match mended(text.octets) {
        None => terms(report, text, text.octets),
        Some(mended) => {
            let kind = ParseErrorKind::NoVersion;
            report.at(error_rule(kind), text, 0..VERSION, kind.to_string());
            terms(report, text, &mended);
        }
    }
}

/// What is wrong with the terms of a text that is no record only for what follows its version.
pub(super) fn after_version(report: &mut Report, text: Text<'_>) {
    if let Some(mended) = mended(text.octets) {
        terms(report, text, &mended);
    }
}

/// The record that was meant by `v=spf1;`, as if it were a list of tags: with a space there.
fn mended(octets: &[u8]) -> Option<Vec<u8>> {
    let (version, rest) = octets.split_at_checked(VERSION)?;
    if !version.eq_ignore_ascii_case(b"v=spf1") || !matches!(rest, [b';' | b',', ..]) {
        return None;
    }
    let mut mended = octets.to_vec();
    *mended.get_mut(VERSION)? = b' ';
    Some(mended)
}

/// The terms of a record; `octets` are those of `text`, or mended.
fn terms(report: &mut Report, text: Text<'_>, octets: &[u8]) {
    let errors = parse_all(octets).err().unwrap_or_default();
    let glued = words(report, text);
    for error in &errors {
        // Both are in the order of the record.
        let at = glued.partition_point(|word| word.end < error.span.end);
        if glued.get(at).is_none_or(|word| word.start > error.span.start) {
            report.at(error_rule(error.kind), text, error.span.clone(), error.kind.to_string());
        }
    }
    let length = text.octets.len();
    if length > 450 {
        report.at("SPF006", text, 450..length, format!("the record has {length} octets"));
    }
    if let Some(record) = without(octets, &errors) {
        // What could not be read may be the end, or fail.
        let is_whole = errors.is_empty();
        ending(report, text, &record, is_whole);
        let last = record.directives().last().map_or(0, |directive| directive.span.start);
        for term in &record.terms {
            match term {
                Term::Directive(directive) => mechanism(report, text, directive),
                Term::Modifier(modifier) => {
                    let fails = record.directives().any(|one| one.qualifier == Qualifier::Fail);
                    let may_fail = fails || record.redirect().is_some() || !is_whole;
                    self::modifier(report, text, modifier, (may_fail, last));
                }
            }
        }
        networks(report, text, &record);
    }
}

/// The record without the terms that cannot be read: what is wrong with the others is told too.
pub(super) fn readable(octets: &[u8]) -> Option<Record> {
    match parse_all(octets) {
        Ok(record) => Some(record),
        Err(errors) => without(octets, &errors),
    }
}

fn without(octets: &[u8], errors: &[ParseError]) -> Option<Record> {
    let mut octets = octets.to_vec();
    for error in errors {
        let before = octets.get(..error.span.start)?;
        let start = before.iter().rposition(|&octet| octet == b' ').map_or(0, |at| at + 1);
        let rest = octets.get_mut(start..)?;
        let end = rest.iter().position(|&octet| octet == b' ').unwrap_or(rest.len());
        // Several spaces are as good as one (RFC 7208 4.6.1), and spans stay what they are.
        rest.get_mut(..end)?.fill(b' ');
    }
    parse(&octets).ok()
}

fn error_rule(kind: ParseErrorKind) -> &'static str {
    match kind {
        ParseErrorKind::NoVersion => "SPF003",
        ParseErrorKind::InvalidIp4Network | ParseErrorKind::InvalidIp6Network => "SPF015",
        ParseErrorKind::InvalidIp4CidrLength | ParseErrorKind::InvalidIp6CidrLength => "SPF016",
        ParseErrorKind::InvalidDomainEnd => "SPF018",
        ParseErrorKind::MissingDomainSpec | ParseErrorKind::MissingNetwork => "SPF019",
        ParseErrorKind::DuplicateModifier => "SPF021",
        ParseErrorKind::MacroOnlyInExplanation => "SPF023",
        ParseErrorKind::StrayPercent
        | ParseErrorKind::UnknownMacroLetter
        | ParseErrorKind::MacroZeroParts
        | ParseErrorKind::UnterminatedMacro => "SPF022",
        _ => "SPF010",
    }
}

/// What is seen in the words, be the record well-formed or not; the words with a better
/// explanation than a syntax error.
fn words(report: &mut Report, text: Text<'_>) -> Vec<Range<usize>> {
    let mut explained = Vec::new();
    let mut at = 0;
    for (index, word) in text.octets.split(|&octet| octet == b' ').enumerate() {
        let span = at..at + word.len();
        at += word.len() + 1;
        if index == 0 {
            continue;
        }
        if word.is_empty() {
            if at < text.octets.len() {
                report.at("SPF007", text, span.start - 1..span.start, "several spaces");
            }
        } else if let Some((id, message)) = self::word(word) {
            report.at(id, text, span.clone(), message);
            if id == "SPF007" {
                report.severity(Severity::Error);
            }
            explained.push(span);
        }
    }
    explained
}

/// What is wrong with a word that the grammar has no good name for.
fn word(word: &[u8]) -> Option<(&'static str, String)> {
    const MECHANISMS: [&str; 8] = ["ip4", "ip6", "include", "a", "mx", "all", "exists", "ptr"];
    if word.contains(&b'\t') {
        return Some(("SPF007", "a tab does not separate terms".to_owned()));
    }
    if !word.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let word = String::from_utf8_lossy(word).to_ascii_lowercase();
    let bare = word.strip_prefix(['+', '-', '~', '?']).unwrap_or(&word);
    if bare == "all" && !word.starts_with(['-', '~', '?']) {
        return Some(("SPF030", "everybody passes".to_owned()));
    }
    if let Some((name, _)) = bare.split_once('=') {
        if MECHANISMS.contains(&name) {
            let message = format!("`{name}=` is read as an unknown modifier and ignored");
            return Some(("SPF011", message));
        }
        if bare.len() < word.len() && (name == "redirect" || name == "exp") {
            return Some(("SPF020", "a modifier has no qualifier".to_owned()));
        }
    }
    if let Some((name @ ("redirect" | "exp"), _)) = bare.split_once(':') {
        return Some(("SPF011", format!("{name} is a modifier: it has an equals sign")));
    }
    let has_macro = bare.contains("%{");
    if !has_macro && bare.contains([',', ';']) {
        return Some(("SPF013", "terms are separated by spaces alone".to_owned()));
    }
    let rest = bare.get(1..).unwrap_or_default();
    let is_glued = ["-all", "~all", "?all", "+all"]
        .iter()
        .any(|end| rest.ends_with(end) && !has_macro && !is_host(rest, end))
        || ["ip4:", "ip6:", "include:"].iter().any(|start| rest.contains(start));
    is_glued.then(|| ("SPF014", "a space is missing in here".to_owned()))
}

/// Whether what ends in `-all` may be a name: the hyphen is a letter there.
fn is_host(word: &str, end: &str) -> bool {
    end == "-all"
        && word.contains(':')
        && !word.contains('/')
        && !word.starts_with("p4:")
        && !word.starts_with("p6:")
}

fn ending(report: &mut Report, text: Text<'_>, record: &Record, is_whole: bool) {
    let all = record.terms.iter().position(
        |term| matches!(term, Term::Directive(directive) if directive.mechanism == Mechanism::All),
    );
    let end = text.octets.len();
    let Some(position) = all else {
        if record.redirect().is_none() && is_whole {
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
    match &directive.mechanism {
        Mechanism::Ptr(_) => {
            report.at("SPF045", text, span.clone(), "ptr is slow, unreliable and discouraged");
        }
        Mechanism::A(A { cidr, .. }) | Mechanism::Mx(Mx { cidr, .. }) => {
            report.at("SPF051", text, span.clone(), "addresses would cost no lookup");
            if directive.qualifier == Qualifier::Pass {
                let (ip4, ip6) = (format!("/{}", cidr.ip4), format!("//{}", cidr.ip6));
                broad(report, text, &span, (&ip4, cidr.ip4, 16, 8));
                broad(report, text, &span, (&ip6, cidr.ip6, 32, 0));
            }
        }
        Mechanism::Exists(exists) if exists.domain_spec.literal().is_none() => {
            let message = "every check tells that domain about the client";
            report.at("SPF069", text, span.clone(), message);
        }
        _ => {}
    }
    let parts = directive.mechanism.domain_spec().map(|spec| spec.parts()).unwrap_or_default();
    macros(report, text, parts, &span);
    // What "exists" asks for may be answered by a server of its own, whatever it is.
    if !matches!(directive.mechanism, Mechanism::Exists(_)) {
        odd(report, text, parts, &span);
    }
}

/// The macro-string of RFC 7208 7.1 has every visible octet, and names have but few: a URI, a mail
/// address or braces without a percent sign lead nowhere.
fn odd(report: &mut Report, text: Text<'_>, parts: &[Part], span: &Range<usize>) {
    let literals = parts.iter().filter_map(|part| match part {
        Part::Literal(literal) => Some(&**literal),
        _ => None,
    });
    let mut letters = literals.flat_map(str::chars);
    if let Some(letter) = letters.find(|letter| ":/@{}()<>[]\"'\\".contains(*letter)) {
        report.at("SPF018", text, span.clone(), format!("no name has {letter:?} in it"));
    }
}

fn macros(report: &mut Report, text: Text<'_>, parts: &[Part], span: &Range<usize>) {
    for part in parts {
        let Part::Macro(one) = part else { continue };
        match one.letter {
            MacroLetter::Ptr => {
                report.at("SPF024", text, span.clone(), "the macro p is discouraged");
            }
            MacroLetter::Sender | MacroLetter::LocalPart => {
                report.at("SPF025", text, span.clone(), "the sender's address goes into the DNS");
            }
            _ => {}
        }
    }
}

fn modifier(
    report: &mut Report,
    text: Text<'_>,
    modifier: &Modifier,
    (may_fail, last): (bool, usize),
) {
    let span = modifier.span.clone();
    let comes_early = last > span.end;
    match &modifier.kind {
        ModifierKind::Unknown { name, .. } => {
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "ra" | "rp" | "rr" => {
                    report.at("SPF026", text, span, "hardly anybody sends such reports");
                }
                // They are told as what they were meant to be.
                "ip4" | "ip6" | "include" | "a" | "mx" | "all" | "exists" | "ptr" => {}
                _ => report.at("SPF012", text, span, format!("nobody knows the modifier {name}")),
            }
            return;
        }
        ModifierKind::Explanation(spec) => {
            macros(report, text, spec.parts(), &span);
            if !may_fail {
                report.at("SPF039", text, span.clone(), "nothing fails, so nothing is explained");
            }
        }
        ModifierKind::Redirect(spec) => {
            macros(report, text, spec.parts(), &span);
            odd(report, text, spec.parts(), &span);
        }
    }
    if comes_early {
        report.at("SPF038", text, span, "a mechanism stands behind it");
    }
}

/// What the networks of the record are, and how they lie in each other.
fn networks(report: &mut Report, text: Text<'_>, record: &Record) {
    let mut seen: Vec<IpNet> = Vec::new();
    let mut passing: Vec<IpNet> = Vec::new();
    for directive in record.directives() {
        let span = directive.span.clone();
        let network = match &directive.mechanism {
            Mechanism::Ip4(ip4) => IpNet::V4(ip4.network),
            Mechanism::Ip6(ip6) => IpNet::V6(ip6.network),
            _ => continue,
        };
        if network.addr() != network.network() {
            let message = format!("the whole of {} is meant", network.trunc());
            report.at("SPF017", text, span.clone(), message);
        }
        if directive.qualifier == Qualifier::Pass {
            size(report, text, &network, &span);
            if passing.len() < report.limits.spf_compared {
                passing.push(network.trunc());
            }
        }
        if network.prefix_len() >= RESERVED_BITS && is_reserved(network.addr()) {
            let message = format!("{network} is not public");
            report.at("SPF062", text, span.clone(), message);
        }
        if let Some(wider) = seen.iter().find(|wider| wider.contains(&network)) {
            report.at("SPF050", text, span, format!("{wider} has it all"));
        }
        if seen.len() < report.limits.spf_compared {
            seen.push(network.trunc());
        }
    }
    parts(report, text, &passing);
}

fn size(report: &mut Report, text: Text<'_>, network: &IpNet, span: &Range<usize>) {
    let what = network.to_string();
    let limits = report.limits;
    let (warn, bad) = match network {
        IpNet::V4(_) => (limits.ipv4_prefix, limits.ipv4_prefix_error),
        IpNet::V6(_) => (limits.ipv6_prefix, 0),
    };
    broad(report, text, span, (&what, network.prefix_len(), warn, bad));
}

/// A prefix that is shorter than it may be.
fn broad(
    report: &mut Report,
    text: Text<'_>,
    span: &Range<usize>,
    (what, length, warn, bad): (&str, u8, u8, u8),
) {
    if length == 0 {
        report.at("SPF060", text, span.clone(), format!("{what} is the whole Internet"));
    } else if length < warn {
        report.at("SPF061", text, span.clone(), format!("{what} is very large"));
        if length < bad {
            report.severity(Severity::Error);
        }
    }
}

/// Parts are the whole, too.
fn parts(report: &mut Report, text: Text<'_>, passing: &Vec<IpNet>) {
    let is_whole = |network: &IpNet| network.prefix_len() == 0;
    if !passing.iter().any(is_whole) && IpNet::aggregate(passing).iter().any(is_whole) {
        let message = "these networks are the whole Internet together";
        report.at("SPF060", text, 0..text.octets.len(), message);
    }
}

/// Whether a directive lets everybody pass, whoever it names.
pub(super) fn is_everybody(directive: &Directive) -> bool {
    let matches_all = match &directive.mechanism {
        Mechanism::All => true,
        Mechanism::Ip4(ip4) => ip4.network.prefix_len() == 0,
        Mechanism::Ip6(ip6) => ip6.network.prefix_len() == 0,
        Mechanism::A(A { cidr, .. }) | Mechanism::Mx(Mx { cidr, .. }) => {
            cidr.ip4 == 0 || cidr.ip6 == 0
        }
        _ => false,
    };
    matches_all && directive.qualifier == Qualifier::Pass
}
