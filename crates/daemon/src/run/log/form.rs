//! How an entry is written.

use std::fmt::{self, Display, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use mailproof_cli::escape::safe;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::run::log::Entry;
use crate::settings::{Log, LogFormat};

/// How much of a text, and of a field, is written, in octets. Local choice: rsyslog takes 8 kB for a
/// line, and whatever has more was made long by somebody.
const LONGEST: usize = 2048;

/// The version of the form of JSON.
const SCHEMA_VERSION: u32 = 1;

/// Whom the lines are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `name: QUEUEID: text`.
    Stderr,
    /// RFC 3164.
    Syslog,
    /// The native protocol of systemd's journal.
    Journal,
}

impl Form {
    pub(super) fn line(self, log: &Log, entry: &Entry<'_>) -> Vec<u8> {
        let mut line = String::with_capacity(256);
        match self {
            Form::Stderr if log.format == LogFormat::Json => line.push_str(&json(entry)),
            Form::Stderr => {
                line.push_str(&printable(&log.name));
                line.push_str(": ");
                text(&mut line, entry);
            }
            Form::Syslog => {
                // RFC 3164 4.3.2: who receives a line without a time adds it; a local time could
                // not be told without the zone of the host, and every syslogd takes its own.
                let priority = u32::from(log.facility.code) * 8 + u32::from(entry.level.code());
                let (name, process) = (printable(&log.name), std::process::id());
                let _endless = write!(line, "<{priority}>{name}[{process}]: ");
                match log.format {
                    LogFormat::Text => text(&mut line, entry),
                    LogFormat::Json => line.push_str(&json(entry)),
                }
                return line.into_bytes();
            }
            Form::Journal => {
                journal(&mut line, log, entry);
                return line.into_bytes();
            }
        }
        line.push('\n');
        line.into_bytes()
    }
}

/// `QUEUEID: text`, the form of OpenDKIM and OpenDMARC.
fn text(line: &mut String, entry: &Entry<'_>) {
    if !entry.id.is_empty() {
        line.push_str(&printable(&entry.id));
        line.push_str(": ");
    }
    line.push_str(&printable(&entry.text));
}

/// A value in print, as much of it as fits.
fn printable(value: &dyn Display) -> String {
    let mut text = String::new();
    let _endless = write!(text, "{value}");
    if !text.bytes().all(|octet| (b' '..=b'~').contains(&octet)) {
        text = safe(&text).to_string();
    }
    if text.len() > LONGEST {
        let end = text.floor_char_boundary(LONGEST);
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// systemd's "Native Journal Protocol": `NAME=value` on a line each. A value with a line feed would
/// need the other form; nothing printable has one.
fn journal(out: &mut String, log: &Log, entry: &Entry<'_>) {
    let mut field = |name: fmt::Arguments<'_>, value: &dyn Display| {
        let _endless = writeln!(out, "{name}={}", printable(value));
    };
    let mut message = String::new();
    text(&mut message, entry);
    field(format_args!("MESSAGE"), &message);
    field(format_args!("PRIORITY"), &entry.level.code());
    field(format_args!("SYSLOG_FACILITY"), &log.facility.code);
    field(format_args!("SYSLOG_IDENTIFIER"), &log.name);
    field(format_args!("SYSLOG_PID"), &std::process::id());
    field(format_args!("MAILPROOF_EVENT"), &entry.event);
    if !entry.id.is_empty() {
        field(format_args!("MAILPROOF_QUEUE_ID"), &entry.id);
    }
    for (name, value) in entry.fields {
        field(format_args!("MAILPROOF_{}", name.to_ascii_uppercase()), value);
    }
}

fn json(entry: &Entry<'_>) -> String {
    // Only a map with keys that are no strings fails.
    serde_json::to_string(&Json(entry)).unwrap_or_default()
}

struct Json<'a>(&'a Entry<'a>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Entry { level, event, id, text, fields } = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("schema_version", &SCHEMA_VERSION)?;
        map.serialize_entry("time", &Time::now().to_string())?;
        map.serialize_entry("level", level.keyword())?;
        map.serialize_entry("event", event)?;
        if !id.is_empty() {
            map.serialize_entry("queue_id", &printable(id))?;
        }
        map.serialize_entry("message", &printable(text))?;
        for (name, value) in *fields {
            map.serialize_entry(name, &printable(value))?;
        }
        map.end()
    }
}

/// A time, printed as RFC 3339 has it, in UTC.
struct Time {
    seconds: u64,
    milliseconds: u32,
}

impl Time {
    fn now() -> Time {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time { seconds: time.as_secs(), milliseconds: time.subsec_millis() }
    }
}

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.seconds / 86_400, self.seconds % 86_400);
        // Years that begin in March, so that the leap day is the last of one; 400 of them have
        // 146,097 days, and 719,468 days are before 1970.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, year) = (day - (153 * month + 2) / 5 + 1, era * 400 + year);
        let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let milliseconds = self.milliseconds;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::log::Level;
    use crate::settings::Facility;

    fn entry<'a>(
        id: &'a str,
        text: fmt::Arguments<'a>,
        fields: &'a [(&'static str, &'a dyn Display)],
    ) -> Entry<'a> {
        Entry { level: Level::Warning, event: "dmarc", id, text, fields }
    }

    fn line(form: Form, log: &Log, entry: &Entry<'_>) -> String {
        String::from_utf8(form.line(log, entry)).unwrap()
    }

    #[test]
    fn every_form() {
        let mut log = Log { name: "opendkim".into(), ..Log::default() };
        let fields: [(_, &dyn Display); 1] = [("domain", &"a\nb")];
        let made = entry("4A", format_args!("a\n<2>b"), &fields);
        assert_eq!(line(Form::Stderr, &log, &made), "opendkim: 4A: a\\n<2>b\n");
        let process = std::process::id();
        let text = format!("<20>opendkim[{process}]: 4A: a\\n<2>b");
        assert_eq!(line(Form::Syslog, &log, &made), text);
        let text = line(Form::Journal, &log, &made);
        assert!(
            text.starts_with("MESSAGE=4A: a\\n<2>b\nPRIORITY=4\nSYSLOG_FACILITY=2\n"),
            "{text}"
        );
        assert!(text.contains("\nSYSLOG_IDENTIFIER=opendkim\n"), "{text}");
        assert!(text.ends_with("MAILPROOF_QUEUE_ID=4A\nMAILPROOF_DOMAIN=a\\nb\n"), "{text}");
        log = Log { format: LogFormat::Json, facility: Facility { code: 16 }, ..log };
        let json = line(Form::Stderr, &log, &made);
        let object: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&object["level"], &object["queue_id"]), (&"warning".into(), &"4A".into()));
        assert_eq!(object["domain"], "a\\nb");
        assert!(line(Form::Syslog, &log, &made).starts_with("<132>opendkim["));
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = "ä".repeat(100_000);
        let fields: [(_, &dyn Display); 1] = [("domain", &long)];
        let log = Log::default();
        let text = line(Form::Journal, &log, &entry(&long, format_args!("{long}"), &fields));
        assert!(text.len() < 5 * LONGEST, "{}", text.len());
    }

    #[test]
    fn times() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (1_795_422_267, "2026-11-23T08:24:27.007Z"),
            (4_107_542_399, "2100-02-28T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            assert_eq!(Time { seconds, milliseconds: 7 }.to_string(), text);
        }
    }
}
