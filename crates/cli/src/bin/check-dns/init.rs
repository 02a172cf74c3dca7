//! A manifest of what is found: the start of checking a domain in CI.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::IpAddr;

use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::input::{STDIN, reason};
use mailproof_cli::output::remark;
use mailproof_cli::selectors;
use mailproof_dkim::KeyRecord;
use mailproof_dns::{Answers, Data, Missing, Name, Question, RecordType, Response};
use mailproof_records::{Policy, Profile};
use mailproof_spf::{Request, SpfResult, check_host};

use crate::cli::Init;
use crate::dns::{Asker, Dns};
use crate::manifest::{POLICIES, PROFILES};
use crate::sample;

/// What is found for one domain.
#[derive(Debug, Default)]
struct Found {
    profile: Option<Profile>,
    selectors: Vec<Name>,
    dmarc: Option<Policy>,
    /// The mail exchanges that pass SPF.
    senders: Vec<Name>,
    /// What could not be looked up.
    unknown: Vec<String>,
}

pub(crate) fn init(options: &Init) -> Result<Exit, Trouble> {
    let mut samples = Vec::new();
    for path in &options.message {
        samples.extend(sample::signatures(path)?);
    }
    let dns = Dns::new(&options.dns, None, false)?;
    let mut text = String::from(
        "# What is expected of the mail records of these domains: check-dns reads it.\n\
         # docs/check-dns.md tells every key.\n",
    );
    let mut exit = Exit::Good;
    let jobs = options.domains.iter().cloned().map(|domain| {
        let mut selectors = options.selector.clone();
        let signed = samples.iter().filter(|(signer, _)| *signer == domain);
        selectors.extend(signed.map(|(_, selector)| selector.clone()));
        selectors.extend(dns.zones().selectors(&domain));
        (domain, selectors)
    });
    dns.each(
        jobs,
        async |(domain, selectors): &(Name, Vec<Name>),
               asker: &Asker<'_>,
               answers: &mut Answers| {
            asker.resolve(answers, |answers| look(domain, selectors, answers)).await
        },
        |(domain, _), found, _| {
            for unknown in &found.unknown {
                remark("warning", format_args!("{domain}: {unknown}"));
                exit = Exit::Temporary;
            }
            // Writing to a String does not fail.
            let _ = write(&mut text, &domain, &found);
            Ok(())
        },
    )?;
    dns.finish()?;
    if options.output.as_os_str() == STDIN {
        io::stdout().write_all(text.as_bytes())?;
        return Ok(exit);
    }
    let name = options.output.to_string_lossy();
    let mut open = OpenOptions::new();
    open.write(true);
    let open = if options.force { open.create(true).truncate(true) } else { open.create_new(true) };
    let mut file = open.open(&options.output).map_err(|error| {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        let reason =
            if is_there { "it exists; --force replaces it".into() } else { reason(&error) };
        Trouble::input(&*name, reason)
    })?;
    file.write_all(text.as_bytes()).map_err(|error| Trouble::input(&*name, reason(&error)))?;
    remark("note", format_args!("{name} is written; check-dns checks what it says"));
    Ok(exit)
}

