//! The verdicts of SPF, DMARC, ARC and iprev for reading.

use std::io::{self, Write};

use mailproof::arc::ChainStatus;
use mailproof::authres::Charset;
use mailproof::dmarc::{self, DmarcResult, Rejection};
use mailproof::spf::SpfResult;
use mailproof::{IprevResult, Verdict};
use mailproof_cli::escape::{safe, visible};
use mailproof_cli::output::{INDENT, Output, Paint, Painted};
use mailproof_dkim::DkimResult;

use crate::check::Checked;
use crate::claims::claims;
use crate::found::found;

/// The summary: one word for each method.
pub(crate) fn summary(paint: Paint, verdict: &Verdict) -> String {
    let mut words = vec![
        format!("DMARC {}", dmarc_word(paint, verdict.dmarc.result)),
        format!("DKIM {}", word(paint, verdict.dkim.result().keyword())),
    ];
    if let Some(spf) = &verdict.spf {
        words.push(format!("SPF {}", word(paint, &spf.deciding().result.to_string())));
    }
    if verdict.arc.result() != ChainStatus::None {
        words.push(format!("ARC {}", word(paint, verdict.arc.result().keyword())));
    }
    words.join(", ")
}

/// All verdicts but those of DKIM.
pub(crate) fn print(out: &mut Output, checked: &Checked, verdict: &Verdict) -> io::Result<()> {
    dmarc(out, verdict)?;
    older(out, checked, verdict)?;
    spf(out, checked, verdict)?;
    if verdict.arc.result() != ChainStatus::None {
        let result = verdict.arc.result().keyword();
        let sets = match verdict.arc.sets.len() {
            0 => String::new(),
            1 => ", 1 set".into(),
            sets => format!(", {sets} sets"),
        };
        line(out, result, &format!("ARC{sets}"))?;
        out.detail("why", &safe(&verdict.arc.cause.to_string()).to_string())?;
        since_sealed(out, checked, verdict)?;
        if let Some(chain) = &verdict.arc_override {
            let text = format!(
                "all sealers are trusted here, and the first says that DMARC passed: nothing is \
                 done on what DMARC asks for ({})",
                safe(&chain.comment)
            );
            out.detail("note", &text)?;
        }
    }
    if let Some(iprev) = &verdict.iprev {
        let name = iprev.cause.name().map(|name| format!(" is {name}")).unwrap_or_default();
        line(out, iprev.result().keyword(), &format!("iprev, {}{name}", iprev.ip))?;
        if iprev.result() != IprevResult::Pass {
            out.detail("why", &iprev.cause.keyword().replace('-', " "))?;
        }
    }
    Ok(())
}

/// What was done to the message since a set was made whose message signature fails.
fn since_sealed(out: &mut Output, checked: &Checked, verdict: &Verdict) -> io::Result<()> {
    for set in &verdict.arc.sets {
        for sentence in checked.set_diagnosis(set).iter().flat_map(found) {
            out.detail("found", &format!("since set {}: {sentence}", set.instance()))?;
        }
    }
    Ok(())
}

/// What the results mean, which field tells of them, and what others claimed.
pub(crate) fn print_end(out: &mut Output, checked: &Checked, verdict: &Verdict) -> io::Result<()> {
    out.detail("means", &meaning(verdict))?;
    out.label("adds")?;
    let field = verdict.authentication_results().to_field(Charset::Utf8);
    for (index, part) in field.trim_end().split("\r\n").enumerate() {
        let indent = if index == 0 { 0 } else { INDENT };
        writeln!(out, "{:indent$}{}", "", visible(part.replace('\t', "    ").as_bytes()))?;
    }
    for claim in claims(&checked.header) {
        out.detail("claimed", &claim.to_string())?;
    }
    Ok(())
}

fn dmarc(out: &mut Output, verdict: &Verdict) -> io::Result<()> {
    let outcome = &verdict.dmarc;
    let mut about = String::from("DMARC");
    if let Some(author) = &outcome.author_domain {
        about.push_str(&format!(" {author}"));
    }
    if let (Some(policy), Some(found)) = (outcome.assessment_policy, &outcome.policy_record) {
        let tested = if found.record.testing { " (in testing, t=y)" } else { "" };
        about.push_str(&format!(", policy {policy}{tested} by _dmarc.{}", found.domain));
    }
    line(out, outcome.result.keyword(), &about)?;
    out.detail("why", &safe(&outcome.cause.to_string()).to_string())
}

/// What RFC 7489 makes of it, where that is something else.
fn older(out: &mut Output, checked: &Checked, verdict: &Verdict) -> io::Result<()> {
    let now = &verdict.dmarc;
    let Some(older) = &checked.older else { return Ok(()) };
    let is_same = (older.result, older.policy) == (now.result, now.policy);
    if is_same || older.result == DmarcResult::Temperror {
        return Ok(());
    }
    let mut text = format!(
        "receivers that still follow RFC 7489, with its list of public suffixes, see {}",
        older.result.keyword()
    );
    if let (Some(policy), Some(found)) = (older.policy, &older.policy_record) {
        text.push_str(&format!(", policy {policy} by _dmarc.{}", found.domain));
    }
    text.push_str(&format!(": {}", safe(&older.cause.to_string())));
    out.detail("note", &text)
}

