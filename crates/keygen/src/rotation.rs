//! The change from one key to the next, step by step.
//!
//! A verifier looks a key up when the message reaches it, which may be days after it was signed. So
//! the new key is published before it is used, and the old one stays until what it has signed has
//! arrived. RFC 6376 3.1: "both public keys are advertised in the public-key repository concurrently
//! for the transition period during which email may be in transit prior to verification".

use std::fmt;

/// A step of a rotation, in the order they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The new key is made, with a selector of its own.
    Make,
    /// Its record is published, and seen.
    Publish,
    /// Messages are signed with it.
    Switch,
    /// The old key is revoked: its record says `p=` (RFC 6376 3.6.1).
    Revoke,
    /// The old key is taken out of the signer's tables.
    Retire,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Step; 5] =
        [Step::Make, Step::Publish, Step::Switch, Step::Revoke, Step::Retire];

    /// The name of the step in JSON and in the state that is kept.
    pub fn keyword(self) -> &'static str {
        match self {
            Step::Make => "make",
            Step::Publish => "publish",
            Step::Switch => "switch",
            Step::Revoke => "revoke",
            Step::Retire => "retire",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Step::Make => "make the new key",
            Step::Publish => "publish its record",
            Step::Switch => "sign with the new key",
            Step::Revoke => "revoke the old key",
            Step::Retire => "retire the old key",
        })
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It was taken at this time.
    Done(u64),
    /// It may be taken.
    Due,
    /// It may be taken from this time on.
    Waits(u64),
    /// It comes after another that is not taken.
    Later,
}

/// How long is waited between steps, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From the time a record is seen to the step that builds on it: as long as resolvers may hold
    /// what was there before (RFC 1035 3.2.1). Local choice: at least an hour, and the TTL of the
    /// record.
    pub settle: u64,
    /// From the last signature of the old key to its end. Local choice: a week, since RFC 5321
    /// 4.5.4.1 says of queues that "the give-up time generally needs to be at least 4-5 days".
    pub keep: u64,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { settle: 3_600, keep: 604_800 }
    }
}

/// A rotation: which steps were taken, and when, in seconds since 1970. A step is taken when its
/// effect was seen.
///
/// ```
/// use mailproof_keygen::{Pace, Progress, Rotation, Step};
///
/// let pace = Pace::default();
/// let mut rotation = Rotation::default();
/// assert_eq!(rotation.progress(Step::Make, &pace, 0), Progress::Due);
/// rotation.take(Step::Make, 1_000);
/// rotation.take(Step::Publish, 2_000);
/// assert_eq!(rotation.progress(Step::Switch, &pace, 2_500), Progress::Waits(5_600));
/// assert_eq!(rotation.progress(Step::Switch, &pace, 5_600), Progress::Due);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rotation {
    taken: [Option<u64>; Step::ALL.len()],
}

impl Rotation {
    /// When the step was taken, if it was.
    pub fn taken(&self, step: Step) -> Option<u64> {
        let at = Step::ALL.iter().position(|&other| other == step)?;
        self.taken.get(at).copied().flatten()
    }

    /// The step is taken; the time of a step that was taken before stays.
    pub fn take(&mut self, step: Step, now: u64) {
        let at = Step::ALL.iter().position(|&other| other == step);
        if let Some(taken) = at.and_then(|at| self.taken.get_mut(at)) {
            taken.get_or_insert(now);
        }
    }

    /// The step, and those after it, are not taken: what was seen is gone again.
    pub fn take_back(&mut self, step: Step) {
        for (taken, other) in self.taken.iter_mut().zip(Step::ALL) {
            if other >= step {
                *taken = None;
            }
        }
    }

    /// The first step that is not taken; `None` when all are.
    pub fn next(&self) -> Option<Step> {
        Step::ALL.into_iter().find(|&step| self.taken(step).is_none())
    }

    /// How far a step is.
    pub fn progress(&self, step: Step, pace: &Pace, now: u64) -> Progress {
        if let Some(at) = self.taken(step) {
            return Progress::Done(at);
        }
        if self.next() != Some(step) {
            return Progress::Later;
        }
        let after =
            |before: Step, wait: u64| self.taken(before).map_or(0, |at| at.saturating_add(wait));
        let earliest = match step {
            Step::Make => 0,
            Step::Publish => after(Step::Make, 0),
            Step::Switch => after(Step::Publish, pace.settle),
            Step::Revoke => after(Step::Switch, pace.keep),
            Step::Retire => after(Step::Revoke, pace.settle),
        };
        if now >= earliest { Progress::Due } else { Progress::Waits(earliest) }
    }
}

/// Selectors for a key made on this day, `YYYYMMDD`, and with a letter behind it for when that is
/// taken.
pub fn dated_selectors(date: &str) -> impl Iterator<Item = String> {
    let letters = ('b'..='z').map(move |letter| format!("{date}{letter}"));
    std::iter::once(date.to_owned()).chain(letters)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: u64 = 86_400;

    #[test]
    fn the_whole_way() {
        let pace = Pace::default();
        let mut rotation = Rotation::default();
        let mut now = 10 * DAY;
        let mut waited = Vec::new();
        while let Some(step) = rotation.next() {
            match rotation.progress(step, &pace, now) {
                Progress::Due => rotation.take(step, now),
                Progress::Waits(until) => {
                    waited.push((step, until - now));
                    now = until;
                }
                other => panic!("{step:?} {other:?}"),
            }
        }
        let expected = [(Step::Switch, 3_600), (Step::Revoke, 7 * DAY), (Step::Retire, 3_600)];
        assert_eq!(waited, expected);
        assert_eq!(rotation.progress(Step::Retire, &pace, now), Progress::Done(now));
    }

    #[test]
    fn what_is_gone_is_taken_back() {
        let mut rotation = Rotation::default();
        for step in Step::ALL {
            rotation.take(step, 7);
        }
        rotation.take_back(Step::Publish);
        assert_eq!((rotation.taken(Step::Make), rotation.next()), (Some(7), Some(Step::Publish)));
        assert_eq!(rotation.progress(Step::Switch, &Pace::default(), DAY), Progress::Later);
    }

    #[test]
    fn a_selector_by_date() {
        let selectors: Vec<String> = dated_selectors("20261125").collect();
        assert_eq!(selectors[..2], ["20261125", "20261125b"]);
        assert_eq!(selectors.len(), 26);
    }

    proptest! {
        /// Taking a step again changes nothing, and no step is due before those before it are taken.
        #[test]
        fn steps_are_in_order(times in prop::collection::vec(0_u64..10_000_000, 1..9)) {
            let pace = Pace::default();
            let mut rotation = Rotation::default();
            for now in times {
                let Some(step) = rotation.next() else { break };
                for later in Step::ALL.into_iter().filter(|&later| later > step) {
                    prop_assert_eq!(rotation.progress(later, &pace, now), Progress::Later);
                }
                if rotation.progress(step, &pace, now) == Progress::Due {
                    rotation.take(step, now);
                    let before = rotation;
                    rotation.take(step, now + 1);
                    prop_assert_eq!(rotation, before);
                }
            }
        }
    }
}
