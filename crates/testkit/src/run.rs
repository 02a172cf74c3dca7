use crate::Case;
use crate::exceptions::{self, Exception};
use crate::read::{cases, filter, testdata};
use serde::de::DeserializeOwned;
use std::any::Any;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a case expects and what the crate answered, each as text; the case holds when they are
/// equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the case expects.
    pub expected: String,
    /// What the crate answered.
    pub got: String,
}

/// Answers all cases of a kind and reports all that fail.
///
/// A case that panics fails alone. An exception of `exceptions.toml` excuses its case as long as
/// both texts are those it states; a stale one fails.
///
/// # Panics
///
/// Panics when a case fails or the corpus is broken: call it from a test.
#[expect(clippy::panic, reason = "the assertion of a test")]
pub fn run<C: DeserializeOwned>(kind: &str, answer: impl Fn(&Case<C>) -> Answer) {
    let cases = cases(kind);
    let exceptions = exceptions::read(&testdata(kind)).unwrap_or_else(|error| panic!("{error}"));
    let report = report(&cases, &exceptions, filter().is_some(), answer);
    assert!(report.is_empty(), "{report}");
}

/// The failing cases and the stale exceptions, as text; empty when there are none.
fn report<C>(
    cases: &[Case<C>],
    exceptions: &[Exception],
    filtered: bool,
    answer: impl Fn(&Case<C>) -> Answer,
) -> String {
    let mut report = String::new();
    let mut failed = 0_usize;
    for case in cases {
        let exception = exceptions.iter().find(|exception| exception.case == case.name);
        let caught = catch_unwind(AssertUnwindSafe(|| answer(case)));
        let Answer { expected, got } = caught.unwrap_or_else(|panic| Answer {
            expected: "no panic".to_owned(),
            got: format!("panic: {}", panic_text(&*panic)),
        });
        let trouble = match exception {
            None if expected == got => continue,
            None => "",
            Some(known) if known.expected == expected && known.actual == got => continue,
            Some(_) => " (the exception of exceptions.toml is stale)",
        };
        failed += 1;
        let Case { name, why, rfc, file, .. } = case;
        let file = file.file_name().unwrap_or_default().to_string_lossy();
        // Writing to a String does not fail.
        let _ = writeln!(
            report,
            "\n{name}{trouble}\n  why:      {why}\n  rfc:      {rfc}\n  file:     {file}\n  \
             expected: {expected}\n  got:      {got}"
        );
    }
    for exception in exceptions {
        if !filtered && !cases.iter().any(|case| case.name == exception.case) {
            failed += 1;
            let _ = writeln!(report, "\nexceptions.toml names no case: {}", exception.case);
        }
    }
    if failed > 0 {
        let _ = writeln!(report, "\n{failed} of {} cases failed", cases.len());
    }
    report
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        panic.downcast_ref::<&str>().copied().unwrap_or("(no text)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailproof_dns::Zone;
    use std::path::PathBuf;

    fn case(name: &str, own: u32) -> Case<u32> {
        Case {
            name: name.to_owned(),
            why: "because".to_owned(),
            rfc: "1 2.3".to_owned(),
            source: None,
            zone: Zone::new(),
            zone_text: String::new(),
            now: None,
            message: None,
            file: PathBuf::from("dir/a.toml"),
            own,
        }
    }

    fn exception(case: &str, expected: &str, actual: &str) -> Exception {
        let [case, expected, actual] = [case, expected, actual].map(str::to_owned);
        Exception { case, expected, actual, reason: "r".to_owned() }
    }

    /// Every case expects 1 and gets its number; 9 panics.
    fn answer(case: &Case<u32>) -> Answer {
        assert_ne!(case.own, 9, "nine");
        Answer { expected: "1".to_owned(), got: case.own.to_string() }
    }

    #[test]
    fn all_failing_cases_are_reported() {
        let cases = [case("a", 2), case("b", 1), case("c", 9)];
        let report = report(&cases, &[], false, answer);
        let [a, c] = [
            "\na\n  why:      because\n  rfc:      1 2.3\n  file:     a.toml\n  expected: 1\n  got:      2\n",
            "\nc\n  why:      because\n  rfc:      1 2.3\n  file:     a.toml\n  expected: no panic\n  got:      panic: ",
        ];
        assert!(report.starts_with(a), "{report}");
        assert!(report.contains(c) && report.contains("nine"), "{report}");
        assert!(report.ends_with("\n2 of 3 cases failed\n"), "{report}");
    }

    #[test]
    fn no_failing_case_is_an_empty_report() {
        assert_eq!(report(&[case("a", 1)], &[], false, answer), "");
    }

    #[test]
    fn an_exception_excuses_its_case_until_it_is_stale() {
        let excuse =
            |cases: &[_], exception, filtered| report(cases, &[exception], filtered, answer);
        assert_eq!(excuse(&[case("a", 2)], exception("a", "1", "2"), false), "");
        let fixed = excuse(&[case("a", 1)], exception("a", "1", "2"), false);
        assert!(fixed.contains("a (the exception of exceptions.toml is stale)"), "{fixed}");
        let other = excuse(&[case("a", 3)], exception("a", "1", "2"), false);
        assert!(other.contains("stale"), "{other}");
        let gone = excuse(&[case("a", 1)], exception("b", "1", "2"), false);
        assert!(gone.contains("names no case: b"), "{gone}");
        assert_eq!(excuse(&[case("a", 1)], exception("b", "1", "2"), true), "");
    }
}