/// What the DNS has for a domain.
fn look(domain: &Name, selectors: &[Name], answers: &Answers) -> Result<Found, Missing> {
    let mut found = Found::default();
    let mut missing = Missing::new();
    let mut candidates: Vec<Name> = selectors.to_vec();
    candidates.extend(selectors::USUAL.iter().filter_map(|selector| selector.parse().ok()));
    let mut at = |prefix: &str, rtype| {
        let name = if prefix.is_empty() { domain.clone() } else { domain.prepend(prefix).ok()? };
        let question = Question::new(name, rtype);
        let response = missing.lookup(answers, &question)?;
        if let Response::Failure(failure) = response {
            found.unknown.push(format!("{question}: {failure}"));
        }
        Some(response)
    };
    let apex = at("", RecordType::Txt);
    let exchanges = at("", RecordType::Mx);
    let dmarc = at("_dmarc", RecordType::Txt);
    let keys: Vec<Option<&Response>> = candidates
        .iter()
        .map(|selector| at(&format!("{selector}._domainkey"), RecordType::Txt))
        .collect();
    missing.into_result()?;
    for (selector, key) in candidates.iter().zip(keys) {
        let key = key.and_then(|key| key.texts().next()).map(|txt| KeyRecord::parse(txt.joined()));
        let is_usable = matches!(key, Some(Ok(KeyRecord { public_key: Some(_), .. })));
        if (is_usable || selectors.contains(selector)) && !found.selectors.contains(selector) {
            found.selectors.push(selector.clone());
        }
    }
    let dmarc = dmarc.and_then(|dmarc| {
        dmarc.texts().find_map(|txt| mailproof_dmarc::Record::parse(txt.joined()).ok())
    });
    found.dmarc = dmarc.and_then(|record| record.policies()).map(|policies| policies.domain);
    let exchanges: Vec<Name> = exchanges
        .map(Response::data)
        .unwrap_or_default()
        .iter()
        .filter_map(|data| match data {
            Data::Mx(mx) => Some(mx.exchange.clone()),
            _ => None,
        })
        .collect();
    let sends_nothing = apex.is_some_and(|apex| {
        apex.texts().any(|txt| txt.joined().eq_ignore_ascii_case(b"v=spf1 -all"))
    });
    let is_null = exchanges.iter().any(|exchange| *exchange == Name::root());
    found.profile = (sends_nothing && (is_null || exchanges.is_empty())).then_some(Profile::NoMail);
    let mut missing = Missing::new();
    for exchange in exchanges.into_iter().filter(|exchange| *exchange != Name::root()) {
        match passes(domain, &exchange, answers) {
            Ok(true) => found.senders.push(exchange),
            Ok(false) => {}
            Err(more) => missing.merge(more),
        }
    }
    missing.into_result()?;
    Ok(found)
}

/// Whether all addresses of a host pass SPF, and it has some.
fn passes(domain: &Name, host: &Name, answers: &Answers) -> Result<bool, Missing> {
    let mut missing = Missing::new();
    let mut addresses: Vec<IpAddr> = Vec::new();
    for rtype in [RecordType::A, RecordType::Aaaa] {
        let response = missing.lookup(answers, &Question::new(host.clone(), rtype));
        let data = response.map(Response::data).unwrap_or_default();
        addresses.extend(data.iter().filter_map(|data| match data {
            Data::A(address) => Some(IpAddr::V4(*address)),
            Data::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        }));
    }
    missing.into_result()?;
    let (helo, sender) = (host.to_string(), format!("postmaster@{domain}"));
    let mut all = !addresses.is_empty();
    for address in addresses {
        let outcome = check_host(&Request::mail_from(address, &helo, &sender), answers)?;
        all &= outcome.result == SpfResult::Pass;
    }
    Ok(all)
}

fn write(text: &mut String, domain: &Name, found: &Found) -> std::fmt::Result {
    writeln!(text, "\n[domains.{}]", quoted(domain))?;
    let keyword = |profile| PROFILES.iter().find(|(_, value)| *value == profile);
    let profile = keyword(found.profile.unwrap_or(Profile::Sender));
    if let Some((keyword, _)) = profile {
        writeln!(text, "profile = \"{keyword}\"")?;
    }
    let list = |names: &[Name]| names.iter().map(quoted).collect::<Vec<_>>().join(", ");
    if found.selectors.is_empty() {
        if found.profile != Some(Profile::NoMail) {
            writeln!(text, "# No DKIM key was found under a common selector: name yours.")?;
            writeln!(text, "# selectors = [\"default\"]")?;
        }
    } else {
        writeln!(text, "selectors = [{}]", list(&found.selectors))?;
        if let Some(selector) = found.selectors.first() {
            writeln!(text, "# keys = {{ {} = \"path/of/the/private.key\" }}", quoted(selector))?;
        }
    }
    match found.dmarc.and_then(|policy| POLICIES.iter().find(|(_, value)| *value == policy)) {
        Some((keyword, _)) => writeln!(text, "dmarc = \"{keyword}\"")?,
        None => writeln!(text, "# dmarc = \"quarantine\"")?,
    }
    if found.senders.is_empty() {
        writeln!(text, "# must-pass = [\"192.0.2.1\"]")
    } else {
        writeln!(text, "must-pass = [{}]", list(&found.senders))
    }
}

/// A name as a TOML string; its print has no quote, and a backslash is for the string to escape.
fn quoted(name: &Name) -> String {
    let name = name.to_string();
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
