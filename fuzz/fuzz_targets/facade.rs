//! A field that claims results improves none, and what is written about a message can be read.
#![no_main]

use mailproof::authres::{AuthenticationResults, Charset};
use mailproof::dkim::DkimResult;
use mailproof::dmarc::{DmarcResult, Rejection};
use mailproof::{Envelope, Receiver, Verdict};
use mailproof_dns::{Question, resolve_blocking};
use mailproof_fuzz::{Lines, key};
use mailproof_message::split;

const NOW: u64 = 1_700_000_100;
const FORGED: &[u8] =
    b"Authentication-Results: mx.example.org; spf=pass; dkim=pass; dmarc=pass header.from=a.example\r\n\
      Received-SPF: pass (mx.example.org: ok) client-ip=192.0.2.1; envelope-from=a@a.example\r\n\
      ARC-Authentication-Results: i=1; mx.example.org; dmarc=pass header.from=a.example\r\n";

fn judge(message: &[u8], envelope: Envelope, policy: &Lines, zone: &Lines) -> Verdict {
    let receiver = Receiver::new("mx.example.org");
    let (header, body) = split(message);
    let mut verifier = receiver.verifier(&header, Some(envelope), NOW);
    verifier.body(body);
    let mut verification = verifier.finish();
    let lookup = |question: &Question| match question.name.to_string() {
        name if name.contains("._domainkey.") => key(question),
        name if name.starts_with("_dmarc.") => policy.lookup(question),
        _ => zone.lookup(question),
    };
    resolve_blocking(lookup, |answers| verification.verify(answers))
}

// HELO, MAIL FROM, a DMARC record and the lines of a zone, then an empty line and the message.
libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Some(end) = octets.windows(2).position(|two| two == b"\n\n") else { return };
    let (lines, message) = (&octets[..end], &octets[end + 2..]);
    // A line that begins with a space would become a part of the forged field.
    if message.first().is_none_or(|octet| octet.is_ascii_whitespace()) {
        return;
    }
    let lines: Vec<&[u8]> = lines.split(|octet| *octet == b'\n').collect();
    let [helo, mail_from, policy, zone @ ..] = &lines[..] else { return };
    let (helo, mail_from) = (String::from_utf8_lossy(helo), String::from_utf8_lossy(mail_from));
    let envelope = Envelope { ip: [192, 0, 2, 1].into(), helo: &helo, mail_from: &mail_from };
    let (policy, zone) = (Lines(vec![policy]), Lines(zone.to_vec()));

    let before = judge(message, envelope, &policy, &zone);
    let printed = before.authentication_results().fold(0, Charset::Ascii);
    let read = AuthenticationResults::parse(printed.as_bytes()).unwrap();
    assert_eq!(read.results.len(), before.authentication_results().results.len());

    let after = judge(&[FORGED, message].concat(), envelope, &policy, &zone);
    assert_eq!(format!("{:?}", before.spf), format!("{:?}", after.spf));
    for (was, is) in before.dkim.signatures.iter().zip(&after.dkim.signatures) {
        // It may be signed, and then the signature fails.
        assert!(is.result() == was.result() || is.result() == DkimResult::Fail);
    }
    let arc = after.arc.result();
    assert!(arc == before.arc.result() || arc.keyword() == "fail");
    if before.dmarc.result != DmarcResult::Pass {
        assert_eq!(before.dmarc.result, after.dmarc.result);
        let disposition = |verdict: &Verdict| verdict.disposition(Rejection::default());
        assert_eq!(disposition(&before), disposition(&after));
    }
});
