//! One zone file read into a zone. What a checker has a rule for does not stop it: it is noted, and
//! the check goes on as if it were mended.

use std::fs;
use std::path::Path;

use mailproof_cli::dns_source::{explain, zone_file};
use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dns::{MasterFileError, MasterFileErrorKind as Kind, Name, Zone, ZoneError};

use crate::found::Place;

/// How often a file is mended and read again. Local choice: each time mends up to a hundred
/// records.
const ROUNDS: usize = 8;
/// RFC 1035 3.3: "treated as binary information, and can be up to 256 characters in length
/// (including the length octet)".
const STRING: usize = 255;

/// What is wrong with a line of a zone file, and has a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Defect {
    /// The id of the rule.
    pub(crate) rule: &'static str,
    pub(crate) place: Place,
    /// The line.
    pub(crate) line: Vec<u8>,
    /// The octets of the line at fault.
    pub(crate) span: std::ops::Range<usize>,
    pub(crate) message: String,
    pub(crate) fix: Option<String>,
}

/// Reads `[ORIGIN=]FILE` into `zone`; `origin` completes names where neither ORIGIN nor the file
/// says how.
pub(crate) fn read(
    zone: &mut Zone,
    argument: &Path,
    origin: Option<&Name>,
) -> Result<Vec<Defect>, Trouble> {
    let (own, path) = zone_file(argument)?;
    let origin = own.as_ref().or(origin);
    let name = path.to_string_lossy();
    let mut octets = fs::read(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
    let mut defects = Vec::new();
    // Between quotes and ends of lines stands all of a string, whatever else.
    if octets.split(|octet| b"\"\n".contains(octet)).any(|part| part.len() > STRING) {
        octets = mended(&name, octets, origin, &mut defects)?;
    }
    if let Err(error) = zone.read(&name, &octets, origin) {
        defects.extend(defects_of(&error, &octets)?);
    }
    Ok(defects)
}

/// The file with the strings split that are too long, which are noted.
fn mended(
    name: &str,
    mut octets: Vec<u8>,
    origin: Option<&Name>,
    defects: &mut Vec<Defect>,
) -> Result<Vec<u8>, Trouble> {
    for _ in 0..ROUNDS {
        // Apart from all other files, since what was wrong would stay.
        let Err(error) = Zone::new().read(name, &octets, origin) else { return Ok(octets) };
        let long: Vec<&MasterFileError> =
            error.errors.iter().filter(|error| is_too_long(error)).collect();
        if long.is_empty() {
            return Ok(octets);
        }
        let found = defects_of(&error, &octets)?;
        // What is not mended is found again.
        defects.extend(found.into_iter().filter(|defect| defect.rule == "DNS001"));
        octets = split(&octets, &long);
    }
    Err(Trouble::input(name, "too many errors"))
}

/// The errors as defects, if there is a rule for each.
fn defects_of(error: &ZoneError, octets: &[u8]) -> Result<Vec<Defect>, Trouble> {
    let found: Option<Vec<Defect>> =
        error.errors.iter().map(|error| defect(error, octets)).collect();
    found.ok_or_else(|| Trouble::File(explain(octets, error)))
}

fn is_too_long(error: &MasterFileError) -> bool {
    matches!(error.kind, Kind::StringTooLong { .. })
}

/// The error as a defect, if there is a rule for it.
fn defect(error: &MasterFileError, octets: &[u8]) -> Option<Defect> {
    let rule = match error.kind {
        Kind::StringTooLong { .. } => {
            // Escapes are not taken apart.
            let string = octets.get(error.span.clone())?;
            (!string.contains(&b'\\')).then_some("DNS001")?
        }
        Kind::CnameAndOther | Kind::SeveralCnames => "DNS008",
        _ => return None,
    };
    let (before, after) = octets.split_at_checked(error.place.offset)?;
    let start = before.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
    let end =
        error.place.offset + after.iter().position(|&octet| octet == b'\n').unwrap_or(after.len());
    let end_of_span = error.span.end.min(end).saturating_sub(start);
    Some(Defect {
        rule,
        place: Place::of(&error.place),
        line: octets.get(start..end)?.to_vec(),
        span: error.span.start.saturating_sub(start)..end_of_span,
        message: error.kind.to_string(),
        fix: error.kind.fix(),
    })
}

/// The file with these strings split.
fn split(octets: &[u8], long: &[&MasterFileError]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(octets.len() + 64);
    let mut at = 0;
    for error in long {
        let (Some(before), Some(string)) =
            (octets.get(at..error.span.start), octets.get(error.span.clone()))
        else {
            continue;
        };
        mended.extend_from_slice(before);
        let separator: &[u8] = if before.ends_with(b"\"") { b"\" \"" } else { b" " };
        for (index, part) in string.chunks(STRING).enumerate() {
            if index > 0 {
                mended.extend_from_slice(separator);
            }
            mended.extend_from_slice(part);
        }
        at = error.span.end;
    }
    mended.extend_from_slice(octets.get(at..).unwrap_or_default());
    mended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<(Zone, Vec<Defect>), Trouble> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, text).unwrap();
        let mut zone = Zone::new();
        let defects = read(&mut zone, file.path(), None)?;
        Ok((zone, defects))
    }

    #[test]
    fn a_long_string_is_told_and_split() {
        let long = "x".repeat(600);
        let (zone, defects) =
            read_text(&format!("$ORIGIN a.example.\n@ TXT \"{long}\"\nb TXT {long}\n")).unwrap();
        let places: Vec<(usize, usize)> =
            defects.iter().map(|defect| (defect.place.line, defect.place.column)).collect();
        assert_eq!(places, [(2, 8), (3, 7)]);
        assert!(defects.iter().all(|defect| defect.rule == "DNS001"));
        let lengths: Vec<usize> = zone
            .records()
            .iter()
            .filter_map(|record| match &record.data {
                mailproof_dns::Data::Txt(txt) => Some(txt.joined().len()),
                _ => None,
            })
            .collect();
        assert_eq!(lengths, [600, 600]);
    }

    #[test]
    fn a_cname_beside_others_is_told() {
        let (_, defects) =
            read_text("$ORIGIN a.example.\n@ CNAME b\n@ TXT \"v=spf1 -all\"\n").unwrap();
        assert_eq!((defects.len(), defects[0].rule), (1, "DNS008"));
    }

    #[test]
    fn what_is_no_zone_file_stops() {
        assert!(read_text("$ORIGIN a.example.\n@ TXTT \"x\"\n").is_err());
    }
}
