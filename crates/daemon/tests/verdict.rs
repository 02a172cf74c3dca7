//! What becomes of a message by the settings, and which fields go.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod daemon;

use daemon::{Daemon, PLAIN, SIGN, results};
use mailproof_milter::{MacroPacket, Packet, Reply};

const DATE: (&str, &str) = ("Date", " Thu, 1 Jan 2026 00:00:00 +0000");

/// A signature that is none, of this domain.
fn signature(selector: &str, domain: &str) -> String {
    format!(
        " v=1; a=ed25519-sha256; d={domain}; s={selector}; h=from; b=AAAA;\n\t\
         bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    )
}

/// The reply in words, and whether the message is held.
fn reply((done, reply): (Vec<String>, Reply)) -> String {
    let held = done.iter().find(|it| it.starts_with("quarantine")).map(|it| format!("{it}; "));
    let text = match reply {
        Reply::Smtp(reply) => reply.to_string(),
        other => format!("{other:?}"),
    };
    held.unwrap_or_default() + &text
}

#[test]
fn every_method_has_its_action_and_its_code() {
    let daemon = Daemon::start(
        "[policy.spf]\nfail = \"reject\"\nsoftfail = \"quarantine\"\npermerror = \"reject\"\n\
         temperror = \"tempfail\"\n",
    );
    let author = [("From", " a@none.example"), DATE];
    let mut mta = daemon.client("198.51.100.1");
    for (sender, expected) in [
        ("<a@example.com>", "550 5.7.23 SPF of example.com: fail"),
        ("<a@soft.example>", "quarantine SPF of soft.example: softfail; Accept"),
        ("<a@broken.example>", "550 5.7.24 SPF of broken.example: permerror"),
        ("<a@down.example>", "451 4.7.24 SPF of down.example: temperror"),
        ("<a@none.example>", "Accept"),
        ("<>", "550 5.7.23 SPF of out.example.com: fail"),
    ] {
        assert_eq!(reply(mta.message(sender, &author, &[b"Hi\r\n"])), expected, "{sender}");
    }

    let daemon = Daemon::start(
        "[policy.dkim]\nbad-signature = \"quarantine\"\nkey-not-found = \"tempfail\"\n\
         no-signature = \"reject\"\ndns-error = \"tempfail\"\n",
    );
    let mut mta = daemon.client("198.51.100.1");
    let mut ask = |selector: Option<&str>| {
        let value = selector.map(|selector| signature(selector, "example.com"));
        let signature = value.as_deref().map(|value| ("DKIM-Signature", value));
        let fields: Vec<_> = signature.into_iter().chain(author).collect();
        reply(mta.message("<a@none.example>", &fields, &[b"Hi\r\n"]))
    };
    assert_eq!(ask(None), "550 5.7.20 no DKIM signature");
    assert_eq!(ask(Some("brisbane")), "quarantine no DKIM signature is good; Accept");
    assert_eq!(ask(Some("nowhere")), "451 4.7.20 no key for the DKIM signature");
    let down = "451 4.4.3 the DNS of the signer does not answer for now";
    assert_eq!(ask(Some("down")), down);

    let daemon = Daemon::start("[policy.dmarc]\nquarantine = \"discard\"\n");
    let mut mta = daemon.client("198.51.100.1");
    let fields = [("From", " a@quarantine.example"), DATE];
    assert_eq!(reply(mta.message("<a@none.example>", &fields, &[b"Hi\r\n"])), "Discard");
}

#[test]
fn headers_that_are_none() {
    let more = "[policy]\nrequired-headers = \"reject\"\nmultiple-authors = \"reject\"\n";
    let daemon = Daemon::start(more);
    let mut mta = daemon.client("198.51.100.1");
    let from = ("From", " a@none.example");
    for (fields, expected) in [
        (vec![from, DATE], "Accept"),
        (vec![from, from, DATE], "550 5.6.0 RFC5322 requirement error: not exactly one From field"),
        (vec![DATE], "550 5.6.0 RFC5322 requirement error: not exactly one From field"),
        (vec![from], "550 5.6.0 RFC5322 requirement error: not exactly one Date field"),
        (
            vec![from, DATE, ("Subject", " a"), ("subject", " b")],
            "550 5.6.0 RFC5322 requirement error: multiple Subject fields",
        ),
        (
            vec![("From", " a@none.example, b@other.example"), DATE],
            "550 5.7.1 multi-valued From field detected (none.example, other.example)",
        ),
        (vec![("From", " a@none.example, b@none.example"), DATE], "Accept"),
    ] {
        assert_eq!(reply(mta.message("<a@none.example>", &fields, &[b"Hi\r\n"])), expected);
    }
    let malformed = [("From", " a@none.example b@other.example"), DATE];
    let text = reply(mta.message("<a@none.example>", &malformed, &[b"Hi\r\n"]));
    assert!(text.starts_with("550 5.6.0 RFC5322 requirement error: the From field is "), "{text}");
    // Without the setting they are judged as they are.
    let daemon = Daemon::start("");
    let mut mta = daemon.client("198.51.100.1");
    let (done, accepted) = mta.message("<a@none.example>", &malformed, &[b"Hi\r\n"]);
    assert_eq!(accepted, Reply::Accept);
    assert!(results(&done).contains("dmarc=permerror"), "{done:?}");
    daemon.wait_log("unable to parse From header field: ", 1);
}

/// The numbers of the fields that are removed.
fn removed(done: &[String]) -> Vec<usize> {
    let fields = done.iter().filter_map(|it| it.strip_prefix("delete "));
    let results = fields.filter_map(|it| it.strip_suffix(" Authentication-Results"));
    results.map(|number| number.parse().unwrap()).collect()
}

const FIELD: &str = "Authentication-Results";

#[test]
fn forged_results_go_in_every_disguise_and_others_stay() {
    let forged = [
        " mx.example.net; dmarc=pass",
        " other.example; dmarc=pass",
        " MX.Example.NET 1; dmarc=pass",
        "\n\t(hello)\n\t\"mx.example.net\" ; dmarc=pass",
        " mx.example.net.; none",
        " mx.example.net dmarc=pass (no semicolon)",
        "mx.example.net",
        " notmx.example.net; dmarc=pass",
        " ;mx.example.net; dmarc=pass",
        " (a(b)\\)c) mx.example.net (d) ; dmarc=pass",
        " a.below.example; dmarc=pass",
        " below.example; dmarc=pass",
    ];
    let fields: Vec<_> = forged.map(|value| (FIELD, value)).into_iter().chain(PLAIN).collect();
    let ask = |daemon: &Daemon, ip: &str| {
        removed(&daemon.client(ip).message("<joe@example.com>", &fields, &[b"Hi\r\n"]).0)
    };
    let daemon = Daemon::start(SIGN);
    let ours = [10, 7, 6, 5, 4, 3, 1];
    let gone = ask(&daemon, "198.51.100.1");
    assert_eq!(gone.iter().copied().filter(|number| *number != 9).collect::<Vec<_>>(), ours);
    // In the mail of our own users, too.
    assert_eq!(ask(&daemon, "127.0.0.1"), gone);
    let more = "[verify]\nremove-results-of = [\"other.example\", \".below.example\"]\n";
    let wider = ask(&Daemon::start(more), "198.51.100.1");
    assert!([11, 2].iter().all(|number| wider.contains(number)), "{wider:?}");
    assert!(![12, 8].iter().any(|number| wider.contains(number)), "{wider:?}");
    let all = ask(&Daemon::start("[verify]\nremove-all-results = true\n"), "198.51.100.1");
    assert_eq!(all, (1..=12).rev().collect::<Vec<_>>());
}

#[test]
fn who_is_passed_is_passed_and_what_anybody_can_say_is_not_believed() {
    let fields: Vec<_> =
        std::iter::once((FIELD, " mx.example.net; dmarc=pass")).chain(PLAIN).collect();
    let ask = |daemon: &Daemon, ip: &str, is_authenticated: bool| {
        let mut mta = daemon.client(ip);
        if is_authenticated {
            let data = b"{auth_type}\0PLAIN\0";
            mta.say(&Packet::Macros(MacroPacket { command: b'M', data }));
        }
        mta.message("<joe@example.com>", &fields, &[b"Hi\r\n"])
    };
    let gone = (vec![format!("delete 1 {FIELD}")], Reply::Accept);
    let untouched = (vec![], Reply::Accept);
    let daemon = Daemon::start("[verify]\nignore-hosts = [\"192.0.2.0/24\"]\n");
    assert_eq!(ask(&daemon, "192.0.2.7", false), untouched);
    assert_eq!(ask(&daemon, "198.51.100.1", false).0.len(), 2);
    // A login is no host: what it brings of ours goes.
    assert_eq!(ask(&daemon, "198.51.100.1", true), gone);
    let daemon = Daemon::start("[verify]\nignore-authenticated = false\n");
    assert_eq!(ask(&daemon, "198.51.100.1", true).0.len(), 2);
    let daemon = Daemon::start("[verify]\nignore-domains = [\"example.com\"]\n");
    assert_eq!(ask(&daemon, "198.51.100.1", false), gone);
    let daemon = Daemon::start("exempt-domains = [\"example.com\"]\npeers = [\"192.0.2.9\"]\n");
    assert_eq!(ask(&daemon, "198.51.100.1", false), gone);
    assert_eq!(ask(&daemon, "192.0.2.9", false), untouched);
}
