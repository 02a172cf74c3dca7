//! All families over one domain, or one record.

use mailproof_dns::{Answers, Failure, Missing, Name, Question, RecordType, Response, Txt};

use crate::finding::Text;
use crate::{Kind, Profile, Report, Request, dkim, dmarc, hygiene, mx, spf, tls};

/// Checks what is published for a domain.
///
/// # Errors
/// The questions that are not answered yet.
pub fn check(request: &Request, answers: &Answers) -> Result<Report, Missing> {
    let mut look = Look { answers, missing: Missing::new(), report: Report::default() };
    spf::check(request, &mut look);
    dkim::check(request, &mut look);
    dmarc::check(request, &mut look);
    mx::check(request, &mut look);
    tls::check(request, &mut look);
    let Look { missing, report, .. } = look;
    missing.into_result()?;
    Ok(report)
}

/// Checks one record without any DNS.
pub fn check_record(kind: Kind, name: &Name, octets: &[u8], profile: Profile) -> Report {
    let mut report = Report::default();
    let text = Text { name, octets };
    hygiene::text(&mut report, text);
    let _ = profile;
    match kind {
        Kind::Spf => spf::record(&mut report, text),
        Kind::Dkim => dkim::record(&mut report, text),
        Kind::Dmarc => dmarc::record(&mut report, text),
        Kind::Adsp => report.at("DKIM033", text, 0..octets.len(), "ADSP is Historic"),
        Kind::MtaSts => tls::sts(&mut report, text),
        Kind::TlsRpt => tls::rpt(&mut report, text),
        Kind::Bimi | Kind::Tlsa => {}
    }
    report
}

/// The answers, what is missing of them, and what was found so far.
pub(crate) struct Look<'a> {
    pub(crate) answers: &'a Answers,
    pub(crate) missing: Missing,
    pub(crate) report: Report,
}

impl<'a> Look<'a> {
    /// The response, if it is known.
    pub(crate) fn ask(&mut self, name: &Name, rtype: RecordType) -> Option<&'a Response> {
        let question = Question::new(name.clone(), rtype);
        let response = self.missing.lookup(self.answers, &question)?;
        match response.failure() {
            None => Some(response),
            Some(Failure::NotRecorded) => None,
            Some(failure) => {
                let message = format!("{question}: {failure}");
                let is_known = self.report.findings.iter().any(|found| found.message == message);
                if !is_known {
                    self.report.of("DNS011", name, rtype, message);
                }
                None
            }
        }
    }

    /// The text records, if the response is known; what is wrong with any text is noted.
    pub(crate) fn texts(&mut self, name: &Name) -> Option<Vec<&'a Txt>> {
        let texts: Vec<&Txt> = self.ask(name, RecordType::Txt)?.texts().collect();
        Some(texts)
    }

    /// The outcome, or its questions noted.
    pub(crate) fn keep<T>(&mut self, outcome: Result<T, Missing>) -> Option<T> {
        outcome.map_err(|more| self.missing.merge(more)).ok()
    }
}
