//! Zones for the benchmarks of SPF.

use mailproof_dns::{Answers, Limits, Zone, resolve_blocking_with};
use mailproof_spf::{Checker, Outcome, Request};
use std::fmt::Write;

/// Who sends in the realistic zone: a host of the last record of the tree.
pub const CLIENT: [u8; 4] = [203, 0, 113, 9];

/// A request of [`CLIENT`] for `user@example.com`.
#[must_use]
pub fn request() -> Request<'static> {
    Request::mail_from(CLIENT.into(), "mail.example.org", "user@example.com")
}

/// A company with hosts of its own, a mailing service and a cloud: nine lookups, four records deep.
#[must_use]
pub fn realistic() -> Zone {
    zone(include_str!("../zones/spf-realistic.zone"))
}

/// What a record may cost by the RFC, or more: a name for each zone.
#[must_use]
pub fn hostile() -> Vec<(&'static str, Zone)> {
    let mx = |count: usize| {
        let mut text = String::new();
        for host in 0..count {
            let _ = writeln!(text, "example.com MX {host} h{host}.example.com");
            let _ = writeln!(text, "h{host}.example.com A 192.0.2.{host}");
        }
        text
    };
    let fan = format!("{}{}", record("example.com", &["mx"; 10].join(" ")), mx(10));
    let lawful = format!(
        "{}{}{}",
        record("example.com", "mx mx mx a a a include:more.example.com -all"),
        record("more.example.com", &"ip4:198.51.100.0/24 ".repeat(190)),
        mx(10) + "example.com A 192.0.2.77\n",
    );
    let nested: String = (0..11)
        .map(|depth| {
            let includes = format!("include:n{}.example.com ", depth + 1);
            let name =
                if depth == 0 { "example.com".into() } else { format!("n{depth}.example.com") };
            record(&name, &(includes + &"ip4:198.51.100.0/24 ".repeat(2990)))
        })
        .collect();
    let tree: String =
        std::iter::once(record("example.com", "include:a1.example.com include:b1.example.com"))
            .chain((1..12).flat_map(|depth| {
                ["a", "b"].map(|side| {
                    let next = depth + 1;
                    let text = format!("include:a{next}.example.com include:b{next}.example.com");
                    record(&format!("{side}{depth}.example.com"), &text)
                })
            }))
            .collect();
    let macros = record("example.com", &format!("exists:{}.example.com", "%{s}%{S}".repeat(500)));
    let networks = record("example.com", &"ip6:::/1 ".repeat(450));
    let ptr: String =
        (0..10).map(|name| format!("9.113.0.203.in-addr.arpa PTR h{name}.example.net\n")).collect();
    let ptr = record("example.com", &"exists:%{p}.%{p}.example.com ".repeat(9)) + &ptr;
    vec![
        ("worst lawful: 10 terms, 40 lookups", zone(&lawful)),
        ("10 x 10 mail exchanges", zone(&fan)),
        ("11 nested records of 60 kB", zone(&nested)),
        ("binary tree of includes", zone(&tree)),
        ("1,000 macros in one name", zone(&macros)),
        ("450 networks", zone(&networks)),
        ("9 terms with %{p}, 10 reverse names", zone(&ptr)),
    ]
}

fn record(name: &str, terms: &str) -> String {
    let text = format!("v=spf1 {terms}");
    let strings: String = text
        .as_bytes()
        .chunks(250)
        .map(|part| format!(" \"{}\"", String::from_utf8_lossy(part)))
        .collect();
    format!("{name} TXT{strings}\n")
}

#[expect(clippy::expect_used, reason = "a broken zone is a broken benchmark")]
fn zone(text: &str) -> Zone {
    Zone::parse(text).expect("a zone")
}

/// What it took to find an outcome.
#[derive(Debug)]
pub struct Resolved {
    /// The outcome.
    pub outcome: Outcome,
    /// Every answer that was asked for.
    pub answers: Answers,
    /// How often `check_host` was called.
    pub passes: usize,
}

/// Asks the zone whatever `checker` misses, without a limit of the driver's.
pub fn resolve(zone: &Zone, checker: &mut Checker) -> Resolved {
    let (request, mut answers, mut passes) = (request(), Answers::new(), 0);
    let limits = Limits { rounds: 1000, queries: 10_000, ..Limits::default() };
    let outcome = resolve_blocking_with(
        |question| zone.lookup(question),
        &mut answers,
        &limits,
        |answers| {
            passes += 1;
            checker.check_host(&request, answers)
        },
    );
    Resolved { outcome, answers, passes }
}
