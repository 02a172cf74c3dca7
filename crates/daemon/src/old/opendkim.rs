//! opendkim.conf.

use std::path::PathBuf;

use mailproof_dkim::FieldSelection;
use mailproof_dns_hickory::NameServer;

use super::Draft;
use super::lines::{Reader, boolean, count, integer, list, seconds, words};
use crate::finding::{Finding, Severity};
use crate::settings::{
    Action, Listener, LogTarget, MacroRule, Role, Settings, SignKey, SignTable, TemporaryAction,
};
use crate::value::{AuthservIdError, Endpoint, FileMode, signer};

pub(super) fn apply(reader: &mut Reader, draft: &mut Draft) {
    reader.origins = std::mem::take(&mut draft.origins);
    let settings = &mut draft.settings;
    process(reader, settings);
    listener(reader, settings);
    who(reader, settings);
    keys(reader, settings);
    how(reader, settings);
    verify(reader, settings);
    results(reader, settings);
    draft.origins = std::mem::take(&mut reader.origins);
}

/// What both milters have in common.
pub(super) fn process(reader: &mut Reader, settings: &mut Settings) {
    if let Some(account) = reader.value("userid", "user", str::parse)
        && settings.user.is_none()
    {
        settings.user = Some(account);
    }
    if let Some(id) = reader.value("authservid", "authserv-id", str::parse::<_>) {
        settings.authserv_id = id;
    }
    let path = |text: &str| Ok::<_, AuthservIdError>(Some(PathBuf::from(text)));
    if settings.pid_file.is_none() {
        reader.set("pidfile", "pid-file", &mut settings.pid_file, path);
    }
    if let Some(seconds) = reader.value("dnstimeout", "dns.timeout", seconds) {
        if seconds.0 > 0 {
            settings.dns.timeout = seconds;
        } else {
            let sentence = "DNSTimeout 0 would wait for ever; it is 5 s here";
            let place = reader.origins.place("dns.timeout");
            reader.say(Finding::new(Severity::Note, "dns-timeout", sentence).at(place));
        }
    }
    if let Some(false) = reader.value("syslog", "log.to", boolean) {
        settings.log.to = LogTarget::None;
    }
    let text = |text: &str| Ok::<_, AuthservIdError>(text.to_owned());
    reader.set("syslogfacility", "log.facility", &mut settings.log.facility, str::parse);
    reader.set("syslogname", "log.name", &mut settings.log.name, text);
    if let Some(true) = reader.value("requiredheaders", "policy.required-headers", boolean) {
        settings.policy.required_headers = Action::Reject;
    }
}

/// The socket, with its mode.
pub(super) fn socket(reader: &mut Reader, settings: &Settings) -> Option<Listener> {
    let path = format!("listener[{}].socket", settings.listeners.len());
    if reader.line("socket").is_none() {
        let sentence = "no Socket is set, so Postfix cannot connect";
        let finding = Finding::new(Severity::Error, "no-socket", sentence).at(reader.whole());
        reader
            .say(finding.advice("Set Socket, also if the command line of the old daemon has it."));
    }
    let mut listener = Listener::new(reader.value("socket", &path, str::parse::<Endpoint>)?);
    let mask = |text: &str| Ok::<_, &str>(u32::try_from(integer(text)?).unwrap_or(0o777));
    if let Some(mask) = reader.value("umask", &path.replace("socket", "mode"), mask) {
        listener.mode = FileMode(0o777 & !mask);
    }
    Some(listener)
}

fn listener(reader: &mut Reader, settings: &mut Settings) {
    let mode = |text: &str| {
        let role = |character| match character {
            's' => Ok(Role::Sign),
            'v' => Ok(Role::Verify),
            other => Err(format!("{other:?} is no mode; there are s (sign) and v (verify)")),
        };
        text.chars().map(role).collect::<Result<Vec<Role>, String>>()
    };
    let path = format!("listener[{}].roles", settings.listeners.len());
    let roles = reader.value("mode", &path, mode);
    if let Some(mut listener) = socket(reader, settings) {
        listener.roles = roles.unwrap_or(listener.roles);
        settings.listeners.push(listener);
    }
}

/// Whose mail is signed, and whose is passed through.
fn who(reader: &mut Reader, settings: &mut Settings) {
    reader.items("internalhosts", "sign.internal-hosts", &mut settings.sign.internal_hosts);
    reader.items("peerlist", "peers", &mut settings.peers);
    reader.items("exemptdomains", "exempt-domains", &mut settings.exempt_domains);
    reader.items("dontsignmailto", "sign.not-to", &mut settings.sign.not_to);
    reader.set("mta", "sign.mta-names", &mut settings.sign.mta_names, words);
    let macros = |text: &str| {
        let rules = words(text)?.into_iter().map(|rule| rule.parse::<MacroRule>());
        rules.collect::<Result<Vec<_>, _>>().map_err(|_| "expected NAME or NAME=VALUE|VALUE")
    };
    reader.set("macrolist", "sign.macros", &mut settings.sign.macros, macros);
}

