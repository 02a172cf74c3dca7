//! Whatever the note, every form says the same, and says it to whoever reads the form.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use mailproof_dkim::KeyRecord;
use mailproof_dns::{Question, RecordType, Zone};
use mailproof_keygen::{
    Domain, Form, FormError, HashAlgorithms, KeyPair, KeyText, Owner, OwnerError, Record,
    RecordData, Selector, Tags,
};
use proptest::prelude::*;
use serde_json::Value;

const SEED: &[u8] = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const NAME: &str = "s._domainkey.mail.example.com";

fn record(note: &str) -> Record {
    let tags = Tags { note: Some(note.to_owned()), testing: true, ..Tags::default() };
    let text = KeyText::new(&tags, &KeyPair::parse(SEED).unwrap());
    let (selector, domain) = ("s".parse().unwrap(), "mail.example.com".parse().unwrap());
    let zone = "example.com".parse().unwrap();
    Record::txt(Owner::of_key_in(&selector, &domain, &zone).unwrap(), text)
}

fn text(record: &Record) -> String {
    match &record.data {
        RecordData::Txt(text) => text.to_string(),
        RecordData::Cname(_) => panic!("no text"),
    }
}

/// What a resolver gets from a server that has read the master file.
fn published(master_file: &str, origin: &str) -> Vec<u8> {
    let mut zone = Zone::new();
    zone.read("zone", master_file.as_bytes(), Some(&origin.parse().unwrap())).unwrap();
    let answer = zone.lookup(&Question::new(NAME.parse().unwrap(), RecordType::Txt));
    let texts: Vec<Vec<u8>> = answer.texts().map(|text| text.joined().to_vec()).collect();
    assert_eq!(texts.len(), 1, "{master_file}");
    texts[0].clone()
}

/// The text between the first quotation mark and the last, its escapes undone, its strings joined.
fn unquoted(strings: &str) -> String {
    String::from_utf8(published(&format!("{NAME}. TXT {strings}\n"), ".")).unwrap()
}

/// The text that the provider publishes: it puts quotation marks around the string of HCL.
fn terraform_value(resource: &str) -> String {
    let string = &resource[resource.find("\"v=").unwrap()..=resource.rfind('"').unwrap()];
    let string = string.replace("$${", "${").replace("%%{", "%{");
    unquoted(&format!("\"{}\"", serde_json::from_str::<String>(&string).unwrap()))
}

proptest! {
    #[test]
    fn all_forms_say_the_same(note in "\\PC*|[ -~]{0,300}|(?s).{0,8}") {
        let record = record(&note);
        let expected = text(&record);
        let print = |form: Form| form.print(std::slice::from_ref(&record)).unwrap();
        prop_assert!(expected.bytes().all(|octet| matches!(octet, b' '..=b'~')));

        prop_assert_eq!(print(Form::SingleLine), format!("{expected}\n"));
        prop_assert_eq!(published(&print(Form::Bind), "example.com"), expected.as_bytes());
        prop_assert_eq!(published(&print(Form::Nsd), "."), expected.as_bytes());
        prop_assert_eq!(unquoted(print(Form::Strings).trim_end()), &*expected);

        let json = |form| serde_json::from_str::<Value>(&print(form)).unwrap();
        prop_assert_eq!(&json(Form::Json)["records"][0]["text"], &*expected);
        let route53 = json(Form::Route53);
        let value = &route53["Changes"][0]["ResourceRecordSet"]["ResourceRecords"][0]["Value"];
        prop_assert_eq!(unquoted(value.as_str().unwrap()), &*expected);
        let cloudflare = json(Form::Cloudflare);
        prop_assert_eq!(unquoted(cloudflare["posts"][0]["content"].as_str().unwrap()), &*expected);
        let powerdns = json(Form::Powerdns);
        let content = &powerdns["rrsets"][0]["records"][0]["content"];
        prop_assert_eq!(unquoted(content.as_str().unwrap()), &*expected);
        let nsupdate = print(Form::Nsupdate);
        let strings = nsupdate.lines().next().unwrap().split_once(" TXT ").unwrap().1;
        prop_assert_eq!(unquoted(strings), &*expected);

        // A string of JavaScript that is one of JSON, too.
        let program = print(Form::Dnscontrol);
        let from = program.find("\"v=").unwrap();
        let string = &program[from..program.rfind(", TTL(").unwrap()];
        prop_assert_eq!(serde_json::from_str::<String>(string).unwrap(), &*expected);
        // No template of HCL begins, since the sign of each is there twice.
        let terraform = print(Form::Terraform);
        for begin in ["${", "%{"] {
            let mut places = terraform.match_indices(begin);
            prop_assert!(places.all(|(at, _)| terraform[..at].ends_with(&begin[..1])));
        }
        prop_assert_eq!(terraform_value(&terraform), &*expected);

        // And a verifier reads it.
        let read = KeyRecord::parse(expected.as_bytes()).unwrap();
        prop_assert!(read.testing && read.accepts_sha256 && read.serves_email);
        prop_assert!(print(Form::Octodns).lines().count() == 4);
    }

    #[test]
    fn strings_are_short_enough(note in "[ -~]{0,600}") {
        let RecordData::Txt(text) = record(&note).data else { unreachable!() };
        let strings = text.strings();
        prop_assert!(strings.iter().all(|string| string.len() <= 255));
        prop_assert_eq!(strings.concat(), text.to_string());
    }

    #[test]
    fn names_never_panic(text in "\\PC*") {
        let _ = text.parse::<Selector>();
        let _ = text.parse::<Domain>();
        let _ = text.parse::<HashAlgorithms>();
    }
}

