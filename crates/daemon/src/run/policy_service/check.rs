//! SPF of a client at RCPT TO, and what is done about it, as policyd-spf.conf(5) has it.

use mailproof::authres::{AuthenticationResults, Charset};
use mailproof::spf::{
    Checker, Identity, Limits, Outcome, ReceivedSpf, Request as Query, Session, SpfResult,
};
use mailproof_dns::{Answers, Missing, Question, resolve_with};

use super::action::{Action, unfold};
use super::request::Request;
use crate::run::state::{State, now};
use crate::settings::{HeaderType, RejectAt, SpfService};

/// The octets of a field beyond which its comment is left out. RFC 5322 2.1.1 has 998 for a line.
const LONG: usize = 900;

/// The outcomes of the identities that are checked, and whether the record forbids all mail.
#[derive(Debug, Default)]
struct Checked {
    helo: Option<Outcome>,
    mail_from: Option<Outcome>,
    helo_forbids_all: bool,
    mail_from_forbids_all: bool,
}

/// Checks the client of a request.
pub(crate) async fn check(request: &Request, state: &State) -> Action {
    let config = &state.config;
    let service = &config.settings.spf_service;
    let Some(ip) = request.ip() else { return Action::Dunno };
    // Who has proved who it is may send from anywhere.
    if config.settings.verify.ignore_authenticated && !request.sasl_method.is_empty() {
        return Action::Dunno;
    }
    for (list, comment) in [
        (&config.skip_addresses, "SPF check N/A for local connections"),
        (&config.allow_addresses, "SPF skipped for whitelisted relay"),
    ] {
        if list.contains(None, Some(ip)) {
            return skipped(request, comment, state);
        }
    }
    let receiver = if service.hide_receiver { "" } else { request.receiver() };
    let session = Session {
        ip,
        helo: &request.helo,
        reverse_path: &request.sender,
        receiver: (!receiver.is_empty()).then_some(receiver),
        now: now(),
    };
    let checked = evaluate(request, &session, state).await;
    for outcome in [&checked.helo, &checked.mail_from].into_iter().flatten() {
        state.metrics.spf(outcome.result);
    }
    decide(request, &session, &checked, service)
        .unwrap_or_else(|told| told.map_or(Action::Dunno, |told| field(&session, told, state)))
}

async fn evaluate(request: &Request, session: &Session<'_>, state: &State) -> Checked {
    let service = &state.config.settings.spf_service;
    let limits = Limits {
        void_lookups: u32::try_from(service.void_lookups).unwrap_or(u32::MAX),
        ..Limits::default()
    };
    let mut checker = Checker::new(limits);
    let helo = service.helo != RejectAt::NoCheck && !request.helo.is_empty();
    // RFC 7208 2.4: a null reverse-path is postmaster at the HELO name, which was checked then.
    let mail_from = service.mail_from != RejectAt::NoCheck
        && request.has_sender()
        && !(helo && request.sender.is_empty());
    let mut answers = Answers::new();
    let dns = state.dns_for(service.timeout);
    let (helo, mail_from) =
        resolve_with(&dns, &mut answers, &mailproof_dns::Limits::default(), |answers| {
            let helo = helo.then(|| checker.check_host(&session.helo(), answers));
            let mail_from = mail_from.then(|| checker.check_host(&session.mail_from(), answers));
            both(helo, mail_from)
        })
        .await;
    let forbids = |outcome: &Option<Outcome>| {
        let domain = outcome.as_ref().and_then(|outcome| outcome.domain.clone());
        let response = domain.and_then(|domain| answers.lookup(&Question::txt(domain)));
        response.is_some_and(|it| it.texts().any(|text| is_forbidding(text.joined())))
    };
    let (helo_forbids_all, mail_from_forbids_all) = (forbids(&helo), forbids(&mail_from));
    Checked { helo, mail_from, helo_forbids_all, mail_from_forbids_all }
}

/// Whether a record is nothing but `-all`.
fn is_forbidding(record: &[u8]) -> bool {
    let mut words = record.split(|&octet| octet == b' ').filter(|word| !word.is_empty());
    let is = |word: Option<&[u8]>, text: &[u8]| word.is_some_and(|w| w.eq_ignore_ascii_case(text));
    is(words.next(), b"v=spf1") && is(words.next(), b"-all") && words.next().is_none()
}

type Asked = Option<Result<Outcome, Missing>>;

