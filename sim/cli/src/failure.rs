//! Why there is nothing to show, and what to do about it.

use std::io;

use fleet::FleetError;
use model::{Findings, Rejected};
use record::RecordError;
use run::RunError;
use serde::Serialize;

use crate::console::{Console, Look};
use crate::exit_code;

/// An end without an answer.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    /// What is wrong, a fragment.
    what: String,
    help: Option<&'static str>,
    /// The scenario that is, with its mistakes.
    rejected: Option<Box<Rejected>>,
}

/// A failure, or a rejected scenario, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    status: &'static str,
    exit_code: u8,
    error: &'a str,
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<model::Report<'a>>,
}

impl Failure {
    pub(crate) fn new(code: u8, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), help: None, rejected: None }
    }

    /// A text with mistakes: `what` it is not.
    pub(crate) fn rejected(rejected: Rejected, what: impl Into<String>) -> Self {
        Self { rejected: Some(Box::new(rejected)), ..Self::new(exit_code::INVALID, what) }
    }

    pub(crate) fn help(self, help: &'static str) -> Self {
        Self { help: Some(help), ..self }
    }

    /// Says it, to people on stderr and to programs on stdout, and names the code to end with.
    pub(crate) fn tell(&self, console: Console) -> u8 {
        if let Some(rejected) = &self.rejected {
            console.warn(&found(rejected));
        } else {
            console.warn(&format!("{} {}", Look::Bad.on("error:"), self.what));
        }
        if let Some(help) = self.help {
            console.warn(&format!("{} {help}", Look::Strong.on("help:")));
        }
        let rejected = self.rejected.as_ref().map(|rejected| rejected.report());
        let document =
            Document { status: "error", exit_code: self.code, error: &self.what, help: self.help, rejected };
        // If stdout cannot be written either, the code still tells.
        let _ = console.answer("", &document);
        self.code
    }
}

/// What was found in a scenario, and where to learn more.
pub(crate) fn found(findings: &Findings) -> String {
    let text = findings.render(model::Paint::Coloured);
    let more = findings.codes().next().map(|code| format!("wavetank scenario explain {}", code.text()));
    let help = more.map(|more| format!("{} `{more}` tells more", Look::Strong.on("help:")));
    text + &help.unwrap_or_default()
}

impl From<io::Error> for Failure {
    /// Only streams and temporary folders are written here directly.
    fn from(error: io::Error) -> Self {
        Self::new(exit_code::OUTPUT, format!("cannot write: {error}"))
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        let what = format!("{} is not a valid scenario", rejected.file());
        Self::rejected(rejected, what)
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let what = error.to_string();
        match error {
            RecordError::NotEmpty { .. } => Self::new(exit_code::OUTPUT, what)
                .help("name a folder that is not there yet, or leave `--out` away"),
            error if error.is_output() => Self::new(exit_code::OUTPUT, what),
            RecordError::Newer { .. } => Self::new(exit_code::DIVERGED, what)
                .help("read it with the version of wavetank that wrote it, or a later one"),
            RecordError::Missing { .. } | RecordError::NotARun { .. } => Self::new(exit_code::NOTHING, what)
                .help("name the folder of a run, such as `runs/hello/latest`"),
            _ => Self::new(exit_code::NOTHING, what),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Rejected(rejected) => rejected.into(),
            RunError::Output(error) => error.into(),
            error @ RunError::Unserved(_) => Self::new(exit_code::INVALID, error.to_string())
                .help("the simulator performs it: leave `--backend local` away"),
            error @ RunError::Real => Self::new(exit_code::NOTHING, error.to_string())
                .help("`wavetank run SCENARIO --backend local` plays the same scenario and seed once more"),
            error @ RunError::Fleet(FleetError::Address { .. }) => {
                Self::new(exit_code::PORT_IN_USE, error.to_string())
            }
            error @ RunError::Fleet(FleetError::Folder { .. }) => {
                Self::new(exit_code::OUTPUT, error.to_string())
            }
            error => Self::new(exit_code::INTERNAL, error.to_string()),
        }
    }
}
