//! What an outcome is made of: limits that are reached, passes, the trace, the header values.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_authres::{AuthenticationResults, Charset};
use mailproof_dns::{Answers, Zone};
use mailproof_spf::{
    Checker, Event, Limits, Outcome, ReceivedSpf, Request, SpfResult, Target, check_host,
};

fn request() -> Request<'static> {
    Request::mail_from([192, 0, 2, 1].into(), "mail.example.org", "user@example.com")
        .receiver("mx.example.net")
}

fn within(limits: Limits, zone: &str) -> Outcome {
    let mut checker = Checker::new(limits);
    Zone::parse(zone).unwrap().resolve(|answers| checker.check_host(&request(), answers))
}

/// The outcome within the default limits, and how often `check_host` was called.
fn passes(zone: &Zone, answers: &mut Answers) -> (Outcome, usize) {
    let mut passes = 0;
    loop {
        passes += 1;
        match check_host(&request(), answers) {
            Ok(outcome) => return (outcome, passes),
            Err(missing) => answers.extend(missing.into_questions().into_iter().map(|question| {
                let response = zone.lookup(&question);
                (question, response)
            })),
        }
    }
}

#[test]
fn every_limit_is_reached() {
    let limits = Limits::default();
    let why = |limits, zone| within(limits, zone).cause.keyword();
    let two = "example.com TXT \"v=spf1 a mx -all\"\nexample.com A 192.0.2.9\n\
               example.com MX 1 a.example.com\nexample.com MX 2 b.example.com\n\
               a.example.com A 192.0.2.8\nb.example.com A 192.0.2.7";
    assert_eq!(why(limits, two), "match");
    assert_eq!(why(Limits { terms: 2, ..limits }, two), "match");
    assert_eq!(why(Limits { terms: 1, ..limits }, two), "term-limit");
    assert_eq!(why(Limits { mx_hosts: 2, ..limits }, two), "match");
    assert_eq!(why(Limits { mx_hosts: 1, ..limits }, two), "mx-limit");
    assert_eq!(why(Limits { queries: 5, ..limits }, two), "match");
    assert_eq!(why(Limits { queries: 4, ..limits }, two), "query-limit");
    assert_eq!(why(Limits { record_octets: 16, ..limits }, two), "match");
    assert_eq!(why(Limits { record_octets: 15, ..limits }, two), "record-too-long");
    let void = "example.com TXT \"v=spf1 a -all\"";
    assert_eq!(why(Limits { void_lookups: 1, ..limits }, void), "match");
    assert_eq!(why(Limits { void_lookups: 0, ..limits }, void), "void-lookup-limit");
    let ptr = "example.com TXT \"v=spf1 ptr -all\"\n1.2.0.192.in-addr.arpa PTR a.example.com\n\
               1.2.0.192.in-addr.arpa PTR b.example.com\nb.example.com A 192.0.2.1";
    assert_eq!(within(Limits { ptr_names: 2, ..limits }, ptr).result, SpfResult::Pass);
    assert_eq!(within(Limits { ptr_names: 1, ..limits }, ptr).result, SpfResult::Fail);
    let exp =
        "example.com TXT \"v=spf1 -all exp=why.example.com\"\nwhy.example.com TXT \"because\"";
    let short = within(Limits { explanation_octets: 4, ..limits }, exp);
    assert_eq!(short.explanation.unwrap().text, "beca");
}

/// The time over a resolver is one round for each level: records below each other, not beside.
#[test]
fn passes_follow_the_depth_of_the_tree() {
    let zone = Zone::parse(
        "example.com TXT \"v=spf1 mx a:www.example.com include:a.example.com include:b.example.com -all\"\n\
         example.com MX 1 mx.example.com\nmx.example.com A 192.0.2.9\nwww.example.com A 192.0.2.8\n\
         a.example.com TXT \"v=spf1 include:c.example.com a:www.example.com ~all\"\n\
         b.example.com TXT \"v=spf1 include:d.example.com mx:example.com ~all\"\n\
         c.example.com TXT \"v=spf1 exists:no.example.com ~all\"\n\
         d.example.com TXT \"v=spf1 ip4:192.0.2.1 ~all\"",
    )
    .unwrap();
    let mut answers = Answers::new();
    let (outcome, passes) = passes(&zone, &mut answers);
    assert_eq!(outcome.result, SpfResult::Pass);
    // Three records deep, and what the deepest one asks; the last pass has the outcome.
    assert_eq!(passes, 3 + 1 + 1);
    assert_eq!((outcome.counts.terms, outcome.counts.queries), (8, 10));
    assert_eq!(answers.len(), 9);
}

#[test]
fn only_what_the_budget_allows_is_foreseen() {
    let many: Vec<String> = (0..50).map(|n| format!("a:h{n}.example.com")).collect();
    let record = format!("v=spf1 {} -all", many.join(" "));
    let strings: Vec<String> = record
        .as_bytes()
        .chunks(200)
        .map(|part| format!("\"{}\"", str::from_utf8(part).unwrap()))
        .collect();
    let zone = Zone::parse(&format!("example.com TXT {}", strings.join(" "))).unwrap();
    let mut answers = Answers::new();
    passes(&zone, &mut answers);
    assert_eq!(answers.len(), 1 + 10);
}

