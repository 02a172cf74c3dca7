//! Where the answers of the DNS come from, behind one function.

use std::fs;
use std::path::{Path, PathBuf};

use mailproof_dns::{
    Answers, Limits, Missing, Name, Question, Recording, Response, Zone, ZoneError,
    resolve_blocking_with,
};

use crate::caret::caret;
use crate::dns_options::DnsOptions;
use crate::escape::visible;
use crate::exit::Trouble;
use crate::input::reason;
use crate::network::Network;

/// The source of answers that the [`DnsOptions`] name.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    /// Where the answers are to be written, and those so far.
    recording: Option<(PathBuf, Answers)>,
}

#[derive(Debug)]
enum Kind {
    Zone(Zone),
    Recording(Recording),
    Network(Box<Network>),
}

impl Source {
    /// Reads the files that the options name; the network is not touched before a question comes.
    ///
    /// # Errors
    /// Options that contradict each other, or a file that cannot be read.
    pub fn new(options: &DnsOptions) -> Result<Source, Trouble> {
        options.check()?;
        let kind = if let Some(path) = &options.replay {
            Kind::Recording(read_recording(path)?)
        } else if options.zone.is_empty() {
            Kind::Network(Box::new(Network::new(options)))
        } else {
            let mut zone = Zone::new();
            for argument in &options.zone {
                read_zone(&mut zone, argument)?;
            }
            Kind::Zone(zone)
        };
        let recording = options.record.clone().map(|path| (path, Answers::new()));
        Ok(Source { kind, recording })
    }

    /// The outcome of `function`, a pure function of the answers, and the answers it had.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub fn resolve<T>(
        &mut self,
        mut function: impl FnMut(&Answers) -> Result<T, Missing>,
    ) -> Result<(T, Answers), Trouble> {
        let resolved = match &mut self.kind {
            Kind::Zone(zone) => answer(|question| zone.lookup(question), function),
            Kind::Recording(recording) => answer(|question| recording.lookup(question), function),
            // What asks nothing needs no runtime.
            Kind::Network(network) => match function(&Answers::new()) {
                Ok(outcome) => (outcome, Answers::new()),
                Err(_) => network.resolve(function)?,
            },
        };
        self.keep(&resolved.1);
        Ok(resolved)
    }

    /// As [`Source::resolve`], for each of the `queries`; over the network many at a time.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub fn resolve_each<Q, T>(
        &mut self,
        queries: &[Q],
        function: impl Fn(&Q, &Answers) -> Result<T, Missing>,
    ) -> Result<Vec<T>, Trouble> {
        if let Kind::Network(network) = &mut self.kind {
            let resolved = network.resolve_each(queries, function)?;
            return Ok(resolved
                .into_iter()
                .map(|(outcome, answers)| {
                    self.keep(&answers);
                    outcome
                })
                .collect());
        }
        let each = |query| self.resolve(|answers| function(query, answers));
        queries.iter().map(each).map(|resolved| resolved.map(|(outcome, _)| outcome)).collect()
    }

    /// Keeps the answers for the recording, if one was asked for.
    fn keep(&mut self, answers: &Answers) {
        if let Some((_, kept)) = &mut self.recording {
            let new = answers.iter();
            kept.extend(new.map(|(question, response)| (question.clone(), response.clone())));
        }
    }

    /// Writes the recording, if one was asked for; to be called at the end of the run.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<(), Trouble> {
        let Some((path, answers)) = self.recording else { return Ok(()) };
        fs::write(&path, Recording::from(answers).to_string())
            .map_err(|error| Trouble::input(path.to_string_lossy(), reason(&error)))
    }

    /// The zone files, if the answers come from there.
    pub fn zone(&self) -> Option<&Zone> {
        match &self.kind {
            Kind::Zone(zone) => Some(zone),
            Kind::Recording(_) | Kind::Network(_) => None,
        }
    }
}

/// The outcome of `function` with answers that are at hand.
fn answer<T>(
    lookup: impl FnMut(&Question) -> Response,
    function: impl FnMut(&Answers) -> Result<T, Missing>,
) -> (T, Answers) {
    let mut answers = Answers::new();
    let outcome = resolve_blocking_with(lookup, &mut answers, &Limits::default(), function);
    (outcome, answers)
}

fn read_zone(zone: &mut Zone, argument: &Path) -> Result<(), Trouble> {
    let (origin, path) = zone_file(argument)?;
    let name = path.to_string_lossy();
    let octets = fs::read(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
    zone.read(&name, &octets, origin.as_ref())
        .map_err(|error| Trouble::File(explain(&octets, &error)))
}

/// Takes `[ORIGIN=]FILE` apart; a file of that whole name comes first.
///
/// # Errors
/// ORIGIN is no domain name.
pub fn zone_file(argument: &Path) -> Result<(Option<Name>, &Path), Trouble> {
    // What is no UTF-8 has no origin before it.
    match argument.to_str().and_then(|text| text.split_once('=')) {
        Some((origin, path)) if !argument.exists() => {
            let origin = origin.parse().map_err(|error| {
                let text = visible(argument.as_os_str().as_encoded_bytes());
                Trouble::Usage(format!("--zone {text}: {error}"))
            })?;
            Ok((Some(origin), Path::new(path)))
        }
        _ => Ok((None, argument)),
    }
}

/// Reads a recording, a file that `--record` wrote.
///
/// # Errors
/// The file cannot be read, or all its errors.
pub fn read_recording(path: &Path) -> Result<Recording, Trouble> {
    let name = path.to_string_lossy();
    let octets = fs::read(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
    Recording::read(&name, &octets).map_err(|error| Trouble::File(explain(&octets, &error)))
}

/// Every error with its line and a caret, and what to do about it; `octets` are the file.
pub fn explain(octets: &[u8], error: &ZoneError) -> String {
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
    use mailproof_dns::Failure;

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
    fn what_was_recorded_is_replayed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("answers");
        let zone = Zone::parse("a.example. 60 TXT \"x\"\nb.example. SERVFAIL").unwrap();
        let recording = Some((path.clone(), Answers::new()));
        let mut source = Source { kind: Kind::Zone(zone), recording };
        let ask = |name: &'static str| {
            let question = Question::txt(name.parse().unwrap());
            move |answers: &Answers| answers.require(&question).cloned()
        };
        let (a, _) = source.resolve(ask("a.example")).unwrap();
        let (b, _) = source.resolve(ask("b.example")).unwrap();
        source.finish().unwrap();
        let kind = Kind::Recording(read_recording(&path).unwrap());
        let mut source = Source { kind, recording: None };
        assert_eq!(source.resolve(ask("a.example")).unwrap().0, a);
        assert_eq!(source.resolve(ask("b.example")).unwrap().0, b);
        let (c, _) = source.resolve(ask("c.example")).unwrap();
        assert_eq!(c, Response::Failure(Failure::NotRecorded));
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
