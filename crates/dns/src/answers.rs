//! The answer set, and what is missing from it.

use std::collections::HashMap;

use crate::hash::NameHash;
use crate::{Failure, Question, Response};

static BUDGET: Response = Response::Failure(Failure::Budget);

/// The responses known so far: one snapshot of the DNS for one message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    responses: HashMap<Question, Response, NameHash>,
    exhausted: bool,
}

/// The questions a function needs answered before it can go on, in the order it named them.
///
/// A function names *all* questions it can foresee before it reads any response, so that the
/// driver can ask them in parallel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    questions: Vec<Question>,
}

impl Answers {
    /// An empty set: nothing is known yet.
    pub fn new() -> Answers {
        Answers::default()
    }

    /// The response to `question`, if it is known.
    pub fn lookup(&self, question: &Question) -> Option<&Response> {
        match self.responses.get(question) {
            None if self.exhausted => Some(&BUDGET),
            response => response,
        }
    }

    /// The response to `question`.
    ///
    /// # Errors
    /// [`Missing`] with this question if it is not known yet.
    pub fn require(&self, question: &Question) -> Result<&Response, Missing> {
        self.lookup(question).ok_or_else(|| Missing { questions: vec![question.clone()] })
    }

    /// Adds or replaces the response to `question`.
    pub fn insert(&mut self, question: Question, response: Response) {
        self.responses.insert(question, response);
    }

    /// How many questions are answered.
    pub fn len(&self) -> usize {
        self.responses.len()
    }

    /// Whether no question is answered.
    pub fn is_empty(&self) -> bool {
        self.responses.is_empty()
    }

    /// Every question with its response, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Question, &Response)> {
        self.responses.iter()
    }

    /// From now on every unknown question counts as answered by [`Failure::Budget`].
    pub(crate) fn exhaust(&mut self) {
        self.exhausted = true;
    }

    /// Whether the driver gave up asking.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }
}

impl Extend<(Question, Response)> for Answers {
    fn extend<I: IntoIterator<Item = (Question, Response)>>(&mut self, responses: I) {
        self.responses.extend(responses);
    }
}

impl FromIterator<(Question, Response)> for Answers {
    fn from_iter<I: IntoIterator<Item = (Question, Response)>>(responses: I) -> Answers {
        Answers { responses: responses.into_iter().collect(), exhausted: false }
    }
}

impl Missing {
    /// Nothing missing yet.
    pub fn new() -> Missing {
        Missing::default()
    }

    /// Looks `question` up in `answers`, and notes it where it is not known.
    pub fn lookup<'a>(
        &mut self,
        answers: &'a Answers,
        question: &Question,
    ) -> Option<&'a Response> {
        let response = answers.lookup(question);
        if response.is_none() && !self.questions.contains(question) {
            self.questions.push(question.clone());
        }
        response
    }

    /// Adds the questions of `other`.
    pub fn merge(&mut self, other: Missing) {
        for question in other.questions {
            if !self.questions.contains(&question) {
                self.questions.push(question);
            }
        }
    }

    /// `Ok` if nothing is missing.
    ///
    /// # Errors
    /// Itself, if a question is missing.
    pub fn into_result(self) -> Result<(), Missing> {
        if self.questions.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The questions, in the order they were named.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The questions, in the order they were named.
    pub fn into_questions(self) -> Vec<Question> {
        self.questions
    }
}
