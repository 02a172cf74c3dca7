//! What the DNS answered, as text, and the same answers again.

use std::fmt;

use crate::display::Absolute;
use crate::master_file::{Content, Entry, Reader};
use crate::token::{Position, Problem};
use crate::zone_error::{MasterFileErrorKind as Kind, ZoneError};
use crate::{
    Answers, Data, Failure, Missing, Name, Question, RecordSet, RecordType, Resolver, Response,
    ZoneLimits, resolve_blocking,
};

/// The questions of a run and their responses. In print it is a master file (RFC 1035 5) with one
/// block for each question:
///
/// ```text
/// $QUESTION www.example. TXT
/// www.example. 300 IN CNAME web.example.
/// web.example. 300 IN TXT "text"
/// $QUESTION gone.example. MX
/// gone.example. MX NXDOMAIN
/// ```
///
/// Reading gives the same answers again, and [`crate::Zone`] reads it too. `AD` after a question
/// says that its records are authenticated. What was never asked ([`Failure::Budget`],
/// [`Failure::NotRecorded`]) is not written.
///
/// ```
/// use mailproof_dns::{Answers, Data, Failure, Question, Recording, Response};
///
/// let question = Question::txt("example.com".parse()?);
/// let mut answers = Answers::new();
/// answers.insert(question.clone(), Response::records([Data::txt("v=spf1 -all")]));
///
/// let text = Recording::from(answers).to_string();
/// let replayed = Recording::parse(&text)?;
/// assert_eq!(replayed.lookup(&question).texts().count(), 1);
/// let other = Question::txt("example.net".parse()?);
/// assert_eq!(replayed.lookup(&other), Response::Failure(Failure::NotRecorded));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    answers: Answers,
}

impl Recording {
    /// Reads what [`fmt::Display`] wrote.
    ///
    /// # Errors
    /// As [`Recording::read`].
    pub fn parse(text: &str) -> Result<Recording, ZoneError> {
        Recording::read("recording", text.as_bytes())
    }

    /// Reads a file that was written through [`fmt::Display`], or by hand.
    ///
    /// # Errors
    /// All errors of the file: those of a [`crate::Zone`], and lines that do not answer the
    /// question before them.
    pub fn read(file_name: &str, octets: &[u8]) -> Result<Recording, ZoneError> {
        let root = Name::root();
        let mut reader = Reader::new(file_name.into(), octets, Some(&root), ZoneLimits::default());
        let mut recording = Recording::default();
        let mut block: Option<Block> = None;
        while let Some(entry) = reader.entry() {
            let at = entry.at;
            let result = match (entry.content, &mut block) {
                (Content::Question { rtype, authenticated }, block) => {
                    let question = Question::new(entry.name, rtype);
                    let next = Block::new(question, authenticated, at);
                    recording.finish(block.replace(next))
                }
                (content, Some(block)) => block
                    .add(Entry { content, ..entry })
                    .map_err(|kind| Problem { kind, at, length: 0 }),
                (_, None) => Err(Problem { kind: Kind::NotOfQuestion, at, length: 0 }),
            };
            if let Err(problem) = result {
                reader.report(problem);
            }
        }
        if let Err(problem) = recording.finish(block) {
            reader.report(problem);
        }
        reader.finish()?;
        Ok(recording)
    }

    fn finish(&mut self, block: Option<Block>) -> Result<(), Problem> {
        let Some(Block { question, at, set, scripted, .. }) = block else {
            return Ok(());
        };
        let response = match scripted {
            Some(response) => response,
            None if set.records.is_empty() => {
                return Err(Problem { kind: Kind::Missing("the answer"), at, length: 0 });
            }
            None => Response::Records(set),
        };
        if self.answers.lookup(&question).is_some_and(|known| *known != response) {
            return Err(Problem { kind: Kind::Contradiction, at, length: 0 });
        }
        self.answers.insert(question, response);
        Ok(())
    }

    /// The response recorded, or [`Failure::NotRecorded`].
    pub fn lookup(&self, question: &Question) -> Response {
        let missing = Response::Failure(Failure::NotRecorded);
        self.answers.lookup(question).cloned().unwrap_or(missing)
    }