#[test]
fn after_a_sure_match_nothing_is_foreseen() {
    let zone = Zone::parse(
        "example.com TXT \"v=spf1 a:one.example.com ip4:192.0.2.1 a:two.example.com -all exp=x.example.com\"",
    )
    .unwrap();
    let mut answers = Answers::new();
    passes(&zone, &mut answers);
    assert_eq!(answers.len(), 2);
}

#[test]
fn the_trace_is_the_tree() {
    let zone = Zone::parse(
        "example.com TXT \"v=spf1 exists:%{h}..x a include:%{d2}.example.net -all\"\n\
         example.com A 192.0.2.9\n\
         example.com.example.net TXT \"v=spf1 ip4:192.0.2.0/24\"",
    )
    .unwrap();
    let mut checker = Checker::default();
    let (outcome, trace) = zone.resolve(|answers| checker.trace(&request(), answers));
    let check = trace.check.unwrap();
    assert_eq!((outcome.result, check.result), (SpfResult::Pass, SpfResult::Pass));
    assert_eq!(check.record.unwrap().len(), 54);
    assert_eq!(check.lookups.len(), 1);
    let terms: Vec<_> = check.terms.iter().map(|term| (term.text.as_str(), term.event)).collect();
    assert_eq!(
        terms,
        [
            ("exists:%{h}..x", Event::NoMatch),
            ("a", Event::NoMatch),
            ("include:%{d2}.example.net", Event::Match)
        ]
    );
    assert_eq!(check.terms[0].target, Some(Target::Invalid(b"mail.example.org..x".to_vec())));
    assert_eq!(check.terms[1].lookups[0].question.to_string(), "example.com A");
    let include = &check.terms[2];
    assert_eq!(include.target, Some(Target::Name("example.com.example.net".parse().unwrap())));
    assert_eq!((include.counts.terms, include.counts.void_lookups), (3, 1));
    let inner = include.check.as_ref().unwrap();
    assert_eq!(inner.domain.to_string(), "example.com.example.net");
    assert_eq!(inner.terms[0].text, "ip4:192.0.2.0/24");
}

#[test]
fn a_ttl_is_that_of_the_result() {
    let zone = "$TTL 600\nexample.com TXT \"v=spf1 a -all\"\nexample.com 60 A 192.0.2.1";
    assert_eq!(within(Limits::default(), zone).ttl, Some(60));
    let personal = "$TTL 600\nexample.com TXT \"v=spf1 exists:%{l}.example.com -all\"";
    assert_eq!(within(Limits::default(), personal).ttl, None);
}

#[test]
fn what_goes_into_an_authentication_results_field() {
    let field = |zone: &str, request: &Request<'_>| {
        let outcome = Zone::parse(zone).unwrap().resolve(|answers| check_host(request, answers));
        AuthenticationResults::new("mx.example.net")
            .with(outcome.method_result())
            .to_field(Charset::Ascii)
            .replace("\r\n\t", " ")
    };
    let pass = "example.com TXT \"v=spf1 ip4:192.0.2.1\"";
    assert_eq!(
        field(pass, &request()),
        "Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.com\r\n"
    );
    let helo = Request::helo([192, 0, 2, 1].into(), "example.com");
    assert_eq!(
        field("", &helo),
        "Authentication-Results: mx.example.net; spf=none reason=\"example.com does not exist\" \
         smtp.helo=example.com\r\n"
    );
    let bad = Request::mail_from([192, 0, 2, 1].into(), "x", "a@example.com; dkim=pass");
    assert!(!field("", &bad).contains("smtp."));
}

#[test]
fn a_received_spf_field() {
    let outcome = within(Limits::default(), "example.com TXT \"v=spf1 ip4:192.0.2.0/24 -all\"");
    assert_eq!(
        ReceivedSpf::new(&request(), &outcome).to_string(),
        "Received-SPF: pass (mx.example.net: domain of user@example.com designates\r\n \
         192.0.2.1 as permitted sender) receiver=mx.example.net; identity=mailfrom;\r\n \
         client-ip=192.0.2.1; helo=mail.example.org; envelope-from=\"user@example.com\";\r\n \
         mechanism=\"ip4:192.0.2.0/24\""
    );
    let hostile = Request::mail_from(
        "2001:db8::1".parse().unwrap(),
        "x (\r\nX-Evil: 1",
        "\"a)\\\u{7}\u{e9}\"@example.com",
    );
    let outcome = Zone::parse("example.com TXT \"v=spf1 mx:x -all\"")
        .unwrap()
        .resolve(|answers| check_host(&hostile, answers));
    let text = ReceivedSpf::new(&hostile, &outcome).to_string();
    assert!(text.starts_with("Received-SPF: none ("), "{text}");
    assert!(text.contains("helo=\"x (??X-Evil: 1\""), "{text}");
    let read = ReceivedSpf::parse(&text.as_bytes()["Received-SPF:".len()..]).unwrap();
    assert_eq!(read.value("client-ip"), Some("2001:db8::1"));
}
