//! The logo of BIMI and its certificate, as they came over the network.

use mailproof_dmarc::public_suffix_organizational_domain;
use mailproof_dns::Name;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::check::Look;
use crate::fetched::{Attempt, Document, Mark};
use crate::{Report, Request, Severity, Source};

/// What SVG Tiny Portable/Secure has not: programs, movement, pictures and pages from elsewhere.
const FORBIDDEN: [&[u8]; 14] = [
    b"script",
    b"handler",
    b"listener",
    b"animate",
    b"animateColor",
    b"animateMotion",
    b"animateTransform",
    b"animation",
    b"set",
    b"audio",
    b"video",
    b"image",
    b"foreignObject",
    b"iframe",
];

pub(super) fn check(request: &Request, look: &mut Look<'_>) {
    let Some(name) = look.below("default._bimi") else { return };
    match &request.fetched.logo {
        None => {}
        Some(Attempt::Came(document)) => logo(&mut look.report, &name, document),
        Some(Attempt::Refused(refusal)) => {
            let message = format!("the logo cannot be had: {refusal}");
            look.report.about("BIMI003", &name, Source::Logo, message);
        }
        Some(Attempt::Lost(reason)) => look.lost(&name, Source::Logo, reason),
    }
    match &request.fetched.mark {
        None => {}
        Some(Attempt::Came(one)) => mark(request, &name, one, &mut look.report),
        Some(Attempt::Refused(refusal)) => {
            let message = format!("the certificate of the logo cannot be had: {refusal}");
            look.report.about("BIMI004", &name, Source::Mark, message);
        }
        Some(Attempt::Lost(reason)) => look.lost(&name, Source::Mark, reason),
    }
}

/// The SVG of the logo; compressed ones (SVGZ) come uncompressed.
fn logo(report: &mut Report, name: &Name, document: &Document) {
    let mut tell = |message: String| report.about("BIMI003", name, Source::Logo, message);
    let media_type = document.media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("image/svg+xml") {
        tell(format!("the media type is {media_type:?}, and image/svg+xml is needed"));
    }
    let mut reader = Reader::from_reader(document.content.as_slice());
    let mut is_begun = false;
    let mut depth = 0_usize;
    let mut has_title = false;
    loop {
        match reader.read_event() {
            Err(error) => {
                tell(format!("the logo is no XML: {error}"));
                return;
            }
            Ok(Event::Eof) => break,
            Ok(Event::DocType(_)) => tell("the logo has a document type declaration".to_owned()),
            Ok(Event::Start(element)) => {
                has_title |= depth == 1 && element.local_name().as_ref() == b"title";
                for message in self::element(&element, !is_begun) {
                    tell(message);
                }
                is_begun = true;
                depth += 1;
            }
            Ok(Event::Empty(element)) => {
                for message in self::element(&element, !is_begun) {
                    tell(message);
                }
                is_begun = true;
            }
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(_) => {}
        }
    }
    if !has_title {
        tell("the logo has no title".to_owned());
    }
}

/// What is wrong with an element.
fn element(element: &BytesStart<'_>, is_root: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let local = element.local_name();
    let shown = String::from_utf8_lossy(local.as_ref()).into_owned();
    if FORBIDDEN.contains(&local.as_ref()) {
        wrong.push(format!("the logo has an element <{shown}>"));
    }
    let (mut version, mut profile) = (false, false);
    for attribute in element.attributes().flatten() {
        let (key, value) = (attribute.key.local_name(), &attribute.value);
        match key.as_ref() {
            b"version" => version = **value == *b"1.2",
            b"baseProfile" => profile = **value == *b"tiny-ps",
            b"x" | b"y" if is_root => {
                let key = String::from_utf8_lossy(key.as_ref());
                wrong.push(format!("the root of the logo has an attribute {key}"));
            }
            b"href" if !value.starts_with(b"#") => {
                wrong.push(format!("<{shown}> of the logo refers to something outside"));
            }
            key if key.starts_with(b"on") => {
                let key = String::from_utf8_lossy(key);
                wrong.push(format!("<{shown}> of the logo has a program in {key}"));
            }
            _ => {}
        }
    }
    if is_root && local.as_ref() != b"svg" {
        wrong.push(format!("the root of the logo is <{shown}>, and svg is needed"));
    } else if is_root && !(version && profile) {
        wrong.push("the logo does not say version=\"1.2\" and baseProfile=\"tiny-ps\"".to_owned());
    }
    wrong
}

fn mark(request: &Request, name: &Name, mark: &Mark, report: &mut Report) {
    let mut tell = |message: String| report.about("BIMI004", name, Source::Mark, message);
    if let Some(fault) = &mark.fault {
        tell(format!("the certificates of the logo: {fault}"));
    }
    if !mark.is_for_marks {
        tell("the certificate is not for brand indicators".to_owned());
    }
    let domain = &request.domain;
    let organization = public_suffix_organizational_domain(domain);
    let fits = |text: &String| {
        text.parse::<Name>().is_ok_and(|found| [domain, &organization, name].contains(&&found))
    };
    if !mark.names.iter().any(fits) {
        tell(format!("the certificate is not for {domain}"));
    }
    match (&mark.logo, &request.fetched.logo) {
        (None, _) => tell("the certificate has no logo".to_owned()),
        (Some(inside), Some(Attempt::Came(logo))) if *inside != logo.content => {
            tell("the logo in the certificate is another one".to_owned());
        }
        _ => {}
    }
    let now = request.now;
    if now == 0 {
        return;
    }
    if mark.begins.is_some_and(|begins| begins > now) {
        tell("the certificate is not valid yet".to_owned());
    }
    let Some(ends) = mark.ends else { return };
    if ends < now {
        tell("the certificate has ended".to_owned());
    } else if ends - now < request.limits.certificate_end.as_secs() {
        tell(format!("the certificate ends in {} days", (ends - now) / 86_400));
        report.severity(Severity::Warning);
    }
}