fn keys(reader: &mut Reader, settings: &mut Settings) {
    let tables = (
        reader.data_set("keytable", "sign.table.keys"),
        reader.data_set("signingtable", "sign.table.authors"),
    );
    let has = |reader: &Reader, name| reader.line(name).is_some();
    match tables {
        (Some(keys), Some(authors)) => {
            let multiple = reader.is_on("multiplesignatures");
            settings.sign.table = Some(SignTable { keys, authors, multiple });
            for name in ["Domain", "Selector", "KeyFile"] {
                if let Some(line) = reader.line(&name.to_lowercase()) {
                    let sentence = format!("{name} does not count beside a KeyTable");
                    reader.say(
                        Finding::new(Severity::Note, "not-beside-table", sentence).at(line.place),
                    );
                }
            }
        }
        _ if has(reader, "keytable") != has(reader, "signingtable") => {
            let (there, missing) = match has(reader, "keytable") {
                true => ("KeyTable", "SigningTable"),
                false => ("SigningTable", "KeyTable"),
            };
            let place = reader.line(&there.to_lowercase()).map(|line| line.place);
            let sentence = format!("{there} needs a {missing} beside it: nothing can be signed");
            reader.say(Finding::new(Severity::Error, "table-alone", sentence).at(place));
        }
        _ if has(reader, "keytable") => {}
        _ => simple_key(reader, settings),
    }
}

/// `Domain`, `Selector` and `KeyFile`.
fn simple_key(reader: &mut Reader, settings: &mut Settings) {
    let mut domains = Vec::new();
    reader.items("domain", "sign.key[0].domains", &mut domains);
    let selector = reader.value("selector", "sign.key[0].selector", signer::parse);
    let path = |text: &str| Ok::<_, AuthservIdError>(PathBuf::from(text));
    let file = reader.value("keyfile", "sign.key[0].file", path);
    let names = ["domain", "selector", "keyfile"];
    let Some(place) = names.iter().rev().find_map(|name| reader.line(name)).map(|line| line.place)
    else {
        return;
    };
    reader.origins.set("sign.key", place.clone());
    let subdomains = reader.is_on("subdomains");
    match (selector, file) {
        (Some(selector), Some(file)) => {
            settings.sign.keys.push(SignKey { domains, subdomains, selector, file });
        }
        (None, _) if reader.line("selector").is_none() => {
            let sentence = "Selector is not set: nothing can be signed";
            reader.say(Finding::new(Severity::Error, "selector-missing", sentence).at(place));
        }
        (_, None) => {
            let sentence = "KeyFile is not set: nothing can be signed";
            reader.say(Finding::new(Severity::Error, "key-file-missing", sentence).at(place));
        }
        _ => {}
    }
}

/// How it is signed.
fn how(reader: &mut Reader, settings: &mut Settings) {
    let sign = &mut settings.sign;
    reader.set("canonicalization", "sign.canonicalization", &mut sign.canonicalization, str::parse);
    let names = |text: &str| words(text).map(Some);
    reader.set("oversignheaders", "sign.oversign", &mut sign.oversign, names);
    if let Some(names) = reader.value("signheaders", "sign.fields", fields) {
        sign.fields = Some(names);
    }
    let omit = reader.value("omitheaders", "sign.fields", words);
    if let Some(omit) = omit {
        let omitted = |name: &String| {
            omit.iter().any(|o| o.trim_start_matches('+').eq_ignore_ascii_case(name))
        };
        let mut names = sign.fields.take().unwrap_or_else(all_fields);
        // RFC 6376 5.4: "The From header field MUST be signed".
        names.retain(|name| name.eq_ignore_ascii_case("From") || !omitted(name));
        sign.fields = Some(names);
    }
    if let Some(ttl) = reader.value("signaturettl", "sign.expire", seconds) {
        sign.expire = Some(ttl).filter(|ttl| ttl.0 > 0);
    }
    let safe = &mut sign.require_safe_keys;
    reader.set("requiresafekeys", "sign.require-safe-keys", safe, boolean);
    let remove = &mut sign.remove_old;
    reader.set("removeoldsignatures", "sign.remove-old", remove, boolean);
    if let Some(bits) = reader.value("minimumkeybits", "sign.minimum-key-bits", count)
        && bits > 1024
    {
        (sign.minimum_key_bits, settings.verify.minimum_key_bits) = (bits, bits);
    }
    let log = &mut settings.log;
    // opendkim.conf(5): the default is not to log success.
    log.success = false;
    reader.set("syslogsuccess", "log.success", &mut log.success, boolean);
    reader.set("logresults", "log.results", &mut log.results, boolean);
    reader.set("logwhy", "log.why", &mut log.why, boolean);
}

