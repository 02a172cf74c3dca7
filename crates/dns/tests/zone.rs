//! Lookups: RFC 1034 4.3.2, RFC 4592, and the lines that script an answer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mailproof_dns::{Data, Failure, Name, Question, RecordType, Response, Zone, ZoneLimits};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The response in short: the data, or the word for its absence.
fn ask(zone: &Zone, owner: &str, rtype: RecordType) -> String {
    match zone.lookup(&Question::new(name(owner), rtype)) {
        Response::Records(set) => {
            let texts = set.records.iter().map(|data| match data {
                Data::Txt(txt) => String::from_utf8_lossy(txt.joined()).into_owned(),
                Data::Mx(mx) => format!("{} {}", mx.preference, mx.exchange),
                Data::A(address) => address.to_string(),
                Data::Aaaa(address) => address.to_string(),
                Data::Cname(name) | Data::Ns(name) | Data::Ptr(name) => name.to_string(),
                other => format!("{other:?}"),
            });
            texts.collect::<Vec<_>>().join(" | ")
        }
        Response::NoData => "NODATA".to_owned(),
        Response::NxDomain => "NXDOMAIN".to_owned(),
        Response::Failure(Failure::ServFail) => "SERVFAIL".to_owned(),
        Response::Failure(Failure::Timeout) => "TIMEOUT".to_owned(),
        Response::Failure(other) => other.to_string(),
    }
}

/// RFC 4592 2.2.1, the data that the RFC leaves out filled in.
const RFC_4592: &str = r#"
$ORIGIN example.
example.                 3600 IN  SOA   ns.example.com. host.example.com. 1 2 3 4 5
example.                 3600     NS    ns.example.com.
example.                 3600     NS    ns.example.net.
*.example.               3600     TXT   "this is a wildcard"
*.example.               3600     MX    10 host1.example.
sub.*.example.           3600     TXT   "this is not a wildcard"
host1.example.           3600     A     192.0.2.1
_ssh._tcp.host1.example. 3600     SRV   0 0 22 host1.example.
_ssh._tcp.host2.example. 3600     SRV   0 0 22 host2.example.
subdel.example.          3600     NS    ns.example.com.
subdel.example.          3600     NS    ns.example.net.
"#;

#[test]
fn wildcards_as_in_rfc_4592_2_2_1() {
    let zone = Zone::parse(RFC_4592).unwrap();
    for (owner, rtype, answer) in [
        ("host3.example", RecordType::Mx, "10 host1.example"),
        ("host3.example", RecordType::A, "NODATA"),
        ("foo.bar.example", RecordType::Txt, "this is a wildcard"),
        ("host1.example", RecordType::Mx, "NODATA"),
        ("sub.*.example", RecordType::Mx, "NODATA"),
        ("_telnet._tcp.host1.example", RecordType::Txt, "NXDOMAIN"),
        ("_tcp.host1.example", RecordType::Txt, "NODATA"),
        ("host.subdel.example", RecordType::A, "NXDOMAIN"),
        ("ghost.*.example", RecordType::Mx, "NXDOMAIN"),
        // 2.3: "An asterisk label in a query name only matches a single, corresponding asterisk".
        ("*.example", RecordType::Txt, "this is a wildcard"),
        ("x.*.host3.example", RecordType::Txt, "this is a wildcard"),
        ("host2.example", RecordType::Txt, "NODATA"),
        ("example", RecordType::Txt, "NODATA"),
        ("elsewhere", RecordType::Txt, "NXDOMAIN"),
        ("xexample", RecordType::Txt, "NXDOMAIN"),
        (".", RecordType::Ns, "NXDOMAIN"),
    ] {
        let response = ask(&zone, owner, rtype);
        let root = owner == ".";
        assert_eq!(response, if root { "NODATA" } else { answer }, "{owner} {rtype}");
    }
}

#[test]
fn a_wildcard_that_only_has_names_below_it_exists_without_data() {
    let zone = Zone::parse("sub.*.example TXT a\nexample A 192.0.2.1").unwrap();
    assert_eq!(ask(&zone, "x.example", RecordType::Txt), "NODATA");
}

