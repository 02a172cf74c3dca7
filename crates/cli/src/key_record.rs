//! A DKIM key record, with a caret under what decided.

use std::fmt;
use std::ops::Range;

use mailproof_dkim::{Cause, KeyRecord, SignatureOutcome};
use mailproof_dns::{Answers, Data, Question, Txt, Zone};
use mailproof_tag_list::TagList;
use serde::{Serialize, Serializer};

use crate::caret::caret;
use crate::escape::visible;

/// A key record and the octets of it that decided.
#[derive(Debug, Clone, Serialize)]
pub struct Excerpt {
    name: String,
    /// File, line and column, if it is in a zone file.
    place: Option<String>,
    #[serde(serialize_with = "text")]
    record: Vec<u8>,
    span: Range<usize>,
}

fn text<S: Serializer>(octets: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(octets))
}

impl Excerpt {
    /// The record that is at fault for what was found of a signature, if one is.
    pub fn of(
        judged: &SignatureOutcome,
        answers: &Answers,
        zone: Option<&Zone>,
    ) -> Option<Excerpt> {
        let question = Question::txt(judged.signature.as_ref()?.key_name.clone());
        let (txt, span) = fault(&judged.cause, &question, answers)?;
        Some(Excerpt::new(&question, txt, span, zone))
    }

    /// This tag of the key record.
    pub fn of_tag(
        name: &str,
        question: &Question,
        answers: &Answers,
        zone: Option<&Zone>,
    ) -> Option<Excerpt> {
        let (txt, span) = tag(name, question, answers)?;
        Some(Excerpt::new(question, txt, span, zone))
    }

    fn new(question: &Question, txt: &Txt, span: Range<usize>, zone: Option<&Zone>) -> Excerpt {
        let place = zone.and_then(|zone| place_in(zone, question, txt, span.start));
        let name = question.name.to_string();
        Excerpt { name, place, record: txt.joined().to_vec(), span }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(place) = &self.place {
            write!(f, " ({})", visible(place.as_bytes()))?;
        }
        write!(f, "\n{}", caret(&self.record, self.span.clone(), 16))
    }
}

/// The record and the octets of it that decided, where the cause lies in the record.
fn fault<'a>(
    cause: &Cause,
    question: &Question,
    answers: &'a Answers,
) -> Option<(&'a Txt, Range<usize>)> {
    let texts = || answers.lookup(question).into_iter().flat_map(|response| response.texts());
    let name = match cause {
        Cause::Key { record, error } => {
            return Some((texts().find(|txt| txt.joined() == record)?, error.span.clone()));
        }
        Cause::KeyRevoked | Cause::KeyTooSmall { .. } | Cause::KeyTooLarge { .. } => "p",
        Cause::KeyTypeMismatch { .. } => "k",
        Cause::KeyHashNotAllowed => "h",
        Cause::KeyNotForEmail => "s",
        Cause::StrictDomainMismatch { .. } => "t",
        _ => return None,
    };
    tag(name, question, answers)
}

/// The first key record, and this tag in it, or that of the key if it has no such tag.
fn tag<'a>(
    name: &str,
    question: &Question,
    answers: &'a Answers,
) -> Option<(&'a Txt, Range<usize>)> {
    let mut texts = answers.lookup(question)?.texts();
    let txt = texts.find(|txt| KeyRecord::parse(txt.joined()).is_ok())?;
    let tags = TagList::parse(txt.joined()).ok()?;
    let tag = tags.get(name).or_else(|| tags.get("p"))?;
    Some((txt, tag.name_span.start..tag.value_span.end))
}

/// Where in the zone files the octet of the record is.
fn place_in(zone: &Zone, question: &Question, txt: &Txt, octet: usize) -> Option<String> {
    let records = zone.records_of(question);
    let record = records
        .into_iter()
        .find(|record| matches!(&record.data, Data::Txt(data) if data == txt))?;
    Some(zone.place_of_octet(record, octet)?.to_string())
}