/// Both outcomes, or the questions of both.
fn both(helo: Asked, mail_from: Asked) -> Result<(Option<Outcome>, Option<Outcome>), Missing> {
    match (helo.transpose(), mail_from.transpose()) {
        (Ok(helo), Ok(mail_from)) => Ok((helo, mail_from)),
        (Ok(_), Err(missing)) | (Err(missing), Ok(_)) => Err(missing),
        (Err(mut missing), Err(more)) => {
            missing.merge(more);
            Err(missing)
        }
    }
}

/// The refusal, or else the outcome to tell of, if any was had.
fn decide<'c>(
    request: &Request,
    session: &Session<'_>,
    checked: &'c Checked,
    service: &SpfService,
) -> Result<Action, Option<&'c Outcome>> {
    let (helo, mail_from) = (checked.helo.as_ref(), checked.mail_from.as_ref());
    // RFC 7208 2.3: HELO is checked first, and its fail suffices.
    for (outcome, at, forbids_all) in [
        (helo, service.helo, checked.helo_forbids_all),
        (mail_from, service.mail_from, checked.mail_from_forbids_all),
    ] {
        let Some(outcome) = outcome else { continue };
        let at = match at {
            _ if is_listed(outcome, service) => RejectAt::NotPass,
            RejectAt::Null if !request.sender.is_empty() => continue,
            at => at,
        };
        if let Some(refusal) = refusal(session, outcome, at, forbids_all, service) {
            return Ok(refusal);
        }
    }
    // Of two that have no record, the sender's is told of: who reads the field looks for that.
    let has_record = |outcome: &&Outcome| outcome.result != SpfResult::None;
    Err(mail_from.filter(has_record).or(helo.filter(has_record)).or(mail_from).or(helo))
}

/// Whether nothing but a pass will do for the domain.
fn is_listed(outcome: &Outcome, service: &SpfService) -> bool {
    let domain = outcome.domain.as_ref().map(ToString::to_string);
    let is = |listed: &String| domain.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(listed));
    service.reject_not_pass_domains.iter().any(is)
}

fn refusal(
    session: &Session<'_>,
    outcome: &Outcome,
    at: RejectAt,
    forbids_all: bool,
    service: &SpfService,
) -> Option<Action> {
    if service.test_only || matches!(at, RejectAt::Never | RejectAt::NoCheck) {
        return None;
    }
    let (is_refused, detail) = match outcome.result {
        SpfResult::None | SpfResult::Pass => return None,
        // RFC 7372 3.2: X.7.23 is "SPF validation failed", X.7.24 "SPF validation error", used "in
        // place of 4.4.3 or 5.5.2, as described in Sections 8.6 and 8.7 of RFC 7208".
        SpfResult::Fail => (true, 23),
        SpfResult::Softfail => (matches!(at, RejectAt::Softfail | RejectAt::NotPass), 23),
        SpfResult::Neutral => (at == RejectAt::NotPass, 23),
        SpfResult::Permerror => (service.reject_permerror, 24),
        SpfResult::Temperror => {
            let text = |text| Action::Defer(24, text);
            return service
                .defer_temperror
                .then(|| text(reply(session, outcome, "deferred", service)));
        }
    };
    let is_refused = is_refused && (forbids_all || !service.no_mail_only);
    is_refused.then(|| Action::Reject(detail, reply(session, outcome, "rejected", service)))
}

/// The text of a refusal. The words of policyd-spf, which people search their logs for.
fn reply(session: &Session<'_>, outcome: &Outcome, done: &str, service: &SpfService) -> String {
    let explanation = outcome.explanation.as_ref().map(ToString::to_string);
    let reason = match outcome.result {
        SpfResult::Softfail | SpfResult::Neutral if is_listed(outcome, service) => {
            format!("Receiver policy for SPF {}", outcome.result)
        }
        SpfResult::Fail => explanation.unwrap_or_else(|| "SPF fail - not authorized".to_owned()),
        SpfResult::Permerror => format!("SPF Permanent Error: {}", outcome.cause),
        SpfResult::Temperror => format!("SPF Temporary Error: {}", outcome.cause),
        result => format!("SPF {result} - {}", outcome.cause),
    };
    let (scope, id) = match outcome.identity {
        Identity::Helo => ("helo", session.helo),
        Identity::MailFrom => ("mfrom", session.reverse_path),
    };
    let receiver = session.receiver.unwrap_or_default();
    let url = || {
        let ip = session.ip;
        format!("http://www.openspf.net/Why?s={scope};id={id};ip={ip};r={receiver}")
    };
    let mut text = String::new();
    let mut rest = service.text.as_str();
    // In one pass: what is put in is not looked at again.
    while let Some((before, after)) = rest.split_once('{') {
        text += before;
        match after.split_once('}') {
            Some(("spf", after)) => (text, rest) = (text + &reason, after),
            Some(("rejectdefer", after)) => (text, rest) = (text + done, after),
            Some(("url", after)) => (text, rest) = (text + &url(), after),
            _ => (text, rest) = (text + "{", after),
        }
    }
    text + rest
}

