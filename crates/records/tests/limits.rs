//! Every limit is reached, and thresholds can be set otherwise.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mailproof_dns::{Question, RecordType, Zone, resolve_blocking};
use mailproof_records::{
    Attempt, Document, Limits, Registration, Report, Request, Selectors, Targets, WeakKeys,
    WeakKeysError, check, targets,
};

const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn request(limits: Limits) -> Request {
    let mut request = Request::new("example.com".parse().unwrap());
    request.now = 1_700_000_000;
    request.limits = limits;
    request
}

fn judge(zone: &str, request: &Request) -> Report {
    Zone::parse(zone).unwrap().resolve(|answers| check(request, answers))
}

fn fetch(zone: &str, limits: Limits) -> Targets {
    Zone::parse(zone).unwrap().resolve(|answers| targets(&request(limits), answers))
}

/// How often a rule finds something.
fn count(report: &Report, id: &str) -> usize {
    report.findings.iter().filter(|finding| finding.rule.id == id).count()
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

#[test]
fn findings_are_bounded() {
    let zone = format!("example.com. TXT \"v=spf1 {}-all\"\n", "x=y ".repeat(40));
    let limits = Limits { repeats: 3, ..Limits::default() };
    assert_eq!(count(&judge(&zone, &request(limits)), "SPF012"), 3);
    let mut request = request(limits);
    let content = b"<svg><script/><script/><script/><script/></svg>".to_vec();
    let document = Document { media_type: "image/svg+xml".to_owned(), content };
    request.fetched.logo = Some(Attempt::Came(document));
    assert_eq!(count(&judge("", &request), "BIMI003"), 3);
}

#[test]
fn hosts_are_bounded() {
    let zone = lines(12, |n| {
        format!("example.com. MX {n} m{n}.example.com.\nm{n}.example.com. A 9.9.9.{n}\n")
    });
    let report = judge(&zone, &request(Limits::default()));
    assert_eq!((count(&report, "MX014"), count(&report, "PTR001")), (1, 10));
    let limits = Limits { exchanges: 4, addresses: 2, ..Limits::default() };
    let report = judge(&zone, &request(limits));
    assert_eq!((count(&report, "MX014"), count(&report, "PTR001")), (1, 2));
    assert_eq!(fetch(&zone, limits).exchanges.len(), 4);
    let names = lines(3, |n| format!("1.9.9.9.in-addr.arpa. PTR p{n}.example.com.\n"));
    let zone = format!(
        "example.com. MX 1 m.example.com.\nm.example.com. A 9.9.9.1\n{names}\
         p2.example.com. A 9.9.9.1\n"
    );
    assert_eq!(count(&judge(&zone, &request(Limits::default())), "PTR002"), 0);
    let limits = Limits { reverse_names: 2, ..Limits::default() };
    assert_eq!(count(&judge(&zone, &request(limits)), "PTR002"), 1);
}

#[test]
fn trees_are_bounded() {
    let zone = lines(20, |n| {
        let next = n + 1;
        let owner = if n == 0 { "example.com.".to_owned() } else { format!("s{n}.example.com.") };
        format!("{owner} TXT \"v=spf1 include:s{next}.example.com -all\"\n")
    });
    let depth = |limits| judge(&zone, &request(limits)).tree.len();
    assert_eq!(depth(Limits { spf_depth: 3, ..Limits::default() }), 4);
    assert_eq!(depth(Limits { spf_records: 5, ..Limits::default() }), 5);
    assert_eq!(depth(Limits { spf_asked: 6, ..Limits::default() }), 7);
    let limits = Limits { spf_lookups: 30, ..Limits::default() };
    assert_eq!(count(&judge(&zone, &request(limits)), "SPF040"), 0);
    assert_eq!(count(&judge(&zone, &request(Limits::default())), "SPF040"), 1);
    let zone = "example.com. TXT \"v=spf1 a:x.example.com a:y.example.com a:z.example.com -all\"\n";
    assert_eq!(count(&judge(zone, &request(Limits::default())), "SPF042"), 1);
    let limits = Limits { spf_void: 3, ..Limits::default() };
    assert_eq!(count(&judge(zone, &request(limits)), "SPF042"), 0);
}

#[test]
fn moduli_are_bounded() {
    // 15 and 21, with the exponent 3.
    let zone = "a._domainkey.example.com. TXT \"v=DKIM1; p=MAYCAQ8CAQM=\"\n\
                b._domainkey.example.com. TXT \"v=DKIM1; p=MAYCARUCAQM=\"\n";
    let found = |limits| {
        let mut request = request(limits);
        request.selectors = ["a", "b"].map(|selector| selector.parse().unwrap()).to_vec();
        let report = judge(zone, &request);
        let is_common = |message: &str| message.contains("have a common factor");
        report.findings.iter().filter(|finding| is_common(&finding.message)).count()
    };
    assert_eq!(found(Limits::default()), 1);
    assert_eq!(found(Limits { moduli: 1, ..Limits::default() }), 0);
}

#[test]
fn lists_of_weak_keys_are_bounded() {
    let add = |octets: usize, limits: Limits| {
        let list = format!("{}\n7ca42da076005858388d", "#".repeat(octets - 21));
        WeakKeys::default().add("list", list.as_bytes(), &limits)
    };
    let limits = Limits { weak_keys: 40, ..Limits::default() };
    assert_eq!(add(40, limits), Ok(()));
    assert_eq!(add(41, limits), Err(WeakKeysError::TooLong(40)));
    let most = 16 << 20;
    assert_eq!(add(most, Limits::default()), Ok(()));
    assert_eq!(add(most + 1, Limits::default()), Err(WeakKeysError::TooLong(most)));
}

#[test]
fn networks_are_as_large_as_allowed() {
    let found = |record: &str, limits| {
        let zone = format!("example.com. TXT \"v=spf1 {record} -all\"\n");
        count(&judge(&zone, &request(limits)), "SPF061")
    };
    let strict = Limits { ipv4_prefix: 24, ipv6_prefix: 48, ..Limits::default() };
    for record in ["ip4:9.9.0.0/20", "ip6:2620:fe::/40"] {
        assert_eq!((found(record, Limits::default()), found(record, strict)), (0, 1), "{record}");
    }
    let few = Limits { ipv4_addresses: 300, ..Limits::default() };
    assert_eq!(found("ip4:9.9.8.0/24 ip4:9.9.9.0/24", few), 1);
    // What is not added up and not compared is not found.
    let none = Limits { spf_networks: 1, ..few };
    assert_eq!(found("ip4:9.9.8.0/24 ip4:9.9.10.0/24", none), 0);
    let zone = "example.com. TXT \"v=spf1 ip4:9.9.9.1 ip4:9.9.8.0/24 ip4:9.9.8.1 -all\"\n";
    let limits = Limits { spf_compared: 1, ..Limits::default() };
    assert_eq!(count(&judge(zone, &request(limits)), "SPF050"), 0);
    assert_eq!(count(&judge(zone, &request(Limits::default())), "SPF050"), 1);
}

#[test]
fn times_are_as_long_as_allowed() {
    let limits = Limits { spf_time: Duration::from_secs(1), ..Limits::default() };
    let mut slow = request(limits);
    let question = Question::new("example.com".parse().unwrap(), RecordType::Txt);
    slow.slow = vec![(question, Duration::from_secs(2))];
    let zone =
        format!("example.com. TXT \"v=spf1 -all\"\ns._domainkey.example.com. TXT \"{KEY}\"\n");
    assert_eq!(count(&judge(&zone, &slow), "SPF053"), 1);
    let mut request = request(Limits { reports: Duration::from_secs(60), ..Limits::default() });
    request.selectors = vec!["s".parse().unwrap()];
    request.reports = Some(Selectors { seen: Vec::new(), begin: 0, end: 100 });
    assert_eq!(count(&judge(&zone, &request), "DKIM027"), 1);
    let ends = Some(request.now + 1000);
    let registration = Registration { ends, states: Vec::new() };
    request.fetched.registrations =
        vec![("example.com".parse().unwrap(), Attempt::Came(registration))];
    assert_eq!(count(&judge(&zone, &request), "DNS020"), 1);
    request.limits.registration_end = Duration::from_secs(100);
    assert_eq!(count(&judge(&zone, &request), "DNS020"), 0);
}

#[test]
fn what_there_is_to_fetch() {
    let zone = "example.com. TXT \"v=spf1 include:_spf.a.example.net include:b.example.net \
                redirect=c.example.org\"\n\
                example.com. MX 10 m.example.com.\nexample.com. NS ns1.example.com.\n\
                example.com. NS ns2.example.com.\nmta-sts.example.com. A 9.9.9.9\n\
                default._bimi.example.com. TXT \"v=BIMI1; l=https://example.com/l.svg; a=\"\n";
    let found = fetch(zone, Limits::default());
    let names = |names: &[mailproof_dns::Name]| -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    };
    assert_eq!(found.policy, Some("mta-sts.example.com".parse().unwrap()));
    assert_eq!(names(&found.exchanges), ["m.example.com"]);
    assert_eq!(found.logo.as_deref(), Some("https://example.com/l.svg"));
    assert_eq!((found.mark, found.questions.len()), (None, 3));
    assert_eq!(names(&found.registrations), ["example.com", "example.net", "example.org"]);
    assert_eq!(names(&found.servers), ["ns1.example.com", "ns2.example.com"]);
    let limits = Limits { registrations: 2, servers: 1, ..Limits::default() };
    let found = fetch(zone, limits);
    assert_eq!((found.registrations.len(), found.servers.len()), (2, 1));
    let nothing = fetch("", Limits::default());
    assert_eq!((nothing.policy, nothing.exchanges.len(), nothing.servers.len()), (None, 0, 0));
}

#[test]
fn nothing_is_asked_whose_answer_is_known() {
    let asked = |zone: &str| {
        let zone = Zone::parse(zone).unwrap();
        let mut asked = Vec::new();
        let lookup = |question: &Question| {
            asked.push(question.clone());
            zone.lookup(question)
        };
        let request = request(Limits::default());
        resolve_blocking(lookup, |answers| check(&request, answers));
        let alias = Question::new("_dmarc.example.com".parse().unwrap(), RecordType::Cname);
        let doubled = Question::txt("_dmarc.example.com.example.com".parse().unwrap());
        [alias, doubled].map(|question| asked.contains(&question))
    };
    assert_eq!(asked("_dmarc.example.com. TXT \"v=DMARC1; p=reject\"\n"), [false, false]);
    assert_eq!(asked("example.com. TXT x\n"), [true, true]);
}
