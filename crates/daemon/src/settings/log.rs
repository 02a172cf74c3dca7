//! Where the log goes, and its form.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::value::as_text;

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// Where it goes.
    pub to: LogTarget,
    /// The socket of syslog or of the journal, where it is not at its usual place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// The form of its lines.
    pub format: LogFormat,
    /// The facility of syslog.
    pub facility: Facility,
    /// The name in front of the lines.
    pub name: String,
    /// Whether success of DKIM is told too: a signature added, one that is good.
    pub success: bool,
    /// Whether the result of every signature has a line of its own.
    pub results: bool,
    /// Whether it is told why a message is signed or not.
    pub why: bool,
}

impl Default for Log {
    fn default() -> Log {
        Log {
            to: LogTarget::default(),
            socket: None,
            format: LogFormat::default(),
            facility: Facility::default(),
            name: "mailproofd".into(),
            success: true,
            results: false,
            why: false,
        }
    }
}

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogTarget {
    /// Standard error if that is a terminal; else the journal if the daemon was started by systemd,
    /// else syslog if it is there, else standard error.
    #[default]
    Auto,
    /// systemd's journal, with fields.
    Journal,
    /// `/dev/log`.
    Syslog,
    /// Standard error.
    Stderr,
    /// Nowhere.
    None,
}

/// The form of the lines of the log. The journal has fields whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines with the words of OpenDKIM and OpenDMARC, which log tools look for.
    #[default]
    Text,
    /// An object on each line.
    Json,
}

/// A facility of syslog (RFC 3164 4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility {
    /// Its number.
    pub code: u8,
}

/// RFC 3164 4.1.1, table 1, by the names of syslog(3).
const FACILITIES: [(&str, u8); 20] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

impl Default for Facility {
    fn default() -> Facility {
        Facility { code: 2 }
    }
}

/// No facility of syslog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a facility of syslog, as \"mail\" or \"local0\"")]
pub struct FacilityError;

impl FromStr for Facility {
    type Err = FacilityError;

    fn from_str(text: &str) -> Result<Facility, FacilityError> {
        let text = text.to_ascii_lowercase();
        let known = FACILITIES.iter().find(|(name, _)| *name == text);
        known.map(|&(_, code)| Facility { code }).ok_or(FacilityError)
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = FACILITIES.iter().find(|(_, code)| *code == self.code);
        f.write_str(known.map_or("mail", |(name, _)| name))
    }
}

as_text!(Facility);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_facility_is_printed_and_read() {
        for (name, code) in FACILITIES {
            assert_eq!(name.parse(), Ok(Facility { code }));
            assert_eq!(Facility { code }.to_string(), name);
        }
        assert_eq!("LOCAL7".parse(), Ok(Facility { code: 23 }));
        assert_eq!("post".parse::<Facility>(), Err(FacilityError));
    }
}
