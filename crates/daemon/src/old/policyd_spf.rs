//! policyd-spf.conf.

use super::Draft;
use super::lines::{Reader, count, items, list, seconds};
use crate::finding::{Finding, Severity};
use crate::settings::{HeaderType, Listener, RejectAt, Role};
use crate::value::Endpoint;

/// Where the policy service listens, which Postfix starts itself in the older setting.
const SOCKET: &str = "/var/spool/postfix/mailproofd/policy.sock";

pub(super) fn apply(reader: &mut Reader, draft: &mut Draft) {
    reader.origins = std::mem::take(&mut draft.origins);
    let service = &mut draft.settings.spf_service;
    reader.set("helo_reject", "spf-service.helo", &mut service.helo, reject_at);
    reader.set("mail_from_reject", "spf-service.mail-from", &mut service.mail_from, reject_at);
    for (name, path, target) in [
        ("permerror_reject", "spf-service.reject-permerror", &mut service.reject_permerror),
        ("temperror_defer", "spf-service.defer-temperror", &mut service.defer_temperror),
        ("no_mail", "spf-service.no-mail-only", &mut service.no_mail_only),
        ("hide_receiver", "spf-service.hide-receiver", &mut service.hide_receiver),
    ] {
        reader.set(name, path, target, yes);
    }
    for name in ["defaultseedonly", "testonly"] {
        let refuses = reader.value(name, "spf-service.test-only", yes);
        service.test_only = refuses.map_or(service.test_only, |refuses| !refuses);
    }
    let skip = &mut service.skip_addresses;
    reader.set("skip_addresses", "spf-service.skip-addresses", skip, items);
    let allow = &mut service.allow_addresses;
    reader.set("whitelist", "spf-service.allow-addresses", allow, items);
    let domains = |text: &str| Ok::<_, &str>(list(text).collect::<Vec<_>>());
    let not_pass = &mut service.reject_not_pass_domains;
    reader.set("reject_not_pass_domains", "spf-service.reject-not-pass-domains", not_pass, domains);
    reader.set("header_type", "spf-service.header", &mut service.header, header);
    let text = |text: &str| Ok::<_, &str>(text.to_owned());
    reader.set("reason_message", "spf-service.text", &mut service.text, text);
    if let Some(id) = reader.value("authserv_id", "spf-service.authserv-id", str::parse::<_>) {
        service.authserv_id = Some(id);
    }
    reader.set("lookup_time", "spf-service.timeout", &mut service.timeout, seconds);
    reader.set("void_limit", "spf-service.void-lookups", &mut service.void_lookups, count);
    listener(reader, draft);
    draft.origins = std::mem::take(&mut reader.origins);
}

fn listener(reader: &mut Reader, draft: &mut Draft) {
    let mut listener = Listener::new(Endpoint::Local(SOCKET.into()));
    listener.roles = vec![Role::Policy];
    draft.settings.listeners.push(listener);
    let place = reader.whole();
    reader.say(
        Finding::new(
            Severity::Note,
            "policy-socket",
            format!(
                "Postfix starts policyd-spf for each connection; mailproofd listens at {SOCKET} \
                 in its place"
            ),
        )
        .at(place)
        .advice(
            "In main.cf write \"check_policy_service unix:mailproofd/policy.sock\", and remove \
             policyd-spf from master.cf.",
        ),
    );
    if let Some(line) = reader.line("mock") {
        let sentence = "policyd-spf checks nothing with this line, whatever its value is; \
                        mailproofd checks SPF";
        reader.say(Finding::new(Severity::Warning, "spf-mock", sentence).at(line.place));
    }
}

fn yes(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("expected True or False"),
    }
}

fn reject_at(text: &str) -> Result<RejectAt, &'static str> {
    match text {
        "SPF_Not_Pass" => Ok(RejectAt::NotPass),
        "Softfail" => Ok(RejectAt::Softfail),
        "Fail" => Ok(RejectAt::Fail),
        "Null" => Ok(RejectAt::Null),
        "False" => Ok(RejectAt::Never),
        "No_Check" => Ok(RejectAt::NoCheck),
        _ => Err("expected SPF_Not_Pass, Softfail, Fail, Null, False or No_Check"),
    }
}

fn header(text: &str) -> Result<HeaderType, &'static str> {
    match text {
        "SPF" => Ok(HeaderType::ReceivedSpf),
        "AR" => Ok(HeaderType::AuthenticationResults),
        "None" => Ok(HeaderType::None),
        _ => Err("expected SPF, AR or None"),
    }
}
