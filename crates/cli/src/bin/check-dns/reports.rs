//! Which selectors DMARC aggregate reports know (RFC 9990 3).

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dns::Name;
use mailproof_records::Selectors;
use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

/// The most octets of a report, not compressed. Local choice: large ones have a few megabytes.
const MOST: u64 = 64 << 20;
/// How often a report is unpacked. Local choice: some senders compress an archive again.
const LAYERS: usize = 2;
/// How many selectors are kept. Local choice: nobody signs with more at a time.
const SELECTORS: usize = 100;
/// How deep elements lie in each other. Local choice: a report has six levels.
const DEPTH: usize = 32;
/// How many octets of a value are kept: names have at most 253.
const VALUE: usize = 256;

/// The selectors of a domain in the reports; `None` without reports of the domain.
pub(crate) fn selectors(paths: &[PathBuf], domain: &Name) -> Result<Option<Selectors>, Trouble> {
    let mut all: Option<Selectors> = None;
    for path in paths {
        let name = path.to_string_lossy();
        let text = read(path)?;
        let report = parse(&text, domain).map_err(|reason| Trouble::input(&*name, reason))?;
        let Some(report) = report else { continue };
        all = Some(match all {
            None => report,
            Some(mut known) => {
                known.begin = known.begin.min(report.begin);
                known.end = known.end.max(report.end);
                for selector in report.seen {
                    keep(&mut known.seen, selector);
                }
                known
            }
        });
    }
    Ok(all)
}

fn keep(seen: &mut Vec<Name>, selector: Name) {
    if seen.len() < SELECTORS && !seen.contains(&selector) {
        seen.push(selector);
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let name = path.to_string_lossy();
    let packed = File::open(path).and_then(|mut file| at_most(&mut file, MOST));
    let content = packed.and_then(|packed| unpack(packed, MOST));
    content.map_err(|error| Trouble::input(&*name, reason(&error)))
}

/// RFC 9990 3.5.2 has reports in gzip or as they are; the largest senders make archives of one file.
fn unpack(mut octets: Vec<u8>, most: u64) -> io::Result<Vec<u8>> {
    for _ in 0..LAYERS {
        octets = match *octets.as_slice() {
            [0x1f, 0x8b, ..] => at_most(&mut GzDecoder::new(octets.as_slice()), most)?,
            [b'P', b'K', 3, 4, ..] => {
                let mut archive = ZipArchive::new(Cursor::new(octets))?;
                at_most(&mut archive.by_index(0)?, most)?
            }
            _ => break,
        };
    }
    Ok(octets)
}

fn at_most(from: &mut impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    from.take(most).read_to_end(&mut content)?;
    Ok(content)
}

/// What one report says of a domain, if it is about it.
fn parse(text: &[u8], domain: &Name) -> Result<Option<Selectors>, String> {
    let mut reader = Reader::from_reader(text);
    let mut path: Vec<Vec<u8>> = Vec::new();
    let mut value = Vec::new();
    let mut found = Selectors::default();
    let mut signature: [Option<String>; 3] = [None, None, None];
    let (mut is_report, mut is_ours) = (false, false);
    loop {
        let event = reader.read_event().map_err(|error| format!("no report: {error}"))?;
        match event {
            Event::Eof => break,
            Event::Start(_) if path.len() >= DEPTH => {
                return Err("no report: elements lie too deep in each other".to_owned());
            }
            Event::Start(element) => {
                value.clear();
                path.push(element.local_name().as_ref().to_vec());
                is_report |=
                    path.len() == 1 && path.first().is_some_and(|name| name == b"feedback");
            }
            Event::Text(text) => {
                let left = VALUE.saturating_sub(value.len());
                value.extend(text.iter().take(left));
            }
            Event::End(_) => {
                let text = String::from_utf8_lossy(&value).trim().to_owned();
                let here: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
                match here.as_slice() {
                    [.., b"date_range", b"begin"] => found.begin = text.parse().unwrap_or_default(),
                    [.., b"date_range", b"end"] => found.end = text.parse().unwrap_or_default(),
                    [.., b"policy_published", b"domain"] => {
                        is_ours |=
                            text.parse::<Name>().is_ok_and(|name| domain.is_at_or_below(&name));
                    }
                    [.., b"auth_results", b"dkim", b"domain"] => signature[0] = Some(text),
                    [.., b"auth_results", b"dkim", b"selector"] => signature[1] = Some(text),
                    [.., b"auth_results", b"dkim", b"result"] => signature[2] = Some(text),
                    [.., b"auth_results", b"dkim"] => {
                        // Anybody can write any selector into a signature that fails.
                        if let Some(selector) = verified(std::mem::take(&mut signature), domain) {
                            keep(&mut found.seen, selector);
                        }
                    }
                    _ => {}
                }
                path.pop();
                value.clear();
            }
            _ => {}
        }
    }
    if !is_report {
        return Err("no DMARC aggregate report in XML".to_owned());
    }
    Ok(is_ours.then_some(found))
}

/// The selector of a signature (domain, selector, result) of this domain that verified.
fn verified(signature: [Option<String>; 3], domain: &Name) -> Option<Name> {
    let [Some(signer), Some(selector), Some(result)] = signature else { return None };
    let is_ours = signer.parse::<Name>().is_ok_and(|signer| signer == *domain);
    if is_ours && result == "pass" { selector.parse().ok() } else { None }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const REPORT: &[u8] =
        br#"<?xml version="1.0"?><feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
        <report_metadata><date_range><begin>1700000000</begin><end>1700604800</end></date_range>
        </report_metadata><policy_published><domain>example.com</domain></policy_published>
        <record><auth_results>
        <dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>
        <dkim><domain>example.com</domain><selector>s2</selector><result>fail</result></dkim>
        <dkim><domain>example.net</domain><selector>s3</selector><result>pass</result></dkim>
        </auth_results></record></feedback>"#;

    #[test]
    fn what_verified() {
        let domain: Name = "example.com".parse().unwrap();
        let wanted = Selectors {
            seen: vec!["s1".parse().unwrap()],
            begin: 1_700_000_000,
            end: 1_700_604_800,
        };
        assert_eq!(parse(REPORT, &domain), Ok(Some(wanted)));
        assert_eq!(parse(REPORT, &"example.org".parse().unwrap()), Ok(None));
        assert!(parse("<a>".repeat(DEPTH + 1).as_bytes(), &domain).is_err());
        assert!(parse(b"<html/>", &domain).is_err() && parse(b"<a></b>", &domain).is_err());
    }

    fn gzip(octets: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    }

    fn zip(octets: &[u8]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("example.net!example.com!1!2.xml", SimpleFileOptions::default()).unwrap();
        writer.write_all(octets).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn packed_in_every_way() {
        for packed in
            [REPORT.to_vec(), gzip(REPORT), zip(REPORT), gzip(&gzip(REPORT)), gzip(&zip(REPORT))]
        {
            assert_eq!(unpack(packed, MOST).unwrap(), REPORT);
        }
        // Three times is not for reports, and nothing grows without end.
        assert_eq!(unpack(gzip(&gzip(&gzip(REPORT))), MOST).unwrap(), gzip(REPORT));
        let zeros = [0; 5000];
        for packed in [gzip(&zeros), zip(&zeros)] {
            assert_eq!(unpack(packed, 4000).unwrap(), [0; 4000]);
        }
        for packed in [gzip(REPORT), zip(REPORT)] {
            assert!(unpack(packed[..packed.len() / 2].to_vec(), MOST).is_err());
        }
    }
}
