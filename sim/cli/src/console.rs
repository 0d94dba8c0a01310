//! The two streams: what was asked for goes to stdout, everything else to stderr. A reader that goes away is no
//! error; colour is left out where nobody would see it.

use std::io::{self, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::args::{Format, Output, Shown};

/// What is said, and to whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    pub(crate) format: Format,
    pub(crate) verbosity: Verbosity,
}

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl From<&Output> for Console {
    fn from(output: &Output) -> Self {
        Self { format: output.format, verbosity: Verbosity::Normal }
    }
}

impl From<&Shown> for Verbosity {
    fn from(shown: &Shown) -> Self {
        match shown {
            Shown { quiet: true, .. } => Self::Quiet,
            Shown { verbose: true, .. } => Self::Verbose,
            _ => Self::Normal,
        }
    }
}

impl Console {
    /// What was asked for: `text` for people, `document` for programs.
    pub(crate) fn answer(&self, text: &str, document: &impl Serialize) -> io::Result<()> {
        let text = match self.format {
            Format::Human => text.to_owned(),
            Format::Json => serde_json::to_string_pretty(document)? + "\n",
        };
        unless_gone(anstream::stdout().lock().write_all(text.as_bytes()))
    }

    /// A line of what is told as it happens: `text` for people, `document` for programs.
    pub(crate) fn line(&self, text: &str, document: &impl Serialize) -> io::Result<()> {
        let text = match self.format {
            Format::Human => text.to_owned(),
            Format::Json => serde_json::to_string(document)?,
        };
        unless_gone(writeln!(anstream::stdout().lock(), "{text}"))
    }

    /// Bytes that are what was asked for.
    pub(crate) fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        unless_gone(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// Something that helps to follow what happens; not said if quiet was asked for.
    pub(crate) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.warn(text);
        }
    }

    /// Something that must be said.
    pub(crate) fn warn(&self, text: &str) {
        // There is no other place to complain at.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}

/// A reader who has seen enough, `head` for one, is no error.
fn unless_gone(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// How a word looks where there is colour; it says the same without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Plain,
    Strong,
    Good,
    Bad,
    Doubtful,
    Faint,
}

impl Look {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default().bold(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Doubtful => AnsiColor::Yellow.on_default().bold(),
        }
    }

    /// The text with this look.
    pub(crate) fn on(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}