    /// Calls `function` until it has an outcome, the recording answering ([`resolve_blocking`]).
    pub fn resolve<T>(&self, function: impl FnMut(&Answers) -> Result<T, Missing>) -> T {
        resolve_blocking(|question| self.lookup(question), function)
    }

    /// The answers recorded.
    pub fn answers(&self) -> &Answers {
        &self.answers
    }
}

impl From<Answers> for Recording {
    fn from(answers: Answers) -> Recording {
        Recording { answers }
    }
}

impl Resolver for Recording {
    async fn lookup(&self, question: &Question) -> Response {
        Recording::lookup(self, question)
    }
}

/// The lines after one `$QUESTION`.
struct Block {
    question: Question,
    at: Position,
    /// The records so far.
    set: RecordSet,
    scripted: Option<Response>,
}

impl Block {
    fn new(question: Question, authenticated: bool, at: Position) -> Block {
        let set =
            RecordSet { records: Vec::new(), ttl: u32::MAX, aliases: Vec::new(), authenticated };
        Block { question, at, set, scripted: None }
    }

    fn add(&mut self, entry: Entry) -> Result<(), Kind> {
        let owner = self.set.aliases.last().unwrap_or(&self.question.name);
        if entry.name != *owner || self.scripted.is_some() {
            return Err(Kind::NotOfQuestion);
        }
        let is_first = self.set.records.is_empty();
        match entry.content {
            Content::Record { data, ttl, .. } if data.rtype() == self.question.rtype => {
                self.set.records.push(data);
                self.set.ttl = self.set.ttl.min(ttl);
            }
            Content::Record { data: Data::Cname(target), ttl, .. } if is_first => {
                self.set.aliases.push(target);
                self.set.ttl = self.set.ttl.min(ttl);
            }
            Content::Scripted(rtype, response)
                if is_first && rtype.is_none_or(|rtype| rtype == self.question.rtype) =>
            {
                self.scripted = Some(response);
            }
            _ => return Err(Kind::NotOfQuestion),
        }
        Ok(())
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blocks: Vec<(&Question, &Response)> = self.answers.iter().collect();
        // RFC 4034 6.1: a domain before what is below it, so that a person finds things.
        blocks.sort_by_cached_key(|(question, _)| {
            let mut labels: Vec<&[u8]> = question.name.labels().collect();
            labels.reverse();
            (labels, question.rtype)
        });
        blocks.into_iter().try_for_each(|(question, response)| write_block(f, question, response))
    }
}

fn write_block(
    f: &mut fmt::Formatter<'_>,
    question: &Question,
    response: &Response,
) -> fmt::Result {
    let word = match response {
        Response::Records(set) => return write_records(f, question, set),
        Response::NoData => "NODATA",
        Response::NxDomain => "NXDOMAIN",
        Response::Failure(Failure::ServFail) => "SERVFAIL",
        Response::Failure(Failure::Timeout) => "TIMEOUT",
        Response::Failure(Failure::Budget | Failure::NotRecorded) => return Ok(()),
    };
    let (name, rtype) = (Absolute(&question.name), question.rtype);
    writeln!(f, "$QUESTION {name} {rtype}\n{name} {rtype} {word}")
}

fn write_records(f: &mut fmt::Formatter<'_>, question: &Question, set: &RecordSet) -> fmt::Result {
    let authenticated = if set.authenticated { " AD" } else { "" };
    writeln!(f, "$QUESTION {} {}{authenticated}", Absolute(&question.name), question.rtype)?;
    // RFC 2181 8: a TTL has 31 bits.
    let ttl = set.ttl.min(0x7fff_ffff);
    let mut owner = &question.name;
    for alias in &set.aliases {
        let rtype = RecordType::Cname;
        writeln!(f, "{} {ttl} IN {rtype} {}", Absolute(owner), Absolute(alias))?;
        owner = alias;
    }
    for data in &set.records {
        writeln!(f, "{} {ttl} IN {} {data}", Absolute(owner), data.rtype())?;
    }
    Ok(())
}
