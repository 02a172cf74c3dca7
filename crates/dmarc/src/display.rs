//! The record in print.

use std::fmt;

use crate::ReportUri;
use crate::record::{AlignmentMode, Psd, Record};

impl fmt::Display for Record {
    /// The record a receiver understands: valid tags that differ from their defaults, in the order
    /// of RFC 9989, without whatever is ignored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=DMARC1")?;
        match (self.policy, self.policies()) {
            (Some(policy), _) if !self.invalid_subdomain_policy => {
                write!(f, "; p={policy}")?;
                for (name, policy) in
                    [("sp", self.subdomain_policy), ("np", self.nonexistent_policy)]
                {
                    if let Some(policy) = policy {
                        write!(f, "; {name}={policy}")?;
                    }
                }
            }
            // RFC 9989 4.10.1: "act as if a record containing 'p=none' was retrieved".
            (_, Some(policies)) => write!(f, "; p={}", policies.domain)?,
            (_, None) => {}
        }
        for (name, mode) in [("adkim", self.adkim), ("aspf", self.aspf)] {
            if mode == AlignmentMode::Strict {
                write!(f, "; {name}=s")?;
            }
        }
        match self.psd {
            Psd::Yes => f.write_str("; psd=y")?,
            Psd::No => f.write_str("; psd=n")?,
            Psd::Undeclared => {}
        }
        if self.testing {
            f.write_str("; t=y")?;
        }
        uris(f, "rua", &self.rua)?;
        uris(f, "ruf", &self.ruf)?;
        let options = self.failure_options;
        if options != Default::default() {
            let words = [("1", options.any), ("d", options.dkim), ("s", options.spf)];
            let words: Vec<&str> =
                words.iter().filter(|(_, wanted)| *wanted).map(|(word, _)| *word).collect();
            write!(f, "; fo={}", words.join(":"))?;
        }
        Ok(())
    }
}

fn uris(f: &mut fmt::Formatter<'_>, name: &str, uris: &[ReportUri]) -> fmt::Result {
    for (index, uri) in uris.iter().enumerate() {
        match index {
            0 => write!(f, "; {name}={}", uri.uri)?,
            _ => write!(f, ",{}", uri.uri)?,
        }
    }
    Ok(())
}
