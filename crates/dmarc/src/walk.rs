//! The DNS Tree Walk (RFC 9989 4.10) and what is found on it.

use std::sync::Arc;

use mailproof_dns::{Answers, Failure, Missing, Name, Question, Response};

use crate::limits::WALK_LABELS;
use crate::{Psd, Record};

/// What the TXT records at `_dmarc.` of a domain say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// One DMARC Policy Record.
    Record(Arc<Record>),
    /// None.
    Nothing,
    /// Several: "they are all discarded" (RFC 9989 4.10).
    Several,
    /// The DNS gave no usable answer.
    Failure(Failure),
}

/// A DNS Tree Walk (RFC 9989 4.10) from a domain towards the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeWalk {
    /// Where it started.
    pub start: Name,
    /// The DMARC Policy Records found, from the longest name to the shortest.
    pub records: Vec<(Name, Arc<Record>)>,
    /// A name with several records, if there was one.
    pub several: Option<Name>,
    /// The name where the DNS failed, so that the walk could not go on.
    pub failure: Option<(Name, Failure)>,
    /// The names whose `_dmarc.` was looked at, in order.
    pub names: Vec<Name>,
}

/// The names a walk from `start` may look at (RFC 9989 4.10 steps 1, 4 and 7): at most eight.
pub fn walk_names(start: &Name) -> Vec<Name> {
    let mut names = vec![start.clone()];
    let mut name = start.clone();
    while let Some(parent) = name.parent().filter(|parent| parent.label_count() > 0) {
        // "If x >= 8, remove the left-most (highest-numbered) labels from the subject domain until
        // 7 labels remain."
        if parent.label_count() <= WALK_LABELS {
            names.push(parent.clone());
        }
        name = parent;
    }
    names
}

/// Walks the tree from `start`.
///
/// # Errors
/// The questions of all names that the walk may still look at.
pub fn tree_walk(start: &Name, answers: &Answers) -> Result<TreeWalk, Missing> {
    Reader::new(answers).walk(start)
}

impl TreeWalk {
    /// The Organizational Domain of the start (RFC 9989 4.10.2); `None` if the DNS failed before it
    /// was determined.
    pub fn organizational_domain(&self) -> Option<Name> {
        if self.failure.is_some() {
            return None;
        }
        // Only the last record can have psd=n or psd=y: the walk stops there.
        let Some((name, record)) = self.records.last() else {
            // "If this process does not determine the Organizational Domain, then the initial
            // target domain is the Organizational Domain."
            return Some(self.start.clone());
        };
        if record.psd == Psd::Yes && *name != self.start {
            // "the Organizational Domain is the domain one label below this one in the DNS
            // hierarchy": taken from the start, whether the walk looked there or not.
            return Some(suffix(&self.start, name.label_count() + 1));
        }
        // "If a valid DMARC Policy Record contains [...] 'psd=n', this is the Organizational
        // Domain", and "Otherwise, select the DMARC Policy Record found at the name with the
        // fewest number of labels": both are the last record.
        Some(name.clone())
    }

    /// The record at this name, if the walk found one there.
    pub fn record_at(&self, name: &Name) -> Option<&Arc<Record>> {
        self.records.iter().find(|(found, _)| found == name).map(|(_, record)| record)
    }

    /// The record of the Public Suffix Domain, if the walk ended at one.
    pub(crate) fn psd_record(&self) -> Option<(&Name, &Arc<Record>)> {
        let (name, record) = self.records.last()?;
        (record.psd == Psd::Yes && *name != self.start).then_some((name, record))
    }
}

/// The `labels` right-most labels of a name.
pub(crate) fn suffix(name: &Name, labels: usize) -> Name {
    let mut name = name.clone();
    while let Some(parent) = name.parent().filter(|_| name.label_count() > labels) {
        name = parent;
    }
    name
}