/// What SignHeaders names: a list, or `*` and what is added and left out.
fn fields(text: &str) -> Result<Vec<String>, &'static str> {
    let is_delta = |part: &String| part == "*" || part.starts_with(['+', '-']);
    let parts = words(text)?;
    let mut names = if parts.iter().any(is_delta) { all_fields() } else { Vec::new() };
    for part in parts.iter().filter(|part| *part != "*") {
        match part.strip_prefix('-') {
            Some(out) if out.eq_ignore_ascii_case("From") => {
                return Err("From is always signed (RFC 6376 5.4)");
            }
            Some(out) => names.retain(|name| !name.eq_ignore_ascii_case(out)),
            None => names.push(part.trim_start_matches('+').to_owned()),
        }
    }
    if !names.iter().any(|name| name.eq_ignore_ascii_case("From")) {
        names.insert(0, "From".to_owned());
    }
    Ok(names)
}

fn all_fields() -> Vec<String> {
    let FieldSelection { sign, oversign } = FieldSelection::default();
    oversign.into_iter().chain(sign).collect()
}

fn verify(reader: &mut Reader, settings: &mut Settings) {
    let verify = &mut settings.verify;
    reader.set("clockdrift", "verify.clock-drift", &mut verify.clock_drift, seconds);
    let signatures = &mut verify.signatures;
    reader.set("maximumsignaturestoverify", "verify.signatures", signatures, count);
    reader.set("removearall", "verify.remove-all-results", &mut verify.remove_all_results, boolean);
    let ids = |text: &str| list(text).map(|id| id.parse()).collect::<Result<Vec<_>, _>>();
    let path = "verify.remove-results-of";
    reader.set("removearfrom", path, &mut verify.remove_results_of, ids);
    let octets = &mut settings.limits.header_octets;
    reader.set("maximumheaders", "limits.header-octets", octets, count);
    if *octets == 0 {
        *octets = crate::settings::Limits::default().header_octets;
    }
    let servers = |text: &str| {
        list(text).map(|server| server.parse()).collect::<Result<Vec<NameServer>, _>>()
    };
    reader.set("nameservers", "dns.name-servers", &mut settings.dns.name_servers, servers);
}

/// What is done about the results.
fn results(reader: &mut Reader, settings: &mut Settings) {
    if let Some(default) = reader.value("on-default", "policy.dkim", action) {
        let dkim = &mut settings.policy.dkim;
        (dkim.bad_signature, dkim.key_not_found, dkim.no_signature) = (default, default, default);
        settings.sign.on_error = default;
    }
    let dkim = &mut settings.policy.dkim;
    for (name, path, target) in [
        ("on-badsignature", "policy.dkim.bad-signature", &mut dkim.bad_signature),
        ("on-keynotfound", "policy.dkim.key-not-found", &mut dkim.key_not_found),
        ("on-nosignature", "policy.dkim.no-signature", &mut dkim.no_signature),
        ("on-signatureerror", "sign.on-error", &mut settings.sign.on_error),
    ] {
        reader.set(name, path, target, action);
    }
    if reader.is_on("quarantine") && dkim.bad_signature == Action::Accept {
        dkim.bad_signature = Action::Quarantine;
    }
    let default = reader.line("on-default").and_then(|line| action(&line.value).ok());
    let set = reader.value("on-dnserror", "policy.dkim.dns-error", action).or(default);
    if let Some(action) = set {
        dkim.dns_error = match action {
            Action::Accept => TemporaryAction::Accept,
            Action::Quarantine => TemporaryAction::Quarantine,
            Action::Tempfail => TemporaryAction::Tempfail,
            Action::Reject | Action::Discard => {
                let sentence = "trouble with the DNS is temporary, and never refused for good: it \
                                is answered with 4xx";
                let line = reader.line("on-dnserror").or_else(|| reader.line("on-default"));
                let place = line.map(|line| line.place);
                reader.say(Finding::new(Severity::Warning, "temporary-reject", sentence).at(place));
                TemporaryAction::Tempfail
            }
        };
    }
}

/// An action by its name or the first letter of it.
fn action(text: &str) -> Result<Action, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "a" | "accept" => Ok(Action::Accept),
        "d" | "discard" => Ok(Action::Discard),
        "q" | "quarantine" => Ok(Action::Quarantine),
        "r" | "reject" => Ok(Action::Reject),
        "t" | "tempfail" => Ok(Action::Tempfail),
        _ => Err("expected accept, discard, quarantine, reject or tempfail"),
    }
}