#[test]
fn aliases_are_followed_and_reported() {
    let zone = Zone::parse(
        "a.example 60 CNAME b.example\nb.example 30 CNAME c.example\nc.example 900 TXT c\n\
         dangling.example CNAME nowhere.test\nnodata.example CNAME c.example\n\
         *.w.example CNAME c.example",
    )
    .unwrap();
    let Response::Records(set) = zone.lookup(&Question::txt(name("a.example"))) else {
        panic!("records")
    };
    assert_eq!(set.aliases, [name("b.example"), name("c.example")]);
    assert_eq!(set.ttl, 30);
    assert_eq!(ask(&zone, "a.example", RecordType::Cname), "b.example");
    assert_eq!(ask(&zone, "dangling.example", RecordType::Txt), "NXDOMAIN");
    assert_eq!(ask(&zone, "nodata.example", RecordType::A), "NODATA");
    assert_eq!(ask(&zone, "any.w.example", RecordType::Txt), "c");
}

#[test]
fn alias_loops_and_long_chains_fail() {
    let zone = Zone::parse("a CNAME b\nb CNAME c\nc CNAME b\nself CNAME self").unwrap();
    assert_eq!(ask(&zone, "a", RecordType::A), "SERVFAIL");
    assert_eq!(ask(&zone, "b", RecordType::A), "SERVFAIL");
    assert_eq!(ask(&zone, "self", RecordType::A), "SERVFAIL");

    let chain = |length: usize| {
        let links = (0..length).map(|i| format!("n{i} CNAME n{}\n", i + 1)).collect::<String>();
        Zone::parse(&format!("{links}n{length} TXT end")).unwrap()
    };
    let most = ZoneLimits::default().aliases;
    assert_eq!(ask(&chain(most), "n0", RecordType::Txt), "end");
    assert_eq!(ask(&chain(most + 1), "n0", RecordType::Txt), "SERVFAIL");
}

#[test]
fn scripted_answers() {
    let zone = Zone::parse(
        "broken.example SERVFAIL\nbroken.example A 192.0.2.1\nslow.example TXT TIMEOUT\n\
         slow.example MX 10 mx.example\nslow.example AAAA NXDOMAIN\n*.example TXT wildcard\n\
         gone.example NXDOMAIN\nempty.example NODATA\nquoted.example TXT \"TIMEOUT\"\n\
         alias.example CNAME slow.example\nalias.example A NODATA\n\
         *.slow.example TIMEOUT\nlower.example CNAME timeout",
    )
    .unwrap();
    for (owner, rtype, answer) in [
        ("broken.example", RecordType::Txt, "SERVFAIL"),
        ("broken.example", RecordType::A, "192.0.2.1"),
        ("slow.example", RecordType::Txt, "TIMEOUT"),
        ("slow.example", RecordType::Mx, "10 mx.example"),
        ("slow.example", RecordType::A, "NODATA"),
        ("slow.example", RecordType::Aaaa, "NXDOMAIN"),
        ("gone.example", RecordType::Txt, "NXDOMAIN"),
        ("below.gone.example", RecordType::Txt, "NXDOMAIN"),
        ("there.example", RecordType::Txt, "wildcard"),
        ("empty.example", RecordType::Txt, "NODATA"),
        ("quoted.example", RecordType::Txt, "TIMEOUT"),
        ("alias.example", RecordType::Txt, "TIMEOUT"),
        ("alias.example", RecordType::A, "NODATA"),
        ("any.slow.example", RecordType::A, "TIMEOUT"),
        ("lower.example", RecordType::Cname, "timeout"),
    ] {
        assert_eq!(ask(&zone, owner, rtype), answer, "{owner} {rtype}");
    }
}

#[test]
fn a_record_said_twice_counts_once_with_the_lowest_ttl() {
    let zone = Zone::parse("a.example 90 TXT x\na.example 60 TXT x\na.example TXT y").unwrap();
    let question = Question::txt(name("a.example"));
    let Response::Records(set) = zone.lookup(&question) else { panic!("records") };
    assert_eq!(set.records, [Data::txt("x"), Data::txt("y")]);
    assert_eq!(set.ttl, 60);
    assert_eq!(zone.records_of(&question).len(), 3);
}

#[test]
fn several_files_are_one_zone() {
    let mut zone = Zone::new();
    zone.read("a", b"a TXT x\n", Some(&name("one.example"))).unwrap();
    zone.read("b", b"@ CNAME a.one.example.\n", Some(&name("two.example"))).unwrap();
    assert_eq!(ask(&zone, "two.example", RecordType::Txt), "x");
    let record = zone.records_of(&Question::txt(name("two.example")))[0];
    assert_eq!(record.place.to_string(), "a:1:1");
}

#[test]
fn resolve_asks_the_zone() {
    let zone = Zone::parse("a.example TXT x").unwrap();
    let count = zone
        .resolve(|answers| Ok(answers.require(&Question::txt(name("a.example")))?.texts().count()));
    assert_eq!(count, 1);
}
