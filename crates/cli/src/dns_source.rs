//! Where the answers of the DNS come from, behind one function.

use std::fs;
use std::path::Path;

use mailproof_dns::{Answers, Limits, Missing, Name, Zone, ZoneError, resolve_blocking_with};

use crate::caret::caret;
use crate::dns_options::DnsOptions;
use crate::escape::visible;
use crate::exit::Trouble;
use crate::input::reason;

/// The source of answers that the [`DnsOptions`] name.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Zone(Zone),
}

impl Source {
    /// Reads the files that the options name; the network is not touched before a question comes.
    ///
    /// # Errors
    /// Options that contradict each other, or a file that cannot be read.
    pub fn new(options: &DnsOptions) -> Result<Source, Trouble> {
        options.check()?;
        let mut zone = Zone::new();
        for argument in &options.zone {
            read_zone(&mut zone, argument)?;
        }
        Ok(Source { kind: Kind::Zone(zone) })
    }

    /// The outcome of `function`, a pure function of the answers, and the answers it had.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub fn resolve<T>(
        &mut self,
        function: impl FnMut(&Answers) -> Result<T, Missing>,
    ) -> Result<(T, Answers), Trouble> {
        let mut answers = Answers::new();
        let limits = Limits::default();
        let outcome = match &self.kind {
            Kind::Zone(zone) => {
                let lookup = |question: &_| zone.lookup(question);
                resolve_blocking_with(lookup, &mut answers, &limits, function)
            }
        };
        Ok((outcome, answers))
    }

    /// The zone files, if the answers come from there.
    pub fn zone(&self) -> Option<&Zone> {
        match &self.kind {
            Kind::Zone(zone) => Some(zone),
        }
    }
}

/// Reads `[ORIGIN=]FILE`; a file of that whole name comes first.
fn read_zone(zone: &mut Zone, argument: &Path) -> Result<(), Trouble> {
    let text = argument.to_string_lossy();
    let (origin, path) = match text.split_once('=') {
        Some((origin, path)) if !argument.exists() => {
            let name = origin.parse::<Name>().map_err(|error| {
                Trouble::Usage(format!("--zone {}: {error}", visible(text.as_bytes())))
            })?;
            (Some(name), Path::new(path))
        }
        _ => (None, argument),
    };
    let name = path.to_string_lossy();
    let octets = fs::read(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
    zone.read(&name, &octets, origin.as_ref())
        .map_err(|error| Trouble::File(explain(&octets, &error)))
}

/// Every error with its line and a caret, and what to do about it.
fn explain(octets: &[u8], error: &ZoneError) -> String {
    let mut text = String::new();
    for error in &error.errors {
        let (before, _) = octets.split_at_checked(error.span.start).unwrap_or((octets, &[]));
        let start = before.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
        let line = octets.get(start..).unwrap_or_default();
        let line = line.split(|&octet| octet == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let span = error.span.start - start..error.span.end.saturating_sub(start);
        let place = visible(error.place.to_string().as_bytes()).to_string();
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{place}: {}\n{}", error.kind, caret(line, span, 4)));
        if let Some(fix) = error.kind.fix() {
            text.push_str(&format!("\n    {fix}"));
        }
    }
    if error.omitted > 0 {
        text.push_str(&format!("\nand {} more", error.omitted));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_its_line_and_a_caret() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("zone");
        fs::write(&path, "$ORIGIN example.\r\na TXT \"x\"\r\nb TXTT \"y\"\r\n").unwrap();
        let error = read_zone(&mut Zone::new(), &path).unwrap_err().to_string();
        let (_, error) = error.split_once("zone:").unwrap();
        assert!(
            error.starts_with("3:3: unknown record type\n    b TXTT \"y\"\n      ^^^^\n"),
            "{error}"
        );
    }

    #[test]
    fn the_origin_may_stand_before_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("zone");
        fs::write(&path, "a TXT x\n").unwrap();
        let mut zone = Zone::new();
        assert!(read_zone(&mut zone, &path).is_err());
        let argument = format!("example.net={}", path.display());
        read_zone(&mut zone, Path::new(&argument)).unwrap();
        assert_eq!(zone.records()[0].name.to_string(), "a.example.net");
        assert!(read_zone(&mut zone, Path::new("a..b=zone")).is_err());
    }
}