/// YAML reads a word without quotation marks as what it looks like: octoDNS publishes `on` as
/// `true`, `null` as `none` and `0x1f` as `31`.
#[test]
fn octodns_names_are_text() {
    let text = KeyText::new(&Tags::default(), &KeyPair::parse(SEED).unwrap());
    for label in ["on", "null", "0x1f", "1_000", "2026-01-01"] {
        let name: Domain = format!("{label}.host.example").parse().unwrap();
        let record = Record::txt(Owner::of_name(&name), text.clone());
        let yaml = Form::Octodns.print(&[record]).unwrap();
        assert!(yaml.starts_with(&format!("'{label}':\n  ttl: ")), "{yaml}");
    }
    let yaml = Form::Octodns.print(&[record("")]).unwrap();
    assert!(yaml.starts_with("s._domainkey.mail:\n"), "{yaml}");
}

#[test]
fn selectors_are_safe_wherever_they_stand() {
    for text in ["default", "20250222", "a.b", "s_1", "Mixed-Case", &"a".repeat(63)] {
        assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
    }
    for text in [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a.",
        "-rf",
        "a-",
        "../x",
        "a/b",
        "a b",
        "x;touch y;z",
        "$(id)",
        "`id`",
        "a|b",
        "a&b",
        "a\nb",
        "a\0b",
        "*",
        "'",
        "\"",
        "\\",
        "ü",
        &"a".repeat(64),
    ] {
        assert!(text.parse::<Selector>().is_err(), "{text:?}");
    }
    assert_eq!("a;b".parse::<Selector>(), Err(OwnerError::Character(';')));
}

#[test]
fn names_relative_and_in_full() {
    let selector: Selector = "s".parse().unwrap();
    let domain: Domain = "Bücher.Example.".parse().unwrap();
    assert_eq!(domain.to_string(), "xn--bcher-kva.example");
    let owner = Owner::of_key(&selector, Some(&domain));
    assert_eq!(owner.relative(), "s._domainkey");
    assert_eq!(owner.absolute().as_deref(), Some("s._domainkey.xn--bcher-kva.example"));

    let (domain, zone) = ("mail.example.com".parse().unwrap(), "Example.com".parse().unwrap());
    let owner = Owner::of_key_in(&selector, &domain, &zone).unwrap();
    assert_eq!(owner.relative(), "s._domainkey.mail");
    for zone in ["ample.com", "a.mail.example.com", "example.org"] {
        let zone: Domain = zone.parse().unwrap();
        let error = Owner::of_key_in(&selector, &domain, &zone).unwrap_err();
        assert_eq!(error.to_string(), format!("{domain} is not in the zone {zone}"));
    }
    // The same name is the zone itself.
    assert_eq!(Owner::of_key_in(&selector, &domain, &domain).unwrap().relative(), "s._domainkey");
}

#[test]
fn what_needs_a_domain_says_so() {
    let owner = Owner::of_key(&"s".parse().unwrap(), None);
    let key = KeyText::new(&Tags::default(), &KeyPair::parse(SEED).unwrap());
    let mut record = Record::txt(owner, key);
    for form in Form::ALL {
        let relative = matches!(
            form,
            Form::Bind | Form::SingleLine | Form::Strings | Form::Json | Form::Octodns
        );
        let printed = form.print(std::slice::from_ref(&record));
        assert_eq!(printed.is_ok(), relative, "{form}");
    }
    record.is_absolute = true;
    assert_eq!(Form::Bind.print(&[record]), Err(FormError::NoDomain(Form::Bind)));
}

#[test]
fn several_records_are_one_document() {
    let records = [record("one"), record("two")];
    let print = |form: Form| form.print(&records).unwrap();
    let json = |form| serde_json::from_str::<Value>(&print(form)).unwrap();
    assert_eq!(json(Form::Json)["records"].as_array().unwrap().len(), 2);
    assert_eq!(json(Form::Route53)["Changes"].as_array().unwrap().len(), 2);
    assert_eq!(json(Form::Cloudflare)["posts"].as_array().unwrap().len(), 2);
    assert_eq!(json(Form::Powerdns)["rrsets"].as_array().unwrap().len(), 2);
    assert_eq!(print(Form::Dnscontrol).matches("D_EXTEND(").count(), 1);
    assert_eq!(print(Form::Nsupdate).matches("send\n").count(), 1);
    assert_eq!(Form::Dnscontrol.print(&[]).as_deref(), Ok(""));
}

#[test]
fn hash_algorithms_cannot_smuggle_tags() {
    for list in ["sha256", "sha1:sha256", "SHA256", "sha3-512"] {
        assert!(list.parse::<HashAlgorithms>().is_ok(), "{list}");
    }
    for list in ["", ":", "sha256:", "sha256; p=", "sha 256", "256", "sha-", "sha256\""] {
        assert!(list.parse::<HashAlgorithms>().is_err(), "{list}");
    }
    assert!(!"sha1".parse::<HashAlgorithms>().unwrap().has_sha256());
}