/// The field that tells of an outcome.
fn field(session: &Session<'_>, outcome: &Outcome, state: &State) -> Action {
    let query: Query<'_> = match outcome.identity {
        Identity::Helo => session.helo(),
        Identity::MailFrom => session.mail_from(),
    };
    match state.config.settings.spf_service.header {
        HeaderType::None => Action::Dunno,
        HeaderType::ReceivedSpf => {
            let mut field = ReceivedSpf::new(&query, outcome);
            let mut text = unfold(&field.to_string());
            if text.len() > LONG {
                field.comment = None;
                text = unfold(&field.to_string());
            }
            Action::Prepend(text)
        }
        HeaderType::AuthenticationResults => {
            let field = AuthenticationResults::new(state.policy_authserv_id());
            Action::Prepend(one_line(&field.with(outcome.method_result())))
        }
    }
}

fn one_line(field: &AuthenticationResults) -> String {
    unfold(&field.to_field(Charset::Ascii))
}

/// The field of a client that is not checked.
fn skipped(request: &Request, comment: &str, state: &State) -> Action {
    let service = &state.config.settings.spf_service;
    let Request { client_address, helo, sender, .. } = request;
    let receiver = if service.hide_receiver { "<UNKNOWN>" } else { request.receiver() };
    match service.header {
        HeaderType::None => Action::Dunno,
        HeaderType::ReceivedSpf => Action::Prepend(format!(
            "X-Comment: {comment} - client-ip={client_address}; helo={helo}; \
             envelope-from={sender}; receiver={receiver}"
        )),
        // RFC 8601 2.2: no-result, and nothing else may stand in it.
        HeaderType::AuthenticationResults => {
            Action::Prepend(one_line(&AuthenticationResults::new(state.policy_authserv_id())))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use mailproof_dns::Zone;

    use super::*;

    const ZONE: &str = r#"
pass.example TXT "v=spf1 ip4:192.0.2.1 -all"
none.example A 192.0.2.9
soft.example TXT "v=spf1 ~all"
neutral.example TXT "v=spf1 ?all"
fail.example TXT "v=spf1 ip4:198.51.100.9 -all"
nomail.example TXT "v=spf1 -all"
exp.example TXT "v=spf1 -all exp=why.exp.example"
why.exp.example TXT "%{i} is not ours"
broken.example TXT "v=spf1 foo:bar"
down.example SERVFAIL
"#;

    /// What is done about a client 192.0.2.1, or which result is told.
    fn ask(service: &SpfService, helo: &str, sender: &str) -> String {
        let zone = Zone::parse(ZONE).unwrap();
        let request = Request { helo: helo.into(), sender: sender.into(), ..Request::default() };
        let ip: IpAddr = [192, 0, 2, 1].into();
        let session =
            Session { ip, helo, reverse_path: sender, receiver: Some("example.net"), now: 0 };
        let outcome =
            |query| zone.resolve(|answers| Checker::default().check_host(&query, answers));
        let checked = Checked {
            helo: (service.helo != RejectAt::NoCheck).then(|| outcome(session.helo())),
            mail_from: (service.mail_from != RejectAt::NoCheck && !sender.is_empty())
                .then(|| outcome(session.mail_from())),
            helo_forbids_all: helo == "nomail.example",
            mail_from_forbids_all: sender.ends_with("@nomail.example"),
        };
        match decide(&request, &session, &checked, service) {
            Ok(action) => action.to_string(),
            Err(Some(told)) => format!("{} {}", told.identity, told.result),
            Err(None) => "nothing".into(),
        }
    }

    #[test]
    fn the_defaults_of_policyd_spf() {
        let service = SpfService::default();
        let ask = |helo, sender| ask(&service, helo, sender);
        assert_eq!(ask("none.example", "a@pass.example"), "mailfrom pass");
        assert_eq!(ask("none.example", "a@soft.example"), "mailfrom softfail");
        assert_eq!(ask("none.example", "a@broken.example"), "mailfrom permerror");
        assert_eq!(ask("none.example", "a@down.example"), "mailfrom temperror");
        assert_eq!(ask("pass.example", "a@none.example"), "helo pass");
        assert_eq!(ask("none.example", "a@none.example"), "mailfrom none");
        assert_eq!(ask("pass.example", ""), "helo pass");
        let refused = "550 5.7.23 Message rejected due to: SPF fail - not authorized";
        assert_eq!(ask("none.example", "a@fail.example"), refused);
        assert_eq!(ask("fail.example", "a@pass.example"), refused);
        assert_eq!(ask("fail.example", ""), refused);
        assert_eq!(
            ask("none.example", "a@exp.example"),
            "550 5.7.23 Message rejected due to: exp.example explains: 192.0.2.1 is not ours"
        );
    }

    #[test]
    fn every_degree() {
        let with = |helo, mail_from| SpfService { helo, mail_from, ..SpfService::default() };
        let is_refused = |service: &SpfService, helo: &str, sender: &str| {
            ask(service, helo, sender).starts_with("550 5.7.23 Message rejected due to: ")
        };
        for (at, fail, softfail, neutral) in [
            (RejectAt::NotPass, true, true, true),
            (RejectAt::Softfail, true, true, false),
            (RejectAt::Fail, true, false, false),
            (RejectAt::Never, false, false, false),
            (RejectAt::NoCheck, false, false, false),
        ] {
            let (of_mail, of_helo) = (with(RejectAt::NoCheck, at), with(at, RejectAt::NoCheck));
            for (domain, expected) in [
                ("fail.example", fail),
                ("soft.example", softfail),
                ("neutral.example", neutral),
                ("none.example", false),
                ("broken.example", false),
                ("down.example", false),
            ] {
                let sender = format!("a@{domain}");
                assert_eq!(is_refused(&of_mail, "", &sender), expected, "{at:?} {domain}");
                assert_eq!(is_refused(&of_helo, domain, ""), expected, "{at:?} {domain}");
            }
        }
        let null = with(RejectAt::Null, RejectAt::Fail);
        assert!(is_refused(&null, "fail.example", ""));
        assert_eq!(ask(&null, "fail.example", "a@pass.example"), "mailfrom pass");
        let nothing = with(RejectAt::NoCheck, RejectAt::NoCheck);
        assert_eq!(ask(&nothing, "fail.example", "a@fail.example"), "nothing");
    }

    #[test]
    fn errors_and_exceptions() {
        let service = SpfService {
            reject_permerror: true,
            defer_temperror: true,
            reject_not_pass_domains: vec!["Soft.example".into()],
            ..SpfService::default()
        };
        let text = ask(&service, "none.example", "a@broken.example");
        let start = "550 5.7.24 Message rejected due to: SPF Permanent Error: record of broken.";
        assert!(text.starts_with(start), "{text}");
        let text = ask(&service, "none.example", "a@down.example");
        let start = "DEFER_IF_PERMIT 4.7.24 Message deferred due to: SPF Temporary Error: down.ex";
        assert!(text.starts_with(start), "{text}");
        assert_eq!(
            ask(&service, "none.example", "a@soft.example"),
            "550 5.7.23 Message rejected due to: Receiver policy for SPF softfail"
        );
        assert_eq!(ask(&service, "none.example", "a@neutral.example"), "mailfrom neutral");
        let never = SpfService { mail_from: RejectAt::Never, ..service.clone() };
        assert_eq!(ask(&never, "none.example", "a@down.example"), "mailfrom temperror");
        let test = SpfService { test_only: true, ..service.clone() };
        assert_eq!(ask(&test, "none.example", "a@fail.example"), "mailfrom fail");
        let no_mail = SpfService { no_mail_only: true, ..service };
        assert_eq!(ask(&no_mail, "none.example", "a@fail.example"), "mailfrom fail");
        assert!(ask(&no_mail, "none.example", "a@nomail.example").starts_with("550 5.7.23 "));
        let url = SpfService { text: "{spf} {x} See {url}".into(), no_mail_only: false, ..no_mail };
        assert_eq!(
            ask(&url, "none.example", "{url}@fail.example"),
            "550 5.7.23 SPF fail - not authorized {x} See http://www.openspf.net/Why?s=mfrom;\
             id={url}@fail.example;ip=192.0.2.1;r=example.net"
        );
    }

    #[test]
    fn records_that_forbid_all() {
        assert!(is_forbidding(b"v=spf1 -all") && is_forbidding(b"V=SPF1  -ALL "));
        assert!(!is_forbidding(b"v=spf1 a -all") && !is_forbidding(b"v=spf1 ~all"));
    }
}