/// Reads the records of one evaluation, each once.
pub(crate) struct Reader<'a> {
    answers: &'a Answers,
    /// What was looked at, in order; a few walks at most.
    known: Vec<(Name, Published)>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(answers: &'a Answers) -> Reader<'a> {
        Reader { answers, known: Vec::new() }
    }

    /// What is published at `_dmarc.` of the domain.
    pub(crate) fn published(&mut self, domain: &Name) -> Result<Published, Missing> {
        if let Some((_, published)) = self.known.iter().find(|(name, _)| name == domain) {
            return Ok(published.clone());
        }
        let published = match question(domain) {
            Some(question) => published(self.answers.require(&question)?),
            // No such name can exist.
            None => Published::Nothing,
        };
        self.known.push((domain.clone(), published.clone()));
        Ok(published)
    }

    /// The names whose `_dmarc.` was looked at, in order.
    pub(crate) fn into_names(self) -> Vec<Name> {
        self.known.into_iter().map(|(name, _)| name).collect()
    }

    pub(crate) fn walk(&mut self, start: &Name) -> Result<TreeWalk, Missing> {
        let mut walk = TreeWalk {
            start: start.clone(),
            records: Vec::new(),
            several: None,
            failure: None,
            names: Vec::new(),
        };
        let names = walk_names(start);
        for (index, name) in names.iter().enumerate() {
            let published = self.published(name).map_err(|missing| {
                // Foresee: the rest of the walk, in one round.
                let rest = names.get(index..).unwrap_or_default();
                merge(missing, rest.iter().filter_map(question), self.answers)
            })?;
            walk.names.push(name.clone());
            match published {
                Published::Record(record) => {
                    let declared = record.psd != Psd::Undeclared;
                    walk.records.push((name.clone(), record));
                    // "If a single record remains and it contains a 'psd=n' or 'psd=y' tag, stop."
                    if declared {
                        break;
                    }
                }
                Published::Nothing => {}
                Published::Several => {
                    walk.several.get_or_insert_with(|| name.clone());
                }
                Published::Failure(failure) => {
                    walk.failure = Some((name.clone(), failure));
                    break;
                }
            }
        }
        Ok(walk)
    }

    /// Whether the domain exists (RFC 9989 3.2.13): `Err` of the inner result if the DNS failed.
    pub(crate) fn exists(&mut self, domain: &Name) -> Result<Result<bool, Failure>, Missing> {
        // RFC 8020: if a name does not exist, none below it does. So `_dmarc.` of the domain, which
        // was asked for already, may tell.
        let below = question(domain).and_then(|question| self.answers.lookup(&question));
        if matches!(below, Some(Response::Records(_) | Response::NoData)) {
            return Ok(Ok(true));
        }
        // Any type tells; SPF asks for this one.
        match self.answers.require(&Question::txt(domain.clone()))? {
            Response::Records(_) | Response::NoData => Ok(Ok(true)),
            Response::NxDomain => Ok(Ok(false)),
            Response::Failure(failure) => Ok(Err(*failure)),
        }
    }
}

/// The question for the records of a domain; `None` if the name would be too long.
pub(crate) fn question(domain: &Name) -> Option<Question> {
    domain.prepend("_dmarc").ok().map(Question::txt)
}

/// `missing` and those of the questions that have no answer yet.
pub(crate) fn merge(
    mut missing: Missing,
    questions: impl IntoIterator<Item = Question>,
    answers: &Answers,
) -> Missing {
    for question in questions {
        missing.lookup(answers, &question);
    }
    missing
}

fn published(response: &Response) -> Published {
    if let Some(failure) = response.failure() {
        return Published::Failure(failure);
    }
    // "Records that do not start with a 'v' tag that identifies the current version of DMARC are
    // discarded. If multiple DMARC Policy Records are returned for a single target, they are all
    // discarded."
    let mut records = response.texts().filter(|txt| Record::is_record(txt.joined()));
    match (records.next(), records.next()) {
        (Some(txt), None) => match Record::parse(txt.joined()) {
            Ok(record) => Published::Record(Arc::new(record)),
            Err(_) => Published::Nothing,
        },
        (None, _) => Published::Nothing,
        (Some(_), Some(_)) => Published::Several,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(start: &str) -> Vec<String> {
        walk_names(&start.parse().unwrap()).iter().map(Name::to_string).collect()
    }

    #[test]
    fn eight_queries_at_most() {
        assert_eq!(names("com"), ["com"]);
        assert_eq!(names("a.example.com"), ["a.example.com", "example.com", "com"]);
        let eight = names("a.b.c.d.e.f.example.com");
        assert_eq!((eight.len(), eight[1].as_str()), (8, "b.c.d.e.f.example.com"));
        let nine = names("a.b.c.d.e.f.g.example.com");
        assert_eq!((nine.len(), nine[1].as_str()), (8, "c.d.e.f.g.example.com"));
        let many = names(&format!("{}com", "a.".repeat(100)));
        assert_eq!((many.len(), many[7].as_str()), (8, "com"));
    }

    #[test]
    fn the_root_is_not_asked() {
        assert_eq!(walk_names(&Name::root()), [Name::root()]);
    }
}