fn spf(out: &mut Output, checked: &Checked, verdict: &Verdict) -> io::Result<()> {
    let (Some(spf), Ok(envelope)) = (&verdict.spf, &checked.envelope) else {
        if let Err(reason) = &checked.envelope {
            out.detail("note", &format!("SPF was not checked; {reason}"))?;
        }
        return Ok(());
    };
    let outcome = spf.deciding();
    let about = match &spf.mail_from {
        Some(_) => format!("SPF, MAIL FROM <{}>", visible(envelope.mail_from.as_bytes())),
        None => format!("SPF, HELO {}", visible(envelope.helo.as_bytes())),
    };
    line(out, &outcome.result.to_string(), &format!("{about} from {}", envelope.ip))?;
    let mut why = safe(&outcome.cause.to_string()).to_string();
    if let Some(term) = &outcome.term {
        why.push_str(&format!(" ({} of {})", safe(&term.text), term.owner));
    }
    out.detail("why", &why)?;
    if let Some(explanation) = &outcome.explanation {
        out.detail("says", &visible(explanation.text.as_bytes()).to_string())?;
    }
    for derived in &envelope.derived {
        out.detail("assumed", derived)?;
    }
    Ok(())
}

fn line(out: &mut Output, keyword: &str, about: &str) -> io::Result<()> {
    let keyword = word(out.paint, &format!("{keyword:9}"));
    writeln!(out, "  {keyword} {about}")
}

fn dmarc_word(paint: Paint, result: DmarcResult) -> String {
    word(paint, result.keyword())
}

fn word(paint: Paint, keyword: &str) -> String {
    let painted: Painted<String> = match keyword.trim_end() {
        "pass" => paint.good(keyword.to_owned()),
        "none" | "neutral" | "temperror" => paint.doubtful(keyword.to_owned()),
        _ => paint.bad(keyword.to_owned()),
    };
    painted.to_string()
}

/// A paragraph that a postmaster can forward.
fn meaning(verdict: &Verdict) -> String {
    let outcome = &verdict.dmarc;
    let Some(author) = &outcome.author_domain else {
        return "From does not name one domain, so nobody can prove that the message is from there."
            .into();
    };
    match &outcome.cause {
        dmarc::Cause::Aligned(identifier) if identifier.domain == *author => format!(
            "The message is from {author}, as From says: {} passes for that very domain.",
            method(identifier.mechanism)
        ),
        dmarc::Cause::Aligned(identifier) => format!(
            "The message is from {author}, as From says: {} passes for {}, a domain of the same \
             organization.",
            method(identifier.mechanism),
            identifier.domain
        ),
        _ => match outcome.result {
            DmarcResult::None => format!(
                "{author} publishes no DMARC policy: receivers do not compare From with what SPF \
                 and DKIM prove, and anybody can write that domain there. {}",
                proved(verdict)
            ),
            DmarcResult::Temperror => "DNS trouble keeps the answer open; try again later.".into(),
            _ => format!(
                "From says {author}, and nothing proves it: SPF or DKIM would have to pass for \
                 that domain{}. {} {}",
                organization(outcome),
                proved(verdict),
                advised(outcome)
            ),
        },
    }
}

fn organization(outcome: &dmarc::Outcome) -> String {
    match &outcome.organizational_domain {
        Some(domain) => format!(" or, in relaxed mode, another one of {domain}"),
        None => String::new(),
    }
}

fn method(mechanism: dmarc::Mechanism) -> &'static str {
    match mechanism {
        dmarc::Mechanism::Spf => "SPF",
        dmarc::Mechanism::Dkim => "DKIM",
    }
}

/// For whom SPF and DKIM pass.
fn proved(verdict: &Verdict) -> String {
    let mut said = Vec::new();
    let mut domains: Vec<String> =
        verdict.dkim.passing_domains().map(ToString::to_string).collect();
    domains.dedup();
    said.push(match (domains.is_empty(), verdict.dkim.result()) {
        (false, _) => format!("DKIM passes for {}", domains.join(", ")),
        (true, DkimResult::None) => "the message has no DKIM signature".into(),
        (true, result) => format!("DKIM does not pass ({result})"),
    });
    match verdict.spf.as_ref().map(|spf| spf.deciding()) {
        Some(outcome) if outcome.result == SpfResult::Pass => {
            let domain = outcome.domain.as_ref().map(ToString::to_string).unwrap_or_default();
            said.push(format!("SPF passes for {domain}"));
        }
        Some(outcome) => said.push(format!("SPF does not pass ({})", outcome.result)),
        None => said.push("SPF was not checked".into()),
    }
    let mut text = said.join(", and ");
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    text + "."
}

/// RFC 9989 7.4: receivers do not reject on p=reject alone.
fn advised(outcome: &dmarc::Outcome) -> String {
    let Some(policy) = outcome.assessment_policy else { return String::new() };
    let disposition = outcome.disposition(Rejection::default()).keyword();
    let testing = match &outcome.policy_record {
        Some(found) if found.record.testing => ", one level lower while it is tested (t=y)",
        _ => "",
    };
    format!(
        "The policy asked for is {policy}{testing}; by RFC 9989 7.4 a receiver that knows no more \
         does: {disposition}."
    )
}
