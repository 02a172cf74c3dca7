//! Data on standard output, remarks on standard error.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::mem;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};

/// The form of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For reading.
    #[default]
    Human,
    /// For programs: one document, the same shape for any number of inputs.
    Json,
}

/// Standard output, buffered, and whether it takes colour.
#[derive(Debug)]
pub struct Output {
    out: BufWriter<Stdout>,
    /// How to set words apart.
    pub paint: Paint,
}

impl Output {
    /// Standard output; in colour if it is a terminal and neither `NO_COLOR` nor a dumb `TERM`
    /// says otherwise.
    pub fn stdout() -> Output {
        let stdout = io::stdout();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        Output { out: BufWriter::with_capacity(1 << 16, stdout), paint: Paint { colour } }
    }
}

impl Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.out.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// How far a detail is indented, its label included.
pub const INDENT: usize = 16;
/// Where the lines of a detail end.
const WIDTH: usize = 96;

impl Output {
    /// The label of a detail; its text follows on the same line.
    ///
    /// # Errors
    /// Those of writing.
    pub fn label(&mut self, label: &str) -> io::Result<()> {
        let label = self.paint.dim(format!("{label:8}"));
        write!(self.out, "{:8}{label}", "")
    }

    /// A labelled text, broken into lines of the same indent; it is safe to print as it is.
    ///
    /// # Errors
    /// Those of writing.
    pub fn detail(&mut self, label: &str, text: &str) -> io::Result<()> {
        self.label(label)?;
        let mut column = INDENT;
        for (index, word) in text.split(' ').enumerate() {
            let length = word.chars().count();
            if index > 0 && column + 1 + length > WIDTH {
                write!(self.out, "\n{:INDENT$}", "")?;
                column = INDENT;
            } else if index > 0 {
                self.out.write_all(b" ")?;
                column += 1;
            }
            self.out.write_all(word.as_bytes())?;
            column += length;
        }
        self.out.write_all(b"\n")
    }
}

/// A JSON document with a version and one list, written item by item. Nothing is written before the
/// first item or the end, so that a run that fails at once leaves no half of a document.
#[derive(Debug)]
pub struct List {
    key: &'static str,
    schema_version: u32,
    is_empty: bool,
}

impl List {
    /// The document `{"schema_version": …, "key": [ … ]}`.
    pub fn new(schema_version: u32, key: &'static str) -> List {
        List { key, schema_version, is_empty: true }
    }

    /// Writes the next item, on a line of its own.
    ///
    /// # Errors
    /// Those of writing.
    pub fn item(&mut self, out: &mut Output, item: &impl serde::Serialize) -> io::Result<()> {
        if self.is_empty {
            self.begin(out)?;
        } else {
            out.write_all(b",")?;
        }
        self.is_empty = false;
        out.write_all(b"\n")?;
        serde_json::to_writer(out, item)?;
        Ok(())
    }

    /// Ends the list and the document.
    ///
    /// # Errors
    /// Those of writing.
    pub fn end(self, out: &mut Output) -> io::Result<()> {
        if self.is_empty {
            self.begin(out)?;
        }
        out.write_all(b"\n]}\n")?;
        out.flush()
    }

    fn begin(&self, out: &mut Output) -> io::Result<()> {
        let List { key, schema_version, .. } = self;
        write!(out, "{{\"schema_version\":{schema_version},\"{key}\":[")
    }
}

/// Colour, or none.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// What is as it should be.
    pub fn good<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(AnsiColor::Green.on_default().bold(), text)
    }

    /// What is not.
    pub fn bad<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// What may be otherwise next time, or deserves a look.
    pub fn doubtful<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// What stands out.
    pub fn strong<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Style::new().bold(), text)
    }

    /// What stands back.
    pub fn dim<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Style::new().dimmed(), text)
    }

    fn paint<T: fmt::Display>(self, style: Style, text: T) -> Painted<T> {
        Painted { style: if self.colour { style } else { Style::new() }, text }
    }
}

/// A text in its colour.
#[derive(Debug)]
pub struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:#}", self.style, self.text, self.style)
    }
}

/// Prints `word: text` on standard error, the `word` (error, warning, note) in colour on a terminal.
pub fn remark(word: &str, text: impl fmt::Display) {
    let style = match word {
        "error" => AnsiColor::Red.on_default().bold(),
        "warning" => AnsiColor::Yellow.on_default().bold(),
        _ => Style::new().bold(),
    };
    // Nobody is left to be told when standard error is gone.
    let _ = writeln!(anstream::stderr(), "{style}{word}:{style:#} {text}");
}

/// How far long work has come: one line on standard error, where that is a terminal and standard
/// output is none, which would show it by itself.
#[derive(Debug)]
pub struct Progress {
    terminal: bool,
    /// When the line was shown last, and whether it still is.
    shown: Instant,
    is_shown: bool,
}

impl Progress {
    /// How long the work goes on in silence, and between two counts.
    const PACE: Duration = Duration::from_millis(100);

    /// Nothing is shown before the first [`Progress::count`] that comes late enough.
    pub fn new() -> Progress {
        let terminal = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Progress { terminal, shown: Instant::now(), is_shown: false }
    }

    /// `done` of the work is done: `done` in words, like "120 queries".
    pub fn count(&mut self, done: impl fmt::Display) {
        if self.terminal && self.shown.elapsed() >= Self::PACE {
            let _ = write!(io::stderr(), "\r\x1b[K{done}");
            self.shown = Instant::now();
            self.is_shown = true;
        }
    }

    /// Takes the line away, so that other text can be written.
    pub fn clear(&mut self) {
        if mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Default for Progress {
    fn default() -> Progress {
        Progress::new()
    }
}
