//! The plan of a rotation and how far it is, for reading and as JSON; the schema of that is
//! `docs/schema/genkey-rotate.schema.json`.

use std::io::{self, Write};

use mailproof_cli::escape::{safe, visible};
use mailproof_cli::instant::Instant;
use mailproof_cli::output::Output;
use mailproof_keygen::{Form, Progress, RecordData, Step};
use serde::Serialize;

use super::carry::{Carrier, Halt};
use crate::generate::shown;

/// A rotation.
#[derive(Serialize)]
pub(super) struct Rotation {
    domain: String,
    old: Key,
    new: Key,
    state: String,
    steps: Vec<StepReport>,
    complete: bool,
    next: Option<String>,
    publish: Option<Publish>,
}

#[derive(Serialize)]
struct Key {
    selector: String,
    file: String,
    name: Option<String>,
}

#[derive(Serialize)]
struct StepReport {
    step: &'static str,
    progress: &'static str,
    time: Option<u64>,
}

/// A record that is to be published.
#[derive(Serialize)]
struct Publish {
    name: Option<String>,
    ttl: u32,
    text: String,
    sent: bool,
}

impl Rotation {
    pub(super) fn new(carrier: &Carrier<'_>, halt: Option<&Halt>) -> Rotation {
        let state = &carrier.state;
        let key = |key: &super::state::Key| Key {
            selector: key.selector.to_string(),
            file: key.file.to_string_lossy().into_owned(),
            name: key.name.clone(),
        };
        let publish = match halt {
            Some(Halt::Publish { record, sent }) => Some(Publish {
                name: record.owner.absolute(),
                ttl: record.ttl,
                text: match &record.data {
                    RecordData::Txt(text) => text.strings().concat(),
                    RecordData::Cname(_) => String::new(),
                },
                sent: *sent,
            }),
            _ => None,
        };
        Rotation {
            domain: state.domain.to_string(),
            old: key(&state.old),
            new: key(&state.new),
            state: state.path().to_string_lossy().into_owned(),
            steps: steps(carrier).map(StepReport::new).collect(),
            complete: state.rotation.next().is_none(),
            next: halt.and_then(|halt| next(carrier, halt)),
            publish,
        }
    }
}

impl StepReport {
    fn new((step, progress): (Step, Progress)) -> StepReport {
        let (progress, time) = words(progress);
        StepReport { step: step.keyword(), progress, time }
    }
}

fn words(progress: Progress) -> (&'static str, Option<u64>) {
    match progress {
        Progress::Done(at) => ("done", Some(at)),
        Progress::Due => ("due", None),
        Progress::Waits(until) => ("waits", Some(until)),
        Progress::Later => ("later", None),
    }
}

fn steps(carrier: &Carrier<'_>) -> impl Iterator<Item = (Step, Progress)> {
    let (rotation, pace, now) = (carrier.state.rotation, carrier.pace(), carrier.now.0);
    Step::ALL.into_iter().map(move |step| (step, rotation.progress(step, &pace, now)))
}

/// Prints the plan, and what comes next.
pub(super) fn print(
    out: &mut Output,
    carrier: &Carrier<'_>,
    halt: Option<&Halt>,
) -> io::Result<()> {
    let state = &carrier.state;
    let paint = out.paint;
    let (old, new) = (&state.old.selector, &state.new.selector);
    let summary = match state.rotation.next() {
        None => format!("the key was changed from {old} to {new}"),
        Some(_) => format!("the key is changed from {old} to {new}"),
    };
    let label = visible(state.domain.to_string().as_bytes()).to_string();
    writeln!(out, "{}: {summary}", paint.strong(label))?;
    for (step, progress) in steps(carrier) {
        let (word, time) = words(progress);
        let word = format!("{word:6}");
        let word = match progress {
            Progress::Done(_) => paint.good(word),
            Progress::Due => paint.doubtful(word),
            Progress::Waits(_) | Progress::Later => paint.dim(word),
        };
        match (progress, time) {
            (Progress::Waits(_), Some(time)) => {
                writeln!(out, "  {word} {step:23}until {}", Instant(time))?;
            }
            (_, Some(time)) => writeln!(out, "  {word} {step:23}{}", Instant(time))?,
            (_, None) => writeln!(out, "  {word} {step}")?,
        }
    }
    let Some(halt) = halt else { return out.flush() };
    match halt {
        Halt::Fault(reason) | Halt::Unknown(reason) => {
            out.detail("why", &safe(reason).to_string())?;
        }
        _ => {}
    }
    if let Some(next) = next(carrier, halt) {
        out.detail("next", &safe(&next).to_string())?;
    }
    if let Halt::Publish { record, sent: false } = halt
        && let Ok(text) = Form::Bind.print(std::slice::from_ref(record))
    {
        out.write_all(text.as_bytes())?;
    }
    out.flush()
}

/// What is to be done next, by whom.
fn next(carrier: &Carrier<'_>, halt: &Halt) -> Option<String> {
    let state = &carrier.state;
    Some(match halt {
        Halt::Complete => "Nothing. --again begins the next change of keys.".to_owned(),
        Halt::Plan => "Run it again with --apply to take the step that is due.".to_owned(),
        Halt::Waits => "Run it again after that time.".to_owned(),
        Halt::Publish { sent: true, .. } => {
            "The name server has taken the update; run it again when the record is seen.".to_owned()
        }
        Halt::Publish { .. } => {
            "Publish this record in place of any at that name, then run it again.".to_owned()
        }
        Halt::SwitchByHand => format!(
            "Set selector {} and key file {} in the signer and reload it, then run this again with \
             --switched and --apply.",
            state.new.selector,
            shown(&state.new.file)
        ),
        Halt::Fault(_) => "Mend this, then run it again.".to_owned(),
        Halt::Unknown(_) => "Try again later.".to_owned(),
    })
}
